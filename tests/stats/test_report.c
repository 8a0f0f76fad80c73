/*
 * What a run prints, as golden text; what its JSON holds, read back by another parser.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/file.h"
#include "stats/result.h"
#include "tests/support/folder.h"

#define MS NSEC_PER_MSEC

/* Not inlined: gcc 12 then takes what open_memstream left in text for a pointer to text. */
__attribute__((noinline)) static char *text_of(void (*write)(FILE *out, const void *arg), const void *arg)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	write(out, arg);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void record(struct recorder *r, nsec_t intended, nsec_t sent, nsec_t received, enum outcome o)
{
	struct stamps s = {.intended = intended, .sent = sent, .received = received};

	recorder_record(r, &s, o, 1);
}

/* 100 burnt in, then 8 answers of 10, 20, … 80 ms: 108 inferences in 2 s, 8 of them in the last second. */
static void make_result(struct result *r, bool open_loop)
{
	*r = (struct result){
		.program = "aibench_run_inference_redisai",
		.use_case = "creditcard-fraud",
		.label = "RedisAI Query - financialNet :AI.DAGRUN",
		.description = "a \"test\"\nof two lines",
		.config = {{"host", "127.0.0.1:6379"}, {"model", "financialNet"}},
		.nconfig = 2,
		.limit = 108,
		.metadata_autobatching = -1,
		.tensor_batch = 1,
		.workers = 4,
		.burn_in = 100,
		.repetition = 1,
		.repetitions = 3,
		.command_line = "aibench_run_inference_redisai -workers 4",
		.start_wall = INT64_C(1596741778590000000),
		.end_wall = INT64_C(1596741780590000000),
		.start = 5 * NSEC_PER_SEC,
		.burn_in_end = 6 * NSEC_PER_SEC,
		.end = 7 * NSEC_PER_SEC,
		.usage = {.user_seconds = 0.0005,
			  .system_seconds = 0.00158,
			  .voluntary_switches = 12,
			  .involuntary_switches = 3,
			  .rss_anon_bytes = 3 << 20,
			  .threads = 2},
	};
	r->burned_in.requests[OUTCOME_OK] = r->burned_in.inferences[OUTCOME_OK] = 100;
	assert_int_equal(recorder_init(&r->all, open_loop), 0);
	for (int i = 1; i <= 8; i++)
		record(&r->all, 0, open_loop ? 2 * MS : 0, 10 * i * MS + (open_loop ? 2 * MS : 0), OUTCOME_OK);
}

static void write_report(FILE *out, const void *result)
{
	assert_int_equal(report_text(out, result), 0);
}

static void final_block_is_aibenchs_to_the_letter(void **state)
{
	static const char figures[] =
		"+ Inference execution latency (statistical histogram):\n"
		"\tmin:    10.00 ms,  mean:    45.00 ms, q25:    20.00 ms, med(q50):    40.01 ms, q75:    60.03 ms, "
		"q99:    80.00 ms, max:    80.00 ms, stddev:    22.91ms, count: 8, timedOut count: 0\n"
		"\n";
	struct result r;
	char *text, expected[2000];

	(void)state;
	make_result(&r, false);
	text = text_of(write_report, &r);
	snprintf(expected, sizeof(expected),
		 "Run complete after 8 inferences with 4 workers (Overall inference rate 54.00 inferences/sec):\n"
		 "All queries                            :\n"
		 "%s"
		 "RedisAI Query - financialNet :AI.DAGRUN:\n"
		 "%s"
		 "Took:    2.000 sec\n"
		 "Outcomes: 8 right, 0 wrong, 0 errors, 0 timeouts after a burn-in of 100\n"
		 "Inference rate since the end of the burn-in: 8.00 inferences/sec\n"
		 "Service time (ms): q50 40.010, q90 80.000, q95 80.000, q99 80.000, q99.9 80.000, q99.99 80.000, max "
		 "80.000\n"
		 "Client: 19.26 us of CPU per inference (user 0.001 s, system 0.002 s, 2 threads), 12 voluntary and 3 "
		 "involuntary context switches, 0 major page faults, 3.0 MiB of anonymous memory\n",
		 figures, figures);
	assert_string_equal(text, expected);
	free(text);
	result_release(&r);
}

static void paced_run_also_shows_response_time_and_send_lag(void **state)
{
	struct result r;
	const char *response, *lag;
	char *text;

	(void)state;
	make_result(&r, true);
	text = text_of(write_report, &r);
	response = strstr(text, "\nResponse time, from when a request was due (ms): q50 42.009, ");
	lag = strstr(text, "\nSend lag, how late requests were sent (ms): q50 2.000, ");
	assert_non_null(response);
	assert_non_null(lag);
	assert_true(strstr(text, "Took:") < response && response < lag);
	free(text);
	result_release(&r);
}

static void stages_are_shown_where_the_driver_stamps_them(void **state)
{
	struct stamps s = {.intended = 0, .sent = 1, .received = 1 + 5 * MS};
	const char *fetch, *call;
	struct result r;
	char *text;

	(void)state;
	make_result(&r, false);
	recorder_reset(&r.all);
	assert_int_equal(recorder_add_stages(&r.all, 1U << STAGE_REFERENCE | 1U << STAGE_SERVICE), 0);
	s.stage[STAGE_REFERENCE] = 1 + 2 * MS;
	s.stage[STAGE_SERVICE] = s.received;
	recorder_record(&r.all, &s, OUTCOME_OK, 1);
	text = text_of(write_report, &r);
	fetch = strstr(text, "\nReference fetch (ms): q50 2.000, ");
	call = strstr(text, "\nModel call (ms): q50 3.000, ");
	assert_non_null(fetch);
	assert_non_null(call);
	assert_true(strstr(text, "\nService time") < fetch && fetch < call);
	free(text);
	result_release(&r);
}

static void empty_run_prints_zeros(void **state)
{
	struct result r;
	char *text;

	(void)state;
	make_result(&r, false);
	recorder_reset(&r.all);
	text = text_of(write_report, &r);
	assert_non_null(strstr(text, "\tmin:     0.00 ms,  mean:     0.00 ms, q25:     0.00 ms, med(q50):     0.00 ms, "
				     "q75:     0.00 ms, q99:     0.00 ms, max:     0.00 ms, stddev:     0.00ms, "
				     "count: 0, timedOut count: 0\n"));
	assert_non_null(strstr(text, "Warning: nothing was measured"));
	assert_null(strstr(text, " nan"));
	assert_null(strstr(text, "inf "));
	free(text);
	result_release(&r);
}

static void assert_warns(struct result *r, const char *words)
{
	char *text = text_of(write_report, r);

	if (!strstr(text, words))
		fail_msg("no \"%s\" in: %s", words, text);
	free(text);
}

static void reader_is_warned_of_what_spoils_a_run(void **state)
{
	struct result r;

	(void)state;
	make_result(&r, true);
	r.interrupted = true;
	r.repetitions = 1;
	r.usage.major_faults = 17;
	r.unanswered = 5;
	r.reconnects = 2;
	snprintf(r.error.text, sizeof(r.error.text), "ERR model key is empty");
	snprintf(r.timeout.text, sizeof(r.timeout.text), "row 9: no answer");
	snprintf(r.wrong.text, sizeof(r.wrong.text), "row 7: sums to 0.5");
	record(&r.all, 0, 0, 30 * MS, OUTCOME_WRONG);
	record(&r.all, 0, 0, 0, OUTCOME_ERROR);
	record(&r.all, 0, 0, 90 * MS, OUTCOME_TIMEOUT);
	record(&r.all, 0, 0, 2 * HISTOGRAM_LATENCY_HIGHEST, OUTCOME_OK);
	assert_warns(&r, "Warning: interrupted");
	assert_warns(&r,
		     "Outcomes: 9 right, 1 wrong, 1 error, 1 timeout after a burn-in of 100; 5 requests unanswered at "
		     "the end; 2 reconnects\n");
	assert_warns(&r, "count: 11, timedOut count: 1\n");
	assert_warns(&r, "Warning: 1 request failed with: ERR model key is empty\n");
	assert_warns(&r, "Warning: 1 request had a wrong answer: row 7: sums to 0.5\n");
	assert_warns(&r,
		     "Warning: 1 request timed out with: row 9: no answer (time-outs count as long as was waited)\n");
	assert_warns(&r, "Warning: 2 latencies were over 3600 s");
	assert_warns(&r, "Warning: 17 major page faults");
	assert_warns(&r, "Note: 1 of at least 3 repetitions");
	r.stopped_by_error = true;
	assert_warns(&r, "Warning: stopped by an error: ERR model key is empty\n");
	result_release(&r);
}

static void assert_silent(struct result *r, const char *words)
{
	char *text = text_of(write_report, r);

	if (strstr(text, words))
		fail_msg("there is \"%s\" in: %s", words, text);
	free(text);
}

static void run_that_ended_within_its_burn_in_says_so(void **state)
{
	struct result r;

	(void)state;
	make_result(&r, false);
	recorder_reset(&r.all);
	r.burned_in = (struct totals){0};
	r.burned_in.requests[OUTCOME_OK] = r.burned_in.inferences[OUTCOME_OK] = 78;
	r.burned_in.requests[OUTCOME_ERROR] = r.burned_in.inferences[OUTCOME_ERROR] = 1;
	r.burned_in.requests[OUTCOME_TIMEOUT] = r.burned_in.inferences[OUTCOME_TIMEOUT] = 1;
	r.stopped_by_error = true;
	snprintf(r.error.text, sizeof(r.error.text), "row 7: ERR model key is empty");
	assert_warns(&r, "Outcomes: 0 right, 0 wrong, 0 errors, 0 timeouts after a burn-in of 80 (78 right, 0 wrong, 1 "
			 "error, 1 timeout)\n");
	assert_warns(&r, "Warning: stopped by an error: row 7: ERR model key is empty\n");
	assert_warns(&r, "Warning: nothing was measured: the run ended within its burn-in\n");
	assert_warns(&r, "Warning: 1 request timed out");
	r.stopped_by_error = false;
	r.interrupted = true;
	assert_warns(&r, "Warning: nothing was measured: the run ended within its burn-in\n");
	assert_warns(&r, "Warning: 1 request failed with: row 7: ERR model key is empty\n");
	r.burned_in.inferences[OUTCOME_OK] = 98;
	assert_warns(&r, "Warning: nothing was measured\n");
	r.interrupted = false;
	assert_warns(&r, "Warning: nothing was measured: the burn-in took all inferences\n");
	result_release(&r);
}

static void many_of_a_kind_are_in_the_plural(void **state)
{
	struct result r;

	(void)state;
	make_result(&r, false);
	r.unanswered = r.reconnects = 1;
	r.usage = (struct client_usage){.threads = 1, .involuntary_switches = 1, .major_faults = 1};
	snprintf(r.error.text, sizeof(r.error.text), "ERR busy");
	snprintf(r.wrong.text, sizeof(r.wrong.text), "row 7: sums to 0.5");
	for (int i = 0; i < 2; i++) {
		record(&r.all, 0, 0, 30 * MS, OUTCOME_WRONG);
		record(&r.all, 0, 0, 0, OUTCOME_ERROR);
		record(&r.all, 0, 0, 90 * MS, OUTCOME_TIMEOUT);
	}
	assert_warns(&r, "; 1 request unanswered at the end; 1 reconnect\n");
	assert_warns(&r, ", 1 thread), 0 voluntary and 1 involuntary context switch, 1 major page fault, ");
	assert_warns(&r, "2 wrong, 2 errors, 2 timeouts after");
	assert_warns(&r, "Warning: 2 requests failed, the first with: ERR busy\n");
	assert_warns(&r, "Warning: 2 requests had wrong answers, the first: row 7: sums to 0.5\n");
	/* Its text is not an error's. */
	assert_warns(&r, "Warning: 2 requests timed out (time-outs count as long as was waited)\n");
	assert_silent(&r, "Warning: nothing was measured");
	result_release(&r);
}

static void write_progress(FILE *out, const void *overall)
{
	struct period p = {
		.wall = INT64_C(1596741778590123456), .inferences = 115, .inference_rate = 58.7, .overall_rate = 57.2};

	report_progress_header(out);
	report_progress(out, &p, overall);
	report_burn_in_complete(out, 100, 1);
}

static void progress_lines_are_aibenchs(void **state)
{
	struct histogram overall;
	char *text;

	(void)state;
	assert_int_equal(histogram_init_latency(&overall), 0);
	histogram_record_n(&overall, 16770000, 50);
	histogram_record_n(&overall, 17860000, 45);
	histogram_record_n(&overall, 18980000, 5);
	text = text_of(write_progress, &overall);
	assert_string_equal(
		text, "time (ms),total queries,instantaneous inferences/s,overall inferences/s,overall q50 lat(ms),"
		      "overall q90 lat(ms),overall q95 lat(ms),overall q99 lat(ms),overall q99.999 lat(ms)\n"
		      "1596741778590,115,59,57,16.78,17.87,17.87,18.98,18.98\n"
		      "burn-in complete after 100 queries with 1 workers\n");
	free(text);
	histogram_release(&overall);
}

static void add_period(struct result *r, nsec_t wall, int64_t latency)
{
	struct period p = {.wall = wall, .test_time = 1500 * MS, .inference_rate = 12.25, .inferences = 50};
	struct histogram h;

	assert_int_equal(histogram_init_latency(&h), 0);
	histogram_record_n(&h, latency, 4);
	assert_int_equal(period_set_latencies(&p, &h), 0);
	histogram_release(&h);
	r->periods = realloc(r->periods, (r->nperiods + 1) * sizeof(*r->periods));
	assert_non_null(r->periods);
	r->periods[r->nperiods++] = p;
}

static void add_server_stat(struct result *r, nsec_t wall, const char *server, const char *key, const char *value)
{
	assert_int_equal(server_log_add(&r->server_log, wall, server, key, value), 0);
}

static json_t *read_back(const struct result *r)
{
	const char *path = in_folder("out.json");
	struct error err = {""};
	json_error_t problem;
	json_t *root;

	if (report_json(path, r, &err) != 0)
		fail_msg("%s", err.text);
	root = json_load_file(path, JSON_REJECT_DUPLICATES, &problem);
	if (!root)
		fail_msg("line %d: %s", problem.line, problem.text);
	/* The one file, no temporary left beside it. */
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(test_folder()), 0);
	assert_int_equal(mkdir(test_folder(), 0700), 0);
	return root;
}

/* "a/b/c": the member c of the member b of a. */
static json_t *at(json_t *root, const char *path)
{
	char copy[256], *rest = copy, *name;

	snprintf(copy, sizeof(copy), "%s", path);
	while ((name = strsep(&rest, "/"))) {
		root = json_object_get(root, name);
		if (!root)
			fail_msg("no member %s of %s", name, path);
	}
	return root;
}

static void assert_text(json_t *root, const char *path, const char *expected)
{
	assert_true(json_is_string(at(root, path)));
	assert_string_equal(json_string_value(at(root, path)), expected);
}

static void assert_integer(json_t *root, const char *path, int64_t expected)
{
	assert_true(json_is_integer(at(root, path)));
	assert_int_equal(json_integer_value(at(root, path)), expected);
}

static void assert_number(json_t *root, const char *path, double expected)
{
	double value = json_number_value(at(root, path));

	if (!(fabs(value - expected) <= 1e-3 * fabs(expected)))
		fail_msg("%s is %g, not %g", path, value, expected);
}

static void assert_encoded(json_t *root, const char *path, int64_t max, uint64_t total)
{
	const char *text = json_string_value(at(root, path));
	struct histogram h;

	assert_non_null(text);
	assert_memory_equal(text, "HISTFAAA", 8);
	assert_int_equal(histogram_decode(&h, text, strlen(text), NULL), 0);
	assert_int_equal(h.total, total);
	assert_true(llabs(h.max - max) <= max / 1000);
	histogram_release(&h);
}

static void json_has_aibenchs_members_in_aibenchs_units(void **state)
{
	struct result r;
	json_t *j;

	(void)state;
	make_result(&r, false);
	add_period(&r, INT64_C(1596741779590000001), 20 * MS);
	add_period(&r, INT64_C(1596741780590000002), 30 * MS);
	add_server_stat(&r, INT64_C(1596741779590000001), "127.0.0.1:6379", "ai_info.calls", "57");
	add_server_stat(&r, INT64_C(1596741779590000001), "127.0.0.1:6379", "used_memory_human", "1.5M");
	add_server_stat(&r, INT64_C(1596741779590000001), "127.0.0.1:6380", "ai_info.calls", "58");
	add_server_stat(&r, INT64_C(1596741780590000002), "127.0.0.1:6379", "ai_info.calls", "59");
	j = read_back(&r);
	assert_true(json_is_string(at(j, "ResultFormatVersion")));
	assert_integer(j, "Limit", 108);
	assert_integer(j, "MetadataAutobatching", -1);
	assert_integer(j, "TensorBatchSize", 1);
	assert_integer(j, "Workers", 4);
	assert_integer(j, "MaxRps", 0);
	assert_text(j, "TestDescription", "a \"test\"\nof two lines");
	assert_text(j, "DBSpecificConfigs/model", "financialNet");
	assert_integer(j, "StartTime", 1596741778);
	assert_integer(j, "EndTime", 1596741780);
	assert_integer(j, "DurationMillis", 2000);
	assert_integer(j, "Totals/TotalInferences", 108);
	assert_integer(j, "Totals/MeasuredInferences", 8);
	assert_number(j, "OverallRates/overallOpsRate", 8);
	assert_number(j, "OverallRatesIncludingWarmup/overallOpsRate", 54);
	assert_number(j, "OverallQuantiles/AllQueries/q0", 10);
	assert_number(j, "OverallQuantiles/AllQueries/q50", 40);
	assert_number(j, "OverallQuantiles/AllQueries/q95", 80);
	assert_number(j, "OverallQuantiles/AllQueries/q99", 80);
	assert_number(j, "OverallQuantiles/AllQueries/q999", 80);
	assert_number(j, "OverallQuantiles/AllQueries/q100", 80);
	assert_encoded(j, "OverallQuantiles/EncodedHistogram", 80000, 8);
	assert_int_equal(json_object_size(at(j, "ClientRunTimeStats")), 2);
	assert_number(j, "ClientRunTimeStats/1596741779590000001/InferenceRate", 12.25);
	assert_number(j, "ClientRunTimeStats/1596741779590000001/TestTime", 1.5);
	assert_number(j, "ClientRunTimeStats/1596741780590000002/Quantiles/q50", 30);
	assert_encoded(j, "ClientRunTimeStats/1596741780590000002/EncodedHistogram", 30000, 4);
	assert_int_equal(json_object_size(at(j, "ServerRunTimeStats")), 2);
	assert_text(j, "ServerRunTimeStats/1596741779590000001/127.0.0.1:6379/ai_info.calls", "57");
	assert_text(j, "ServerRunTimeStats/1596741779590000001/127.0.0.1:6379/used_memory_human", "1.5M");
	assert_text(j, "ServerRunTimeStats/1596741779590000001/127.0.0.1:6380/ai_info.calls", "58");
	assert_text(j, "ServerRunTimeStats/1596741780590000002/127.0.0.1:6379/ai_info.calls", "59");
	json_decref(j);
	result_release(&r);
}

static void json_has_our_own_objects_beside_them(void **state)
{
	struct result r;
	json_t *j;

	(void)state;
	make_result(&r, true);
	r.interrupted = true;
	r.reconnects = 2;
	record(&r.all, 0, 0, 0, OUTCOME_ERROR);
	snprintf(r.error.text, sizeof(r.error.text), "ERR no");
	j = read_back(&r);
	assert_text(j, "Program", "aibench_run_inference_redisai");
	assert_text(j, "UseCase", "creditcard-fraud");
	assert_text(j, "Arrival", "open");
	assert_true(json_is_true(at(j, "Interrupted")));
	assert_true(json_is_false(at(j, "StoppedByError")));
	assert_text(j, "FirstError", "ERR no");
	assert_true(json_is_null(at(j, "FirstWrongAnswer")));
	assert_integer(j, "Repetition", 1);
	assert_integer(j, "Repetitions", 3);
	assert_integer(j, "Outcomes/Requests/OK", 8);
	assert_integer(j, "Outcomes/Requests/Error", 1);
	assert_integer(j, "Outcomes/Inferences/Timeout", 0);
	assert_integer(j, "Outcomes/BurnInInferences/OK", 100);
	assert_integer(j, "Outcomes/Reconnects", 2);
	assert_text(j, "Histograms/Unit", "nanoseconds");
	assert_integer(j, "Histograms/Service/Count", 8);
	assert_integer(j, "Histograms/Service/Max", 80 * MS);
	assert_number(j, "Histograms/Service/Mean", 45e6);
	assert_encoded(j, "Histograms/Service/EncodedHistogram", 80 * MS, 8);
	assert_integer(j, "Histograms/Response/Max", 82 * MS);
	assert_integer(j, "Histograms/SendLag/Max", 2 * MS);
	assert_number(j, "Client/CPUMicrosPerInference", 2080.0 / 109);
	assert_integer(j, "Client/Threads", 2);
	json_decref(j);
	result_release(&r);
}

static void closed_loop_has_no_lag_and_its_response_is_its_service(void **state)
{
	struct result r;
	json_t *j;

	(void)state;
	make_result(&r, false);
	j = read_back(&r);
	assert_text(j, "Arrival", "closed");
	assert_true(json_equal(at(j, "Histograms/Response"), at(j, "Histograms/Service")));
	assert_true(json_is_null(at(j, "Histograms/SendLag")));
	json_decref(j);
	result_release(&r);
}

static void json_has_the_stages_that_were_stamped(void **state)
{
	struct stamps s = {.received = 5 * MS, .stage[STAGE_REFERENCE] = 2 * MS, .stage[STAGE_SERVICE] = 5 * MS};
	struct result r;
	json_t *root;

	(void)state;
	make_result(&r, false);
	assert_int_equal(recorder_add_stages(&r.all, 1U << STAGE_REFERENCE | 1U << STAGE_SERVICE), 0);
	recorder_record(&r.all, &s, OUTCOME_OK, 1);
	root = read_back(&r);
	assert_int_equal(json_integer_value(at(root, "Histograms/ReferenceFetch/Count")), 1);
	assert_int_equal(json_integer_value(at(root, "Histograms/ReferenceFetch/Max")), 2 * MS);
	assert_int_equal(json_integer_value(at(root, "Histograms/ModelCall/Max")), 3 * MS);
	json_decref(root);
	result_release(&r);
}

static void any_bytes_of_a_server_make_valid_json(void **state)
{
	char every[256], longer[8];
	struct result r;
	json_t *j;

	(void)state;
	make_result(&r, false);
	for (int c = 1; c < 256; c++)
		every[c - 1] = (char)c;
	every[255] = '\0';
	add_server_stat(&r, 1, "host", "every", every);
	/* Overlong, a surrogate, cut off, right: é and 😀. */
	add_server_stat(&r, 1, "host", "overlong", "\xc0\x80");
	add_server_stat(&r, 1, "host", "surrogate", "\xed\xa0\x80");
	snprintf(longer, sizeof(longer), "x\xf0\x9f\x98");
	add_server_stat(&r, 1, "host", "cut", longer);
	add_server_stat(&r, 1, "host", "right", "\xc3\xa9\xf0\x9f\x98\x80\t\"\\");
	j = read_back(&r);
	assert_text(j, "ServerRunTimeStats/1/host/overlong", "\xef\xbf\xbd\xef\xbf\xbd");
	assert_text(j, "ServerRunTimeStats/1/host/surrogate", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_text(j, "ServerRunTimeStats/1/host/cut", "x\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	assert_text(j, "ServerRunTimeStats/1/host/right", "\xc3\xa9\xf0\x9f\x98\x80\t\"\\");
	json_decref(j);
	result_release(&r);
}

static void counters_may_be_added_after_a_report(void **state)
{
	struct result r;
	char value[5000];
	json_t *j;

	(void)state;
	make_result(&r, false);
	j = read_back(&r);
	assert_int_equal(json_object_size(at(j, "ServerRunTimeStats")), 0);
	json_decref(j);
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 1; i <= 300; i++) {
		char key[16];

		snprintf(key, sizeof(key), "key%d", i);
		add_server_stat(&r, 7, "host", key, i % 100 ? "" : value);
		if (i % 100)
			continue;
		j = read_back(&r);
		assert_int_equal(json_object_size(at(j, "ServerRunTimeStats/7/host")), i);
		json_decref(j);
	}
	j = read_back(&r);
	assert_text(j, "ServerRunTimeStats/7/host/key300", value);
	assert_text(j, "ServerRunTimeStats/7/host/key1", "");
	json_decref(j);
	result_release(&r);
}

static void json_describes_the_platform(void **state)
{
	struct platform p = {.cpu_model = "A \"CPU\"",
			     .machine = "x86_64",
			     .kernel = "Linux 6.1",
			     .cpus_online = 8,
			     .cpus_allowed = "0-3",
			     .memory_bytes = UINT64_C(64) << 30,
			     .cgroup_cpus = 1.5,
			     .caches = {{"L1d", 32768}, {"L2", 1048576}},
			     .ncaches = 2,
			     .numa_nodes = 1,
			     .smt = "on",
			     .virtual = true,
			     .libraries = {{"OpenSSL", "3"}},
			     .nlibraries = 1};
	struct result r;
	json_t *j;

	(void)state;
	make_result(&r, false);
	j = read_back(&r);
	assert_true(json_is_null(at(j, "Platform")));
	json_decref(j);
	r.platform = &p;
	j = read_back(&r);
	assert_text(j, "Platform/CPUModel", "A \"CPU\"");
	assert_text(j, "Platform/Machine", "x86_64");
	assert_text(j, "Platform/Kernel", "Linux 6.1");
	assert_integer(j, "Platform/CPUsOnline", 8);
	assert_text(j, "Platform/CPUsAllowed", "0-3");
	assert_true(json_is_null(at(j, "Platform/Governor")));
	assert_integer(j, "Platform/MemoryBytes", INT64_C(64) << 30);
	assert_number(j, "Platform/CgroupCPUs", 1.5);
	assert_true(json_is_null(at(j, "Platform/CgroupMemoryBytes")));
	assert_integer(j, "Platform/CacheBytes/L1d", 32768);
	assert_integer(j, "Platform/CacheBytes/L2", 1048576);
	assert_integer(j, "Platform/NUMANodes", 1);
	assert_text(j, "Platform/SMT", "on");
	assert_true(json_is_null(at(j, "Platform/Turbo")));
	assert_true(json_is_true(at(j, "Platform/Virtual")));
	assert_text(j, "Platform/Libraries/OpenSSL", "3");
	json_decref(j);
	result_release(&r);
}

/* As a runner leaves it, and judged: thread 1 has no time left, and 8 answers are few. */
static void make_audited(struct result *r, bool open_loop)
{
	make_result(r, open_loop);
	r->audit.threads = calloc(2, sizeof(*r->audit.threads));
	assert_non_null(r->audit.threads);
	r->audit.nthreads = 2;
	r->audit.cores = 1;
	r->audit.threads[0] = (struct thread_usage){.wall = 2, .cpu = 0.5, .waiting = 0.01, .inferences = 50};
	r->audit.threads[1] = (struct thread_usage){
		.wall = 2, .cpu = 1.96, .inferences = 58, .voluntary_switches = 7, .involuntary_switches = 8};
	r->audit.machine = (struct machine_usage){.steal = 0.015};
	r->audit.timer = (struct timer_quality){1, 20, 52100, 80000};
	r->audit.behind = 0.0025;
	r->audit.starvations = 1;
	audit_judge(r);
}

static void verdict_comes_with_figures_and_reasons(void **state)
{
	struct result r;
	char *text;

	(void)state;
	make_audited(&r, false);
	text = text_of(write_report, &r);
	if (!strstr(text,
		    "\nGenerator: thread 0 25.0 % of a core (0.5 % waiting for one), thread 1 98.0 % of a core; steal "
		    "1.5 %; clock steps of 20 ns, sleeps end 52.1 us late (at most 80.0)\n"
		    "Verdict: CLIENT-LIMITED\n"
		    "\tCLIENT-LIMITED: thread 1 used 98 % of its core: take another machine, or several\n"
		    "\tTOO SHORT: q99 needs 368 answers for a confidence interval of 95 %, 8 came: 360 are missing\n"))
		fail_msg("%s", text);
	assert_null(strstr(text, "Send lag"));
	free(text);
	result_release(&r);
	make_audited(&r, true);
	text = text_of(write_report, &r);
	if (!strstr(text, "\nSend lag of the generator's own, with an idle worker (ms): q50 2.000, q99 2.000, q99.9 "
			  "2.000, max "
			  "2.000; 0 of 8 inferences found all workers busy\n"))
		fail_msg("%s", text);
	free(text);
	result_release(&r);
}

static void json_has_the_audit(void **state)
{
	json_t *j, *reason;
	struct result r;

	(void)state;
	make_audited(&r, true);
	j = read_back(&r);
	assert_text(j, "Audit/Verdict", "CLIENT-LIMITED");
	assert_int_equal(json_array_size(at(j, "Audit/Reasons")), r.audit.nreasons);
	reason = json_array_get(at(j, "Audit/Reasons"), 0);
	assert_text(reason, "Verdict", "CLIENT-LIMITED");
	assert_text(reason, "Text", r.audit.reasons[0].text);
	assert_integer(j, "Audit/SamplesNeeded", 368);
	assert_number(j, "Audit/Percentile", 99);
	assert_number(j, "Audit/BehindSchedule", 0.0025);
	assert_integer(j, "Audit/OwnSendLagNanos/Max", 2 * MS);
	assert_number(json_array_get(at(j, "Audit/Threads"), 1), "CPUShare", 0.98);
	assert_number(json_array_get(at(j, "Audit/Threads"), 0), "CPUMicrosPerInference", 10000);
	assert_integer(json_array_get(at(j, "Audit/Threads"), 1), "InvoluntaryContextSwitches", 8);
	assert_integer(j, "Audit/Timer/SleepLateNanos", 52100);
	assert_number(j, "Audit/StealShare", 0.015);
	assert_integer(j, "Audit/SaturatedValues", 0);
	json_decref(j);
	result_release(&r);
	/* nobody judged; nobody knows */
	make_result(&r, false);
	j = read_back(&r);
	assert_true(json_is_null(at(j, "Audit")));
	json_decref(j);
	audit_judge(&r);
	r.audit.machine.steal = -1;
	j = read_back(&r);
	assert_true(json_is_null(at(j, "Audit/StealShare")));
	json_decref(j);
	result_release(&r);
}

static void results_that_cannot_be_written_name_their_path(void **state)
{
	struct error err = {""};
	struct result r;

	(void)state;
	make_result(&r, false);
	assert_true(report_json("/nonexistent/folder/out.json", &r, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/folder/out.json"));
	result_release(&r);
}

static void rate_without_burn_in_is_over_the_whole_run(void **state)
{
	struct result r;

	(void)state;
	make_result(&r, false);
	r.burned_in = (struct totals){0};
	r.burn_in_end = 0;
	assert_true(result_rate(&r) == 4);
	assert_true(result_rate_with_warmup(&r) == 4);
	/* what failed or came too late was not served */
	r.all.totals.inferences[OUTCOME_ERROR] += 1000;
	r.all.totals.inferences[OUTCOME_TIMEOUT] += 1000;
	assert_true(result_rate(&r) == 4);
	assert_true(result_rate_with_warmup(&r) == 4);
	r.end = r.start;
	assert_true(result_rate(&r) == 0);
	result_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(final_block_is_aibenchs_to_the_letter),
		cmocka_unit_test(paced_run_also_shows_response_time_and_send_lag),
		cmocka_unit_test(stages_are_shown_where_the_driver_stamps_them),
		cmocka_unit_test(empty_run_prints_zeros),
		cmocka_unit_test(reader_is_warned_of_what_spoils_a_run),
		cmocka_unit_test(run_that_ended_within_its_burn_in_says_so),
		cmocka_unit_test(many_of_a_kind_are_in_the_plural),
		cmocka_unit_test(progress_lines_are_aibenchs),
		cmocka_unit_test(json_has_aibenchs_members_in_aibenchs_units),
		cmocka_unit_test(json_has_our_own_objects_beside_them),
		cmocka_unit_test(closed_loop_has_no_lag_and_its_response_is_its_service),
		cmocka_unit_test(json_has_the_stages_that_were_stamped),
		cmocka_unit_test(any_bytes_of_a_server_make_valid_json),
		cmocka_unit_test(counters_may_be_added_after_a_report),
		cmocka_unit_test(json_describes_the_platform),
		cmocka_unit_test(verdict_comes_with_figures_and_reasons),
		cmocka_unit_test(json_has_the_audit),
		cmocka_unit_test(results_that_cannot_be_written_name_their_path),
		cmocka_unit_test(rate_without_burn_in_is_over_the_whole_run),
	};

	return cmocka_run_group_tests_name("report", tests, folder_set_up, folder_tear_down);
}
