/*
 * test_series.c - sweeps, searches and runs that come to rest, as a user makes them.
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

static unsigned count_lines(const char *path)
{
	size_t len;
	char *text = read_file(path, &len);
	unsigned n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';
	free(text);
	return n;
}

static void a_sweep_runs_every_point_as_often_as_asked(void **state)
{
	(void)state;
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-sweep=workers=1,2..4;batch=1,8", "-repetitions=2",
			 NO_HISTOGRAM, "-json-out-file=sweep.json", "-summary-out-file=points.json",
			 "-summary-csv-out-file=points.csv"),
		   WORDS("== Point 1 of 6: workers 1, batch 1", "== Point 6 of 6: workers 4, batch 8", "== Sweep",
			 "  knee"));
	for (int workers = 1; workers <= 4; workers *= 2) {
		for (int i = 0; i < 4; i++) {
			char path[128], text[64];

			snprintf(path, sizeof(path), "sweep_workers_%d_batch_%d_run_%d.json", workers, i < 2 ? 1 : 8,
				 i % 2 + 1);
			snprintf(text, sizeof(text), "\"Workers\": %d,", workers);
			check_file(path, WORDS(text, i < 2 ? "\"TensorBatchSize\": 1," : "\"TensorBatchSize\": 8,"));
		}
	}
	check_file("points.json",
		   WORDS("\"Sweep\": \"workers=1,2..4;batch=1,8\"", "\"Runs\": 2,", "\"Batch\": 8,", "\"Knee\": true"));
	assert_int_equal(count_lines("points.csv"), 7);
}

static void a_sweep_of_rates_offers_them(void **state)
{
	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-sweep", "rate=20000,40000", NO_HISTOGRAM,
			  "-json-out-file=rates.json"));
	check_file("rates_rate_20000.json", WORDS("\"MaxRps\": 20000,", "\"Arrival\": \"open\""));
	check_file("rates_rate_40000.json", WORDS("\"MaxRps\": 40000,"));
}

static void the_command_of_a_sweep_is_run_before_each_point(void **state)
{
	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-sweep", "workers=2;server-batch=0,10", NO_HISTOGRAM,
			  "-json-out-file=server.json", "-sweep-command",
			  "echo {server-batch} {workers} {batch} {other} >>points.log", "-batch-size=5"));
	check_file("points.log", WORDS("0 2 5 {other}\n10 2 5 {other}\n"));
	check_file("server_workers_2_server-batch_10.json", WORDS("\"MetadataAutobatching\": 10,"));
	run_fails(1,
		  WORDS(NULL_RUN, "-file", files.data, "-sweep", "workers=1", NO_HISTOGRAM, "-sweep-command", "exit 7"),
		  NULL, WORDS("-sweep-command", "status 7"));
}

static void an_interrupted_sweep_tells_what_it_has(void **state)
{
	struct process_result r;

	(void)state;
	process_run(&r,
		    WORDS(NULL_RUN, "-file", files.data, "-sweep=workers=1..4", NO_HISTOGRAM, "-sweep-command",
			  "test {workers} != 2 || kill -TERM $PPID", "-summary-csv-out-file=interrupted.csv"),
		    NULL, LIMIT_SECONDS);
	assert_int_equal(r.status, 128 + 15);
	check_holds(r.out, WORDS("== Point 2 of 3", "== Sweep"));
	assert_null(strstr(r.out, "== Point 3 of 3"));
	process_result_release(&r);
	assert_in_range(count_lines("interrupted.csv"), 2, 3);
}

static void what_makes_no_series_is_wrong_usage(void **state)
{
	static const struct {
		const char *words[4];
		const char *text;
	} bad[] = {
		{{"-sweep=workers=0"}, "-sweep"},
		{{"-sweep=server-batch=1,2"}, "-sweep-command"},
		{{"-sweep-command=true"}, "-sweep"},
		{{"-sweep=workers=1,2", "-sweep-command=echo {rate}"}, "{rate}"},
		{{"-sweep=workers=1", "-search=max-rate", "-slo=p99<=1ms"}, "-search"},
		{{"-search=max-rate"}, "-slo"},
		{{"-search=min-rate", "-slo=p99<=1ms"}, "max-rate"},
		{{"-search=max-rate", "-slo=p99"}, "-slo"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-search-range=10"}, "-search-range"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-search-range=10..1"}, "-search-range"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-search-precision=0%"}, "-search-precision"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-search-precision=x"}, "-search-precision"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-stable"}, "-stable"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-rate=100"}, "-rate"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-repetitions=3"}, "-repetitions"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-max-queries=3"}, "-max-queries"},
		{{"-search=max-rate", "-slo=p99<=1ms", "-arrival=closed"}, "-arrival"},
		{{"-sweep=rate=1,2", "-limit-rps=100"}, "-rate"},
		{{"-sweep=workers=1,2", "-scenario=offline"}, "-scenario"},
		{{"-stable", "-scenario=offline"}, "-scenario"},
		{{"-stable", "-window=0"}, "-window"},
		{{"-stable", "-window=1us"}, "-window"},
		{{"-slo=p99<=1ms"}, "-slo has no effect without -search"},
		{{"-probe-duration=1s", "-sweep=workers=1,2"}, "-probe-duration has no effect"},
		{{"-window=5s"}, "-window has no effect without -stable"},
		{{"-verify-share=1%"}, "-verify-share has no effect without -verify"},
		{{"-target-qps=7", "-scenario=single-stream"}, "-target-qps has no effect"},
		{{"-workers=7", "-scenario", "single-stream"}, "-workers has no effect with -scenario=single-stream"},
		{{"-min-queries=7"}, "-min-queries has no effect without -scenario"},
		{{"-spin", "-workers=2"}, "-spin has no effect without -rate"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		run_fails(2,
			  WORDS(NULL_RUN, "-file", files.data, bad[i].words[0], bad[i].words[1], bad[i].words[2],
				bad[i].words[3]),
			  NULL, WORDS(bad[i].text));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-sweep=workers=1", "-summary-out-file", files.data), NULL,
		  WORDS("-summary-out-file", "-file"));
	run_fails(2, WORDS(NULL_RUN, "-sweep=workers=1,2"), NULL, WORDS("-sweep", "-file"));
}

static void a_search_ends_at_the_end_of_its_range(void **state)
{
	(void)state;
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-search=max-rate", "-slo=p50<=5s", "-search-range=50..2000",
			 "-probe-duration=200ms", "-duration=300ms", NO_HISTOGRAM, "-json-out-file=search.json",
			 "-summary-out-file=found.json", "-summary-csv-out-file=found.csv"),
		   WORDS("Closed loop of 8 workers:", "== Search for the highest rate", "p50 <= 5s",
			 "Highest rate: 2000.0 inferences/s meet p50 <= 5s with a confidence of 0.99",
			 "the end of -search-range"));
	check_file("found.json",
		   WORDS("\"HighestRate\": 2000,", "\"Stage\": \"confirmation\"", "\"Verdict\": \"pass\""));
	check_file("found.csv", WORDS("2000.000000,", ",confirmation,pass,0.995,"));
	check_file("search_rate_2000.json", WORDS("\"MaxRps\": 2000,")); /* of the probes only the confirmation's */
}

/* The probe's requests over the only bound. */
static long long requests_over(const json_t *probe)
{
	return integer_at(json_array_get(value_at(probe, "OverBound"), 0), "Requests");
}

/* A probe fails where answers were late or something else went wrong, and passes at no rate above this. Returns the
 * last. */
static const json_t *check_probes(const json_t *j, double highest)
{
	const json_t *probes = value_at(j, "Probes"), *last = NULL;

	for (size_t i = 0; i < json_array_size(probes); i++) {
		const char *verdict;

		last = json_array_get(probes, i);
		verdict = text_at(last, "Verdict");
		if (strcmp(verdict, "pass") == 0)
			assert_true(number_at(last, "OfferedRate") < highest);
		if (strcmp(verdict, "fail") == 0)
			assert_true(!json_is_null(value_at(last, "Failure")) || requests_over(last) > 0);
	}
	assert_non_null(last);
	return last;
}

/* One answer at a time, 4 ms each: whatever the machine, it never answers more than 250 a second. */
static void a_search_finds_less_than_the_server_can_do(void **state)
{
	static const char reply[] = "+OK\r\n";
	const struct fault_plan plan = {
		.fault = FAULT_REPLY, .reply = reply, .reply_len = sizeof(reply) - 1, .delay_us = 4000};
	struct faulty_server s;
	struct process_result r;
	const char *answer;
	json_t *j;

	(void)state;
	faulty_server_start(&s, &plan);
	process_run(&r,
		    WORDS(SET_RUN, "-file", files.data, "-port", s.port_text, "-search=max-rate", "-slo=p50<=100ms",
			  "-search-range=1..4000", "-search-precision=20%", "-probe-duration=1s", "-duration=2s",
			  "-reporting-period=0", NO_HISTOGRAM, "-summary-out-file=less.json"),
		    NULL, LIMIT_SECONDS);
	faulty_server_stop(&s);
	j = read_json("less.json");
	/* A probe of a second, at whose middle the queue is to be a tenth of a second long, with the same deviations. */
	check_probes(j, 250 + 0.2 * 250 + 5 * 23);
	json_decref(j);
	check_holds(r.out, WORDS("Closed loop of 8 workers:", "  growth "));
	assert_true(strstr(r.out, "  fail") || strstr(r.out, ": counts as failed"));
	answer = strstr(r.out, "Highest rate: ");
	if (r.status == 0) {
		assert_non_null(answer);
		/* what the chance of Poisson arrivals adds to 250/s in two seconds, five deviations of it */
		assert_true(atof(answer + strlen("Highest rate: ")) < 250 + 5 * 16);
	} else { /* a machine that is too busy to show anything */
		assert_int_equal(r.status, 1);
		assert_non_null(strstr(r.out, "No rate was shown"));
	}
	process_result_release(&r);
}

/* No answer within 5 ms, whatever the machine: the bound itself is missed by every one, and by enough of them to tell. */
static void a_search_without_an_answer_fails(void **state)
{
	const struct fault_plan plan = {.fault = FAULT_REPLY, .reply = "+OK\r\n", .reply_len = 5, .delay_us = 5000};
	const json_t *probes, *last;
	struct faulty_server s;
	struct process_result r;
	json_t *j;

	(void)state;
	faulty_server_start(&s, &plan);
	process_run(&r,
		    WORDS(SET_RUN, "-file", files.data, "-port", s.port_text, "-search=max-rate", "-slo=p50<=1ms",
			  "-search-range=5..20", "-probe-duration=500ms", "-reporting-period=0", NO_HISTOGRAM,
			  "-summary-out-file=none.json"),
		    NULL, LIMIT_SECONDS);
	faulty_server_stop(&s);
	assert_int_equal(r.status, 1);
	check_holds(r.out, WORDS("No rate was shown to meet p50 <= 1ms"));
	process_result_release(&r);
	j = read_json("none.json");
	assert_true(json_is_null(value_at(j, "HighestRate")));
	probes = value_at(j, "Probes");
	for (size_t i = 0; i < json_array_size(probes); i++)
		assert_int_equal(requests_over(json_array_get(probes, i)),
				 integer_at(json_array_get(probes, i), "Requests"));
	last = check_probes(j, 0);
	assert_true(number_at(last, "OfferedRate") == 5);
	assert_string_equal(text_at(last, "Verdict"), "fail");
	/* Seven late ones in a row have a chance of less than 0.01, the median being in time. */
	assert_true(integer_at(last, "Requests") >= 7);
	json_decref(j);
}

static void a_stable_run_says_whether_it_came_to_rest(void **state)
{
	struct process_result r;

	(void)state;
	run_ok(&r,
	       WORDS(NULL_RUN, "-file", files.data, "-stable", "-window=50", NO_HISTOGRAM,
		     "-json-out-file=stable.json"),
	       NULL);
	assert_true(strstr(r.out, "\nStable: the last 3 of ") ||
		    strstr(r.out, "\nUNSTABLE: throughput or latency of no 3 windows of 10 "));
	process_result_release(&r);
	check_file("stable.json", WORDS("\"Stability\": {", "\"Windows\": "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sweep_runs_every_point_as_often_as_asked),
		cmocka_unit_test(a_sweep_of_rates_offers_them),
		cmocka_unit_test(the_command_of_a_sweep_is_run_before_each_point),
		cmocka_unit_test(an_interrupted_sweep_tells_what_it_has),
		cmocka_unit_test(what_makes_no_series_is_wrong_usage),
		cmocka_unit_test(a_search_ends_at_the_end_of_its_range),
		cmocka_unit_test(a_search_finds_less_than_the_server_can_do),
		cmocka_unit_test(a_search_without_an_answer_fails),
		cmocka_unit_test(a_stable_run_says_whether_it_came_to_rest),
	};

	return cmocka_run_group_tests(tests, fraud_files_set_up, fraud_files_tear_down);
}
