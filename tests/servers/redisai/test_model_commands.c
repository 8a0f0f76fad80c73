/* Storing, showing and deleting models, AI.INFO, AI.CONFIG and INFO MODULES against a real redis-server. */
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
#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define META_OF(device, tag, batch) \
	"\"backend\" \"TF\" \"device\" \"" device "\" \"tag\" \"" tag "\" " batch \
	" \"inputs\" [\"a\" \"b\"] \"outputs\" [\"mul\"] "

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

static void models_are_shown_as_they_were_stored(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELSTORE m " STORE_MUL, "+OK"},
		{"AI.MODELGET m META",
		 "[" META_OF("CPU", "", "\"batchsize\" :0 \"minbatchsize\" :0") "\"minbatchtimeout\" :0]"},
		{"AI.MODELSTORE m TF cpu:1 TAG v:1 BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 1000 INPUTS 2 a b "
		 "OUTPUTS 1 "
		 "mul BLOB $MUL",
		 "+OK"},
		{"AI.MODELGET m META",
		 "[" META_OF("cpu:1", "v:1", "\"batchsize\" :4 \"minbatchsize\" :2") "\"minbatchtimeout\" :1000]"},
		{"AI.MODELSET m TF CPU TAG x BATCHSIZE 0 INPUTS a b OUTPUTS mul BLOB $MUL", "+OK"},
		{"AI.MODELGET m META",
		 "[" META_OF("CPU", "x", "\"batchsize\" :0 \"minbatchsize\" :0") "\"minbatchtimeout\" :0]"},
		{"AI._MODELSCAN", "[[\"m\" \"x\"]]"},
		{"TYPE m", "+AI__MODEL"},
		{"AI.MODELDEL m", "+OK"},
		{"EXISTS m", ":0"},
		{"AI._MODELSCAN", "[]"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
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

/* A ModelProto of version 8 without a graph, and one of a graph whose initializer "w" lies in another file. */
static const char no_graph[] = {1 << 3, 8};
static const char external_data[] = {7 << 3 | 2, 9, 5 << 3 | 2, 7, 2 << 3, 1, 8 << 3 | 2, 1, 'w', 14 << 3, 1};

static void modelstore_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"SET string value", "+OK"},
		{"AI.MODELSTORE k TF BLOB x", "-ERR wrong number of arguments for 'AI.MODELSTORE' command"},
		{"AI.MODELSTORE k PORCH CPU BLOB x", "-ERR unsupported backend"},
		{"AI.MODELSTORE k TORCH bad_device BLOB x", "-ERR Invalid DEVICE"},
		{"AI.MODELSTORE k TF CPU: BLOB x", "-ERR Invalid DEVICE"},
		{"AI.MODELSTORE k TF CPU:123456 BLOB x", "-ERR Invalid DEVICE"},
		{"AI.MODELSTORE k TF CPU:1a BLOB x", "-ERR Invalid DEVICE"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE bad BLOB x", "-ERR Invalid argument for BATCHSIZE"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE -1 BLOB x", "-ERR Invalid argument for BATCHSIZE"},
		{"AI.MODELSTORE k TORCH CPU MINBATCHSIZE 2 BLOB x", "-ERR MINBATCHSIZE specified without BATCHSIZE"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE 2 MINBATCHSIZE bad BLOB x",
		 "-ERR Invalid argument for MINBATCHSIZE"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE 2 MINBATCHTIMEOUT 1000 BLOB x",
		 "-ERR MINBATCHTIMEOUT specified without MINBATCHSIZE"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE 2 MINBATCHSIZE 2 MINBATCHTIMEOUT bad BLOB x",
		 "-ERR Invalid argument for MINBATCHTIMEOUT"},
		{"AI.MODELSTORE k TF CPU BLOB x", "-ERR INPUTS not specified for TF"},
		{"AI.MODELSTORE k TF CPU INPUTS x a OUTPUTS 1 b BLOB x", "-ERR Invalid argument for input_count"},
		{"AI.MODELSTORE k TF CPU INPUTS 0 OUTPUTS 1 b BLOB x", "-ERR Invalid argument for input_count"},
		{"AI.MODELSTORE k TF CPU INPUTS 99 a OUTPUTS 1 b BLOB x",
		 "-ERR number of model inputs does not match the number of given arguments"},
		{"AI.MODELSTORE k TF CPU INPUTS 1 a BLOB x", "-ERR OUTPUTS not specified for TF"},
		{"AI.MODELSTORE k TF CPU INPUTS 1 a OUTPUTS x b BLOB x", "-ERR Invalid argument for output_count"},
		{"AI.MODELSTORE k TF CPU INPUTS 1 a OUTPUTS 99 b BLOB x",
		 "-ERR number of model outputs does not match the number of given arguments"},
		{"AI.MODELSTORE k TORCH CPU INPUTS 1 a OUTPUTS 1 c BLOB x",
		 "-ERR INPUTS argument should not be specified for this backend"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE 2", "-ERR Insufficient arguments, missing model BLOB"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE 2 BLOB", "-ERR Insufficient arguments, missing model BLOB"},
		{"AI.MODELSTORE k TORCH CPU BATCHSIZE 2 NOT_BLOB", "-ERR Invalid argument, expected BLOB"},
		{"AI.MODELSTORE k TORCH CPU BLOB x", "-ERR Could not load backend"},
		{"AI.MODELSTORE k ONNX CPU OUTPUTS 1 c BLOB x",
		 "-ERR OUTPUTS argument should not be specified for this backend"},
		{"AI.MODELSTORE k ONNX CPU BLOB x", "-No graph was found in the protobuf."},
		{"AI.MODELSTORE k ONNX CPU BLOB $NO_GRAPH", "-No graph was found in the protobuf."},
		{"AI.MODELSTORE k ONNX CPU BLOB $EXTERNAL", "-Initializer tensors with external data is not allowed."},
		{"AI.MODELSTORE k ONNX GPU BLOB x", "-ERR GPU requested but ONNX couldn't find CUDA"},
		{"AI.MODELSTORE k TFLITE CPU INPUTS 1 a OUTPUTS 1 c BLOB x",
		 "-ERR INPUTS argument should not be specified for this backend"},
		{"AI.MODELSTORE k TFLITE CPU BLOB x", "-Failed to load model from buffer"},
		{"AI.MODELSTORE k TFLITE CPU BLOB $MUL", "-Failed to load model from buffer"},
		{"AI.MODELSTORE k TF CPU INPUTS 1 a OUTPUTS 1 mul BLOB notagraph", "-Invalid GraphDef"},
		{"AI.MODELSTORE k TF CPU INPUTS 3 a b c OUTPUTS 1 mul BLOB $MUL",
		 "-ERR Input node named \"c\" not found in TF graph."},
		{"AI.MODELSTORE k TF CPU INPUTS 2 a mul OUTPUTS 1 mul BLOB $MUL",
		 "-ERR Input node named \"mul\" not found in TF graph."},
		{"AI.MODELSTORE k TF CPU INPUTS 2 a b OUTPUTS 1 mult BLOB $MUL",
		 "-ERR Output node named \"mult\" not found in TF graph"},
		{"AI.MODELSTORE k TF GPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		 "-ERR GPU requested but TF couldn't find CUDA"},
		{"AI.MODELSTORE string " STORE_MUL, WRONGTYPE},
		{"EXISTS k", ":0"},
		{"AI._MODELSCAN", "[]"},
	};

	(void)state;
	define("$NO_GRAPH", no_graph, sizeof(no_graph));
	define("$EXTERNAL", external_data, sizeof(external_data));
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void modelset_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELSET k TF", "-ERR wrong number of arguments for 'AI.MODELSET' command"},
		{"AI.MODELSET k PORCH CPU INPUTS a b OUTPUTS mul BLOB x", "-ERR unsupported backend"},
		{"AI.MODELSET k TF INPUTS a b OUTPUTS mul BLOB x", "-ERR Invalid DEVICE"},
		{"AI.MODELSET k TF elevenchars INPUTS a b OUTPUTS mul BLOB x", "-ERR Invalid DEVICE"},
		{"AI.MODELSET k TFLITE CPU BATCHSIZE 2 BLOB x",
		 "-ERR Auto-batching not supported by the TFLITE backend"},
		{"AI.MODELSET k TF CPU MINBATCHTIMEOUT 5 INPUTS a BLOB x",
		 "-ERR MINBATCHTIMEOUT specified without BATCHSIZE"},
		{"AI.MODELSET k TF CPU", "-ERR Insufficient arguments, INPUTS and OUTPUTS not specified"},
		{"AI.MODELSET k TF CPU BLOB x", "-ERR INPUTS not specified"},
		{"AI.MODELSET k TF CPU INPUTS a b BLOB x", "-ERR OUTPUTS not specified"},
		{"AI.MODELSET k TF CPU INPUTS a b OUTPUTS mul", "-ERR Insufficient arguments, missing model BLOB"},
		{"AI.MODELSET k TF CPU INPUTS a b OUTPUTS mul BLOB", "-ERR Insufficient arguments, missing model BLOB"},
		{"AI.MODELSET k TF CPU INPUTS a b OUTPUTS mul BLOB notagraph", "-Invalid GraphDef"},
		{"AI.MODELSET k TORCH CPU BLOB x", "-ERR Could not load backend"},
		{"AI.MODELSET k TFLITE CPU INPUTS input OUTPUTS y BLOB x", "-Failed to load model from buffer"},
		{"AI.MODELSET k ONNX CPU INPUTS input OUTPUTS y BLOB x", "-No graph was found in the protobuf."},
		{"EXISTS k", ":0"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void failed_store_leaves_the_old_model(void **state)
{
	(void)state;
	expect(f.client, "AI.MODELSTORE m " STORE_MUL, "+OK");
	expect(f.client, "AI.MODELSTORE m TF CPU INPUTS 1 a OUTPUTS 1 mul BLOB notagraph", "-Invalid GraphDef");
	expect(f.client, "AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK");
	expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
	expect(f.client, "AI.TENSORGET y VALUES", "[\"4\" \"9\"]");
	expect(f.client, "DEL m x y", ":3");
}

static void modelget_and_modeldel_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"SET string value", "+OK"},
		{"AI.MODELGET", "-ERR wrong number of arguments for 'AI.MODELGET' command"},
		{"AI.MODELGET string", WRONGTYPE},
		{"AI.MODELGET nothing", "-ERR model key is empty"},
		{"AI.MODELDEL", "-ERR wrong number of arguments for 'AI.MODELDEL' command"},
		{"AI.MODELDEL a b", "-ERR wrong number of arguments for 'AI.MODELDEL' command"},
		{"AI.MODELDEL string", WRONGTYPE},
		{"AI.MODELDEL nothing", "-ERR model key is empty"},
		{"AI._MODELSCAN x", "-ERR wrong number of arguments for 'AI._MODELSCAN' command"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
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
	expect(f.client, "AI.INFO", "-ERR wrong number of arguments for 'AI.INFO' command");
	expect(f.client, "AI.INFO nothing", "-ERR cannot find run info for key");
	expect(f.client, "AI.INFO x", "-ERR cannot find run info for key");
	expect(f.client, "DEL m x y bad", ":4");
}

static void config_is_read_and_set(void **state)
{
	static const struct exchange list[] = {
		{"AI.CONFIG", "-ERR wrong number of arguments for 'AI.CONFIG' command"},
		{"AI.CONFIG GET BACKENDSPATH", "nil"},
		{"AI.CONFIG BACKENDSPATH", "-ERR BACKENDSPATH: missing path argument"},
		{"AI.CONFIG BACKENDSPATH /nowhere", "+OK"},
		{"AI.CONFIG GET BACKENDSPATH", "\"/nowhere\""},
		{"AI.CONFIG GET MODEL_CHUNK_SIZE", ":535822336"},
		{"AI.CONFIG GET other", "nil"},
		{"AI.CONFIG MODEL_CHUNK_SIZE", "-ERR MODEL_CHUNK_SIZE: missing chunk size"},
		{"AI.CONFIG MODEL_CHUNK_SIZE 0", "-ERR MODEL_CHUNK_SIZE: invalid chunk size"},
		{"AI.CONFIG MODEL_CHUNK_SIZE x", "-ERR MODEL_CHUNK_SIZE: invalid chunk size"},
		{"AI.CONFIG LOADBACKEND TF some/path.so", "+OK"},
		{"AI.CONFIG LOADBACKEND TFLITE some/path.so", "+OK"},
		{"AI.CONFIG LOADBACKEND onnx some/path.so", "+OK"},
		{"AI.CONFIG LOADBACKEND TORCH some/path.so", "-ERR error loading backend"},
		{"AI.CONFIG LOADBACKEND PORCH some/path.so", "-ERR unsupported backend"},
		{"AI.CONFIG NOTHING", "-ERR unsupported subcommand"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
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
		cmocka_unit_test(models_are_shown_as_they_were_stored),
		cmocka_unit_test(blob_comes_back_whole_and_in_chunks),
		cmocka_unit_test(modelstore_errors_are_to_the_letter),
		cmocka_unit_test(modelset_errors_are_to_the_letter),
		cmocka_unit_test(failed_store_leaves_the_old_model),
		cmocka_unit_test(modelget_and_modeldel_errors_are_to_the_letter),
		cmocka_unit_test(info_counts_calls_samples_and_errors),
		cmocka_unit_test(config_is_read_and_set),
		cmocka_unit_test(info_modules_has_its_sections_in_order),
		cmocka_unit_test(load_arguments_are_checked),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
