/*
 * test_http_golden.c - real models and real rows: each HTTP protocol gives the bits that the engine gives, and these
 * are the published answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/file.h"
#include "servers/model_server/json_tensor.h"
#include "tests/servers/model_server/http_fixture.h"
#include "tests/support/process.h"

#define GOLDEN_ROWS 5622
#define IMAGES 12
#define CLASSES 1001

static struct http_fixture f;
static int fd = -1; /* one connection for all rows */

static int start(void **state)
{
	char fraud[4096], mobilenet[4096], more[3 * 4096];

	(void)state;
	if (!test_data(fraud, sizeof(fraud), "models/tensorflow/creditcardfraud_noreference.pb") ||
	    !test_data(mobilenet, sizeof(mobilenet), "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb"))
		return 0;
	snprintf(more, sizeof(more), "fraud=%s,mobilenet=%s", fraud, mobilenet);
	http_fixture_start(&f, more, 0, 0);
	fd = http_connect(f.port);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	if (fd < 0)
		return 0;
	close(fd);
	http_fixture_stop(&f);
	return 0;
}

static char *read_data(const char *name, size_t *ret_len)
{
	char path[4096], *data;
	struct error err;

	assert_non_null(test_data(path, sizeof(path), name));
	if (file_read(&data, ret_len, path, (size_t)1 << 28, &err) < 0)
		fail_msg("%s", err.text);
	return data;
}

static struct model *load(const char *file, const char *input, const char *output, struct model_context **ret_context)
{
	const struct model_load_config config = {
		.format = MODEL_TENSORFLOW, .name = file, .io = {&input, 1, &output, 1}};
	struct model *m;
	struct error err;
	size_t len;
	char *blob = read_data(file, &len);

	if (model_load(&m, &config, blob, len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(ret_context, m, 1), 0);
	free(blob);
	return m;
}

static struct tensor *run(struct model_context *c, const int64_t *dims, unsigned rank, void *data, size_t size)
{
	struct tensor in, *views = &in, *out;
	struct error err;

	assert_int_equal(tensor_view(&in, DTYPE_FLOAT, dims, rank, data, size), 0);
	if (model_run(c, &views, 1, &out, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return out;
}

static const char *ask(const char *path, const char *headers, const struct buf *body)
{
	struct buf text = {0};

	http_request_text(&text, "POST", path, headers, body->data, body->len);
	assert_true(http_send(fd, text.data, text.len));
	assert_true(http_receive(fd, &f.reply));
	buf_release(&text);
	if (f.reply.status != 200)
		fail_msg("%s answered %u %s", path, f.reply.status, f.reply.body.data);
	return f.reply.body.data;
}

/* The answer by one of the protocols. */
static void ask_row(unsigned protocol, float *row, float *ret)
{
	static const char BINARY[] =
		"{\"inputs\":[{\"name\":\"transaction\",\"shape\":[1,30],\"datatype\":\"FP32\",\"parameters\":"
		"{\"binary_data_size\":120}}],\"parameters\":{\"binary_data_output\":true}}";
	struct buf body = {0};
	char header[64];

	if (protocol == 0) {
		buf_printf(&body, "{\"instances\":[");
		append_floats(&body, row, TRANSACTION);
		buf_printf(&body, "]}");
		read_floats(ask("/v1/models/fraud:predict", NULL, &body), ret, 2);
	} else if (protocol == 1) {
		buf_printf(&body, "{\"transaction\":");
		append_floats(&body, row, TRANSACTION);
		buf_printf(&body, "}");
		read_floats(ask("/predictions/fraud", NULL, &body), ret, 2);
	} else if (protocol == 2) {
		buf_printf(&body, "%s", BINARY);
		buf_append(&body, row, TRANSACTION * sizeof(*row));
		snprintf(header, sizeof(header), "Inference-Header-Content-Length: %zu\r\n", sizeof(BINARY) - 1);
		ask("/v2/models/fraud/infer", header, &body);
		memcpy(ret, f.reply.body.data + f.reply.body.len - 8, 8);
	} else {
		buf_append(&body, row, TRANSACTION * sizeof(*row));
		read_floats(ask("/predictions/fraud/1", "Content-Type: application/octet-stream\r\n", &body), ret, 2);
	}
	buf_release(&body);
}

/* 30 numbers and a class of Kaggle's file. */
static void parse_row(char **at, float *ret)
{
	for (int i = 0; i < TRANSACTION; i++) {
		ret[i] = strtof(*at, at);
		(*at)++;
	}
	*at = strchr(*at, '\n') + 1;
}

static void real_transactions_are_answered_as_published(void **state)
{
	static const int64_t dims[] = {1, TRANSACTION};
	struct model_context *context;
	char *csv, *golden, *csv_at, *golden_at;
	struct model *model;
	size_t len;

	(void)state;
	if (fd < 0)
		skip();
	model = load("models/tensorflow/creditcardfraud_noreference.pb", "transaction", "out", &context);
	csv = read_data("creditcard/creditcard_sample.csv", &len);
	golden = read_data("golden/creditcardfraud_noreference_expected.csv", &len);
	csv_at = strchr(csv, '\n') + 1;
	golden_at = strchr(golden, '\n') + 1;
	for (unsigned n = 0; n < GOLDEN_ROWS; n++) {
		float row[TRANSACTION], got[2];
		struct tensor *want;

		parse_row(&csv_at, row);
		want = run(context, dims, 2, row, sizeof(row));
		ask_row(n % 4, row, got);
		assert_memory_equal(got, want->data, sizeof(got));
		for (int i = 0; i < 2; i++) {
			double published = strtod(golden_at, &golden_at);

			golden_at += strspn(golden_at, ",\r\n");
			if (fabs((double)got[i] - published) > 1e-5 * published + 1e-7)
				fail_msg("row %u: %.9g, published is %.9g", n, (double)got[i], published);
		}
		tensor_unref(want);
	}
	free(csv);
	free(golden);
	model_context_free(context);
	model_free(model);
}

static void ask_image(unsigned protocol, const float *image, float *ret)
{
	static const char BINARY[] =
		"{\"inputs\":[{\"name\":\"input\",\"shape\":[1,224,224,3],\"datatype\":\"FP32\",\"parameters\":"
		"{\"binary_data_size\":602112}}],\"parameters\":{\"binary_data_output\":true}}";
	struct buf body = {0};
	struct tensor view;
	char header[64];

	if (protocol == 0) {
		buf_printf(&body, "{\"instances\":[");
		assert_int_equal(
			tensor_view(&view, DTYPE_FLOAT, (int64_t[]){224, 224, 3}, 3, (float *)image, 4 * IMAGE), 0);
		json_write_tensor(&body, &view);
		buf_printf(&body, "]}");
		read_floats(ask("/v1/models/mobilenet:predict", NULL, &body), ret, CLASSES);
	} else if (protocol == 1) {
		buf_append(&body, image, IMAGE * sizeof(*image));
		read_floats(ask("/predictions/mobilenet", "Content-Type: application/octet-stream\r\n", &body), ret,
			    CLASSES);
	} else {
		buf_printf(&body, "%s", BINARY);
		buf_append(&body, image, IMAGE * sizeof(*image));
		snprintf(header, sizeof(header), "Inference-Header-Content-Length: %zu\r\n", sizeof(BINARY) - 1);
		ask("/v2/models/mobilenet/infer", header, &body);
		memcpy(ret, f.reply.body.data + f.reply.body.len - CLASSES * sizeof(*ret), CLASSES * sizeof(*ret));
	}
	buf_release(&body);
}

static size_t largest(const float *values)
{
	size_t best = 0;

	for (size_t i = 1; i < CLASSES; i++) {
		if (values[i] > values[best])
			best = i;
	}
	return best;
}

static void real_photos_are_classified_as_published(void **state)
{
	static const int64_t dims[] = {1, 224, 224, 3};
	struct model_context *context;
	unsigned char *pixels;
	float *image, *published, got[CLASSES];
	struct model *model;
	size_t len;

	(void)state;
	if (fd < 0)
		skip();
	model = load("models/tensorflow/mobilenet_v1_1.0_224_frozen.pb", "input", "MobilenetV1/Predictions/Reshape_1",
		     &context);
	pixels = (unsigned char *)read_data("golden/mobilenet_v1/inputs_u8_12x224x224x3.raw", &len);
	assert_int_equal(len, IMAGES * IMAGE);
	published = (float *)(void *)read_data("golden/mobilenet_v1/expected_f32_12x1001.raw", &len);
	assert_int_equal(len, IMAGES * CLASSES * sizeof(float));
	image = malloc(IMAGE * sizeof(*image));
	assert_non_null(image);
	for (unsigned n = 0; n < IMAGES; n++) {
		struct tensor *want;

		for (size_t i = 0; i < IMAGE; i++)
			image[i] = ((float)pixels[n * IMAGE + i] - 128.0f) / 128.0f;
		want = run(context, dims, 4, image, IMAGE * sizeof(*image));
		ask_image(n % 3, image, got);
		assert_memory_equal(got, want->data, sizeof(got));
		assert_int_equal(largest(got), largest(published + (size_t)n * CLASSES));
		tensor_unref(want);
	}
	free(image);
	free(pixels);
	free(published);
	model_context_free(context);
	model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_transactions_are_answered_as_published),
		cmocka_unit_test(real_photos_are_classified_as_published),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
