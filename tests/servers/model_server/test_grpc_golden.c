/*
 * test_grpc_golden.c - real models over gRPC: the bits that the engine gives for the same tensors.
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

#include "common/arith.h"
#include "common/file.h"
#include "proto/inference.pb-c.h"
#include "tests/servers/model_server/grpc_fixture.h"
#include "tests/support/process.h"

#define ROWS 2000 /* of Kaggle's file, four to a request */
#define INT32 3
#define INT8 6

static struct grpc_fixture f;
static bool started;

static int start(void **state)
{
	static const char *const files[][2] = {
		{"fraud", "models/tensorflow/creditcardfraud_noreference.pb"},
		{"saved", "models/savedmodel/noreference"},
		{"withReference", "models/tensorflow/creditcardfraud.pb"},
		{"half_plus_two", "models/savedmodel/saved_model_half_plus_two_cpu"},
		{"simple", "models/triton/simple"},
		{"simple_int8", "models/triton/simple_int8"},
		{"mobilenet", "models/tensorflow/mobilenet_v1_1.0_224_frozen.pb"},
	};
	struct buf more = {0};
	char path[4096];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		if (!test_data(path, sizeof(path), files[i][1]))
			goto out;
		buf_printf(&more, "%s%s=%s", i ? "," : "", files[i][0], path);
	}
	grpc_fixture_start(&f, more.data, 1);
	started = true;
out:
	buf_release(&more);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	if (started)
		grpc_fixture_stop(&f);
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

/* What the engine alone gives for the message's inputs. */
static struct tensor *run(const struct message *m, enum dtype dtype)
{
	struct tensor views[MESSAGE_INPUTS_MAX], *in[MESSAGE_INPUTS_MAX], *out[2] = {NULL};
	struct served_model *served;
	struct model_context *context;
	struct error err;

	assert_int_equal(
		repository_acquire(&served, f.models.repository, m->model, strlen(m->model), 0, DIALECT_TRITON, &err),
		0);
	for (size_t i = 0; i < m->ninputs; i++) {
		const struct message_input *given = &m->inputs[i];

		in[i] = &views[i];
		assert_int_equal(tensor_view(&views[i], dtype, given->shape, (unsigned)given->rank,
					     (void *)(uintptr_t)given->data, given->size),
				 0);
	}
	assert_int_equal(model_context_new(&context, served->model, 1), 0);
	if (model_run(context, in, m->ninputs, out, served->noutputs, &allocator_libc, &err) < 0)
		fail_msg("%s", err.text);
	model_context_free(context);
	served_model_unref(served);
	tensor_unref(out[1]);
	return out[0];
}

static void read_row(char **at, float *ret)
{
	for (int i = 0; i < TRANSACTION; i++) {
		ret[i] = strtof(*at, at);
		(*at)++;
	}
	*at = strchr(*at, '\n') + 1;
}

/* The published numbers have seven digits. */
static void compare_published(char **at, const float *got)
{
	for (int i = 0; i < 2; i++) {
		double published = strtod(*at, at);

		*at += strspn(*at, ",\r\n");
		assert_true(fabs(published - (double)got[i]) < 2e-6);
	}
}

static void real_transactions_are_answered_as_published(void **state)
{
	char *csv, *golden, *csv_at, *golden_at;
	size_t len;

	(void)state;
	if (!started)
		skip();
	csv = read_data("creditcard/creditcard_sample.csv", &len);
	golden = read_data("golden/creditcardfraud_noreference_expected.csv", &len);
	csv_at = strchr(csv, '\n') + 1;
	golden_at = strchr(golden, '\n') + 1;
	for (int row = 0; row < ROWS; row += 4) {
		struct message m = fraud_message(&f, "fraud", 4);
		struct tensor *want;

		for (int i = 0; i < 4; i++)
			read_row(&csv_at, f.transaction + (size_t)i * TRANSACTION);
		want = run(&m, DTYPE_FLOAT);
		ask_predict(&f, &m);
		expect_prediction(&f, "out", want);
		ask_infer(&f, &m);
		expect_inference(&f, "out", want);
		for (int i = 0; i < 4; i++)
			compare_published(&golden_at, (const float *)want->data + 2 * i);
		tensor_unref(want);
	}
	free(csv);
	free(golden);
}

/* Its dropout is random: shape and sum only. The reference data that no node takes comes in either rank. */
static void the_net_that_declares_reference_data_takes_it(void **state)
{
	static const int64_t vector[] = {REFERENCE}, row[] = {1, REFERENCE};
	Inference__ModelInferResponse *p;
	float out[2];

	(void)state;
	if (!started)
		skip();
	for (int i = 0; i < 2; i++) {
		struct message m = fraud_message(&f, "withReference", 1);

		m.ninputs = 2;
		m.inputs[1] = (struct message_input){
			"reference", 1, "FP32", i ? row : vector, i ? 2 : 1, f.reference, sizeof(f.reference)};
		ask_predict(&f, &m);
		expect_status(&f, OK, "");
		ask_infer(&f, &m);
		expect_status(&f, OK, "");
		p = inference__model_infer_response__unpack(NULL, f.reply.len, f.reply.data);
		assert_non_null(p);
		assert_int_equal(p->raw_output_contents[0].len, sizeof(out));
		memcpy(out, p->raw_output_contents[0].data, sizeof(out));
		assert_true(fabsf(out[0] + out[1] - 1) < 1e-5f);
		inference__model_infer_response__free_unpacked(p, NULL);
	}
}

static void saved_models_answer_by_their_signature(void **state)
{
	static const int64_t dims[] = {3};
	static const float x[] = {1, 2, 5}, y[] = {2.5, 3, 4.5};
	struct message m = {.model = "half_plus_two", .ninputs = 1, .output = "y"};
	struct tensor want;

	(void)state;
	if (!started)
		skip();
	m.inputs[0] = (struct message_input){"x", 1, "FP32", dims, 1, x, sizeof(x)};
	assert_int_equal(tensor_view(&want, DTYPE_FLOAT, dims, 1, (void *)(uintptr_t)y, sizeof(y)), 0);
	ask_predict(&f, &m);
	expect_prediction(&f, "y", &want);
	ask_infer(&f, &m);
	expect_inference(&f, "y", &want);
}

static void ask_simple(const char *model, int dt, const char *datatype, const void *a, const void *b, size_t size,
		       int64_t rows, bool typed)
{
	const int64_t dims[] = {rows, 16};
	struct message m = {.model = model, .ninputs = 2, .typed = typed, .output = "OUTPUT0"};

	m.inputs[0] = (struct message_input){"INPUT0", dt, datatype, dims, 2, a, size};
	m.inputs[1] = (struct message_input){"INPUT1", dt, datatype, dims, 2, b, size};
	ask_infer(&f, &m);
}

static void expect_raw(const void *want, size_t size, const char *datatype)
{
	Inference__ModelInferResponse *p = inference__model_infer_response__unpack(NULL, f.reply.len, f.reply.data);

	expect_status(&f, OK, "");
	assert_non_null(p);
	assert_int_equal(p->n_outputs, 1);
	assert_string_equal(p->outputs[0]->name, "OUTPUT0");
	assert_string_equal(p->outputs[0]->datatype, datatype);
	assert_int_equal(p->raw_output_contents[0].len, size);
	assert_memory_equal(p->raw_output_contents[0].data, want, size);
	inference__model_infer_response__free_unpacked(p, NULL);
}

static void tritons_examples_add(void **state)
{
	int32_t a[16], b[16], sum[16];
	int8_t a8[16], b8[16], sum8[16];

	(void)state;
	if (!started)
		skip();
	for (int i = 0; i < 16; i++) {
		a[i] = 1000 * i - 7;
		b[i] = i * i;
		sum[i] = a[i] + b[i];
		a8[i] = (int8_t)(i - 8);
		b8[i] = (int8_t)(-3 * i);
		sum8[i] = (int8_t)(a8[i] + b8[i]);
	}
	ask_simple("simple", INT32, "INT32", a, b, sizeof(a), 1, false);
	expect_raw(sum, sizeof(sum), "INT32");
	ask_simple("simple", INT32, "INT32", a, b, sizeof(a), 1, true);
	expect_raw(sum, sizeof(sum), "INT32");
	ask_simple("simple_int8", INT8, "INT8", a8, b8, sizeof(a8), 1, false);
	expect_raw(sum8, sizeof(sum8), "INT8");
	ask_simple("simple", INT32, "INT32", a, b, sizeof(a), 9, false);
	expect_status(&f, INVALID_ARGUMENT, "inference request batch-size must be <= 8 for 'simple'");
}

static void photos_are_answered_as_by_the_engine(void **state)
{
	static const int64_t dims[] = {2, 224, 224, 3};
	struct message m = {.model = "mobilenet", .ninputs = 1};
	unsigned char *pixels;
	struct tensor *want;
	float *images;
	size_t len;

	(void)state;
	if (!started)
		skip();
	pixels = (unsigned char *)read_data("golden/mobilenet_v1/inputs_u8_12x224x224x3.raw", &len);
	images = malloc(2 * IMAGE * sizeof(float));
	assert_non_null(images);
	for (size_t i = 0; i < 2 * IMAGE; i++)
		images[i] = (float)pixels[i] / 127.5f - 1;
	m.inputs[0] = (struct message_input){"input", 1, "FP32", dims, 4, images, 2 * IMAGE * sizeof(float)};
	want = run(&m, DTYPE_FLOAT);
	ask_predict(&f, &m);
	expect_prediction(&f, "MobilenetV1/Predictions/Reshape_1", want);
	ask_infer(&f, &m);
	expect_inference(&f, "MobilenetV1/Predictions/Reshape_1", want);
	tensor_unref(want);
	free(images);
	free(pixels);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(real_transactions_are_answered_as_published),
		cmocka_unit_test(the_net_that_declares_reference_data_takes_it),
		cmocka_unit_test(saved_models_answer_by_their_signature),
		cmocka_unit_test(tritons_examples_add),
		cmocka_unit_test(photos_are_answered_as_by_the_engine),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
