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

#include "common/arith.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"
#include "tests/e2e/served_fraud.h"
#include "tests/e2e/vision_model.h"
#include "tests/support/certificates.h"

#define STRUCK_ROWS 300 /* of a run that a fault strikes */
#define STRUCK_ROWS_TEXT "300"
#define WORKERS 4
#define WORKERS_TEXT "4"
#define ANSWERS_BEFORE 50 /* right ones of a run before its server dies */
#define ANSWERS_AGAIN 200 /* and after it came back */
#define TRITON "aibench_run_inference_triton"
#define SERVING "aibench_run_inference_tensorflow_serving"
#define TORCHSERVE "aibench_run_inference_torchserve"
#define REST "aibench_run_inference_flask_tensorflow"
#define NO_REFERENCE "financialNet_NoReference" /* the programs' model where none is named */

#define RUN(program, option, host, ...) \
	WORDS(program, option, host, "-file", files.data, "-workers=" WORKERS_TEXT, "-json-out-file=out.json", \
	      __VA_ARGS__)

/* ---- causes --------------------------------------------------------------------------------------------------- */

enum way {
	HTTP_LEAN,
	HTTP_CURL,
	GRPC_LEAN,
	GRPC_CORE,
	NWAYS,
};

static const char *const ways[NWAYS][2] = {
	[HTTP_LEAN] = {"-protocol=http", "-transport=lean"},
	[HTTP_CURL] = {"-protocol=http", "-transport=curl"},
	[GRPC_LEAN] = {"-protocol=grpc", "-transport=lean"},
	[GRPC_CORE] = {"-protocol=grpc", "-transport=grpc-core"},
};

static bool is_grpc(enum way w)
{
	return w >= GRPC_LEAN;
}

/* What each says of one fault. "a|b": one of the two, where it depends on what the client was doing at that moment, or on
 * the version of the library. */
struct causes {
	const char *of[NWAYS];
};

/* A connection that ends by itself, or because something was still on its way. */
#define ENDED_HTTP "the server closed the connection without an answer"
#define ENDED_GRPC "the server closed the connection|the server dropped the connection"
#define ENDED_CURL ENDED_HTTP "|reset by peer"
#define ENDED_CORE "Socket closed|Transport closed|reset by peer|Broken pipe"

/* The one of "a|b|…" that the text holds; all of them where it holds none. */
static const char *named(const char *text, const char *cause)
{
	static char one[256];

	for (const char *at = cause; at; at = strchr(at, '|')) {
		at += *at == '|';
		snprintf(one, sizeof(one), "%.*s", (int)strcspn(at, "|"), at);
		if (strstr(text, one))
			return one;
	}
	return cause;
}

/* run_fails with such a cause. */
static void run_names(const char *const *words, const char *cause)
{
	struct process_result r;

	process_run(&r, words, NULL, LIMIT_SECONDS);
	check_failed(&r, words[0], 1, WORDS(named(r.err, cause)));
}

/* ---- before the run -------------------------------------------------------------------------------------------- */

static void a_wrong_name_is_told_in_the_server_s_words(void **state)
{
	const char *grpc = server.grpc_host, *http = server.http_host;

	(void)state;
	run_fails(1, RUN(TRITON, "-host", grpc, "-model=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(TRITON, "-host", http, "-model=nosuch", "-protocol=http"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(TRITON, "-host", grpc, "-model-version=7"), NULL, WORDS("no model \"" NO_REFERENCE "\""));
	run_fails(1, RUN(TRITON, "-host", http, "-model-version=7", "-protocol=http"), NULL,
		  WORDS(NO_REFERENCE, "version 7"));
	run_fails(1, RUN(TRITON, "-host", grpc, "-output-name=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", grpc, "-model=nosuch"), NULL, WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", http, "-model=nosuch", "-protocol=rest"), NULL,
		  WORDS("nosuch"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", grpc, "-model-version=7"), NULL, WORDS("version 7"));
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
	struct model_server s;

	(void)state;
	write_vision_model("vision.pb", 0);
	write_vision_images("images.out", "answers.bin", 3);
	model_server_start(&s, WORDS("-model=vision=vision.pb"));
	for (enum way w = 0; w < NWAYS; w++) {
		const char *host = is_grpc(w) ? s.grpc_host : s.http_host;

		run_fails(1,
			  WORDS(TRITON "_vision", "-host", host, ways[w][0], ways[w][1], "-model=vision",
				"-file=images.out", "-input-name=nosuch"),
			  NULL, WORDS("nosuch"));
		run_fails(1,
			  WORDS(SERVING "_vision", "-tensorflow-serving-host", host,
				is_grpc(w) ? ways[w][0] : "-protocol=rest", ways[w][1], "-model=vision",
				"-file=images.out", "-input-name=nosuch"),
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

/* Every program at this address, over the transports. Before a run the lean ways over HTTP ask by libcurl, and those over
 * gRPC by the lean one; only the plain REST program asks nothing. */
static void all_fail(const char *host, const char *grpc, const char *curl, const char *lean)
{
	run_names(RUN(TRITON, "-host", host, "-timeout=1s"), grpc);
	run_names(RUN(TRITON, "-host", host, "-timeout=1s", "-transport=grpc-core"), grpc);
	run_names(RUN(TRITON, "-host", host, "-timeout=1s", "-protocol=http"), curl);
	run_names(RUN(TRITON, "-host", host, "-timeout=1s", "-protocol=http", "-transport=curl"), curl);
	run_names(RUN(SERVING, "-tensorflow-serving-host", host, "-timeout=1s"), grpc);
	run_names(RUN(SERVING, "-tensorflow-serving-host", host, "-timeout=1s", "-protocol=rest"), curl);
	run_names(RUN(TORCHSERVE, "-torchserve-host", host, "-timeout=1s"), curl);
	run_names(RUN(REST, "-restapi-host", host, "-timeout=1s"), lean);
	run_names(RUN(REST, "-restapi-host", host, "-timeout=1s", "-transport=curl"), curl);
}

static void a_server_that_is_not_there_is_named(void **state)
{
	char refused[64], failed[128], host[32];

	(void)state;
	snprintf(host, sizeof(host), "127.0.0.1:%u", free_port());
	snprintf(refused, sizeof(refused), "%s: connection refused", host);
	snprintf(failed, sizeof(failed), "%s: Failed to connect|%s", host, refused);
	all_fail(host, refused, failed, refused);
}

static void a_server_without_manners_is_an_error(void **state)
{
	static const struct {
		enum fault fault;
		const char *grpc, *curl, *lean;
	} cases[] = {
		{FAULT_CLOSE, ENDED_GRPC, ENDED_CURL, ENDED_HTTP},
		{FAULT_RESET, "the server dropped the connection: Connection reset by peer", ENDED_CURL, ENDED_HTTP},
		{FAULT_SILENCE, "timed out: no HTTP/2 greeting", "timed out: no answer", "timed out: no answer"},
		{FAULT_ERROR, "the server does not keep to HTTP/2", "HTTP/0.9", "the server's reply is not HTTP/1.1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct faulty_server s;
		char host[32];

		faulty_server_start(&s, &(struct fault_plan){.fault = cases[i].fault});
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		all_fail(host, cases[i].grpc, cases[i].curl, cases[i].lean);
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
	check_holds(text, WORDS(named(text, cause)));
	free(text);
	json_decref(j);
}

/* The fault strikes once among the requests that hold "transaction"; the run ends with its cause,
 * or counts it and goes on. */
static void strike(const struct fault_plan *fault, enum way way, const char *cause)
{
	struct fault_plan plan = *fault;

	plan.trigger = "transaction";
	plan.first = 100;
	plan.upstream = is_grpc(way) ? server.grpc[0] : server.http[0];
	for (int ignore = 0; ignore < 2; ignore++) {
		struct faulty_server s;
		struct process_result r;
		char host[32];

		faulty_server_start(&s, &plan);
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		unlink("out.json");
		process_run(&r,
			    RUN(TRITON, "-host", host, ways[way][0], ways[way][1], "-timeout=1s",
				"-max-queries=" STRUCK_ROWS_TEXT, ignore ? "-ignore-errors" : "-debug=0"),
			    NULL, LIMIT_SECONDS);
		faulty_server_stop(&s);
		if (!ignore) {
			check_failed(&r, TRITON, 1, WORDS(named(r.err, cause)));
			continue;
		}
		if (r.status != 0)
			fail_msg("status %d with %s %s: %s", r.status, ways[way][0], ways[way][1], r.err);
		process_result_release(&r);
		/* A connection has one thread's requests under way, which are those of all workers at the most. */
		check_counted(STRUCK_ROWS, plan.fault == FAULT_RESET_STREAM ? 1 : WORKERS, cause);
	}
}

static void broken_connections_are_counted_and_the_run_goes_on(void **state)
{
	static const struct {
		enum fault fault;
		struct causes causes;
	} cases[] = {
		{FAULT_CLOSE, {{ENDED_HTTP, ENDED_CURL, ENDED_GRPC, ENDED_CORE}}},
		{FAULT_RESET, {{ENDED_HTTP, ENDED_CURL, "the server dropped the connection", ENDED_CORE}}},
		{FAULT_HALF_REPLY,
		 {{"the server's reply is not HTTP/1.1", "HTTP/0.9", "the server does not keep to HTTP/2",
		   ENDED_CORE}}},
		{FAULT_HALF_CLOSE, {{ENDED_HTTP, ENDED_HTTP, "the server closed the connection", ENDED_CORE}}},
		/* The core takes it for the beginning of a long frame. */
		{FAULT_ERROR,
		 {{"the server's reply is not HTTP/1.1", "HTTP/0.9", "the server does not keep to HTTP/2",
		   "timed out|" ENDED_CORE}}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		for (enum way w = 0; w < NWAYS; w++)
			strike(&(struct fault_plan){.fault = cases[i].fault}, w, cases[i].causes.of[w]);
	}
}

static void silence_is_a_timeout_and_the_run_goes_on(void **state)
{
	static const struct fault_plan plan = {.fault = FAULT_SILENCE};

	(void)state;
	for (enum way w = 0; w < NWAYS; w++)
		strike(&plan, w, "timed out: no answer within 1s");
}

static void a_stream_that_is_reset_is_one_error(void **state)
{
	static const struct fault_plan plan = {.fault = FAULT_RESET_STREAM};

	(void)state;
	strike(&plan, GRPC_LEAN, "gRPC INTERNAL: the server reset the stream");
	strike(&plan, GRPC_CORE, "gRPC INTERNAL: ");
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
		const char *lean, *curl; /* NULL: as lean */
	} replies[] = {
		{REPLY("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\n\r\nmade to wait"),
		 "HTTP 503 Service Unavailable: made to wait", "HTTP 503: made to wait"},
		{REPLY("HTTP/1.1 400 Bad Request\r\nContent-Length: 24\r\n\r\n{\"error\": \"made to err\"}\n"),
		 "status 400: made to err", NULL},
		{LAST_REPLY("HTTP/1.1 500 No\r\nConnection: close\r\n\r\n{\"error\": \"made to close\"}"),
		 "status 500: made to close", NULL},
		{REPLY("HTTP/1.1 500 No\r\nTransfer-Encoding: chunked\r\n\r\n"
		       "9\r\n{\"error\":\r\n10\r\n\"made in pieces\"\r\n1\r\n}\r\n0\r\n\r\n"),
		 "status 500: made in pieces", NULL},
		{LAST_REPLY("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"outputs\""),
		 "in the middle of its reply (after 10 bytes of the body)", "990 bytes"},
		{REPLY("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
		 "the reply is no well-formed JSON of an inference", NULL},
		{LAST_REPLY("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n{}"),
		 "the server's reply is not HTTP/1.1: ", "the reply's body is larger than the limit"},
		{LAST_REPLY("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzzz\r\n"),
		 "the server's reply is not HTTP/1.1: ", "chunk"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		strike(&replies[i].plan, HTTP_LEAN, replies[i].lean);
		strike(&replies[i].plan, HTTP_CURL, replies[i].curl ? replies[i].curl : replies[i].lean);
	}
}

static void a_server_that_goes_away_politely_is_counted(void **state)
{
	/* GOAWAY: last stream 0, INTERNAL_ERROR, some words. */
	static const struct fault_plan plan = LAST_REPLY("\0\0\x0d\x07\0\0\0\0\0\0\0\0\0\0\0\0\x02"
							 "bye!!");

	(void)state;
	strike(&plan, GRPC_LEAN, "the server is going away (GOAWAY) and did not take the request");
	strike(&plan, GRPC_CORE, "GOAWAY");
}

/* Announced with all that is under way still to be answered: not even an error. */
static void a_graceful_end_of_a_connection_costs_no_request(void **state)
{
	const struct fault_plan plan = {
		.fault = FAULT_GOING_AWAY, .upstream = server.grpc[0], .trigger = "transaction", .first = 100};

	(void)state;
	for (enum way w = GRPC_LEAN; w <= GRPC_CORE; w++) {
		struct faulty_server s;
		struct process_result r;
		char host[32];

		faulty_server_start(&s, &plan);
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		run_ok(&r, RUN(TRITON, "-host", host, ways[w][1], "-max-queries=" STRUCK_ROWS_TEXT), NULL);
		faulty_server_stop(&s);
		check_holds(r.out, WORDS("Outcomes: " STRUCK_ROWS_TEXT " right, 0 wrong, 0 errors, 0 timeouts"));
		process_result_release(&r);
	}
}

/* What the rows of -csv-out-file add up to: one a period, written when it is over. */
struct periods {
	unsigned long right, bad;
	unsigned long right_again; /* since the last of the bad */
};

static void read_periods(struct periods *ret)
{
	char *text, *next = NULL;

	*ret = (struct periods){0};
	if (access("periods.csv", R_OK) != 0)
		return;
	text = read_file("periods.csv", NULL);
	for (char *line = strtok_r(text, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		unsigned long right, errors, timeouts;

		if (sscanf(line, "%*f,%*u,%*u,%*f,%lu,0,%lu,%lu,", &right, &errors, &timeouts) != 3)
			continue; /* the header, or a row under way */
		ret->right += right;
		ret->bad += errors + timeouts;
		ret->right_again = errors + timeouts ? 0 : ret->right_again + right;
	}
	free(text);
}

/* Until so many failed, and after them so many answers were right. */
static void wait_for_periods(struct process *p, unsigned long bad, unsigned long right_again)
{
	struct periods seen;

	for (unsigned lines = 1;; lines++) {
		wait_for_lines(p, lines);
		read_periods(&seen);
		if (seen.bad >= bad && seen.right_again >= right_again)
			return;
	}
}

/* Every request that was due is in the result, as often as the periods have it. */
static void check_comeback(const char *cause)
{
	json_t *j = read_json("out.json");
	const json_t *requests = value_at(j, "Outcomes/Requests"), *offered = value_at(j, "Offered");
	long long ok = integer_at(requests, "OK"), errors = integer_at(requests, "Error");
	long long bad = errors + integer_at(requests, "Timeout");
	const char *first = text_at(j, errors ? "FirstError" : "FirstTimeout");
	struct periods all;

	read_periods(&all);
	assert_int_equal(all.right, ok);
	assert_int_equal(all.bad, bad);
	assert_int_equal(integer_at(requests, "Wrong"), 0);
	assert_int_equal(ok + bad + integer_at(offered, "UnansweredRequests") + integer_at(offered, "UnsentRequests"),
			 integer_at(offered, "DueRequests"));
	assert_true(all.right_again >= ANSWERS_AGAIN);
	assert_true(ok - (long long)all.right_again >= ANSWERS_BEFORE);
	check_holds(first, WORDS(named(first, cause)));
	json_decref(j);
}

/* Killed in mid-run and started again on the same ports once a request has failed. The run goes on until the new server
 * has answered for a while without any more errors, however long that takes. */
static void dies_and_comes_back(enum way way)
{
	static const struct causes gone = {{ENDED_HTTP "|connection refused", ENDED_CURL "|Failed to connect",
					    ENDED_GRPC "|connection refused", ENDED_CORE "|onnection refused"}};
	char grpc_port[32], http_port[32];
	struct model_server s;
	struct process_result r;
	struct process p;

	unlink("periods.csv");
	snprintf(grpc_port, sizeof(grpc_port), "-grpc-port=%u", free_port());
	snprintf(http_port, sizeof(http_port), "-http-port=%u", free_port());
	model_server_start(&s, WORDS("-model", models, grpc_port, http_port));
	process_start(&p,
		      RUN(TRITON, "-host", is_grpc(way) ? s.grpc_host : s.http_host, ways[way][0], ways[way][1],
			  "-ignore-errors", "-rate=500", "-repeat", "-duration=1h", "-reporting-period=50ms",
			  "-csv-out-file=periods.csv", "-timeout=2s"),
		      NULL);
	wait_for_periods(&p, 0, ANSWERS_BEFORE);
	model_server_kill(&s);
	wait_for_periods(&p, 1, 0);
	model_server_start(&s, WORDS("-model", models, grpc_port, http_port));
	wait_for_periods(&p, 1, ANSWERS_AGAIN);
	process_signal(&p, SIGINT);
	process_wait(&p, &r, LIMIT_SECONDS);
	if (r.status != 128 + SIGINT)
		fail_msg("status %d with %s %s: %s", r.status, ways[way][0], ways[way][1], r.err);
	process_result_release(&r);
	check_comeback(gone.of[way]);
	model_server_stop(&s, SIGTERM);
}

static void a_server_that_dies_and_comes_back_is_asked_again(void **state)
{
	(void)state;
	for (enum way w = 0; w < NWAYS; w++)
		dies_and_comes_back(w);
}

static void an_interrupted_run_ends_with_its_report(void **state)
{
	(void)state;
	for (enum way w = 0; w < NWAYS; w++) {
		struct process_result r;
		struct process p;

		process_start(&p,
			      RUN(TRITON, "-host", is_grpc(w) ? server.grpc_host : server.http_host, ways[w][0],
				  ways[w][1], "-limit-rps=10", "-reporting-period=100ms"),
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

	return cmocka_run_group_tests_name("serving_faults", tests, served_fraud_set_up, served_fraud_tear_down);
}
