/*
 * Real ONNX models with known answers; skipped where the test data is absent.
 */
#include "tests/engine/operator_check.h"

#include <stdlib.h>

#include "common/arith.h"
#include "common/file.h"
#include "tests/support/process.h"

#define PHOTOS 12
#define PIXELS ((size_t)224 * 224 * 3)
#define CLASSES 1001

static char *read_data(const char *file, size_t *ret_len)
{
	char path[4096], *blob;
	struct error err;

	if (test_data(path, sizeof(path), file) == NULL)
		skip();
	if (file_read(&blob, ret_len, path, (size_t)1 << 27, &err) < 0)
		fail_msg("%s", err.text);
	return blob;
}

static struct model *load(const char *file, enum model_format format, const struct model_io *io)
{
	const struct model_load_config cfg = {.format = format, .name = file, .io = *io};
	struct model *m;
	struct error err;
	size_t len;
	char *blob = read_data(file, &len);

	if (model_load(&m, &cfg, blob, len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	free(blob);
	return m;
}

static struct model *load_onnx(const char *file)
{
	return load(file, MODEL_ONNX, &(struct model_io){0});
}

static void run(struct model *m, struct tensor *const *in, struct tensor **out)
{
	struct model_context *c;
	struct error err;

	assert_int_equal(model_context_new(&c, m, 1), 0);
	if (model_run(c, in, model_ninputs(m), out, model_noutputs(m), NULL, &err) < 0)
		fail_msg("%s", err.text);
	model_context_free(c);
}

static struct tensor *run_floats(struct model *m, const int64_t *dims, unsigned rank, const float *values)
{
	struct tensor *x, *y;

	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, dims, rank, false, NULL), 0);
	memcpy(x->data, values, x->size);
	run(m, &x, &y);
	tensor_unref(x);
	return y;
}

/* n photos from the first'th, each pixel as the net wants it. */
static struct tensor *photos(const char *all, size_t first, size_t n)
{
	const int64_t dims[] = {(int64_t)n, 224, 224, 3};
	struct tensor *x;

	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, dims, 4, false, NULL), 0);
	for (size_t i = 0; i < n * PIXELS; i++)
		((float *)x->data)[i] = ((float)(unsigned char)all[first * PIXELS + i] - 128.0f) / 128.0f;
	return x;
}

static double largest_difference(const float *a, const float *b, size_t n)
{
	double largest = 0.0;

	for (size_t i = 0; i < n; i++) {
		double difference = fabs((double)a[i] - (double)b[i]);
		largest = difference > largest ? difference : largest;
	}
	return largest;
}

/* The place'th best class, counted from 0. */
static size_t ranked(const float *p, size_t place)
{
	for (size_t i = 0; i < CLASSES; i++) {
		size_t better = 0;
		for (size_t k = 0; k < CLASSES; k++)
			better += p[k] > p[i] || (p[k] >= p[i] && k < i);
		if (better == place)
			return i;
	}
	return CLASSES;
}

static void mobilenet_gives_the_golden_answers_as_both_formats(void **state)
{
	static const char *const in[] = {"input"}, *const out[] = {"MobilenetV1/Predictions/Reshape_1"};
	size_t len, expected_len;
	char *all = read_data("golden/mobilenet_v1/inputs_u8_12x224x224x3.raw", &len);
	char *expected = read_data("golden/mobilenet_v1/expected_f32_12x1001.raw", &expected_len);
	struct model *onnx = load_onnx("models/onnx/mobilenet_v1_1.0_224.onnx");
	struct model *tensorflow = load("models/tensorflow/mobilenet_v1_1.0_224_frozen.pb", MODEL_TENSORFLOW,
					&(struct model_io){in, 1, out, 1});
	struct tensor *batch, *together;

	(void)state;
	assert_int_equal(len, PHOTOS * PIXELS);
	assert_int_equal(expected_len, PHOTOS * CLASSES * sizeof(float));
	assert_string_equal(model_input(onnx, 0)->name, "input");
	assert_int_equal(model_input(onnx, 0)->dims[0], -1);
	assert_string_equal(model_output(onnx, 0)->name, out[0]);
	batch = photos(all, 0, PHOTOS);
	run(onnx, &batch, &together);
	for (size_t i = 0; i < PHOTOS; i++) {
		const float *want = (const float *)(void *)expected + i * CLASSES;
		struct tensor *x = photos(all, i, 1), *y, *z;
		run(onnx, &x, &y);
		run(tensorflow, &x, &z);
		assert_true(largest_difference(y->data, want, CLASSES) <= 1e-4);
		assert_true(largest_difference(y->data, z->data, CLASSES) <= 1e-5);
		assert_true(largest_difference(y->data, (float *)together->data + i * CLASSES, CLASSES) <= 1e-5);
		for (size_t place = 0; place < 5; place++)
			assert_int_equal(ranked(y->data, place), ranked(want, place));
		tensor_unref(x);
		tensor_unref(y);
		tensor_unref(z);
	}
	tensor_unref(batch);
	tensor_unref(together);
	model_free(onnx);
	model_free(tensorflow);
	free(all);
	free(expected);
}

static void mnist_net_sees_a_one(void **state)
{
	struct model *m = load_onnx("models/onnx/mnist.onnx");
	size_t len, best = 0;
	char *digit = read_data("golden/mnist_one.raw", &len);
	struct tensor *y;

	(void)state;
	assert_int_equal(len, 28 * 28 * sizeof(float));
	assert_int_equal(model_ninputs(m), 1);
	assert_string_equal(model_input(m, 0)->name, "Input3");
	assert_string_equal(model_output(m, 0)->name, "Plus214_Output_0");
	y = run_floats(m, (const int64_t[]){1, 1, 28, 28}, 4, (const float *)(void *)digit);
	assert_int_equal(y->count, 10);
	for (size_t i = 1; i < 10; i++)
		best = ((float *)y->data)[i] > ((float *)y->data)[best] ? i : best;
	assert_int_equal(best, 1);
	tensor_unref(y);
	model_free(m);
	free(digit);
}

/* The formula of the model's own four coefficients. */
static void linear_iris_is_its_formula(void **state)
{
	static const double coefficients[] = {-0.0952115878, -0.0382680558, 0.227940306, 0.602324};
	const float x[] = {5.1f, 3.5f, 1.4f, 0.2f};
	struct model *m = load_onnx("models/onnx/linear_iris.onnx");
	struct tensor *y = run_floats(m, (const int64_t[]){1, 4}, 2, x);
	double want = 0.0894120336;

	(void)state;
	for (size_t i = 0; i < 4; i++)
		want += coefficients[i] * (double)x[i];
	assert_int_equal(y->count, 1);
	assert_true(fabs((double)*(float *)y->data - want) < 1e-6);
	tensor_unref(y);
	model_free(m);
}

static void findsquare_squares(void **state)
{
	const float x = 5.0f;
	struct model *m = load_onnx("models/onnx/findsquare.onnx");
	struct tensor *y = run_floats(m, (const int64_t[]){1}, 1, &x);

	(void)state;
	assert_true(*(float *)y->data >= 25.0f && *(float *)y->data <= 25.0f);
	tensor_unref(y);
	model_free(m);
}

/* A TensorProto of 1000 floats: their bytes are the one field of 4000. */
static const char *expected_output(const char *file, char **ret_blob)
{
	size_t len;
	char *blob = read_data(file, &len);

	for (size_t i = 0; i + 4003 <= len; i++) {
		if (memcmp(blob + i, "\x4a\xa0\x1f", 3) == 0) {
			*ret_blob = blob;
			return blob + i + 3;
		}
	}
	fail_msg("%s has no raw data", file);
	return NULL;
}

static void check_light(const char *model, const char *output)
{
	const int64_t dims[] = {1, 3, 224, 224};
	struct model *m = load_onnx(model);
	float *x = calloc(PIXELS, sizeof(*x)), want[1000];
	struct tensor *y;
	char *blob = NULL;

	assert_non_null(x);
	for (size_t i = 0; i < PIXELS; i++)
		x[i] = (float)((double)i / (double)PIXELS);
	memcpy(want, expected_output(output, &blob), sizeof(want));
	free(blob);
	y = run_floats(m, dims, 4, x);
	assert_int_equal(y->count, 1000);
	assert_true(largest_difference(y->data, want, 1000) < 1e-5);
	tensor_unref(y);
	model_free(m);
	free(x);
}

static void resnet50_runs_as_expected(void **state)
{
	(void)state;
	check_light("models/onnx/light_resnet50.onnx", "models/onnx/light_resnet50_output_0.pb");
}

static void squeezenet_runs_as_expected(void **state)
{
	(void)state;
	check_light("models/onnx/light_squeezenet.onnx", "models/onnx/light_squeezenet_output_0.pb");
}

static void check_simple(const char *file, enum dtype t)
{
	const int64_t dims[] = {2, 16};
	struct model *m = load_onnx(file);
	struct tensor *in[2], *out[2];

	assert_int_equal(model_ninputs(m), 2);
	assert_int_equal(model_noutputs(m), 2);
	assert_int_equal(model_input(m, 0)->rank, 2);
	assert_int_equal(model_input(m, 0)->dims[0], -1);
	assert_int_equal(model_output(m, 1)->dtype, t);
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(tensor_new(&in[k], t, dims, 2, true, NULL), 0);
		for (size_t i = 0; i < 32; i++)
			store_element(in[k]->data, t, i, k == 0 ? (double)i : 3.0);
	}
	run(m, in, out);
	for (size_t i = 0; i < 32; i++) {
		assert_int_equal((int)load_element(out[0]->data, t, i), (int)i + 3);
		assert_int_equal((int)load_element(out[1]->data, t, i), (int)i - 3);
	}
	for (size_t k = 0; k < 2; k++) {
		tensor_unref(in[k]);
		tensor_unref(out[k]);
	}
	model_free(m);
}

static void simple_models_add_and_subtract(void **state)
{
	(void)state;
	check_simple("models/triton/simple/1/model.onnx", DTYPE_INT32);
	check_simple("models/triton/simple_int8/1/model.onnx", DTYPE_INT8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mobilenet_gives_the_golden_answers_as_both_formats),
		cmocka_unit_test(mnist_net_sees_a_one),
		cmocka_unit_test(linear_iris_is_its_formula),
		cmocka_unit_test(findsquare_squares),
		cmocka_unit_test(resnet50_runs_as_expected),
		cmocka_unit_test(squeezenet_runs_as_expected),
		cmocka_unit_test(simple_models_add_and_subtract),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
