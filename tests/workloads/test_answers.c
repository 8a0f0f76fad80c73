/*
 * test_answers.c - answers files: what is written is read, what is damaged or foreign is refused, and what agrees.
 */
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "tests/support/process.h"
#include "workloads/answers.h"
#include "workloads/compare.h"

#define ROWS 11
#define VALUES 3
#define FIRST 100

static const struct answers_dataset dataset = {
	.use_case = "creditcard-fraud", .row_size = 1152, .first_id = FIRST, .rows = ROWS, .checksum = 4711};

struct fixture {
	char folder[256], path[512];
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	temp_folder_new(f->folder, sizeof(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/some.answers", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	temp_folder_remove(f->folder);
	free(f);
	return 0;
}

static void put(struct answers_writer *w, uint64_t id, size_t values)
{
	/* one byte off any alignment, as in a reply */
	char bytes[8 * sizeof(float) + 1];

	for (size_t i = 0; i < values; i++) {
		float v = (float)id + (float)i / 8;

		memcpy(bytes + 1 + i * sizeof(v), &v, sizeof(v));
	}
	assert_int_equal(answers_writer_put(w, id, bytes + 1, values), 0);
}

/* All rows but the third. */
static void write_answers(struct fixture *f)
{
	struct answers_writer w;

	assert_int_equal(answers_writer_init(&w, &dataset, &f->err), 0);
	for (uint64_t id = FIRST + ROWS; id-- > FIRST;)
		if (id != FIRST + 2)
			put(&w, id, VALUES);
	assert_int_equal(answers_writer_count(&w), ROWS - 1);
	if (answers_writer_save(&w, f->path, "made by\nthis test", &f->err) < 0)
		fail_msg("%s", f->err.text);
	answers_writer_release(&w);
}

static void what_is_written_is_read_by_id(void **state)
{
	struct fixture *f = *state;
	struct answers *a;

	write_answers(f);
	if (answers_open(&a, f->path, &f->err) < 0)
		fail_msg("%s", f->err.text);
	assert_int_equal(answers_values(a), VALUES);
	for (uint64_t id = FIRST; id < FIRST + ROWS; id++) {
		const float *row = answers_row(a, id, VALUES);

		if (id == FIRST + 2) {
			assert_null(row);
			continue;
		}
		assert_non_null(row);
		for (unsigned i = 0; i < VALUES; i++)
			assert_true(row[i] == (float)id + (float)i / 8);
		assert_true(answers_contains(a, row));
	}
	assert_null(answers_row(a, FIRST - 1, VALUES));
	assert_null(answers_row(a, FIRST + ROWS, VALUES));
	assert_null(answers_row(a, 0, VALUES));
	assert_null(answers_row(a, UINT64_MAX, VALUES));
	assert_false(answers_contains(a, &f));
	answers_close(a);
	answers_close(NULL);
}

static void the_first_answer_to_a_row_counts_and_strangers_are_refused(void **state)
{
	struct fixture *f = *state;
	const float again[VALUES] = {0};
	struct answers_writer w;
	struct answers *a;

	assert_int_equal(answers_writer_init(&w, &dataset, &f->err), 0);
	put(&w, FIRST, VALUES);
	assert_int_equal(answers_writer_put(&w, FIRST, again, VALUES), 0);
	put(&w, FIRST + ROWS, VALUES);
	put(&w, FIRST - 1, VALUES);
	put(&w, FIRST + 1, VALUES + 1);
	assert_int_equal(answers_writer_count(&w), 1);
	assert_int_equal(atomic_load(&w.refused), 3);
	assert_int_equal(answers_writer_save(&w, f->path, "", &f->err), 0);
	answers_writer_release(&w);
	assert_int_equal(answers_open(&a, f->path, &f->err), 0);
	assert_true(answers_row(a, FIRST, VALUES)[0] == FIRST);
	assert_null(answers_row(a, FIRST + 1, VALUES));
	answers_close(a);
}

static void no_file_is_written_without_an_answer_nor_without_known_rows(void **state)
{
	struct fixture *f = *state;
	struct answers_dataset pipe = dataset;
	struct answers_writer w;

	assert_int_equal(answers_writer_init(&w, &dataset, &f->err), 0);
	assert_int_equal(answers_writer_save(&w, f->path, "", &f->err), ERR_INVALID);
	assert_int_equal(access(f->path, F_OK), -1);
	answers_writer_release(&w);
	answers_writer_release(&w);
	pipe.rows = UINT64_MAX;
	assert_int_equal(answers_writer_init(&w, &pipe, &f->err), ERR_RANGE);
	assert_non_null(strstr(f->err.text, "-file"));
}

#define MANY 5000

static void *put_every_row(void *arg)
{
	for (uint64_t id = 0; id < MANY; id++)
		put(arg, id, VALUES);
	return NULL;
}

static void threads_record_side_by_side(void **state)
{
	struct fixture *f = *state;
	const struct answers_dataset many = {.use_case = "x", .row_size = 4, .rows = MANY};
	struct answers_writer w;
	pthread_t threads[3];
	struct answers *a;

	assert_int_equal(answers_writer_init(&w, &many, &f->err), 0);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, put_every_row, &w), 0);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(answers_writer_count(&w), MANY);
	assert_int_equal(atomic_load(&w.refused), 0);
	assert_int_equal(answers_writer_save(&w, f->path, "", &f->err), 0);
	answers_writer_release(&w);
	assert_int_equal(answers_open(&a, f->path, &f->err), 0);
	for (uint64_t id = 0; id < MANY; id++)
		assert_true(answers_row(a, id, VALUES)[2] == (float)id + 0.25F);
	answers_close(a);
}

static void answers_of_another_dataset_are_refused(void **state)
{
	struct fixture *f = *state;
	struct answers_dataset d = dataset;
	struct answers *a;

	write_answers(f);
	assert_int_equal(answers_open(&a, f->path, &f->err), 0);
	assert_int_equal(answers_check_dataset(a, &d, &f->err), 0);
	/* A part of the dataset: fewer rows, or such as begin later. */
	d.rows = 2;
	assert_int_equal(answers_check_dataset(a, &d, &f->err), 0);
	d.first_id = FIRST + 3;
	d.checksum = 1;
	assert_int_equal(answers_check_dataset(a, &d, &f->err), 0);
	d.first_id = FIRST;
	assert_int_equal(answers_check_dataset(a, &d, &f->err), ERR_INVALID);
	assert_non_null(strstr(f->err.text, "another dataset"));
	assert_non_null(strstr(f->err.text, "made by made by?this test"));
	d = dataset;
	d.row_size = 1024;
	assert_int_equal(answers_check_dataset(a, &d, &f->err), ERR_INVALID);
	d = dataset;
	d.use_case = "vision-image-classification";
	assert_int_equal(answers_check_dataset(a, &d, &f->err), ERR_INVALID);
	assert_non_null(strstr(f->err.text, "creditcard-fraud"));
	assert_non_null(strstr(f->err.text, f->path));
	answers_close(a);
}

static void bare_values_are_read_by_id_from_0(void **state)
{
	struct fixture *f = *state;
	const float values[] = {0.5F, 1.5F, 2.5F, 3.5F, 4.5F, 5.5F};
	struct answers *a;

	assert_int_equal(file_write(f->path, values, sizeof(values), &f->err), 0);
	assert_int_equal(answers_open(&a, f->path, &f->err), 0);
	assert_int_equal(answers_values(a), 0);
	assert_true(answers_row(a, 2, 2)[1] == 5.5F);
	assert_true(answers_row(a, 1, 3)[0] == 3.5F);
	assert_null(answers_row(a, 3, 2));
	assert_null(answers_row(a, 1, 4));
	assert_null(answers_row(a, UINT64_MAX, 2));
	assert_int_equal(answers_check_dataset(a, &dataset, &f->err), 0);
	answers_close(a);
}

static void refused(struct fixture *f, const void *data, size_t size, int code, const char *text)
{
	struct answers *a = NULL;
	char name[8] = "a file";
	int r = answers_parse(&a, data, size, name, &f->err);

	assert_int_equal(r, code);
	assert_null(a);
	if (!strstr(f->err.text, text) || !strstr(f->err.text, name))
		fail_msg("not as expected: %s", f->err.text);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t len;
	char *data;

	write_answers(f);
	assert_int_equal(file_read(&data, &len, f->path, 1 << 20, &f->err), 0);
	for (size_t cut = 8; cut < len; cut++)
		refused(f, data, cut, ERR_FORMAT, "damaged");
	refused(f, data, 0, ERR_FORMAT, "0 bytes");
	refused(f, data, 7, ERR_FORMAT, "7 bytes");
	free(data);
}

static void damaged_headers_are_refused(void **state)
{
	struct fixture *f = *state;
	static const struct {
		size_t at, size;
		uint64_t value;
		int code;
		const char *text;
	} damages[] = {
		{8, 4, 2, ERR_UNSUPPORTED, "version 2"},
		{8, 4, 0, ERR_UNSUPPORTED, "version 0"},
		{12, 4, 0, ERR_FORMAT, "damaged"},
		{12, 4, VALUES + 1, ERR_FORMAT, "damaged"},
		{12, 4, UINT32_MAX, ERR_FORMAT, "damaged"},
		{16, 8, UINT64_MAX - 3, ERR_FORMAT, "damaged"},
		{24, 8, 0, ERR_FORMAT, "damaged"},
		{24, 8, ROWS + 1, ERR_FORMAT, "damaged"},
		{24, 8, UINT64_C(1) << 61, ERR_FORMAT, "damaged"},
		{24, 8, UINT64_C(0x5555555555555555), ERR_FORMAT, "damaged"},
		{24, 8, UINT64_MAX - FIRST, ERR_FORMAT, "damaged"},
		{512 + 4, 1, 2, ERR_FORMAT, "row 104"},
	};
	size_t len;
	char *data;

	write_answers(f);
	assert_int_equal(file_read(&data, &len, f->path, 1 << 20, &f->err), 0);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		uint64_t before;

		memcpy(&before, data + damages[i].at, damages[i].size);
		memcpy(data + damages[i].at, &damages[i].value, damages[i].size);
		refused(f, data, len, damages[i].code, damages[i].text);
		memcpy(data + damages[i].at, &before, damages[i].size);
	}
	free(data);
}

static void what_is_no_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct answers *a;

	assert_int_equal(answers_open(&a, f->path, &f->err), ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.text, f->path));
	assert_int_equal(answers_open(&a, f->folder, &f->err), ERR_INVALID);
	assert_int_equal(file_write(f->path, "", 0, &f->err), 0);
	assert_int_equal(answers_open(&a, f->path, &f->err), ERR_FORMAT);
	assert_non_null(strstr(f->err.text, "empty"));
}

static void checksums_are_fnv_1a(void **state)
{
	(void)state;
	/* The authors' test vectors, draft-eastlake-fnv. */
	assert_true(answers_checksum("", 0) == UINT64_C(0xcbf29ce484222325));
	assert_true(answers_checksum("a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
	assert_true(answers_checksum("foobar", 6) == UINT64_C(0x85944171f73967e8));
}

/* A difference in one of 35 places, of which blocks and remainder are made. */
static void a_difference_is_found_wherever_it_is(void **state)
{
	const struct tolerance t = {.absolute = 1e-3};
	float got[35], expected[35];
	struct value_difference worst;

	(void)state;
	for (unsigned n = 1; n <= 35; n++) {
		for (unsigned at = 0; at < n; at++) {
			double largest = 0;

			for (unsigned i = 0; i < n; i++)
				got[i] = expected[i] = 0.5F + (float)i;
			got[0] += 0x1p-12F;
			assert_true(values_agree(got, expected, n, &t, &largest));
			assert_true(largest == 0x1p-12);
			got[at] = expected[at] - 0.25F;
			assert_false(values_agree(got, expected, n, &t, &largest));
			assert_true(largest == 0.25);
			values_find_worst(&worst, got, expected, n);
			assert_int_equal(worst.index, at);
			assert_true(worst.got == got[at] && worst.expected == expected[at]);
			got[at] = NAN;
			assert_false(values_agree(got, expected, n, &t, &largest));
			values_find_worst(&worst, got, expected, n);
			assert_int_equal(worst.index, at);
		}
	}
}

static void tolerances_add_up(void **state)
{
	const float got[] = {104}, expected[] = {100}, near[] = {0.5F};
	double largest = 0;

	(void)state;
	assert_true(values_agree(got, expected, 1, &(struct tolerance){4, 0}, &largest));
	assert_false(values_agree(got, expected, 1, &(struct tolerance){3.99, 0}, &largest));
	assert_true(values_agree(got, expected, 1, &(struct tolerance){0, 0.04}, &largest));
	assert_false(values_agree(got, expected, 1, &(struct tolerance){0, 0.0399}, &largest));
	assert_true(values_agree(got, expected, 1, &(struct tolerance){2, 0.02}, &largest));
	/* Of the expected value, not of what came. */
	assert_false(values_agree(near, &(float){0}, 1, &(struct tolerance){0, 10}, &largest));
	assert_true(values_agree(near, near, 1, &(struct tolerance){0, 0}, &largest));
}

static void the_class_is_the_first_largest_value(void **state)
{
	const float values[] = {-3, 0.25F, 0.5F, 0.5F, NAN};
	char bytes[sizeof(values) + 1];

	(void)state;
	memcpy(bytes + 1, values, sizeof(values));
	assert_int_equal(values_largest(bytes + 1, 5), 2);
	assert_int_equal(values_largest(values, 1), 0);
	assert_int_equal(values_largest(values + 4, 1), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_by_id),
		TEST(the_first_answer_to_a_row_counts_and_strangers_are_refused),
		TEST(no_file_is_written_without_an_answer_nor_without_known_rows),
		TEST(threads_record_side_by_side),
		TEST(answers_of_another_dataset_are_refused),
		TEST(bare_values_are_read_by_id_from_0),
		TEST(a_file_cut_anywhere_is_refused),
		TEST(damaged_headers_are_refused),
		TEST(what_is_no_file_is_refused),
		cmocka_unit_test(checksums_are_fnv_1a),
		cmocka_unit_test(a_difference_is_found_wherever_it_is),
		cmocka_unit_test(tolerances_add_up),
		cmocka_unit_test(the_class_is_the_first_largest_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
