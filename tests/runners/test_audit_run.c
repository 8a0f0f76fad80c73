/*
 * test_audit_run.c - what whole runs hand to the audit: whose fault a late request was, rates, threads.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/runners/run_fixture.h"

#define MS NSEC_PER_MSEC

static int setup(void **state)
{
	struct fixture *f;

	fixture_setup(state);
	f = *state;
	f->cfg.workers = 4;
	f->cfg.threads = 1;
	f->cfg.drain = 0;
	f->cfg.observer.response = keep_stamps;
	return 0;
}

static void set_rate(struct fixture *f, double rate)
{
	f->cfg.arrival = ARRIVAL_CONSTANT;
	rate_schedule_constant(&f->cfg.schedule, rate);
}

static void run_and_judge(struct fixture *f)
{
	run_again(f);
	audit_judge(&f->result);
}

/* That verdict is among the reasons, with this text; a machine under load may add its own. */
static void check_reason(const struct audit *a, enum verdict v, const char *text)
{
	for (unsigned i = 0; i < a->nreasons; i++) {
		if (a->reasons[i].verdict == v && strstr(a->reasons[i].text, text))
			return;
	}
	fail_msg("no reason \"%s\"", text);
}

static void requests_that_wait_for_a_worker_are_not_the_generators_delay(void **state)
{
	enum { N = 40 };
	struct fixture *f = *state;
	const struct audit *a = &f->result.audit;
	nsec_t took;

	make_file(f, N);
	f->server->delay = 5 * MS;
	f->cfg.workers = 1;
	set_rate(f, 1000);
	run_and_judge(f);
	assert_int_equal(f->responses, N);
	for (unsigned k = 1; k < N; k++) {
		assert_true(f->stamps[k].ready <= f->stamps[k - 1].received);
		assert_true(f->stamps[k].sent >= f->stamps[k].ready);
	}
	assert_true(f->result.all.waited > 0);
	assert_true(f->result.all.lag.max >= (N - 2) * 5 * MS - (N - 1) * MS);
	/* 1000/s were asked for; one in 5 ms went out */
	took = f->stamps[N - 1].sent - f->stamps[0].intended;
	assert_true(fabs(a->behind - (1 - (N - 1) * 1e6 / (double)took)) < 1e-9);
	assert_true(a->behind > 0.7);
	check_reason(a, VERDICT_UNSTABLE, "all workers (1) busy");
	assert_true(a->verdict == VERDICT_UNSTABLE || a->verdict == VERDICT_CLIENT_LIMITED);
}

/* The thread itself stands still while request 10 is sent. */
static enum fake_action stand_still_at_10(struct fake_server *s, uint64_t id)
{
	const struct timespec pause = {.tv_nsec = 300 * MS};

	(void)s;
	if (id == 10)
		nanosleep(&pause, NULL);
	return FAKE_RIGHT;
}

static void a_thread_that_stands_still_is_the_generators_delay(void **state)
{
	struct fixture *f = *state;

	make_file(f, 60);
	f->server->action = stand_still_at_10;
	set_rate(f, 100);
	run_and_judge(f);
	/* 30 arrivals for 4 workers, but they piled up before the thread and not before the server */
	assert_int_equal(f->result.all.waited, 0);
	assert_true(f->result.all.own_lag.max >= 290 * MS);
	check_reason(&f->result.audit, VERDICT_CLIENT_LIMITED, "the generator itself sent late");
	assert_int_equal(f->result.audit.verdict, VERDICT_CLIENT_LIMITED);
}

/* Microseconds of CPU for each request, as a generator has that does too much. */
static enum fake_action burn_cpu(struct fake_server *s, uint64_t id)
{
	struct timespec from, now;

	(void)s;
	(void)id;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	} while (timespec_to_nsec(&now) - timespec_to_nsec(&from) < 50 * NSEC_PER_USEC);
	return FAKE_RIGHT;
}

static void a_closed_loop_that_never_waits_measures_its_client(void **state)
{
	struct fixture *f = *state;
	const struct audit *a = &f->result.audit;

	make_file(f, 3000);
	f->server->action = burn_cpu;
	run_and_judge(f);
	assert_int_equal(a->verdict, VERDICT_CLIENT_LIMITED);
	assert_int_equal(a->nthreads, 1);
	assert_int_equal(a->threads[0].inferences, 3000);
	assert_true(a->threads[0].cpu >= 3000 * 50e-6);
	assert_true(a->cores >= 1);
	assert_true(a->behind <= 0);
}

static void threads_are_told_apart(void **state)
{
	struct fixture *f = *state;
	uint64_t inferences = 0;

	make_file(f, 1000);
	f->cfg.threads = 3;
	f->cfg.burn_in = 100;
	f->cfg.observer.response = NULL;
	run_and_judge(f);
	assert_int_equal(f->result.audit.nthreads, 3);
	for (unsigned i = 0; i < 3; i++) {
		inferences += f->result.audit.threads[i].inferences;
		assert_true(f->result.audit.threads[i].wall > 0);
	}
	assert_int_equal(inferences, 1000);
}

static enum fake_action fail_at_77(struct fake_server *s, uint64_t id)
{
	(void)s;
	return id == 77 ? FAKE_ERROR : FAKE_RIGHT;
}

static void one_error_among_many_is_an_error(void **state)
{
	struct fixture *f = *state;

	make_file(f, 500);
	f->server->action = fail_at_77;
	f->cfg.ignore_errors = true;
	run_and_judge(f);
	assert_int_equal(f->result.audit.verdict, VERDICT_ERRORS);
	check_reason(&f->result.audit, VERDICT_ERRORS, "1 of 500 inferences failed");
	/* in the burn-in it is none of the measurement */
	f->responses = 0;
	f->cfg.burn_in = 100;
	run_and_judge(f);
	assert_true(f->result.audit.verdict < VERDICT_ERRORS);
}

static int compare(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return (x > y) - (x < y);
}

/* All the way through worker, recorder and result: what is reported is what the stamps say. */
static void percentiles_are_those_of_the_stamps(void **state)
{
	static const double percentiles[] = {50, 90, 99, 99.9, 99.99};
	struct fixture *f = *state;
	nsec_t *sorted;

	make_file(f, STAMPS_KEPT);
	f->cfg.workers = 64;
	set_rate(f, 50000);
	run_and_judge(f);
	assert_int_equal(f->responses, STAMPS_KEPT);
	sorted = malloc(STAMPS_KEPT * sizeof(*sorted));
	assert_non_null(sorted);
	for (unsigned k = 0; k < STAMPS_KEPT; k++)
		sorted[k] = f->stamps[k].received - f->stamps[k].intended;
	qsort(sorted, STAMPS_KEPT, sizeof(*sorted), compare);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
		nsec_t truth = sorted[(size_t)ceil(nextafter(percentiles[i], 0) * STAMPS_KEPT / 100) - 1];
		nsec_t reported = histogram_percentile(&f->result.all.response, percentiles[i]);

		assert_true(llabs(reported - truth) <= truth / 1000 + 1);
	}
	free(sorted);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(requests_that_wait_for_a_worker_are_not_the_generators_delay),
		TEST(a_thread_that_stands_still_is_the_generators_delay),
		TEST(a_closed_loop_that_never_waits_measures_its_client),
		TEST(threads_are_told_apart),
		TEST(one_error_among_many_is_an_error),
		TEST(percentiles_are_those_of_the_stamps),
	};

	return cmocka_run_group_tests_name("audit_run", tests, NULL, NULL);
}
