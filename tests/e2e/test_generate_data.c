/*
 * test_generate_data.c - aibench_generate_data and aibench_generate_model as a user calls them.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"
#include "tests/support/folder.h"
#include "workloads/fraud.h"

#define GENERATE "aibench_generate_data"
#define MODEL "aibench_generate_model"
#define CSV_ROWS 7

/* Column c of row r, exact in float32. */
static double csv_value(unsigned r, unsigned c)
{
	return c == 0 ? r : (double)r * 0.5 - (double)c * 0.25;
}

/* Kaggle's layout; `bad_row` gets a word where its fourth column should be (0: none), counted from 1. */
static void write_csv(const char *path, const char *end_of_line, bool header, unsigned bad_row)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	if (header) {
		fputs("\"Time\"", f);
		for (unsigned v = 1; v <= 28; v++)
			fprintf(f, ",\"V%u\"", v);
		fprintf(f, ",\"Amount\",\"Class\"%s", end_of_line);
	}
	for (unsigned r = 0; r < CSV_ROWS; r++) {
		for (unsigned c = 0; c < FRAUD_FEATURES; c++) {
			if (r + 1 == bad_row && c == 3)
				fputs("oops,", f);
			else
				fprintf(f, "%.17g,", csv_value(r, c));
		}
		fprintf(f, "\"%d\"%s", r == 2, end_of_line);
	}
	assert_int_equal(fclose(f), 0);
}

static char *generate(size_t *ret_len, const char *const *words)
{
	struct process_result r;
	char *data;

	run_ok(&r, words, NULL);
	data = r.out;
	*ret_len = r.out_len;
	free(r.err);
	return data;
}

static float feature(const char *row, unsigned c)
{
	float f;

	memcpy(&f, row + FRAUD_TRANSACTION_OFFSET + 4 * c, sizeof(f));
	return f;
}

static void rows_hold_id_transaction_and_reference(void **state)
{
	const char *csv = in_folder("plain.csv");
	size_t len;
	char *data;

	(void)state;
	write_csv(csv, "\n", true, 0);
	data = generate(&len, WORDS(GENERATE, "-input-file", csv, "-seed", "3"));
	assert_int_equal(len, CSV_ROWS * FRAUD_ROW_SIZE);
	for (unsigned r = 0; r < CSV_ROWS; r++) {
		const char *row = data + r * FRAUD_ROW_SIZE;

		assert_int_equal(fraud_row_id(row), r);
		for (unsigned c = 0; c < FRAUD_FEATURES; c++)
			assert_true(feature(row, c) == (float)csv_value(r, c));
		for (unsigned i = 0; i < FRAUD_REFERENCES; i++) {
			float f;

			memcpy(&f, row + FRAUD_REFERENCE_OFFSET + 4 * i, sizeof(f));
			assert_true(f >= 0 && f < 1);
		}
	}
	free(data);
}

static void every_form_of_the_csv_gives_the_same_bytes(void **state)
{
	const char *plain = in_folder("plain.csv"), *crlf = in_folder("crlf.csv"), *bare = in_folder("bare.csv");
	const char *gz = in_folder("packed.csv.gz");
	const char *const forms[] = {crlf, bare, gz};
	struct process_result r;
	size_t want_len, len;
	char *want, *data;

	(void)state;
	write_csv(plain, "\n", true, 0);
	write_csv(crlf, "\r\n", true, 0);
	write_csv(bare, "\n", false, 0);
	run_ok(&r, WORDS("gzip", "-c", plain), NULL);
	write_file(gz, r.out, r.out_len);
	process_result_release(&r);
	want = generate(&want_len, WORDS(GENERATE, "-input-file", plain));
	for (size_t i = 0; i < 3; i++) {
		data = generate(&len, WORDS(GENERATE, "-input-file", forms[i]));
		assert_int_equal(len, want_len);
		assert_memory_equal(data, want, len);
		free(data);
	}
	free(want);
}

static void a_longer_dataset_reads_the_file_again_and_ids_go_on(void **state)
{
	const char *csv = in_folder("plain.csv");
	size_t len;
	char *data;

	(void)state;
	write_csv(csv, "\n", true, 0);
	data = generate(&len, WORDS(GENERATE, "-input-file", csv, "-max-transactions", "17"));
	assert_int_equal(len, 17 * FRAUD_ROW_SIZE);
	for (unsigned r = 0; r < 17; r++) {
		assert_int_equal(fraud_row_id(data + r * FRAUD_ROW_SIZE), r);
		assert_true(feature(data + r * FRAUD_ROW_SIZE, 1) == (float)csv_value(r % CSV_ROWS, 1));
	}
	free(data);
}

static void groups_together_make_the_dataset_of_one(void **state)
{
	size_t len[3], whole_len, at[3] = {0};
	char *whole, *part[3];

	(void)state;
	whole = generate(&whole_len, WORDS(GENERATE, "-max-transactions", "100", "-seed", "9"));
	assert_int_equal(whole_len, 100 * FRAUD_ROW_SIZE);
	for (unsigned g = 0; g < 3; g++) {
		char id[16];

		snprintf(id, sizeof(id), "%u", g);
		part[g] = generate(&len[g], WORDS(GENERATE, "-max-transactions", "100", "-seed=9",
						  "-interleaved-generation-groups", "3",
						  "-interleaved-generation-group-id", id));
	}
	for (size_t r = 0; r < 100; r++) {
		size_t g = r % 3;

		assert_true(at[g] + FRAUD_ROW_SIZE <= len[g]);
		assert_memory_equal(whole + r * FRAUD_ROW_SIZE, part[g] + at[g], FRAUD_ROW_SIZE);
		at[g] += FRAUD_ROW_SIZE;
	}
	for (size_t g = 0; g < 3; g++) {
		assert_int_equal(at[g], len[g]);
		free(part[g]);
	}
	free(whole);
}

static void the_seed_decides_the_bytes(void **state)
{
	size_t len;
	char *one, *same, *other;

	(void)state;
	one = generate(&len, WORDS(GENERATE, "-max-transactions=50", "-seed=1", "-input-file", "synthetic"));
	same = generate(&len, WORDS(GENERATE, "-max-transactions=50", "-seed=1"));
	other = generate(&len, WORDS(GENERATE, "-max-transactions=50", "-seed=2"));
	assert_memory_equal(one, same, len);
	assert_memory_not_equal(one, other, len);
	free(one);
	free(same);
	free(other);
}

static void the_output_file_holds_what_stdout_gets(void **state)
{
	const char *path = in_folder("out.dat");
	size_t len, file_len;
	char *piped, *filed;

	(void)state;
	run_quietly(WORDS(GENERATE, "--max-transactions", "50", "--seed", "5", "--output-file", path));
	piped = generate(&len, WORDS(GENERATE, "-max-transactions", "50", "-seed", "5"));
	filed = read_file(path, &file_len);
	assert_int_equal(file_len, len);
	assert_memory_equal(filed, piped, len);
	free(filed);
	free(piped);
}

static void the_synthetic_dataset_needs_no_input_and_looks_like_transactions(void **state)
{
	double amount = 0;
	size_t len;
	char *data;

	(void)state;
	data = generate(&len, WORDS(GENERATE, "-max-transactions", "1000"));
	assert_int_equal(len, 1000 * FRAUD_ROW_SIZE);
	for (unsigned r = 0; r < 1000; r++) {
		const char *row = data + r * FRAUD_ROW_SIZE;

		assert_true(feature(row, 0) >= 0 && feature(row, 0) <= 172800);
		assert_true(feature(row, 29) >= 0);
		amount += (double)feature(row, 29);
	}
	assert_true(amount > 0);
	free(data);
}

static void a_home_folder_written_as_tilde_is_found(void **state)
{
	char home[300];
	const char *const env[] = {home, NULL};
	struct process_result r;

	(void)state;
	snprintf(home, sizeof(home), "HOME=%s", test_folder());
	run_ok(&r, WORDS(GENERATE, "-max-transactions=5", "-output-file=~/tilde.dat"),
	       &(struct process_options){.env = env});
	process_result_release(&r);
	assert_int_equal(access(in_folder("tilde.dat"), R_OK), 0);
}

/* ---- what goes wrong ------------------------------------------------------------------------------------------- */

static void wrong_usage_exits_2_and_names_the_option(void **state)
{
	(void)state;
	run_fails(2, WORDS(GENERATE, "-no-such-option"), NULL, WORDS("no-such-option"));
	run_fails(2, WORDS(GENERATE, "-max-transactions", "many"), NULL, WORDS("max-transactions", "many"));
	run_fails(2, WORDS(GENERATE, "-max-transactions", "-5"), NULL, WORDS("max-transactions"));
	run_fails(2, WORDS(GENERATE, "-max-transactions"), NULL, WORDS("max-transactions"));
	run_fails(2, WORDS(GENERATE, "stray"), NULL, WORDS("stray"));
	run_fails(2, WORDS(GENERATE, "-use-case", "chess", "-max-transactions=1"), NULL, WORDS("use-case", "chess"));
	run_fails(2, WORDS(GENERATE, "-format", "parquet", "-max-transactions=1"), NULL, WORDS("format", "parquet"));
	run_fails(2, WORDS(GENERATE, "-interleaved-generation-groups", "0", "-max-transactions=1"), NULL,
		  WORDS("interleaved-generation-groups"));
	run_fails(2,
		  WORDS(GENERATE, "-interleaved-generation-groups=2", "-interleaved-generation-group-id=2",
			"-max-transactions=1"),
		  NULL, WORDS("interleaved-generation-group-id"));
	run_fails(2, WORDS(MODEL, "-no-such-option"), NULL, WORDS("no-such-option"));
	run_fails(2, WORDS(MODEL, "stray"), NULL, WORDS("stray"));
	run_fails(2, WORDS(MODEL, "-model=resnet"), NULL, WORDS("-model resnet", "mobilenet-v1"));
	run_fails(2, WORDS(MODEL, "-use-case=speech"), NULL, WORDS("-use-case speech", "creditcard-fraud"));
	run_fails(2, WORDS(MODEL, "-format=pickle"), NULL, WORDS("-format pickle", "tensorflow, tflite or onnx"));
	run_fails(2, WORDS(MODEL, "-format=onnx", "-output-file=/dev/null"), NULL, WORDS("fraud nets", "tensorflow"));
	run_fails(2, WORDS(MODEL, "-model=mobilenet-v1", "-width=0"), NULL, WORDS("-width"));
	run_fails(2, WORDS(MODEL, "-model=mobilenet-v1", "-resolution=0"), NULL, WORDS("-resolution"));
	run_fails(2, WORDS(MODEL, "-model=mobilenet-v1", "-batch=0"), NULL, WORDS("-batch"));
}

static void an_input_that_is_not_there_is_named(void **state)
{
	const char *path = in_folder("absent.csv"), *out = in_folder("never.dat");

	(void)state;
	run_fails(1, WORDS(GENERATE, "-input-file", path, "-output-file", out), NULL, WORDS(path, "No such file"));
	run_fails(1, WORDS(GENERATE, "-input-file", test_folder(), "-output-file", out), NULL, WORDS(test_folder()));
	assert_int_not_equal(access(out, F_OK), 0);
}

static void a_bad_csv_names_line_and_column(void **state)
{
	const char *csv = in_folder("bad.csv");

	(void)state;
	write_csv(csv, "\n", true, 5);
	/* Row 5 is line 6: the header is line 1. */
	run_fails(1, WORDS(GENERATE, "-input-file", csv, "-output-file", in_folder("x.dat")), NULL,
		  WORDS(csv, "line 6", "V3", "oops"));
	write_csv(csv, "\n", false, 5);
	run_fails(1, WORDS(GENERATE, "-input-file", csv, "-output-file", in_folder("x.dat")), NULL,
		  WORDS(csv, "line 5", "V3"));
	write_file(csv, "1,2,3\n", 6);
	run_fails(1, WORDS(GENERATE, "-input-file", csv), NULL, WORDS(csv, "line 1"));
	write_file(csv, "", 0);
	run_fails(1, WORDS(GENERATE, "-input-file", csv, "-max-transactions=5"), NULL, WORDS(csv));
}

static void a_truncated_gz_is_an_error(void **state)
{
	const char *csv = in_folder("plain.csv"), *gz = in_folder("cut.csv.gz");
	struct process_result r;

	(void)state;
	write_csv(csv, "\n", true, 0);
	run_ok(&r, WORDS("gzip", "-c", csv), NULL);
	write_file(gz, r.out, r.out_len / 2);
	process_result_release(&r);
	run_fails(1, WORDS(GENERATE, "-input-file", gz, "-output-file", in_folder("x.dat")), NULL, WORDS(gz));
}

static void a_failed_run_leaves_no_file_and_keeps_the_old_one(void **state)
{
	const char *csv = in_folder("bad.csv"), *fresh = in_folder("fresh"), *old = in_folder("old.dat");
	char out[600], *kept;
	size_t len;

	(void)state;
	write_csv(csv, "\n", true, CSV_ROWS);
	assert_int_equal(mkdir(fresh, 0700), 0);
	path_in(out, sizeof(out), fresh, "out.dat");
	run_fails(1, WORDS(GENERATE, "-input-file", csv, "-output-file", out), NULL, WORDS("line 8"));
	assert_int_equal(count_files(fresh), 0);
	write_file(old, "precious", 8);
	run_fails(1, WORDS(GENERATE, "-input-file", csv, "-output-file", old), NULL, WORDS("line 8"));
	kept = read_file(old, &len);
	assert_string_equal(kept, "precious");
	free(kept);
}

static void ctrl_c_leaves_no_file(void **state)
{
	const char *fresh = in_folder("interrupted");
	char out[600];
	struct process_result r;
	struct process p;

	(void)state;
	assert_int_equal(mkdir(fresh, 0700), 0);
	path_in(out, sizeof(out), fresh, "out.dat");
	process_start(&p, WORDS(GENERATE, "-max-transactions=100000000", "-output-file", out), NULL);
	while (count_files(fresh) == 0 && process_running(&p))
		;
	process_signal(&p, SIGINT);
	process_wait(&p, &r, LIMIT_SECONDS);
	check_failed(&r, GENERATE, 130, WORDS("interrupted"));
	assert_int_equal(count_files(fresh), 0);
}

static void an_output_that_cannot_be_written_is_named(void **state)
{
	const char *path = in_folder("no/such/folder/out.dat");

	(void)state;
	run_fails(1, WORDS(GENERATE, "-max-transactions=5", "-output-file", path), NULL, WORDS("no/such/folder"));
	run_fails(1, WORDS(GENERATE, "-max-transactions=500", "-output-file", "/dev/full"), NULL, WORDS("/dev/full"));
	run_fails(1, WORDS(MODEL, "-output-file", path), NULL, WORDS("no/such/folder"));
}

static void help_and_version_go_to_stdout(void **state)
{
	struct process_result r;

	(void)state;
	run_ok(&r, WORDS(GENERATE, "--help"), NULL);
	check_holds(r.out, WORDS("-max-transactions", "-interleaved-generation-groups", "-output-file", "-seed"));
	assert_string_equal(r.err, "");
	process_result_release(&r);
	run_prints(WORDS(GENERATE, "--version"), WORDS(GENERATE));
}

static void the_same_seed_makes_the_same_model(void **state)
{
	const char *one = in_folder("1.pb"), *same = in_folder("2.pb"), *other = in_folder("3.pb");
	size_t len, same_len, other_len;
	char *a, *b, *c;

	(void)state;
	run_quietly(WORDS(MODEL, "-seed=1", "-output-file", one));
	run_quietly(WORDS(MODEL, "-seed=1", "-output-file", same));
	run_quietly(WORDS(MODEL, "-seed=2", "-output-file", other));
	a = read_file(one, &len);
	b = read_file(same, &same_len);
	c = read_file(other, &other_len);
	assert_true(len > 1000 && len == same_len && len == other_len);
	assert_memory_equal(a, b, len);
	assert_memory_not_equal(a, c, len);
	free(a);
	free(b);
	free(c);
}

/* Four bytes into a TFLite file its format is named; the input's name is in each. */
static void mobilenet_is_written_in_three_formats(void **state)
{
	static const char *const formats[] = {"tensorflow", "tflite", "onnx"};
	const char *file = in_folder("mobilenet");

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		char *bytes;
		run_quietly(WORDS(MODEL, "-model=mobilenet-v1", "-width=0.1", "-resolution=32", "-format", formats[i],
				  "-output-file", file));
		bytes = read_file(file, &len);
		/* 140,014 parameters of 4 bytes at this width, and what goes with them. */
		assert_true(len > 560056 && len < 640000);
		assert_non_null(memmem(bytes, len, "MobilenetV1/Predictions/Reshape_1", 33));
		assert_int_equal(memcmp(bytes + 4, "TFL3", 4) == 0, i == 1);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_hold_id_transaction_and_reference),
		cmocka_unit_test(every_form_of_the_csv_gives_the_same_bytes),
		cmocka_unit_test(a_longer_dataset_reads_the_file_again_and_ids_go_on),
		cmocka_unit_test(groups_together_make_the_dataset_of_one),
		cmocka_unit_test(the_seed_decides_the_bytes),
		cmocka_unit_test(the_output_file_holds_what_stdout_gets),
		cmocka_unit_test(the_synthetic_dataset_needs_no_input_and_looks_like_transactions),
		cmocka_unit_test(a_home_folder_written_as_tilde_is_found),
		cmocka_unit_test(wrong_usage_exits_2_and_names_the_option),
		cmocka_unit_test(an_input_that_is_not_there_is_named),
		cmocka_unit_test(a_bad_csv_names_line_and_column),
		cmocka_unit_test(a_truncated_gz_is_an_error),
		cmocka_unit_test(a_failed_run_leaves_no_file_and_keeps_the_old_one),
		cmocka_unit_test(ctrl_c_leaves_no_file),
		cmocka_unit_test(an_output_that_cannot_be_written_is_named),
		cmocka_unit_test(help_and_version_go_to_stdout),
		cmocka_unit_test(the_same_seed_makes_the_same_model),
		cmocka_unit_test(mobilenet_is_written_in_three_formats),
	};

	return cmocka_run_group_tests_name("generate_data", tests, folder_set_up, folder_tear_down);
}
