/* BATCHSIZE under many connections: how large the batches get, and who may ask for them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/rng.h"
#include "datagen/model.h"
#include "tests/servers/redisai/harness.h"

#define CONNECTIONS 50
#define ROUNDS 8
#define RESOLUTION 96
#define PIXELS (RESOLUTION * RESOLUTION * 3)

static struct fixture f;
static struct redis_client *clients[CONNECTIONS];
static unsigned char *files[6]; /* free first dimension, then a fixed one */
static float picture[PIXELS];

static const struct {
	const struct model_format *format;
	const char *name, *fixed_name, *store;
} kinds[] = {
	{&model_format_tensorflow, "$TF", "$TF1", "TF CPU BATCHSIZE 10 INPUTS 1 input OUTPUTS 1 " MOBILENET_OUTPUT},
	{&model_format_tflite, "$TFLITE", "$TFLITE1", "TFLITE CPU BATCHSIZE 10"},
	{&model_format_onnx, "$ONNX", "$ONNX1", "ONNX CPU BATCHSIZE 10"},
};

static void define_mobilenets(int64_t batch)
{
	const struct mobilenet_config cfg = {.width = 0.25, .resolution = RESOLUTION, .batch = batch, .seed = 3};
	struct mobilenet *net;
	struct error err;

	if (mobilenet_new(&net, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		unsigned char **file = &files[i + (batch < 0 ? 0 : ARRAY_LEN(kinds))];
		size_t len;

		if (kinds[i].format->write_mobilenet(file, &len, net, &err) < 0)
			fail_msg("%s", err.text);
		define(batch < 0 ? kinds[i].name : kinds[i].fixed_name, *file, len);
	}
	mobilenet_free(net);
}

static int start(void **state)
{
	struct rng rng;

	(void)state;
	fixture_start(&f, NULL, NULL);
	for (int i = 0; i < CONNECTIONS; i++)
		clients[i] = connect_to(&f);
	define_mobilenets(-1);
	define_mobilenets(1);
	rng_init(&rng, 1);
	rng_floats(&rng, picture, PIXELS);
	define("$PICTURE", picture, sizeof(picture));
	return 0;
}

static int stop(void **state)
{
	(void)state;
	for (int i = 0; i < CONNECTIONS; i++)
		redis_client_close(clients[i]);
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		free(files[i]);
	fixture_stop(&f);
	return 0;
}

/* Every connection asks again as soon as it has its answer. */
static void keep_all_busy(void)
{
	char line[128];

	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CONNECTIONS; i++) {
			if (round > 0)
				assert_string_equal(receive(clients[i]), "+OK");
			snprintf(line, sizeof(line), "AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y%d", i);
			send_line(clients[i], line);
		}
	}
	for (int i = 0; i < CONNECTIONS; i++)
		assert_string_equal(receive(clients[i]), "+OK");
}

static void fetch_classes(const char *key, float *ret)
{
	const struct resp_node *r;
	struct error err;
	char line[64];
	size_t n;

	snprintf(line, sizeof(line), "AI.TENSORGET %s BLOB", key);
	send_line(f.client, line);
	if (redis_client_receive(f.client, &r, &n, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(r[0].len, MOBILENET_CLASSES * sizeof(float));
	memcpy(ret, r[0].data, r[0].len);
}

static void batches_of_many_clients_are_nearly_full(void **state)
{
	static float alone[MOBILENET_CLASSES], joined[MOBILENET_CLASSES];
	char line[256];

	(void)state;
	expect(f.client, "AI.TENSORSET x FLOAT 1 96 96 3 BLOB $PICTURE", "+OK");
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		unsigned long samples, calls;

		snprintf(line, sizeof(line), "AI.MODELSTORE m %s BLOB %s", kinds[k].store, kinds[k].name);
		expect(f.client, line, "+OK");
		expect(f.client, "AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y", "+OK");
		fetch_classes("y", alone);
		expect(f.client, "AI.INFO m RESETSTAT", "+OK");
		keep_all_busy();
		samples = info_counter(f.client, "m", "samples");
		calls = info_counter(f.client, "m", "calls");
		assert_int_equal(samples, CONNECTIONS * ROUNDS);
		if (calls == 0 || (double)samples / (double)calls <= 8.0)
			fail_msg("%lu samples in %lu runs", samples, calls);
		assert_int_equal(info_counter(f.client, "m", "errors"), 0);
		for (int i = 0; i < CONNECTIONS; i++) {
			snprintf(line, sizeof(line), "y%d", i);
			fetch_classes(line, joined);
			for (int c = 0; c < MOBILENET_CLASSES; c++)
				assert_true(fabsf(joined[c] - alone[c]) < 1e-5f);
		}
	}
}

static void failed_batch_is_one_failed_run(void **state)
{
	(void)state;
	expect(f.client, "AI.TENSORSET bad FLOAT 1 5", "+OK");
	expect(f.client, "AI.MODELSTORE m ONNX CPU BATCHSIZE 2 MINBATCHSIZE 2 BLOB $ONNX", "+OK");
	send_line(clients[0], "AI.MODELRUN m INPUTS bad OUTPUTS y");
	send_line(clients[1], "AI.MODELRUN m INPUTS bad OUTPUTS y");
	assert_int_equal(receive(clients[0])[0], '-');
	assert_int_equal(receive(clients[1])[0], '-');
	assert_int_equal(info_counter(f.client, "m", "calls"), 1);
	assert_int_equal(info_counter(f.client, "m", "errors"), 1);
	assert_int_equal(info_counter(f.client, "m", "samples"), 0);
}

static void model_of_fixed_batch_is_not_stored_with_batchsize(void **state)
{
	static const char error[] =
		"-ERR BATCHSIZE needs a model whose first dimension is free, that of input 'input' is fixed to 1";
	char line[256];

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		snprintf(line, sizeof(line), "AI.MODELSTORE fixed %s BLOB %s", kinds[k].store, kinds[k].fixed_name);
		expect(f.client, line, error);
	}
	expect(f.client, "AI.MODELSET fixed ONNX CPU BATCHSIZE 2 BLOB $ONNX1", error);
	expect(f.client, "EXISTS fixed", ":0");
	expect(f.client, "AI.MODELSTORE fixed ONNX CPU BLOB $ONNX1", "+OK");
	expect(f.client, "AI.MODELSTORE fixed TFLITE CPU BATCHSIZE 0 BLOB $TFLITE1", "+OK");
	expect(f.client, "AI.MODELRUN fixed INPUTS x OUTPUTS y", "+OK");
	expect(f.client, "AI.MODELGET fixed META",
	       "[\"backend\" \"TFLITE\" \"device\" \"CPU\" \"tag\" \"\" \"batchsize\" :0 \"minbatchsize\" :0 "
	       "\"inputs\" "
	       "[] \"outputs\" [] \"minbatchtimeout\" :0]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_of_many_clients_are_nearly_full),
		cmocka_unit_test(failed_batch_is_one_failed_run),
		cmocka_unit_test(model_of_fixed_batch_is_not_stored_with_batchsize),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
