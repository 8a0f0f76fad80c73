/*
 * Single operators in models made by hand, of random shapes, steps and zero points: against plain loops with TFLite's
 * rounding, which they must meet exactly, and against the real numbers that the tensors stand for, within one quantum.
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
#include "tests/engine/tflite_builder.h"
#include "tests/engine/tflite_reference.h"

#define ROUNDS 60
#define CHANNELS_MAX 40
#define WEIGHTS_MAX 20000

/* How far from each reference the result may be, in quanta (or in units, for FLOAT). */
struct tolerance {
	double rounding, real;
};

/* What the constants of one model live in. */
struct storage {
	uint8_t weights[WEIGHTS_MAX];
	int32_t bias[CHANNELS_MAX];
	float floats[WEIGHTS_MAX], float_bias[CHANNELS_MAX];
	float steps[CHANNELS_MAX];
	int32_t ints[8];
};

static int64_t between(struct rng *rng, int64_t low, int64_t high)
{
	return low + (int64_t)rng_below(rng, (uint64_t)(high - low + 1));
}

static float random_step(struct rng *rng)
{
	return (float)(1 + rng_below(rng, 400)) / 4096.0f;
}

static int64_t random_zero(struct rng *rng, int type)
{
	int64_t low = type == TFB_UINT8 ? 0 : -128;

	return rng_below(rng, 3) == 0 ? low + (rng_below(rng, 2) ? 255 : 0) : between(rng, low, low + 255);
}

/* Extremes most often. */
static uint8_t random_byte(struct rng *rng)
{
	switch (rng_below(rng, 4)) {
	case 0:
		return 127;
	case 1:
		return 128;
	default:
		return (uint8_t)rng_below(rng, 256);
	}
}

static double value_of(const struct tensor *t, size_t i)
{
	switch (t->dtype) {
	case DTYPE_INT8:
		return ((const int8_t *)t->data)[i];
	case DTYPE_UINT8:
		return ((const uint8_t *)t->data)[i];
	default:
		return (double)((const float *)t->data)[i];
	}
}

static struct tensor *random_input(const struct model_tensor_info *info, struct rng *rng)
{
	struct tensor *t;

	assert_int_equal(tensor_new(&t, info->dtype, info->dims, (unsigned)info->rank, true, NULL), 0);
	const bool same = rng_below(rng, 4) == 0; /* all of one value: the largest sums */
	const uint8_t value = random_byte(rng);
	for (size_t i = 0; i < t->count; i++) {
		if (t->dtype == DTYPE_FLOAT)
			((float *)t->data)[i] = (float)between(rng, -2048, 2048) / 256.0f;
		else
			((uint8_t *)t->data)[i] = same ? value : random_byte(rng);
	}
	return t;
}

static void compare(const struct tfb *b, struct tensor *const *in, size_t nin, const struct tensor *out, bool real,
		    double most)
{
	struct walk w;

	walk_open(&w, b->file.data, real);
	for (uint32_t i = 0; i < nin; i++) {
		struct walk_tensor *x = &w.tensors[walk_input(&w, i)];
		for (size_t k = 0; k < x->count; k++)
			x->v[k] = value_of(in[i], k);
	}
	walk_run(&w);
	const struct walk_tensor *y = &w.tensors[walk_output(&w, 0)];
	assert_int_equal(out->rank, y->rank);
	for (unsigned i = 0; i < y->rank; i++)
		assert_int_equal(out->dims[i], y->dims[i]);
	for (size_t i = 0; i < y->count; i++) {
		double d = fabs(value_of(out, i) - y->v[i]);
		if (!(d <= most * (out->dtype == DTYPE_FLOAT ? fmax(1.0, fabs(y->v[i])) : 1.0)))
			fail_msg("operator %d, %s: element %zu of %zu is %g, not %g", b->operators[0].code,
				 real ? "real numbers" : "rounding", i, y->count, value_of(out, i), y->v[i]);
	}
	walk_close(&w);
}

/* Loads, runs and compares the model; releases it. */
static void check(struct tfb *b, struct rng *rng, struct tolerance most)
{
	const struct model_load_config cfg = {.format = MODEL_TFLITE, .name = "tested"};
	struct tensor *in[2], *out;
	struct model_context *c;
	struct error err = {{0}};
	struct model *m;

	assert_false(b->file.failed);
	if (model_load(&m, &cfg, b->file.data, b->file.len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(&c, m, 1), 0);
	for (size_t i = 0; i < model_ninputs(m); i++)
		in[i] = random_input(model_input(m, i), rng);
	if (model_run(c, in, model_ninputs(m), &out, 1, NULL, &err) < 0)
		fail_msg("%s", err.text);
	compare(b, in, model_ninputs(m), out, false, most.rounding);
	compare(b, in, model_ninputs(m), out, true, most.real);
	for (size_t i = 0; i < model_ninputs(m); i++)
		tensor_unref(in[i]);
	tensor_unref(out);
	model_context_free(c);
	model_free(m);
	tfb_release(b);
}

/* A tensor of a random step and zero point where it is of 8 bits. */
static int add_tensor(struct tfb *b, struct rng *rng, const char *name, int type, const int64_t *dims, unsigned rank)
{
	int t = tfb_tensor(b, name, type, dims, rank);

	if (type == TFB_INT8 || type == TFB_UINT8)
		tfb_quantize(b, t, random_step(rng), random_zero(rng, type));
	return t;
}

/* Weights of `outputs` rows, or columns where `dimension` is 3, and a bias. */
static void add_weights(struct tfb *b, struct rng *rng, struct storage *s, int type, const int64_t *dims, unsigned rank,
			int dimension, bool bias, int32_t *links)
{
	const unsigned outputs = (unsigned)dims[dimension];
	size_t n = 1;

	for (unsigned i = 0; i < rank; i++)
		n *= (size_t)dims[i];
	assert_true(n <= WEIGHTS_MAX && outputs <= CHANNELS_MAX);
	for (size_t i = 0; i < n; i++) {
		s->weights[i] = random_byte(rng);
		s->floats[i] = (float)between(rng, -512, 512) / 256.0f;
	}
	for (unsigned i = 0; i < outputs; i++) {
		s->steps[i] = random_step(rng);
		s->bias[i] = (int32_t)between(rng, -20000, 20000);
		s->float_bias[i] = (float)between(rng, -512, 512) / 256.0f;
	}
	const bool is_float = type == TFB_FLOAT32;
	links[1] = is_float ? tfb_constant(b, "w", type, dims, rank, s->floats, n * 4)
			    : tfb_constant(b, "w", type, dims, rank, s->weights, n);
	if (type == TFB_UINT8)
		tfb_quantize(b, links[1], random_step(rng), random_zero(rng, type));
	else if (!is_float && rng_below(rng, 3) == 0)
		tfb_quantize(b, links[1], random_step(rng), 0);
	else if (!is_float)
		tfb_quantize_each(b, links[1], s->steps, outputs, dimension);
	links[2] = -1;
	if (bias)
		links[2] = tfb_constant(b, "b", is_float ? TFB_FLOAT32 : TFB_INT32, &dims[dimension], 1,
					is_float ? (const void *)s->float_bias : s->bias, outputs * 4);
}

static const int types[] = {TFB_INT8, TFB_UINT8, TFB_FLOAT32};

static struct tolerance tolerance_of(int type)
{
	return type == TFB_FLOAT32 ? (struct tolerance){1e-4, 1e-4} : (struct tolerance){0.0, 1.0};
}

/* The result's step is such that its values use the range, and now and then pass it. */
static int add_result(struct tfb *b, struct rng *rng, int type, const char *name, double largest)
{
	int t = add_tensor(b, rng, name, type, (int64_t[]){1}, 1);

	if (type != TFB_FLOAT32)
		tfb_quantize(b, t, (float)(largest * (double)(1 + rng_below(rng, 16)) / 1024.0),
			     random_zero(rng, type));
	return t;
}

static void one_convolution(struct rng *rng, int type, bool depthwise)
{
	static struct storage s;
	const int64_t c = between(rng, 1, depthwise ? 9 : 20), kernel[] = {between(rng, 1, 4), between(rng, 1, 4)};
	const int64_t outputs = depthwise ? c * between(rng, 1, 4) : between(rng, 1, CHANNELS_MAX);
	const int64_t dilation[] = {between(rng, 1, 2), between(rng, 1, 2)};
	const int64_t x[] = {between(rng, 1, 2), between(rng, 8, 12), between(rng, 8, 13), c};
	const int64_t w[] = {depthwise ? 1 : outputs, kernel[0], kernel[1], depthwise ? outputs : c};
	const unsigned at = depthwise ? 4 : 3;
	struct tfb b = {0};
	int32_t links[3];

	links[0] = add_tensor(&b, rng, "x", type, x, 4);
	add_weights(&b, rng, &s, type, w, 4, depthwise ? 3 : 0, rng_below(rng, 2), links);
	int y = add_result(&b, rng, type, "y", 5.0);
	struct tfb_operator *o = tfb_operator(&b, depthwise ? TFB_DEPTHWISE : TFB_CONV, links, 3, y);
	tfb_option(o, 0, (int32_t)rng_below(rng, 2));
	tfb_option(o, 1, (int32_t)between(rng, 1, 3));
	tfb_option(o, 2, (int32_t)between(rng, 1, 3));
	tfb_option(o, at, (int32_t[]){0, 1, 3}[rng_below(rng, 3)]);
	tfb_option(o, at + 1, (int32_t)dilation[1]);
	tfb_option(o, at + 2, (int32_t)dilation[0]);
	tfb_finish(&b, links[0], y);
	check(&b, rng, tolerance_of(type));
}

static void convolutions_agree(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (int i = 0; i < ROUNDS; i++)
		one_convolution(&rng, types[i % 3], false);
}

static void depthwise_convolutions_agree(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 2);
	for (int i = 0; i < ROUNDS; i++)
		one_convolution(&rng, types[i % 3], true);
}

/* Every product of one sign and of the largest size: what saturating pairs get wrong. */
static void largest_products_do_not_saturate(void **state)
{
	static uint8_t weights[3 * 3 * 64 * 8];
	struct rng rng;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < 8; i++) {
		const int type = i % 2 == 0 ? TFB_INT8 : TFB_UINT8;
		struct tfb b = {0};
		memset(weights, i & 2 ? 0x7f : 0x80, sizeof(weights));
		int x = tfb_tensor(&b, "x", type, (int64_t[]){1, 4, 4, 64}, 4);
		int w = tfb_constant(&b, "w", type, (int64_t[]){8, 3, 3, 64}, 4, weights, sizeof(weights));
		int y = tfb_tensor(&b, "y", type, (int64_t[]){1}, 1);
		tfb_quantize(&b, x, 0.5f, type == TFB_UINT8 ? (i & 4 ? 0 : 255) : (i & 4 ? -128 : 127));
		tfb_quantize(&b, w, 0.25f, type == TFB_UINT8 ? (i & 4 ? 255 : 0) : 0);
		tfb_quantize(&b, y, 0.125f * 65025.0f * 576.0f / 100.0f, type == TFB_UINT8 ? 128 : 0);
		struct tfb_operator *o = tfb_operator(&b, TFB_CONV, (int32_t[]){x, w}, 2, y);
		tfb_option(o, 1, 1);
		tfb_option(o, 2, 1);
		tfb_finish(&b, x, y);
		check(&b, &rng, (struct tolerance){0.0, 1.0});
	}
}

static void matrix_products_agree(void **state)
{
	static struct storage s;
	struct rng rng;

	(void)state;
	rng_init(&rng, 4);
	for (int i = 0; i < ROUNDS; i++) {
		const int type = types[i % 3];
		const int64_t k = between(&rng, 1, 200), n = between(&rng, 1, CHANNELS_MAX);
		struct tfb b = {0};
		int32_t links[3];
		links[0] = add_tensor(&b, &rng, "x", type, (int64_t[]){between(&rng, 1, 30), k}, 2);
		add_weights(&b, &rng, &s, type, (int64_t[]){n, k}, 2, 0, rng_below(&rng, 2), links);
		int y = add_result(&b, &rng, type, "y", 5.0);
		struct tfb_operator *o = tfb_operator(&b, TFB_FULLY_CONNECTED, links, 3, y);
		tfb_option(o, 0, (int32_t[]){0, 1, 3}[rng_below(&rng, 3)]);
		tfb_finish(&b, links[0], y);
		check(&b, &rng, tolerance_of(type));
	}
}

static void sums_and_products_agree(void **state)
{
	static const int codes[] = {TFB_ADD, TFB_SUB, TFB_MUL};
	struct rng rng;

	(void)state;
	rng_init(&rng, 5);
	for (int i = 0; i < 3 * ROUNDS; i++) {
		const int type = types[i % 3], code = codes[i / 3 % 3];
		const int64_t dims[] = {between(&rng, 1, 3), between(&rng, 1, 5), between(&rng, 1, 40)};
		const unsigned rank = (unsigned)rng_below(&rng, 3) + 1; /* of the second: the last dimensions */
		struct tfb b = {0};
		b.inputs[0] = add_tensor(&b, &rng, "a", type, dims, 3);
		b.inputs[1] = add_tensor(&b, &rng, "b", type, dims + 3 - rank, rank);
		b.outputs[0] = add_result(&b, &rng, type, "y", 10.0);
		struct tfb_operator *o = tfb_operator(&b, code, b.inputs, 2, b.outputs[0]);
		tfb_option(o, 0, (int32_t[]){0, 1, 3}[rng_below(&rng, 3)]);
		b.ninputs = 2;
		b.noutputs = 1;
		tfb_write(&b);
		check(&b, &rng, tolerance_of(type));
	}
}

static void pools_agree(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 6);
	for (int i = 0; i < ROUNDS; i++) {
		const int type = types[i % 3];
		const int64_t dims[] = {between(&rng, 1, 2), between(&rng, 4, 9), between(&rng, 4, 9),
					between(&rng, 1, 20)};
		struct tfb b = {0};
		int x = add_tensor(&b, &rng, "x", type, dims, 4), y = add_tensor(&b, &rng, "y", type, dims, 4);
		/* A pool does not change the step. */
		if (type != TFB_FLOAT32)
			tfb_quantize(&b, y, b.tensors[x].step, b.tensors[x].zero);
		struct tfb_operator *o = tfb_operator(&b, i / 3 % 2 ? TFB_MAX_POOL : TFB_AVERAGE_POOL, &x, 1, y);
		tfb_option(o, 0, (int32_t)rng_below(&rng, 2));
		for (unsigned k = 1; k < 5; k++)
			tfb_option(o, k, (int32_t)between(&rng, 1, k < 3 ? 3 : 4));
		tfb_option(o, 5, (int32_t[]){0, 1, 3}[rng_below(&rng, 3)]);
		tfb_finish(&b, x, y);
		check(&b, &rng, type == TFB_FLOAT32 ? tolerance_of(type) : (struct tolerance){0.0, 0.0});
	}
}

static void means_agree(void **state)
{
	static const int32_t axes[] = {1, 2};
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	for (int i = 0; i < ROUNDS; i++) {
		const int type = types[i % 3];
		const int64_t dims[] = {between(&rng, 1, 3), between(&rng, 1, 9), between(&rng, 1, 9),
					between(&rng, 1, 20)};
		struct tfb b = {0};
		int x = add_tensor(&b, &rng, "x", type, dims, 4);
		int a = tfb_constant(&b, "axes", TFB_INT32, (int64_t[]){2}, 1, axes, sizeof(axes));
		int y = add_result(&b, &rng, type, "y", 10.0);
		tfb_option(tfb_operator(&b, TFB_MEAN, (int32_t[]){x, a}, 2, y), 0, (int32_t)rng_below(&rng, 2));
		tfb_finish(&b, x, y);
		check(&b, &rng, type == TFB_FLOAT32 ? tolerance_of(type) : (struct tolerance){1.0, 1.0});
	}
}

/* What a step reads or adds up in need not be there (weights that were packed, sums of no channels). */
static void images_without_pixels_or_channels_give_empty_results(void **state)
{
	static const int32_t axes[] = {1, 2};
	static struct storage s;
	struct rng rng;

	(void)state;
	rng_init(&rng, 11);
	for (int i = 0; i < 3; i++) {
		const int type = types[i];
		struct tfb conv = {0}, mean = {0};
		int32_t links[3];
		links[0] = add_tensor(&conv, &rng, "x", type, (int64_t[]){1, 0, 5, 3}, 4);
		add_weights(&conv, &rng, &s, type, (int64_t[]){2, 2, 2, 3}, 4, 0, false, links);
		int y = add_result(&conv, &rng, type, "y", 5.0);
		struct tfb_operator *o = tfb_operator(&conv, TFB_CONV, links, 3, y);
		tfb_option(o, 1, 1);
		tfb_option(o, 2, 1);
		tfb_finish(&conv, links[0], y);
		check(&conv, &rng, tolerance_of(type));

		int x = add_tensor(&mean, &rng, "x", type, (int64_t[]){1, 4, 4, 0}, 4);
		int a = tfb_constant(&mean, "axes", TFB_INT32, (int64_t[]){2}, 1, axes, sizeof(axes));
		y = add_result(&mean, &rng, type, "y", 10.0);
		tfb_operator(&mean, TFB_MEAN, (int32_t[]){x, a}, 2, y);
		tfb_finish(&mean, x, y);
		check(&mean, &rng, tolerance_of(type));
	}
}

static void softmax_agrees(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 8);
	for (int i = 0; i < ROUNDS; i++) {
		const int type = types[i % 3];
		const int64_t dims[] = {between(&rng, 1, 4), between(&rng, 1, 30)};
		struct tfb b = {0};
		int x = add_tensor(&b, &rng, "x", type, dims, 2), y = add_tensor(&b, &rng, "y", type, dims, 2);
		if (type != TFB_FLOAT32)
			tfb_quantize(&b, y, 1.0f / 256.0f, type == TFB_UINT8 ? 0 : -128);
		tfb_option_float(tfb_operator(&b, TFB_SOFTMAX, &x, 1, y), 0, i % 2 ? 1.0f : 0.5f);
		tfb_finish(&b, x, y);
		check(&b, &rng, type == TFB_FLOAT32 ? tolerance_of(type) : (struct tolerance){1.0, 1.0});
	}
}

static void functions_of_one_tensor_agree(void **state)
{
	static const int codes[] = {TFB_LOGISTIC, TFB_TANH,       TFB_RELU,       TFB_RELU6,
				    TFB_QUANTIZE, TFB_DEQUANTIZE, TFB_LEAKY_RELU, TFB_HARD_SWISH};
	struct rng rng;

	(void)state;
	rng_init(&rng, 9);
	for (int i = 0; i < 8 * 9; i++) {
		const int code = codes[i / 3 % 8], type = types[i % 3];
		const bool changes = code == TFB_QUANTIZE || code == TFB_DEQUANTIZE;
		const int from = changes ? (code == TFB_QUANTIZE ? types[i / 24 % 3] : types[i % 2]) : type;
		const int to = code == TFB_DEQUANTIZE ? TFB_FLOAT32 : changes ? types[i % 2] : type;
		const int64_t dims[] = {3, 50};
		struct tfb b = {0};
		int x = add_tensor(&b, &rng, "x", from, dims, 2), y = add_result(&b, &rng, to, "y", 8.0);
		tfb_option_float(tfb_operator(&b, code, &x, 1, y), 0, 0.25f);
		tfb_finish(&b, x, y);
		check(&b, &rng, to == TFB_FLOAT32 ? tolerance_of(to) : (struct tolerance){1.0, 1.0});
	}
}

static void padding_is_what_stands_for_zero(void **state)
{
	static const int32_t pairs[] = {0, 0, 1, 2, 3, 0, 0, 1};
	struct rng rng;

	(void)state;
	rng_init(&rng, 10);
	for (int i = 0; i < 6; i++) {
		const int type = types[i % 3];
		struct tfb b = {0};
		int x = add_tensor(&b, &rng, "x", type, (int64_t[]){2, 3, 4, 5}, 4);
		int p = tfb_constant(&b, "pairs", TFB_INT32, (int64_t[]){4, 2}, 2, pairs, sizeof(pairs));
		int y = add_tensor(&b, &rng, "y", type, (int64_t[]){2, 6, 7, 6}, 4);
		tfb_quantize(&b, y, b.tensors[x].step, b.tensors[x].zero);
		if (type == TFB_FLOAT32)
			b.tensors[y].nsteps = 0;
		tfb_operator(&b, TFB_PAD, (int32_t[]){x, p}, 2, y);
		tfb_finish(&b, x, y);
		check(&b, &rng, (struct tolerance){0.0, 0.0});
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convolutions_agree),
		cmocka_unit_test(depthwise_convolutions_agree),
		cmocka_unit_test(largest_products_do_not_saturate),
		cmocka_unit_test(matrix_products_agree),
		cmocka_unit_test(sums_and_products_agree),
		cmocka_unit_test(pools_agree),
		cmocka_unit_test(means_agree),
		cmocka_unit_test(images_without_pixels_or_channels_give_empty_results),
		cmocka_unit_test(softmax_agrees),
		cmocka_unit_test(functions_of_one_tensor_agree),
		cmocka_unit_test(padding_is_what_stands_for_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
