/*
 * test_fraud.c - the fraud dataset: the same input and seed make the same bytes, in one process or several.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "datagen/csv.h"
#include "datagen/fraud.h"
#include "datagen/synthetic.h"
#include "tests/support/process.h"
#include "workloads/fraud.h"

#define SIZE_LIMIT ((size_t)512 << 20)

struct folder {
	char dir[256], input[300], output[300];
};

static int setup(void **state)
{
	struct folder *f = malloc(sizeof(*f));

	assert_non_null(f);
	temp_folder_new(f->dir, sizeof(f->dir));
	snprintf(f->input, sizeof(f->input), "%s/in.csv", f->dir);
	snprintf(f->output, sizeof(f->output), "%s/out.dat", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct folder *f = *state;

	temp_folder_remove(f->dir);
	free(f);
	return 0;
}

/* Generates with cfg into the folder and reads the result; freed by the caller. */
static char *generate(const struct folder *f, struct fraud_config cfg, size_t *ret_len)
{
	struct fraud_summary made;
	struct error err = {""};
	char *data;

	cfg.output = f->output;
	if (cfg.groups == 0)
		cfg.groups = 1;
	if (fraud_generate(&made, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(file_read(&data, ret_len, f->output, SIZE_LIMIT, &err), 0);
	return data;
}

/* A small CSV of synthetic rows. */
static void make_csv(const struct folder *f, uint64_t rows)
{
	struct fraud_config cfg = {
		.output = f->input, .format = FRAUD_FORMAT_CSV, .max_transactions = rows, .seed = 99, .groups = 1};
	struct fraud_summary made;
	struct error err;

	assert_int_equal(fraud_generate(&made, &cfg, &err), 0);
	assert_int_equal(made.written, rows);
}

static float value_at(const char *row, size_t offset)
{
	float value;

	memcpy(&value, row + offset, sizeof(value));
	return value;
}

static void row_has_id_transaction_and_reference_values(void **state)
{
	const struct folder *f = *state;
	struct fraud_config cfg = {.input = f->input, .seed = 12345};
	struct csv_reader *csv;
	struct error err;
	size_t len;
	char *data;

	make_csv(f, 100);
	data = generate(f, cfg, &len);
	assert_int_equal(len, 100 * FRAUD_ROW_SIZE);
	assert_int_equal(csv_open(&csv, f->input, &err), 0);
	for (uint64_t id = 0; id < 100; id++) {
		const char *row = data + id * FRAUD_ROW_SIZE;
		float features[FRAUD_FEATURES];
		bool fraud;

		assert_int_equal(fraud_row_id(row), id);
		assert_int_equal(csv_next(csv, features, &fraud, &err), 1);
		assert_memory_equal(row + FRAUD_TRANSACTION_OFFSET, features, sizeof(features));
		for (unsigned i = 0; i < FRAUD_REFERENCES; i++) {
			float value = value_at(row, FRAUD_REFERENCE_OFFSET + 4 * i);

			assert_true(value >= 0.0f && value < 1.0f);
		}
	}
	csv_close(csv);
	free(data);
}

/* Fixed for ever: people compare datasets by checksum. FNV-1a over the first 1000 rows. */
static void known_seed_makes_known_bytes(void **state)
{
	const struct folder *f = *state;
	struct fraud_config cfg = {.max_transactions = 1000, .seed = 12345};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t len;
	char *data = generate(f, cfg, &len);

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	assert_int_equal(hash, UINT64_C(0xd8a1b9ef2eb92d47));
	free(data);
}

static void references_are_uniform_and_follow_the_seed(void **state)
{
	const struct folder *f = *state;
	struct fraud_config cfg = {.max_transactions = 2000, .seed = 1};
	double sum = 0, squares = 0, n = 2000.0 * FRAUD_REFERENCES;
	size_t len, other_len;
	char *data = generate(f, cfg, &len);
	char *again = generate(f, cfg, &other_len);

	assert_int_equal(len, other_len);
	assert_memory_equal(data, again, len);
	cfg.seed = 2;
	free(again);
	again = generate(f, cfg, &other_len);
	assert_memory_not_equal(data, again, len);
	for (size_t row = 0; row < 2000; row++) {
		for (unsigned i = 0; i < FRAUD_REFERENCES; i++) {
			double v = (double)value_at(data + row * FRAUD_ROW_SIZE, FRAUD_REFERENCE_OFFSET + 4 * i);

			sum += v;
			squares += v * v;
		}
	}
	assert_true(fabs(sum / n - 0.5) < 0.003);
	assert_true(fabs(squares / n - 1.0 / 3) < 0.003);
	free(data);
	free(again);
}

/* Made by 7 processes and put together round robin, from a CSV that is read several times over or synthetic. */
static void groups_together_make_the_same_bytes(void **state)
{
	const struct folder *f = *state;

	make_csv(f, 130);
	for (int synthetic = 0; synthetic < 2; synthetic++) {
		struct fraud_config cfg = {.input = synthetic ? NULL : f->input, .max_transactions = 1001, .seed = 5};
		size_t len, part_len, rows = 0;
		char *whole = generate(f, cfg, &len);

		assert_int_equal(len, 1001 * FRAUD_ROW_SIZE);
		cfg.groups = 7;
		for (cfg.group = 0; cfg.group < cfg.groups; cfg.group++) {
			char *part = generate(f, cfg, &part_len);

			assert_int_equal(part_len % FRAUD_ROW_SIZE, 0);
			for (size_t k = 0; k < part_len / FRAUD_ROW_SIZE; k++, rows++)
				assert_memory_equal(part + k * FRAUD_ROW_SIZE,
						    whole + (k * cfg.groups + cfg.group) * FRAUD_ROW_SIZE,
						    FRAUD_ROW_SIZE);
			free(part);
		}
		assert_int_equal(rows, 1001);
		free(whole);
	}
}

static void short_file_is_read_again_with_ids_going_on(void **state)
{
	const struct folder *f = *state;
	struct fraud_config cfg = {.input = f->input, .seed = 5};
	size_t once_len, len;
	char *once, *data;

	make_csv(f, 10);
	once = generate(f, cfg, &once_len);
	assert_int_equal(once_len, 10 * FRAUD_ROW_SIZE);
	cfg.max_transactions = 25;
	data = generate(f, cfg, &len);
	assert_int_equal(len, 25 * FRAUD_ROW_SIZE);
	assert_memory_equal(data, once, once_len);
	for (uint64_t id = 0; id < 25; id++) {
		const char *row = data + id * FRAUD_ROW_SIZE, *first = data + id % 10 * FRAUD_ROW_SIZE;

		assert_int_equal(fraud_row_id(row), id);
		assert_memory_equal(row + FRAUD_TRANSACTION_OFFSET, first + FRAUD_TRANSACTION_OFFSET,
				    FRAUD_TRANSACTION_SIZE);
		if (id >= 10)
			assert_memory_not_equal(row + FRAUD_REFERENCE_OFFSET, first + FRAUD_REFERENCE_OFFSET,
						FRAUD_REFERENCE_SIZE);
	}
	cfg.max_transactions = 4;
	free(once);
	once = generate(f, cfg, &once_len);
	assert_int_equal(once_len, 4 * FRAUD_ROW_SIZE);
	assert_memory_equal(data, once, once_len);
	free(once);
	free(data);
}

static void expect_failure(const struct fraud_config *cfg, int code, const char *words)
{
	struct fraud_summary made;
	struct error err = {""};

	assert_int_equal(fraud_generate(&made, cfg, &err), code);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void failures_leave_no_output(void **state)
{
	const struct folder *f = *state;
	static const atomic_int interrupted = 1;
	struct fraud_config cfg = {.input = f->input, .output = f->output, .max_transactions = 5, .groups = 1};
	struct error err;

	expect_failure(&cfg, ERR_NOT_FOUND, "No such file");
	assert_int_equal(file_write(f->input, csv_column_names[0], 0, &err), 0);
	expect_failure(&cfg, ERR_FORMAT, "holds no transactions");
	assert_int_equal(file_write(f->input, "1,2,3\n", 6, &err), 0);
	expect_failure(&cfg, ERR_FORMAT, "line 1: 3 columns");
	cfg.input = NULL;
	cfg.max_transactions = 10000;
	cfg.stop = &interrupted;
	expect_failure(&cfg, ERR_CANCELED, "interrupted");
	cfg.groups = 0;
	expect_failure(&cfg, ERR_RANGE, "groups");
	cfg.output = "/nowhere/at/all";
	cfg.groups = 1;
	expect_failure(&cfg, ERR_IO, "/nowhere/at/all");
	unlink(f->input);
	assert_int_equal(rmdir(f->dir), 0); /* nothing else was in it */
}

static void full_device_is_an_error(void **state)
{
	struct fraud_config cfg = {.output = "/dev/full", .max_transactions = 1000, .groups = 1};

	(void)state;
	if (access("/dev/full", W_OK) != 0)
		skip();
	expect_failure(&cfg, ERR_IO, "No space left");
}

/* The synthetic CSV, read back, gives what the direct way gives: text and float32 say the same. */
static void synthetic_csv_reads_back_as_the_synthetic_rows(void **state)
{
	const struct folder *f = *state;
	struct fraud_config cfg = {.output = f->input, .format = FRAUD_FORMAT_CSV, .seed = 7, .groups = 1};
	struct fraud_summary made;
	struct error err;
	size_t direct_len, len;
	char *direct, *data;

	assert_int_equal(fraud_generate(&made, &cfg, &err), 0);
	assert_int_equal(made.written, SYNTHETIC_ROWS);
	cfg.format = FRAUD_FORMAT_ROWS;
	direct = generate(f, cfg, &direct_len);
	cfg.input = f->input;
	data = generate(f, cfg, &len);
	assert_int_equal(len, (size_t)SYNTHETIC_ROWS * FRAUD_ROW_SIZE);
	assert_int_equal(direct_len, len);
	assert_true(memcmp(direct, data, len) == 0);
	free(direct);
	free(data);
}

static void synthetic_data_is_shaped_like_kaggles(void **state)
{
	double sum[FRAUD_FEATURES] = {0}, squares[FRAUD_FEATURES] = {0}, n = SYNTHETIC_ROWS, fraud_v14 = 0;
	static const struct {
		unsigned column;
		double deviation;
	} known[] = {{1, 1.958696}, {3, 1.516255}, {14, 0.958596}, {17, 0.849337}, {28, 0.330083}};
	float previous = 0, amount_max = 0;
	int frauds = 0;

	(void)state;
	for (uint64_t id = 0; id < SYNTHETIC_ROWS; id++) {
		struct synthetic_transaction t;
		float v[FRAUD_FEATURES];

		synthetic_transaction(&t, 42, id);
		synthetic_features(v, &t);
		frauds += t.fraud;
		fraud_v14 += t.fraud ? (double)v[14] : 0;
		assert_true(v[0] >= previous && v[0] <= 172792.0f);
		assert_true(v[29] >= 0.0f && v[29] <= 25691.16f);
		previous = v[0];
		amount_max = fmaxf(amount_max, v[29]);
		for (int i = 0; i < FRAUD_FEATURES; i++) {
			sum[i] += (double)v[i];
			squares[i] += (double)v[i] * (double)v[i];
		}
	}
	assert_true(previous == 172792.0f);
	assert_true(frauds > 400 && frauds < 590); /* 492 expected, deviation 22 */
	assert_true(fraud_v14 / frauds < -6.0);
	assert_true(amount_max > 10000.0f);
	assert_true(sum[29] / n > 80 && sum[29] / n < 96);
	for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
		unsigned i = known[k].column;
		double mean = sum[i] / n, deviation = sqrt(squares[i] / n - mean * mean);

		assert_true(fabs(mean) < 0.03);
		assert_true(fabs(deviation / known[k].deviation - 1) < 0.02);
	}
}

static void synthetic_rows_do_not_repeat_beyond_the_first_pass(void **state)
{
	struct synthetic_transaction a, b;

	(void)state;
	synthetic_transaction(&a, 1, 10);
	synthetic_transaction(&b, 1, 10 + SYNTHETIC_ROWS);
	assert_int_equal(a.seconds, b.seconds);
	assert_memory_not_equal(a.components, b.components, sizeof(a.components));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(row_has_id_transaction_and_reference_values, setup, teardown),
		cmocka_unit_test_setup_teardown(known_seed_makes_known_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(references_are_uniform_and_follow_the_seed, setup, teardown),
		cmocka_unit_test_setup_teardown(groups_together_make_the_same_bytes, setup, teardown),
		cmocka_unit_test_setup_teardown(short_file_is_read_again_with_ids_going_on, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_leave_no_output, setup, teardown),
		cmocka_unit_test(full_device_is_an_error),
		cmocka_unit_test_setup_teardown(synthetic_csv_reads_back_as_the_synthetic_rows, setup, teardown),
		cmocka_unit_test(synthetic_data_is_shaped_like_kaggles),
		cmocka_unit_test(synthetic_rows_do_not_repeat_beyond_the_first_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
