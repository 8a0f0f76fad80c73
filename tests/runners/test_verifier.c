/* Runs whose answers are compared with expected ones, against a server inside the test that is wrong where it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "workloads/fraud.h"

#include "tests/runners/run_fixture.h"

#define ROWS 5000

/* A run whose answers are compared. The fake server's right answer is {1, 0}; a row is made wrong by what is expected of
 * it. */
struct verified {
	struct fixture run;
	float expected[2 * ROWS];
	struct answers *answers;
	struct answers_writer record;
};

static int setup(void **state)
{
	struct verified *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	fixture_init(&f->run);
	make_file(&f->run, ROWS);
	for (unsigned i = 0; i < ROWS; i++)
		f->expected[2 * i] = 1;
	assert_int_equal(answers_parse(&f->answers, f->expected, sizeof(f->expected), "expected", &f->run.err), 0);
	f->run.cfg.verify =
		(struct verify_config){.answers = f->answers, .share = 1, .tolerance = {.absolute = 1e-5}, .show = 5};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct verified *f = *state;

	fixture_release(&f->run);
	answers_writer_release(&f->record);
	answers_close(f->answers);
	free(f);
	return 0;
}

/* Those of the burn-in too. */
static uint64_t all_inferences(const struct verified *f, enum outcome o)
{
	return inferences(&f->run, o) + f->run.result.burned_in.inferences[o];
}

static void right_answers_are_right(void **state)
{
	struct verified *f = *state;

	f->run.cfg.burn_in = 100;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.answers, ROWS);
	assert_int_equal(f->run.result.verification.compared, ROWS);
	assert_int_equal(f->run.result.verification.wrong, 0);
	assert_int_equal(f->run.result.verification.nfirst, 0);
	assert_true(f->run.result.verification.largest_difference == 0);
	assert_int_equal(f->run.result.verification.same_class, ROWS);
	assert_int_equal(all_inferences(f, OUTCOME_OK), ROWS);
}

static void one_wrong_value_is_counted_and_shown(void **state)
{
	struct verified *f = *state;
	const struct mismatch *m = f->run.result.verification.first;

	f->expected[2 * 4321 + 1] = 0.125F;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.compared, ROWS);
	assert_int_equal(f->run.result.verification.wrong, 1);
	assert_int_equal(f->run.result.verification.nfirst, 1);
	assert_int_equal(m->request, 4321);
	assert_int_equal(m->row, 4321);
	assert_int_equal(m->value, 1);
	assert_true(m->got == 0 && m->expected == 0.125F);
	assert_true(f->run.result.verification.largest_difference == 0.125);
	assert_int_equal(all_inferences(f, OUTCOME_WRONG), 1);
	assert_int_equal(all_inferences(f, OUTCOME_OK), ROWS - 1);
	assert_string_equal(f->run.result.wrong.text, "row 4321: value 1 is 0, expected 0.125");
	f->run.cfg.verify.tolerance.absolute = 0.125;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.wrong, 0);
}

static void the_first_wrong_ones_are_shown_with_any_number_of_threads(void **state)
{
	struct verified *f = *state;

	for (unsigned i = 0; i < ROWS; i += 7) {
		f->expected[2 * i] = 0;
		f->expected[2 * i + 1] = 1;
	}
	for (unsigned threads = 1; threads <= 4; threads++) {
		f->run.cfg.threads = threads;
		run_again(&f->run);
		assert_int_equal(f->run.result.verification.wrong, (ROWS + 6) / 7);
		assert_int_equal(f->run.result.verification.same_class, ROWS - (ROWS + 6) / 7);
		assert_int_equal(f->run.result.verification.nfirst, 5);
		for (unsigned i = 0; i < 5; i++)
			assert_int_equal(f->run.result.verification.first[i].row, 7 * i);
	}
}

/* The rows that a run compared: each is expected to be something else, and all mismatches of a few runs are kept. */
static unsigned compared_rows(struct verified *f, unsigned char compared[ROWS])
{
	unsigned n = 0;

	memset(compared, 0, ROWS);
	for (unsigned from = 0; from < ROWS; from += 50) {
		for (unsigned i = 0; i < ROWS; i++)
			f->expected[2 * i] = i >= from && i < from + 50 ? 0 : 1;
		run_again(&f->run);
		for (unsigned i = 0; i < f->run.result.verification.nfirst; i++, n++)
			compared[f->run.result.verification.first[i].row] = 1;
	}
	return n;
}

static void a_share_is_the_same_requests_with_any_number_of_threads(void **state)
{
	struct verified *f = *state;
	static unsigned char by_one[ROWS], by_three[ROWS], by_another_seed[ROWS];
	unsigned n;

	f->run.cfg.verify.share = 0.1;
	f->run.cfg.verify.show = 50;
	f->run.cfg.seed = 42;
	f->run.cfg.threads = 1;
	n = compared_rows(f, by_one);
	assert_int_equal(f->run.result.verification.compared, n);
	/* 500 expected: 5 standard deviations are 106 */
	assert_in_range(n, 394, 606);
	f->run.cfg.threads = 3;
	assert_int_equal(compared_rows(f, by_three), n);
	assert_memory_equal(by_one, by_three, ROWS);
	f->run.cfg.seed = 43;
	compared_rows(f, by_another_seed);
	assert_memory_not_equal(by_one, by_another_seed, ROWS);
}

static void every_row_of_a_batch_is_compared(void **state)
{
	struct verified *f = *state;

	f->run.cfg.what.batch = 4;
	f->expected[2 * 41] = 0.5F;
	f->expected[2 * 43] = 0.25F;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.compared, ROWS);
	assert_int_equal(f->run.result.verification.wrong, 2);
	assert_int_equal(f->run.result.verification.first[0].row, 41);
	assert_int_equal(f->run.result.verification.first[1].row, 43);
	assert_int_equal(f->run.result.verification.first[1].request, 10);
	/* The request as a whole is wrong. */
	assert_int_equal(all_inferences(f, OUTCOME_WRONG), 4);
	assert_non_null(strstr(f->run.result.wrong.text, "row 41"));
}

static void rows_without_an_expected_answer_are_told_of(void **state)
{
	struct verified *f = *state;

	answers_close(f->answers);
	assert_int_equal(answers_parse(&f->answers, f->expected, 2 * 3000 * sizeof(float), "short", &f->run.err), 0);
	f->run.cfg.verify.answers = f->answers;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.compared, 3000);
	assert_int_equal(f->run.result.verification.missing, ROWS - 3000);
	assert_int_equal(all_inferences(f, OUTCOME_OK), ROWS);
}

static enum fake_action every_tenth_is_wrong(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id % 10 == 5 ? FAKE_WRONG : FAKE_RIGHT;
}

static void what_is_no_distribution_is_wrong_without_comparison(void **state)
{
	struct verified *f = *state;

	f->run.server->action = every_tenth_is_wrong;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.answers, ROWS - ROWS / 10);
	assert_int_equal(f->run.result.verification.wrong, 0);
	assert_int_equal(all_inferences(f, OUTCOME_WRONG), ROWS / 10);
}

static enum fake_action every_tenth_fails(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id % 10 == 5 ? FAKE_ERROR : FAKE_RIGHT;
}

static void what_is_recorded_verifies(void **state)
{
	struct verified *f = *state;
	char path[80];
	struct answers *recorded;

	snprintf(path, sizeof(path), "%s.answers", f->run.path);
	f->run.cfg.record = &f->record;
	f->run.cfg.ignore_errors = true;
	f->run.server->action = every_tenth_fails;
	f->expected[0] = 0; /* verified while recording: what is wrong is not recorded */
	run_again(&f->run);
	assert_int_equal(f->run.result.recording.rows, ROWS);
	assert_int_equal(f->run.result.recording.recorded, ROWS - ROWS / 10 - 1);
	assert_int_equal(f->run.result.recording.refused, 0);
	assert_int_equal(answers_writer_save(&f->record, path, "test", &f->run.err), 0);

	f->run.cfg.record = NULL;
	f->run.server->action = NULL;
	if (answers_open(&recorded, path, &f->run.err) < 0)
		fail_msg("%s", f->run.err.text);
	f->run.cfg.verify.answers = recorded;
	f->run.cfg.what.batch = 5;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.compared, ROWS - ROWS / 10 - 1);
	assert_int_equal(f->run.result.verification.missing, ROWS / 10 + 1);
	assert_int_equal(f->run.result.verification.wrong, 0);

	/* Another dataset of the same ids is refused before anything is asked. */
	{
		int fd = open(f->run.path, O_WRONLY);

		assert_int_equal(pwrite(fd, "x", 1, 100), 1);
		close(fd);
	}
	result_release(&f->run.result);
	assert_int_equal(runner_run(&f->run.cfg, &f->run.result, &f->run.err), ERR_INVALID);
	assert_non_null(strstr(f->run.err.text, "another dataset"));
	answers_close(recorded);
	unlink(path);
}

static void expectations_follow_the_rows_in_any_order(void **state)
{
	struct verified *f = *state;
	char path[80];
	struct answers *recorded;

	snprintf(path, sizeof(path), "%s.answers", f->run.path);
	f->expected[2 * 1234] = 0.25F;
	f->run.cfg.order = ROWS_SHUFFLED;
	f->run.cfg.repeat = true;
	f->run.cfg.what.batch = 2;
	f->run.cfg.limit = 3 * ROWS;
	f->run.cfg.record = &f->record;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.compared, 3 * ROWS);
	assert_int_equal(f->run.result.verification.wrong, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(f->run.result.verification.first[i].row, 1234);
		assert_int_equal(f->run.result.verification.first[i].request / (ROWS / 2), i);
	}
	/* Its neighbour in the batch is in no right answer either. */
	assert_int_equal(f->run.result.recording.recorded, ROWS - 2);
	assert_int_equal(f->run.result.recording.refused, 0);
	assert_int_equal(answers_writer_save(&f->record, path, "test", &f->run.err), 0);
	/* They belong to the dataset, not to the row that happened to come first. */
	assert_int_equal(answers_open(&recorded, path, &f->run.err), 0);
	f->run.cfg.verify.answers = recorded;
	f->run.cfg.record = NULL;
	f->run.cfg.order = ROWS_SEQUENTIAL;
	f->run.cfg.repeat = false;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.compared, ROWS - 2);
	assert_int_equal(f->run.result.verification.wrong, 0);
	answers_close(recorded);
	unlink(path);
}

static void answers_with_another_number_of_values_are_wrong(void **state)
{
	struct verified *f = *state;
	const struct answers_dataset d = {
		.use_case = "creditcard-fraud", .row_size = FRAUD_ROW_SIZE, .first_id = 1, .rows = 2};
	const float three[3] = {1, 0, 0};
	char path[80];
	struct answers *a;

	snprintf(path, sizeof(path), "%s.answers", f->run.path);
	assert_int_equal(answers_writer_init(&f->record, &d, &f->run.err), 0);
	assert_int_equal(answers_writer_put(&f->record, 1, three, 3), 0);
	assert_int_equal(answers_writer_save(&f->record, path, "test", &f->run.err), 0);
	assert_int_equal(answers_open(&a, path, &f->run.err), 0);
	f->run.cfg.verify.answers = a;
	run_again(&f->run);
	assert_int_equal(f->run.result.verification.wrong, 1);
	assert_true(f->run.result.verification.first[0].count);
	assert_string_equal(f->run.result.wrong.text, "row 1: 2 values, expected 3");
	answers_close(a);
	unlink(path);
}

static void expected_answers_that_shrink_end_the_run(void **state)
{
	struct verified *f = *state;
	char path[80];
	struct answers *a;

	snprintf(path, sizeof(path), "%s.answers", f->run.path);
	{
		FILE *out = fopen(path, "wb");

		assert_non_null(out);
		assert_int_equal(fwrite(f->expected, sizeof(f->expected), 1, out), 1);
		fclose(out);
	}
	assert_int_equal(answers_open(&a, path, &f->run.err), 0);
	assert_int_equal(truncate(path, 0), 0);
	f->run.cfg.verify.answers = a;
	run_again(&f->run);
	assert_true(f->run.result.stopped_by_error);
	assert_non_null(strstr(f->run.result.error.text, "expected answers was cut short"));
	answers_close(a);
	unlink(path);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(right_answers_are_right),
		TEST(one_wrong_value_is_counted_and_shown),
		TEST(the_first_wrong_ones_are_shown_with_any_number_of_threads),
		TEST(a_share_is_the_same_requests_with_any_number_of_threads),
		TEST(every_row_of_a_batch_is_compared),
		TEST(rows_without_an_expected_answer_are_told_of),
		TEST(what_is_no_distribution_is_wrong_without_comparison),
		TEST(what_is_recorded_verifies),
		TEST(expectations_follow_the_rows_in_any_order),
		TEST(answers_with_another_number_of_values_are_wrong),
		TEST(expected_answers_that_shrink_end_the_run),
	};

	return cmocka_run_group_tests_name("verifier", tests, NULL, NULL);
}
