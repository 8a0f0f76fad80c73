/*
 * test_csv.c - creditcard.csv in all its forms, and what is said of files that are none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/file.h"
#include "datagen/csv.h"
#include "tests/support/process.h"

#define QUOTED_HEADER \
	"\"Time\",\"V1\",\"V2\",\"V3\",\"V4\",\"V5\",\"V6\",\"V7\",\"V8\",\"V9\",\"V10\",\"V11\",\"V12\",\"V13\"," \
	"\"V14\"," \
	"\"V15\",\"V16\",\"V17\",\"V18\",\"V19\",\"V20\",\"V21\",\"V22\",\"V23\",\"V24\",\"V25\",\"V26\",\"V27\"," \
	"\"V28\"," \
	"\"Amount\",\"Class\""
#define PLAIN_HEADER \
	"Time,V1,V2,V3,V4,V5,V6,V7,V8,V9,V10,V11,V12,V13,V14,V15,V16,V17,V18,V19,V20,V21,V22,V23,V24,V25,V26,V27,V28," \
	"Amount,Class"
/* Columns 4 to 30 of a row: 3 … 29. */
#define REST "3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29"
#define ROW_A "0,1,2," REST ",\"0\""
#define ROW_B "1,-1.35835406159823,1.19185711131486e-05," REST ",\"1\""

/* A text that arrives in pieces cut at `cut`, then in pieces of at most `piece` bytes. */
struct text_source {
	const char *text;
	size_t len, pos, cut, piece;
};

static ssize_t text_read(void *arg, void *buf, size_t len, struct error *err)
{
	struct text_source *s = arg;
	size_t n = s->len - s->pos;

	(void)err;
	if (s->pos < s->cut && s->cut < s->pos + n)
		n = s->cut - s->pos;
	if (n > s->piece)
		n = s->piece;
	if (n > len)
		n = len;
	memcpy(buf, s->text + s->pos, n);
	s->pos += n;
	return (ssize_t)n;
}

static int text_rewind(void *arg, struct error *err)
{
	(void)err;
	((struct text_source *)arg)->pos = 0;
	return 0;
}

static void text_close(void *arg)
{
	(void)arg;
}

static struct csv_reader *open_text(struct text_source *s, const char *text, size_t len)
{
	struct csv_source source = {s, text_read, text_rewind, text_close};
	struct csv_reader *r;
	struct error err;

	*s = (struct text_source){.text = text, .len = len, .piece = SIZE_MAX};
	assert_int_equal(csv_open_source(&r, &source, "creditcard.csv", &err), 0);
	return r;
}

/* Reads ROW_A and ROW_B and the end. */
static void expect_both_rows(struct csv_reader *r)
{
	float f[FRAUD_FEATURES];
	struct error err = {""};
	bool fraud = true;

	if (csv_next(r, f, &fraud, &err) != 1)
		fail_msg("row A: %s", err.text);
	for (int i = 0; i < FRAUD_FEATURES; i++)
		assert_true(f[i] == (float)i);
	assert_false(fraud);
	if (csv_next(r, f, &fraud, &err) != 1)
		fail_msg("row B: %s", err.text);
	assert_true(f[0] == 1.0f && f[1] == -1.35835406159823f && f[2] == 1.19185711131486e-05f && f[29] == 29.0f);
	assert_true(fraud);
	assert_int_equal(csv_next(r, f, &fraud, &err), 0);
	assert_int_equal(csv_next(r, f, &fraud, &err), 0);
}

static void expect_text_has_both_rows(const char *text)
{
	struct text_source s;
	struct csv_reader *r = open_text(&s, text, strlen(text));

	expect_both_rows(r);
	csv_close(r);
}

/* The message of the first error in text. */
static void expect_error_of(const char *text, size_t len, const char *message)
{
	struct text_source s;
	struct csv_reader *r = open_text(&s, text, len);
	float f[FRAUD_FEATURES];
	struct error err = {""};
	bool fraud;
	int rc;

	do {
		rc = csv_next(r, f, &fraud, &err);
	} while (rc > 0);
	assert_int_equal(rc, ERR_FORMAT);
	assert_string_equal(err.text, message);
	csv_close(r);
}

static void expect_error(const char *text, const char *message)
{
	expect_error_of(text, strlen(text), message);
}

static void header_quotes_line_ends_and_blank_lines_may_vary(void **state)
{
	(void)state;
	expect_text_has_both_rows(QUOTED_HEADER "\n" ROW_A "\n" ROW_B "\n");
	expect_text_has_both_rows(PLAIN_HEADER "\n" ROW_A "\n" ROW_B "\n");
	expect_text_has_both_rows(ROW_A "\n" ROW_B "\n");
	expect_text_has_both_rows(ROW_A "\n" ROW_B);
	expect_text_has_both_rows(QUOTED_HEADER "\r\n" ROW_A "\r\n" ROW_B "\r\n");
	expect_text_has_both_rows(QUOTED_HEADER "\r\n" ROW_A "\r\n" ROW_B "\r");
	expect_text_has_both_rows(QUOTED_HEADER "\n" ROW_A "\n" ROW_B "\n\n");
	expect_text_has_both_rows(QUOTED_HEADER "\r\n" ROW_A "\r\n\r\n" ROW_B "\r\n\r\n");
	expect_text_has_both_rows("\n" ROW_A "\n\n" ROW_B "\n\n\n");
	expect_text_has_both_rows("\xef\xbb\xbf" QUOTED_HEADER "\n" ROW_A "\n" ROW_B "\n");
	expect_text_has_both_rows("\xef\xbb\xbf" ROW_A "\n" ROW_B "\n");
	expect_text_has_both_rows("time,v1,v2,v3,v4,v5,v6,v7,v8,v9,v10,v11,v12,v13,v14,v15,v16,v17,v18,v19,v20,v21,v22,"
				  "v23,v24,v25,v26,v27,v28,amount,class\n" ROW_A "\n" ROW_B);
	expect_text_has_both_rows("\"0\",\"1\",\"2\"," REST ",0\n" ROW_B);
}

static void input_split_at_every_byte_reads_the_same(void **state)
{
	static const char text[] = QUOTED_HEADER "\r\n" ROW_A "\r\n" ROW_B "\r\n\r\n";
	struct text_source s;

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct csv_reader *r = open_text(&s, text, sizeof(text) - 1);

		s.cut = cut;
		expect_both_rows(r);
		csv_close(r);
	}
	for (size_t piece = 1; piece < 20; piece++) {
		struct csv_reader *r = open_text(&s, text, sizeof(text) - 1);

		s.piece = piece;
		expect_both_rows(r);
		csv_close(r);
	}
}

static void bad_field_is_named_by_line_and_column(void **state)
{
	(void)state;
	expect_error(QUOTED_HEADER "\n" ROW_A "\n0,1,2,abc,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,"
				   "26,27,28,29,\"0\"\n",
		     "creditcard.csv: line 3, column 4 (V3): \"abc\" is not a number");
	expect_error("x0,1,2," REST ",0\n", "creditcard.csv: line 1, column 1: \"x0\" where Time belongs; is this "
					    "creditcard.csv?");
	expect_error(",1,2," REST ",0\n", "creditcard.csv: line 1, column 1 (Time): \"\" is not a number");
	expect_error(ROW_A "\n\n0,,2," REST ",0\n", "creditcard.csv: line 3, column 2 (V1): \"\" is not a number");
	expect_error("0,1 ,2," REST ",0\n", "creditcard.csv: line 1, column 2 (V1): \"1 \" is not a number");
	expect_error("0,\"1\"0,2," REST ",0\n", "creditcard.csv: line 1, column 2 (V1): \"\"1\"0\" is not a number");
	expect_error("0,1,2," REST ",\"0\n", "creditcard.csv: line 1: misplaced quote");
	expect_error("0,nan,2," REST ",0", "creditcard.csv: line 1, column 2 (V1): \"nan\" is not a number");
	expect_error("0,1,-inf," REST ",0", "creditcard.csv: line 1, column 3 (V2): \"-inf\" is not a number");
	expect_error("0,1,1e39," REST ",0",
		     "creditcard.csv: line 1, column 3 (V2): \"1e39\" is beyond the range of float32");
	expect_error("0,1,2," REST ",2", "creditcard.csv: line 1, column 31 (Class): \"2\" is neither 0 nor 1");
	expect_error("0,1,2," REST ",x", "creditcard.csv: line 1, column 31 (Class): \"x\" is not a number");
	expect_error("0,1,12345678901234567890123456789012345678901234567890x," REST ",1",
		     "creditcard.csv: line 1, column 3 (V2): \"1234567890123456789012345678901234567890\"... is not a "
		     "number");
}

static void wrong_number_of_columns_is_an_error(void **state)
{
	(void)state;
	expect_error("0,1,2," REST "\n",
		     "creditcard.csv: line 1: 30 columns where 31 belong (Time, V1 to V28, Amount, Class)");
	expect_error(ROW_A ",5\n",
		     "creditcard.csv: line 1: 32 columns where 31 belong (Time, V1 to V28, Amount, Class)");
	expect_error(ROW_A ",\n",
		     "creditcard.csv: line 1: 32 columns where 31 belong (Time, V1 to V28, Amount, Class)");
	expect_error(ROW_A "\n7\n",
		     "creditcard.csv: line 2: 1 column where 31 belong (Time, V1 to V28, Amount, Class)");
	expect_error(ROW_A "\n\"7\n",
		     "creditcard.csv: line 2: 1 column where 31 belong (Time, V1 to V28, Amount, Class)");
	expect_error(PLAIN_HEADER ",extra\n" ROW_A,
		     "creditcard.csv: line 1: 32 columns where 31 belong (Time, V1 to V28, Amount, Class)");
	expect_error("Time,V1,V2\n",
		     "creditcard.csv: line 1: 3 columns where 31 belong (Time, V1 to V28, Amount, Class)");
}

static void columns_in_another_order_are_an_error(void **state)
{
	(void)state;
	expect_error("Class,Time,V1\n",
		     "creditcard.csv: line 1, column 1: \"Class\" where Time belongs; is this creditcard.csv?");
	expect_error("Time,V2,V1\n",
		     "creditcard.csv: line 1, column 2: \"V2\" where V1 belongs; is this creditcard.csv?");
}

static void binary_and_endless_lines_are_refused(void **state)
{
	static const char nul[] = "0,1\0,2," REST ",0";
	size_t len = 400000;
	char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	expect_error_of(nul, sizeof(nul) - 1, "creditcard.csv: line 1, column 2 (V1): \"1\" is not a number");
	memset(text, '1', len);
	expect_error_of(text, len, "creditcard.csv: line 1: longer than 65536 bytes; is this creditcard.csv?");
	free(text);
}

static void long_input_crosses_buffers_and_rewinds(void **state)
{
	enum { ROWS = 20000 };
	size_t len = 0, cap = (size_t)ROWS * 200;
	char *text = malloc(cap);
	struct text_source s;
	struct error err = {""};
	float f[FRAUD_FEATURES];
	bool fraud;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < ROWS; i++)
		len += (size_t)snprintf(text + len, cap - len, "%d,1,2,%s,\"%d\"\n", i, REST, i % 2);
	struct csv_reader *r = open_text(&s, text, len);

	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < ROWS; i++) {
			if (i % 3 == 0) {
				assert_int_equal(csv_skip(r, &err), 1);
				continue;
			}
			assert_int_equal(csv_next(r, f, &fraud, &err), 1);
			assert_true(f[0] == (float)i && fraud == (i % 2 == 1));
		}
		assert_int_equal(csv_skip(r, &err), 0);
		assert_int_equal(csv_rewind(r, &err), 0);
	}
	csv_close(r);
	free(text);
}

static void write_gz(const char *path, const char *text)
{
	gzFile gz = gzopen(path, "wb");

	assert_non_null(gz);
	assert_int_equal(gzwrite(gz, text, (unsigned)strlen(text)), (int)strlen(text));
	assert_int_equal(gzclose(gz), Z_OK);
}

static void gzip_is_recognised_by_its_content(void **state)
{
	char dir[256], path[300];
	struct csv_reader *r;
	struct error err = {""};

	(void)state;
	temp_folder_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/creditcard.csv", dir);
	write_gz(path, QUOTED_HEADER "\n" ROW_A "\n" ROW_B "\n");
	assert_int_equal(csv_open(&r, path, &err), 0);
	expect_both_rows(r);
	assert_int_equal(csv_rewind(r, &err), 0);
	expect_both_rows(r);
	csv_close(r);
	assert_int_equal(file_write(path, ROW_A "\n" ROW_B, strlen(ROW_A "\n" ROW_B), &err), 0);
	assert_int_equal(csv_open(&r, path, &err), 0);
	expect_both_rows(r);
	csv_close(r);
	temp_folder_remove(dir);
}

/* Reads to the end of the file at path, where something must be wrong. */
static int error_of_file(const char *path, struct error *err)
{
	struct csv_reader *r;
	int rc = csv_open(&r, path, err);

	if (rc < 0)
		return rc;
	do {
		rc = csv_skip(r, err);
	} while (rc > 0);
	csv_close(r);
	assert_true(rc < 0);
	return rc;
}

static void damaged_and_missing_files_are_named(void **state)
{
	char dir[256], path[300], expected[600], *data;
	struct error err = {""};
	size_t len;

	(void)state;
	temp_folder_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/f.csv.gz", dir);
	assert_int_equal(error_of_file(path, &err), ERR_NOT_FOUND);
	snprintf(expected, sizeof(expected), "%s: cannot open: No such file or directory", path);
	assert_string_equal(err.text, expected);
	assert_int_equal(error_of_file(dir, &err), ERR_IO);
	snprintf(expected, sizeof(expected), "%s: cannot be read: Is a directory", dir);
	assert_string_equal(err.text, expected);

	write_gz(path, QUOTED_HEADER "\n" ROW_A "\n" ROW_B "\n");
	assert_int_equal(file_read(&data, &len, path, 1 << 20, &err), 0);
	assert_int_equal(file_write(path, data, len - 20, &err), 0);
	assert_int_equal(error_of_file(path, &err), ERR_FORMAT);
	assert_non_null(strstr(err.text, "the gzip stream ends in the middle"));
	data[len / 2] = (char)(data[len / 2] ^ 0x55);
	assert_int_equal(file_write(path, data, len, &err), 0);
	assert_int_equal(error_of_file(path, &err), ERR_FORMAT);
	assert_non_null(strstr(err.text, "damaged gzip stream"));
	free(data);
	temp_folder_remove(dir);
}

static void the_sample_of_kaggles_file_is_read_whole(void **state)
{
	char path[1024];
	struct csv_reader *r;
	struct error err = {""};
	float f[FRAUD_FEATURES];
	bool fraud;
	int rows = 0, frauds = 0;

	(void)state;
	if (!test_data(path, sizeof(path), "creditcard/creditcard_sample.csv"))
		skip();
	assert_int_equal(csv_open(&r, path, &err), 0);
	while (csv_next(r, f, &fraud, &err) == 1) {
		rows++;
		frauds += fraud;
	}
	assert_string_equal(err.text, "");
	assert_int_equal(rows, 5622);
	assert_int_equal(frauds, 233);
	csv_close(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_quotes_line_ends_and_blank_lines_may_vary),
		cmocka_unit_test(input_split_at_every_byte_reads_the_same),
		cmocka_unit_test(bad_field_is_named_by_line_and_column),
		cmocka_unit_test(wrong_number_of_columns_is_an_error),
		cmocka_unit_test(columns_in_another_order_are_an_error),
		cmocka_unit_test(binary_and_endless_lines_are_refused),
		cmocka_unit_test(long_input_crosses_buffers_and_rewinds),
		cmocka_unit_test(gzip_is_recognised_by_its_content),
		cmocka_unit_test(damaged_and_missing_files_are_named),
		cmocka_unit_test(the_sample_of_kaggles_file_is_read_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
