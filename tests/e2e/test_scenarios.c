/*
 * test_scenarios.c - MLPerf's scenarios as a user runs them: with small minima, against the driver that answers at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"

#define QUICK "-min-duration=50ms"

static json_t *scenario_of(const char *path, json_t **whole)
{
	*whole = read_json(path);
	return value_at(*whole, "Scenario");
}

static void every_scenario_ends_with_loadgens_summary(void **state)
{
	static const struct {
		const char *options[6];
		const char *lines[9];
	} cases[] = {
		{{"-scenario=single-stream", QUICK},
		 {"Scenario : SingleStream\nMode     : PerformanceOnly\n90.0th percentile latency (ns) : ",
		  "  Early stopping satisfied: Yes\n", " * Early stopping 90.0th percentile estimate: ",
		  "QPS w/ loadgen overhead         : ", "QPS w/o loadgen overhead        : ", "samples_per_query : 1\n",
		  "min_query_count : 100\n", "Rows: drawn at random, with replacement, seed 7\n"}},
		{{"-scenario=multi-stream", QUICK},
		 {"Scenario : MultiStream\nMode     : PerformanceOnly\n99.0th percentile latency (ns) : ",
		  "Per-query latency:  \nMin latency (ns)                : ", "samples_per_query : 8\n",
		  "min_query_count : 662\n"}},
		{{"-scenario=multi-stream", QUICK, "-batch-size=4", "-samples-per-query=16"},
		 {"samples_per_query : 16\n", "samples per query overridden: 16 instead of 8\n"}},
		{{"-scenario=server", QUICK, "-target-qps=20000", "-target-latency=20s"},
		 {"Scenario : Server\nMode     : PerformanceOnly\nCompleted samples per second    : ",
		  "  Performance constraints satisfied : Yes\n", " * Run successful.\n",
		  "Scheduled samples per second : ", "target_qps : 20000\n", "target_latency (ns): 20000000000\n",
		  "max_async_queries : 8\n"}},
		{{"-scenario=offline", "-min-duration=0", "-batch-size=8", "-threads=2"},
		 {"Scenario : Offline\nMode     : PerformanceOnly\nSamples per second: ", "samples_per_query : 24576\n",
		  "min_query_count : 24576\n"}},
	};
	static const char *const all[] = {
		"MLPerf Results Summary\n",
		"SUT name : creditcard-fraud on null\n",
		"Result is : VALID\n",
		"  Min duration satisfied : Yes\n  Min queries satisfied : Yes\n",
		"  Not comparable with MLPerf results:\n   * minimum duration overridden: ",
		"Additional Stats\n",
		"Max latency (ns)                : ",
		"Mean latency (ns)               : ",
		"50.00 percentile latency (ns)   : ",
		"97.00 percentile latency (ns)   : ",
		"99.90 percentile latency (ns)   : ",
		"Test Parameters Used\n",
		"sample_index_rng_seed : 7\n",
		("performance_sample_count : " TEST_ROWS_TEXT "\n"),
		"No errors encountered during test.\n",
		NULL,
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		const char *words[16] = {NULL_RUN, "-file", files.data, "-seed=7", NO_HISTOGRAM};
		struct process_result r;

		memcpy(words + 5, cases[c].options, sizeof(cases[c].options));
		run_ok(&r, words, NULL);
		check_holds(r.out, all);
		check_holds(r.out, cases[c].lines);
		assert_non_null(strstr(r.out, "Took:"));
		assert_true(strstr(r.out, "Took:") < strstr(r.out, "MLPerf Results Summary"));
		process_result_release(&r);
	}
}

static void summary_goes_to_its_file_and_into_the_json(void **state)
{
	struct process_result r;
	json_t *whole, *s;

	(void)state;
	run_ok(&r,
	       WORDS(NULL_RUN, "-file", files.data, "-scenario=multi-stream", "-min-duration=0", "-min-queries=700",
		     "-mlperf-summary=summary.txt", "-json-out-file=scenario.json", NO_HISTOGRAM),
	       NULL);
	assert_null(strstr(r.out, "MLPerf Results Summary"));
	check_file("summary.txt", WORDS("Scenario : MultiStream\n", "Result is : VALID\n"));
	s = scenario_of("scenario.json", &whole);
	assert_string_equal(text_at(s, "Name"), "MultiStream");
	assert_string_equal(text_at(s, "Result"), "VALID");
	assert_int_equal(integer_at(s, "Queries"), 700);
	assert_int_equal(integer_at(s, "Samples"), 5600);
	assert_true(json_is_false(value_at(s, "Comparable")));
	assert_true(integer_at(s, "LatencyNs/99.00") == integer_at(s, "PercentileLatencyNs"));
	json_decref(whole);
	process_result_release(&r);
}

/* Two runs of one seed are of the same queries. */
static void server_sends_what_seed_and_rate_ask_for(void **state)
{
	int64_t queries[3];

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct process_result r;
		json_t *whole;

		run_ok(&r,
		       WORDS(NULL_RUN, "-file", files.data, "-scenario=server", "-target-qps=10000", QUICK,
			     i == 2 ? "-seed=2" : "-seed=1", i == 1 ? "-threads=3" : "-threads=1",
			     "-target-latency=20s", "-json-out-file=server.json", NO_HISTOGRAM),
		       NULL);
		queries[i] = integer_at(scenario_of("server.json", &whole), "Queries");
		json_decref(whole);
		process_result_release(&r);
	}
	assert_int_equal(queries[0], queries[1]);
	assert_int_not_equal(queries[0], queries[2]);
	assert_in_range(queries[0], 400, 600);
}

static void too_short_a_run_is_invalid_and_says_what_to_do(void **state)
{
	(void)state;
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-scenario=offline", "-min-queries=500", NO_HISTOGRAM),
		   WORDS("Result is : INVALID\n", "  Min duration satisfied : NO\n", "raise -target-qps to ",
			 "minimum of samples overridden: 500 instead of 24576\n"));
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-scenario=single-stream", "-min-duration=0", "-min-queries=30",
			 NO_HISTOGRAM),
		   WORDS("Result is : INVALID\n", " * Only processed 30 queries.\n",
			 " * Need to process at least 64 queries for early stopping.\n"));
}

static void accuracy_run_logs_the_answer_to_every_row_once(void **state)
{
	struct process_result r;
	json_t *log;

	(void)state;
	run_ok(&r,
	       WORDS(NULL_RUN, "-file", files.data, "-scenario=multi-stream", "-scenario-mode=accuracy",
		     "-accuracy-log=accuracy.json", NO_HISTOGRAM),
	       NULL);
	check_holds(r.out,
		    WORDS("Mode     : AccuracyOnly\n", "Samples answered : " TEST_ROWS_TEXT " of " TEST_ROWS_TEXT "\n",
			  "Result is : VALID\n"));
	log = read_json("accuracy.json");
	assert_int_equal(json_array_size(log), TEST_ROWS);
	for (size_t i = 0; i < TEST_ROWS; i++) {
		const json_t *entry = json_array_get(log, i);

		assert_int_equal(integer_at(entry, "seq_id"), i);
		assert_int_equal(integer_at(entry, "qsl_idx"), i);
		/* The null driver's answer: 1 and 0. */
		assert_string_equal(text_at(entry, "data"), "0000803F00000000");
	}
	json_decref(log);
	process_result_release(&r);
}

/* The null driver says class 0 to everything; the answers file wants class 1 once. */
static void accuracy_is_the_share_of_right_answers(void **state)
{
	static float expected[2 * TEST_ROWS];
	struct process_result r;
	json_t *whole, *s;

	(void)state;
	for (size_t i = 0; i < TEST_ROWS; i++)
		expected[2 * i + (i == 5)] = 1;
	write_file("expected.bin", expected, sizeof(expected));
	run_ok(&r,
	       WORDS(NULL_RUN, "-file", files.data, "-scenario=offline", "-scenario-mode=accuracy",
		     "-expected-answers=expected.bin", "-ignore-errors", "-accuracy-log=some-wrong.json",
		     "-json-out-file=accuracy-result.json", NO_HISTOGRAM),
	       NULL);
	check_holds(r.out, WORDS("Accuracy : 99.9500 % (1999 of 2000 answers right)\n", "Result is : VALID\n"));
	s = scenario_of("accuracy-result.json", &whole);
	assert_int_equal(integer_at(s, "ComparedSamples"), TEST_ROWS);
	assert_int_equal(integer_at(s, "RightSamples"), TEST_ROWS - 1);
	json_decref(whole);
	whole = read_json("some-wrong.json");
	assert_int_equal(json_array_size(whole), TEST_ROWS); /* the wrong one too */
	json_decref(whole);
	process_result_release(&r);
}

static void strict_makes_invalid_an_exit_status(void **state)
{
	(void)state;
	run_fails(3,
		  WORDS(NULL_RUN, "-file", files.data, "-scenario=single-stream", "-min-duration=0", "-min-queries=30",
			"-strict", NO_HISTOGRAM),
		  NULL, WORDS("the scenario's result is INVALID"));
}

static void wrong_usage_is_refused_in_one_line(void **state)
{
	static const struct {
		const char *options[4];
		const char *says;
	} cases[] = {
		{{"-scenario=both"}, "must be single-stream, multi-stream, server or offline"},
		{{"-scenario=server"}, "-target-qps"},
		{{"-scenario=server", "-target-qps=100", "-limit-rps=100"}, "-target-qps alone"},
		{{"-scenario=offline", "-limit-rps=100"}, "has no rate"},
		{{"-scenario=single-stream", "-batch-size=2"}, "-batch-size"},
		{{"-scenario=multi-stream", "-batch-size=3"}, "does not divide"},
		{{"-scenario=offline", "-burn-in=10"}, "leave a burn-in out"},
		{{"-scenario=offline", "-max-queries=10"}, "leave -max-queries out"},
		{{"-scenario=offline", "-sweep=workers=1,2"}, "-sweep"},
		{{"-scenario=single-stream", "-stable"}, "-stable"},
		{{"-scenario-mode=accuracy"}, "needs -scenario"},
		{{"-scenario=offline", "-scenario-mode=speed"}, "must be performance or accuracy"},
		{{"-scenario=offline", "-accuracy-log=x"}, "-scenario-mode accuracy"},
		{{"-mlperf-summary=x"}, "needs -scenario"},
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		const char *words[10] = {NULL_RUN, "-file", files.data};

		memcpy(words + 3, cases[c].options, sizeof(cases[c].options));
		run_fails(2, words, NULL, WORDS(cases[c].says));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_scenario_ends_with_loadgens_summary),
		cmocka_unit_test(summary_goes_to_its_file_and_into_the_json),
		cmocka_unit_test(server_sends_what_seed_and_rate_ask_for),
		cmocka_unit_test(too_short_a_run_is_invalid_and_says_what_to_do),
		cmocka_unit_test(accuracy_run_logs_the_answer_to_every_row_once),
		cmocka_unit_test(accuracy_is_the_share_of_right_answers),
		cmocka_unit_test(strict_makes_invalid_an_exit_status),
		cmocka_unit_test(wrong_usage_is_refused_in_one_line),
	};

	return cmocka_run_group_tests(tests, fraud_files_set_up, fraud_files_tear_down);
}
