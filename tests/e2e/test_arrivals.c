/*
 * test_arrivals.c - when a run asks, for how long and in which order: the options, the report and the results of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"

static void check_text(json_t *j, const char *name, const char *expected)
{
	assert_string_equal(text_at(value_at(j, "Offered"), name), expected);
}

static void check_number(json_t *j, const char *name, double expected)
{
	double value = number_at(value_at(j, "Offered"), name);

	if (value < expected - 1e-9 || value > expected + 1e-9)
		fail_msg("%s is %.9g, not %.9g", name, value, expected);
}

static void steps_and_ramps_send_what_they_ask_for(void **state)
{
	json_t *j;

	(void)state;
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-rate=1000:200ms,1000..5000:400ms", "-warm-up=100ms",
			 "-threads=3", "-json-out-file=steps.json"),
		   WORDS("Outcomes: 1300 right, 0 wrong, 0 errors, 0 timeouts after a burn-in of 100",
			 "Arrivals: constant, 1000:200ms,1000..5000:400ms inferences/s: offered 2600.00, achieved"));
	j = read_json("steps.json");
	check_text(j, "Process", "constant");
	check_text(j, "Schedule", "1000:200ms,1000..5000:400ms");
	check_text(j, "Order", "sequential");
	check_number(j, "WarmUpSeconds", 0.1);
	check_number(j, "DueRequests", 1300);
	check_number(j, "OfferedRate", 2600);
	check_number(j, "UnansweredRequests", 0);
	check_number(j, "UnsentRequests", 0);
	assert_true(json_is_null(value_at(j, "Offered/DurationSeconds")));
	assert_true(number_at(j, "MaxRps") > 4999.9);
	assert_true(number_at(j, "Offered/MeasuredSeconds") >= 0.5);
	json_decref(j);
}

static void same_seed_asks_the_same_whatever_the_threads(void **state)
{
	json_t *a, *b, *c;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-rate=2000", "-arrival=poisson", "-duration=400ms", "-seed=7",
			  "-threads=1", "-json-out-file=a.json"));
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-rate=2000", "-arrival=poisson", "-duration=400ms", "-seed=7",
			  "-threads=4", "-json-out-file=b.json"));
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-rate=2000", "-arrival=poisson", "-duration=400ms", "-seed=8",
			  "-threads=4", "-json-out-file=c.json"));
	a = read_json("a.json");
	b = read_json("b.json");
	c = read_json("c.json");
	check_text(a, "Process", "poisson");
	check_number(a, "Seed", 7);
	check_number(b, "DueRequests", number_at(a, "Offered/DueRequests"));
	/* 800 with a standard deviation of 28: six of them */
	assert_in_range(integer_at(a, "Offered/DueRequests"), 630, 970);
	assert_true(integer_at(a, "Offered/DueRequests") != integer_at(c, "Offered/DueRequests"));
	json_decref(a);
	json_decref(b);
	json_decref(c);
}

static void repeated_and_shuffled_dataset_outlasts_its_rows(void **state)
{
	json_t *j;

	(void)state;
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-repeat", "-order=shuffled", "-seed=9", "-max-queries=5000",
			 "-json-out-file=repeat.json"),
		   WORDS("Outcomes: 5000 right", "Rows: shuffled, repeated, seed 9"));
	j = read_json("repeat.json");
	check_text(j, "Process", "closed");
	check_text(j, "Order", "shuffled");
	assert_true(json_is_true(value_at(j, "Offered/Repeat")));
	assert_true(json_is_null(value_at(j, "Offered/Schedule")));
	json_decref(j);
}

/* Every id that -print-responses shows comes as often as asked for. */
static void shuffled_responses_are_of_every_row(void **state)
{
	static unsigned seen[TEST_ROWS];
	struct process_result r;
	unsigned in_order = 0, n = 0;

	(void)state;
	run_ok(&r, WORDS(NULL_RUN, "-file", files.data, "-order=shuffled", "-workers=1", "-print-responses"), NULL);
	for (const char *p = r.out; (p = strstr(p, "RESPONSE: ")); n++) {
		unsigned long id;

		p += strlen("RESPONSE: ");
		id = strtoul(p, NULL, 10);
		assert_true(id < TEST_ROWS);
		assert_int_equal(seen[id]++, 0);
		in_order += id == n;
	}
	assert_int_equal(n, TEST_ROWS);
	assert_true(in_order < 20);
	process_result_release(&r);
}

static void a_server_that_falls_silent_leaves_requests_unanswered_and_unsent(void **state)
{
	const struct fault_plan plan = {.fault = FAULT_SILENCE};
	struct faulty_server server;
	struct process_result r;
	json_t *j;

	(void)state;
	faulty_server_start(&server, &plan);
	process_run(&r,
		    WORDS(SET_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data, "-workers=4",
			  "-rate=100:1s", "-drain=200ms", "-json-out-file=silent.json"),
		    NULL, LIMIT_SECONDS);
	check_holds(r.out,
		    WORDS("4 requests unanswered at the end; 96 requests due and never sent", "nothing was measured"));
	process_result_release(&r);
	faulty_server_stop(&server);
	j = read_json("silent.json");
	check_number(j, "DueRequests", 100);
	check_number(j, "UnansweredRequests", 4);
	check_number(j, "UnsentRequests", 96);
	json_decref(j);
}

static void arrivals_that_make_no_sense_are_wrong_usage(void **state)
{
	static const struct {
		const char *words[4], *says[2];
	} bad[] = {
		{{"-rate=5", "-limit-rps=5"}, {"-limit-rps"}},
		{{"-arrival=closed", "-rate=5"}, {"-arrival closed"}},
		{{"-arrival=closed", "-limit-rps=5"}, {"-arrival closed"}},
		{{"-arrival=poisson"}, {"-arrival poisson", "-rate"}},
		{{"-arrival=constant"}, {"-arrival constant", "-rate"}},
		{{"-arrival=often", "-rate=5"}, {"-arrival often", "poisson"}},
		{{"-rate=5..10"}, {"-rate 5..10", "duration"}},
		{{"-rate=0"}, {"-rate 0"}},
		{{"-order=backwards"}, {"-order backwards", "shuffled"}},
		{{"-repeat"}, {"-duration", "-max-queries"}},
		{{"-duration=-5s"}, {"-duration"}},
		{{"-warm-up=soon"}, {"-warm-up"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		run_fails(2, WORDS(NULL_RUN, "-file", files.data, bad[i].words[0], bad[i].words[1]), NULL,
			  (const char *const[]){bad[i].says[0], bad[i].says[1], NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(steps_and_ramps_send_what_they_ask_for),
		cmocka_unit_test(same_seed_asks_the_same_whatever_the_threads),
		cmocka_unit_test(repeated_and_shuffled_dataset_outlasts_its_rows),
		cmocka_unit_test(shuffled_responses_are_of_every_row),
		cmocka_unit_test(a_server_that_falls_silent_leaves_requests_unanswered_and_unsent),
		cmocka_unit_test(arrivals_that_make_no_sense_are_wrong_usage),
	};

	return cmocka_run_group_tests(tests, fraud_files_set_up, fraud_files_tear_down);
}
