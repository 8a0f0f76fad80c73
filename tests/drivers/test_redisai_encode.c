/*
 * test_redisai_encode.c - the exact bytes of an inference, and that nothing but digits changes between two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "drivers/redisai_encode.h"
#include "workloads/fraud.h"

#define IOVECS_MAX 16

static unsigned char rows[3 * FRAUD_ROW_SIZE];

static void fill_rows(uint64_t id)
{
	for (size_t i = 0; i < sizeof(rows); i++)
		rows[i] = (unsigned char)(i * 7 + 1);
	for (unsigned b = 0; b < 3; b++) {
		for (unsigned i = 0; i < 8; i++)
			rows[b * FRAUD_ROW_SIZE + i] = (unsigned char)((id + b) >> (8 * i));
	}
}

struct fixture {
	struct workload *workload;
	struct resp_template template;
	struct resp_scratch scratch;
};

static void open_form(struct fixture *f, bool reference, unsigned batch, bool dag, const char *model, const char *tag)
{
	struct redisai_form form = {.model = model, .tag = tag, .batch = batch, .dag = dag};
	struct workload_config cfg = {.reference = reference, .batch = batch};

	*f = (struct fixture){0};
	assert_int_equal(workload_fraud.open(&f->workload, &cfg, NULL), 0);
	form.spec = workload_fraud.spec(f->workload);
	assert_int_equal(redisai_template(&f->template, &form), 0);
	f->scratch.text = malloc(f->template.text_max);
	assert_non_null(f->scratch.text);
}

static void close_form(struct fixture *f)
{
	free(f->scratch.text);
	resp_template_release(&f->template);
	workload_fraud.close(f->workload);
}

/* Encodes the row with the id and compares all bytes. "@" in the text stands for the payloads. */
static void assert_bytes(struct fixture *f, uint64_t id, unsigned batch, const char *text)
{
	char bytes[4096], expected[4096];
	struct iovec iov[IOVECS_MAX];
	size_t n = 0, nexpected = 0;
	struct request req;
	int niov;

	fill_rows(id);
	workload_fraud.fill(f->workload, rows, &req);
	niov = resp_template_encode(&f->template, &f->scratch, req.id, req.inputs, batch, iov);
	assert_true((size_t)niov <= resp_template_iovecs(&f->template, batch));
	for (int i = 0; i < niov; i++) {
		memcpy(bytes + n, iov[i].iov_base, iov[i].iov_len);
		n += iov[i].iov_len;
	}
	for (; *text; text++) {
		if (*text != '@') {
			expected[nexpected++] = *text;
			continue;
		}
		for (unsigned b = 0; b < batch; b++, nexpected += FRAUD_TRANSACTION_SIZE)
			memcpy(expected + nexpected, rows + b * FRAUD_ROW_SIZE + FRAUD_TRANSACTION_OFFSET,
			       FRAUD_TRANSACTION_SIZE);
	}
	assert_int_equal(n, nexpected);
	assert_memory_equal(bytes, expected, n);
}

static void dag_with_reference_data_is_aibenchs(void **state)
{
	struct fixture f;

	(void)state;
	open_form(&f, true, 1, true, "financialNet", NULL);
	assert_int_equal(f.template.ncommands, 1);
	assert_bytes(&f, 7, 1,
		     "*24\r\n$9\r\nAI.DAGRUN\r\n$4\r\nLOAD\r\n$1\r\n1\r\n$19\r\nreferenceTensor:{7}\r\n"
		     "$2\r\n|>\r\n$12\r\nAI.TENSORSET\r\n$21\r\ntransactionTensor:{7}\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n"
		     "$2\r\n30\r\n$4\r\nBLOB\r\n$120\r\n@\r\n"
		     "$2\r\n|>\r\n$11\r\nAI.MODELRUN\r\n$12\r\nfinancialNet\r\n$6\r\nINPUTS\r\n"
		     "$21\r\ntransactionTensor:{7}\r\n$19\r\nreferenceTensor:{7}\r\n$7\r\nOUTPUTS\r\n"
		     "$24\r\nclassificationTensor:{7}\r\n"
		     "$2\r\n|>\r\n$12\r\nAI.TENSORGET\r\n$24\r\nclassificationTensor:{7}\r\n$4\r\nBLOB\r\n");
	close_form(&f);
}

static const char *const PLAIN_DAG =
	"*20\r\n$9\r\nAI.DAGRUN\r\n"
	"$2\r\n|>\r\n$12\r\nAI.TENSORSET\r\n$24\r\ntransactionTensor:{1234}\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n"
	"$2\r\n30\r\n$4\r\nBLOB\r\n$120\r\n@\r\n"
	"$2\r\n|>\r\n$11\r\nAI.MODELRUN\r\n$1\r\nm\r\n$6\r\nINPUTS\r\n$24\r\ntransactionTensor:{1234}\r\n"
	"$7\r\nOUTPUTS\r\n$27\r\nclassificationTensor:{1234}\r\n"
	"$2\r\n|>\r\n$12\r\nAI.TENSORGET\r\n$27\r\nclassificationTensor:{1234}\r\n$4\r\nBLOB\r\n";

static void dag_without_reference_data_has_no_load(void **state)
{
	struct fixture f;

	(void)state;
	open_form(&f, false, 1, true, "m", NULL);
	assert_bytes(&f, 1234, 1, PLAIN_DAG);
	close_form(&f);
}

static void three_commands_are_aibenchs(void **state)
{
	struct fixture f;

	(void)state;
	open_form(&f, true, 1, false, "m", NULL);
	assert_int_equal(f.template.ncommands, 3);
	assert_bytes(
		&f, 42, 1,
		"*7\r\n$12\r\nAI.TENSORSET\r\n$22\r\ntransactionTensor:{42}\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n$2\r\n30\r\n"
		"$4\r\nBLOB\r\n$120\r\n@\r\n"
		"*7\r\n$11\r\nAI.MODELRUN\r\n$1\r\nm\r\n$6\r\nINPUTS\r\n$22\r\ntransactionTensor:{42}\r\n"
		"$20\r\nreferenceTensor:{42}\r\n$7\r\nOUTPUTS\r\n$25\r\nclassificationTensor:{42}\r\n"
		"*3\r\n$12\r\nAI.TENSORGET\r\n$25\r\nclassificationTensor:{42}\r\n$4\r\nBLOB\r\n");
	close_form(&f);
}

static void shards_tag_stands_before_the_id(void **state)
{
	struct fixture f;

	(void)state;
	open_form(&f, false, 1, false, "{17}m", "17");
	assert_bytes(
		&f, 5, 1,
		"*7\r\n$12\r\nAI.TENSORSET\r\n$23\r\ntransactionTensor:{17}5\r\n$5\r\nFLOAT\r\n$1\r\n1\r\n$2\r\n30\r\n"
		"$4\r\nBLOB\r\n$120\r\n@\r\n"
		"*6\r\n$11\r\nAI.MODELRUN\r\n$5\r\n{17}m\r\n$6\r\nINPUTS\r\n$23\r\ntransactionTensor:{17}5\r\n"
		"$7\r\nOUTPUTS\r\n$26\r\nclassificationTensor:{17}5\r\n"
		"*3\r\n$12\r\nAI.TENSORGET\r\n$26\r\nclassificationTensor:{17}5\r\n$4\r\nBLOB\r\n");
	close_form(&f);
}

static void batch_sends_each_rows_part(void **state)
{
	struct fixture f;

	(void)state;
	open_form(&f, false, 3, false, "m", NULL);
	assert_bytes(
		&f, 9, 3,
		"*7\r\n$12\r\nAI.TENSORSET\r\n$21\r\ntransactionTensor:{9}\r\n$5\r\nFLOAT\r\n$1\r\n3\r\n$2\r\n30\r\n"
		"$4\r\nBLOB\r\n$360\r\n@\r\n"
		"*6\r\n$11\r\nAI.MODELRUN\r\n$1\r\nm\r\n$6\r\nINPUTS\r\n$21\r\ntransactionTensor:{9}\r\n"
		"$7\r\nOUTPUTS\r\n$24\r\nclassificationTensor:{9}\r\n"
		"*3\r\n$12\r\nAI.TENSORGET\r\n$24\r\nclassificationTensor:{9}\r\n$4\r\nBLOB\r\n");
	close_form(&f);
}

static void ids_of_any_length_follow_one_another(void **state)
{
	static const uint64_t ids[] = {0, 9, 10, 11, 99, 100, 5, 1234, UINT32_MAX, UINT64_MAX, 1, 1234};
	struct fixture used;

	(void)state;
	open_form(&used, true, 1, true, "m", NULL);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		char a[4096], b[4096];
		char *text[2] = {a, b};
		size_t n[2] = {0, 0};
		struct fixture fresh;
		struct fixture *both[2] = {&used, &fresh};

		open_form(&fresh, true, 1, true, "m", NULL);
		fill_rows(ids[i]);
		for (unsigned k = 0; k < 2; k++) {
			struct iovec iov[IOVECS_MAX];
			struct request req;
			int niov;

			workload_fraud.fill(both[k]->workload, rows, &req);
			niov = resp_template_encode(&both[k]->template, &both[k]->scratch, req.id, req.inputs, 1, iov);
			for (int j = 0; j < niov; j++) {
				memcpy(text[k] + n[k], iov[j].iov_base, iov[j].iov_len);
				n[k] += iov[j].iov_len;
			}
			assert_true(both[k]->scratch.cuts[2] <= both[k]->template.text_max);
		}
		assert_int_equal(n[0], n[1]);
		assert_memory_equal(a, b, n[0]);
		close_form(&fresh);
	}
	close_form(&used);
}

static void payload_is_not_copied(void **state)
{
	struct iovec iov[IOVECS_MAX];
	struct request req;
	struct fixture f;

	(void)state;
	open_form(&f, true, 1, true, "m", NULL);
	fill_rows(3);
	workload_fraud.fill(f.workload, rows, &req);
	assert_int_equal(resp_template_encode(&f.template, &f.scratch, 3, req.inputs, 1, iov), 3);
	assert_ptr_equal(iov[1].iov_base, rows + FRAUD_TRANSACTION_OFFSET);
	assert_int_equal(iov[1].iov_len, FRAUD_TRANSACTION_SIZE);
	close_form(&f);
}

static void template_that_is_too_long_is_refused(void **state)
{
	struct resp_template t = {0};

	(void)state;
	for (unsigned i = 0; i <= RESP_TEMPLATE_PIECES; i++)
		resp_template_key(&t, "a", "b");
	assert_int_equal(resp_template_finish(&t), ERR_RANGE);
	resp_template_release(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dag_with_reference_data_is_aibenchs),
		cmocka_unit_test(dag_without_reference_data_has_no_load),
		cmocka_unit_test(three_commands_are_aibenchs),
		cmocka_unit_test(shards_tag_stands_before_the_id),
		cmocka_unit_test(batch_sends_each_rows_part),
		cmocka_unit_test(ids_of_any_length_follow_one_another),
		cmocka_unit_test(payload_is_not_copied),
		cmocka_unit_test(template_that_is_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
