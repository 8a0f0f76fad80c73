/*
 * test_whole_way.c - data, model, server, load, run, report: the fraud benchmark as a user runs it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"
#include "workloads/fraud.h"

static struct redis_server server;
static char json_path[512], hist_path[512];

static int prepare(void **state)
{
	fraud_files_set_up(state);
	redis_server_start_module(&server, NULL, NULL);
	load_fraud(&server);
	path_in(json_path, sizeof(json_path), files.folder, "out.json");
	path_in(hist_path, sizeof(hist_path), files.folder, "hist.txt");
	return 0;
}

static int clean_up(void **state)
{
	redis_server_stop(&server, false);
	return fraud_files_tear_down(state);
}

/* The common words of a run; model NULL: the one with reference data. */
#define RUN_WORDS(...) \
	WORDS(REDISAI_RUN, "-host", "127.0.0.1", "-port", server.port_text, "-file", files.data, "-json-out-file", \
	      json_path, "-output-file-stats-hdr-response-latency-hist", hist_path, __VA_ARGS__)
#define WITH_REFERENCE "-model", "financialNet", "-enable-reference-data-redis"
#define WITHOUT_REFERENCE "-model", "financialNet_NoReference"

/* The count that the .hgrm's footer gives. */
static unsigned long hist_count(void)
{
	char *text = read_file(hist_path, NULL);
	const char *at = strstr(text, "Total count");
	unsigned long n;

	check_holds(text,
		    WORDS("Value", "Percentile", "TotalCount", "1/(1-Percentile)", "#[Mean", "#[Max", "#[Buckets"));
	assert_non_null(at);
	n = strtoul(strchr(at, '=') + 1, NULL, 10);
	free(text);
	return n;
}

/* Runs and checks that every file says `measured` inferences of `limit`. Returns the JSON document. */
static json_t *run_and_check(const char *const *words, unsigned measured)
{
	struct process_result r;
	char complete[64];
	json_t *j;

	unlink(json_path);
	unlink(hist_path);
	run_ok(&r, words, NULL);
	snprintf(complete, sizeof(complete), "count: %u, timedOut count: 0", measured);
	check_holds(r.out, WORDS("time (ms),total queries,instantaneous inferences/s,overall inferences/s",
				 "Run complete after ", "All queries",
				 "+ Inference execution latency (statistical histogram):", complete,
				 "Took:", "Saving Query Latencies HDR Histogram to"));
	process_result_release(&r);
	assert_int_equal(hist_count(), measured);
	j = read_json(json_path);
	assert_true(text_at(j, "ResultFormatVersion")[0] != '\0');
	assert_true(number_at(j, "OverallRates/overallOpsRate") > 0);
	assert_true(number_at(j, "OverallRatesIncludingWarmup/overallOpsRate") > 0);
	assert_true(number_at(j, "EndTime") >= number_at(j, "StartTime"));
	assert_true(number_at(j, "OverallQuantiles/AllQueries/q50") > 0);
	assert_true(number_at(j, "OverallQuantiles/AllQueries/q99") >= number_at(j, "OverallQuantiles/AllQueries/q50"));
	assert_true(number_at(j, "OverallQuantiles/AllQueries/q100") >=
		    number_at(j, "OverallQuantiles/AllQueries/q999"));
	assert_int_equal(strncmp(text_at(j, "OverallQuantiles/EncodedHistogram"), "HISTFAAA", 8), 0);
	return j;
}

static void every_way_of_asking_answers_every_row(void **state)
{
	json_t *j;

	(void)state;
	j = run_and_check(RUN_WORDS(WITHOUT_REFERENCE, "-workers", "1"), TEST_ROWS);
	assert_int_equal(integer_at(j, "Workers"), 1);
	json_decref(j);
	json_decref(run_and_check(RUN_WORDS(WITH_REFERENCE, "-workers", "4"), TEST_ROWS));
	json_decref(run_and_check(RUN_WORDS(WITHOUT_REFERENCE, "-workers", "16", "-use-dag=false"), TEST_ROWS));
	json_decref(run_and_check(RUN_WORDS(WITH_REFERENCE, "-workers", "16", "-use-dag=false"), TEST_ROWS));
	json_decref(run_and_check(RUN_WORDS(WITH_REFERENCE, "-workers", "160"), TEST_ROWS));
}

static void burn_in_is_counted_apart(void **state)
{
	json_t *j;

	(void)state;
	j = run_and_check(RUN_WORDS(WITHOUT_REFERENCE, "-workers=4", "-burn-in=300", "-max-queries=1500",
				    "-metadata-autobatching=0"),
			  1200);
	assert_int_equal(integer_at(j, "Limit"), 1500);
	assert_int_equal(integer_at(j, "MetadataAutobatching"), 0);
	assert_int_equal(integer_at(j, "TensorBatchSize"), 1);
	json_decref(j);
}

static void burn_in_is_announced(void **state)
{
	(void)state;
	run_prints(RUN_WORDS(WITHOUT_REFERENCE, "-workers=4", "-burn-in=300"),
		   WORDS("burn-in complete after 300 queries with 4 workers"));
}

static void a_rate_limit_is_kept(void **state)
{
	json_t *j;

	(void)state;
	/* 500 at 1000/s are due over half a second; nothing is asserted of how precisely. */
	j = run_and_check(RUN_WORDS(WITHOUT_REFERENCE, "-workers=8", "-max-queries=500", "-limit-rps=1000"), 500);
	assert_true(number_at(j, "OverallRatesIncludingWarmup/overallOpsRate") < 1100);
	assert_int_equal(integer_at(j, "MaxRps"), 1000);
	json_decref(j);
}

static void a_dataset_from_a_pipe_equals_the_one_from_a_file(void **state)
{
	struct process_result r;
	char *data;
	size_t len;
	struct process p;
	FILE *in;

	(void)state;
	run_ok(&r,
	       WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, WITH_REFERENCE, "-workers=4",
		     "-print-responses"),
	       &(struct process_options){.stdin_path = files.data});
	check_holds(r.out, WORDS("count: " TEST_ROWS_TEXT));
	process_result_release(&r);

	data = read_file(files.data, &len);
	process_start(&p,
		      WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, WITH_REFERENCE, "-workers=4",
			    "-file", "-"),
		      &(struct process_options){.pipe_stdin = true});
	in = fdopen(p.in_fd, "wb");
	assert_non_null(in);
	assert_int_equal(fwrite(data, 1, len, in), len);
	assert_int_equal(fclose(in), 0);
	p.in_fd = -1;
	process_wait(&p, &r, LIMIT_SECONDS);
	assert_int_equal(r.status, 0);
	check_holds(r.out, WORDS("count: " TEST_ROWS_TEXT));
	process_result_release(&r);
	free(data);
}

static void a_limit_beyond_the_file_ends_with_the_file(void **state)
{
	(void)state;
	run_prints(RUN_WORDS(WITHOUT_REFERENCE, "-max-queries=1000000"), WORDS("count: " TEST_ROWS_TEXT));
}

static void options_of_aibench_that_have_no_effect_are_accepted(void **state)
{
	(void)state;
	run_prints(RUN_WORDS(WITHOUT_REFERENCE, "-model-filename=./model.pb", "-print-interval=0", "-cluster-mode",
			     "-use-dag=true", "-reporting-period=1000ms", "-debug=0",
			     "-enable-reference-data-redis=false", "-print-responses=false",
			     "-pool-pipeline-window=500us", "-pool-pipeline-concurrency=0", "-cpuprofile=x.prof"),
		   WORDS("count: " TEST_ROWS_TEXT));
}

static void several_hosts_take_turns(void **state)
{
	struct redis_server second;
	char ports[32];
	redisContext *c;
	redisReply *reply;

	(void)state;
	redis_server_start_module(&second, NULL, NULL);
	load_fraud(&second);
	snprintf(ports, sizeof(ports), "%s,%s", server.port_text, second.port_text);
	run_prints(WORDS(REDISAI_RUN, "-host", "127.0.0.1,127.0.0.1", "-port", ports, "-file", files.data,
			 WITH_REFERENCE, "-workers=4"),
		   WORDS("count: " TEST_ROWS_TEXT));
	c = redisConnect("127.0.0.1", second.port);
	assert_non_null(c);
	reply = redisCommand(c, "INFO COMMANDSTATS");
	assert_non_null(reply);
	check_holds(reply->str, WORDS("cmdstat_ai.dagrun:calls="));
	assert_true(strtol(strstr(reply->str, "cmdstat_ai.dagrun:calls=") + 24, NULL, 10) > TEST_ROWS / 4);
	freeReplyObject(reply);
	redisFree(c);
	redis_server_stop(&second, false);
}

static void the_server_s_counters_are_in_the_json_file(void **state)
{
	json_t *j, *stats;
	const char *key;
	json_t *value;
	long calls = 0;

	(void)state;
	j = run_and_check(RUN_WORDS(WITHOUT_REFERENCE, "-workers=4", "-max-queries=600", "-limit-rps=1000",
				    "-reporting-period=100ms"),
			  600);
	stats = value_at(j, "ServerRunTimeStats");
	assert_true(json_object_size(stats) > 0);
	json_object_foreach(stats, key, value)
	{
		const char *host;
		json_t *fields;

		json_object_foreach(value, host, fields)
		{
			const json_t *f = json_object_get(fields, "ai_info.calls");

			if (f)
				calls += strtol(json_string_value(f), NULL, 10);
		}
	}
	assert_int_equal(calls, 600);
	assert_true(json_object_size(value_at(j, "ClientRunTimeStats")) > 0);
	json_decref(j);
}

static void interrupt_with(int sig)
{
	struct process_result r;
	struct process p;
	json_t *j;

	unlink(json_path);
	unlink(hist_path);
	/* 2000 at 10/s: ten times longer than the test's limit, had Ctrl-C no effect. */
	process_start(&p, RUN_WORDS(WITHOUT_REFERENCE, "-workers=4", "-limit-rps=10", "-reporting-period=100ms"), NULL);
	wait_for_output(&p, "\n1");
	process_signal(&p, sig);
	process_wait(&p, &r, LIMIT_SECONDS);
	assert_true(r.status > 0);
	check_holds(r.out, WORDS("interrupted", "Run complete after", "Took:"));
	process_result_release(&r);
	j = read_json(json_path);
	assert_true(number_at(j, "OverallRates/overallOpsRate") >= 0);
	json_decref(j);
	assert_true(hist_count() < TEST_ROWS);
}

static void ctrl_c_ends_early_and_still_writes_every_report(void **state)
{
	(void)state;
	interrupt_with(SIGINT);
	interrupt_with(SIGTERM);
}

static void results_in_a_home_folder_written_as_tilde_are_found(void **state)
{
	char home[300], path[600];
	const char *const env[] = {home, NULL};
	struct process_result r;

	(void)state;
	snprintf(home, sizeof(home), "HOME=%s", files.folder);
	run_ok(&r,
	       WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file=~/fraud.dat", WITHOUT_REFERENCE,
		     "-output-file-stats-hdr-response-latency-hist=~/HIST_tilde.txt", "-json-out-file=~/tilde.json"),
	       &(struct process_options){.env = env});
	process_result_release(&r);
	assert_int_equal(access(path_in(path, sizeof(path), files.folder, "HIST_tilde.txt"), R_OK), 0);
	assert_int_equal(access(path_in(path, sizeof(path), files.folder, "tilde.json"), R_OK), 0);
}

static void responses_are_printed_when_asked_for(void **state)
{
	struct process_result r;
	unsigned lines = 0;

	(void)state;
	run_ok(&r,
	       WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data, WITHOUT_REFERENCE,
		     "-max-queries=20", "-print-responses"),
	       NULL);
	for (const char *at = r.out; (at = strstr(at, "0.")); at += 2)
		lines++;
	assert_true(lines >= 20);
	process_result_release(&r);
}

static void repetitions_are_each_reported(void **state)
{
	struct process_result r;
	unsigned reports = 0;

	(void)state;
	run_ok(&r,
	       WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data, WITHOUT_REFERENCE,
		     "-repetitions=3"),
	       NULL);
	for (const char *at = r.out; (at = strstr(at, "Run complete after")); at++)
		reports++;
	assert_int_equal(reports, 3);
	process_result_release(&r);
}

/* The values below the header line, as float32 one after the other. */
static void write_expected(const char *to, const char *csv)
{
	char *text = read_file(csv, NULL);
	FILE *f = fopen(to, "wb");

	assert_non_null(f);
	for (char *at = strchr(text, '\n'), *end; *at; at = end) {
		float value = strtof(at, &end);

		if (end == at)
			end++;
		else
			assert_int_equal(fwrite(&value, sizeof(value), 1, f), 1);
	}
	assert_int_equal(fclose(f), 0);
	free(text);
}

static void real_transactions_get_the_real_model_s_answers(void **state)
{
	char csv[512], golden[512], model[512], data[512], expected[512], host[64];

	(void)state;
	if (!test_data(csv, sizeof(csv), "creditcard/creditcard_sample.csv") ||
	    !test_data(golden, sizeof(golden), "golden/creditcardfraud_noreference_expected.csv") ||
	    !test_data(model, sizeof(model), "models/tensorflow/creditcardfraud_noreference.pb"))
		skip();
	path_in(data, sizeof(data), files.folder, "real.dat");
	path_in(expected, sizeof(expected), files.folder, "expected.raw");
	snprintf(host, sizeof(host), "127.0.0.1:%s", server.port_text);
	write_expected(expected, golden);
	run_quietly(WORDS("aibench_generate_data", "-input-file", csv, "-output-file", data));
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-model=real", "-model-file", model, "-inputs=transaction",
			  "-outputs=out"));
	run_prints(WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-model=real", "-file", data,
			 "-workers=16", "-expected-answers", expected),
		   WORDS("count: 5622", "5622 right"));
	/* The check can fail: the generated model's answers are others. */
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-model=financialNet_NoReference",
			"-file", data, "-expected-answers", expected),
		  NULL, WORDS("wrong", "expected"));
}

/* ---- the loader ------------------------------------------------------------------------------------------------ */

static void the_loader_stores_the_row_s_reference_both_ways(void **state)
{
	struct redis_server s;
	redisContext *c;
	char *data;
	char host[64];

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	snprintf(host, sizeof(host), "redis://127.0.0.1:%s", s.port_text);
	run_prints(WORDS(LOAD, "-redis-host", host, "-file", files.data, "-workers=3", "-pipeline=7"),
		   WORDS("time (ns),total commands,instantaneous commands/s,overall commands/s"));
	data = read_file(files.data, NULL);
	c = redisConnect("127.0.0.1", s.port);
	assert_non_null(c);
	for (int id = 0; id < TEST_ROWS; id += 333) {
		const char *want = data + (size_t)id * FRAUD_ROW_SIZE + FRAUD_REFERENCE_OFFSET;
		redisReply *blob = redisCommand(c, "GET referenceBLOB:{%d}", id);
		redisReply *tensor = redisCommand(c, "AI.TENSORGET referenceTensor:{%d} META BLOB", id);

		assert_int_equal(blob->type, REDIS_REPLY_STRING);
		assert_int_equal(blob->len, FRAUD_REFERENCE_SIZE);
		assert_memory_equal(blob->str, want, FRAUD_REFERENCE_SIZE);
		assert_int_equal(tensor->type, REDIS_REPLY_ARRAY);
		assert_string_equal(tensor->element[1]->str, "FLOAT");
		assert_int_equal(tensor->element[3]->element[0]->integer, 1);
		assert_int_equal(tensor->element[3]->element[1]->integer, FRAUD_REFERENCES);
		assert_memory_equal(tensor->element[5]->str, want, FRAUD_REFERENCE_SIZE);
		freeReplyObject(blob);
		freeReplyObject(tensor);
	}
	free(data);
	redisFree(c);
	redis_server_stop(&s, false);
}

static long database_size(unsigned short port)
{
	redisContext *c = redisConnect("127.0.0.1", port);
	redisReply *reply = redisCommand(c, "DBSIZE");
	long n = (long)reply->integer;

	freeReplyObject(reply);
	redisFree(c);
	return n;
}

static void the_loader_stops_at_its_maximum_and_reads_pipes(void **state)
{
	struct redis_server s;
	struct process_result r;
	char host[64];

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
	run_quietly(WORDS(LOAD, "-redis-host", host, "-file", files.data, "-set-tensor=false", "-max-inserts=150",
			  "-pipeline=100"));
	assert_int_equal(database_size(s.port), 150);
	run_ok(&r, WORDS(LOAD, "-redis-host", host, "-set-blob=false", "-workers=2"),
	       &(struct process_options){.stdin_path = files.data});
	process_result_release(&r);
	assert_int_equal(database_size(s.port), 150 + TEST_ROWS);
	redis_server_stop(&s, false);
}

/* As AIBench's load_blobs_redis.sh and load_tensors_redis.sh word it. */
static void the_loader_takes_aibench_s_command_lines(void **state)
{
	struct redis_server s;
	char url[64];

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	snprintf(url, sizeof(url), "--redis-host=redis://127.0.0.1:%s", s.port_text);
	run_quietly(WORDS(LOAD, "--file", files.data, "--reporting-period", "1000ms", "--set-tensor=false",
			  "-set-blob=true", "--debug=3", url, "--workers=2", "--pipeline=1000"));
	run_quietly(WORDS(LOAD, "--file", files.data, "--reporting-period=1000ms", "--set-blob=false",
			  "-set-tensor=true", url, "--workers=2", "--pipeline=100"));
	assert_int_equal(database_size(s.port), 2 * TEST_ROWS);
	redis_server_stop(&s, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_of_asking_answers_every_row),
		cmocka_unit_test(burn_in_is_counted_apart),
		cmocka_unit_test(burn_in_is_announced),
		cmocka_unit_test(a_rate_limit_is_kept),
		cmocka_unit_test(a_dataset_from_a_pipe_equals_the_one_from_a_file),
		cmocka_unit_test(a_limit_beyond_the_file_ends_with_the_file),
		cmocka_unit_test(options_of_aibench_that_have_no_effect_are_accepted),
		cmocka_unit_test(several_hosts_take_turns),
		cmocka_unit_test(the_server_s_counters_are_in_the_json_file),
		cmocka_unit_test(ctrl_c_ends_early_and_still_writes_every_report),
		cmocka_unit_test(results_in_a_home_folder_written_as_tilde_are_found),
		cmocka_unit_test(responses_are_printed_when_asked_for),
		cmocka_unit_test(repetitions_are_each_reported),
		cmocka_unit_test(real_transactions_get_the_real_model_s_answers),
		cmocka_unit_test(the_loader_stores_the_row_s_reference_both_ways),
		cmocka_unit_test(the_loader_stops_at_its_maximum_and_reads_pipes),
		cmocka_unit_test(the_loader_takes_aibench_s_command_lines),
	};

	return cmocka_run_group_tests_name("whole_way", tests, prepare, clean_up);
}
