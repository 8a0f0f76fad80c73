/*
 * The order of interleaved runs, what their command lines become, failures and signals, with shell scripts as programs.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/file.h"
#include "runners/interleave.h"
#include "tests/support/folder.h"

#define PAIRS 6
#define SHELL(script, name) ((char *[]){(char *)"/bin/sh", (char *)"-c", (char *)(script), (char *)(name), NULL})

/* Writes its result, and its own name and seed at the end of the file log. */
static const char well[] =
	"for w; do case $w in -json-out-file=*) echo '{}' > \"${w#*=}\";; -seed=*) echo \"$0 ${w#*=}\" "
	">> \"$LOG\";; esac; done; echo out of $0; echo last line of $0 >&2";

static char results[300];
static const char *log_path;

static int set_up(void **state)
{
	folder_set_up(state);
	log_path = in_folder("log");
	return setenv("LOG", log_path, 1);
}

/* Each test has a folder of results of its own. */
static int name_results(void **state)
{
	static unsigned n;

	(void)state;
	snprintf(results, sizeof(results), "%s/results_%u", test_folder(), n++);
	return 0;
}

static int tear_down(void **state)
{
	folder_tear_down(state);
	return unsetenv("LOG");
}

static void every_two_pairs_go_both_ways_round(void **state)
{
	unsigned first_of_a = 0;

	(void)state;
	for (unsigned seed = 0; seed < 100; seed++) {
		for (unsigned pair = 0; pair < 100; pair += 2) {
			char order[5] = "";

			for (unsigned k = 0; k < 4; k++) {
				struct interleave_block block = interleave_block_at(seed, 2 * pair + k);

				assert_int_equal(block.pair, pair + 1 + k / 2);
				order[k] = block.side;
			}
			assert_true(strcmp(order, "abba") == 0 || strcmp(order, "baab") == 0);
			first_of_a += order[0] == 'a';
		}
	}
	/* 5,000 fair coins; the order is the seed's alone. */
	assert_in_range(first_of_a, 2300, 2700);
}

static void options_of_interleaving_are_refused_by_name(void **state)
{
	static const char *const own[] = {"-seed=1",
					  "--seed",
					  "-json-out-file",
					  "-repetitions=3",
					  "-sweep=x",
					  "-search",
					  "-hlog-out-file=x",
					  "--record-answers",
					  "-summary-out-file",
					  "-summary-csv-out-file=x",
					  "--output-file-stats-hdr-response-latency-hist="};
	struct error err = {""};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		char *words[] = {(char *)"program", (char *)"-workers", (char *)own[i], (char *)"1", NULL};

		assert_int_equal(interleave_check(words, 'b', &err), ERR_USAGE);
		assert_non_null(strstr(err.text, "B has -"));
	}
	assert_int_equal(interleave_check((char *[]){(char *)"p", (char *)"-seeds=1", (char *)"seed", NULL}, 'a', &err),
			 0);
	assert_int_equal(interleave_check((char *[]){NULL}, 'a', &err), ERR_USAGE);
	assert_int_equal(interleave_check((char *[]){(char *)"-file", NULL}, 'a', &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "A begins with no program"));
}

/* What the observer saw. */
struct seen {
	struct interleave_block blocks[2 * PAIRS];
	unsigned n;
};

static void see(void *arg, const struct interleave_block *block, const char *path)
{
	struct seen *s = arg;
	char *expected = interleave_path(results, block, "json");

	assert_string_equal(path, expected);
	assert_int_equal(access(path, R_OK), 0);
	s->blocks[s->n++] = *block;
	free(expected);
}

static void check_file(const char *path, const char *text)
{
	char *got;
	size_t len;

	assert_int_equal(file_read(&got, &len, path, 65536, NULL), 0);
	assert_string_equal(got, text);
	free(got);
}

static void runs_alternate_and_pairs_share_their_seed(void **state)
{
	struct seen seen = {.n = 0};
	struct interleave_config cfg = {.a = SHELL(well, "a"),
					.b = SHELL(well, "b"),
					.pairs = PAIRS,
					.seed = 40,
					.folder = results,
					.finished = see,
					.arg = &seen};
	char expected[256] = "", path[400];
	struct error err = {""};
	int signo = 1;

	(void)state;
	unlink(log_path);
	if (interleave_run(&cfg, &signo, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(signo, 0);
	assert_int_equal(seen.n, 2 * PAIRS);
	for (unsigned k = 0; k < 2 * PAIRS; k++) {
		struct interleave_block block = interleave_block_at(40, k);
		size_t len = strlen(expected);

		assert_int_equal(seen.blocks[k].side, block.side);
		assert_int_equal(seen.blocks[k].pair, block.pair);
		snprintf(expected + len, sizeof(expected) - len, "%c %u\n", block.side, 40 + block.pair);
	}
	check_file(log_path, expected);
	snprintf(path, sizeof(path), "%s/b_002.out", results);
	check_file(path, "out of b\n");
	snprintf(path, sizeof(path), "%s/a_006.err", results);
	check_file(path, "last line of a\n");
}

static void check_failure(const char *script, int code, const char *const *texts, size_t n)
{
	struct interleave_config cfg = {
		.a = SHELL(script, "x"), .b = SHELL(script, "x"), .pairs = 2, .folder = results};
	struct error err = {""};
	int signo;

	assert_int_equal(interleave_run(&cfg, &signo, &err), code);
	for (size_t i = 0; i < n; i++) {
		if (!strstr(err.text, texts[i]))
			fail_msg("\"%s\" does not say \"%s\"", err.text, texts[i]);
	}
}

#define CHECK_FAILURE(script, code, ...) \
	do { \
		static const char *const texts_[] = {__VA_ARGS__}; \
		check_failure(script, code, texts_, ARRAY_LEN(texts_)); \
	} while (0)

static void the_run_that_failed_is_named(void **state)
{
	(void)state;
	CHECK_FAILURE("echo first >&2; echo 'no model; load one' >&2; exit 3", ERR_SERVER, "run 1 of ", "/bin/sh",
		      "status 3: no model; load one");
	CHECK_FAILURE("kill -KILL $$", ERR_SERVER, "was ended by signal 9");
	CHECK_FAILURE("true", ERR_NOT_FOUND, "wrote no result", "_001.json");
}

/* They would be taken for runs of the same set-ups. */
static void results_of_before_are_not_mixed_with_these(void **state)
{
	char path[400];

	(void)state;
	assert_int_equal(mkdir(results, 0777), 0);
	snprintf(path, sizeof(path), "%s/notes.json", results);
	fclose(fopen(path, "w"));
	CHECK_FAILURE("exit 3", ERR_SERVER, "status 3");
	snprintf(path, sizeof(path), "%s/b_012.json", results);
	fclose(fopen(path, "w"));
	CHECK_FAILURE("exit 3", ERR_USAGE, results, "b_012.json", "-results-dir");
}

static void a_program_that_is_not_there_is_named(void **state)
{
	struct interleave_config cfg = {
		.a = (char *[]){(char *)"/nonexistent/a", NULL},
		.b = (char *[]){(char *)"/nonexistent/b", NULL},
		.pairs = 1,
		.folder = results,
	};
	struct error err = {""};
	int signo;

	(void)state;
	assert_int_equal(interleave_run(&cfg, &signo, &err), ERR_IO);
	assert_non_null(strstr(err.text, "cannot start /nonexistent/"));
	cfg.folder = "/nonexistent/folder";
	assert_int_equal(interleave_run(&cfg, &signo, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/nonexistent/folder"));
}

/* The script's parent is this process. */
static void check_interrupt(const char *script, int expected)
{
	struct interleave_config cfg = {
		.a = SHELL(script, "x"), .b = SHELL(script, "x"), .pairs = 3, .folder = results};
	struct error err = {""};
	sigset_t before, after;
	int signo;

	sigprocmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(interleave_run(&cfg, &signo, &err), ERR_CANCELED);
	assert_int_equal(signo, expected);
	assert_non_null(strstr(err.text, "interrupted in pair 1 of 3"));
	sigprocmask(SIG_SETMASK, NULL, &after);
	for (signo = 1; signo < SIGRTMIN; signo++)
		assert_int_equal(sigismember(&before, signo), sigismember(&after, signo));
}

static void a_signal_is_handed_on_and_ends_the_series(void **state)
{
	(void)state;
	check_interrupt("kill -INT $PPID; exec sleep 30", SIGINT);
	check_interrupt("kill -TERM $PPID; exec sleep 30", SIGTERM);
	/* A run that ends well on it, as ours do. */
	check_interrupt("trap 'exit 0' INT; kill -INT $PPID; for i in $(seq 300); do sleep 0.1; done", SIGINT);
}

static void a_second_signal_kills(void **state)
{
	(void)state;
	check_interrupt("trap '' INT TERM; kill -INT $PPID; kill -TERM $PPID; exec sleep 30", SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_two_pairs_go_both_ways_round, name_results),
		cmocka_unit_test_setup(options_of_interleaving_are_refused_by_name, name_results),
		cmocka_unit_test_setup(runs_alternate_and_pairs_share_their_seed, name_results),
		cmocka_unit_test_setup(the_run_that_failed_is_named, name_results),
		cmocka_unit_test_setup(results_of_before_are_not_mixed_with_these, name_results),
		cmocka_unit_test_setup(a_program_that_is_not_there_is_named, name_results),
		cmocka_unit_test_setup(a_signal_is_handed_on_and_ends_the_series, name_results),
		cmocka_unit_test_setup(a_second_signal_kills, name_results),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
