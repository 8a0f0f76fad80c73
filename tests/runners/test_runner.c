/* Whole runs against a server inside the test, on small real dataset files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/runners/run_fixture.h"

#define SLOW_DELAY (5 * NSEC_PER_MSEC)

/* Scripts */

static enum fake_action error_at_300(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id == 300 ? FAKE_ERROR : FAKE_RIGHT;
}

static enum fake_action every_tenth_differs(struct fake_server *s, uint64_t id)
{
	(void)s;
	if (id % 10 == 3)
		return FAKE_ERROR;
	if (id % 10 == 5)
		return FAKE_WRONG;
	return id % 10 == 7 ? FAKE_TIMEOUT : FAKE_RIGHT;
}

static enum fake_action every_tenth_is_wrong(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id % 10 == 5 ? FAKE_WRONG : FAKE_RIGHT;
}

static enum fake_action interrupt_at_500(struct fake_server *s, uint64_t id)
{
	if (id == 500)
		atomic_store(&s->interrupt, 1);
	return FAKE_RIGHT;
}

static enum fake_action interrupt_when_asked_enough(struct fake_server *s, uint64_t id)
{
	(void)id;
	if (atomic_load(&s->stats_asked) >= s->stats_enough)
		atomic_store(&s->interrupt, 1);
	return FAKE_RIGHT;
}

static enum fake_action silent_then_interrupt(struct fake_server *s, uint64_t id)
{
	if (id == 500)
		atomic_store(&s->interrupt, 1);
	return id == 100 || id == 200 || id == 300 ? FAKE_SILENCE : FAKE_RIGHT;
}

static enum fake_action ready_after_some_tries(struct fake_server *s, uint64_t id)
{
	return id == 50 && atomic_fetch_add(&s->tries, 1) < 40 ? FAKE_RECONNECTING : FAKE_RIGHT;
}

static enum fake_action never_connected(struct fake_server *s, uint64_t id)
{
	(void)s;
	(void)id;
	return FAKE_RECONNECTING;
}

static enum fake_action breaks_at_100(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id == 100 ? FAKE_BROKEN : FAKE_RIGHT;
}

/* Tests */

static void every_row_is_asked_once_by_any_number_of_threads(void **state)
{
	struct fixture *f = *state;

	make_file(f, 5000);
	for (unsigned threads = 1; threads <= 4; threads++) {
		result_release(&f->result);
		f->cfg.threads = threads;
		run(f);
		check_seen(f, 0, 5000, threads);
		assert_int_equal(inferences(f, OUTCOME_OK), 5000);
		assert_int_equal(f->result.all.service.total, 5000);
		assert_int_equal(f->result.usage.threads, threads);
		assert_false(f->result.interrupted);
		assert_false(f->result.stopped_by_error);
	}
}

static void paced_threads_share_every_arrival_once(void **state)
{
	struct fixture *f = *state;

	make_file(f, 3000);
	f->cfg.arrival = ARRIVAL_CONSTANT;
	rate_schedule_constant(&f->cfg.schedule, 300000);
	run(f);
	check_seen(f, 0, 3000, 1);
	assert_int_equal(f->result.all.response.total, 3000);
	assert_int_equal(f->result.all.lag.total, 3000);
	assert_true(f->result.max_rps > 299999);
}

static void slots_are_divided_among_threads(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	run(f);
	assert_int_equal(atomic_load(&f->server->instances), 3);
	assert_int_equal(atomic_load(&f->server->slots), 10);
	f->cfg.workers = 2;
	run_again(f);
	assert_int_equal(f->result.usage.threads, 2);
}

static void burn_in_is_kept_out_of_the_statistics(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->cfg.burn_in = 100;
	run(f);
	check_seen(f, 0, 1000, 1);
	assert_int_equal(totals_inferences(&f->result.burned_in), 100);
	assert_int_equal(inferences(f, OUTCOME_OK), 900);
	assert_int_equal(f->result.all.service.total, 900);
	assert_int_equal(f->burn_ins, 1);
	assert_int_equal(f->burn_in_inferences, 100);
	assert_true(f->result.start <= f->result.burn_in_end && f->result.burn_in_end <= f->result.end);
	assert_int_equal(f->result.burn_in, 100);
}

static void limit_includes_the_burn_in(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->cfg.burn_in = 100;
	f->cfg.limit = 250;
	run(f);
	check_seen(f, 0, 250, 1);
	check_seen(f, 250, 1000, 0);
	assert_int_equal(inferences(f, OUTCOME_OK), 150);
	assert_int_equal(f->result.limit, 250);
}

static void limit_beyond_the_dataset_ends_with_it(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->cfg.limit = 100000;
	run(f);
	assert_int_equal(inferences(f, OUTCOME_OK), 1000);
}

static void a_tensor_of_b_inferences_counts_b(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->cfg.what.batch = 4;
	f->cfg.limit = 102;
	f->cfg.burn_in = 10;
	run(f);
	assert_int_equal(f->result.burned_in.requests[OUTCOME_OK], 3);
	assert_int_equal(f->result.burned_in.inferences[OUTCOME_OK], 12);
	assert_int_equal(f->result.all.totals.requests[OUTCOME_OK], 22);
	assert_int_equal(inferences(f, OUTCOME_OK), 88);
	assert_int_equal(f->result.all.service.total, 88);
	assert_int_equal(f->burn_in_inferences, 12);
}

static void burn_in_that_leaves_nothing_is_refused(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	f->cfg.limit = 50;
	f->cfg.burn_in = 51;
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_USAGE);
	assert_non_null(strstr(f->err.text, "-burn-in"));
	f->cfg.limit = 0;
	f->cfg.burn_in = 100;
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_RANGE);
	assert_non_null(strstr(f->err.text, "-burn-in"));
	check_seen(f, 0, 100, 0);
}

static void error_stops_the_run_with_its_text(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = error_at_300;
	run(f);
	assert_true(f->result.stopped_by_error);
	assert_non_null(strstr(f->result.error.text, "the fake server is out of order"));
	assert_int_equal(inferences(f, OUTCOME_ERROR), 1);
	assert_true(result_inferences(&f->result) < 10000);
	assert_int_equal(f->result.unanswered, 0);
}

static void error_in_the_burn_in_stops_the_run_too(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = error_at_300;
	f->cfg.burn_in = 9000;
	run(f);
	assert_true(f->result.stopped_by_error);
	assert_int_equal(f->result.burned_in.requests[OUTCOME_ERROR], 1);
	assert_int_equal(f->burn_ins, 0);
}

static void ignored_errors_are_counted_and_shown(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->server->action = every_tenth_differs;
	f->cfg.ignore_errors = true;
	run(f);
	assert_false(f->result.stopped_by_error);
	assert_int_equal(inferences(f, OUTCOME_OK), 700);
	assert_int_equal(inferences(f, OUTCOME_ERROR), 100);
	assert_int_equal(inferences(f, OUTCOME_WRONG), 100);
	assert_int_equal(inferences(f, OUTCOME_TIMEOUT), 100);
	assert_non_null(strstr(f->result.error.text, "out of order"));
	assert_non_null(strstr(f->result.timeout.text, "row "));
	assert_null(strstr(f->result.timeout.text, "out of order"));
	/* errors have no latency, the other three have */
	assert_int_equal(f->result.all.service.total, 900);
}

static enum fake_action times_out(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id < 10 ? FAKE_RIGHT : FAKE_TIMEOUT;
}

static void time_outs_are_no_errors(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->server->action = times_out;
	f->cfg.ignore_errors = true;
	run(f);
	assert_int_equal(inferences(f, OUTCOME_TIMEOUT), 990);
	assert_string_equal(f->result.error.text, "");
	assert_non_null(strstr(f->result.timeout.text, "row "));
}

static void wrong_answers_are_counted_and_the_run_goes_on(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->server->action = every_tenth_is_wrong;
	run(f);
	assert_false(f->result.stopped_by_error);
	assert_int_equal(inferences(f, OUTCOME_WRONG), 100);
	assert_int_equal(inferences(f, OUTCOME_OK), 900);
	assert_non_null(strstr(f->result.wrong.text, "sum"));
}

static void interrupted_run_reports_what_it_did(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = interrupt_at_500;
	run(f);
	assert_true(f->result.interrupted);
	assert_false(f->result.stopped_by_error);
	assert_true(inferences(f, OUTCOME_OK) > 0 && inferences(f, OUTCOME_OK) < 10000);
	assert_int_equal(f->result.unanswered, 0);
	assert_true(f->result.end >= f->result.start);
}

static void requests_under_way_at_the_end_are_unanswered(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = silent_then_interrupt;
	run(f);
	assert_true(f->result.interrupted);
	assert_int_equal(f->result.unanswered, 3);
}

static void reconnecting_slots_pause_in_a_closed_loop(void **state)
{
	struct fixture *f = *state;

	make_file(f, 1000);
	f->server->action = ready_after_some_tries;
	run(f);
	assert_true(atomic_load(&f->server->tries) > 40);
	check_seen(f, 0, 1000, 1);
	assert_int_equal(inferences(f, OUTCOME_OK), 1000);
	assert_int_equal(inferences(f, OUTCOME_ERROR), 0);
}

static void arrivals_without_a_connection_are_errors(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	f->server->action = never_connected;
	f->cfg.arrival = ARRIVAL_CONSTANT;
	rate_schedule_constant(&f->cfg.schedule, 100000);
	f->cfg.ignore_errors = true;
	run(f);
	assert_int_equal(inferences(f, OUTCOME_ERROR), 100);
	assert_non_null(strstr(f->result.error.text, "no connection"));
	f->cfg.ignore_errors = false;
	run_again(f);
	assert_true(f->result.stopped_by_error);
}

static void slow_server_does_not_delay_schedule(void **state)
{
	enum { N = 20 };
	struct fixture *f = *state;

	make_file(f, N);
	f->server->delay = SLOW_DELAY;
	f->cfg.workers = f->cfg.threads = 1;
	f->cfg.arrival = ARRIVAL_CONSTANT;
	rate_schedule_constant(&f->cfg.schedule, 1000);
	f->cfg.observer.response = keep_stamps;
	run(f);
	assert_int_equal(f->responses, N);
	for (unsigned k = 0; k < N; k++) {
		assert_int_equal(f->stamps[k].intended - f->stamps[0].intended, k * NSEC_PER_MSEC);
		assert_true(f->stamps[k].sent >= f->stamps[k].intended);
	}
	/* The server answers the first at once, then one in 5 ms; one is due each ms. So the last is sent after (N - 2) of
	 * those pauses and answered after (N - 1): that is its response time. */
	assert_true(f->stamps[N - 1].received - f->stamps[N - 1].intended >= (N - 1) * (SLOW_DELAY - NSEC_PER_MSEC));
	assert_true(f->result.all.response.max >= (N - 1) * (SLOW_DELAY - NSEC_PER_MSEC));
	assert_true(f->result.all.lag.max >= (N - 2) * SLOW_DELAY - (N - 1) * NSEC_PER_MSEC);
}

static void closed_loop_intends_what_it_sends(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	f->cfg.workers = f->cfg.threads = 1;
	f->cfg.observer.response = keep_stamps;
	run(f);
	assert_int_equal(f->responses, 100);
	for (unsigned k = 0; k < f->responses; k++)
		assert_int_equal(f->stamps[k].intended, f->stamps[k].sent);
}

static void failing_poll_ends_the_run(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	f->server->action = breaks_at_100;
	run(f);
	assert_true(f->result.stopped_by_error);
	assert_non_null(strstr(f->result.error.text, "epoll"));
}

static void server_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10);
	f->server->open_error = ERR_CONNECT;
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_CONNECT);
	assert_string_equal(f->err.text, "cannot connect to the fake server");
}

static void missing_dataset_is_an_error(void **state)
{
	struct fixture *f = *state;

	f->cfg.file = "/nonexistent/dataset.dat";
	assert_int_equal(runner_run(&f->cfg, &f->result, &f->err), ERR_NOT_FOUND);
	assert_non_null(strstr(f->err.text, "/nonexistent/dataset.dat"));
}

struct seen_snapshots {
	unsigned n;
	uint64_t total, wall;
};

static void keep_snapshot(void *arg, const struct period *p, const struct recorder *so_far)
{
	struct seen_snapshots *seen = ((struct fixture *)arg)->snapshots;

	assert_true(so_far->service.total >= seen->total);
	assert_true((uint64_t)p->wall >= seen->wall);
	seen->n++;
	seen->total = so_far->service.total;
	seen->wall = (uint64_t)p->wall;
}

static void the_last_snapshot_has_all_that_was_measured(void **state)
{
	struct fixture *f = *state;
	struct seen_snapshots seen = {0};

	make_file(f, 200);
	f->snapshots = &seen;
	f->server->delay = NSEC_PER_MSEC / 5;
	f->cfg.burn_in = 50;
	f->cfg.reporting_period = 3 * NSEC_PER_MSEC;
	f->cfg.observer.snapshot = keep_snapshot;
	run(f);
	assert_true(seen.n >= 2);
	assert_int_equal(seen.total, 150);
	assert_int_equal(f->result.all.service.total, 150);
	result_release(&f->result);
	/* Without periods there is one. */
	seen = (struct seen_snapshots){0};
	f->cfg.reporting_period = 0;
	run(f);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.total, 150);
	assert_int_equal(f->result.nperiods, 0);
}

static void periods_and_counters_add_up(void **state)
{
	struct fixture *f = *state;
	struct server_log_reader reader;
	struct server_stat s;
	uint64_t calls = 0;
	size_t rows = 0;

	make_file(f, 200);
	f->server->delay = NSEC_PER_MSEC / 5;
	f->cfg.workers = f->cfg.threads = 1;
	f->cfg.reporting_period = 3 * NSEC_PER_MSEC;
	run(f);
	assert_true(f->result.nperiods >= 2); /* the run takes 40 ms at the least */
	assert_int_equal(f->result.nperiods, f->periods);
	assert_int_equal(f->result.periods[f->result.nperiods - 1].inferences, 200);
	for (size_t i = 0; i < f->result.nperiods; i++) {
		assert_memory_equal(f->result.periods[i].encoded, "HISTFAAA", 8);
		if (i > 0)
			assert_true(f->result.periods[i].test_time > f->result.periods[i - 1].test_time);
	}
	server_log_read(&reader, &f->result.server_log);
	while (server_log_next(&reader, &s) > 0) {
		rows++;
		if (strcmp(s.key, "ai_info.calls") == 0)
			calls += strtoull(s.value, NULL, 10);
		else
			assert_string_equal(s.value, "4711");
		assert_string_equal(s.server, "fake:1");
	}
	server_log_reader_release(&reader);
	assert_int_equal(rows, 2 * f->result.nperiods);
	assert_int_equal(calls, 200);
}

static void unreadable_counters_are_noted_and_the_run_goes_on(void **state)
{
	struct fixture *f = *state;

	make_file(f, 100);
	f->server->stats_fail = true;
	f->cfg.reporting_period = NSEC_PER_SEC;
	run(f);
	assert_int_equal(f->notes, 1);
	assert_non_null(strstr(f->note, "no server statistics: NOPERM"));
	assert_int_equal(inferences(f, OUTCOME_OK), 100);
	assert_null(f->result.server_log.file);
}

/* A run that goes on, on one worker, until its counters were asked for so often, however long that takes. */
static void run_until_asked(struct fixture *f, unsigned asked)
{
	make_file(f, 100);
	f->server->stats_enough = asked;
	f->server->action = interrupt_when_asked_enough;
	f->server->delay = NSEC_PER_MSEC;
	f->cfg.repeat = true;
	f->cfg.duration = 60 * NSEC_PER_SEC; /* at the most */
	f->cfg.workers = f->cfg.threads = 1;
	f->cfg.reporting_period = 5 * NSEC_PER_MSEC;
}

static void counters_that_come_too_late_are_asked_for_again(void **state)
{
	struct fixture *f = *state;

	run_until_asked(f, 4);
	f->server->stats_time_out = true;
	run(f);
	assert_int_equal(f->notes, 1);
	assert_true(inferences(f, OUTCOME_OK) > 0);
	assert_true(atomic_load(&f->server->stats_asked) >= 4);
}

static uint64_t counted_calls(const struct fixture *f)
{
	struct server_log_reader reader;
	struct server_stat s;
	uint64_t calls = 0;

	server_log_read(&reader, &f->result.server_log);
	while (server_log_next(&reader, &s) > 0) {
		if (strcmp(s.key, "ai_info.calls") == 0)
			calls += strtoull(s.value, NULL, 10);
	}
	server_log_reader_release(&reader);
	return calls;
}

/* Its counters go on, and what they did meanwhile is in the first period after. */
static void counters_of_a_server_that_was_away_are_read_again(void **state)
{
	struct fixture *f = *state;

	run_until_asked(f, 7);
	f->server->stats_away_from = 2;
	f->server->stats_away_until = 4;
	run(f);
	assert_int_equal(f->notes, 1);
	assert_non_null(strstr(f->note, "no server statistics from "));
	assert_non_null(strstr(f->note, " s to "));
	assert_non_null(strstr(f->note, "connection refused"));
	assert_int_equal(counted_calls(f), inferences(f, OUTCOME_OK));
}

/* What it had counted before the first reading is none of the run's. */
static void counters_that_come_late_begin_with_their_first_reading(void **state)
{
	struct fixture *f = *state;

	run_until_asked(f, 6);
	f->server->stats_away_until = 3;
	run(f);
	assert_int_equal(f->notes, 1);
	assert_in_range(counted_calls(f), 1, inferences(f, OUTCOME_OK) - 1);
}

/* A named pipe and its writer. */
struct writer {
	const char *path;
	unsigned rows;
	pthread_t thread;
};

static void *write_pipe(void *arg)
{
	struct writer *w = arg;
	int fd = open(w->path, O_WRONLY);

	if (fd >= 0) {
		write_rows(fd, w->rows);
		close(fd);
	}
	return NULL;
}

static void start_pipe(struct fixture *f, struct writer *w, unsigned rows)
{
	/* mkstemp made the name ours */
	int fd = mkstemp(f->path);

	assert_true(fd >= 0);
	close(fd);
	unlink(f->path);
	assert_int_equal(mkfifo(f->path, 0600), 0);
	*w = (struct writer){.path = f->path, .rows = rows};
	assert_int_equal(pthread_create(&w->thread, NULL, write_pipe, w), 0);
}

static void pipe_is_streamed_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct writer w;

	start_pipe(f, &w, 12000);
	f->cfg.burn_in = 100;
	run(f);
	pthread_join(w.thread, NULL);
	check_seen(f, 0, 12000, 1);
	assert_int_equal(inferences(f, OUTCOME_OK), 11900);
}

static void pipe_that_ends_within_the_burn_in_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct writer w;

	start_pipe(f, &w, 50);
	f->cfg.burn_in = 100;
	run(f);
	pthread_join(w.thread, NULL);
	assert_true(f->result.stopped_by_error);
	assert_non_null(strstr(f->result.error.text, "-burn-in"));
}

static const char *cut_path;

static enum fake_action cut_at_100(struct fake_server *s, uint64_t id)
{
	(void)s;
	if (id == 100 && truncate(cut_path, 0) < 0)
		return FAKE_ERROR;
	return FAKE_RIGHT;
}

static void dataset_cut_short_is_an_error_of_the_run(void **state)
{
	struct fixture *f = *state;

	make_file(f, 10000);
	cut_path = f->path;
	f->server->action = cut_at_100;
	run(f);
	assert_true(f->result.stopped_by_error);
	assert_non_null(strstr(f->result.error.text, "cut short"));
	assert_true(result_inferences(&f->result) < 10000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(every_row_is_asked_once_by_any_number_of_threads),
		RUN_TEST(paced_threads_share_every_arrival_once),
		RUN_TEST(slots_are_divided_among_threads),
		RUN_TEST(burn_in_is_kept_out_of_the_statistics),
		RUN_TEST(limit_includes_the_burn_in),
		RUN_TEST(limit_beyond_the_dataset_ends_with_it),
		RUN_TEST(a_tensor_of_b_inferences_counts_b),
		RUN_TEST(burn_in_that_leaves_nothing_is_refused),
		RUN_TEST(error_stops_the_run_with_its_text),
		RUN_TEST(error_in_the_burn_in_stops_the_run_too),
		RUN_TEST(ignored_errors_are_counted_and_shown),
		RUN_TEST(time_outs_are_no_errors),
		RUN_TEST(wrong_answers_are_counted_and_the_run_goes_on),
		RUN_TEST(interrupted_run_reports_what_it_did),
		RUN_TEST(requests_under_way_at_the_end_are_unanswered),
		RUN_TEST(reconnecting_slots_pause_in_a_closed_loop),
		RUN_TEST(arrivals_without_a_connection_are_errors),
		RUN_TEST(slow_server_does_not_delay_schedule),
		RUN_TEST(closed_loop_intends_what_it_sends),
		RUN_TEST(failing_poll_ends_the_run),
		RUN_TEST(server_that_is_not_there_is_an_error),
		RUN_TEST(missing_dataset_is_an_error),
		RUN_TEST(the_last_snapshot_has_all_that_was_measured),
		RUN_TEST(periods_and_counters_add_up),
		RUN_TEST(unreadable_counters_are_noted_and_the_run_goes_on),
		RUN_TEST(counters_that_come_too_late_are_asked_for_again),
		RUN_TEST(counters_of_a_server_that_was_away_are_read_again),
		RUN_TEST(counters_that_come_late_begin_with_their_first_reading),
		RUN_TEST(pipe_is_streamed_to_its_end),
		RUN_TEST(pipe_that_ends_within_the_burn_in_is_an_error),
		RUN_TEST(dataset_cut_short_is_an_error_of_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
