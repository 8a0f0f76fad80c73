/*
 * The TFLite reader: what it reads, and what it refuses with which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/rng.h"
#include "engine/flatbuffers.h"
#include "engine/model.h"
#include "tests/engine/tflite_builder.h"

struct loaded {
	struct model *m;
	struct error err;
	enum model_fault fault;
	size_t index;
	int r;
};

static struct loaded load_named(const void *blob, size_t len, struct model_io io)
{
	const struct model_load_config cfg = {
		.format = MODEL_TFLITE, .name = "tested", .io = io, .memory_max = (size_t)16 << 20};
	struct loaded l = {.index = 77};

	l.r = model_load(&l.m, &cfg, blob, len, &l.fault, &l.index, &l.err);
	return l;
}

static struct loaded load_bytes(const void *blob, size_t len)
{
	return load_named(blob, len, (struct model_io){0});
}

/* Releases the builder. */
static struct loaded load(struct tfb *b)
{
	struct loaded l = load_bytes(b->file.data, b->file.len);

	tfb_release(b);
	return l;
}

static void assert_refused(struct loaded l, int r, enum model_fault fault, const char *words)
{
	if (l.r != r || l.fault != fault || strstr(l.err.text, words) == NULL)
		fail_msg("%d, fault %d, '%s'; expected %d, fault %d, '%s'", l.r, (int)l.fault, l.err.text, r,
			 (int)fault, words);
	assert_null(l.m);
	assert_non_null(strstr(l.err.text, "tested"));
	assert_null(strchr(l.err.text, '\n'));
}

static const float bias[] = {0.5f, -0.5f};
static const int8_t weights[] = {1, -2, 3, -4, 5, -6, 7, -8};

/* x [1,4,4,1] of bytes -> convolution 2 x 2 to two channels -> y, and then y reshaped to z [1, 18]. */
static void small_model(struct tfb *b)
{
	static const int32_t shape[] = {-1, 18}, zeros[] = {0, 0};
	int x = tfb_tensor(b, "x", TFB_INT8, (int64_t[]){1, 4, 4, 1}, 4);
	int w = tfb_constant(b, "w", TFB_INT8, (int64_t[]){2, 2, 2, 1}, 4, weights, sizeof(weights));
	int c = tfb_constant(b, "c", TFB_INT32, (int64_t[]){2}, 1, zeros, sizeof(zeros));
	int y = tfb_tensor(b, "y", TFB_INT8, (int64_t[]){1, 3, 3, 2}, 4);
	int s = tfb_constant(b, "s", TFB_INT32, (int64_t[]){2}, 1, shape, sizeof(shape));
	int z = tfb_tensor(b, "z", TFB_INT8, (int64_t[]){1, 18}, 2);

	tfb_quantize(b, x, 0.5f, -3);
	tfb_quantize(b, w, 0.25f, 0);
	tfb_quantize(b, y, 0.5f, 4);
	tfb_quantize(b, z, 0.5f, 4);
	struct tfb_operator *o = tfb_operator(b, TFB_CONV, (int32_t[]){x, w, c}, 3, y);
	tfb_option(o, 0, 1);
	tfb_option(o, 1, 1);
	tfb_option(o, 2, 1);
	tfb_operator(b, TFB_RESHAPE, (int32_t[]){y, s}, 2, z);
	tfb_finish(b, x, z);
}

enum { X, W, C, Y, S, Z };

/* x [2,3] -> RELU -> y, FLOAT. */
static struct tfb_operator *float_model(struct tfb *b, int code)
{
	int x = tfb_tensor(b, "x", TFB_FLOAT32, (int64_t[]){2, 3}, 2);
	int y = tfb_tensor(b, "y", TFB_FLOAT32, (int64_t[]){2, 3}, 2);
	struct tfb_operator *o = tfb_operator(b, code, &x, 1, y);

	tfb_finish(b, x, y);
	return o;
}

static void a_small_model_loads(void **state)
{
	struct tfb b = {0};

	(void)state;
	small_model(&b);
	struct loaded l = load(&b);
	if (l.r < 0)
		fail_msg("%s", l.err.text);
	assert_int_equal(l.fault, MODEL_FAULT_NONE);
	assert_string_equal(model_input(l.m, 0)->name, "x");
	assert_int_equal(model_input(l.m, 0)->dims[3], 1);
	assert_string_equal(model_output(l.m, 0)->name, "z");
	model_free(l.m);
}

static void inputs_and_outputs_may_be_named(void **state)
{
	static const char *const x[] = {"x"}, *const z[] = {"z"}, *const other[] = {"other"};
	struct tfb b = {0};

	(void)state;
	small_model(&b);
	struct loaded l = load_named(b.file.data, b.file.len, (struct model_io){x, 1, z, 1});
	assert_int_equal(l.r, 0);
	model_free(l.m);
	l = load_named(b.file.data, b.file.len, (struct model_io){other, 1, z, 1});
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_INPUT_MISSING, "input 'other'");
	assert_int_equal(l.index, 0);
	l = load_named(b.file.data, b.file.len, (struct model_io){x, 1, other, 1});
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_OUTPUT_MISSING, "output 'other'");
	tfb_release(&b);
}

static void bytes_that_are_no_model_are_refused(void **state)
{
	(void)state;
	assert_refused(load_bytes("", 0), ERR_FORMAT, MODEL_FAULT_PARSE, "no TFLite model");
	assert_refused(load_bytes("not a model at all", 18), ERR_FORMAT, MODEL_FAULT_PARSE, "no TFLite model");
	assert_refused(load_bytes("\4\0\0\0TFL3", 8), ERR_FORMAT, MODEL_FAULT_PARSE, "no TFLite model");
	assert_refused(load_bytes("\xff\xff\xff\xffTFL3", 8), ERR_FORMAT, MODEL_FAULT_PARSE, "no TFLite model");
	struct tfb b = {0};
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_EMPTY, "no outputs");
}

/* From memory of exactly that size, so that a read past it shows. */
static void a_file_cut_anywhere_is_refused(void **state)
{
	struct tfb b = {0};

	(void)state;
	small_model(&b);
	for (size_t len = 0; len < b.file.len; len++) {
		void *exact = malloc(len + (len == 0));
		memcpy(exact, b.file.data, len);
		struct loaded l = load_bytes(exact, len);
		/* The last constants' padding may be missing. */
		if (l.r == 0)
			assert_true(b.file.len - len < 16);
		else
			assert_true(l.r == ERR_FORMAT && l.err.text[0] != '\0');
		model_free(l.m);
		free(exact);
	}
	tfb_release(&b);
}

static void run_once(struct model *m)
{
	struct tensor *in = NULL, *out = NULL;
	struct model_context *c = NULL;
	struct error err;
	int64_t dims[TENSOR_MAX_RANK];

	if (model_ninputs(m) != 1 || model_noutputs(m) != 1 || model_input(m, 0)->rank > 4)
		return;
	for (int i = 0; i < model_input(m, 0)->rank; i++) {
		dims[i] = model_input(m, 0)->dims[i];
		if (dims[i] < 0 || dims[i] > 64)
			dims[i] = 4;
	}
	assert_int_equal(model_context_new(&c, m, 1), 0);
	if (tensor_new(&in, model_input(m, 0)->dtype, dims, (unsigned)model_input(m, 0)->rank, true, NULL) == 0 &&
	    model_run(c, &in, 1, &out, 1, NULL, &err) == 0)
		tensor_unref(out);
	tensor_unref(in);
	model_context_free(c);
}

/* Each word of the file in turn becomes a wild offset, length, count or number. What still loads also runs. */
static void wild_words_never_lead_outside(void **state)
{
	static const uint32_t wild[] = {0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff0, 0x10000, 0x00ff00ff};
	struct tfb b = {0};
	size_t loaded = 0, refused = 0;

	(void)state;
	small_model(&b);
	uint8_t *copy = malloc(b.file.len);
	for (size_t at = 0; at + 4 <= b.file.len; at += 2) {
		for (size_t i = 0; i < sizeof(wild) / sizeof(*wild); i++) {
			memcpy(copy, b.file.data, b.file.len);
			memcpy(copy + at, &wild[i], 4);
			struct loaded l = load_bytes(copy, b.file.len);
			loaded += l.r == 0;
			refused += l.r < 0;
			if (l.r == 0)
				run_once(l.m);
			else
				assert_true(l.m == NULL && l.err.text[0] != '\0');
			model_free(l.m);
		}
	}
	assert_true(loaded > 0 && refused > 0);
	free(copy);
	tfb_release(&b);
}

static void random_damage_is_survived(void **state)
{
	struct tfb b = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	small_model(&b);
	uint8_t *copy = malloc(b.file.len);
	for (int i = 0; i < 4000; i++) {
		memcpy(copy, b.file.data, b.file.len);
		for (uint64_t n = 1 + rng_below(&rng, 6); n > 0; n--)
			copy[rng_below(&rng, b.file.len)] = (uint8_t)rng_below(&rng, 256);
		struct loaded l = load_bytes(copy, b.file.len);
		if (l.r == 0)
			run_once(l.m);
		model_free(l.m);
	}
	free(copy);
	tfb_release(&b);
}

static void unsupported_operators_name_themselves(void **state)
{
	struct tfb b = {0};

	(void)state;
	float_model(&b, TFB_TOPK);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "operator 0 (TOPK_V2) that makes 'y'");
	float_model(&b, 201);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "(operator 201)");
	float_model(&b, TFB_CUSTOM)->custom = "TFLite_Detection_PostProcess";
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "custom operator 'TFLite_Detection_PostProcess'");
	/* 8-bit tensors where only numbers are meant. */
	int x = tfb_tensor(&b, "x", TFB_INT8, (int64_t[]){2}, 1), y = tfb_tensor(&b, "y", TFB_INT8, (int64_t[]){2}, 1);
	tfb_quantize(&b, x, 1.0f, 0);
	tfb_quantize(&b, y, 1.0f, 0);
	tfb_operator(&b, 59, &x, 1, y);
	tfb_finish(&b, x, y);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "(NEG) that makes 'y': 8-bit tensors");
	float_model(&b, TFB_RELU);
	b.tensors[0].type = TFB_STRING;
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "tensor 'x' is of type 5");
	struct tfb_operator *o = float_model(&b, TFB_ADD);
	o->nin = 2;
	tfb_option(o, 0, 5);
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "fused activation 5");
}

static void cycles_are_refused(void **state)
{
	struct tfb b = {0};

	(void)state;
	/* y = relu(z), z = relu(y) */
	int x = tfb_tensor(&b, "x", TFB_FLOAT32, (int64_t[]){2}, 1);
	int y = tfb_tensor(&b, "y", TFB_FLOAT32, (int64_t[]){2}, 1);
	int z = tfb_tensor(&b, "z", TFB_FLOAT32, (int64_t[]){2}, 1);
	tfb_operator(&b, TFB_RELU, &z, 1, y);
	tfb_operator(&b, TFB_RELU, &y, 1, z);
	tfb_finish(&b, x, z);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "'z' is made by no operator before this one");
	/* An operator that makes its own input, the graph's input, or what there is already. */
	float_model(&b, TFB_RELU)->in[0] = 1;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "cycle");
	float_model(&b, TFB_RELU)->out[0] = 0;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "'x' is there already");
	float_model(&b, TFB_RELU);
	tfb_operator(&b, TFB_RELU, (int32_t[]){0}, 1, 1);
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "operator 1 (RELU) that makes 'y'");
}

static void references_outside_are_refused(void **state)
{
	struct tfb b = {0};

	(void)state;
	float_model(&b, TFB_RELU)->in[0] = 99;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "input 0 is missing");
	float_model(&b, TFB_RELU)->in[0] = -1;
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "0 inputs");
	float_model(&b, TFB_RELU)->out[0] = 1000;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "output 0 is missing");
	float_model(&b, TFB_RELU);
	b.outputs[0] = 1000;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_PARSE, "output 0 is no tensor");
	float_model(&b, TFB_RELU);
	b.inputs[1] = 0;
	b.ninputs = 2;
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OTHER, "input 'x' is there twice");
	float_model(&b, TFB_RELU);
	b.noperators = 0;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "output 'y' is made by no operator");
}

static void constants_must_suit_their_shape(void **state)
{
	struct tfb b = {0};

	(void)state;
	small_model(&b);
	b.tensors[W].dims[0] = 3;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "tensor 'w' has 8 bytes");
	small_model(&b);
	b.tensors[W].dims[0] = b.tensors[W].dims[1] = b.tensors[W].dims[2] = b.tensors[W].dims[3] = 0x7fffffff;
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "tensor 'w'");
	small_model(&b);
	b.tensors[W].dims[0] = -2;
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "that makes 'y'");
	small_model(&b);
	b.tensors[C].size = 4;
	b.tensors[C].dims[0] = 1;
	tfb_write(&b);
	assert_refused(load(&b), ERR_INVALID, MODEL_FAULT_OTHER, "bias 'c' is no constant of 2 elements");
	small_model(&b);
	b.tensors[X].dims[3] = 2;
	tfb_write(&b);
	struct loaded l = load(&b); /* shapes are inferred when it runs */
	assert_int_equal(l.r, 0);
	model_free(l.m);
}

static void quantization_must_make_sense(void **state)
{
	static const float two[] = {0.5f, 0.25f}, bad[] = {0.5f, -1.0f};
	struct tfb b = {0};

	(void)state;
	small_model(&b);
	tfb_quantize(&b, X, 0.0f, 0);
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "'x' has a quantization step of 0");
	small_model(&b);
	tfb_quantize(&b, Y, 0.5f, 128);
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "'y' has a zero point of 128");
	small_model(&b);
	b.tensors[Y].nsteps = 0;
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "'y' has no quantization");
	small_model(&b);
	tfb_quantize_each(&b, W, two, 2, 1);
	tfb_write(&b);
	assert_refused(load(&b), ERR_UNSUPPORTED, MODEL_FAULT_OP, "2 quantization steps along dimension 1");
	small_model(&b);
	tfb_quantize_each(&b, W, bad, 2, 0);
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "'w' has a quantization step of -1");
	small_model(&b);
	tfb_quantize_each(&b, X, two, 2, 1);
	tfb_write(&b);
	assert_refused(load(&b), ERR_FORMAT, MODEL_FAULT_OTHER, "'x' has 2 quantization steps");
}

/* Weights in 16-bit floats, and 8-bit weights of a float model. */
static void narrow_weights_of_float_models_are_widened(void **state)
{
	static const uint16_t halves[] = {0x3c00, 0xc000, 0x3800, 0x4200}; /* 1, -2, 0.5, 3 */
	static const int8_t bytes[] = {2, -4, 1, 6};
	static const float steps[] = {0.5f, 0.25f};

	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct tfb b = {0};
		const int64_t square[] = {2, 2};
		int x = tfb_tensor(&b, "x", TFB_FLOAT32, (int64_t[]){1, 2}, 2);
		int w = kind == 0 ? tfb_constant(&b, "w", TFB_FLOAT16, square, 2, halves, sizeof(halves))
				  : tfb_constant(&b, "w", TFB_INT8, square, 2, bytes, sizeof(bytes));
		int c = tfb_constant(&b, "c", TFB_FLOAT32, (int64_t[]){2}, 1, bias, sizeof(bias));
		int wide = tfb_tensor(&b, "wide", TFB_FLOAT32, square, 2);
		int y = tfb_tensor(&b, "y", TFB_FLOAT32, (int64_t[]){1, 2}, 2);
		if (kind == 1)
			tfb_quantize(&b, w, 0.5f, 0);
		if (kind == 2)
			tfb_quantize_each(&b, w, steps, 2, 0);
		if (kind < 2) {
			tfb_operator(&b, TFB_DEQUANTIZE, &w, 1, wide);
			w = wide;
		}
		tfb_operator(&b, TFB_FULLY_CONNECTED, (int32_t[]){x, w, c}, 3, y);
		tfb_finish(&b, x, y);
		struct loaded l = load(&b);
		if (l.r < 0)
			fail_msg("%s", l.err.text);
		struct tensor *in, *out;
		struct model_context *context;
		assert_int_equal(tensor_new(&in, DTYPE_FLOAT, (int64_t[]){1, 2}, 2, false, NULL), 0);
		memcpy(in->data, (float[]){3.0f, 1.0f}, 8);
		assert_int_equal(model_context_new(&context, l.m, 1), 0);
		assert_int_equal(model_run(context, &in, 1, &out, 1, NULL, &l.err), 0);
		/* Row 0 is 1, -2 each time; row 1 is 0.5, 3 or half of it. */
		assert_true(((float *)out->data)[0] == 1.5f);
		assert_true(((float *)out->data)[1] == (kind == 2 ? 1.75f : 4.0f));
		tensor_unref(in);
		tensor_unref(out);
		model_context_free(context);
		model_free(l.m);
	}
}

static void tables_are_read_field_by_field(void **state)
{
	/* Root at 20; vtable at 8: 4 fields, the third absent; string at 40, vector of 2 at 48. */
	uint8_t file[64] = {20, 0, 0, 0, 'T',  'E',  'S',  'T',  12, 0, 20, 0, 4, 0, 8, 0, 0,    0,    16,   0,
			    12, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 12, 0, 0,  0, 9, 9, 9, 9, 12,   0,    0,    0,
			    2,  0, 0, 0, 'o',  'k',  0,    0,    2,  0, 0,  0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff};
	struct fb_table t;
	struct fb f;

	(void)state;
	assert_false(fb_open(&f, file, sizeof(file), "TESX", &t));
	assert_true(fb_open(&f, file, sizeof(file), "TEST", &t));
	assert_int_equal(fb_int32(&t, 0, 5), -2);
	assert_int_equal(fb_int8(&t, 0, 5), -2);
	assert_true(fb_bool(&t, 0, false));
	assert_string_equal(fb_string(&t, 1), "ok");
	assert_int_equal(fb_int32(&t, 2, 5), 5);  /* absent */
	assert_int_equal(fb_int32(&t, 50, 5), 5); /* of a later schema */
	struct fb_vector v = fb_vector(&t, 3, 4);
	assert_int_equal(v.n, 2);
	assert_int_equal(fb_vector_int32(&v, 1), -1);
	assert_false(f.broken);
	/* As elements of 8 bytes they would pass the file's end. */
	assert_int_equal(fb_vector(&t, 3, 8).n, 0);
	assert_true(f.broken);
	f.broken = false;
	file[46] = 'x'; /* no NUL */
	assert_string_equal(fb_string(&t, 1), "");
	assert_true(f.broken);
	f.broken = false;
	assert_null(fb_table(&t, 0).file); /* -2 as an offset */
	assert_true(f.broken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_model_loads),
		cmocka_unit_test(inputs_and_outputs_may_be_named),
		cmocka_unit_test(bytes_that_are_no_model_are_refused),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(wild_words_never_lead_outside),
		cmocka_unit_test(random_damage_is_survived),
		cmocka_unit_test(unsupported_operators_name_themselves),
		cmocka_unit_test(cycles_are_refused),
		cmocka_unit_test(references_outside_are_refused),
		cmocka_unit_test(constants_must_suit_their_shape),
		cmocka_unit_test(quantization_must_make_sense),
		cmocka_unit_test(narrow_weights_of_float_models_are_widened),
		cmocka_unit_test(tables_are_read_field_by_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
