/* The answers of an accuracy run as a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "runners/accuracy_log.h"

struct fixture {
	struct answers_writer answers;
	char path[64];
};

static int setup(void **state)
{
	const struct answers_dataset of = {.use_case = "a test", .row_size = 8, .first_id = 100, .rows = 4};
	struct fixture *f = calloc(1, sizeof(*f));
	struct error err;
	int fd;

	*state = f;
	strcpy(f->path, "/tmp/aibench_test_accuracy_XXXXXX");
	fd = mkstemp(f->path);
	if (fd < 0)
		return -1;
	close(fd);
	return answers_writer_init(&f->answers, &of, &err);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	answers_writer_release(&f->answers);
	unlink(f->path);
	free(f);
	return 0;
}

static void put(struct fixture *f, uint64_t id, float a, float b)
{
	const float values[] = {a, b};

	assert_int_equal(answers_writer_put(&f->answers, id, values, 2), 0);
}

static void assert_written(struct fixture *f, const char *expected)
{
	struct error err = {""};
	size_t len;
	char *text;

	if (accuracy_log_write(f->path, &f->answers, &err) < 0)
		fail_msg("not written: %s", err.text);
	assert_int_equal(file_read(&text, &len, f->path, 4096, &err), 0);
	assert_string_equal(text, expected);
	free(text);
}

/* Whatever the order they came in. */
static void answers_stand_in_the_order_of_the_rows(void **state)
{
	struct fixture *f = *state;

	put(f, 103, 0, 1);
	put(f, 101, -2, 0.5F);
	put(f, 100, 1, 0);
	assert_written(f, "[\n"
			  "{ \"seq_id\" : 0, \"qsl_idx\" : 0, \"data\" : \"0000803F00000000\" },\n"
			  "{ \"seq_id\" : 1, \"qsl_idx\" : 1, \"data\" : \"000000C00000003F\" },\n"
			  "{ \"seq_id\" : 3, \"qsl_idx\" : 3, \"data\" : \"000000000000803F\" }\n"
			  "]\n");
}

static void log_of_no_answer_is_an_empty_array(void **state)
{
	assert_written(*state, "[\n\n]\n");
}

static void answers_to_no_row_are_not_left_out_in_silence(void **state)
{
	struct fixture *f = *state;
	struct error err = {""};
	size_t len;
	char *text;

	put(f, 100, 1, 0);
	put(f, 104, 1, 0);
	assert_int_equal(accuracy_log_write(f->path, &f->answers, &err), ERR_INVALID);
	assert_non_null(strstr(err.text, "1 answers belong to no row"));
	assert_int_equal(file_read(&text, &len, f->path, 4096, &err), 0);
	assert_int_equal(len, 0); /* as it was */
	free(text);
}

static void folder_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct error err = {""};

	assert_true(accuracy_log_write("/nonexistent/accuracy.json", &f->answers, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/accuracy.json"));
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOG_TEST(answers_stand_in_the_order_of_the_rows),
		LOG_TEST(log_of_no_answer_is_an_empty_array),
		LOG_TEST(answers_to_no_row_are_not_left_out_in_silence),
		LOG_TEST(folder_that_is_not_there_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
