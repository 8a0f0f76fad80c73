/*
 * test_mobilenet.c - the generated MobileNet V1: the same bytes for the same seed, layers as published, weights in the
 * order of each format, and files that are well formed as far as this folder can tell. What it computes is tested with
 * the engine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "datagen/flatbuffer_writer.h"
#include "datagen/model.h"
#include "proto/onnx.pb-c.h"
#include "proto/tensorflow.pb-c.h"

static struct mobilenet *net(double width, unsigned resolution, uint64_t seed)
{
	const struct mobilenet_config cfg = {width, resolution, -1, seed};
	struct mobilenet *ret;
	struct error err;

	if (mobilenet_new(&ret, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	return ret;
}

static unsigned char *bytes(const struct model_format *format, double width, uint64_t seed, size_t *ret_len)
{
	struct mobilenet *n = net(width, 64, seed);
	unsigned char *ret;
	struct error err;

	assert_int_equal(format->write_mobilenet(&ret, ret_len, n, &err), 0);
	mobilenet_free(n);
	return ret;
}

static void same_seed_makes_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; model_formats[i] != NULL; i++) {
		size_t len[3];
		unsigned char *a = bytes(model_formats[i], 0.25, 7, &len[0]);
		unsigned char *b = bytes(model_formats[i], 0.25, 7, &len[1]);
		unsigned char *other = bytes(model_formats[i], 0.25, 8, &len[2]);
		assert_int_equal(len[0], len[1]);
		assert_memory_equal(a, b, len[0]);
		assert_int_equal(len[0], len[2]);
		assert_memory_not_equal(a, other, len[0]);
		free(a);
		free(b);
		free(other);
	}
}

static void resolution_does_not_change_weights(void **state)
{
	struct mobilenet *a = net(0.5, 224, 1), *b = net(0.5, 96, 1);

	(void)state;
	for (unsigned i = 0; i < MOBILENET_LAYERS; i++) {
		const size_t n = mobilenet_weight_count(&a->layers[i]);
		assert_int_equal(n, mobilenet_weight_count(&b->layers[i]));
		assert_memory_equal(a->layers[i].weights, b->layers[i].weights, n * sizeof(float));
		assert_memory_equal(a->layers[i].bias, b->layers[i].bias, a->layers[i].outputs * sizeof(float));
	}
	mobilenet_free(a);
	mobilenet_free(b);
}

/* Keras counts 4,253,864 parameters of 1000 classes, of which 4 a channel are batch norm: here 1 is, and 1001 classes. */
static void layers_are_the_published_ones(void **state)
{
	static const unsigned sizes[] = {112, 112, 112, 56, 56, 56, 56, 28, 28, 28, 28, 14, 14, 14,
					 14,  14,  14,  14, 14, 14, 14, 14, 14, 7,  7,  7,  7,  1};
	struct mobilenet *n = net(1.0, 224, 0);
	size_t parameters = 0;

	(void)state;
	for (unsigned i = 0; i < MOBILENET_LAYERS; i++) {
		const struct mobilenet_layer *l = &n->layers[i];
		parameters += mobilenet_weight_count(l) + l->outputs;
		assert_int_equal(l->out_size, sizes[i]);
		assert_int_equal(l->inputs, i == 0 ? 3 : n->layers[i - 1].outputs);
		for (size_t k = 0; k < mobilenet_weight_count(l); k++)
			assert_true(isfinite(l->weights[k]));
	}
	assert_int_equal(parameters, 4253864 - 3 * 10944 + 1025);
	mobilenet_free(n);
	n = net(0.1, 224, 0);
	assert_int_equal(n->layers[0].outputs, 8);
	assert_int_equal(n->layers[26].outputs, 102);
	mobilenet_free(n);
}

static void padding_is_what_tensorflow_calls_same(void **state)
{
	static const struct {
		unsigned size, stride, before, after;
	} cases[] = {{224, 2, 0, 1}, {112, 1, 1, 1}, {97, 2, 1, 1}, {1, 2, 1, 1}, {2, 2, 0, 1}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct mobilenet_layer l = {.kernel = 3, .stride = cases[i].stride, .in_size = cases[i].size};
		unsigned before, after;
		l.out_size = (l.in_size + l.stride - 1) / l.stride;
		mobilenet_padding(&l, &before, &after);
		assert_int_equal(before, cases[i].before);
		assert_int_equal(after, cases[i].after);
	}
}

static void weights_are_turned_for_each_format(void **state)
{
	float weights[2 * 2 * 3 * 5], bias[5] = {0};
	struct mobilenet_layer l = {MOBILENET_FULL, "", 2, 1, 3, 5, 2, 2, weights, bias};
	struct buf b = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(weights); i++)
		weights[i] = (float)i;
	mobilenet_append_weights(&b, &l, MOBILENET_OIHW);
	mobilenet_append_weights(&b, &l, MOBILENET_OHWI);
	assert_int_equal(b.len, 2 * sizeof(weights));
	for (int o = 0; o < 5; o++) {
		for (int i = 0; i < 3; i++) {
			for (int k = 0; k < 4; k++) {
				float oihw, ohwi;
				memcpy(&oihw, b.data + 4 * ((o * 3 + i) * 4 + k), 4);
				memcpy(&ohwi, b.data + sizeof(weights) + 4 * (size_t)((o * 4 + k) * 3 + i), 4);
				assert_int_equal((int)oihw, (k * 3 + i) * 5 + o);
				assert_int_equal((int)ohwi, (k * 3 + i) * 5 + o);
			}
		}
	}
	buf_clear(&b);
	l.kind = MOBILENET_DEPTHWISE;
	l.inputs = l.outputs = 5;
	mobilenet_append_weights(&b, &l, MOBILENET_OIHW);
	for (int c = 0; c < 5; c++) {
		for (int k = 0; k < 4; k++) {
			float v;
			memcpy(&v, b.data + 4 * (c * 4 + k), 4);
			assert_int_equal((int)v, k * 5 + c);
		}
	}
	buf_release(&b);
}

static void protobufs_decode(void **state)
{
	unsigned char *tensorflow, *onnx;
	size_t len;

	(void)state;
	tensorflow = bytes(&model_format_tensorflow, 0.1, 0, &len);
	Tensorflow__GraphDef *graph = tensorflow__graph_def__unpack(NULL, len, tensorflow);
	assert_non_null(graph);
	/* Input, five nodes a layer but for the last one's ReLU6, and pool, squeeze, softmax, shape, output. */
	assert_int_equal(graph->n_node, 1 + 5 * MOBILENET_LAYERS - 1 + 5);
	assert_string_equal(graph->node[0]->name, MOBILENET_INPUT);
	assert_string_equal(graph->node[graph->n_node - 1]->name, MOBILENET_OUTPUT);
	assert_string_equal(graph->node[5]->name, "MobilenetV1/MobilenetV1/Conv2d_0/Relu6");
	tensorflow__graph_def__free_unpacked(graph, NULL);
	free(tensorflow);
	onnx = bytes(&model_format_onnx, 0.1, 0, &len);
	Onnx__ModelProto *model = onnx__model_proto__unpack(NULL, len, onnx);
	assert_non_null(model);
	assert_int_equal(model->graph->n_input, 1);
	assert_int_equal(model->graph->n_initializer, 2 * MOBILENET_LAYERS + 2);
	assert_string_equal(model->graph->output[0]->name, MOBILENET_OUTPUT);
	onnx__model_proto__free_unpacked(model, NULL);
	free(onnx);
}

static uint32_t read32(const struct buf *b, size_t at)
{
	uint32_t v;

	assert_true(at + 4 <= b->len);
	memcpy(&v, b->data + at, sizeof(v));
	return v;
}

/* Where the table's field is, from the list of its fields; 0: absent. */
static size_t field_at(const struct buf *b, size_t table, unsigned id)
{
	const size_t list = table - read32(b, table);
	uint16_t size, place = 0;

	memcpy(&size, b->data + list, 2);
	if (4 + 2 * id < size)
		memcpy(&place, b->data + list + 4 + 2 * (size_t)id, 2);
	return place != 0 ? table + place : 0;
}

static void flatbuffers_are_laid_out_as_the_format_says(void **state)
{
	struct fbw_field fields[] = {
		{.id = 3, .type = FBW_INT8, .value = -5},
		{.id = 0, .type = FBW_INT32, .value = 70000},
		{.id = 5, .type = FBW_OFFSET},
		{.id = 2, .type = FBW_FLOAT, .number = 1.5f},
		{.id = 4, .type = FBW_OFFSET},
	};
	struct buf b = {0};
	float number;

	(void)state;
	fbw_table(&b, fbw_begin(&b, "TEST"), fields, ARRAY_LEN(fields));
	fbw_text(&b, fields[2].at, "seven");
	const size_t begin = fbw_bytes_begin(&b, fields[4].at);
	buf_append(&b, "abc", 3);
	fbw_bytes_end(&b, begin);
	assert_false(b.failed);
	assert_memory_equal(b.data + 4, "TEST", 4);
	const size_t table = read32(&b, 0);
	assert_int_equal(table % 4, 0);
	assert_int_equal((int8_t)b.data[field_at(&b, table, 3)], -5);
	assert_int_equal(read32(&b, field_at(&b, table, 0)), 70000);
	memcpy(&number, b.data + field_at(&b, table, 2), 4);
	assert_true(number >= 1.5f && number <= 1.5f);
	assert_int_equal(field_at(&b, table, 1), 0);
	assert_int_equal(field_at(&b, table, 9), 0);
	const size_t text = field_at(&b, table, 5) + read32(&b, field_at(&b, table, 5));
	assert_int_equal(read32(&b, text), 5);
	assert_string_equal(b.data + text + 4, "seven");
	const size_t vector = field_at(&b, table, 4) + read32(&b, field_at(&b, table, 4));
	assert_int_equal(read32(&b, vector), 3);
	assert_int_equal((vector + 4) % 16, 0);
	assert_memory_equal(b.data + vector + 4, "abc", 3);
	buf_release(&b);
}

static void impossible_nets_are_refused(void **state)
{
	static const struct mobilenet_config configs[] = {
		{0.0, 224, -1, 0}, {-1.0, 224, -1, 0}, {5.0, 224, -1, 0}, {NAN, 224, -1, 0},
		{1.0, 0, -1, 0},   {1.0, 5000, -1, 0}, {1.0, 224, 0, 0},  {1.0, 224, -2, 0},
	};
	struct mobilenet *n;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configs); i++) {
		err.text[0] = '\0';
		assert_int_equal(mobilenet_new(&n, &configs[i], &err), ERR_RANGE);
		assert_true(err.text[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_makes_same_bytes),
		cmocka_unit_test(resolution_does_not_change_weights),
		cmocka_unit_test(layers_are_the_published_ones),
		cmocka_unit_test(padding_is_what_tensorflow_calls_same),
		cmocka_unit_test(weights_are_turned_for_each_format),
		cmocka_unit_test(protobufs_decode),
		cmocka_unit_test(flatbuffers_are_laid_out_as_the_format_says),
		cmocka_unit_test(impossible_nets_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
