/*
 * test_serving_answers.c - what programs of model servers say of wrong answers, and which option their advice names.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/e2e/e2e.h"
#include "tests/e2e/served_fraud.h"

#define TRITON "aibench_run_inference_triton"
#define SERVING "aibench_run_inference_tensorflow_serving"
#define REST "aibench_run_inference_flask_tensorflow"
#define REPLY(text) "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n" text

#define RUN(program, option, host, ...) \
	WORDS(program, option, host, "-file", files.data, "-workers=1", "-max-queries=20", "-json-out-file=out.json", \
	      __VA_ARGS__)

/* ---- answers --------------------------------------------------------------------------------------------------- */

static void answers_that_are_not_finite_are_wrong(void **state)
{
	static const char *const replies[] = {REPLY("{\"outputs\":[[NaN, 0.5]]}"), REPLY("{\"outputs\":[[Infinity]]}")};
	static const char *const transports[] = {"lean", "curl"};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		const struct fault_plan plan = {.fault = FAULT_REPLY,
						.trigger = "POST ",
						.first = 1,
						.always = true,
						.reply = replies[i / 2],
						.reply_len = strlen(replies[i / 2])};
		struct process_result r;
		struct faulty_server s;
		char host[64];

		faulty_server_start(&s, &plan);
		snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
		process_run(&r, RUN(REST, "-restapi-host", host, "-transport", transports[i % 2]), NULL, LIMIT_SECONDS);
		check_holds(r.out, WORDS("Outcomes: 0 right, 20 wrong, 0 errors"));
		check_failed(&r, REST, 1, WORDS("20 wrong answers"));
		/* They are counted and no more where the user asks for no more. */
		run_ok(&r, RUN(REST, "-restapi-host", host, "-transport", transports[i % 2], "-ignore-errors"), NULL);
		check_holds(r.out, WORDS("Outcomes: 0 right, 20 wrong, 0 errors"));
		process_result_release(&r);
		faulty_server_stop(&s);
	}
}

static void a_number_beyond_float32_is_an_error(void **state)
{
	static const char reply[] = REPLY("{\"outputs\":[[1e60,0.5]]}");
	const struct fault_plan plan = {.fault = FAULT_REPLY,
					.trigger = "POST ",
					.first = 1,
					.always = true,
					.reply = reply,
					.reply_len = strlen(reply)};
	struct faulty_server s;
	char host[64];

	(void)state;
	faulty_server_start(&s, &plan);
	snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
	run_fails(1, RUN(REST, "-restapi-host", host, "-debug=0"), NULL, WORDS("float32"));
	faulty_server_stop(&s);
}

/* ---- advice ---------------------------------------------------------------------------------------------------- */

static void a_version_that_is_not_there_names_its_option(void **state)
{
	(void)state;
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", server.grpc_host, "-model-version=7"), NULL,
		  WORDS("version 7", "-model-version"));
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", server.http_host, "-model-version=7", "-protocol=rest"),
		  NULL, WORDS("version 7", "-model-version"));
	run_fails(1, RUN(TRITON, "-host", server.grpc_host, "-model-version=7"), NULL,
		  WORDS("version 7", "-model-version"));
	run_fails(1, RUN(TRITON, "-host", server.http_host, "-model-version=7", "-protocol=http"), NULL,
		  WORDS("version 7", "-model-version"));
}

static void http_at_a_grpc_port_is_told(void **state)
{
	/* What such a server says first: HTTP/2's SETTINGS. */
	const struct fault_plan plan = {
		.fault = FAULT_REPLY, .reply = "\0\0\0\4\0\0\0\0\0", .reply_len = 9, .first = 1};
	struct faulty_server s;
	char host[64];

	(void)state;
	faulty_server_start(&s, &plan);
	snprintf(host, sizeof(host), "127.0.0.1:%s", s.port_text);
	run_fails(1, RUN(SERVING, "-tensorflow-serving-host", host, "-protocol=rest", "-timeout=5s"), NULL,
		  WORDS("does not speak HTTP/1", "gRPC port"));
	faulty_server_stop(&s);
}

static void the_redis_of_reference_data_is_named(void **state)
{
	(void)state;
	run_fails(1, RUN(TRITON, "-host", server.grpc_host, "-enable-reference-data-redis", "-redis-host=127.0.0.1:1"),
		  NULL, WORDS("-redis-host", "reference data", "127.0.0.1:1", "connection refused"));
}

static void results_say_which_version_was_asked(void **state)
{
	const json_t *config;
	json_t *j;

	(void)state;
	run_quietly(RUN(SERVING, "-tensorflow-serving-host", server.http_host, "-protocol=rest", "-model-version=1"));
	j = json_load_file("out.json", 0, NULL);
	assert_non_null(j);
	config = json_object_get(j, "DBSpecificConfigs");
	assert_string_equal(json_string_value(json_object_get(config, "model-version")), "1");
	json_decref(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_that_are_not_finite_are_wrong),
		cmocka_unit_test(a_number_beyond_float32_is_an_error),
		cmocka_unit_test(a_version_that_is_not_there_names_its_option),
		cmocka_unit_test(http_at_a_grpc_port_is_told),
		cmocka_unit_test(the_redis_of_reference_data_is_named),
		cmocka_unit_test(results_say_which_version_was_asked),
	};

	return cmocka_run_group_tests_name("serving_answers", tests, served_fraud_set_up, served_fraud_tear_down);
}
