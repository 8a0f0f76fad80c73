/*
 * test_audit.c - the verdict: each reason by the figures that give it and just not by those beside them, and their order.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/result.h"

#define US NSEC_PER_USEC
#define MS NSEC_PER_MSEC
#define S NSEC_PER_SEC
#define REQUESTS 10000

static void record(struct result *r, nsec_t wait, nsec_t own_lag, nsec_t service, unsigned n)
{
	struct stamps s = {.intended = S, .ready = S + wait};

	s.sent = S + wait + own_lag;
	s.received = s.sent + service;
	for (unsigned i = 0; i < n; i++)
		recorder_record(&r->all, &s, OUTCOME_OK, 1);
}

/* A run of 10 s on two threads with which nothing is wrong. Its answers are the caller's to record. */
static void make_empty(struct result *r, bool open_loop)
{
	*r = (struct result){
		.tensor_batch = 1,
		.workers = 16,
		.start = 5 * S,
		.end = 15 * S,
		.audit = {.percentile = 99,
			  .one_rate = true,
			  .cores = 4,
			  .nthreads = 2,
			  .timer = {.late = 50 * US, .late_max = 80 * US}},
		.offered = {.schedule = open_loop ? strdup("1000") : NULL,
			    .batch = 1,
			    .requests = REQUESTS,
			    .from = 5 * S,
			    .until = 15 * S},
	};
	assert_int_equal(recorder_init(&r->all, open_loop), 0);
	r->audit.threads = calloc(2, sizeof(*r->audit.threads));
	assert_non_null(r->audit.threads);
	for (unsigned i = 0; i < 2; i++)
		r->audit.threads[i] = (struct thread_usage){.wall = 10, .cpu = 4};
}

static void make_good(struct result *r, bool open_loop)
{
	make_empty(r, open_loop);
	record(r, 0, 5 * US, MS, REQUESTS);
}

static void expect_valid(struct result *r)
{
	audit_judge(r);
	if (r->audit.verdict != VERDICT_VALID)
		fail_msg("%s: %s", verdict_name(r->audit.verdict), r->audit.reasons[0].text);
	assert_int_equal(r->audit.nreasons, 0);
}

/* One reason, for this verdict, with these words in it. Releases r. */
static void expect(struct result *r, enum verdict v, const char *const *words)
{
	audit_judge(r);
	assert_string_equal(verdict_name(r->audit.verdict), verdict_name(v));
	assert_int_equal(r->audit.nreasons, 1);
	for (; *words; words++) {
		if (!strstr(r->audit.reasons[0].text, *words))
			fail_msg("\"%s\" is missing: %s", *words, r->audit.reasons[0].text);
	}
	result_release(r);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void nothing_wrong_is_valid(void **state)
{
	struct result r;

	(void)state;
	for (int open_loop = 0; open_loop < 2; open_loop++) {
		make_good(&r, open_loop);
		assert_int_equal(r.audit.verdict, VERDICT_NONE);
		expect_valid(&r);
		result_release(&r);
	}
}

static void every_outcome_but_a_right_answer_is_an_error(void **state)
{
	static const struct {
		enum outcome outcome;
		const char *word;
	} cases[] = {{OUTCOME_ERROR, "failed"}, {OUTCOME_TIMEOUT, "timed out"}, {OUTCOME_WRONG, "wrong"}};
	struct result r;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct stamps s = {.received = MS};

		make_good(&r, false);
		recorder_record(&r.all, &s, cases[i].outcome, 1);
		expect(&r, VERDICT_ERRORS, WORDS("1 of 10001", cases[i].word));
	}
	/* of the burn-in they are no matter */
	make_good(&r, false);
	r.burned_in.inferences[OUTCOME_ERROR] = r.burned_in.requests[OUTCOME_ERROR] = 5;
	expect_valid(&r);
	result_release(&r);
}

static void a_run_that_ended_early_is_an_error(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, false);
	r.stopped_by_error = true;
	expect(&r, VERDICT_ERRORS, WORDS("before its end"));
	make_good(&r, false);
	r.unanswered = 1;
	expect(&r, VERDICT_ERRORS, WORDS("1 request had no answer"));
	make_good(&r, false);
	record(&r, 0, 0, HISTOGRAM_LATENCY_HIGHEST + 1, 1);
	expect(&r, VERDICT_ERRORS, WORDS("over 3600 s"));
}

static void a_thread_without_time_left_limits_the_client(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, false);
	r.audit.threads[1].cpu = 9.4;
	expect_valid(&r);
	r.audit.threads[1].cpu = 9.8;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("thread 1 used 98 % of its core", "-threads 3"));
	/* as many threads as workers or cores: there is no use in another one */
	make_good(&r, false);
	r.workers = 2;
	r.audit.threads[0].cpu = 9.8;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("thread 0", "take another machine"));
	make_good(&r, false);
	r.audit.cores = 2;
	r.audit.threads[0].cpu = 9.8;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("thread 0", "take another machine"));
}

static void a_thread_that_waits_for_a_core_limits_the_client(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, false);
	r.audit.threads[0] = (struct thread_usage){.wall = 10, .cpu = 6, .waiting = 3.4};
	expect_valid(&r);
	r.audit.threads[0].waiting = 3.6;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("thread 0 had no core for 36 % of the time (CPU 60 %)"));
}

static void a_thread_that_spins_may_be_busy(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, true);
	r.audit.spin = true;
	r.audit.threads[0].cpu = 10;
	expect_valid(&r);
	r.audit.spin = false;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("thread 0 used 100 % of its core"));
}

static void what_others_take_from_the_machine_limits_the_client(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, false);
	r.audit.machine.steal = 0.019;
	expect_valid(&r);
	r.audit.machine.steal = 0.12;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("12.0 %", "steal"));
	make_good(&r, false);
	r.audit.machine.steal = -1; /* nobody knows */
	expect_valid(&r);
	r.audit.machine.throttled = 99 * MS;
	r.audit.machine.throttled_periods = 7;
	expect_valid(&r);
	r.audit.machine.throttled = 101 * MS;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("0.101 s", "7 periods", "cpu.max"));
}

static void lag_is_compared_with_the_figure_that_it_is_part_of(void **state)
{
	struct result r;

	(void)state;
	/* a tenth of a response time of 1 ms */
	make_empty(&r, true);
	record(&r, 0, 95 * US, MS, REQUESTS);
	expect_valid(&r);
	result_release(&r);
	make_empty(&r, true);
	record(&r, 0, 150 * US, MS, REQUESTS);
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("q99 of its lag is 150.0 us", "-spin"));
	/* up to 20 us are no matter however quick the server is */
	make_empty(&r, true);
	record(&r, 0, 20 * US, 50 * US, REQUESTS);
	expect_valid(&r);
	result_release(&r);
	/* in one request of two hundred it is beyond q99, not beyond q99.9 */
	make_empty(&r, true);
	record(&r, 0, 5 * US, MS, REQUESTS);
	record(&r, 0, MS, MS, REQUESTS / 200);
	expect_valid(&r);
	r.audit.percentile = 99.9;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("q99.9 of its lag"));
	/* a slow tail does not hide what the median is made of */
	make_empty(&r, true);
	record(&r, 0, 40 * US, 100 * US, REQUESTS);
	record(&r, 0, 40 * US, 100 * MS, REQUESTS / 50);
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("q50 of its lag is 40"));
}

static void lag_comes_with_its_cause(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	record(&r, 0, 500 * US, MS, REQUESTS);
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("other processes"));
	make_empty(&r, true);
	record(&r, 0, 500 * US, MS, REQUESTS);
	r.audit.threads[0].cpu = 8;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("-threads 3"));
	make_empty(&r, true);
	record(&r, 0, 150 * US, MS, REQUESTS);
	r.audit.spin = true; /* sleeps have no part in it */
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("other processes"));
	make_empty(&r, true);
	record(&r, 0, 500 * US, MS, REQUESTS);
	r.audit.starvations = 3;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("pipe", "-file"));
}

static void a_window_that_shows_in_the_percentile_limits_the_client(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, true);
	record(&r, 10 * MS, 0, MS, REQUESTS / 200);
	expect_valid(&r);
	record(&r, 10 * MS, 0, MS, REQUESTS / 100);
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("1.5 %", "16 workers", "raise -workers"));
}

static void a_rate_that_idle_workers_do_not_reach_limits_the_client(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, true);
	r.audit.behind = 0.009;
	expect_valid(&r);
	r.audit.behind = 0.02;
	expect(&r, VERDICT_CLIENT_LIMITED, WORDS("1000.00", "980.00", "not of workers", "-threads 3"));
}

/* A thread that takes answers late makes its workers seem busy. */
static void a_queue_before_a_busy_thread_is_the_clients(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	record(&r, S, 5 * US, MS, REQUESTS);
	r.audit.behind = 0.4;
	r.audit.threads[0].cpu = 9.9;
	audit_judge(&r);
	assert_int_equal(r.audit.nreasons, 2);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(r.audit.reasons[i].verdict, VERDICT_CLIENT_LIMITED);
	result_release(&r);
}

/* Also where the rate was reached: those that wait at the end wait the longest. */
static void requests_never_sent_are_a_queue_that_grew(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, true);
	r.audit.percentile = 99.9;
	r.unsent = 9;
	expect_valid(&r); /* an interrupt leaves one or two */
	r.unsent = 11;
	r.unanswered = 16;
	expect(&r, VERDICT_UNSTABLE, WORDS("11 requests due were never sent", "16 had no answer"));
}

static void a_queue_that_grew_is_unstable(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	record(&r, S, 5 * US, MS, REQUESTS);
	r.audit.behind = 0.4;
	expect(&r, VERDICT_UNSTABLE, WORDS("1000.00", "600.00", "all workers (16) busy", "lower the rate"));
}

/* What was answered came in time; what was due later found a server that said nothing any more. */
static void a_server_that_hangs_is_no_fault_of_the_generator(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	record(&r, 0, 5 * US, MS, REQUESTS / 2);
	r.unsent = REQUESTS / 2 - 16;
	r.unanswered = 16;
	r.audit.behind = 0.5;
	audit_judge(&r);
	assert_int_equal(r.audit.verdict, VERDICT_UNSTABLE);
	assert_int_equal(r.audit.nreasons, 2);
	assert_non_null(strstr(r.audit.reasons[0].text, "all workers (16) busy"));
	assert_non_null(strstr(r.audit.reasons[1].text, "4984 requests due were never sent"));
	result_release(&r);
}

/* Rows that come too slowly through a pipe are. */
static void a_slow_pipe_leaves_requests_unsent_too(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	record(&r, 0, 5 * US, MS, REQUESTS / 2);
	r.unsent = REQUESTS / 2;
	r.audit.behind = 0.5;
	r.audit.starvations = 9;
	audit_judge(&r);
	assert_int_equal(r.audit.verdict, VERDICT_CLIENT_LIMITED);
	assert_non_null(strstr(r.audit.reasons[0].text, "not through a pipe"));
	result_release(&r);
}

/* n periods of a second with these rates and medians. */
static void make_periods(struct result *r, const unsigned *rates, const nsec_t *medians, size_t n)
{
	r->periods = calloc(n, sizeof(*r->periods));
	assert_non_null(r->periods);
	r->nperiods = n;
	for (size_t i = 0; i < n; i++) {
		r->periods[i].test_time = (nsec_t)(i + 1) * S;
		r->periods[i].inferences = (i ? r->periods[i - 1].inferences : 0) + rates[i];
		r->periods[i].answered =
			(i ? r->periods[i - 1].answered : 0) + (medians[i] > 0 ? rates[i] : 0); /* else: errors */
		r->periods[i].quantiles[1] = medians[i];
	}
}

static const unsigned even[] = {1000, 1000, 1000, 1000, 1000, 1000};
static const nsec_t quick[] = {MS, MS, MS, MS, MS, MS};

static void thirds_that_differ_are_unstable(void **state)
{
	static const unsigned within[] = {1050, 1050, 1000, 1000, 960, 960},
			      falling[] = {1100, 1100, 1000, 1000, 960, 960};
	static const nsec_t rising[] = {MS, MS, MS, MS, 6 * MS / 5, 6 * MS / 5};
	struct result r;

	(void)state;
	make_good(&r, false);
	make_periods(&r, within, quick, 6);
	expect_valid(&r);
	result_release(&r);
	make_good(&r, false);
	make_periods(&r, falling, quick, 6);
	expect(&r, VERDICT_UNSTABLE, WORDS("from 960 to 1100 inferences/s", "-burn-in"));
	make_good(&r, false);
	make_periods(&r, even, rising, 6);
	expect(&r, VERDICT_UNSTABLE, WORDS("from 1.000 to 1.200 ms"));
	/* an open loop's rate is what the schedule makes of it, its latency is not */
	make_good(&r, true);
	make_periods(&r, falling, quick, 6);
	expect_valid(&r);
	result_release(&r);
	make_good(&r, true);
	make_periods(&r, even, rising, 6);
	r.audit.one_rate = false;
	expect_valid(&r);
	r.audit.one_rate = true;
	expect(&r, VERDICT_UNSTABLE, WORDS("service time"));
}

/* Nothing was answered in it: it has no median, and its rate is the errors' to tell of. */
static void a_third_of_mere_errors_tells_nothing(void **state)
{
	static const nsec_t answered_at_first[] = {MS, MS, MS, 2 * MS, 0, 0};
	struct result r;

	(void)state;
	make_good(&r, false);
	make_periods(&r, even, answered_at_first, 6);
	expect_valid(&r);
	result_release(&r);
}

/* With -stable its own windows count, whatever the thirds say. */
static void windows_that_did_not_come_to_rest_are_unstable(void **state)
{
	static const unsigned falling[] = {1100, 1100, 1000, 1000, 900, 900};
	struct result r;

	(void)state;
	make_good(&r, false);
	make_periods(&r, falling, quick, 6);
	r.stability.state = STABILITY_STABLE;
	expect_valid(&r);
	r.stability.state = STABILITY_UNSTABLE;
	r.stability.windows = 10;
	expect(&r, VERDICT_UNSTABLE, WORDS("10 windows", "10 %"));
}

static void a_difference_below_the_clocks_worth_is_none(void **state)
{
	static const nsec_t rising[] = {60 * US, 60 * US, 60 * US, 60 * US, 75 * US, 75 * US};
	struct result r;

	(void)state;
	make_good(&r, false);
	make_periods(&r, even, rising, 6);
	expect_valid(&r);
	result_release(&r);
}

static void the_burn_in_and_the_rest_of_a_period_are_no_thirds(void **state)
{
	static const unsigned slow_start[] = {10, 500, 1000, 1000, 1000, 300};
	static const nsec_t medians[] = {90 * MS, 2 * MS, MS, MS, MS, 3 * MS};
	struct result r;

	(void)state;
	make_good(&r, false);
	make_periods(&r, slow_start, medians, 6);
	r.burn_in_end = r.start + 2 * S;
	r.periods[5].test_time = r.periods[4].test_time + 300 * MS;
	expect_valid(&r);
	/* with less burn-in the second period counts, which was as quick but answered half */
	r.periods[1].quantiles[1] = MS;
	r.burn_in_end = r.start + S;
	expect(&r, VERDICT_UNSTABLE, WORDS("from 750 to 1000 inferences/s"));
}

static void too_few_periods_or_answers_tell_nothing_of_stability(void **state)
{
	static const unsigned few[] = {10, 20, 30, 40, 10, 1};
	struct result r;

	(void)state;
	make_good(&r, false);
	make_periods(&r, (const unsigned[]){1000, 100}, quick, 2);
	expect_valid(&r);
	result_release(&r);
	make_good(&r, false);
	make_periods(&r, few, quick, 6);
	expect_valid(&r);
	result_release(&r);
}

/* Against the definition: the first n for which all n answers on one side of the percentile are that unlikely. */
static void samples_needed_are_those_of_order_statistics(void **state)
{
	static const double percentiles[] = {1, 10, 50, 75, 90, 95, 99, 99.9, 99.99};

	(void)state;
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
		double p = percentiles[i] / 100, below = 1, above = 1;
		uint64_t n = 0;

		while (below > 0.025 || above > 0.025) {
			below *= p;
			above *= 1 - p;
			n++;
		}
		assert_int_equal(audit_samples_needed(percentiles[i]), n);
	}
	assert_int_equal(audit_samples_needed(99), 368);
	assert_int_equal(audit_samples_needed(99.9), 3688);
}

static void too_few_answers_are_too_short(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, false);
	record(&r, 0, 0, MS, 368);
	expect_valid(&r);
	r.audit.percentile = 99.9;
	expect(&r, VERDICT_TOO_SHORT, WORDS("q99.9 needs 3688", "368 came", "3320 are missing"));
	make_empty(&r, false);
	record(&r, 0, 0, MS, 367);
	r.audit.percentile = 0; /* the default */
	expect(&r, VERDICT_TOO_SHORT, WORDS("q99 needs 368", ": 1 are missing"));
}

static void a_batch_is_one_answer(void **state)
{
	struct stamps s = {.received = MS};
	struct result r;

	(void)state;
	make_empty(&r, false);
	for (int i = 0; i < 100; i++)
		recorder_record(&r.all, &s, OUTCOME_OK, 64);
	expect(&r, VERDICT_TOO_SHORT, WORDS("100 came"));
}

static void less_than_a_second_is_too_short(void **state)
{
	struct result r;

	(void)state;
	make_good(&r, false);
	r.burn_in_end = r.end - S;
	expect_valid(&r);
	r.burn_in_end = r.end - 999 * MS;
	expect(&r, VERDICT_TOO_SHORT, WORDS("0.999 s"));
}

static void nothing_measured_is_too_short(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	expect(&r, VERDICT_TOO_SHORT, WORDS("0 came", "368 are missing"));
}

/* All at once, then one after the other taken away. */
static void the_gravest_reason_is_the_verdict(void **state)
{
	static const enum verdict order[] = {VERDICT_ERRORS, VERDICT_CLIENT_LIMITED, VERDICT_UNSTABLE,
					     VERDICT_TOO_SHORT};
	struct result r;

	(void)state;
	make_empty(&r, true);
	record(&r, S, 0, MS, 100);
	r.audit.behind = 0.5;
	r.audit.machine.steal = 0.5;
	r.unanswered = 1;
	audit_judge(&r);
	assert_int_equal(r.audit.nreasons, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(r.audit.reasons[i].verdict, order[i]);
	assert_int_equal(r.audit.verdict, VERDICT_ERRORS);
	r.unanswered = 0;
	audit_judge(&r);
	assert_int_equal(r.audit.verdict, VERDICT_CLIENT_LIMITED);
	r.audit.machine.steal = 0;
	audit_judge(&r);
	assert_int_equal(r.audit.verdict, VERDICT_UNSTABLE);
	assert_int_equal(r.audit.nreasons, 2);
	r.audit.behind = 0;
	r.audit.percentile = 50;
	recorder_reset(&r.all);
	record(&r, 0, 0, MS, 1);
	audit_judge(&r);
	assert_int_equal(r.audit.verdict, VERDICT_TOO_SHORT);
	record(&r, 0, 0, MS, 10);
	audit_judge(&r);
	assert_int_equal(r.audit.verdict, VERDICT_VALID);
	result_release(&r);
}

/* Every reason there is at the same time: none is lost, none is cut. */
static void all_reasons_are_listed_whole(void **state)
{
	struct result r;

	(void)state;
	make_empty(&r, true);
	r.workers = 65536;
	r.stopped_by_error = true;
	r.unanswered = UINT64_MAX;
	for (int o = 0; o < OUTCOME_MAX; o++)
		r.all.totals.inferences[o] = UINT64_MAX / 4;
	r.all.totals.requests[OUTCOME_WRONG] = 3000000;
	record(&r, HISTOGRAM_LATENCY_HIGHEST, HISTOGRAM_LATENCY_HIGHEST / 3, 1, 100);
	r.audit.threads[0] = (struct thread_usage){.wall = 10, .cpu = 5, .waiting = 5};
	r.audit.machine = (struct machine_usage){1, UINT64_MAX, INT64_MAX};
	r.offered.requests = UINT64_MAX;
	r.audit.behind = 0.99;
	r.audit.percentile = 99.9999;
	make_periods(&r, even, (const nsec_t[]){MS, MS, MS, MS, HISTOGRAM_LATENCY_HIGHEST, HISTOGRAM_LATENCY_HIGHEST},
		     6);
	r.end = r.start + 1;
	audit_judge(&r);
	assert_int_equal(r.audit.nreasons, 14);
	assert_true(r.audit.nreasons < AUDIT_REASONS_MAX);
	for (unsigned i = 0; i < r.audit.nreasons; i++)
		assert_true(strlen(r.audit.reasons[i].text) < sizeof(r.audit.reasons[i].text) - 1);
	result_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_wrong_is_valid),
		cmocka_unit_test(every_outcome_but_a_right_answer_is_an_error),
		cmocka_unit_test(a_run_that_ended_early_is_an_error),
		cmocka_unit_test(a_thread_without_time_left_limits_the_client),
		cmocka_unit_test(a_thread_that_waits_for_a_core_limits_the_client),
		cmocka_unit_test(a_thread_that_spins_may_be_busy),
		cmocka_unit_test(what_others_take_from_the_machine_limits_the_client),
		cmocka_unit_test(lag_is_compared_with_the_figure_that_it_is_part_of),
		cmocka_unit_test(lag_comes_with_its_cause),
		cmocka_unit_test(a_window_that_shows_in_the_percentile_limits_the_client),
		cmocka_unit_test(a_rate_that_idle_workers_do_not_reach_limits_the_client),
		cmocka_unit_test(a_queue_before_a_busy_thread_is_the_clients),
		cmocka_unit_test(requests_never_sent_are_a_queue_that_grew),
		cmocka_unit_test(a_queue_that_grew_is_unstable),
		cmocka_unit_test(a_server_that_hangs_is_no_fault_of_the_generator),
		cmocka_unit_test(a_slow_pipe_leaves_requests_unsent_too),
		cmocka_unit_test(thirds_that_differ_are_unstable),
		cmocka_unit_test(a_third_of_mere_errors_tells_nothing),
		cmocka_unit_test(windows_that_did_not_come_to_rest_are_unstable),
		cmocka_unit_test(a_difference_below_the_clocks_worth_is_none),
		cmocka_unit_test(the_burn_in_and_the_rest_of_a_period_are_no_thirds),
		cmocka_unit_test(too_few_periods_or_answers_tell_nothing_of_stability),
		cmocka_unit_test(samples_needed_are_those_of_order_statistics),
		cmocka_unit_test(too_few_answers_are_too_short),
		cmocka_unit_test(a_batch_is_one_answer),
		cmocka_unit_test(less_than_a_second_is_too_short),
		cmocka_unit_test(nothing_measured_is_too_short),
		cmocka_unit_test(the_gravest_reason_is_the_verdict),
		cmocka_unit_test(all_reasons_are_listed_whole),
	};

	return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}
