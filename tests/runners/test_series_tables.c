/*
 * test_series_tables.c - what a probe counts, and the tables of sweeps and searches, from results made up here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "runners/probe_run.h"
#include "runners/search_log.h"
#include "runners/sweep_table.h"
#include "stats/json_writer.h"

static const struct slo slo = {.n = 2, .objectives = {{99, NSEC_PER_MSEC}, {50, NSEC_PER_MSEC / 10}}};

/* ---- probes ---- */

static void answer(struct recorder *r, unsigned requests, unsigned batch, nsec_t response)
{
	for (unsigned i = 0; i < requests; i++) {
		struct stamps s = {.intended = 1000, .sent = 1100, .received = 1000 + response};

		recorder_record(r, &s, OUTCOME_OK, batch);
	}
}

static void windows_are_counted_in_requests(void **state)
{
	struct probe probe = {0};
	struct probe_run run = {.slo = &slo, .probe = &probe, .batch = 4};
	struct result r = {.start = 0, .burn_in_end = 0, .end = 3 * NSEC_PER_SEC};

	(void)state;
	assert_int_equal(recorder_init(&r.all, true), 0);
	assert_false(probe_run_look(&run, 0, &r.all));
	answer(&r.all, 90, 4, 50000);
	answer(&r.all, 10, 4, 5 * NSEC_PER_MSEC);
	assert_false(probe_run_look(&run, NSEC_PER_SEC, &r.all));
	assert_int_equal(probe.n, 100);
	assert_int_equal(probe.over[0], 10);
	answer(&r.all, 100, 4, 200000);
	assert_false(probe_run_look(&run, 2 * NSEC_PER_SEC, &r.all));
	assert_int_equal(probe.over[0], 10);
	assert_int_equal(probe.over[1], 110);
	answer(&r.all, 7, 4, 50000);
	assert_int_equal(probe_run_finish(&run, &r, 4 * 69), PROBE_NO_FAILURE); /* 207 requests in three seconds */
	assert_int_equal(probe.n, 207);
	assert_int_equal(probe.levels[0].windows, 3);
	assert_int_equal(probe.levels[1].windows, 1);
	result_release(&r);
}

static void a_probe_that_clearly_fails_ends_early(void **state)
{
	struct probe probe = {0};
	struct probe_run run = {.slo = &slo, .probe = &probe, .batch = 1};
	struct result result = {.end = NSEC_PER_SEC};

	(void)state;
	assert_int_equal(recorder_init(&result.all, true), 0);
	assert_false(probe_run_look(&run, 0, &result.all));
	for (unsigned window = 1; window < PROBE_WINDOWS_MIN; window++) {
		answer(&result.all, 100, 1, 5 * NSEC_PER_MSEC);
		assert_false(probe_run_look(&run, 0, &result.all));
	}
	answer(&result.all, 100, 1, 5 * NSEC_PER_MSEC);
	assert_true(probe_run_look(&run, 0, &result.all));
	result.unanswered = result.unsent = 7; /* it was ended before they were answered */
	assert_int_equal(probe_run_finish(&run, &result, 1000), PROBE_NO_FAILURE);
	assert_true(run.failed);
	result_release(&result);
}

/* Ends a run of a second at 1000/s in which so many were answered, after `change`. */
static enum probe_failure failure_of(unsigned answered, enum outcome outcome, uint64_t unanswered, uint64_t unsent)
{
	struct probe probe = {0};
	struct probe_run run = {.slo = &slo, .probe = &probe, .batch = 1};
	struct result r = {.end = NSEC_PER_SEC, .unanswered = unanswered, .unsent = unsent};
	struct stamps s = {.intended = 1000, .sent = 1100, .received = 1200};
	enum probe_failure failure;

	assert_int_equal(recorder_init(&r.all, true), 0);
	answer(&r.all, answered - 1, 1, 50000);
	recorder_record(&r.all, &s, outcome, 1);
	failure = probe_run_finish(&run, &r, 1000);
	result_release(&r);
	return failure;
}

static void what_else_fails_a_probe_is_told(void **state)
{
	(void)state;
	assert_int_equal(failure_of(1000, OUTCOME_OK, 0, 0), PROBE_NO_FAILURE);
	assert_int_equal(failure_of(1000, OUTCOME_ERROR, 0, 0), PROBE_ERRORS);
	assert_int_equal(failure_of(1000, OUTCOME_TIMEOUT, 0, 0), PROBE_ERRORS);
	assert_int_equal(failure_of(1000, OUTCOME_WRONG, 0, 0), PROBE_ERRORS);
	assert_int_equal(failure_of(1000, OUTCOME_OK, 1, 0), PROBE_UNANSWERED);
	assert_int_equal(failure_of(1000, OUTCOME_OK, 0, 1), PROBE_UNANSWERED);
	/* 5 % and three standard deviations: 950 - 95 */
	assert_int_equal(failure_of(856, OUTCOME_OK, 0, 0), PROBE_NO_FAILURE);
	assert_int_equal(failure_of(854, OUTCOME_OK, 0, 0), PROBE_TOO_SLOW);
}

/* ---- sweeps ---- */

/* A closed loop's run of one second: n inferences of `latency` each; under 100 are too few for its verdict. */
static void add_run(struct sweep_table *t, const struct sweep *s, size_t point, unsigned n, nsec_t latency)
{
	struct result r = {.end = NSEC_PER_SEC,
			   .usage = {.user_seconds = n * 3e-6, .system_seconds = n * 2e-6},
			   .audit.verdict = n < 100 ? VERDICT_TOO_SHORT : VERDICT_VALID};
	struct sweep_point p;

	assert_int_equal(recorder_init(&r.all, false), 0);
	answer(&r.all, n, 1, latency + 100);
	sweep_point_at(&p, s, point);
	assert_int_equal(sweep_table_add(t, &p, &r), 0);
	result_release(&r);
}

static void parse(struct sweep *s, const char *text)
{
	struct error err;

	assert_int_equal(sweep_parse(s, text, &err), 0);
}

static void repetitions_become_one_row(void **state)
{
	struct sweep_table t = {0};
	struct sweep s;

	(void)state;
	parse(&s, "workers=1,2");
	add_run(&t, &s, 0, 120, 1000);
	add_run(&t, &s, 0, 100, 3000);
	add_run(&t, &s, 0, 90, 9000);
	add_run(&t, &s, 1, 50, 5000);
	add_run(&t, &s, 1, 70, 5000);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.rows[0].runs, 3);
	assert_true(t.rows[0].rate == 100 && fabs(t.rows[0].spread - 0.3) < 1e-9);
	/* of 310, the first 120 took 1 us, the next 100 3 us */
	assert_true(labs(t.rows[0].q50 - 3000) <= 3 && labs(t.rows[0].q99 - 9000) <= 9);
	assert_true(fabs(t.rows[0].mean - (120 * 1000 + 100 * 3000 + 90 * 9000) / 310.0) < 10);
	assert_true(fabs(t.rows[0].cpu - 5e-6) < 1e-12);
	assert_true(t.rows[1].rate == 60 && t.rows[1].runs == 2);
	sweep_table_release(&t);
}

static void each_setting_of_the_rest_has_its_knee(void **state)
{
	static const unsigned rates[2][4] = {{100, 180, 200, 200}, {100, 200, 380, 700}};
	static const nsec_t latencies[2][4] = {{10000, 11000, 20000, 40000}, {10000, 10000, 10500, 11000}};
	struct sweep_table t = {0};
	struct sweep s;

	(void)state;
	parse(&s, "workers=1..8;batch=1,8");
	for (size_t i = 0; i < s.points; i++)
		add_run(&t, &s, i, rates[i % 2][i / 2], latencies[i % 2][i / 2]);
	assert_int_equal(sweep_table_find_knees(&t, &s), 0);
	for (size_t i = 0; i < s.points; i++)
		assert_int_equal(t.rows[i].knee, i == 2 || i == 7); /* workers 2, batch 1; workers 8, batch 8 */
	sweep_table_release(&t);
}

static void workers_are_no_load_of_an_open_loop(void **state)
{
	static const unsigned rates[] = {100, 180, 200};
	static const nsec_t latencies[] = {10000, 11000, 20000};
	struct sweep_table t = {0};
	struct sweep s;

	(void)state;
	parse(&s, "rate=100,180,300;workers=1,2,4");
	for (size_t i = 0; i < s.points; i++)
		add_run(&t, &s, i, rates[i / 3], latencies[i / 3]);
	t.open_loop = true;
	assert_int_equal(sweep_table_find_knees(&t, &s), 0);
	for (size_t i = 0; i < s.points; i++)
		assert_int_equal(t.rows[i].knee, i / 3 == 1);
	sweep_table_release(&t);
	parse(&s, "workers=1,2,4,8");
	for (size_t i = 0; i < s.points; i++)
		add_run(&t, &s, i, 100, 1000);
	t.open_loop = true;
	assert_int_equal(sweep_table_find_knees(&t, &s), 0);
	for (size_t i = 0; i < s.points; i++)
		assert_false(t.rows[i].knee);
	sweep_table_release(&t);
}

/* Errors are quick. */
static void a_load_at_which_requests_fail_is_no_knee(void **state)
{
	static const unsigned rates[] = {100, 180, 200, 900};
	static const nsec_t latencies[] = {10000, 11000, 20000, 100};
	struct sweep_table t = {0};
	struct sweep s;

	(void)state;
	parse(&s, "workers=1..8");
	for (size_t i = 0; i < s.points; i++)
		add_run(&t, &s, i, rates[i], latencies[i]);
	t.rows[3].errors = 1;
	assert_int_equal(sweep_table_find_knees(&t, &s), 0);
	for (size_t i = 0; i < s.points; i++)
		assert_int_equal(t.rows[i].knee, i == 1);
	sweep_table_release(&t);
}

static void two_loads_have_no_knee(void **state)
{
	struct sweep_table t = {0};
	struct sweep s;

	(void)state;
	parse(&s, "workers=1,2;batch=1,8");
	for (size_t i = 0; i < s.points; i++)
		add_run(&t, &s, i, 100, 1000);
	assert_int_equal(sweep_table_find_knees(&t, &s), 0);
	for (size_t i = 0; i < t.n; i++)
		assert_false(t.rows[i].knee);
	sweep_table_release(&t);
}

/* What a writer writes, malloc'd. */
static char *text_of(void (*write)(FILE *out, const void *arg), const void *arg)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	assert_non_null(f);
	write(f, arg);
	fclose(f);
	return text;
}

static void check_holds(char *text, const char *const *parts)
{
	for (; *parts; parts++) {
		if (!strstr(text, *parts))
			fail_msg("\"%s\" is not in\n%s", *parts, text);
	}
	free(text);
}

#define CHECK_HOLDS(text, ...) check_holds(text, (const char *const[]){__VA_ARGS__, NULL})

struct swept {
	struct sweep s;
	struct sweep_table t;
};

static void write_sweep(FILE *out, const void *arg)
{
	const struct swept *w = arg;
	struct json_writer json = {.out = out};

	sweep_table_write_text(out, &w->t, &w->s);
	sweep_table_write_csv(out, &w->t, &w->s);
	json_begin(&json, NULL);
	sweep_table_write_json(&json, &w->t, &w->s);
	json_end(&json);
}

static void a_sweep_is_written_in_three_forms(void **state)
{
	struct swept w = {0};

	(void)state;
	parse(&w.s, "workers=1..4");
	for (size_t i = 0; i < 3; i++)
		add_run(&w.t, &w.s, i, 100 + (unsigned)i, 1000000);
	assert_int_equal(w.t.rows[2].not_valid, 0);
	assert_int_equal(sweep_table_find_knees(&w.t, &w.s), 0);
	CHECK_HOLDS(text_of(write_sweep, &w), "\n     workers  Runs  Inferences/s  Spread ",
		    "           4     1         102.0     0 %     1.000     1.000", "5.00  knee\n", "Kleinrock",
		    "workers,runs,inferences_per_second,", "\n4,1,102.000,0.000000,1.000", ",0,0,0,0,0,1\n",
		    "\"Workers\": 4,", "\"InferencesPerSecond\": 102,", "\"Knee\": true");
	sweep_table_release(&w.t);
}

static void repetitions_are_told_with_their_spread_and_verdicts(void **state)
{
	struct swept w = {.s.points = 1};

	(void)state;
	add_run(&w.t, &w.s, 0, 100, 1000000);
	add_run(&w.t, &w.s, 0, 99, 1000000);
	add_run(&w.t, &w.s, 0, 110, 1000000);
	assert_int_equal(w.t.n, 1);
	CHECK_HOLDS(text_of(write_sweep, &w), "== Repetitions: median rate (spread", "\n   3         100.0    11 %",
		    "5.00  1 not VALID\n", "\n3,100.000,0.110000,", ",0,0,0,0,1,0\n", "\"NotValidRuns\": 1,");
	sweep_table_release(&w.t);
}

/* ---- searches ---- */

struct searched {
	struct search s;
	struct search_log l;
};

static void write_search(FILE *out, const void *arg)
{
	const struct searched *w = arg;
	struct json_writer json = {.out = out};

	search_log_write_heading(out, w->l.slo);
	for (size_t i = 0; i < w->l.n; i++)
		search_log_write_entry(out, &w->l.entries[i], w->l.slo);
	search_log_write_answer(out, &w->l, &w->s);
	search_log_write_csv(out, &w->l);
	json_begin(&json, NULL);
	search_log_write_json(&json, &w->l, &w->s);
	json_end(&json);
}

static void a_search_is_written_in_three_forms(void **state)
{
	struct searched w = {.s = {.cfg = {.highest = 1000, .confidence = 0.99, .precision = 0.01},
				   .stage = SEARCH_FOUND,
				   .rate = 512},
			     .l = {.slo = &slo}};
	const struct search_entry entries[] = {
		{.rate = 600,
		 .achieved = 400,
		 .stage = SEARCH_GROWTH,
		 .verdict = PROBE_FAIL,
		 .failure = PROBE_TOO_SLOW,
		 .confidence = 0.99,
		 .n = 4000,
		 .over = {90, 30},
		 .effect = {2.5, 1}},
		{.rate = 512, .stage = SEARCH_BISECTION, .verdict = PROBE_UNDECIDED, .confidence = 0.99},
		{.rate = 512,
		 .stage = SEARCH_BISECTION,
		 .verdict = PROBE_UNDECIDED,
		 .confidence = 0.99,
		 .extension = 2},
		{.rate = 512,
		 .stage = SEARCH_CONFIRMATION,
		 .verdict = PROBE_PASS,
		 .confidence = 0.995,
		 .n = 20480,
		 .over = {111, 222},
		 .effect = {1, 1}},
	};

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(search_log_add(&w.l, &entries[i]), 0);
	CHECK_HOLDS(
		text_of(write_search, &w), "p99 <= 1ms and p50 <= 100µs", "fail: less answered than offered\n",
		"undecided: goes on\n", "undecided: counts as failed\n",
		"Highest rate: 512.0 inferences/s meet p99 <= 1ms and p50 <= 100µs with a confidence of 0.99 (20480 "
		"requests, over the bound: 111 222)\n",
		"over_p99,effect_p99,over_p50,effect_p50\n600.000000,400.000000,growth,fail,0.99,4000,90,2.500,30,1."
		"000\n",
		"\"HighestRate\": 512,", "\"Failure\": \"less answered than offered\"", "\"ResponseNanos\": 1000000",
		"\"DesignEffect\": 2.5");
	w.s.stage = SEARCH_NONE;
	CHECK_HOLDS(text_of(write_search, &w), "No rate was shown to meet p99", "\"HighestRate\": null,");
	w.s.stage = SEARCH_FOUND;
	w.s.rate = 1000;
	CHECK_HOLDS(text_of(write_search, &w), "the end of -search-range");
	search_log_release(&w.l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_are_counted_in_requests),
		cmocka_unit_test(a_probe_that_clearly_fails_ends_early),
		cmocka_unit_test(what_else_fails_a_probe_is_told),
		cmocka_unit_test(repetitions_become_one_row),
		cmocka_unit_test(each_setting_of_the_rest_has_its_knee),
		cmocka_unit_test(workers_are_no_load_of_an_open_loop),
		cmocka_unit_test(a_load_at_which_requests_fail_is_no_knee),
		cmocka_unit_test(two_loads_have_no_knee),
		cmocka_unit_test(a_sweep_is_written_in_three_forms),
		cmocka_unit_test(repetitions_are_told_with_their_spread_and_verdicts),
		cmocka_unit_test(a_search_is_written_in_three_forms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
