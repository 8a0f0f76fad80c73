/*
 * test_serving_faults.c - model servers that are not there, lack something, break off, lie or fall silent: the programs say so,
 * count it, and end.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"
#include "tests/e2e/vision_model.h"
#include "tests/support/certificates.h"
#include "tests/support/model_server.h"

#define STRUCK_ROWS 300 /* of a run that a fault strikes */
#define STRUCK_ROWS_TEXT "300"
#define WORKERS 4
#define WORKERS_TEXT "4"
#define MISSED_ROWS 1000 /* of a run in whose middle the server is away */
#define MISSED_ROWS_TEXT "1000"
#define TRITON "aibench_run_inference_triton"
#define SERVING "aibench_run_inference_tensorflow_serving"
#define TORCHSERVE "aibench_run_inference_torchserve"
#define REST "aibench_run_inference_flask_tensorflow"

static struct model_server server;
static char models[1200];

static int prepare(void **state)
{
	fraud_files_set_up(state);
	snprintf(models, sizeof(models), "financialNet=%s,financialNet_NoReference=%s", files.model,
		 files.model_noreference);
	model_server_start(&server, WORDS("-model", models));
	return 0;
}

static int clean_up(void **state)
{
	model_server_stop(&server, SIGTERM);
	return fraud_files_tear_down(state);
}

#define RUN(program, option, host, ...) \
	WORDS(program, option, host, "-file", files.data, "-workers=" WORKERS_TEXT, "-json-out-file=out.json", \
	      __VA_ARGS__)

/* ---- before the run -------------------------------------------------------------------------------------------- */

static void a_wrong_name_is_told_in_the_server_s_words(void **state)
{
	const char *grpc = server.grpc_host, *http = server.http_host;

	(void)state;
	run_fails(1, RUN(TRITON, "-host", grpc, "-model=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(TRITON, "-host", http, "-model=nosuch", "-protocol=http"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(TRITON, "-host", grpc, "-model-version=7"), NULL, WORDS("7"));
	run_fails(1, RUN(TRITON, "-host", http, "-model-version=7", "-protocol=http"), NULL, WORDS("7"));
	run_fails(1, RUN(TRITON, "-host", grpc, "-output-name=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", grpc, "-model=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", http, "-model=nosuch", "-protocol=rest"), NULL,
		  WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", grpc, "-model-version=7"), NULL, WORDS("7"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", grpc, "-signature-name=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", http, "-signature-name=nosuch", "-protocol=rest"), NULL,
		  WORDS("nosuch"));
	run_fails(1, RUN(TORCHSERVE, "-torchserve-host", http, "-torchserve-request-uri=/predictions/nosuch"), NULL,
		  WORDS("404", "nosuch"));
	run_fails(1, RUN(REST, "-restapi-host", http, "-restapi-request-uri=/v3/nosuch"), NULL, WORDS("404"));
}

/* Of an image model; the ways of serving that name no input know none. */
static void a_wrong_input_name_is_told(void **state)
{
	static const char *const ways[][2] = {{"-protocol=grpc", "-transport=lean"},
					      {"-protocol=grpc", "-transport=grpc-core"},
					      {"-protocol=http", "-transport=lean"},
					      {"-protocol=http", "-transport=curl"}};
	struct model_server s;

	(void)state;
	write_vision_model("vision.pb", 0);
	write_vision_images("images.out", "answers.bin", 3);
	model_server_start(&s, WORDS("-model=vision=vision.pb"));
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		const bool http = strstr(ways[i][0], "http") != NULL;

		run_fails(1,
			  WORDS(TRITON "_vision", "-host", http ? s.http_host : s.grpc_host, ways[i][0], ways[i][1],
				"-model=vision", "-file=images.out", "-input-name=nosuch"),
			  NULL, WORDS("nosuch"));
		run_fails(1,
			  WORDS(SERVING "_vision", "-tensorflow-serving-host", http ? s.http_host : s.grpc_host,
				http ? "-protocol=rest" : ways[i][0], ways[i][1], "-model=vision", "-file=images.out",
				"-input-name=nosuch"),
			  NULL, WORDS("nosuch"));
	}
	model_server_stop(&s, SIGTERM);
}

/* The model with reference data, asked without: it lacks an input. */
static void a_missing_input_is_named(void **state)
{
	(void)state;
	run_fails(1, RUN(TRITON, "-host", server.grpc_host, "-model=financialNet"), NULL, WORDS("financialNet"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", server.grpc_host, "-model=financialNet"), NULL,
		  WORDS("reference"));
	run_fails(1,
		  RUN(TORCHSERVE, "-torchserve-host", server.http_host,
		      "-torchserve-request-uri=/predictions/financialNet"),
		  NULL, WORDS("reference"));
}

/* Every program at this address, over the transports. */
static void all_fail(const char *host, const char *const *texts)
{
	run_fails(1, RUN(TRITON, "-host", host, "-timeout=1s"), NULL, texts);
	run_fails(1, RUN(TRITON, "-host", host, "-timeout=1s", "-transport=grpc-core"), NULL, texts);
	run_fails(1, RUN(TRITON, "-host", host, "-timeout=1s", "-protocol=http"), NULL, texts);
	run_fails(1, RUN(TRITON, "-host", host, "-timeout=1s", "-protocol=http", "-transport=curl"), NULL, texts);
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", host, "-timeout=1s"), NULL, texts);
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", host, "-timeout=1s", "-protocol=rest"), NULL, texts);
	run_fails(1, RUN(TORCHSERVE, "-torchserve-host", host, "-timeout=1s"), NULL, texts);
	run_fails(1, RUN(REST, "-restapi-host", host, "-timeout=1s"), NULL, texts);
	run_fails(1, RUN(REST, "-restapi-host", host, "-timeout=1s", "-transport=curl"), NULL, texts);
}

static void a_server_that_is_not_there_is_named(void **state)
{
	char host[32];

	(void)state;
	snprintf(host, sizeof(host), "127.0.0.1:%u", free_port());
	all_fail(host, WORDS(host));
}

static void a_server_without_manners_is_an_error(void **state)
{
	static const enum fault faults[] = {FAULT_CLOSE, FAULT_RESET, FAULT_SILENCE, FAULT_ERROR};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct faulty_server s;
		char host[32];

		faulty_server_start(&s, &(struct fault_plan){.fault = faults[i]});
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		all_fail(host, WORDS(""));
		faulty_server_stop(&s);
	}
}

/* ---- in mid-run ------------------------------------------------------------------------------------------------ */

/* What ended badly of a run that went on, at the most so many requests: counted, with its cause, and everything else
 * right. */
static void check_counted(unsigned rows, unsigned most_bad, const char *cause)
{
	json_t *j = read_json("out.json");
	const json_t *requests = value_at(j, "Outcomes/Requests");
	long long errors = integer_at(requests, "Error"), bad = errors + integer_at(requests, "Timeout");
	char *text;

	assert_in_range(bad, 1, most_bad);
	assert_int_equal(integer_at(requests, "OK") + bad, rows);
	assert_int_equal(integer_at(requests, "Wrong"), 0);
	text = json_dumps(value_at(j, errors ? "FirstError" : "FirstTimeout"), JSON_ENCODE_ANY);
	assert_non_null(text);
	check_holds(text, WORDS(cause));
	free(text);
	json_decref(j);
}

/* The fault strikes once among the requests that hold "transaction"; the run ends with its cause,
 * or counts it and goes on. */
static void strike(const struct fault_plan *fault, bool grpc, const char *transport, const char *cause)
{
	struct fault_plan plan = *fault;
	const char *protocol = grpc ? "-protocol=grpc" : "-protocol=http";

	plan.trigger = "transaction";
	plan.first = 100;
	plan.upstream = grpc ? server.grpc[0] : server.http[0];
	for (int ignore = 0; ignore < 2; ignore++) {
		struct faulty_server s;
		struct process_result r;
		char host[32];

		faulty_server_start(&s, &plan);
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		unlink("out.json");
		process_run(&r,
			    RUN(TRITON, "-host", host, protocol, "-transport", transport, "-timeout=1s",
				"-max-queries=" STRUCK_ROWS_TEXT, ignore ? "-ignore-errors" : "-debug=0"),
			    NULL, LIMIT_SECONDS);
		faulty_server_stop(&s);
		if (!ignore) {
			check_failed(&r, TRITON, 1, WORDS(cause));
			continue;
		}
		if (r.status != 0)
			fail_msg("status %d over %s: %s", r.status, transport, r.err);
		process_result_release(&r);
		/* A connection has one thread's requests under way, which are those of all workers at the most. */
		check_counted(STRUCK_ROWS, plan.fault == FAULT_RESET_STREAM ? 1 : WORKERS, cause);
	}
}

static void broken_connections_are_counted_and_the_run_goes_on(void **state)
{
	static const enum fault faults[] = {FAULT_CLOSE, FAULT_RESET, FAULT_HALF_REPLY, FAULT_HALF_CLOSE, FAULT_ERROR};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		const struct fault_plan plan = {.fault = faults[i]};

		strike(&plan, false, "lean", "");
		strike(&plan, false, "curl", "");
		strike(&plan, true, "lean", "");
		strike(&plan, true, "grpc-core", "");
	}
}

static void silence_is_a_timeout_and_the_run_goes_on(void **state)
{
	static const struct fault_plan plan = {.fault = FAULT_SILENCE};

	(void)state;
	strike(&plan, false, "lean", "timed out");
	strike(&plan, false, "curl", "timed out");
	strike(&plan, true, "lean", "timed out");
	strike(&plan, true, "grpc-core", "timed out");
}

static void a_stream_that_is_reset_is_one_error(void **state)
{
	static const struct fault_plan plan = {.fault = FAULT_RESET_STREAM};

	(void)state;
	strike(&plan, true, "lean", "INTERNAL");
	strike(&plan, true, "grpc-core", "INTERNAL");
}

#define REPLY(text) \
	{ \
		.fault = FAULT_REPLY, .reply = text, .reply_len = sizeof(text) - 1 \
	}
#define LAST_REPLY(text) \
	{ \
		.fault = FAULT_REPLY, .reply = text, .reply_len = sizeof(text) - 1, .closes = true \
	}

static void http_replies_that_are_no_answers_are_told(void **state)
{
	static const struct {
		struct fault_plan plan;
		const char *cause;
	} replies[] = {
		{REPLY("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\n\r\nmade to wait"), "503"},
		{REPLY("HTTP/1.1 400 Bad Request\r\nContent-Length: 24\r\n\r\n{\"error\": \"made to err\"}\n"),
		 "made to err"},
		{LAST_REPLY("HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{\"error\": \"made to close\"}"),
		 "made to close"},
		{REPLY("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "9\r\n{\"error\":\r\n10\r\n\"made in pieces\"\r\n1\r\n}\r\n0\r\n\r\n"),
		 "made in pieces"},
		{LAST_REPLY("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"outputs\""), ""},
		{REPLY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), ""},
		{LAST_REPLY("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}"), ""},
		{LAST_REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n"), ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		strike(&replies[i].plan, false, "lean", replies[i].cause);
		strike(&replies[i].plan, false, "curl", replies[i].cause);
	}
}

static void a_server_that_goes_away_politely_is_counted(void **state)
{
	/* GOAWAY: last stream 0, INTERNAL_ERROR, some words. */
	static const struct fault_plan plan = LAST_REPLY("\0\0\x0d\x07\0\0\0\0\0\0\0\0\0\0\0\0\x02"
							 "bye!!");

	(void)state;
	strike(&plan, true, "lean", "");
	strike(&plan, true, "grpc-core", "");
}

/* Announced with all that is under way still to be answered: not even an error. */
static void a_graceful_end_of_a_connection_costs_no_request(void **state)
{
	static const char *const transports[] = {"lean", "grpc-core"};
	const struct fault_plan plan = {
		.fault = FAULT_GOING_AWAY, .upstream = server.grpc[0], .trigger = "transaction", .first = 100};

	(void)state;
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		struct faulty_server s;
		struct process_result r;
		char host[32];

		faulty_server_start(&s, &plan);
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		run_ok(&r, RUN(TRITON, "-host", host, "-transport", transports[i], "-max-queries=" STRUCK_ROWS_TEXT),
		       NULL);
		faulty_server_stop(&s);
		check_holds(r.out, WORDS("Outcomes: " STRUCK_ROWS_TEXT " right, 0 wrong, 0 errors, 0 timeouts"));
		process_result_release(&r);
	}
}

/* Killed in mid-run and started again on the same ports: errors while it is away, right answers after. */
static void dies_and_comes_back(bool grpc, const char *transport)
{
	struct model_server s;
	struct process_result r;
	struct process p;
	char grpc_port[8], http_port[8];

	model_server_start(&s, WORDS("-model", models));
	snprintf(grpc_port, sizeof(grpc_port), "%hu", s.grpc[0]);
	snprintf(http_port, sizeof(http_port), "%hu", s.http[0]);
	process_start(&p,
		      RUN(TRITON, "-host", grpc ? s.grpc_host : s.http_host, grpc ? "-protocol=grpc" : "-protocol=http",
			  "-transport", transport, "-ignore-errors", "-limit-rps=500", "-reporting-period=100ms",
			  "-timeout=2s", "-max-queries=" MISSED_ROWS_TEXT),
		      NULL);
	wait_for_lines(&p, 3);
	model_server_kill(&s);
	model_server_start(&s, WORDS("-model", models, "-grpc-port", grpc_port, "-http-port", http_port));
	process_wait(&p, &r, LIMIT_SECONDS);
	if (r.status != 0)
		fail_msg("status %d over %s: %s", r.status, transport, r.err);
	process_result_release(&r);
	check_counted(MISSED_ROWS, MISSED_ROWS - 1, "");
	model_server_stop(&s, SIGTERM);
}

static void a_server_that_dies_and_comes_back_is_asked_again(void **state)
{
	(void)state;
	dies_and_comes_back(true, "lean");
	dies_and_comes_back(true, "grpc-core");
	dies_and_comes_back(false, "lean");
	dies_and_comes_back(false, "curl");
}

static void an_interrupted_run_ends_with_its_report(void **state)
{
	static const char *const ways[][2] = {{"-protocol=grpc", "-transport=lean"},
					      {"-protocol=grpc", "-transport=grpc-core"},
					      {"-protocol=http", "-transport=lean"},
					      {"-protocol=http", "-transport=curl"}};

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct process_result r;
		struct process p;

		process_start(&p,
			      RUN(TRITON, "-host", strstr(ways[i][0], "grpc") ? server.grpc_host : server.http_host,
				  ways[i][0], ways[i][1], "-limit-rps=10", "-reporting-period=100ms"),
			      NULL);
		wait_for_lines(&p, 2);
		process_signal(&p, SIGINT);
		process_wait(&p, &r, LIMIT_SECONDS);
		assert_int_equal(r.status, 128 + SIGINT);
		check_holds(r.out, WORDS("Outcomes: ", "0 wrong, 0 errors", "Warning: interrupted"));
		process_result_release(&r);
	}
}

/* The certificate is for 127.0.0.1; the same server answers at 127.0.0.2. */
static void a_certificate_of_another_host_is_refused(void **state)
{
	struct certificates own, foreign;
	struct process_result r;
	struct process p;
	char port[8], right[32], other[32];

	(void)state;
	certificates_make(&own, files.folder, "own");
	certificates_make(&foreign, files.folder, "foreign");
	snprintf(port, sizeof(port), "%u", free_port());
	snprintf(right, sizeof(right), "127.0.0.1:%s", port);
	snprintf(other, sizeof(other), "127.0.0.2:%s", port);
	process_start(&p,
		      WORDS("openssl", "s_server", "-accept", port, "-cert", own.cert, "-key", own.key, "-alpn",
			    "h2,http/1.1", "-www"),
		      NULL);
	wait_for_output(&p, "ACCEPT\n");
	run_fails(1, RUN(TRITON, "-host", other, "-tls", "-cacert", own.ca, "-timeout=5s"), NULL, WORDS("certificate"));
	run_fails(1, RUN(TRITON, "-host", right, "-tls", "-cacert", foreign.ca, "-timeout=5s"), NULL,
		  WORDS("certificate"));
	run_fails(1, RUN(REST, "-restapi-host", other, "-tls", "-cacert", own.ca, "-timeout=5s"), NULL,
		  WORDS("certificate"));
	run_fails(1, RUN(REST, "-restapi-host", other, "-tls", "-cacert", own.ca, "-timeout=5s", "-transport=curl"),
		  NULL, WORDS("certificate"));
	process_signal(&p, SIGKILL);
	process_wait(&p, &r, LIMIT_SECONDS);
	process_result_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wrong_name_is_told_in_the_server_s_words),
		cmocka_unit_test(a_wrong_input_name_is_told),
		cmocka_unit_test(a_missing_input_is_named),
		cmocka_unit_test(a_server_that_is_not_there_is_named),
		cmocka_unit_test(a_server_without_manners_is_an_error),
		cmocka_unit_test(broken_connections_are_counted_and_the_run_goes_on),
		cmocka_unit_test(silence_is_a_timeout_and_the_run_goes_on),
		cmocka_unit_test(a_stream_that_is_reset_is_one_error),
		cmocka_unit_test(a_graceful_end_of_a_connection_costs_no_request),
		cmocka_unit_test(http_replies_that_are_no_answers_are_told),
		cmocka_unit_test(a_server_that_goes_away_politely_is_counted),
		cmocka_unit_test(a_server_that_dies_and_comes_back_is_asked_again),
		cmocka_unit_test(an_interrupted_run_ends_with_its_report),
		cmocka_unit_test(a_certificate_of_another_host_is_refused),
	};

	return cmocka_run_group_tests_name("serving_faults", tests, prepare, clean_up);
}
