/*
 * The GraphDef importer: what it reads, and what it refuses with which words.
 */
#include "tests/engine/operator_check.h"

#include <stdlib.h>

struct loaded {
	struct model *m;
	struct error err;
	enum model_fault fault;
	size_t index;
	int r;
};

static struct loaded load_bytes(const void *blob, size_t len, const char *const *in, size_t nin, const char *const *out,
				size_t nout)
{
	const struct model_load_config cfg = {.format = MODEL_TENSORFLOW,
					      .name = "tested",
					      .io = {in, nin, out, nout},
					      .memory_max = (size_t)64 << 20};
	struct loaded l = {.index = 77};

	l.r = model_load(&l.m, &cfg, blob, len, &l.fault, &l.index, &l.err);
	return l;
}

/* Input "x" (if any), output "y"; releases the builder. */
static struct loaded load(struct builder *b, bool with_input)
{
	static const char *const x[] = {"x"}, *const y[] = {"y"};
	struct loaded l = load_bytes(b->graph.data, b->graph.len, x, with_input, y, 1);

	builder_release(b);
	return l;
}

static void assert_refused(struct loaded l, int r, enum model_fault fault, const char *words)
{
	assert_int_equal(l.r, r);
	assert_int_equal(l.fault, fault);
	if (strstr(l.err.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", l.err.text, words);
	assert_non_null(strstr(l.err.text, "tested"));
	assert_null(strchr(l.err.text, '\n'));
}

/* The constant y alone, run. */
static struct tensor *run_constant(struct builder *b)
{
	struct loaded l = load(b, false);
	struct model_context *c;
	struct tensor *out;

	if (l.r < 0)
		fail_msg("%s", l.err.text);
	assert_int_equal(model_context_new(&c, l.m, 0), 0);
	assert_int_equal(model_run(c, NULL, 0, &out, 1, NULL, &l.err), 0);
	model_context_free(c);
	model_free(l.m);
	return out;
}

static void assert_values(struct tensor *t, const double *want, size_t n)
{
	assert_int_equal(t->count, n);
	for (size_t i = 0; i < n; i++)
		assert_true(load_element(t->data, t->dtype, i) == want[i]);
	tensor_unref(t);
}

static void const_node(struct builder *b, int dt, const int64_t *dims, unsigned rank, struct buf *body)
{
	node_begin(b, "y", "Const");
	attr_type(b, "dtype", dt);
	attr_tensor(b, dt, dims, rank, body);
	node_end(b);
	buf_release(body);
}

static void constants_are_read_in_every_spelling(void **state)
{
	static const struct {
		int dt;
		unsigned field;
	} ints[] = {{DT_INT32, 7}, {DT_INT16, 7}, {DT_INT8, 7}, {DT_UINT8, 7}, {DT_UINT16, 7}, {DT_INT64, 10}};
	const int64_t three[] = {3};
	struct builder b = {0};
	struct buf body = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(ints) / sizeof(*ints); i++) {
		wire_int(&body, ints[i].field, 5);
		wire_int(&body, ints[i].field, 6);
		const_node(&b, ints[i].dt, three, 1, &body);
		assert_values(run_constant(&b), (double[]){5, 6, 6}, 3); /* the last one is repeated */
	}
	wire_float(&body, 5, 1.5f);
	const_node(&b, DT_FLOAT, three, 1, &body);
	assert_values(run_constant(&b), (double[]){1.5, 1.5, 1.5}, 3);
	const_node(&b, DT_FLOAT, three, 1, &body);
	assert_values(run_constant(&b), (double[]){0, 0, 0}, 3);
	wire_bytes(&body, 6, (double[]){0.1, 0.2}, 2 * sizeof(double)); /* packed */
	const_node(&b, DT_DOUBLE, three, 1, &body);
	assert_values(run_constant(&b), (double[]){0.1, 0.2, 0.2}, 3);
	wire_int(&body, 11, 1);
	wire_int(&body, 11, 0);
	const_node(&b, DT_BOOL, three, 1, &body);
	assert_values(run_constant(&b), (double[]){1, 0, 0}, 3);
	wire_bytes(&body, 4, "\7\0\0\0\x70\xff\xff\xff", 8);
	const_node(&b, DT_INT32, (int64_t[]){2}, 1, &body);
	assert_values(run_constant(&b), (double[]){7, -144}, 2);
	wire_int(&body, 7, (uint64_t)-3);
	const_node(&b, DT_INT32, NULL, 0, &body);
	assert_values(run_constant(&b), (double[]){-3}, 1); /* a scalar */
}

static void halves_become_floats(void **state)
{
	const uint16_t content[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000};
	const double want[] = {1, -2, 0x1p-24, 65504, 0};
	struct builder b = {0};
	struct buf body = {0};
	struct tensor *t;

	(void)state;
	wire_bytes(&body, 4, content, sizeof(content));
	const_node(&b, DT_HALF, (int64_t[]){5}, 1, &body);
	t = run_constant(&b);
	assert_int_equal(t->dtype, DTYPE_FLOAT);
	assert_values(t, want, 5);
	wire_int(&body, 13, 0x3800);
	const_node(&b, DT_HALF, (int64_t[]){2}, 1, &body);
	assert_values(run_constant(&b), (double[]){0.5, 0.5}, 2);
}

static void damaged_constants_are_refused(void **state)
{
	const int64_t huge[] = {INT64_MAX / 2, 8}, large[] = {1 << 20, 1 << 10}, negative[] = {-1};
	struct builder b = {0};
	struct buf body = {0};

	(void)state;
	wire_bytes(&body, 4, "12345678901", 11);
	const_node(&b, DT_FLOAT, (int64_t[]){3}, 1, &body);
	assert_refused(load(&b, false), ERR_FORMAT, MODEL_FAULT_OTHER, "11 bytes");
	wire_float(&body, 5, 0.0f);
	const_node(&b, DT_FLOAT, huge, 2, &body);
	assert_refused(load(&b, false), ERR_RANGE, MODEL_FAULT_OTHER, "more than 64 MiB");
	wire_float(&body, 5, 0.0f);
	const_node(&b, DT_FLOAT, large, 2, &body);
	assert_refused(load(&b, false), ERR_RANGE, MODEL_FAULT_OTHER, "more than 64 MiB");
	const_node(&b, DT_FLOAT, negative, 1, &body);
	assert_refused(load(&b, false), ERR_FORMAT, MODEL_FAULT_OTHER, "dimension of -1");
	wire_bytes(&body, 8, "text", 4);
	const_node(&b, DT_STRING, NULL, 0, &body);
	assert_refused(load(&b, false), ERR_UNSUPPORTED, MODEL_FAULT_OP, "string");
	node_begin(&b, "y", "Const");
	node_end(&b);
	assert_refused(load(&b, false), ERR_FORMAT, MODEL_FAULT_OTHER, "'value'");
}

static void bytes_that_are_no_graph_are_refused(void **state)
{
	static const char *const y[] = {"y"};
	struct builder b = {0};

	(void)state;
	assert_refused(load_bytes("not a model", 11, NULL, 0, y, 1), ERR_FORMAT, MODEL_FAULT_PARSE, "GraphDef");
	assert_refused(load_bytes("", 0, NULL, 0, y, 1), ERR_NOT_FOUND, MODEL_FAULT_OUTPUT_MISSING, "'y'");
	assert_refused(load_bytes("", 0, NULL, 0, NULL, 0), ERR_INVALID, MODEL_FAULT_OTHER, "no outputs");
	/* Cut anywhere, it is refused or lacks something, and never more. */
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "y", "Neg", (const char *const[]){"x", NULL});
	for (size_t len = 0; len < b.graph.len; len++) {
		static const char *const x[] = {"x"};
		void *exact = malloc(len + 1);
		memcpy(exact, b.graph.data, len);
		struct loaded l = load_bytes(exact, len, x, 1, y, 1);
		assert_true(l.r < 0);
		assert_null(l.m);
		free(exact);
	}
	builder_release(&b);
}

/* A megabyte of messages within messages, as AttrValue.func nests without end. */
static void deep_nesting_does_not_overflow_the_stack(void **state)
{
	static const char *const y[] = {"y"};
	const size_t size = (size_t)1 << 20;
	unsigned char *bomb = malloc(size);
	struct builder b = {0};
	size_t at = size, len;

	(void)state;
	assert_non_null(bomb);
	/* From the inside out, NameAttrList.attr (2) -> entry.value (2) -> AttrValue.func (10) -> ... */
	for (unsigned level = 0; at > 16; level++) {
		static const unsigned char tags[] = {2 << 3 | 2, 2 << 3 | 2, 10 << 3 | 2};
		unsigned char varint[8];
		unsigned n = 0;
		len = size - at;
		do {
			varint[n] = (unsigned char)((len & 127) | (len > 127 ? 128 : 0));
			len >>= 7;
			n++;
		} while (len > 0);
		at -= n;
		memcpy(bomb + at, varint, n);
		bomb[--at] = tags[level % 3];
	}
	struct buf entry = {0};
	wire_bytes(&entry, 1, "f", 1);
	wire_bytes(&entry, 2, bomb + at, size - at);
	node_begin(&b, "x", "Placeholder");
	wire_bytes(&b.node, 5, entry.data, entry.len);
	attr_type(&b, "dtype", DT_FLOAT);
	node_end(&b);
	add_node(&b, "y", "Neg", (const char *const[]){"x", NULL});
	buf_release(&entry);
	/* As an attribute of a good graph it is passed over; as the whole file it is no graph. */
	struct loaded l = load(&b, true);
	assert_int_equal(l.r, 0);
	model_free(l.m);
	assert_true(load_bytes(bomb + at, size - at, NULL, 0, y, 1).r < 0);
	free(bomb);
}

static void unsupported_operators_name_themselves(void **state)
{
	struct builder b = {0};
	struct loaded l;

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "strange", "DecodeJpeg", (const char *const[]){"x", NULL});
	add_node(&b, "y", "Neg", (const char *const[]){"strange", NULL});
	l = load(&b, true);
	assert_refused(l, ERR_UNSUPPORTED, MODEL_FAULT_OP, "node 'strange' (DecodeJpeg)");

	add_placeholder(&b, "x", DT_FLOAT);
	add_ints(&b, "bias", (int64_t[]){1}, 1);
	node_begin(&b, "y", "BiasAdd");
	node_input(&b, "x");
	node_input(&b, "bias");
	attr_string(&b, "data_format", "NCHW_VECT_C");
	node_end(&b);
	l = load(&b, true);
	assert_refused(l, ERR_UNSUPPORTED, MODEL_FAULT_OP,
		       "node 'y' (BiasAdd): attribute 'data_format' = 'NCHW_VECT_C'");

	add_placeholder(&b, "x", DT_BOOL);
	add_node(&b, "y", "Sigmoid", (const char *const[]){"x", NULL});
	assert_refused(load(&b, true), ERR_UNSUPPORTED, MODEL_FAULT_OP, "type BOOL");

	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "y", "Add", (const char *const[]){"x", NULL});
	assert_refused(load(&b, true), ERR_UNSUPPORTED, MODEL_FAULT_OP, "1 inputs");

	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "v", "VariableV2", (const char *const[]){NULL});
	add_node(&b, "y", "Add", (const char *const[]){"x", "v", NULL});
	assert_refused(load(&b, true), ERR_UNSUPPORTED, MODEL_FAULT_OP, "freeze");
}

static void only_what_the_outputs_need_is_imported(void **state)
{
	struct builder b = {0};
	struct loaded l;

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "strange", "DecodeJpeg", (const char *const[]){"nowhere", NULL});
	add_node(&b, "init", "NoOp", (const char *const[]){"^strange", NULL});
	add_node(&b, "y", "Neg", (const char *const[]){"x", "^init", "^gone", NULL});
	l = load(&b, true);
	assert_int_equal(l.r, 0);
	model_free(l.m);
}

static void cycles_are_refused(void **state)
{
	struct builder b = {0};

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "a", "Add", (const char *const[]){"x", "c", NULL});
	add_node(&b, "c", "Neg", (const char *const[]){"a", NULL});
	add_node(&b, "y", "Neg", (const char *const[]){"c", NULL});
	assert_refused(load(&b, true), ERR_UNSUPPORTED, MODEL_FAULT_OP, "cycle");
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "y", "Add", (const char *const[]){"y", "x", NULL});
	assert_refused(load(&b, true), ERR_UNSUPPORTED, MODEL_FAULT_OP, "cycle");
}

static void inputs_must_be_placeholders(void **state)
{
	static const char *const in[] = {"x", "c"}, *const out[] = {"y", "gone"}, *const third[] = {"y", "y:3"};
	struct builder b = {0};
	struct loaded l;

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	add_int(&b, "c", 1);
	add_node(&b, "y", "Neg", (const char *const[]){"x", NULL});
	l = load_bytes(b.graph.data, b.graph.len, in, 2, out, 1);
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_INPUT_MISSING, "'c'");
	assert_int_equal(l.index, 1);
	l = load_bytes(b.graph.data, b.graph.len, in, 1, out, 2);
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_OUTPUT_MISSING, "'gone'");
	assert_int_equal(l.index, 1);
	l = load_bytes(b.graph.data, b.graph.len, in, 1, third, 2);
	assert_refused(l, ERR_NOT_FOUND, MODEL_FAULT_OUTPUT_MISSING, "'y:3'");
	l = load_bytes(b.graph.data, b.graph.len, NULL, 0, out, 1);
	assert_refused(l, ERR_INVALID, MODEL_FAULT_OTHER, "placeholder");
	builder_release(&b);
}

static void references_may_carry_an_output_number(void **state)
{
	static const char *const in[] = {"x:0"}, *const out[] = {"y:0"};
	struct builder b = {0};
	struct loaded l;

	(void)state;
	node_begin(&b, "x", "Placeholder");
	attr_type(&b, "dtype", DT_DOUBLE);
	attr_shape(&b, "shape", (int64_t[]){-1, 30}, 2);
	node_end(&b);
	add_node(&b, "y", "Neg", (const char *const[]){"x:0", NULL});
	l = load_bytes(b.graph.data, b.graph.len, in, 1, out, 1);
	assert_int_equal(l.r, 0);
	assert_int_equal(l.fault, MODEL_FAULT_NONE);
	assert_string_equal(model_input(l.m, 0)->name, "x:0");
	assert_int_equal(model_input(l.m, 0)->dtype, DTYPE_DOUBLE);
	assert_int_equal(model_input(l.m, 0)->rank, 2);
	assert_int_equal(model_input(l.m, 0)->dims[0], -1);
	assert_int_equal(model_input(l.m, 0)->dims[1], 30);
	assert_int_equal(model_output(l.m, 0)->dtype, DTYPE_DOUBLE);
	assert_int_equal(model_output(l.m, 0)->rank, -1);
	model_free(l.m);
	builder_release(&b);
}

static void duplicate_and_dangling_names_are_refused(void **state)
{
	struct builder b = {0};

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "y", "Neg", (const char *const[]){"x", NULL});
	assert_refused(load(&b, true), ERR_FORMAT, MODEL_FAULT_PARSE, "'x'");
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "y", "Neg", (const char *const[]){"nowhere", NULL});
	assert_refused(load(&b, true), ERR_FORMAT, MODEL_FAULT_OTHER, "'nowhere'");
	add_placeholder(&b, "x", DT_FLOAT);
	add_node(&b, "n", "Neg", (const char *const[]){"x", NULL});
	add_node(&b, "y", "Neg", (const char *const[]){"n:1", NULL});
	assert_refused(load(&b, true), ERR_FORMAT, MODEL_FAULT_OTHER, "'n:1'");
}

/* Depth is bounded by memory, not by the stack. */
static void long_chains_are_walked(void **state)
{
	struct builder b = {0};
	char name[32], from[32] = "x";
	struct loaded l;

	(void)state;
	add_placeholder(&b, "x", DT_FLOAT);
	for (int i = 0; i < 20000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		add_node(&b, name, "Identity", (const char *const[]){from, NULL});
		memcpy(from, name, sizeof(from));
	}
	add_node(&b, "y", "Neg", (const char *const[]){from, NULL});
	l = load(&b, true);
	assert_int_equal(l.r, 0);
	model_free(l.m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constants_are_read_in_every_spelling),
		cmocka_unit_test(halves_become_floats),
		cmocka_unit_test(damaged_constants_are_refused),
		cmocka_unit_test(bytes_that_are_no_graph_are_refused),
		cmocka_unit_test(deep_nesting_does_not_overflow_the_stack),
		cmocka_unit_test(unsupported_operators_name_themselves),
		cmocka_unit_test(only_what_the_outputs_need_is_imported),
		cmocka_unit_test(cycles_are_refused),
		cmocka_unit_test(inputs_must_be_placeholders),
		cmocka_unit_test(references_may_carry_an_output_number),
		cmocka_unit_test(duplicate_and_dangling_names_are_refused),
		cmocka_unit_test(long_chains_are_walked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
