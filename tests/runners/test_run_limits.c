/* How runs begin and end in time, what becomes of what was due by then, and which rows are asked in what order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include <sys/stat.h>
#include <unistd.h>

#include "tests/runners/run_fixture.h"

/* Long enough for any machine where answers come, short where they never do. */
#define PATIENCE (30 * NSEC_PER_SEC)
#define IMPATIENCE (300 * NSEC_PER_MSEC)

static int setup(void **state)
{
	struct fixture *f;
	int r = fixture_setup(state);

	f = *state;
	f->cfg.drain = PATIENCE;
	return r;
}

static void open_loop(struct fixture *f, enum arrival_process process, const char *schedule)
{
	f->cfg.arrival = process;
	assert_int_equal(rate_schedule_parse(&f->cfg.schedule, schedule, &f->err), 0);
}

static enum fake_action silent(struct fake_server *s, uint64_t id)
{
	(void)s;
	(void)id;
	return FAKE_SILENCE;
}

static enum fake_action silent_from_10(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id < 10 ? FAKE_RIGHT : FAKE_SILENCE;
}

static enum fake_action silent_from_10_then_interrupt(struct fake_server *s, uint64_t id)
{
	if (id == 12)
		atomic_store(&s->interrupt, 1);
	return silent_from_10(s, id);
}

static enum fake_action never_connected(struct fake_server *s, uint64_t id)
{
	(void)s;
	(void)id;
	return FAKE_RECONNECTING;
}

/* After its time the run waited for as long as it was told, and not for as long as another wait would take. */
static void check_waited(const struct fixture *f, nsec_t until, nsec_t wait, nsec_t less_than)
{
	assert_true(f->result.end - f->result.start >= until + wait);
	assert_true(f->result.end - f->result.start < until + less_than);
}

/* Tests */

static void schedule_that_ends_ends_the_run(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	open_loop(f, ARRIVAL_CONSTANT, "10000:10ms,20000:20ms");
	run(f);
	check_seen(f, 0, 500, 1);
	check_seen(f, 500, 1000, 0);
	assert_int_equal(inferences(f, OUTCOME_OK), 500);
	assert_int_equal(f->result.offered.requests, 500);
	assert_int_equal(f->result.unanswered + f->result.unsent, 0);
	assert_string_equal(f->result.offered.process, "constant");
	assert_string_equal(f->result.offered.schedule, "10000:10ms,20000:20ms");
	assert_true(f->result.max_rps > 19999 && f->result.max_rps < 20001);
	/* to the nanosecond: nothing of it depends on the server */
	assert_int_equal(f->result.offered.last - f->result.offered.first, 30 * NSEC_PER_MSEC - 50 * NSEC_PER_USEC);
	assert_true(f->result.measured_end - f->result.burn_in_end >= 30 * NSEC_PER_MSEC);
}

static void intended_times_are_the_schedules_whatever_the_server_does(void **state)
{
	struct fixture *f = *state;
	struct arrival_config cfg = {
		.process = ARRIVAL_POISSON, .schedule = &f->cfg.schedule, .batch = 1, .threads = 1};
	struct arrival a;

	make_file(f, 1000);
	open_loop(f, ARRIVAL_POISSON, "1000:20ms,1000..10000:20ms");
	f->cfg.seed = cfg.seed = 3;
	f->cfg.workers = f->cfg.threads = 1;
	f->server->delay = NSEC_PER_MSEC;
	f->cfg.observer.response = keep_stamps;
	run(f);
	cfg.start = f->result.start;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	assert_true(f->responses > 50);
	for (unsigned k = 0; k < f->responses; k++, arrival_advance(&a)) {
		assert_int_equal(f->stamps[k].intended, arrival_next(&a));
		assert_true(f->stamps[k].sent >= f->stamps[k].intended);
	}
	assert_int_equal(arrival_next(&a), NSEC_NEVER);
}

static void duration_sends_what_is_due_in_it(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	open_loop(f, ARRIVAL_CONSTANT, "12345");
	f->cfg.duration = 100 * NSEC_PER_MSEC;
	run(f);
	/* 1234.5 inferences: those of numbers 0 to 1234 */
	check_seen(f, 0, 1235, 1);
	check_seen(f, 1235, 10000, 0);
	assert_int_equal(inferences(f, OUTCOME_OK), 1235);
	assert_true(offered_rate(&f->result.offered) > 12349 && offered_rate(&f->result.offered) < 12351);
	assert_true(result_rate(&f->result) <= 12350.001);
}

/* n requests are n gaps long: the window lasts until the next one would have been due. */
static void a_count_measures_as_long_as_its_requests_were_due(void **state)
{
	static const uint64_t counts[] = {1, 2, 300};
	struct fixture *f = *state;

	make_file(f, 300);
	for (unsigned i = 0; i < 3; i++) {
		open_loop(f, ARRIVAL_CONSTANT, "20000");
		f->cfg.limit = i < 2 ? counts[i] : 0; /* at last the dataset's end */
		f->cfg.threads = 2;
		run(f);
		assert_int_equal(inferences(f, OUTCOME_OK), counts[i]);
		assert_true(fabs(offered_rate(&f->result.offered) / 20000 - 1) < 1e-9);
		assert_true(result_rate(&f->result) <= 20000.001);
		result_release(&f->result);
	}
}

static void warm_up_by_time_is_kept_out_of_the_statistics(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	open_loop(f, ARRIVAL_CONSTANT, "10000");
	f->cfg.warm_up = 20 * NSEC_PER_MSEC;
	f->cfg.duration = 30 * NSEC_PER_MSEC;
	run(f);
	check_seen(f, 0, 500, 1);
	check_seen(f, 500, 1000, 0);
	assert_int_equal(totals_inferences(&f->result.burned_in), 200);
	assert_int_equal(inferences(f, OUTCOME_OK), 300);
	assert_int_equal(f->result.offered.requests, 300);
	assert_int_equal(f->result.burn_in_end - f->result.start, 20 * NSEC_PER_MSEC);
	assert_int_equal(f->burn_ins, 1);
	assert_true(f->burn_in_inferences <= 200);
	assert_true(result_rate(&f->result) <= 10000.001);
}

static void burn_in_by_count_and_time_lasts_for_both(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	open_loop(f, ARRIVAL_CONSTANT, "10000:50ms");
	f->cfg.warm_up = 10 * NSEC_PER_MSEC;
	f->cfg.burn_in = 300;
	run(f);
	assert_int_equal(totals_inferences(&f->result.burned_in), 300);
	assert_int_equal(inferences(f, OUTCOME_OK), 200);
	assert_int_equal(f->burn_ins, 1);
	assert_int_equal(f->result.burn_in_end - f->result.start, 30 * NSEC_PER_MSEC);
	f->burn_ins = 0;
	f->cfg.warm_up = 40 * NSEC_PER_MSEC;
	run_again(f);
	assert_int_equal(totals_inferences(&f->result.burned_in), 400);
	assert_int_equal(inferences(f, OUTCOME_OK), 100);
	assert_int_equal(f->burn_ins, 1);
}

static void closed_loop_ends_after_its_duration(void **state)
{
	struct fixture *f = *state;
	uint64_t n;

	make_file(f, 100);
	f->cfg.repeat = true;
	f->cfg.warm_up = 2 * NSEC_PER_MSEC;
	f->cfg.duration = 20 * NSEC_PER_MSEC;
	f->cfg.observer.response = keep_stamps;
	f->cfg.workers = f->cfg.threads = 1;
	run(f);
	n = totals_inferences(&f->result.burned_in) + inferences(f, OUTCOME_OK);
	assert_true(n > 0);
	assert_int_equal(atomic_load(&f->server->calls), n);
	assert_int_equal(f->result.unanswered, 0);
	assert_true(f->result.measured_end - f->result.start >= 22 * NSEC_PER_MSEC);
	for (unsigned i = 0; i < f->responses; i++)
		assert_true(f->stamps[i].sent <= f->result.start + 22 * NSEC_PER_MSEC);
}

static void at_least_so_many_are_sent_however_long_it_takes(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	open_loop(f, ARRIVAL_CONSTANT, "10000");
	f->cfg.duration = 10 * NSEC_PER_MSEC;
	f->cfg.at_least = 777;
	run(f);
	check_seen(f, 0, 777, 1);
	check_seen(f, 777, 10000, 0);
	assert_int_equal(inferences(f, OUTCOME_OK), 777);
	f->cfg.arrival = ARRIVAL_CLOSED;
	f->cfg.duration = 1;
	run_again(f);
	check_seen(f, 0, 777, 2);
	assert_true(inferences(f, OUTCOME_OK) >= 777);
	/* those that threads drew in runs go beyond it by what they have slots for */
	assert_true(inferences(f, OUTCOME_OK) < 777 + 2 * f->cfg.workers);
}

static void what_a_stalled_server_never_answered_or_got_is_reported(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = silent_from_10;
	f->cfg.drain = IMPATIENCE;
	open_loop(f, ARRIVAL_CONSTANT, "10000");
	f->cfg.duration = 30 * NSEC_PER_MSEC;
	run(f);
	/* 300 were due: 10 answered, one in each of the ten slots unanswered, the rest unsent */
	assert_int_equal(inferences(f, OUTCOME_OK), 10);
	assert_int_equal(f->result.unanswered, 10);
	assert_int_equal(f->result.unsent, 280);
	assert_int_equal(f->result.offered.requests, 300);
	assert_false(f->result.stopped_by_error);
	/* The window ends with the duration: what was waited after it counts for nothing. */
	assert_true(result_measured_time(&f->result) >= 30 * NSEC_PER_MSEC);
	assert_true(f->result.measured_end < f->result.end);
	check_waited(f, 30 * NSEC_PER_MSEC, IMPATIENCE, RUN_DRAIN_DEFAULT);
}

static void poisson_arrivals_of_a_stalled_server_are_counted_too(void **state)
{
	struct fixture *f = *state;
	uint64_t due;

	make_file(f, 10000);
	open_loop(f, ARRIVAL_POISSON, "10000:30ms");
	run(f);
	assert_true(inferences(f, OUTCOME_OK) > 0);
	due = f->result.offered.requests;
	assert_int_equal(inferences(f, OUTCOME_OK), due);
	f->server->action = silent;
	f->cfg.drain = IMPATIENCE;
	run_again(f);
	assert_int_equal(f->result.unanswered, 10);
	assert_int_equal(f->result.unsent, due - 10);
	assert_int_equal(f->result.offered.requests, due);
	check_waited(f, 30 * NSEC_PER_MSEC, IMPATIENCE, RUN_DRAIN_DEFAULT);
}

static void a_stalled_server_is_waited_for_in_a_closed_loop_too(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = silent;
	f->cfg.drain = IMPATIENCE;
	f->cfg.duration = 10 * NSEC_PER_MSEC;
	run(f);
	assert_int_equal(f->result.unanswered, 10);
	assert_int_equal(f->result.unsent, 0);
	assert_int_equal(result_measured(&f->result), 0);
	assert_false(f->result.stopped_by_error);
	check_waited(f, 10 * NSEC_PER_MSEC, IMPATIENCE, RUN_DRAIN_DEFAULT);
}

static void a_server_that_is_late_is_waited_for_and_sent_what_was_due(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->server->delay = NSEC_PER_MSEC;
	f->cfg.workers = f->cfg.threads = 1;
	open_loop(f, ARRIVAL_CONSTANT, "10000:5ms");
	run(f);
	assert_int_equal(inferences(f, OUTCOME_OK), 50);
	assert_int_equal(f->result.unanswered + f->result.unsent, 0);
	/* once they are here nothing is waited for */
	check_waited(f, 0, 49 * NSEC_PER_MSEC, PATIENCE);
	/* the backlog's answers belong to the window: the server's rate is what it was */
	assert_true(result_measured_time(&f->result) >= 49 * NSEC_PER_MSEC);
}

static void interrupted_schedule_counts_what_was_due_until_then(void **state)
{
	struct fixture *f = *state;
	const struct result *r = &f->result;

	make_file(f, 10000);
	f->server->action = silent_from_10_then_interrupt;
	f->cfg.workers = 5;
	open_loop(f, ARRIVAL_CONSTANT, "10000");
	f->cfg.duration = 3600 * NSEC_PER_SEC;
	run(f);
	assert_true(r->interrupted);
	assert_true(r->unanswered >= 1 && r->unanswered <= 5);
	assert_int_equal(inferences(f, OUTCOME_OK) + r->unanswered + r->unsent, r->offered.requests);
	/* the patience is that of a run that comes to its end */
	check_waited(f, 0, RUN_DRAIN_STOPPED, PATIENCE);
}

static void unreachable_server_ends_with_the_time(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->server->action = never_connected;
	f->cfg.ignore_errors = true;
	open_loop(f, ARRIVAL_CONSTANT, "10000");
	f->cfg.duration = 10 * NSEC_PER_MSEC;
	run(f);
	assert_int_equal(inferences(f, OUTCOME_ERROR), 100);
	f->cfg.arrival = ARRIVAL_CLOSED;
	run_again(f);
	assert_int_equal(result_measured(&f->result), 0);
}

static void repeated_dataset_wraps_with_its_rows(void **state)
{
	struct fixture *f = *state;

	make_file(f, 700);
	f->cfg.repeat = true;
	f->cfg.limit = 1800;
	run(f);
	check_seen(f, 0, 400, 3);
	check_seen(f, 400, 700, 2);
	assert_int_equal(inferences(f, OUTCOME_OK), 1800);
	assert_true(f->result.offered.repeat);
	f->cfg.what.batch = 7;
	f->cfg.limit = 700 * 3;
	run_again(f);
	for (unsigned id = 0; id < 700; id += 7)
		check_seen(f, id, id + 1, (id < 400 ? 3 : 2) + 3);
}

static void dataset_that_ends_before_the_time_is_told(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	open_loop(f, ARRIVAL_CONSTANT, "10000");
	f->cfg.duration = 3600 * NSEC_PER_SEC;
	run(f);
	assert_int_equal(inferences(f, OUTCOME_OK), 100);
	assert_true(f->result.offered.ran_dry);
	/* what came, not the hour, is what was measured */
	assert_true(result_measured_time(&f->result) < 3600 * NSEC_PER_SEC);
	f->cfg.limit = 100;
	run_again(f);
	assert_false(f->result.offered.ran_dry);
	f->cfg.limit = 0;
	f->cfg.duration = 5 * NSEC_PER_MSEC;
	run_again(f);
	assert_false(f->result.offered.ran_dry);
}

static void shuffled_run_asks_every_row_once(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->cfg.order = ROWS_SHUFFLED;
	run(f);
	check_seen(f, 0, 1000, 1);
	assert_string_equal(f->result.offered.order, "shuffled");
	f->cfg.repeat = true;
	f->cfg.limit = 3000;
	run_again(f);
	check_seen(f, 0, 1000, 4);
}

static unsigned seen_below(const struct fixture *f, unsigned to)
{
	unsigned n = 0;

	for (unsigned id = 0; id < to; id++)
		n += atomic_load(&f->server->seen[id]);
	return n;
}

static void shuffled_and_limited_run_takes_its_rows_from_the_whole_file(void **state)
{
	struct fixture *f = *state;
	unsigned low;

	make_file(f, 10000);
	f->cfg.order = ROWS_SHUFFLED;
	f->cfg.limit = 1000;
	run(f);
	low = seen_below(f, 5000);
	assert_int_equal(seen_below(f, 10000), 1000);
	/* hypergeometric: 500 with a standard deviation of 15 */
	assert_true(low > 400 && low < 600);
	/* the same seed takes the same rows, another one others */
	run_again(f);
	for (unsigned id = 0; id < 10000; id++)
		assert_true(atomic_load(&f->server->seen[id]) != 1);
	f->cfg.seed = 1;
	run_again(f);
	low = 0;
	for (unsigned id = 0; id < 10000; id++)
		low += atomic_load(&f->server->seen[id]) == 1;
	assert_true(low > 800);
}

static void repeating_without_an_end_is_refused(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	f->cfg.repeat = true;
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_USAGE);
	assert_non_null(strstr(f->err.text, "-duration"));
	open_loop(f, ARRIVAL_CONSTANT, "1000");
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_USAGE);
	open_loop(f, ARRIVAL_CONSTANT, "10000:20ms");
	run(f);
	check_seen(f, 0, 100, 2);
}

static void pipes_are_neither_repeated_nor_shuffled(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1);
	unlink(f->path);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	f->cfg.repeat = true;
	f->cfg.limit = 10;
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_USAGE);
	assert_non_null(strstr(f->err.text, "cannot be repeated"));
	f->cfg.repeat = false;
	f->cfg.order = ROWS_SHUFFLED;
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_USAGE);
	assert_non_null(strstr(f->err.text, "cannot be shuffled"));
}

static void time_that_ends_within_the_burn_in_is_an_error(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	open_loop(f, ARRIVAL_CONSTANT, "10000:10ms");
	f->cfg.burn_in = 500;
	run(f);
	assert_true(f->result.stopped_by_error);
	assert_non_null(strstr(f->result.error.text, "-burn-in"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(schedule_that_ends_ends_the_run),
		TEST(intended_times_are_the_schedules_whatever_the_server_does),
		TEST(duration_sends_what_is_due_in_it),
		TEST(a_count_measures_as_long_as_its_requests_were_due),
		TEST(warm_up_by_time_is_kept_out_of_the_statistics),
		TEST(burn_in_by_count_and_time_lasts_for_both),
		TEST(closed_loop_ends_after_its_duration),
		TEST(at_least_so_many_are_sent_however_long_it_takes),
		TEST(what_a_stalled_server_never_answered_or_got_is_reported),
		TEST(poisson_arrivals_of_a_stalled_server_are_counted_too),
		TEST(a_stalled_server_is_waited_for_in_a_closed_loop_too),
		TEST(a_server_that_is_late_is_waited_for_and_sent_what_was_due),
		TEST(interrupted_schedule_counts_what_was_due_until_then),
		TEST(unreachable_server_ends_with_the_time),
		TEST(repeated_dataset_wraps_with_its_rows),
		TEST(dataset_that_ends_before_the_time_is_told),
		TEST(shuffled_run_asks_every_row_once),
		TEST(shuffled_and_limited_run_takes_its_rows_from_the_whole_file),
		TEST(repeating_without_an_end_is_refused),
		TEST(pipes_are_neither_repeated_nor_shuffled),
		TEST(time_that_ends_within_the_burn_in_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
