/*
 * The generated MobileNet V1 as the engine reads it: three formats, one answer, and one that depends on the picture.
 */
#include "tests/engine/operator_check.h"

#include <stdlib.h>

#include "common/file.h"
#include "datagen/mobilenet.h"
#include "tests/support/process.h"

#define PICTURES 4

struct files {
	unsigned char *bytes[3]; /* by enum model_format */
	size_t len[3];
};

static void write_files(struct files *f, double width, unsigned resolution, int64_t batch, uint64_t seed)
{
	const struct mobilenet_config cfg = {width, resolution, batch, seed};
	struct mobilenet *net;
	struct error err;

	if (mobilenet_new(&net, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(mobilenet_write_tensorflow(&f->bytes[MODEL_TENSORFLOW], &f->len[MODEL_TENSORFLOW], net, &err),
			 0);
	assert_int_equal(mobilenet_write_tflite(&f->bytes[MODEL_TFLITE], &f->len[MODEL_TFLITE], net, &err), 0);
	assert_int_equal(mobilenet_write_onnx(&f->bytes[MODEL_ONNX], &f->len[MODEL_ONNX], net, &err), 0);
	mobilenet_free(net);
}

static void free_files(struct files *f)
{
	for (int i = 0; i < 3; i++)
		free(f->bytes[i]);
}

static struct model *load(const struct files *f, enum model_format format, const char *const *out, size_t nout)
{
	static const char *const in[] = {MOBILENET_INPUT};
	const struct model_load_config cfg = {.format = format, .name = "mobilenet", .io = {in, 1, out, nout}};
	struct model *m;
	struct error err;

	if (model_load(&m, &cfg, f->bytes[format], f->len[format], NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return m;
}

/* Shades of two colours with a little noise: nothing that the weights were measured on. */
static struct tensor *pictures(unsigned n, unsigned size, uint64_t seed)
{
	const int64_t dims[] = {n, size, size, 3};
	struct tensor *x;
	struct rng rng;

	rng_init(&rng, seed);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, dims, 4, false, NULL), 0);
	for (unsigned p = 0; p < n; p++) {
		float a[3], b[3], tilt = rng_float(&rng), period = 4.0f + 40.0f * rng_float(&rng);
		rng_floats(&rng, a, 3);
		rng_floats(&rng, b, 3);
		for (size_t i = 0; i < (size_t)size * size; i++) {
			float along = (float)(i / size) * tilt + (float)(i % size) * (1.0f - tilt);
			float mix = 0.5f + 0.5f * sinf(along / period);
			for (size_t k = 0; k < 3; k++)
				((float *)x->data)[(p * (size_t)size * size + i) * 3 + k] =
					0.9f * (a[k] * mix + b[k] * (1.0f - mix)) + 0.1f * rng_float(&rng);
		}
	}
	return x;
}

static void run(struct model *m, struct tensor *x, struct tensor **out, size_t nout)
{
	struct model_context *c;
	struct error err;

	assert_int_equal(model_context_new(&c, m, 0), 0);
	if (model_run(c, &x, 1, out, nout, NULL, &err) < 0)
		fail_msg("%s", err.text);
	model_context_free(c);
}

static struct tensor *classify(const struct files *f, enum model_format format, struct tensor *x)
{
	static const char *const out[] = {MOBILENET_OUTPUT};
	struct model *m = load(f, format, out, 1);
	struct tensor *y;

	assert_int_equal(model_output(m, 0)->rank == -1 || model_output(m, 0)->dims[1] == MOBILENET_CLASSES, true);
	run(m, x, &y, 1);
	model_free(m);
	return y;
}

static double distance(const float *a, const float *b)
{
	double sum = 0.0;

	for (size_t i = 0; i < MOBILENET_CLASSES; i++)
		sum += fabs((double)a[i] - (double)b[i]);
	return sum;
}

static void assert_same(const struct tensor *a, const struct tensor *b)
{
	assert_int_equal(a->rank, 2);
	assert_int_equal(b->rank, 2);
	assert_int_equal(a->count, b->count);
	for (size_t i = 0; i < a->count; i++)
		assert_true(fabsf(((float *)a->data)[i] - ((float *)b->data)[i]) <= 1e-5f);
}

/* A distribution over many classes, no class of which is certain. */
static void assert_undecided(const float *p)
{
	double sum = 0.0, entropy = 0.0, most = 0.0;

	for (size_t i = 0; i < MOBILENET_CLASSES; i++) {
		sum += (double)p[i];
		entropy -= p[i] > 0.0f ? (double)p[i] * log((double)p[i]) : 0.0;
		most = fmax(most, (double)p[i]);
	}
	assert_true(fabs(sum - 1.0) < 1e-4);
	assert_true(most > 2.0 / MOBILENET_CLASSES);
	assert_true(most < 0.9);
	assert_true(entropy > 1.0);
	assert_true(entropy < 0.99 * log(MOBILENET_CLASSES));
}

static void check_net(double width, unsigned resolution, int64_t batch, uint64_t seed)
{
	const unsigned n = batch > 0 ? (unsigned)batch : PICTURES;
	struct tensor *x = pictures(n, resolution, seed + 100), *y[3];
	struct files f;

	write_files(&f, width, resolution, batch, seed);
	for (int i = 0; i < 3; i++)
		y[i] = classify(&f, (enum model_format)i, x);
	assert_same(y[MODEL_TENSORFLOW], y[MODEL_TFLITE]);
	assert_same(y[MODEL_TENSORFLOW], y[MODEL_ONNX]);
	for (size_t i = 0; i < n; i++) {
		const float *p = (const float *)y[0]->data + i * MOBILENET_CLASSES;
		assert_undecided(p);
		/* 2 would be two answers without a class in common. */
		for (size_t k = 0; k < i; k++)
			assert_true(distance(p, (const float *)y[0]->data + k * MOBILENET_CLASSES) > 0.2);
	}
	for (int i = 0; i < 3; i++)
		tensor_unref(y[i]);
	tensor_unref(x);
	free_files(&f);
}

static void formats_agree_and_answers_differ(void **state)
{
	(void)state;
	check_net(1.0, 224, -1, 0);
}

static void any_width_resolution_and_batch_works(void **state)
{
	(void)state;
	check_net(0.25, 128, -1, 1);
	check_net(0.5, 97, 2, 2);
	check_net(0.1, 160, 1, 3);
	check_net(1.5, 64, -1, 4);
}

/* Real ones, from 0 to 1 as the benchmark sends them. */
static void photos_are_told_apart(void **state)
{
	const int64_t dims[] = {12, 224, 224, 3};
	char path[4096], *pixels;
	struct tensor *x, *y;
	struct files f;
	struct error err;
	size_t len;

	(void)state;
	if (test_data(path, sizeof(path), "golden/mobilenet_v1/inputs_u8_12x224x224x3.raw") == NULL)
		skip();
	assert_int_equal(file_read(&pixels, &len, path, (size_t)1 << 24, &err), 0);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, dims, 4, false, NULL), 0);
	assert_int_equal(len, x->count);
	for (size_t i = 0; i < len; i++)
		((float *)x->data)[i] = (float)(unsigned char)pixels[i] / 255.0f;
	write_files(&f, 1.0, 224, -1, 6);
	y = classify(&f, MODEL_TFLITE, x);
	for (size_t i = 0; i < 12; i++) {
		const float *p = (const float *)y->data + i * MOBILENET_CLASSES;
		assert_undecided(p);
		for (size_t k = 0; k < i; k++)
			assert_true(distance(p, (const float *)y->data + k * MOBILENET_CLASSES) > 0.2);
	}
	tensor_unref(x);
	tensor_unref(y);
	free_files(&f);
	free(pixels);
}

/* The file says what is fixed. */
static void batch_is_declared(void **state)
{
	static const char *const out[] = {MOBILENET_OUTPUT};

	(void)state;
	for (int64_t batch = -1; batch <= 3; batch += 4) {
		struct files f;
		write_files(&f, 0.1, 32, batch, 0);
		for (int i = 0; i < 3; i++) {
			struct model *m = load(&f, (enum model_format)i, out, 1);
			assert_int_equal(model_input(m, 0)->rank, 4);
			assert_int_equal(model_input(m, 0)->dims[0], batch);
			assert_int_equal(model_input(m, 0)->dims[1], 32);
			assert_int_equal(model_input(m, 0)->dims[3], 3);
			model_free(m);
		}
		free_files(&f);
	}
}

/* Layer by layer: neither zero nor stuck at 6, and most channels are alive. */
static void activations_neither_vanish_nor_overflow(void **state)
{
	struct tensor *x = pictures(2, 224, 7), *y[MOBILENET_LAYERS - 1];
	char names[MOBILENET_LAYERS - 1][MOBILENET_NAME_MAX + 8];
	const char *out[MOBILENET_LAYERS - 1];
	struct files f;

	(void)state;
	snprintf(names[0], sizeof(names[0]), "MobilenetV1/MobilenetV1/Conv2d_0/Relu6");
	for (int i = 1; i < MOBILENET_LAYERS - 1; i++)
		snprintf(names[i], sizeof(names[i]), "MobilenetV1/MobilenetV1/Conv2d_%d_%s/Relu6", (i + 1) / 2,
			 i % 2 == 1 ? "depthwise" : "pointwise");
	for (int i = 0; i < MOBILENET_LAYERS - 1; i++)
		out[i] = names[i];
	write_files(&f, 1.0, 224, -1, 5);
	struct model *m = load(&f, MODEL_TENSORFLOW, out, MOBILENET_LAYERS - 1);
	run(m, x, y, MOBILENET_LAYERS - 1);
	for (int i = 0; i < MOBILENET_LAYERS - 1; i++) {
		const size_t channels = (size_t)y[i]->dims[3];
		size_t on = 0, full = 0, alive = 0;
		char *seen = calloc(channels, 1);
		assert_non_null(seen);
		for (size_t k = 0; k < y[i]->count; k++) {
			float v = ((float *)y[i]->data)[k];
			on += v > 0.0f;
			full += v >= 6.0f;
			seen[k % channels] |= v > 0.0f;
		}
		for (size_t k = 0; k < channels; k++)
			alive += seen[k] != 0;
		assert_true((double)on / (double)y[i]->count > 0.25);
		assert_true((double)full / (double)y[i]->count < 0.1);
		assert_true((double)alive / (double)channels > 0.9);
		free(seen);
		tensor_unref(y[i]);
	}
	model_free(m);
	tensor_unref(x);
	free_files(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_agree_and_answers_differ),
		cmocka_unit_test(any_width_resolution_and_batch_works),
		cmocka_unit_test(photos_are_told_apart),
		cmocka_unit_test(batch_is_declared),
		cmocka_unit_test(activations_neither_vanish_nor_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
