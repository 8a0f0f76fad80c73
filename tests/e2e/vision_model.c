/*
 * vision_model.c - a small image classifier and images for it; see the header.
 */
#include "tests/e2e/vision_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"
#include "tests/e2e/e2e.h"
#include "workloads/vision.h"

#define CHANNELS VISION_IMAGE_CHANNELS
#define PIXELS ((size_t)VISION_IMAGE_SIDE * VISION_IMAGE_SIDE)
#define CLASSES VISION_TEST_CLASSES
/* TensorFlow's DataType */
#define DT_FLOAT 1
#define DT_INT32 3

/* ---- protobuf's wire format ---- */

static void put_varint(struct buf *b, uint64_t v)
{
	char byte;

	do {
		byte = (char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		assert_int_equal(buf_append(b, &byte, 1), 0);
		v >>= 7;
	} while (v);
}

static void put_int(struct buf *b, unsigned field, int64_t v)
{
	put_varint(b, field << 3);
	put_varint(b, (uint64_t)v);
}

static void put_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	put_varint(b, field << 3 | 2);
	put_varint(b, len);
	assert_int_equal(buf_append(b, data, len), 0);
}

/* Appends the message and releases it. */
static void put_message(struct buf *b, unsigned field, struct buf *message)
{
	put_bytes(b, field, message->data, message->len);
	buf_release(message);
}

static void put_text(struct buf *b, unsigned field, const char *text)
{
	put_bytes(b, field, text, strlen(text));
}

/* ---- GraphDef ---- */

static void put_attr(struct buf *node, const char *key, struct buf *value)
{
	struct buf entry = {0};

	put_text(&entry, 1, key);
	put_message(&entry, 2, value);
	put_message(node, 5, &entry);
}

static void put_type(struct buf *node, const char *key, int type)
{
	struct buf value = {0};

	put_int(&value, 6, type);
	put_attr(node, key, &value);
}

static void put_shape(struct buf *to, unsigned field, const int64_t *dims, unsigned n)
{
	struct buf shape = {0};

	for (unsigned i = 0; i < n; i++) {
		struct buf dim = {0};

		put_int(&dim, 1, dims[i]);
		put_message(&shape, 2, &dim);
	}
	put_message(to, field, &shape);
}

static void begin_node(struct buf *node, const char *name, const char *op, const char *const *inputs)
{
	put_text(node, 1, name);
	put_text(node, 2, op);
	for (; *inputs; inputs++)
		put_text(node, 3, *inputs);
}

static void put_const(struct buf *graph, const char *name, int type, const int64_t *dims, unsigned ndims,
		      const void *data, size_t size)
{
	struct buf node = {0}, tensor = {0}, value = {0};

	begin_node(&node, name, "Const", WORDS(NULL));
	put_type(&node, "dtype", type);
	put_int(&tensor, 1, type);
	put_shape(&tensor, 2, dims, ndims);
	put_bytes(&tensor, 4, data, size);
	put_message(&value, 8, &tensor);
	put_attr(&node, "value", &value);
	put_message(graph, 1, &node);
}

static void put_op(struct buf *graph, const char *name, const char *op, const char *const *inputs)
{
	struct buf node = {0};

	begin_node(&node, name, op, inputs);
	put_type(&node, "T", DT_FLOAT);
	put_message(graph, 1, &node);
}

static float weight(unsigned channel, unsigned class)
{
	return (float)sin(channel * 10.0 + class) * 4;
}

void write_vision_model(const char *path, int batch)
{
	const int64_t image[] = {batch > 0 ? batch : -1, VISION_IMAGE_SIDE, VISION_IMAGE_SIDE, CHANNELS};
	static const int64_t two[] = {2}, weights_shape[] = {CHANNELS, CLASSES};
	static const int32_t axes[] = {1, 2};
	struct buf graph = {0}, node = {0}, value = {0};
	float weights[CHANNELS * CLASSES];

	for (unsigned i = 0; i < CHANNELS * CLASSES; i++)
		weights[i] = weight(i / CLASSES, i % CLASSES);
	begin_node(&node, VISION_TEST_INPUT, "Placeholder", WORDS(NULL));
	put_type(&node, "dtype", DT_FLOAT);
	put_shape(&value, 7, image, 4);
	put_attr(&node, "shape", &value);
	put_message(&graph, 1, &node);
	put_const(&graph, "axes", DT_INT32, two, 1, axes, sizeof(axes));
	put_const(&graph, "weights", DT_FLOAT, weights_shape, 2, weights, sizeof(weights));
	put_op(&graph, "mean", "Mean", WORDS(VISION_TEST_INPUT, "axes"));
	put_op(&graph, "product", "MatMul", WORDS("mean", "weights"));
	put_op(&graph, VISION_TEST_OUTPUT, "Softmax", WORDS("product"));
	write_file(path, graph.data, graph.len);
	buf_release(&graph);
}

/* Of eighths, so that the sum over an image is exact in any order. */
static float pixel(unsigned image, unsigned channel)
{
	return (float)((image * 5 + channel * 3 + image / 8) % 9) / 8;
}

static void classify(float ret[CLASSES], unsigned image)
{
	double p[CLASSES], sum = 0;

	for (unsigned k = 0; k < CLASSES; k++) {
		double v = 0;

		for (unsigned c = 0; c < CHANNELS; c++)
			v += (double)pixel(image, c) * (double)weight(c, k);
		sum += p[k] = exp(v);
	}
	for (unsigned k = 0; k < CLASSES; k++)
		ret[k] = (float)(p[k] / sum);
}

void write_vision_images(const char *path, const char *expected_path, unsigned n)
{
	float *images = malloc(n * VISION_ROW_SIZE), *answers = malloc(n * CLASSES * sizeof(*answers));

	assert_non_null(images);
	assert_non_null(answers);
	for (unsigned i = 0; i < n; i++) {
		for (size_t p = 0; p < PIXELS * CHANNELS; p++)
			images[i * PIXELS * CHANNELS + p] = pixel(i, (unsigned)(p % CHANNELS));
		classify(answers + (size_t)i * CLASSES, i);
	}
	write_file(path, images, n * VISION_ROW_SIZE);
	write_file(expected_path, answers, n * CLASSES * sizeof(*answers));
	free(images);
	free(answers);
}

void write_golden_images(const char *path, unsigned n)
{
	char file[512];
	float *rows = malloc(n * VISION_ROW_SIZE);
	unsigned char *bytes;
	size_t len;

	bytes = (unsigned char *)read_file(
		test_data(file, sizeof(file), "golden/mobilenet_v1/inputs_u8_12x224x224x3.raw"), &len);
	assert_int_equal(len * sizeof(float), n * VISION_ROW_SIZE);
	assert_non_null(rows);
	for (size_t i = 0; i < len; i++)
		rows[i] = ((float)bytes[i] - 128) / 128;
	write_file(path, rows, len * sizeof(float));
	free(bytes);
	free(rows);
}
