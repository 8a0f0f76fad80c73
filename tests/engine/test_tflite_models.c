/*
 * Whole TFLite models against plain loops that read the same file.
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

#include "common/rng.h"
#include "engine/model.h"
#include "tests/engine/tflite_reference.h"

struct loaded {
	void *blob;
	size_t len;
	struct model *m;
	struct model_context *c;
};

static void load(struct loaded *l, const char *name)
{
	const char *folder = getenv("AIBENCH_TEST_DATA");
	const struct model_load_config cfg = {.format = MODEL_TFLITE, .name = name};
	struct error err = {{0}};
	char path[512];

	snprintf(path, sizeof(path), "%s/models/%s", folder != NULL ? folder : "../shared/data", name);
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		skip();
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	l->len = (size_t)ftell(f);
	rewind(f);
	l->blob = malloc(l->len);
	assert_non_null(l->blob);
	assert_int_equal(fread(l->blob, 1, l->len, f), l->len);
	fclose(f);
	if (model_load(&l->m, &cfg, l->blob, l->len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(&l->c, l->m, 1), 0);
}

static void unload(struct loaded *l)
{
	model_context_free(l->c);
	model_free(l->m);
	free(l->blob);
}

static struct tensor *new_input(const struct loaded *l, int64_t batch)
{
	const struct model_tensor_info *info = model_input(l->m, 0);
	int64_t dims[TENSOR_MAX_RANK];
	struct tensor *t;

	memcpy(dims, info->dims, sizeof(dims));
	dims[0] = batch;
	assert_int_equal(tensor_new(&t, info->dtype, dims, (unsigned)info->rank, true, NULL), 0);
	return t;
}

static struct tensor *run(const struct loaded *l, struct tensor *in)
{
	struct error err = {{0}};
	struct tensor *out;

	if (model_run(l->c, &in, 1, &out, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return out;
}

static double element(const struct tensor *t, size_t i)
{
	return t->dtype == DTYPE_INT8 ? ((const int8_t *)t->data)[i] : (double)((const float *)t->data)[i];
}

/* The largest difference between the engine and the plain loops for one input. */
static double difference(const struct loaded *l, struct tensor *in)
{
	struct tensor *out = run(l, in);
	double most = 0.0;
	struct walk w;

	walk_open(&w, l->blob, false);
	struct walk_tensor *x = &w.tensors[walk_input(&w, 0)], *y = &w.tensors[walk_output(&w, 0)];
	assert_int_equal(x->count, in->count);
	for (size_t i = 0; i < x->count; i++)
		x->v[i] = element(in, i);
	walk_run(&w);
	assert_int_equal(y->count, out->count);
	for (size_t i = 0; i < y->count; i++)
		most = fmax(most, fabs(y->v[i] - element(out, i)));
	walk_close(&w);
	tensor_unref(out);
	return most;
}

static void fill_bytes(struct tensor *t, struct rng *rng, int kind)
{
	int8_t *v = t->data;

	for (size_t i = 0; i < t->count; i++) {
		int8_t any = (int8_t)(rng_below(rng, 256) - 128);
		v[i] = (int8_t)(kind == 0 ? 127 : kind == 1 ? -128 : kind == 2 ? (any < 0 ? -128 : 127) : any);
	}
}

static void int8_resnet_is_exact_with_any_input(void **state)
{
	struct loaded l;
	struct rng rng;

	(void)state;
	load(&l, "tflite/mlperf_tiny_resnet8_int8.tflite");
	rng_init(&rng, 7);
	for (int kind = 0; kind < 6; kind++) {
		struct tensor *in = new_input(&l, 1);
		fill_bytes(in, &rng, kind);
		/* Softmax is the one operator of floats in it: a quantum. */
		assert_true(difference(&l, in) <= 1.0);
		tensor_unref(in);
	}
	unload(&l);
}

static void float_models_agree(const char *name, double most, float scale)
{
	struct loaded l;
	struct rng rng;

	load(&l, name);
	rng_init(&rng, 3);
	for (int i = 0; i < 2; i++) {
		struct tensor *in = new_input(&l, 1);
		for (size_t k = 0; k < in->count; k++)
			((float *)in->data)[k] = scale * ((float)rng_below(&rng, 2048) / 1024.0f - 1.0f);
		double d = difference(&l, in);
		if (d > most)
			fail_msg("%s: %g", name, d);
		tensor_unref(in);
	}
	unload(&l);
}

static void float_resnet_agrees(void **state)
{
	(void)state;
	float_models_agree("tflite/mlperf_tiny_resnet8.tflite", 1e-5, 128.0f);
}

static void float_mobilenet_agrees(void **state)
{
	(void)state;
	float_models_agree("tflite/mobilenet_v1_0.25_224.tflite", 1e-5, 1.0f);
}

static void batches_equal_single_images(const char *name)
{
	const int64_t n = 5;
	struct loaded l;
	struct rng rng;

	load(&l, name);
	rng_init(&rng, 11);
	struct tensor *all = new_input(&l, n), *one = new_input(&l, 1);
	for (size_t i = 0; i < all->count; i++) {
		if (all->dtype == DTYPE_INT8)
			((int8_t *)all->data)[i] = (int8_t)(rng_below(&rng, 256) - 128);
		else
			((float *)all->data)[i] = (float)rng_below(&rng, 256);
	}
	struct tensor *together = run(&l, all);
	for (int64_t i = 0; i < n; i++) {
		memcpy(one->data, (char *)all->data + (size_t)i * one->size, one->size);
		struct tensor *alone = run(&l, one);
		assert_int_equal(alone->count * (size_t)n, together->count);
		for (size_t k = 0; k < alone->count; k++) {
			double d = fabs(element(alone, k) - element(together, (size_t)i * alone->count + k));
			assert_true(d <= (all->dtype == DTYPE_INT8 ? 0.0 : 1e-5));
		}
		tensor_unref(alone);
	}
	tensor_unref(together);
	tensor_unref(all);
	tensor_unref(one);
	unload(&l);
}

static void int8_batches_equal_single_images(void **state)
{
	(void)state;
	batches_equal_single_images("tflite/mlperf_tiny_resnet8_int8.tflite");
}

static void float_batches_equal_single_images(void **state)
{
	(void)state;
	batches_equal_single_images("tflite/mlperf_tiny_resnet8.tflite");
}

static void half_plus_two_computes_itself(void **state)
{
	struct loaded l;

	(void)state;
	load(&l, "savedmodel/saved_model_half_plus_two_tflite/00000123/model.tflite");
	assert_string_equal(model_input(l.m, 0)->name, "x");
	assert_string_equal(model_output(l.m, 0)->name, "y");
	for (int i = 0; i < 3; i++) {
		static const float x[] = {0.0f, 3.0f, -4.0f}, y[] = {2.0f, 3.5f, 0.0f};
		struct tensor *in = new_input(&l, 1);
		memcpy(in->data, &x[i], 4);
		struct tensor *out = run(&l, in);
		assert_int_equal(out->count, 1);
		assert_memory_equal(out->data, &y[i], 4);
		tensor_unref(in);
		tensor_unref(out);
	}
	unload(&l);
}

static void models_say_what_they_take_and_give(void **state)
{
	struct loaded l;

	(void)state;
	load(&l, "tflite/mlperf_tiny_resnet8_int8.tflite");
	const struct model_tensor_info *in = model_input(l.m, 0), *out = model_output(l.m, 0);
	assert_int_equal(model_ninputs(l.m), 1);
	assert_int_equal(model_noutputs(l.m), 1);
	assert_string_equal(in->name, "input_1_int8");
	assert_int_equal(in->dtype, DTYPE_INT8);
	assert_int_equal(in->rank, 4);
	assert_int_equal(in->dims[0], -1); /* the signature leaves it free */
	assert_int_equal(in->dims[1], 32);
	assert_string_equal(out->name, "Identity_int8");
	assert_int_equal(out->dims[1], 10);
	/* Weights are there once, packed: 16 bits each. */
	assert_true(model_memory(l.m) < 300000);
	unload(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int8_resnet_is_exact_with_any_input),
		cmocka_unit_test(float_resnet_agrees),
		cmocka_unit_test(float_mobilenet_agrees),
		cmocka_unit_test(int8_batches_equal_single_images),
		cmocka_unit_test(float_batches_equal_single_images),
		cmocka_unit_test(half_plus_two_computes_itself),
		cmocka_unit_test(models_say_what_they_take_and_give),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
