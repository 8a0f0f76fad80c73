/* Models, AI.INFO, INFO MODULES and load arguments beyond the rows of conformance_models.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define STORE_MUL "TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	graphs_define();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	graphs_release();
	fixture_stop(&f);
	return 0;
}

static void blob_comes_back_whole_and_in_chunks(void **state)
{
	const char *args[] = {"AI.MODELGET", "m", "BLOB"};
	const struct resp_node *r;
	char first[32], rest[128], chunks[512], whole[512];
	struct error err;
	size_t n;

	(void)state;
	expect(f.client, "AI.MODELSTORE m " STORE_MUL, "+OK");
	assert_int_equal(redis_client_command(f.client, 3, args, NULL, &r, &n, &err), 0);
	assert_int_equal(n, 1);
	assert_true(r->len > 40 && r->len < 128);
	memcpy(first, r->data, 32);
	memcpy(rest, r->data + 32, r->len - 32);
	define("$FIRST", first, 32);
	define("$REST", rest, r->len - 32);
	expect(f.client, "AI.MODELSTORE m2 TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $FIRST $REST", "+OK");
	snprintf(whole, sizeof(whole), "%s", ask(f.client, "AI.MODELGET m BLOB"));
	expect(f.client, "AI.MODELGET m2 BLOB", whole);

	expect(f.client, "AI.CONFIG MODEL_CHUNK_SIZE 32", "+OK");
	snprintf(chunks, sizeof(chunks), "%s", ask(f.client, "AI.MODELGET m BLOB"));
	assert_true(chunks[0] == '[');
	expect(f.client, "AI.CONFIG GET MODEL_CHUNK_SIZE", ":32");
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect(f.client, "AI.MODELGET m BLOB", chunks);
	expect(f.client, "AI.CONFIG MODEL_CHUNK_SIZE 535822336", "+OK");
	expect(f.client, "AI.MODELGET m BLOB", whole);
	expect(f.client, "DEL m m2", ":2");
}

/* The duration is what it is. */
static void expect_info(const char *calls)
{
	const char *text = ask(f.client, "AI.INFO m");

	if (!strstr(text, calls))
		fail_msg("AI.INFO answered %s", text);
}

static void info_counts_calls_samples_and_errors(void **state)
{
	(void)state;
	expect(f.client, "AI.MODELSTORE m TF CPU TAG t INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.INFO m",
	       "[\"key\" \"m\" \"type\" \"MODEL\" \"backend\" \"TF\" \"device\" \"CPU\" \"tag\" \"t\" \"duration\" :0 "
	       "\"samples\" :0 \"calls\" :0 \"errors\" :0]");
	expect(f.client, "AI.TENSORSET x FLOAT 3 2", "+OK");
	expect(f.client, "AI.TENSORSET bad FLOAT 2 5", "+OK");
	for (int i = 0; i < 4; i++)
		expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
	expect_info("\"samples\" :12 \"calls\" :4 \"errors\" :0]");
	assert_true(ask(f.client, "AI.MODELRUN m INPUTS x bad OUTPUTS y")[0] == '-');
	expect_info("\"samples\" :12 \"calls\" :5 \"errors\" :1]");
	expect(f.client, "AI.INFO m RESETSTAT", "+OK");
	expect_info("\"duration\" :0 \"samples\" :0 \"calls\" :0 \"errors\" :0]");
	expect(f.client, "DEL m x y bad", ":4");
}

static void info_modules_has_its_sections_in_order(void **state)
{
	static const char *const fields[] = {
		"# ai_versions",
		"ai_RedisAI_version:",
		"ai_low_level_API_version:1",
		"ai_rdb_version:4",
		"# ai_git",
		"ai_git_sha:",
		"# ai_load_time_configs",
		"ai_threads_per_queue:1",
		"ai_inter_op_parallelism:0",
		"ai_intra_op_parallelism:0",
		"ai_model_execution_timeout:5000",
		"ai_backend_memory_limit:0",
		"# ai_backends_info",
		"ai_TensorFlow_version:",
		"# ai_cpu",
		"ai_self_used_cpu_sys:",
		"ai_self_used_cpu_user:",
		"ai_children_used_cpu_sys:",
		"ai_children_used_cpu_user:",
		"ai_main_thread_used_cpu_sys:",
		"ai_main_thread_used_cpu_user:",
		"ai_queue_CPU_bthread_n1_used_cpu_total:",
	};
	const char *at;

	(void)state;
	expect(f.client, "AI.MODELSTORE m " STORE_MUL, "+OK");
	at = ask(f.client, "INFO MODULES");
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		at = strstr(at, fields[i]);
		if (!at)
			fail_msg("no %s in its place", fields[i]);
	}
	assert_non_null(strstr(ask(f.client, "INFO COMMANDSTATS"), "cmdstat_ai.modelstore:"));
	expect(f.client, "DEL m", ":1");
}

static void load_arguments_are_checked(void **state)
{
	static const char *const good[] = {
		"THREADS_PER_QUEUE", "2", "MODEL_EXECUTION_TIMEOUT", "1000", "TF", "/x", NULL};
	static const char *const bad[][3] = {{"THREADS_PER_QUEUE", "0", NULL},
					     {"MODEL_EXECUTION_TIMEOUT", "999", NULL},
					     {"NO_SUCH_ARGUMENT", "1", NULL},
					     {"THREADS_PER_QUEUE", NULL, NULL}};
	const char *argv[16];
	struct process_result r;
	struct fixture g;

	(void)state;
	fixture_start(&g, good, NULL);
	assert_non_null(strstr(ask(g.client, "INFO MODULES"), "ai_queue_CPU_bthread_n2_used_cpu_total:"));
	fixture_stop(&g);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		size_t n = 0;

		argv[n++] = "redis-server";
		argv[n++] = "--port";
		argv[n++] = "0";
		argv[n++] = "--loadmodule";
		argv[n++] = redis_server_module_path();
		for (size_t k = 0; bad[i][k]; k++)
			argv[n++] = bad[i][k];
		argv[n] = NULL;
		process_run(&r, argv, NULL, 20);
		assert_int_equal(r.status, 1);
		process_result_release(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blob_comes_back_whole_and_in_chunks),
		cmocka_unit_test(info_counts_calls_samples_and_errors),
		cmocka_unit_test(info_modules_has_its_sections_in_order),
		cmocka_unit_test(load_arguments_are_checked),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
