/* TFLite and ONNX models as the module stores, runs, shows and keeps them, next to TensorFlow's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/file.h"
#include "common/rng.h"
#include "datagen/mobilenet.h"
#include "engine/model.h"
#include "tests/servers/redisai/harness.h"

#define RESOLUTION 64
#define PIXELS (RESOLUTION * RESOLUTION * 3)

static struct fixture f;
static unsigned char *files[3];
static float pictures[2 * PIXELS];

static const struct {
	int (*write)(unsigned char **ret, size_t *ret_len, const struct mobilenet *net, struct error *err);
	const char *name, *set, *store;
} kinds[] = {
	{mobilenet_write_tensorflow, "$TF", "AI.MODELSET tf TF CPU INPUTS input OUTPUTS " MOBILENET_OUTPUT " BLOB $TF",
	 "AI.MODELSTORE tf TF CPU INPUTS 1 input OUTPUTS 1 " MOBILENET_OUTPUT " BLOB $TF"},
	{mobilenet_write_tflite, "$TFLITE", "AI.MODELSET tflite TFLITE CPU INPUTS input OUTPUTS other BLOB $TFLITE",
	 "AI.MODELSTORE tflite TFLITE CPU TAG v:2 BLOB $TFLITE"},
	{mobilenet_write_onnx, "$ONNX", "AI.MODELSET onnx ONNX CPU BLOB $ONNX",
	 "AI.MODELSTORE onnx ONNX CPU TAG v:3 BATCHSIZE 4 MINBATCHSIZE 1 MINBATCHTIMEOUT 5 BLOB $ONNX"},
};

static int start(void **state)
{
	const struct mobilenet_config cfg = {.width = 0.25, .resolution = RESOLUTION, .batch = -1, .seed = 5};
	struct mobilenet *net;
	struct error err;
	struct rng rng;

	(void)state;
	if (mobilenet_new(&net, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		size_t len;

		if (kinds[i].write(&files[i], &len, net, &err) < 0)
			fail_msg("%s", err.text);
		define(kinds[i].name, files[i], len);
	}
	mobilenet_free(net);
	rng_init(&rng, 1);
	rng_floats(&rng, pictures, 2 * PIXELS);
	define("$PICTURES", pictures, sizeof(pictures));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		free(files[i]);
	return 0;
}

static int fresh(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	expect(f.client, "AI.TENSORSET x FLOAT 2 64 64 3 BLOB $PICTURES", "+OK");
	return 0;
}

static int end(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void fetch(const char *key, float *ret, size_t n)
{
	const struct resp_node *r;
	struct error err;
	char line[64];
	size_t nodes;

	snprintf(line, sizeof(line), "AI.TENSORGET %s BLOB", key);
	send_line(f.client, line);
	if (redis_client_receive(f.client, &r, &nodes, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(r[0].len, n * sizeof(float));
	memcpy(ret, r[0].data, r[0].len);
}

static void expect_formats_agree(void)
{
	static float got[3][2 * MOBILENET_CLASSES];

	expect(f.client, "AI.MODELRUN tf INPUTS x OUTPUTS y0", "+OK");
	expect(f.client, "AI.MODELEXECUTE tflite INPUTS 1 x OUTPUTS 1 y1", "+OK");
	expect(f.client, "AI.DAGEXECUTE LOAD 1 x PERSIST 1 y2 |> AI.MODELEXECUTE onnx INPUTS 1 x OUTPUTS 1 y2",
	       "[+OK]");
	fetch("y0", got[0], ARRAY_LEN(got[0]));
	fetch("y1", got[1], ARRAY_LEN(got[1]));
	fetch("y2", got[2], ARRAY_LEN(got[2]));
	for (size_t i = 0; i < ARRAY_LEN(got[0]); i++) {
		assert_true(fabsf(got[1][i] - got[0][i]) < 1e-5f);
		assert_true(fabsf(got[2][i] - got[0][i]) < 1e-5f);
	}
	/* The net tells the two pictures apart: it is no constant that agrees. */
	assert_memory_not_equal(got[0], got[0] + MOBILENET_CLASSES, MOBILENET_CLASSES * sizeof(float));
}

static void formats_agree_however_they_are_stored(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		expect(f.client, kinds[i].set, "+OK");
	expect_formats_agree();
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		expect(f.client, kinds[i].store, "+OK");
	expect_formats_agree();
}

static void expect_kept(void)
{
	expect(f.client, "AI.MODELGET tflite META",
	       "[\"backend\" \"TFLITE\" \"device\" \"CPU\" \"tag\" \"v:2\" \"batchsize\" :0 \"minbatchsize\" :0 "
	       "\"inputs\" [] \"outputs\" [] \"minbatchtimeout\" :0]");
	expect(f.client, "AI.MODELGET onnx META",
	       "[\"backend\" \"ONNX\" \"device\" \"CPU\" \"tag\" \"v:3\" \"batchsize\" :4 \"minbatchsize\" :1 "
	       "\"inputs\" [] \"outputs\" [] \"minbatchtimeout\" :5]");
	expect_formats_agree();
}

static void models_survive_rdb_and_append_only_file(void **state)
{
	static const char *const aof[] = {"--appendonly", "yes", "--aof-use-rdb-preamble", "no", NULL};

	(void)state;
	fixture_start(&f, NULL, aof);
	expect(f.client, "AI.TENSORSET x FLOAT 2 64 64 3 BLOB $PICTURES", "+OK");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		expect(f.client, kinds[i].store, "+OK");
	expect_kept();
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect_kept();
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect_kept();
	expect(f.client, "BGREWRITEAOF", "+Background append only file rewriting started");
	while (strstr(ask(f.client, "INFO PERSISTENCE"), "aof_rewrite_in_progress:1"))
		continue;
	assert_non_null(strstr(ask(f.client, "INFO PERSISTENCE"), "aof_last_bgrewrite_status:ok"));
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect_kept();
	fixture_stop(&f);
}

static void numbers_of_inputs_and_outputs_are_the_models_own(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELEXECUTE onnx INPUTS 2 x x OUTPUTS 1 y",
		 "-Number of keys given as INPUTS here does not match model definition"},
		{"AI.MODELEXECUTE onnx INPUTS 1 x OUTPUTS 2 y z",
		 "-Number of keys given as OUTPUTS here does not match model definition"},
		{"AI.MODELRUN tflite INPUTS x x OUTPUTS y",
		 "-Number of keys given as INPUTS here does not match model definition"},
		{"AI.MODELRUN tflite INPUTS x OUTPUTS y z",
		 "-Number of keys given as OUTPUTS here does not match model definition"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		expect(f.client, kinds[i].store, "+OK");
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void wrong_input_is_an_error_of_the_command(void **state)
{
	static const char *const lines[] = {
		"AI.MODELRUN tflite INPUTS int OUTPUTS y", "AI.MODELRUN onnx INPUTS int OUTPUTS y",
		"AI.MODELRUN tflite INPUTS flat OUTPUTS y", "AI.MODELRUN onnx INPUTS flat OUTPUTS y"};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		expect(f.client, kinds[i].store, "+OK");
	expect(f.client, "AI.TENSORSET int INT32 1 64 64 3", "+OK");
	expect(f.client, "AI.TENSORSET flat FLOAT 7", "+OK");
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_memory_equal(ask(f.client, lines[i]), "-ERR ", 5);
	expect(f.client, "EXISTS y", ":0");
	expect_formats_agree();
}

static void versions_appear_with_the_first_model_of_a_backend(void **state)
{
	static const char *const tflite[] = {"ai_TensorFlowLite_version:"};
	static const char *const onnx[] = {"ai_onnxruntime_version:", "ai_onnxruntime_memory:0",
					   "ai_onnxruntime_memory_access_num:0",
					   "ai_onnxruntime_maximum_run_sessions_number:1"};

	(void)state;
	expect(f.client, "AI.MODELSTORE bad ONNX CPU BLOB x", "-No graph was found in the protobuf.");
	assert_null(strstr(ask(f.client, "INFO MODULES"), "onnxruntime"));
	expect(f.client, kinds[2].store, "+OK");
	for (size_t i = 0; i < ARRAY_LEN(onnx); i++)
		assert_non_null(strstr(ask(f.client, "INFO MODULES"), onnx[i]));
	assert_null(strstr(ask(f.client, "INFO MODULES"), "ai_TensorFlow"));
	expect(f.client, kinds[1].store, "+OK");
	assert_non_null(strstr(ask(f.client, "INFO MODULES"), tflite[0]));
	assert_null(strstr(ask(f.client, "INFO MODULES"), "ai_TensorFlow_version"));
}

/* Stores a file and runs it once with zeros of the shapes that it declares, free dimensions being 1. */
static void store_and_run(const char *path, const char *backend, enum model_format format)
{
	struct model_load_config cfg = {.format = format, .name = path};
	char line[512], full[4096], *blob;
	struct model *m;
	struct error err;
	size_t len;
	int n;

	assert_non_null(test_data(full, sizeof(full), path));
	if (file_read(&blob, &len, full, 1 << 28, &err) < 0 || model_load(&m, &cfg, blob, len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	define("$FILE", blob, len);
	snprintf(line, sizeof(line), "AI.MODELSTORE file %s CPU BLOB $FILE", backend);
	expect(f.client, line, "+OK");
	for (size_t i = 0; i < model_ninputs(m); i++) {
		const struct model_tensor_info *in = model_input(m, i);

		n = snprintf(line, sizeof(line), "AI.TENSORSET in%zu %s", i, dtype_name(in->dtype));
		for (int d = 0; d < in->rank; d++)
			n += snprintf(line + n, sizeof(line) - (size_t)n, " %lld",
				      in->dims[d] < 0 ? 1LL : (long long)in->dims[d]);
		expect(f.client, line, "+OK");
	}
	n = snprintf(line, sizeof(line), "AI.MODELEXECUTE file INPUTS %zu", model_ninputs(m));
	for (size_t i = 0; i < model_ninputs(m); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " in%zu", i);
	n += snprintf(line + n, sizeof(line) - (size_t)n, " OUTPUTS %zu", model_noutputs(m));
	for (size_t i = 0; i < model_noutputs(m); i++)
		n += snprintf(line + n, sizeof(line) - (size_t)n, " out%zu", i);
	expect(f.client, line, "+OK");
	assert_memory_equal(ask(f.client, "AI.TENSORGET out0 META"), "[\"dtype\"", 8);
	model_free(m);
	free(blob);
}

static void models_of_others_are_stored_and_run(void **state)
{
	static const char *const onnx[] = {"mnist",          "linear_iris",      "findsquare",
					   "light_resnet50", "light_squeezenet", "mobilenet_v1_1.0_224"};
	static const char *const tflite[] = {"mlperf_tiny_resnet8", "mlperf_tiny_resnet8_int8",
					     "mobilenet_v1_0.25_224"};
	char path[4096];

	(void)state;
	if (!test_data(path, sizeof(path), "models/onnx/mnist.onnx"))
		skip();
	for (size_t i = 0; i < ARRAY_LEN(onnx); i++) {
		snprintf(path, sizeof(path), "models/onnx/%s.onnx", onnx[i]);
		store_and_run(path, "ONNX", MODEL_ONNX);
	}
	for (size_t i = 0; i < ARRAY_LEN(tflite); i++) {
		snprintf(path, sizeof(path), "models/tflite/%s.tflite", tflite[i]);
		store_and_run(path, "TFLITE", MODEL_TFLITE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(formats_agree_however_they_are_stored, fresh, end),
		cmocka_unit_test(models_survive_rdb_and_append_only_file),
		cmocka_unit_test_setup_teardown(numbers_of_inputs_and_outputs_are_the_models_own, fresh, end),
		cmocka_unit_test_setup_teardown(wrong_input_is_an_error_of_the_command, fresh, end),
		cmocka_unit_test_setup_teardown(versions_appear_with_the_first_model_of_a_backend, fresh, end),
		cmocka_unit_test_setup_teardown(models_of_others_are_stored_and_run, fresh, end),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
