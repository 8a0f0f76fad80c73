/*
 * test_bad_servers.c - a server that is not there, refuses, lacks something, lies or falls silent: every program says so in
 * one line and ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/e2e/e2e.h"

static struct redis_server server, plain;

static int prepare(void **state)
{
	fraud_files_set_up(state);
	redis_server_start_module(&server, NULL, NULL);
	redis_server_start(&plain, NULL);
	load_fraud(&server);
	return 0;
}

static int clean_up(void **state)
{
	redis_server_stop(&plain, false);
	redis_server_stop(&server, false);
	return fraud_files_tear_down(state);
}

#define RUN_AT(port, ...) \
	WORDS(REDISAI_RUN, "-host", "127.0.0.1", "-port", port, "-file", files.data, "-model", "financialNet", \
	      "-enable-reference-data-redis", "-workers", "4", __VA_ARGS__)
#define LOAD_MODEL_AT(port, ...) \
	WORDS(LOAD_MODEL, "-redis-host", at(port), "-model=financialNet", "-model-file", files.model, \
	      "-inputs=transaction,reference", "-outputs=output", __VA_ARGS__)
#define LOAD_AT(port, ...) WORDS(LOAD, "-redis-host", at(port), "-file", files.data, __VA_ARGS__)

static const char *at(const char *port)
{
	static char host[64];

	snprintf(host, sizeof(host), "127.0.0.1:%s", port);
	return host;
}

/* All three programs that talk to a server, against this port. */
static void all_fail(const char *port, const char *const *texts)
{
	run_fails(1, RUN_AT(port, "-timeout=2s"), NULL, texts);
	run_fails(1, LOAD_AT(port, "-timeout=2s"), NULL, texts);
	run_fails(1, LOAD_MODEL_AT(port, "-timeout=2s"), NULL, texts);
}

static void a_server_that_is_not_there_is_named(void **state)
{
	char port[8];

	(void)state;
	snprintf(port, sizeof(port), "%u", free_port());
	all_fail(port, WORDS(at(port), "refused"));
}

static void a_name_that_does_not_resolve_is_named(void **state)
{
	(void)state;
	run_fails(1, WORDS(REDISAI_RUN, "-host=no-such-host.invalid", "-file", files.data, "-model=m"), NULL,
		  WORDS("no-such-host.invalid"));
	run_fails(1, WORDS(LOAD, "-redis-host=no-such-host.invalid:6379", "-file", files.data), NULL,
		  WORDS("no-such-host.invalid"));
}

/* Stores nothing on its way: the server asks for a password first. */
static void a_server_that_wants_auth_says_what_to_pass(void **state)
{
	struct redis_server s;
	const char *const wrong[] = {"REDISCLI_AUTH=wrong", NULL};

	(void)state;
	redis_server_start_module(&s, NULL, WORDS("--requirepass", "secret"));
	all_fail(s.port_text, WORDS(at(s.port_text), "-password"));
	run_fails(1, RUN_AT(s.port_text, "-password", "wrong"), NULL, WORDS("password"));
	run_fails(1, LOAD_AT(s.port_text, "-set-blob"), &(struct process_options){.env = wrong}, WORDS("password"));
	redis_server_stop(&s, false);
}

static void a_redis_without_the_module_is_told_apart(void **state)
{
	(void)state;
	run_fails(1, RUN_AT(plain.port_text, "-use-dag"), NULL, WORDS(at(plain.port_text), "redisai.so"));
	run_fails(1, LOAD_MODEL_AT(plain.port_text, "-timeout=5s"), NULL, WORDS(at(plain.port_text), "redisai.so"));
	run_fails(1, LOAD_AT(plain.port_text, "-set-blob=false"), NULL, WORDS(at(plain.port_text), "redisai.so"));
}

static void a_redis_without_the_module_takes_blobs(void **state)
{
	(void)state;
	run_quietly(LOAD_AT(plain.port_text, "-set-tensor=false"));
}

static void another_kind_of_server_is_told_apart(void **state)
{
	struct faulty_server s;

	(void)state;
	faulty_server_start(&s, &(struct fault_plan){.fault = FAULT_GARBAGE});
	all_fail(s.port_text, WORDS(at(s.port_text)));
	faulty_server_stop(&s);
}

static void a_server_that_accepts_and_says_nothing_times_out(void **state)
{
	struct faulty_server s;

	(void)state;
	faulty_server_start(&s, &(struct fault_plan){.fault = FAULT_SILENCE});
	all_fail(s.port_text, WORDS(at(s.port_text), "in time"));
	faulty_server_stop(&s);
}

static void a_server_that_hangs_up_at_once_is_named(void **state)
{
	struct faulty_server s;

	(void)state;
	faulty_server_start(&s, &(struct fault_plan){.fault = FAULT_CLOSE});
	all_fail(s.port_text, WORDS(at(s.port_text)));
	faulty_server_stop(&s);
	faulty_server_start(&s, &(struct fault_plan){.fault = FAULT_RESET});
	all_fail(s.port_text, WORDS(at(s.port_text)));
	faulty_server_stop(&s);
}

static void a_missing_model_is_named(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data,
			"-model=nosuchmodel"),
		  NULL, WORDS("nosuchmodel", "-model"));
}

static void a_missing_reference_key_is_named(void **state)
{
	struct redis_server s;

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	run_quietly(LOAD_MODEL_AT(s.port_text, "-timeout=5s"));
	run_fails(1, RUN_AT(s.port_text, "-use-dag"), NULL, WORDS("referenceTensor:{0}", LOAD));
	redis_server_stop(&s, false);
}

/* Row 0's key is checked before the run; this one shows in mid-run only. */
static void a_reference_key_that_is_missing_in_mid_run_is_named(void **state)
{
	redisContext *c = redisConnect("127.0.0.1", server.port);

	(void)state;
	freeReplyObject(redisCommand(c, "RENAME referenceTensor:{1500} away"));
	run_fails(1, RUN_AT(server.port_text, "-use-dag"), NULL,
		  WORDS("1500", "tensor key is empty", "is the reference data loaded? (aibench_load_data)"));
	run_fails(1, RUN_AT(server.port_text, "-use-dag=false"), NULL, WORDS("1500", "tensor key is empty"));
	run_prints(RUN_AT(server.port_text, "-ignore-errors"), WORDS("1 error", "count: 1999"));
	freeReplyObject(redisCommand(c, "RENAME away referenceTensor:{1500}"));
	redisFree(c);
}

static void a_model_of_other_inputs_is_named(void **state)
{
	(void)state;
	/* The model without a reference input, asked with one; and the other way round. */
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data,
			"-model=financialNet_NoReference", "-enable-reference-data-redis"),
		  NULL, WORDS("financialNet_NoReference"));
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", server.port_text, "-file", files.data,
			"-model=financialNet"),
		  NULL, WORDS("financialNet"));
}

/* ---- in mid-run ------------------------------------------------------------------------------------------------ */

/* The fault strikes at the given request; stdout may hold a report by then, so only the error is judged. */
static void strike(enum fault fault, const char *trigger, unsigned first, const char *const *words_after_port,
		   const char *const *texts)
{
	const char *words[32] = {REDISAI_RUN, "-host", "127.0.0.1", "-port"};
	struct faulty_server s;
	size_t n = 5;

	faulty_server_start(
		&s, &(struct fault_plan){.fault = fault, .upstream = server.port, .trigger = trigger, .first = first});
	words[4] = s.port_text;
	while (*words_after_port)
		words[n++] = *words_after_port++;
	run_fails(1, words, NULL, texts);
	faulty_server_stop(&s);
}

static void an_error_in_mid_run_stops_it_with_the_server_s_text(void **state)
{
	const char *const *words = WORDS("-file", files.data, "-model=financialNet_NoReference", "-workers=4");

	(void)state;
	strike(FAULT_ERROR, "AI.DAGRUN", 500, words, WORDS("made up for a test"));
	strike(FAULT_ERROR, "AI.MODELRUN", 500,
	       WORDS("-file", files.data, "-model=financialNet_NoReference", "-workers=4", "-use-dag=false"),
	       WORDS("made up for a test"));
}

static void a_connection_that_breaks_in_mid_run_is_one_line(void **state)
{
	const char *const *words =
		WORDS("-file", files.data, "-model=financialNet_NoReference", "-workers=4", "-timeout=2s");

	(void)state;
	strike(FAULT_CLOSE, "AI.DAGRUN", 500, words, WORDS("127.0.0.1"));
	strike(FAULT_RESET, "AI.DAGRUN", 500, words, WORDS("127.0.0.1"));
	strike(FAULT_HALF_REPLY, "AI.DAGRUN", 500, words, WORDS("127.0.0.1"));
	strike(FAULT_GARBAGE, "AI.DAGRUN", 500, words, WORDS("127.0.0.1"));
	strike(FAULT_SILENCE, "AI.DAGRUN", 500, words, WORDS("timed out"));
}

static void ignored_errors_are_counted_and_shown(void **state)
{
	static const enum fault faults[] = {FAULT_ERROR, FAULT_CLOSE, FAULT_RESET, FAULT_GARBAGE, FAULT_HALF_REPLY};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct faulty_server s;

		faulty_server_start(
			&s, &(struct fault_plan){
				    .fault = faults[i], .upstream = server.port, .trigger = "AI.DAGRUN", .first = 500});
		run_prints(WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s.port_text, "-file", files.data,
				 "-model=financialNet_NoReference", "-workers=4", "-ignore-errors", "-timeout=2s"),
			   WORDS("1 error", "count: 1999"));
		faulty_server_stop(&s);
	}
}

static void the_loader_stops_at_a_broken_server(void **state)
{
	static const enum fault faults[] = {FAULT_ERROR,   FAULT_CLOSE,      FAULT_RESET,
					    FAULT_GARBAGE, FAULT_HALF_REPLY, FAULT_SILENCE};

	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		struct faulty_server s;

		faulty_server_start(&s, &(struct fault_plan){.fault = faults[i],
							     .upstream = server.port,
							     .trigger = "AI.TENSORSET",
							     .first = 300});
		run_fails(1, LOAD_AT(s.port_text, "-set-blob=false", "-pipeline=20", "-workers=2", "-timeout=2s"), NULL,
			  faults[i] == FAULT_ERROR ? WORDS("made up for a test") : WORDS(at(s.port_text)));
		faulty_server_stop(&s);
	}
}

static void a_full_redis_is_an_error(void **state)
{
	struct redis_server s;

	(void)state;
	redis_server_start_module(&s, NULL, WORDS("--maxmemory", "3mb"));
	run_fails(1, LOAD_AT(s.port_text, "-pipeline=10"), NULL, WORDS("maxmemory"));
	redis_server_stop(&s, false);
}

static void a_failed_run_leaves_its_reports_marked(void **state)
{
	struct faulty_server s;
	struct process_result r;
	char json[512];

	(void)state;
	path_in(json, sizeof(json), files.folder, "failed.json");
	faulty_server_start(
		&s, &(struct fault_plan){
			    .fault = FAULT_ERROR, .upstream = server.port, .trigger = "AI.DAGRUN", .first = 500});
	process_run(&r,
		    WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s.port_text, "-file", files.data,
			  "-model=financialNet_NoReference", "-workers=4", "-json-out-file", json),
		    NULL, LIMIT_SECONDS);
	faulty_server_stop(&s);
	assert_int_equal(r.status, 1);
	process_result_release(&r);
	/* Either no file, or one that says so: never one that looks like a whole run. */
	if (access(json, F_OK) == 0) {
		check_file(json, WORDS("made up for a test"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_server_that_is_not_there_is_named),
		cmocka_unit_test(a_name_that_does_not_resolve_is_named),
		cmocka_unit_test(a_server_that_wants_auth_says_what_to_pass),
		cmocka_unit_test(a_redis_without_the_module_is_told_apart),
		cmocka_unit_test(a_redis_without_the_module_takes_blobs),
		cmocka_unit_test(another_kind_of_server_is_told_apart),
		cmocka_unit_test(a_server_that_accepts_and_says_nothing_times_out),
		cmocka_unit_test(a_server_that_hangs_up_at_once_is_named),
		cmocka_unit_test(a_missing_model_is_named),
		cmocka_unit_test(a_missing_reference_key_is_named),
		cmocka_unit_test(a_reference_key_that_is_missing_in_mid_run_is_named),
		cmocka_unit_test(a_model_of_other_inputs_is_named),
		cmocka_unit_test(an_error_in_mid_run_stops_it_with_the_server_s_text),
		cmocka_unit_test(a_connection_that_breaks_in_mid_run_is_one_line),
		cmocka_unit_test(ignored_errors_are_counted_and_shown),
		cmocka_unit_test(the_loader_stops_at_a_broken_server),
		cmocka_unit_test(a_full_redis_is_an_error),
		cmocka_unit_test(a_failed_run_leaves_its_reports_marked),
	};

	return cmocka_run_group_tests_name("bad_servers", tests, prepare, clean_up);
}
