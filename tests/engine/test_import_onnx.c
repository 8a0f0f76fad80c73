/*
 * The ONNX importer: what it reads, and what it refuses with which words.
 */
#include "tests/engine/onnx_check.h"

#include <stdlib.h>

struct loaded {
	struct model *m;
	struct error err;
	enum model_fault fault;
	size_t index;
	int r;
};

static struct loaded load_bytes(const void *blob, size_t len, const struct model_io *io)
{
	const struct model_load_config cfg = {
		.format = MODEL_ONNX, .name = "tested", .io = *io, .memory_max = (size_t)64 << 20};
	struct loaded l = {.index = 77};

	l.r = model_load(&l.m, &cfg, blob, len, &l.fault, &l.index, &l.err);
	return l;
}

/* Releases the builder. */
static struct loaded load_io(struct onnx_builder *b, int64_t version, const struct model_io *io)
{
	struct buf blob = {0};

	onnx_model(&blob, b, version);
	struct loaded l = load_bytes(blob.data, blob.len, io);
	onnx_builder_release(b);
	buf_release(&blob);
	return l;
}

static struct loaded load(struct onnx_builder *b, int64_t version)
{
	return load_io(b, version, &(struct model_io){0});
}

static void assert_refused(struct loaded l, int r, enum model_fault fault, const char *words)
{
	if (l.r == 0)
		fail_msg("loaded, where '%s' was expected", words);
	if (strstr(l.err.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", l.err.text, words);
	assert_int_equal(l.r, r);
	assert_int_equal(l.fault, fault);
	assert_non_null(strstr(l.err.text, "tested"));
	assert_null(strchr(l.err.text, '\n'));
}

static void free_input(struct onnx_builder *b, const char *name)
{
	onnx_input(b, name, ONNX_FLOAT, NULL, -1);
}

/* The constant y alone, whose TensorProto is given, run; releases it. */
static struct tensor *run_tensor(struct buf *tensor)
{
	struct onnx_builder b = {0};
	struct model_context *c;
	struct tensor *out;

	onnx_initializer(&b, tensor);
	onnx_output(&b, "y", ONNX_FLOAT);
	struct loaded l = load(&b, 13);
	if (l.r < 0)
		fail_msg("%s", l.err.text);
	assert_int_equal(model_context_new(&c, l.m, 0), 0);
	assert_int_equal(model_run(c, NULL, 0, &out, 1, NULL, &l.err), 0);
	model_context_free(c);
	model_free(l.m);
	buf_release(tensor);
	return out;
}

static void assert_values(struct tensor *t, enum dtype dtype, const double *want, size_t n)
{
	assert_int_equal(t->dtype, dtype);
	assert_int_equal(t->count, n);
	for (size_t i = 0; i < n; i++) {
		double got = load_element(t->data, t->dtype, i);
		assert_true(got <= want[i] && got >= want[i]);
	}
	tensor_unref(t);
}

static void constants_are_read_in_every_spelling(void **state)
{
	static const struct {
		int type;
		enum dtype dtype;
		unsigned field;
	} ints[] = {{ONNX_INT32, DTYPE_INT32, 5}, {ONNX_INT16, DTYPE_INT16, 5},   {ONNX_INT8, DTYPE_INT8, 5},
		    {ONNX_UINT8, DTYPE_UINT8, 5}, {ONNX_UINT16, DTYPE_UINT16, 5}, {ONNX_INT64, DTYPE_INT64, 7}};
	struct buf t = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(ints) / sizeof(*ints); i++) {
		onnx_tensor_begin(&t, "y", ints[i].type, INTS(2));
		wire_bytes(&t, ints[i].field, "\5\x64", 2); /* packed */
		assert_values(run_tensor(&t), ints[i].dtype, (double[]){5, 100}, 2);
		onnx_tensor_begin(&t, "y", ints[i].type, INTS(2));
		wire_int(&t, ints[i].field, 5); /* not packed */
		wire_int(&t, ints[i].field, 100);
		assert_values(run_tensor(&t), ints[i].dtype, (double[]){5, 100}, 2);
	}
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(1, 2));
	wire_bytes(&t, 4, (const float[]){1.5f, -2}, 8);
	assert_values(run_tensor(&t), DTYPE_FLOAT, (double[]){1.5, -2}, 2);
	onnx_tensor_begin(&t, "y", ONNX_DOUBLE, INTS(2));
	wire_bytes(&t, 10, (const double[]){0.1, 0.2}, 16);
	assert_values(run_tensor(&t), DTYPE_DOUBLE, (double[]){0.1, 0.2}, 2);
	onnx_tensor_begin(&t, "y", ONNX_BOOL, INTS(2));
	wire_bytes(&t, 5, "\0\1", 2);
	assert_values(run_tensor(&t), DTYPE_BOOL, (double[]){0, 1}, 2);
	onnx_tensor_begin(&t, "y", ONNX_BOOL, INTS(2));
	onnx_raw(&t, "\0\7", 2);
	assert_values(run_tensor(&t), DTYPE_BOOL, (double[]){0, 1}, 2);
	onnx_tensor_begin(&t, "y", ONNX_INT64, NULL, 0);
	onnx_raw(&t, (const int64_t[]){-3}, 8);
	assert_values(run_tensor(&t), DTYPE_INT64, (double[]){-3}, 1); /* a scalar */
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(0));
	assert_values(run_tensor(&t), DTYPE_FLOAT, NULL, 0);
}

static void assert_tensor_refused(struct buf *tensor, int r, enum model_fault fault, const char *words)
{
	struct onnx_builder b = {0};

	onnx_initializer(&b, tensor);
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), r, fault, words);
	buf_release(tensor);
}

static void damaged_constants_are_refused(void **state)
{
	struct buf t = {0}, external = {0};

	(void)state;
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(3));
	onnx_raw(&t, "01234567890", 11);
	assert_tensor_refused(&t, ERR_FORMAT, MODEL_FAULT_OTHER, "11 bytes");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(3));
	wire_bytes(&t, 4, (const float[]){1, 2}, 8);
	assert_tensor_refused(&t, ERR_FORMAT, MODEL_FAULT_OTHER, "3 elements has 2 values");
	onnx_tensor_begin(&t, "y", ONNX_INT32, INTS(3));
	assert_tensor_refused(&t, ERR_FORMAT, MODEL_FAULT_OTHER, "has 0 values");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(INT64_MAX / 2, 8));
	assert_tensor_refused(&t, ERR_RANGE, MODEL_FAULT_OTHER, "64 MiB");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(1 << 20, 1 << 10));
	assert_tensor_refused(&t, ERR_RANGE, MODEL_FAULT_OTHER, "64 MiB");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(-1));
	assert_tensor_refused(&t, ERR_FORMAT, MODEL_FAULT_OTHER, "dimension of -1");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1));
	assert_tensor_refused(&t, ERR_UNSUPPORTED, MODEL_FAULT_OP, "17 dimensions");
	onnx_tensor_begin(&t, "y", ONNX_STRING, INTS(1));
	assert_tensor_refused(&t, ERR_UNSUPPORTED, MODEL_FAULT_OP, "type string");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT16, INTS(1));
	assert_tensor_refused(&t, ERR_UNSUPPORTED, MODEL_FAULT_OP, "type float16");
	onnx_tensor_begin(&t, "y", -5, INTS(1));
	assert_tensor_refused(&t, ERR_UNSUPPORTED, MODEL_FAULT_OP, "type unknown");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(1));
	wire_int(&t, 14, 1);
	assert_tensor_refused(&t, ERR_UNSUPPORTED, MODEL_FAULT_EXTERNAL_DATA, "'y' keeps its data in another file");
	wire_bytes(&external, 1, "location", 8);
	wire_bytes(&external, 2, "weights.bin", 11);
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(1));
	wire_bytes(&t, 13, external.data, external.len);
	assert_tensor_refused(&t, ERR_UNSUPPORTED, MODEL_FAULT_EXTERNAL_DATA, "another file");
	buf_release(&external);
}

static void bytes_that_are_no_model_are_refused(void **state)
{
	const struct model_io own = {0};
	struct onnx_builder b = {0};
	struct buf t = {0};

	(void)state;
	assert_refused(load_bytes("not a model", 11, &own), ERR_FORMAT, MODEL_FAULT_PARSE, "no ONNX model");
	assert_refused(load_bytes("", 0, &own), ERR_FORMAT, MODEL_FAULT_EMPTY, "no graph");
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_EMPTY, "no outputs");
	onnx_tensor_begin(&t, "y", ONNX_FLOAT, INTS(1));
	onnx_raw(&t, "1234", 4);
	onnx_initializer(&b, &t);
	onnx_initializer(&b, &t);
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_PARSE, "two values are named 'y'");
	buf_release(&t);
}

static void unsupported_operators_are_named(void **state)
{
	struct onnx_builder b = {0};

	(void)state;
	free_input(&b, "x");
	onnx_begin(&b, "strange", "NonMaxSuppression", NAMES("x"), NAMES("y"));
	onnx_end(&b);
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP,
		       "node 'strange' (NonMaxSuppression): this operator is not supported");
	free_input(&b, "x");
	onnx_node(&b, "Loop", NAMES("x"), NAMES("", "y")); /* without a name it goes by its output */
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "node 'y' (Loop)");
	free_input(&b, "x");
	onnx_begin(&b, "n", "Relu", NAMES("x"), NAMES("y"));
	onnx_domain(&b, "com.example");
	onnx_end(&b);
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "operators of 'com.example'");
	free_input(&b, "x");
	onnx_begin(&b, "n", "LinearRegressor", NAMES("x"), NAMES("y")); /* without its domain */
	onnx_end(&b);
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "(LinearRegressor)");
}

/* One node over x with one odd attribute. */
static void assert_attribute_refused(const char *op, int64_t version, const char *key, const char *text, int64_t number,
				     const int64_t *list, unsigned n, const char *words)
{
	struct onnx_builder b = {0};

	free_input(&b, "x");
	free_input(&b, "w");
	onnx_begin(&b, "n", op, strcmp(op, "Conv") == 0 || strcmp(op, "Add") == 0 ? NAMES("x", "w") : NAMES("x"),
		   NAMES("y"));
	if (strcmp(op, "MaxPool") == 0 && strcmp(key, "kernel_shape") != 0)
		onnx_ints(&b, "kernel_shape", INTS(2, 2));
	if (strcmp(op, "Add") == 0)
		onnx_int(&b, "broadcast", 1);
	if (text != NULL)
		onnx_string(&b, key, text);
	else if (list != NULL)
		onnx_ints(&b, key, list, n);
	else
		onnx_int(&b, key, number);
	onnx_end(&b);
	onnx_output(&b, "y", ONNX_FLOAT);
	struct loaded l = load(&b, version);
	assert_true(l.r == ERR_UNSUPPORTED || l.r == ERR_FORMAT);
	assert_refused(l, l.r, l.r == ERR_UNSUPPORTED ? MODEL_FAULT_OP : MODEL_FAULT_OTHER, words);
	assert_non_null(strstr(l.err.text, "node 'n'"));
}

static void odd_attributes_are_named(void **state)
{
	(void)state;
	assert_attribute_refused("MaxPool", 11, "auto_pad", "SIDEWAYS", 0, NULL, 0, "'auto_pad' = 'SIDEWAYS'");
	assert_attribute_refused("MaxPool", 11, "strides", NULL, 0, INTS(1), "'strides' of 1 numbers, not 2");
	assert_attribute_refused("MaxPool", 11, "strides", NULL, 0, INTS(0, 1), "'strides' with 0");
	assert_attribute_refused("MaxPool", 11, "pads", NULL, 0, INTS(0, 0, -1, 0), "'pads' with -1");
	assert_attribute_refused("MaxPool", 11, "dilations", NULL, 0, INTS(INT64_MAX, 1), "'dilations'");
	assert_attribute_refused("AveragePool", 11, "ceil_mode", NULL, 1, NULL, 0, "'kernel_shape' is missing");
	assert_attribute_refused("Conv", 11, "group", NULL, 0, NULL, 0, "'group' with 0");
	assert_attribute_refused("Conv", 11, "kernel_shape", NULL, 0, INTS(3, 3, 3), "'kernel_shape' of 3 numbers");
	assert_attribute_refused("Cast", 13, "to", NULL, 8, NULL, 0, "'to' = string");
	assert_attribute_refused("Cast", 13, "to", NULL, -1, NULL, 0, "'to' = unknown");
	assert_attribute_refused("Pad", 2, "mode", "reflect", 0, NULL, 0, "'mode' = 'reflect'");
	assert_attribute_refused("Pad", 2, "value", NULL, 0, NULL, 0, "no paddings");
	assert_attribute_refused("Add", 6, "axis", NULL, 1, NULL, 0, "'axis' = 1");
	assert_attribute_refused("Unsqueeze", 11, "axes", NULL, 0, INTS(1, -1), "only some are negative");
	assert_attribute_refused("Unsqueeze", 11, "axes", NULL, 0, INTS(1, 1), "twice");
	assert_attribute_refused("Unsqueeze", 11, "axis", NULL, 1, NULL, 0, "no axes");
	assert_attribute_refused("Reshape", 1, "shapes", NULL, 1, NULL, 0, "no shape");
	assert_attribute_refused("LRN", 13, "size", NULL, 0, NULL, 0, "'size' with 0");
	assert_attribute_refused("ReduceMean", 13, "keepdims", NULL, 1, NULL, 0, "over all of them");
}

static void inputs_that_are_missing_are_named(void **state)
{
	struct onnx_builder b = {0};

	(void)state;
	onnx_node(&b, "Relu", NAMES("nowhere"), NAMES("y"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_OTHER, "input 'nowhere' does not exist");
	free_input(&b, "x");
	onnx_node(&b, "Conv", NAMES("x", "weights"), NAMES("y"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_OTHER, "'weights' does not exist");
	free_input(&b, "x");
	onnx_node(&b, "Add", NAMES("", "x"), NAMES("y"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_OTHER, "input 0 is left out");
	free_input(&b, "x");
	onnx_node(&b, "Add", NAMES("x"), NAMES("y"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "1 inputs");
}

static void cycles_are_refused(void **state)
{
	struct onnx_builder b = {0};

	(void)state;
	onnx_node(&b, "Relu", NAMES("y"), NAMES("y"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_OTHER, "cycle");
	free_input(&b, "x");
	onnx_node(&b, "Add", NAMES("x", "z"), NAMES("y"));
	onnx_node(&b, "Relu", NAMES("y"), NAMES("z"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_FORMAT, MODEL_FAULT_OTHER, "cycle");
}

static void outputs_that_cannot_be_made_are_named(void **state)
{
	struct onnx_builder b = {0};

	(void)state;
	onnx_output(&b, "gone", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_NOT_FOUND, MODEL_FAULT_OUTPUT_MISSING, "'gone'");
	free_input(&b, "x");
	onnx_node(&b, "Dropout", NAMES("x"), NAMES("y", "mask"));
	onnx_output(&b, "mask", ONNX_BOOL);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "this output of the operator");
	free_input(&b, "x");
	onnx_node(&b, "Dropout", NAMES("x"), NAMES("t", "mask"));
	onnx_node(&b, "Cast", NAMES("mask"), NAMES("y"));
	onnx_output(&b, "y", ONNX_FLOAT);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "its input 'mask'");
	for (int sequence = 0; sequence < 2; sequence++) {
		free_input(&b, "x");
		onnx_begin(&b, "zip", "ZipMap", NAMES("x"), NAMES("y"));
		onnx_domain(&b, "ai.onnx.ml");
		onnx_end(&b);
		onnx_output_of_kind(&b, "y", sequence);
		assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP,
			       sequence ? "'y' is a sequence" : "'y' is a map");
	}
	onnx_input(&b, "x", ONNX_STRING, NULL, -1);
	onnx_node(&b, "Identity", NAMES("x"), NAMES("y"));
	onnx_output(&b, "y", ONNX_STRING);
	assert_refused(load(&b, 13), ERR_UNSUPPORTED, MODEL_FAULT_OP, "'x' of type string");
}

/* What initializers give a value is no input, and nodes may come in any order. */
static void inputs_and_outputs_are_the_models_own(void **state)
{
	struct onnx_builder b = {0};

	(void)state;
	onnx_input(&b, "w", ONNX_FLOAT, INTS(1));
	onnx_input(&b, "x", ONNX_FLOAT, (const int64_t[]){-1, 3}, 2);
	onnx_input(&b, "unused", ONNX_INT8, NULL, 0);
	onnx_weights(&b, "w", ONNX_FLOAT, INTS(1), (const float[]){2}, 4);
	onnx_node(&b, "Relu", NAMES("t"), NAMES("y"));
	onnx_node(&b, "Mul", NAMES("x", "w"), NAMES("t"));
	onnx_output(&b, "y", ONNX_FLOAT);
	onnx_output(&b, "t", ONNX_FLOAT);
	struct loaded l = load(&b, 13);
	if (l.r < 0)
		fail_msg("%s", l.err.text);
	assert_int_equal(model_ninputs(l.m), 2);
	assert_string_equal(model_input(l.m, 0)->name, "x");
	assert_int_equal(model_input(l.m, 0)->rank, 2);
	assert_int_equal(model_input(l.m, 0)->dims[0], -1);
	assert_int_equal(model_input(l.m, 0)->dims[1], 3);
	assert_string_equal(model_input(l.m, 1)->name, "unused");
	assert_int_equal(model_input(l.m, 1)->dtype, DTYPE_INT8);
	assert_int_equal(model_input(l.m, 1)->rank, 0);
	assert_int_equal(model_noutputs(l.m), 2);
	assert_string_equal(model_output(l.m, 1)->name, "t");
	assert_int_equal(model_output(l.m, 1)->rank, -1);
	model_free(l.m);
}

static void chain(struct onnx_builder *b)
{
	free_input(b, "x");
	free_input(b, "z");
	onnx_node(b, "Add", NAMES("x", "z"), NAMES("t"));
	onnx_node(b, "Relu", NAMES("t"), NAMES("y"));
	onnx_output(b, "y", ONNX_FLOAT);
}

static void names_choose_inputs_and_outputs(void **state)
{
	static const char *const in[] = {"z", "x", "y"}, *const out[] = {"t", "gone"}, *const twice[] = {"x", "x"};
	struct onnx_builder b = {0};

	(void)state;
	chain(&b);
	struct loaded l = load_io(&b, 13, &(struct model_io){in, 2, out, 1});
	assert_int_equal(l.r, 0);
	assert_string_equal(model_input(l.m, 0)->name, "z");
	assert_string_equal(model_output(l.m, 0)->name, "t");
	model_free(l.m);
	chain(&b);
	l = load_io(&b, 13, &(struct model_io){in, 3, out, 1});
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_INPUT_MISSING, "'y' is no input");
	assert_int_equal(l.index, 2);
	chain(&b);
	l = load_io(&b, 13, &(struct model_io){in, 2, out, 2});
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_OUTPUT_MISSING, "'gone'");
	assert_int_equal(l.index, 1);
	chain(&b);
	assert_refused(load_io(&b, 13, &(struct model_io){in, 1, out, 1}), ERR_INVALID, MODEL_FAULT_OTHER,
		       "need input 'x'");
	chain(&b);
	assert_refused(load_io(&b, 13, &(struct model_io){twice, 2, out, 1}), ERR_INVALID, MODEL_FAULT_OTHER, "twice");
}

static void wrong_input_shape_is_named_when_run(void **state)
{
	const float w[8] = {0};
	struct onnx_builder b = {0};
	struct model_context *c;
	struct tensor *x, *y;

	(void)state;
	free_input(&b, "x");
	onnx_weights(&b, "w", ONNX_FLOAT, INTS(4, 2), w, sizeof(w));
	onnx_begin(&b, "product", "Gemm", NAMES("x", "w"), NAMES("y"));
	onnx_end(&b);
	onnx_output(&b, "y", ONNX_FLOAT);
	struct loaded l = load(&b, 13);
	assert_int_equal(l.r, 0);
	assert_int_equal(model_context_new(&c, l.m, 0), 0);
	assert_int_equal(tensor_new(&x, DTYPE_FLOAT, INTS(1, 5), true, NULL), 0);
	assert_int_equal(model_run(c, &x, 1, &y, 1, NULL, &l.err), ERR_INVALID);
	assert_non_null(strstr(l.err.text, "product"));
	tensor_unref(x);
	model_context_free(c);
	model_free(l.m);
}

/* A chain of 100,000 nodes, written from its end: depth is no matter of the stack. */
static void deep_graphs_do_not_overflow_the_stack(void **state)
{
	struct onnx_builder b = {0};
	char in[32], out[32];

	(void)state;
	for (int i = 100000; i > 0; i--) {
		snprintf(in, sizeof(in), "v%d", i - 1);
		snprintf(out, sizeof(out), "v%d", i);
		onnx_node(&b, "Relu", NAMES(in), NAMES(out));
	}
	onnx_output(&b, "v100000", ONNX_FLOAT);
	onnx_input(&b, "v0", ONNX_FLOAT, NULL, -1);
	struct loaded l = load(&b, 13);
	assert_int_equal(l.r, 0);
	model_free(l.m);
}

/* 1 MB of length-delimited fields, each within the last. */
static void nest(struct buf *ret, unsigned field)
{
	unsigned char *bytes = malloc((size_t)1 << 20);
	size_t start = (size_t)1 << 20;

	assert_non_null(bytes);
	while (start > 8) {
		size_t inside = ((size_t)1 << 20) - start;
		struct buf head = {0};
		wire_varint(&head, field << 3 | 2);
		wire_varint(&head, inside);
		start -= head.len;
		memcpy(bytes + start, head.data, head.len);
		buf_release(&head);
	}
	buf_append(ret, bytes + start, ((size_t)1 << 20) - start);
	free(bytes);
}

/* Fields that hold themselves in ONNX's own definition, and all others. */
static void nesting_does_not_overflow_the_stack(void **state)
{
	(void)state;
	for (unsigned field = 1; field <= 20; field++) {
		struct buf nested = {0}, node = {0}, graph = {0}, model = {0};
		nest(&nested, field);
		wire_bytes(&node, 5, nested.data, nested.len);
		wire_bytes(&graph, 1, node.data, node.len);
		wire_bytes(&model, 7, graph.data, graph.len);
		struct loaded l = load_bytes(model.data, model.len, &(struct model_io){0});
		assert_true(l.r < 0);
		l = load_bytes(nested.data, nested.len, &(struct model_io){0});
		assert_true(l.r < 0);
		buf_release(&nested);
		buf_release(&node);
		buf_release(&graph);
		buf_release(&model);
	}
}

/* Every prefix is refused or is a model, and none reads past its end (under a sanitizer that shows). */
static void truncated_models_are_refused(void **state)
{
	struct onnx_builder b = {0};
	struct buf blob = {0};
	size_t refused = 0;

	(void)state;
	onnx_weights(&b, "w", ONNX_FLOAT, INTS(1, 1, 2, 2), (const float[]){1, 2, 3, 4}, 16);
	free_input(&b, "x");
	onnx_begin(&b, "n", "Conv", NAMES("x", "w"), NAMES("y"));
	onnx_ints(&b, "pads", INTS(1, 1, 1, 1));
	onnx_string(&b, "auto_pad", "NOTSET");
	onnx_end(&b);
	onnx_output(&b, "y", ONNX_FLOAT);
	onnx_model(&blob, &b, 11);
	for (size_t len = 0; len < blob.len; len++) {
		char *cut = malloc(len + 1);
		assert_non_null(cut);
		memcpy(cut, blob.data, len);
		struct loaded l = load_bytes(cut, len, &(struct model_io){0});
		refused += l.r < 0;
		if (l.r == 0)
			model_free(l.m);
		free(cut);
	}
	/* Without its operator sets it is still a graph: only those bytes may be missing. */
	assert_true(refused >= blob.len - 32);
	onnx_builder_release(&b);
	buf_release(&blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_read_in_every_spelling),
		cmocka_unit_test(damaged_constants_are_refused),
		cmocka_unit_test(bytes_that_are_no_model_are_refused),
		cmocka_unit_test(unsupported_operators_are_named),
		cmocka_unit_test(odd_attributes_are_named),
		cmocka_unit_test(inputs_that_are_missing_are_named),
		cmocka_unit_test(cycles_are_refused),
		cmocka_unit_test(outputs_that_cannot_be_made_are_named),
		cmocka_unit_test(inputs_and_outputs_are_the_models_own),
		cmocka_unit_test(names_choose_inputs_and_outputs),
		cmocka_unit_test(wrong_input_shape_is_named_when_run),
		cmocka_unit_test(deep_graphs_do_not_overflow_the_stack),
		cmocka_unit_test(nesting_does_not_overflow_the_stack),
		cmocka_unit_test(truncated_models_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
