/*
 * test_run_program.c - what all run_inference programs share, seen through those that need no model: exit statuses,
 * repetitions, expected answers, what the result files say and do not say.
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

#include <signal.h>

#include "tests/e2e/e2e.h"

static void the_null_driver_answers_every_row(void **state)
{
	struct process_result r;

	(void)state;
	run_ok(&r, WORDS(NULL_RUN, "-file", files.data, "-workers=64", "-threads=3", "-burn-in=100"), NULL);
	check_holds(r.out,
		    WORDS("burn-in complete after 100 queries with 64 workers", "count: 1900, timedOut count: 0"));
	assert_string_equal(r.err, "");
	process_result_release(&r);
}

static void a_run_without_a_beginning_prints_only_why(void **state)
{
	struct process_result r;

	(void)state;
	process_run(&r, WORDS(NULL_RUN, "-file", files.data, "-burn-in=5000"), NULL, LIMIT_SECONDS);
	assert_string_equal(r.out, "");
	check_failed(&r, NULL_RUN, 1, WORDS("-burn-in", TEST_ROWS_TEXT));
}

static void repetitions_write_a_file_each(void **state)
{
	char path[512];

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-repetitions=3", "-json-out-file=rep.json",
			  "-output-file-stats-hdr-response-latency-hist=folder.d-less"));
	for (int i = 1; i <= 3; i++) {
		snprintf(path, sizeof(path), "rep_run_%d.json", i);
		assert_int_equal(access(path, R_OK), 0);
		snprintf(path, sizeof(path), "folder_run_%d.d-less", i);
		assert_int_equal(access(path, R_OK), 0);
	}
	run_prints(
		WORDS(NULL_RUN, "-file", files.data, "-repetitions=3", "-summary-csv-out-file=rep.csv", NO_HISTOGRAM),
		WORDS("== Repetitions: median rate (spread: highest to lowest)", "\n   3  "));
	assert_int_equal(access("rep.csv", R_OK), 0);
	run_fails(2, WORDS(NULL_RUN, "-repetitions=2"), NULL, WORDS("-repetitions", "-file"));
}

static void bad_hosts_and_ports_are_wrong_usage(void **state)
{
	static const char *const bad[] = {"-host=127.0.0.1,", "-host=,127.0.0.1", "-host=127.0.0.1:port",
					  "-host=[::1",       "-port=0",          "-port=6379,",
					  "-port=65536",      "-host=a,b,c"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char option[] = {'-', bad[i][1], bad[i][2], bad[i][3], bad[i][4], '\0'};

		run_fails(2, WORDS(REDISAI_RUN, "-file", files.data, "-port=1,2", bad[i]), NULL, WORDS(option));
		run_fails(2, WORDS(SET_RUN, "-file", files.data, "-port=1,2", bad[i]), NULL, WORDS(option));
	}
}

static void results_name_the_machine(void **state)
{
	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-json-out-file=machine.json"));
	check_file("machine.json", WORDS("\"Platform\": {", "\"Kernel\": \"Linux ", "\"CPUsAllowed\": \"",
					 "\"Compiler\": \"", "\"OpenSSL\": \"OpenSSL "));
}

static void refuses_to_write(const char *option, const char *path, const struct process_options *o)
{
	size_t len, len_after;
	char *before = read_file(files.data, &len), *after;
	bool piped = o != NULL;

	run_fails(2, WORDS(NULL_RUN, piped ? "-file=-" : "-file", piped ? "-seed=1" : files.data, option, path), o,
		  WORDS(option, path));
	after = read_file(files.data, &len_after);
	assert_int_equal(len_after, len);
	assert_memory_equal(after, before, len);
	free(before);
	free(after);
}

#define JSON "-json-out-file"
#define HISTOGRAM "-output-file-stats-hdr-response-latency-hist"

static void a_result_never_replaces_what_the_run_reads(void **state)
{
	const struct process_options piped = {.stdin_path = files.data};
	char dotted[1024];
	char *text;

	(void)state;
	path_in(dotted, sizeof(dotted), files.folder, "./data-link.dat");
	assert_int_equal(symlink(files.data, "data-link.dat"), 0);
	assert_int_equal(link(files.data, "data-hard-link.dat"), 0);
	refuses_to_write(JSON, files.data, NULL);
	refuses_to_write(HISTOGRAM, files.data, NULL);
	refuses_to_write(JSON, dotted, NULL);
	refuses_to_write(HISTOGRAM, "data-hard-link.dat", NULL);
	refuses_to_write(JSON, files.data, &piped);
	write_file("answers.json", "1234", 4);
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-expected-answers=answers.json", JSON "=./answers.json"),
		  NULL, WORDS("-expected-answers", JSON));
	/* The name of a later repetition's file. */
	assert_int_equal(link(files.data, "again_run_2.json"), 0);
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-repetitions=3", JSON "=again.json"), NULL,
		  WORDS("-file", "again_run_2.json"));
	text = read_file("answers.json", NULL);
	assert_string_equal(text, "1234");
	free(text);
}

static void results_have_a_file_each(void **state)
{
	(void)state;
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, JSON "=both.txt", HISTOGRAM "=./both.txt"), NULL,
		  WORDS(JSON, HISTOGRAM, "both.txt"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-repetitions=2", JSON "=both.txt", HISTOGRAM "=both.txt"),
		  NULL, WORDS(JSON, HISTOGRAM));
	/* The default name counts too. */
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, JSON "=stats-response-latency-hist.txt"), NULL,
		  WORDS(JSON, HISTOGRAM));
	assert_int_equal(access("both.txt", F_OK), -1);
	/* A file of an earlier run is replaced, and devices take anything. */
	run_quietly(WORDS(NULL_RUN, "-file", files.data, JSON "=earlier.json"));
	run_quietly(WORDS(NULL_RUN, "-file", files.data, JSON "=earlier.json"));
	run_quietly(WORDS(NULL_RUN, "-file", files.data, JSON "=/dev/null", HISTOGRAM "=/dev/null"));
}

/* The null driver says class 0 to everything. */
static void make_expected(const char *path, unsigned wrong)
{
	float *p = calloc(TEST_ROWS, 2 * sizeof(*p));

	assert_non_null(p);
	for (unsigned i = 0; i < TEST_ROWS; i++)
		p[2 * i] = 1;
	for (unsigned i = 0; i < wrong; i++)
		p[2 * i * 7] = 0.5F;
	write_file(path, p, TEST_ROWS * 2 * sizeof(*p));
	free(p);
}

static void wrong_answers_fail_the_run_unless_ignored(void **state)
{
	struct process_result r;

	(void)state;
	make_expected("right.bin", 0);
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-expected-answers=right.bin"));
	make_expected("wrong.bin", 5);
	process_run(&r, WORDS(NULL_RUN, "-file", files.data, "-expected-answers=wrong.bin"), NULL, LIMIT_SECONDS);
	check_holds(r.out, WORDS("5 wrong", "count: " TEST_ROWS_TEXT));
	check_failed(&r, NULL_RUN, 1, WORDS("5 wrong answers", "expected 0.5"));
	run_prints(WORDS(NULL_RUN, "-file", files.data, "-expected-answers=wrong.bin", "-ignore-errors"),
		   WORDS("5 wrong"));
	write_file("odd.bin", "12345", 5);
	run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-expected-answers=odd.bin"), NULL, WORDS("odd.bin"));
}

static void only_strict_makes_a_verdict_the_exit_status(void **state)
{
	struct process_result r;

	(void)state;
	run_prints(WORDS(NULL_RUN, "-file", files.data), WORDS("\nVerdict: ", "TOO SHORT: only 0."));
	process_run(&r, WORDS(NULL_RUN, "-file", files.data, "-strict", "-percentile=99.99", JSON "=strict.json"), NULL,
		    LIMIT_SECONDS);
	check_holds(r.out, WORDS("TOO SHORT: q99.99 needs 36887 answers", "Saving Query Latencies"));
	check_failed(&r, NULL_RUN, 3, WORDS("verdict "));
	/* Nobody is quicker than the null driver: long enough, the generator is what limits it. */
	process_run(&r, WORDS(NULL_RUN, "-file", files.data, "-strict", "-repeat", "-duration=1200ms"), NULL,
		    LIMIT_SECONDS);
	check_holds(r.out, WORDS("\nVerdict: CLIENT-LIMITED\n"));
	check_failed(&r, NULL_RUN, 3, WORDS("verdict CLIENT-LIMITED: "));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-percentile=100"), NULL, WORDS("-percentile"));
}

static void strict_runs_every_repetition_and_leaves_worse_alone(void **state)
{
	struct process_result r;

	(void)state;
	process_run(&r, WORDS(NULL_RUN, "-file", files.data, "-strict", "-repetitions=3", JSON "=each.json"), NULL,
		    LIMIT_SECONDS);
	assert_int_equal(r.status, 3);
	process_result_release(&r);
	assert_int_equal(access("each_run_3.json", R_OK), 0);
	make_expected("odd-one.bin", 1);
	run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-expected-answers=odd-one.bin", "-strict"), NULL,
		  WORDS("1 wrong answer"));
	run_fails(3, WORDS(NULL_RUN, "-file", files.data, "-expected-answers=odd-one.bin", "-strict", "-ignore-errors"),
		  NULL, WORDS("verdict ERRORS: 1 of " TEST_ROWS_TEXT " requests had wrong answers"));
}

static void an_interrupt_is_128_plus_the_signal(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct process_result r;
		struct process p;

		process_start(&p, WORDS(NULL_RUN, "-file", files.data, "-limit-rps=10", "-reporting-period=20ms"),
			      NULL);
		wait_for_lines(&p, 1);
		process_signal(&p, signals[i]);
		process_wait(&p, &r, LIMIT_SECONDS);
		assert_int_equal(r.status, 128 + signals[i]);
		check_holds(r.out, WORDS("Run complete after", "interrupted"));
		process_result_release(&r);
	}
}

static void passwords_stay_out_of_the_results(void **state)
{
	struct redis_server s;
	char *json;

	(void)state;
	redis_server_start(&s, WORDS("--requirepass", "hunter2"));
	run_fails(1, WORDS(SET_RUN, "-host=127.0.0.1", "-port", s.port_text, "-file", files.data), NULL,
		  WORDS("NOAUTH"));
	run_quietly(WORDS(SET_RUN, "-host=127.0.0.1", "-port", s.port_text, "-file", files.data, "-password", "hunter2",
			  "--password=hunter2", "-json-out-file=set.json"));
	json = read_file("set.json", NULL);
	check_holds(json, WORDS("-password ***", "--password=***"));
	assert_null(strstr(json, "hunter2"));
	free(json);
	redis_server_stop(&s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_null_driver_answers_every_row),
		cmocka_unit_test(a_run_without_a_beginning_prints_only_why),
		cmocka_unit_test(repetitions_write_a_file_each),
		cmocka_unit_test(bad_hosts_and_ports_are_wrong_usage),
		cmocka_unit_test(results_name_the_machine),
		cmocka_unit_test(a_result_never_replaces_what_the_run_reads),
		cmocka_unit_test(results_have_a_file_each),
		cmocka_unit_test(wrong_answers_fail_the_run_unless_ignored),
		cmocka_unit_test(only_strict_makes_a_verdict_the_exit_status),
		cmocka_unit_test(strict_runs_every_repetition_and_leaves_worse_alone),
		cmocka_unit_test(an_interrupt_is_128_plus_the_signal),
		cmocka_unit_test(passwords_stay_out_of_the_results),
	};

	return cmocka_run_group_tests_name("run_program", tests, fraud_files_set_up, fraud_files_tear_down);
}
