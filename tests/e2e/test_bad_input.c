/*
 * test_bad_input.c - wrong options and wrong files of the loaders and the runner: one clear line, the right exit status,
 * nothing half-written.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"
#include "workloads/fraud.h"

static struct redis_server server;
static char host[64], broken[512];

static int prepare(void **state)
{
	fraud_files_set_up(state);
	redis_server_start_module(&server, NULL, NULL);
	load_fraud(&server);
	snprintf(host, sizeof(host), "127.0.0.1:%s", server.port_text);
	path_in(broken, sizeof(broken), files.folder, "broken.dat");
	return 0;
}

static int clean_up(void **state)
{
	redis_server_stop(&server, false);
	return fraud_files_tear_down(state);
}

#define RUN_FILE(...) \
	WORDS(REDISAI_RUN, "-host", "127.0.0.1", "-port", server.port_text, "-model=financialNet_NoReference", \
	      "-file", __VA_ARGS__)
#define LOAD_FILE(...) WORDS(LOAD, "-redis-host", host, "-file", __VA_ARGS__)
#define LOAD_MODEL_FILE(...) \
	WORDS(LOAD_MODEL, "-redis-host", host, "-model=m", "-inputs=transaction", "-outputs=out", "-model-file", \
	      __VA_ARGS__)

static void wrong_usage_exits_2_and_names_the_option(void **state)
{
	static const char *const programs[] = {REDISAI_RUN, LOAD, LOAD_MODEL};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		run_fails(2, WORDS(programs[i], "-no-such-option=1"), NULL, WORDS("no-such-option"));
		run_fails(2, WORDS(programs[i], "stray"), NULL, WORDS("stray"));
		run_fails(2, WORDS(programs[i], "-timeout", "soon"), NULL, WORDS("timeout", "soon"));
		run_fails(2, WORDS(programs[i], "-timeout=-1s"), NULL, WORDS("timeout"));
	}
}

static void options_out_of_range_are_named(void **state)
{
	(void)state;
	run_fails(2, RUN_FILE(files.data, "-workers=0"), NULL, WORDS("workers"));
	run_fails(2, RUN_FILE(files.data, "-workers=-3"), NULL, WORDS("workers"));
	run_fails(2, RUN_FILE(files.data, "-workers=99999999999"), NULL, WORDS("workers"));
	run_fails(2, RUN_FILE(files.data, "-port=70000"), NULL, WORDS("port"));
	run_fails(2, RUN_FILE(files.data, "-port=none"), NULL, WORDS("port"));
	run_fails(2, RUN_FILE(files.data, "-limit-rps=-1"), NULL, WORDS("limit-rps"));
	run_fails(2, RUN_FILE(files.data, "-repetitions=0"), NULL, WORDS("repetitions"));
	run_fails(2, RUN_FILE(files.data, "-use-case=chess"), NULL, WORDS("use-case", "chess"));
	run_fails(2, RUN_FILE(files.data, "-use-dag=perhaps"), NULL, WORDS("use-dag", "perhaps"));
	run_fails(2, LOAD_FILE(files.data, "-workers=0"), NULL, WORDS("workers"));
	run_fails(2, LOAD_FILE(files.data, "-pipeline=0"), NULL, WORDS("pipeline"));
	run_fails(2, LOAD_FILE(files.data, "-set-blob=false", "-set-tensor=false"), NULL, WORDS("-set-"));
	run_fails(2, WORDS(LOAD, "-redis-host=127.0.0.1:99999", "-file", files.data), NULL, WORDS("99999"));
	run_fails(2, WORDS(LOAD, "-redis-host=http://127.0.0.1:80", "-file", files.data), NULL, WORDS("redis-host"));
	run_fails(2, WORDS(LOAD_MODEL, "-redis-host", host, "-model-file", files.model), NULL, WORDS("-model"));
	run_fails(2, WORDS(LOAD_MODEL, "-redis-host", host, "-model=m"), NULL, WORDS("-model-file"));
}

static void a_burn_in_beyond_the_limit_is_refused(void **state)
{
	(void)state;
	run_fails(2, RUN_FILE(files.data, "-burn-in=500", "-max-queries=500"), NULL, WORDS("burn-in", "500"));
	run_fails(2, RUN_FILE(files.data, "-burn-in=501", "-max-queries=500"), NULL, WORDS("burn-in", "max-queries"));
	/* Beyond the file itself: it shows only once the file is open. */
	run_fails(1, RUN_FILE(files.data, "-burn-in=2000"), NULL, WORDS("burn-in", TEST_ROWS_TEXT));
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	char absent[512];

	(void)state;
	path_in(absent, sizeof(absent), files.folder, "absent.dat");
	run_fails(1, RUN_FILE(absent), NULL, WORDS(absent, "No such file"));
	run_fails(1, LOAD_FILE(absent), NULL, WORDS(absent, "No such file"));
	run_fails(1, LOAD_MODEL_FILE(absent), NULL, WORDS(absent, "No such file"));
	run_fails(1, RUN_FILE(files.folder), NULL, WORDS(files.folder));
	run_fails(1, LOAD_FILE(files.folder), NULL, WORDS(files.folder));
	run_fails(1, LOAD_MODEL_FILE(files.folder), NULL, WORDS(files.folder));
}

static void a_size_that_is_no_multiple_of_the_row_is_refused(void **state)
{
	size_t len;
	char *data = read_file(files.data, &len);
	const struct process_options piped = {.stdin_path = broken};

	(void)state;
	write_file(broken, data, 10 * FRAUD_ROW_SIZE + 7);
	free(data);
	run_fails(1, RUN_FILE(broken), NULL, WORDS(broken, "1152"));
	run_fails(1, LOAD_FILE(broken), NULL, WORDS(broken, "1152"));
	run_fails(1, RUN_FILE("-"), &piped, WORDS("standard input", "1152"));
	run_fails(1, LOAD_FILE("-"), &piped, WORDS("standard input", "1152"));
}

static void an_empty_dataset_is_refused(void **state)
{
	const struct process_options piped = {.stdin_path = broken};

	(void)state;
	write_file(broken, "", 0);
	run_fails(1, RUN_FILE(broken), NULL, WORDS(broken, "empty"));
	run_fails(1, LOAD_FILE(broken), NULL, WORDS(broken, "empty"));
	run_fails(1, RUN_FILE("-"), &piped, WORDS("standard input"));
	run_fails(1, LOAD_FILE("-"), &piped, WORDS("standard input"));
}

static void a_bad_model_file_is_the_server_s_error(void **state)
{
	(void)state;
	write_file(broken, "this is no graph", 16);
	run_fails(1, LOAD_MODEL_FILE(broken), NULL, WORDS(broken));
	write_file(broken, "", 0);
	run_fails(1, LOAD_MODEL_FILE(broken), NULL, WORDS(broken));
	/* Input and output names that the graph has not. */
	run_fails(1,
		  WORDS(LOAD_MODEL, "-redis-host", host, "-model=m", "-inputs=nosuch", "-outputs=output", "-model-file",
			files.model),
		  NULL, WORDS("nosuch"));
	run_fails(1,
		  WORDS(LOAD_MODEL, "-redis-host", host, "-model=m", "-inputs=transaction,reference", "-outputs=nosuch",
			"-model-file", files.model),
		  NULL, WORDS("nosuch"));
}

static void results_that_cannot_be_written_are_said_before_the_run(void **state)
{
	struct process_result r;

	(void)state;
	process_run(&r, RUN_FILE(files.data, "-json-out-file=/no/such/folder/out.json"), NULL, LIMIT_SECONDS);
	assert_null(strstr(r.out, "Run complete"));
	check_failed(&r, REDISAI_RUN, 1, WORDS("/no/such/folder"));
	process_run(&r, RUN_FILE(files.data, "-output-file-stats-hdr-response-latency-hist=/no/such/folder/hist.txt"),
		    NULL, LIMIT_SECONDS);
	assert_null(strstr(r.out, "Run complete"));
	check_failed(&r, REDISAI_RUN, 1, WORDS("/no/such/folder"));
}

static void a_dataset_cut_while_it_is_read_is_an_error(void **state)
{
	size_t len;
	char *data = read_file(files.data, &len);
	struct process_result r;
	struct process p;

	(void)state;
	write_file(broken, data, len);
	free(data);
	process_start(&p, RUN_FILE(broken, "-limit-rps=1000", "-workers=2"), NULL);
	for (;;) {
		char all[4096];
		ssize_t n = pread(p.out_fd, all, sizeof(all) - 1, 0);

		if (n > 0 || !process_running(&p))
			break;
	}
	assert_int_equal(truncate(broken, 0), 0);
	process_wait(&p, &r, LIMIT_SECONDS);
	/* The rows that were read ahead may be served; a crash by SIGBUS or a whole result may not. */
	assert_int_equal(r.status, 1);
	assert_non_null(strstr(r.err, broken));
	process_result_release(&r);
}

/* The program behind `sh -c`, which finds it in PATH only. */
static const char *program(const char *name)
{
	static char paths[4][512];
	static unsigned next;
	char *path = paths[next++ % 4];

	return path_in(path, sizeof(paths[0]), getenv("AIBENCH_BIN"), name);
}

static void a_full_disk_is_an_error(void **state)
{
	struct process_result r;

	(void)state;
	process_run(&r,
		    WORDS("sh", "-c", "exec \"$0\" \"$@\" >/dev/full", program("aibench_generate_data"),
			  "-max-transactions=500"),
		    NULL, LIMIT_SECONDS);
	check_failed(&r, "aibench_generate_data", 1, WORDS("No space left"));
	process_run(&r,
		    WORDS("sh", "-c", "exec \"$0\" \"$@\" >/dev/full", program(REDISAI_RUN), "-host=127.0.0.1", "-port",
			  server.port_text, "-model=financialNet_NoReference", "-file", files.data),
		    NULL, LIMIT_SECONDS);
	check_failed(&r, REDISAI_RUN, 1, WORDS("standard output"));
	process_run(&r, RUN_FILE(files.data, "-json-out-file=/dev/full"), NULL, LIMIT_SECONDS);
	assert_non_null(strstr(r.out, "Run complete"));
	check_failed(&r, REDISAI_RUN, 1, WORDS("/dev/full", "No space left"));
}

static void too_few_file_descriptors_are_named(void **state)
{
	struct process_result r;

	(void)state;
	process_run(&r,
		    WORDS("sh", "-c", "ulimit -n 30; exec \"$0\" \"$@\"", program(REDISAI_RUN), "-host=127.0.0.1",
			  "-port", server.port_text, "-model=financialNet_NoReference", "-file", files.data,
			  "-workers=100"),
		    NULL, LIMIT_SECONDS);
	check_failed(&r, REDISAI_RUN, 1, WORDS("ulimit"));
	process_run(&r,
		    WORDS("sh", "-c", "ulimit -n 30; exec \"$0\" \"$@\"", program(LOAD), "-redis-host", host, "-file",
			  files.data, "-workers=100"),
		    NULL, LIMIT_SECONDS);
	check_failed(&r, LOAD, 1, WORDS("open files"));
}

static void ctrl_c_ends_the_loader(void **state)
{
	struct process_result r;
	struct process p;

	(void)state;
	/* The pipe stays open: without Ctrl-C it waits for more rows for ever. */
	process_start(&p, LOAD_FILE("-"), &(struct process_options){.pipe_stdin = true});
	for (;;) {
		char all[256];

		if (pread(p.out_fd, all, sizeof(all), 0) > 0 || !process_running(&p))
			break;
	}
	process_signal(&p, SIGINT);
	process_wait(&p, &r, LIMIT_SECONDS);
	assert_int_equal(r.status, 130);
	assert_true(strstr(r.out, "interrupted") || strstr(r.err, "interrupted"));
	process_result_release(&r);
}

static void files_outlive_a_run_that_fails(void **state)
{
	char json[512], *kept;
	size_t len;

	(void)state;
	path_in(json, sizeof(json), files.folder, "kept.json");
	write_file(json, "precious", 8);
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-model=nosuchmodel", "-file",
			files.data, "-json-out-file", json),
		  NULL, WORDS("nosuchmodel"));
	kept = read_file(json, &len);
	assert_string_equal(kept, "precious");
	free(kept);
}

static void help_names_every_option_and_version_the_commit(void **state)
{
	static const char *const programs[] = {REDISAI_RUN, LOAD, LOAD_MODEL};
	struct process_result r;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		run_ok(&r, WORDS(programs[i], "-h"), NULL);
		check_holds(r.out, WORDS("-user", "-password", "-unix-socket", "-tls", "-cacert", "-timeout"));
		assert_string_equal(r.err, "");
		process_result_release(&r);
		run_prints(WORDS(programs[i], "-v"), WORDS(programs[i]));
	}
	run_prints(WORDS(REDISAI_RUN, "--help"),
		   WORDS("-file", "-workers", "-max-queries", "-burn-in", "-limit-rps", "-seed", "-reporting-period",
			 "-print-responses", "-ignore-errors", "-debug", "-enable-reference-data-redis",
			 "-json-out-file", "-metadata-autobatching", "-output-file-stats-hdr-response-latency-hist",
			 "-cpuprofile", "-memprofile", "-use-dag", "-cluster-mode", "-model-filename", "-repetitions",
			 "-use-case"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_usage_exits_2_and_names_the_option),
		cmocka_unit_test(options_out_of_range_are_named),
		cmocka_unit_test(a_burn_in_beyond_the_limit_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(a_size_that_is_no_multiple_of_the_row_is_refused),
		cmocka_unit_test(an_empty_dataset_is_refused),
		cmocka_unit_test(a_bad_model_file_is_the_server_s_error),
		cmocka_unit_test(results_that_cannot_be_written_are_said_before_the_run),
		cmocka_unit_test(a_dataset_cut_while_it_is_read_is_an_error),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(too_few_file_descriptors_are_named),
		cmocka_unit_test(ctrl_c_ends_the_loader),
		cmocka_unit_test(files_outlive_a_run_that_fails),
		cmocka_unit_test(help_names_every_option_and_version_the_commit),
	};

	return cmocka_run_group_tests_name("bad_input", tests, prepare, clean_up);
}
