/* MLPerf's rules on lists of latencies, and the summary's text and JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "stats/json_writer.h"
#include "stats/scenario_summary.h"

#define MS NSEC_PER_MSEC

struct fixture {
	struct scenario_settings settings;
	struct scenario_counts counts;
	struct latency_log latencies;
	struct scenario_summary summary;
	char *text;
};

/* n queries of 1, 2, … n ms, a run that met all minima. */
static void given(struct fixture *f, enum scenario scenario, uint64_t n)
{
	f->settings = scenario_rules(scenario);
	if (scenario == SCENARIO_SERVER)
		f->settings.target_latency = SCENARIO_TARGET_LATENCY;
	f->counts = (struct scenario_counts){
		.queries = n,
		.samples = n * (f->settings.samples_per_query ? f->settings.samples_per_query : 1),
		.library = 1000,
		.last_due = SCENARIO_MIN_DURATION,
		.last_done = SCENARIO_MIN_DURATION + 5 * MS,
	};
	latency_log_release(&f->latencies);
	assert_int_equal(latency_log_init(&f->latencies, n + 1, 0), 0);
	for (uint64_t i = 1; i <= n; i++)
		latency_log_add(&f->latencies, (nsec_t)i * MS);
}

/* Makes the first n of them `latency`; the others stay longer. */
static void within(struct fixture *f, uint64_t n, nsec_t latency)
{
	for (uint64_t i = 0; i < n; i++)
		f->latencies.values[i] = latency;
}

static const struct scenario_summary *judge(struct fixture *f)
{
	size_t size;
	FILE *out;

	scenario_judge(&f->summary, &f->settings, &f->counts, &f->latencies);
	free(f->text);
	f->text = NULL;
	out = open_memstream(&f->text, &size);
	assert_non_null(out);
	scenario_write_text(out, &f->summary, "a test");
	assert_int_equal(fclose(out), 0);
	return &f->summary;
}

static void says(const struct fixture *f, const char *line)
{
	if (!strstr(f->text, line))
		fail_msg("the summary does not say \"%s\":\n%s", line, f->text);
}

static void says_not(const struct fixture *f, const char *words)
{
	if (strstr(f->text, words))
		fail_msg("the summary says \"%s\":\n%s", words, f->text);
}

static int setup(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	latency_log_release(&f->latencies);
	free(f->text);
	free(f);
	return 0;
}

static void single_stream_reports_the_90th_percentile_and_its_estimates(void **state)
{
	struct fixture *f = *state;
	const struct scenario_summary *s;

	given(f, SCENARIO_SINGLE_STREAM, 1000);
	s = judge(f);
	assert_true(s->valid);
	assert_int_equal(s->percentile, 901 * MS); /* sorted[900] */
	assert_int_equal(s->min, 1 * MS);
	assert_int_equal(s->max, 1000 * MS);
	assert_int_equal(s->mean, 500 * MS + MS / 2);
	/* p99: h(2) = 836, so of 1000 two may be over it */
	assert_true(s->estimate[1].known);
	assert_int_equal(s->estimate[1].over, 2);
	assert_int_equal(s->estimate[1].latency, 999 * MS);
	assert_true(s->estimate[0].known);
	assert_int_equal(s->estimate[0].latency, (nsec_t)(1001 - s->estimate[0].over) * MS);
	assert_true(s->estimate[0].latency >= s->percentile);
	says(f, "SUT name : a test\nScenario : SingleStream\nMode     : PerformanceOnly\n"
		"90.0th percentile latency (ns) : 901000000\nResult is : VALID\n  Min duration satisfied : Yes\n"
		"  Min queries satisfied : Yes\n  Early stopping satisfied: Yes\nEarly Stopping Result:\n"
		" * Processed at least 64 queries (1000).\n");
	says(f, "QPS w/ loadgen overhead         : 1.67\nQPS w/o loadgen overhead        : 2.00\n");
	says(f, "Min latency (ns)                : 1000000\n");
	says(f, "99.90 percentile latency (ns)   : 1000000000\n");
	says(f, "samples_per_query : 1\n");
	says(f, "min_duration (ms): 600000\n");
	says_not(f, "Not comparable");
	says_not(f, "Recommendations");
}

/* What precedes the colon of a line; the whole line where there is none. */
static size_t label_of(const char *line)
{
	size_t len = strcspn(line, "\n");
	const char *colon = memchr(line, ':', len);

	return colon ? (size_t)(colon - line) : len;
}

/* Each of the lines' labels stands below the one before. */
static void says_in_order(const struct fixture *f, const char *lines)
{
	const char *at = f->text;

	for (; *lines; lines += strcspn(lines, "\n") + 1) {
		const char *found;
		char label[128];

		snprintf(label, sizeof(label), "\n%.*s", (int)label_of(lines), lines);
		found = strstr(at, label);
		if (found)
			at = found + 1;
		else
			fail_msg("no \"%s\" where LoadGen has it:\n%s", label + 1, f->text);
	}
}

/* Lines of LoadGen 6.0.17's mlperf_log_summary.txt, values left out. */
#define VERDICT "Result is :\n  Min duration satisfied :\n  Min queries satisfied :\n  Early stopping satisfied:\n"
#define LATENCIES \
	"Min latency (ns)                :\nMax latency (ns)                :\nMean latency (ns)               :\n" \
	"50.00 percentile latency (ns)   :\n90.00 percentile latency (ns)   :\n95.00 percentile latency (ns)   :\n" \
	"97.00 percentile latency (ns)   :\n99.00 percentile latency (ns)   :\n99.90 percentile latency (ns)   :\n"
#define PARAMETERS \
	"Test Parameters Used\nsamples_per_query :\ntarget_qps :\ntarget_latency (ns):\nmax_async_queries :\n" \
	"min_duration (ms):\nmax_duration (ms):\nmin_query_count :\nmax_query_count :\nqsl_rng_seed :\n" \
	"sample_index_rng_seed :\nschedule_rng_seed :\naccuracy_log_rng_seed :\naccuracy_log_probability :\n" \
	"accuracy_log_sampling_target :\nprint_timestamps :\nperformance_issue_unique :\n" \
	"performance_issue_same :\nperformance_issue_same_index :\nperformance_sample_count :\n" \
	"accuracy_sample_count :\nNo warnings encountered during test.\nNo errors encountered during test.\n"
#define HEAD "MLPerf Results Summary\nSUT name :\nScenario :\nMode     :\n"

static void labels_are_loadgens_in_its_order(void **state)
{
	static const struct {
		enum scenario scenario;
		const char *lines;
	} cases[] = {
		{SCENARIO_SINGLE_STREAM, HEAD
		 "90.0th percentile latency (ns) :\n" VERDICT "Early Stopping Result:\n"
		 " * Early stopping 90.0th percentile estimate:\n * Early stopping 99.0th percentile estimate:\n"
		 "Additional Stats\nQPS w/ loadgen overhead         :\nQPS w/o loadgen overhead        :\n" LATENCIES
			 PARAMETERS},
		{SCENARIO_MULTI_STREAM,
		 HEAD "99.0th percentile latency (ns) :\n" VERDICT "Early Stopping Result:\n"
		      " * Early stopping 99.0th percentile estimate:\nAdditional Stats\nPer-query latency:\n" LATENCIES
			      PARAMETERS},
		{SCENARIO_SERVER, HEAD "Completed samples per second    :\n" VERDICT
				       "Early Stopping Result:\n * Run successful.\nAdditional Stats\n"
				       "Scheduled samples per second :\n" LATENCIES PARAMETERS},
		{SCENARIO_OFFLINE, HEAD "Samples per second:\n" VERDICT "Additional Stats\n" LATENCIES PARAMETERS},
	};
	struct fixture *f = *state;

	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		given(f, cases[c].scenario, 30000);
		within(f, 30000, MS);
		f->latencies.values[29999] = 600 * NSEC_PER_SEC;
		assert_true(judge(f)->valid);
		says_in_order(f, cases[c].lines);
	}
}

/* Runs of LoadGen 6.0.17 itself. */
static void discards_as_many_queries_as_loadgen(void **state)
{
	struct fixture *f = *state;

	given(f, SCENARIO_SINGLE_STREAM, 1188);
	judge(f);
	says(f, " * Processed at least 64 queries (1188).\n * Would discard 93 highest latency queries.\n");
	given(f, SCENARIO_MULTI_STREAM, 1001);
	judge(f);
	says(f, " * Processed at least 662 queries (1001).\n * Would discard 2 highest latency queries.\n");
}

/* h(1) + 1 queries: 64 for p90, 662 for p99. */
static void stream_of_too_few_queries_is_no_estimate(void **state)
{
	static const struct {
		enum scenario scenario;
		uint64_t enough;
	} cases[] = {{SCENARIO_SINGLE_STREAM, 64}, {SCENARIO_MULTI_STREAM, 662}};
	struct fixture *f = *state;

	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		char text[64];

		given(f, cases[c].scenario, cases[c].enough);
		f->settings.min_queries = 1;
		assert_true(judge(f)->valid);
		assert_int_equal(f->summary.estimate[0].over, 1);
		assert_int_equal(f->summary.estimate[0].latency, f->summary.max);
		given(f, cases[c].scenario, cases[c].enough - 1);
		f->settings.min_queries = 1;
		assert_false(judge(f)->valid);
		assert_false(f->summary.early_stopping_met);
		snprintf(text, sizeof(text), "Need to process at least %d queries for early", (int)cases[c].enough);
		says(f, text);
		says(f, "Early stopping satisfied: NO");
		says(f, "Recommendations:\n * Run longer: ");
	}
}

static void minimum_of_time_or_queries_missed_is_invalid(void **state)
{
	static const enum scenario scenarios[] = {SCENARIO_SINGLE_STREAM, SCENARIO_MULTI_STREAM, SCENARIO_SERVER};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		given(f, scenarios[i], 5000);
		within(f, 5000, MS);
		assert_true(judge(f)->valid);
		f->counts.last_due--;
		assert_false(judge(f)->valid);
		says(f, "Min duration satisfied : NO\n  Min queries satisfied : Yes\n");
		f->counts.last_due++;
		f->settings.min_queries = 5001;
		assert_false(judge(f)->valid);
		says(f, "Min duration satisfied : Yes\n  Min queries satisfied : NO\n");
	}
}

static void overridden_minima_are_said_and_not_comparable(void **state)
{
	struct fixture *f = *state;

	given(f, SCENARIO_MULTI_STREAM, 1000);
	f->settings.min_duration = 2 * NSEC_PER_SEC;
	f->settings.min_queries = 10;
	f->settings.samples_per_query = 4;
	assert_true(judge(f)->valid);
	assert_false(scenario_by_the_rules(&f->settings));
	says(f, "  Not comparable with MLPerf results:\n   * minimum duration overridden: 2 s instead of 600 s\n"
		"   * minimum of queries overridden: 10 instead of 662\n"
		"   * samples per query overridden: 4 instead of 8\n");
	/* Longer than the rules ask for is by the rules. */
	given(f, SCENARIO_SERVER, 1000);
	f->settings.min_duration = 2 * SCENARIO_MIN_DURATION;
	f->settings.min_queries = 100000;
	assert_true(scenario_by_the_rules(&f->settings));
}

/* n >= t + h(t): p99 at 0.99 gives h(0, 1, 2, 5, 10) = 459, 661, 836, 1302, 2000. */
static void server_is_invalid_with_one_query_too_many_over_the_target(void **state)
{
	static const struct {
		uint64_t over, under;
	} cases[] = {{0, 459}, {1, 661}, {2, 836}, {5, 1302}, {10, 2000}};
	struct fixture *f = *state;

	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		uint64_t n = cases[c].over + cases[c].under;

		given(f, SCENARIO_SERVER, n);
		for (uint64_t i = 0; i < n; i++)
			f->latencies.values[i] = i < cases[c].under ? 10 * MS : 10 * MS + 1;
		assert_true(judge(f)->valid);
		assert_int_equal(f->summary.over, cases[c].over);
		assert_int_equal(f->summary.needed, n);
		says(f, " * Run successful.\n");
		says(f, "Performance constraints satisfied : Yes\n");
		/* The same number, one of them late. */
		f->latencies.values[cases[c].under - 1] = 10 * MS + 1;
		assert_false(judge(f)->valid);
		assert_true(f->summary.latency_met);
		assert_false(f->summary.early_stopping_met);
		says(f, " * Run unsuccessful.\n");
	}
}

static void server_counts_completed_samples_until_the_last_was_done(void **state)
{
	struct fixture *f = *state;

	given(f, SCENARIO_SERVER, 6001);
	within(f, 6001, MS);
	f->counts.last_done = 601 * NSEC_PER_SEC;
	judge(f);
	says(f, "Completed samples per second    : 9.98\nResult is : VALID\n");
	says(f, "Scheduled samples per second : 10.00\n");
	says(f, "target_latency (ns): 10000000\n");
	/* Slow on the whole: early stopping and the percentile both say so. */
	within(f, 6001, 11 * MS);
	assert_false(judge(f)->valid);
	says(f, "Performance constraints satisfied : NO\n");
	says(f, " * Reduce the target QPS to improve the latency.\n");
}

static void offline_is_samples_over_the_time_of_the_whole_query(void **state)
{
	struct fixture *f = *state;

	given(f, SCENARIO_OFFLINE, 3072);
	f->settings.samples_per_query = 24576;
	f->counts.samples = 24576; /* tensor batches of 8: a latency for each */
	f->latencies.values[3071] = 600 * NSEC_PER_SEC;
	assert_true(judge(f)->valid);
	says(f, "Scenario : Offline\nMode     : PerformanceOnly\nSamples per second: 40.96\nResult is : VALID\n");
	says(f, "samples_per_query : 24576\n");
	says_not(f, "Early Stopping Result");
	says_not(f, "Not comparable");
	f->counts.samples = 24568;
	assert_false(judge(f)->valid);
	f->counts.samples = 24576;
	f->latencies.values[3071] = 300 * NSEC_PER_SEC;
	assert_false(judge(f)->valid);
	says(f, "raise -target-qps to 82");
}

static void failures_and_cut_short_runs_are_invalid(void **state)
{
	struct fixture *f = *state;

	for (int what = 0; what < 4; what++) {
		given(f, SCENARIO_SINGLE_STREAM, 1000);
		f->counts.failed = what == 0;
		f->counts.unanswered = what == 1 ? 2 : 0;
		f->counts.wrong = what == 2;
		f->counts.cut_short = what == 3;
		assert_false(judge(f)->valid);
		says(f, "Recommendations:\n * ");
		says(f, what == 0 ? "1 ERROR encountered" : "No errors encountered");
	}
}

static void run_without_a_query_is_described_all_the_same(void **state)
{
	struct fixture *f = *state;

	for (enum scenario s = SCENARIO_SINGLE_STREAM; s <= SCENARIO_OFFLINE; s++) {
		given(f, s, 0);
		f->counts.last_due = f->counts.last_done = 0;
		assert_false(judge(f)->valid);
		assert_true(f->summary.rate == 0);
		says(f, "Result is : INVALID");
	}
}

static void accuracy_run_answers_every_sample_and_says_how_many_are_right(void **state)
{
	struct fixture *f = *state;

	given(f, SCENARIO_OFFLINE, 1000);
	f->settings.mode = SCENARIO_ACCURACY;
	f->counts.compared = 1000;
	f->counts.right = 990;
	assert_true(judge(f)->valid);
	says(f, "Mode     : AccuracyOnly\nSamples answered : 1000 of 1000\nAccuracy : 99.0000 % (990 of 1000 answers "
		"right)\n"
		"Result is : VALID\n");
	says_not(f, "Min duration satisfied");
	f->counts.compared = 0;
	f->counts.samples = 999;
	assert_false(judge(f)->valid);
	says(f, "Accuracy : not known");
	says(f, "999 of the dataset's 1000 samples were answered");
}

/* Members as the writer lays them out; that the whole is JSON is test_report's to say. */
static void json_has_the_figures_of_the_text(void **state)
{
	static const char *const members[] = {
		"\"Name\": \"MultiStream\"",
		"\"Result\": \"VALID\"",
		"\"Comparable\": false",
		"\"minimum duration overridden: 1 s instead of 600 s\"",
		"\"Queries\": 700",
		"\"Samples\": 5600",
		"\"PercentileLatencyNs\": 694000000",
		"\"99.90\": 700000000",
		"\"QueriesNeeded\": 662",
		"\"SamplesPerQuery\": 8",
	};
	struct fixture *f = *state;
	struct json_writer w = {0};
	size_t size;

	given(f, SCENARIO_MULTI_STREAM, 700);
	f->settings.min_duration = NSEC_PER_SEC;
	judge(f);
	free(f->text);
	f->text = NULL;
	w.out = open_memstream(&f->text, &size);
	assert_non_null(w.out);
	json_begin(&w, NULL);
	scenario_write_json(&w, &f->summary);
	json_end(&w);
	assert_int_equal(fclose(w.out), 0);
	for (size_t i = 0; i < ARRAY_LEN(members); i++)
		says(f, members[i]);
}

#define SUMMARY_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SUMMARY_TEST(single_stream_reports_the_90th_percentile_and_its_estimates),
		SUMMARY_TEST(labels_are_loadgens_in_its_order),
		SUMMARY_TEST(discards_as_many_queries_as_loadgen),
		SUMMARY_TEST(stream_of_too_few_queries_is_no_estimate),
		SUMMARY_TEST(minimum_of_time_or_queries_missed_is_invalid),
		SUMMARY_TEST(overridden_minima_are_said_and_not_comparable),
		SUMMARY_TEST(server_is_invalid_with_one_query_too_many_over_the_target),
		SUMMARY_TEST(server_counts_completed_samples_until_the_last_was_done),
		SUMMARY_TEST(offline_is_samples_over_the_time_of_the_whole_query),
		SUMMARY_TEST(failures_and_cut_short_runs_are_invalid),
		SUMMARY_TEST(run_without_a_query_is_described_all_the_same),
		SUMMARY_TEST(accuracy_run_answers_every_sample_and_says_how_many_are_right),
		SUMMARY_TEST(json_has_the_figures_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
