/*
 * test_output_files.c - what a run writes beside its figures: interval log, table of periods, distribution of response
 * times, how far away the server is.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "stats/histogram.h"
#include "tests/e2e/e2e.h"
#include "tests/support/model_server.h"

/* The histogram called name in a result file. */
static void read_result_histogram(struct histogram *h, const char *path, const char *name)
{
	char *json = read_file(path, NULL), key[64], *at;
	struct error err;

	snprintf(key, sizeof(key), "\"%s\": {", name);
	at = strstr(json, key);
	assert_non_null(at);
	at = strstr(at, "HISTF");
	assert_non_null(at);
	assert_int_equal(histogram_decode(h, at, strcspn(at, "\""), &err), 0);
	free(json);
}

/* The sum of a log's lines that begin with start; returns how many there are. */
static unsigned add_up(struct histogram *sum, const char *path, const char *start)
{
	char *text = read_file(path, NULL), *next = NULL;
	unsigned lines = 0;
	struct error err;

	assert_int_equal(histogram_init_latency(sum), 0);
	for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char *encoded = strstr(line, ",HISTF");
		struct histogram h;

		if (!encoded || strncmp(line, start, strlen(start)) != 0)
			continue;
		assert_int_equal(histogram_decode(&h, encoded + 1, strlen(encoded + 1), &err), 0);
		assert_int_equal(histogram_merge(sum, &h), 0);
		histogram_release(&h);
		lines++;
	}
	free(text);
	return lines;
}

static void check_log(const char *log, const char *start, unsigned lines_min, const char *json, const char *name)
{
	struct histogram sum, whole;
	unsigned lines = add_up(&sum, log, start);

	if (lines < lines_min)
		fail_msg("%s: %u lines that begin with %s, not %u", log, lines, start, lines_min);
	read_result_histogram(&whole, json, name);
	assert_int_equal(whole.total, sum.total);
	assert_memory_equal(whole.counts, sum.counts, whole.ncounts * sizeof(*whole.counts));
	histogram_release(&whole);
	histogram_release(&sum);
}

static void intervals_add_up_to_the_result(void **state)
{
	(void)state;
	/* 2000 inferences at 10,000/s: 200 ms, of which the log's periods are 20 ms each */
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-burn-in=100", "-limit-rps=10000", "-reporting-period=20ms",
			  "-hlog-out-file=open.hlog", "-json-out-file=open.json"));
	check_log("open.hlog", "1", 2, "open.json", "Service");
	check_log("open.hlog", "Tag=Response,", 2, "open.json", "Response");
	check_log("open.hlog", "Tag=SendLag,", 2, "open.json", "SendLag");
}

static void a_log_without_periods_has_one_interval(void **state)
{
	struct histogram sum;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-workers=64", "-threads=3", "-reporting-period=0",
			  "-hlog-out-file=whole.hlog", "-json-out-file=whole.json"));
	check_log("whole.hlog", "1", 1, "whole.json", "Service");
	assert_int_equal(add_up(&sum, "whole.hlog", ""), 1);
	assert_int_equal(sum.total, TEST_ROWS);
	histogram_release(&sum);
}

static void a_table_has_a_row_for_each_period(void **state)
{
	unsigned long long right = 0, burned_in = 0;
	char *text, *next = NULL, *line;
	unsigned rows = 0;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-burn-in=100", "-limit-rps=10000", "-reporting-period=20ms",
			  "-csv-out-file=run.csv"));
	text = read_file("run.csv", NULL);
	line = strtok_r(text, "\n", &next);
	check_holds(line, WORDS("time_s,", ",inferences_per_s,", ",send_lag_max_ms"));
	for (line = strtok_r(NULL, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		unsigned long long total, n;

		assert_int_equal(sscanf(line, "%*f,%*u,%llu,%*f,%llu,0,0,0,", &total, &n), 2);
		right += n;
		burned_in = total - right;
		rows++;
	}
	assert_true(rows >= 2);
	assert_int_equal(right, TEST_ROWS - 100);
	assert_int_equal(burned_in, 100);
	free(text);
}

static void repetitions_have_files_of_their_own(void **state)
{
	static const char *const files_of[][4] = {
		{"own_run_1.hlog", "own_run_1.json", "own_run_1.csv", "own_run_1.hgrm"},
		{"own_run_2.hlog", "own_run_2.json", "own_run_2.csv", "own_run_2.hgrm"},
	};

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-repetitions=2", "-hlog-out-file=own.hlog",
			  "-json-out-file=own.json", "-csv-out-file=own.csv", "-response-hgrm-out-file=own.hgrm"));
	for (size_t i = 0; i < sizeof(files_of) / sizeof(files_of[0]); i++) {
		check_log(files_of[i][0], "1", 1, files_of[i][1], "Service");
		for (size_t k = 2; k < 4; k++) {
			struct stat st;

			assert_int_equal(stat(files_of[i][k], &st), 0);
			assert_true(st.st_size > 0);
		}
	}
}

static void each_file_needs_a_name_of_its_own_and_a_place(void **state)
{
	(void)state;
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-hlog-out-file=x.txt", "-csv-out-file=./x.txt"), NULL,
		  WORDS("-hlog-out-file", "-csv-out-file", "x.txt"));
	run_fails(2, WORDS(NULL_RUN, "-file", files.data, "-csv-out-file", files.data), NULL,
		  WORDS("-csv-out-file", "-file"));
	run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-hlog-out-file=/nonexistent/run.hlog"), NULL,
		  WORDS("/nonexistent/run.hlog"));
	if (access("/dev/full", W_OK) == 0)
		run_fails(1, WORDS(NULL_RUN, "-file", files.data, "-csv-out-file=/dev/full"), NULL, WORDS("/dev/full"));
}

/* One run's result, of which the network's part holds these texts. */
static void check_network(const char *const *words, const char *const *texts)
{
	const char *all[32] = {0};
	size_t n = 0;

	for (; words[n]; n++)
		all[n] = words[n];
	all[n++] = "-file";
	all[n++] = files.data;
	all[n++] = "-json-out-file=network.json";
	assert_true(n < sizeof(all) / sizeof(all[0]));
	run_quietly(all);
	check_file("network.json", texts);
}

static void results_tell_how_far_the_server_is(void **state)
{
	static const char lo[] = "\"Interface\": \"lo\"", server[] = "\"Between\": \"this program and the server\"";
	struct model_server models;
	struct redis_server redis;
	char model[600];

	(void)state;
	redis_server_start(&redis, WORDS("--requirepass", "hunter2"));
	snprintf(model, sizeof(model), "financialNet_NoReference=%s", files.model_noreference);
	model_server_start(&models, WORDS("-model", model));
	check_network(WORDS(NULL_RUN), WORDS("\"Request\": \"TCP echo\"", "\"Between\": \"this program and itself",
					     "\"Interface\": null"));
	check_network(WORDS(SET_RUN, "-host=127.0.0.1", "-port", redis.port_text, "-password=hunter2"),
		      WORDS("\"Request\": \"Redis PING\"", lo, server));
	check_network(WORDS("aibench_run_inference_triton", "-host", models.grpc_host),
		      WORDS("\"Request\": \"gRPC call of no method\"", lo, server));
	check_network(WORDS("aibench_run_inference_triton", "-protocol=http", "-host", models.http_host),
		      WORDS("\"Request\": \"HTTP GET /\"", lo, server));
	check_network(WORDS("aibench_run_inference_triton", "-network-baseline=false", "-host", models.grpc_host),
		      WORDS("\"NetworkBaseline\": null", lo));
	model_server_stop(&models, SIGTERM);
	redis_server_stop(&redis, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_add_up_to_the_result),
		cmocka_unit_test(a_log_without_periods_has_one_interval),
		cmocka_unit_test(a_table_has_a_row_for_each_period),
		cmocka_unit_test(repetitions_have_files_of_their_own),
		cmocka_unit_test(results_tell_how_far_the_server_is),
		cmocka_unit_test(each_file_needs_a_name_of_its_own_and_a_place),
	};

	return cmocka_run_group_tests_name("output_files", tests, fraud_files_set_up, fraud_files_tear_down);
}
