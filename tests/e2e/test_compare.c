/*
 * test_compare.c - aibench_compare as a build uses it: result files of real runs, limits and exit statuses, runs made in
 * turn.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"

#define COMPARE "aibench_compare"
#define RUNS 6

/* base with the value of "name": replaced; malloc'd. */
static char *with(const char *base, const char *name, double value)
{
	char key[64], *ret;
	const char *at, *end;

	snprintf(key, sizeof(key), "\"%s\": ", name);
	at = strstr(base, key);
	assert_non_null(at);
	at += strlen(key);
	end = at + strcspn(at, ",\n");
	assert_true(asprintf(&ret, "%.*s%.17g%s", (int)(at - base), base, value, end) > 0);
	return ret;
}

/* RUNS files name_1.json, ... of one real run, with rates made up about `rate`: 1 % of scatter. */
static void make_side(const char *base, const char *name, double rate, double first_start)
{
	for (int i = 1; i <= RUNS; i++) {
		char path[64], *started = with(base, "StartTime", first_start + i);
		char *whole = with(started, "overallOpsRate", rate * (1 + 0.004 * (i - 3.5)));

		snprintf(path, sizeof(path), "%s_%d.json", name, i);
		write_file(path, whole, strlen(whole));
		free(whole);
		free(started);
	}
}

static int prepare(void **state)
{
	char *base;
	size_t len;

	fraud_files_set_up(state);
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-json-out-file=base.json", NO_HISTOGRAM));
	base = read_file("base.json", &len);
	make_side(base, "old", 1000, 1e9);
	make_side(base, "same", 1001, 2e9);
	make_side(base, "slow", 900, 3e9);
	free(base);
	return 0;
}

#define SIDE(name) name "_1.json", name "_2.json", name "_3.json", name "_4.json", name "_5.json", name "_6.json"

/* What it printed; the caller frees. */
static char *compares(int status, const char *const *words)
{
	struct process_result r;
	char *out;

	process_run(&r, words, NULL, LIMIT_SECONDS);
	if (r.status != status || r.err_len)
		fail_msg("status %d, not %d: %s%s", r.status, status, r.out, r.err);
	out = strdup(r.out);
	process_result_release(&r);
	return out;
}

static void a_slower_rate_is_called_worse(void **state)
{
	char *out = compares(0, WORDS(COMPARE, SIDE("old"), "--", SIDE("slow")));

	(void)state;
	check_holds(out, WORDS("A: 6 runs of " NULL_RUN ", 12000 requests (old_1.json ... old_6.json)",
			       "B: 6 runs of " NULL_RUN, "rate (inferences/s)", "-10.00 %", "95 % interval",
			       "worse\nmean (ms) ", "All requests of A (ms): q50 "));
	assert_null(strstr(out, "better"));
	free(out);
	out = compares(0, WORDS(COMPARE, "-confidence=0.9", SIDE("slow"), "--", SIDE("old")));
	check_holds(out, WORDS("+11.11 %", "90 % interval", "better\nmean (ms) "));
	free(out);
	out = compares(0, WORDS(COMPARE, SIDE("old"), "--", SIDE("same")));
	assert_null(strstr(out, "better"));
	assert_null(strstr(out, "worse"));
	free(out);
}

static void limits_decide_the_exit_status(void **state)
{
	char *out = compares(1, WORDS(COMPARE, "-fail-if", "rate<-5%", SIDE("old"), "--", SIDE("slow")));

	(void)state;
	check_holds(out, WORDS("Fail if rate<-5%: FAILED (-10.86 % to "));
	free(out);
	free(compares(1, WORDS(COMPARE, "-fail-if=p99>+5%,rate<-5%", SIDE("old"), "--", SIDE("slow"))));
	free(compares(0, WORDS(COMPARE, "-fail-if=rate<-15%", SIDE("old"), "--", SIDE("slow"))));
	free(compares(0, WORDS(COMPARE, "-fail-if=rate<-5%", SIDE("old"), "--", SIDE("same"))));
	/* six pairs are too few for the table and so for the limit */
	out = compares(0, WORDS(COMPARE, "-fail-if=rate<-5%", "-paired", SIDE("old"), "--", SIDE("slow")));
	check_holds(out, WORDS("Fail if rate<-5%: too few repetitions to tell\n"));
	free(out);
	run_fails(2, WORDS(COMPARE, "-fail-if=rate<5", SIDE("old"), "--", SIDE("slow")), NULL, WORDS("-fail-if"));
}

static void too_few_runs_fail_only_where_that_is_asked_for(void **state)
{
	char *out = compares(
		0, WORDS(COMPARE, "-fail-if=rate<-5%", "old_1.json", "old_2.json", "old_3.json", "--", SIDE("slow")));

	(void)state;
	check_holds(out, WORDS("too few repetitions to tell\nmean", "Fail if rate<-5%: too few repetitions to tell\n"));
	free(out);
	free(compares(1, WORDS(COMPARE, "-fail-if=rate<-5%", "-strict", "old_1.json", "--", "slow_1.json")));
	free(compares(1, WORDS(COMPARE, "-strict", "old_1.json", "--", "slow_1.json")));
}

static void help_shows_how_it_is_called(void **state)
{
	char *out = compares(0, WORDS(COMPARE, "-help"));

	(void)state;
	check_holds(out, WORDS("Usage: aibench_compare [options] A... -- B...\n", "-interleave 10 -- bin/aibench_run_",
			       "Exit status: 0; 1: "));
	free(out);
}

static void wrong_usage_says_what_to_do(void **state)
{
	(void)state;
	run_fails(2, WORDS(COMPARE), NULL, WORDS("nothing to compare"));
	run_fails(2, WORDS(COMPARE, "old_1.json"), NULL, WORDS("nothing to compare"));
	run_fails(2, WORDS(COMPARE, "old_1.json", "--"), NULL, WORDS("B has no runs"));
	run_fails(2, WORDS(COMPARE, "old_1.json", "--", "old_2.json", "--", "old_3.json"), NULL,
		  WORDS("more than one --"));
	run_fails(2, WORDS(COMPARE, "old_1.json", "--", "old_1.json"), NULL, WORDS("the same run"));
	run_fails(2, WORDS(COMPARE, "old_1.json", "--", "none.json"), NULL, WORDS("none.json"));
	run_fails(2, WORDS(COMPARE, "old_1.json", "--", files.data), NULL, WORDS("no JSON"));
	run_fails(2, WORDS(COMPARE, "-paired", "old_1.json", "--", "slow_1.json", "slow_2.json"), NULL, WORDS("pairs"));
	run_fails(2, WORDS(COMPARE, "-confidence=1", "old_1.json", "--", "slow_1.json"), NULL, WORDS("-confidence"));
	run_fails(2, WORDS(COMPARE, "-interleave=2", "--", NULL_RUN, "--", NULL_RUN, "-seed=3"), NULL,
		  WORDS("B has -seed"));
}

static void the_comparison_is_written_as_json(void **state)
{
	(void)state;
	free(compares(1,
		      WORDS(COMPARE, "-fail-if=rate<-5%", "-json-out-file=c.json", SIDE("old"), "--", SIDE("slow"))));
	check_file("c.json", WORDS("\"Program\": \"aibench_compare\"", "\"Finding\": \"worse\"", "\"Failed\": true",
				   "\"MergedResponse\": {", "\"old_6.json\""));
	run_fails(1, WORDS(COMPARE, "-json-out-file=/nonexistent/c.json", "old_1.json", "--", "slow_1.json"), NULL,
		  WORDS("/nonexistent/c.json"));
}

static void check_seed(const char *path, unsigned seed)
{
	char expected[64];

	snprintf(expected, sizeof(expected), " -seed=%u -json-out-file=%s", seed, path);
	check_file(path, WORDS(expected));
}

static void runs_are_made_in_turn_and_compared_in_pairs(void **state)
{
	const char *bin = getenv("AIBENCH_BIN") ? getenv("AIBENCH_BIN") : "bin";
	char program[512], *out;

	(void)state;
	snprintf(program, sizeof(program), "%s/" NULL_RUN, bin);
	if (access(program, X_OK) < 0)
		fail_msg("%s is not there", program);
	out = compares(0, WORDS(COMPARE, "-interleave=3", "-seed=10", "-results-dir=turns", "--", program, "-file",
				files.data, "--", program, "-file", files.data, "-workers=2"));
	check_holds(out, WORDS("Pair 1 of 3, A: turns/a_001.json\n", "Pair 3 of 3, B: turns/b_003.json\n",
			       "A: 3 runs of " NULL_RUN ", 6000 requests (turns/a_001.json ... turns/a_003.json)",
			       "too few repetitions to tell", "Each pair of runs counts once",
			       "Note: A and B differ in Workers: 8 and 2\n"));
	free(out);
	check_seed("turns/a_001.json", 11);
	check_seed("turns/b_001.json", 11);
	check_seed("turns/a_003.json", 13);
	check_file("turns/b_002.out", WORDS("Run complete after 2000 inferences with 2 workers"));
	run_fails(2,
		  WORDS(COMPARE, "-interleave=2", "-results-dir=turns", "--", program, "-file", files.data, "--",
			program, "-file", files.data),
		  NULL, WORDS("turns has runs of before", "-results-dir"));
	run_fails(1,
		  WORDS(COMPARE, "-interleave=3", "-results-dir=fails", "--", program, "-file", files.data, "--",
			program, "-file=none.dat"),
		  NULL, WORDS("run 1 of B", "status 1", "none.dat"));
}

static void an_interrupt_ends_run_and_series(void **state)
{
	static const char script[] = "kill -INT $PPID; exec sleep 30";

	(void)state;
	run_fails(130,
		  WORDS(COMPARE, "-interleave=3", "-results-dir=ends", "--", "/bin/sh", "-c", script, "--", "/bin/sh",
			"-c", script),
		  NULL, WORDS("interrupted in pair 1 of 3"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slower_rate_is_called_worse),
		cmocka_unit_test(limits_decide_the_exit_status),
		cmocka_unit_test(too_few_runs_fail_only_where_that_is_asked_for),
		cmocka_unit_test(help_shows_how_it_is_called),
		cmocka_unit_test(wrong_usage_says_what_to_do),
		cmocka_unit_test(the_comparison_is_written_as_json),
		cmocka_unit_test(runs_are_made_in_turn_and_compared_in_pairs),
		cmocka_unit_test(an_interrupt_ends_run_and_series),
	};

	return cmocka_run_group_tests(tests, prepare, fraud_files_tear_down);
}
