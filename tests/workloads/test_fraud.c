/*
 * test_fraud.c - the creditcard-fraud workload: views of rows, and which answers it accepts.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "workloads/fraud.h"
#include "workloads/workload.h"

#define BATCH_MAX 3

static unsigned char rows[BATCH_MAX * FRAUD_ROW_SIZE];

static void put_id(unsigned index, uint64_t id)
{
	for (unsigned i = 0; i < 8; i++)
		rows[index * FRAUD_ROW_SIZE + i] = (unsigned char)(id >> (8 * i));
}

static struct workload *open_fraud(const struct workload_config *cfg)
{
	struct workload *w = NULL;
	struct error err;

	assert_int_equal(workload_fraud.open(&w, cfg, &err), 0);
	return w;
}

static int judge(const struct workload_config *cfg, const void *data, size_t size, unsigned ndims, int64_t d0,
		 int64_t d1, struct error *err)
{
	struct workload *w = open_fraud(cfg);
	struct answer a = {.type = ELEMENT_FLOAT32, .ndims = ndims, .dims = {d0, d1}, .data = data, .size = size};
	struct request req;
	int r;

	workload_fraud.fill(w, rows, &req);
	r = workload_fraud.check(w, &req, &a, err);
	workload_fraud.close(w);
	return r;
}

static void registry_finds_it_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(workload_find("creditcard-fraud"), &workload_fraud);
	assert_null(workload_find("creditcard"));
}

static void requests_are_views_of_the_rows(void **state)
{
	struct workload *w = open_fraud(&(struct workload_config){.reference = true, .batch = 2});
	struct request req;

	(void)state;
	put_id(0, UINT64_C(0x0102030405060708));
	workload_fraud.fill(w, rows, &req);
	assert_int_equal(req.id, UINT64_C(0x0102030405060708));
	assert_int_equal(req.inferences, 2);
	assert_ptr_equal(req.inputs[0].data, rows + 8);
	assert_int_equal(req.inputs[0].size, 120);
	assert_int_equal(req.inputs[0].stride, 1152);
	assert_ptr_equal(req.inputs[1].data, rows + 128);
	assert_int_equal(req.inputs[1].size, 1024);
	assert_int_equal(workload_fraud.spec(w)->ninputs, 2);
	assert_true(workload_fraud.spec(w)->inputs[1].reference);
	workload_fraud.close(w);
}

static void without_reference_data_there_is_one_input(void **state)
{
	struct workload *w = open_fraud(&(struct workload_config){.batch = 1});

	(void)state;
	assert_int_equal(workload_fraud.spec(w)->ninputs, 1);
	assert_int_equal(workload_fraud.spec(w)->reference_offset, 128);
	workload_fraud.close(w);
}

static void probabilities_are_accepted(void **state)
{
	const struct workload_config one = {.batch = 1};
	const float good[2] = {0.25F, 0.75F}, edge[2] = {1.0005F, -0.0005F};

	(void)state;
	assert_int_equal(judge(&one, good, sizeof(good), 0, 0, 0, NULL), 0);
	assert_int_equal(judge(&one, good, sizeof(good), 2, 1, 2, NULL), 0);
	assert_int_equal(judge(&one, good, sizeof(good), 1, 2, 0, NULL), 0);
	assert_int_equal(judge(&one, edge, sizeof(edge), 0, 0, 0, NULL), 0);
}

static void what_is_no_distribution_is_wrong(void **state)
{
	const struct workload_config one = {.batch = 1};
	const float bad[][2] = {{NAN, 1},     {1, NAN},     {INFINITY, 0}, {-INFINITY, 1},
				{0.5F, 0.6F}, {0.2F, 0.2F}, {1.5F, -0.5F}, {0, 0}};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(judge(&one, bad[i], sizeof(bad[i]), 0, 0, 0, &err), ERR_WRONG);
		assert_non_null(strstr(err.text, "row "));
	}
}

static void another_size_type_or_shape_is_wrong(void **state)
{
	const struct workload_config one = {.batch = 1};
	const float p[4] = {0.5F, 0.5F, 0.5F, 0.5F};
	struct workload *w = open_fraud(&one);
	struct answer ints = {.type = ELEMENT_INT64, .data = p, .size = 8};
	struct request req;

	(void)state;
	assert_int_equal(judge(&one, p, 4, 0, 0, 0, NULL), ERR_WRONG);
	assert_int_equal(judge(&one, p, 16, 0, 0, 0, NULL), ERR_WRONG);
	assert_int_equal(judge(&one, p, 0, 0, 0, 0, NULL), ERR_WRONG);
	assert_int_equal(judge(&one, p, 8, 2, 2, 1, NULL), ERR_WRONG);
	assert_int_equal(judge(&one, p, 8, 3, 1, 2, NULL), ERR_WRONG);
	workload_fraud.fill(w, rows, &req);
	assert_int_equal(workload_fraud.check(w, &req, &ints, NULL), ERR_WRONG);
	workload_fraud.close(w);
}

static void every_row_of_a_batch_is_judged(void **state)
{
	const struct workload_config three = {.batch = 3};
	float p[6] = {0.5F, 0.5F, 0.1F, 0.9F, 1, 0};
	struct error err;

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		put_id(i, 40 + i);
	assert_int_equal(judge(&three, p, sizeof(p), 2, 3, 2, NULL), 0);
	p[5] = 0.5F;
	assert_int_equal(judge(&three, p, sizeof(p), 2, 3, 2, &err), ERR_WRONG);
	assert_non_null(strstr(err.text, "row 42"));
}

static void rows_of_a_batch_have_their_own_ids(void **state)
{
	struct workload *w = open_fraud(&(struct workload_config){.batch = 3});
	struct request req;

	(void)state;
	put_id(0, 41);
	put_id(1, 7);
	put_id(2, UINT64_MAX);
	workload_fraud.fill(w, rows, &req);
	assert_int_equal(workload_fraud.row_id(w, &req, 0), 41);
	assert_int_equal(workload_fraud.row_id(w, &req, 1), 7);
	assert_int_equal(workload_fraud.row_id(w, &req, 2), UINT64_MAX);
	workload_fraud.close(w);
}

static void a_batch_of_none_is_refused(void **state)
{
	struct workload *w = NULL;
	struct error err;

	(void)state;
	assert_int_equal(workload_fraud.open(&w, &(struct workload_config){.batch = 0}, &err), ERR_RANGE);
	assert_null(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_finds_it_by_name),
		cmocka_unit_test(requests_are_views_of_the_rows),
		cmocka_unit_test(without_reference_data_there_is_one_input),
		cmocka_unit_test(probabilities_are_accepted),
		cmocka_unit_test(what_is_no_distribution_is_wrong),
		cmocka_unit_test(another_size_type_or_shape_is_wrong),
		cmocka_unit_test(every_row_of_a_batch_is_judged),
		cmocka_unit_test(rows_of_a_batch_have_their_own_ids),
		cmocka_unit_test(a_batch_of_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
