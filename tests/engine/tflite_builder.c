/*
 * The file is written front to back: a table with room for its references, then what they lead to.
 */
#include "tests/engine/tflite_builder.h"

#include <stdlib.h>
#include <string.h>

#define FIELDS 8

/* The fields of a table that are there, each of 4 bytes, and where they were written. */
struct table {
	bool present[FIELDS];
	uint32_t value[FIELDS];
	size_t slot[FIELDS];
};

static void add(struct buf *f, const void *data, size_t n)
{
	if (buf_append(f, data, n) < 0)
		abort();
}

static void add_int(struct buf *f, uint64_t v, size_t size)
{
	uint8_t bytes[8];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(v >> 8 * i);
	add(f, bytes, size);
}

static void align(struct buf *f, size_t to)
{
	while (f->len % to != 0)
		add(f, "", 1);
}

/* The reference at `slot` leads to here. */
static void lead(struct buf *f, size_t slot)
{
	size_t distance = f->len - slot;

	for (size_t i = 0; i < 4; i++)
		((uint8_t *)f->data)[slot + i] = (uint8_t)(distance >> 8 * i);
}

static void add_table(struct buf *f, size_t slot, struct table *t)
{
	uint16_t at = 4;

	align(f, 4);
	add_int(f, 4 + 2 * FIELDS, 2);
	uint16_t size = 4;
	for (unsigned i = 0; i < FIELDS; i++)
		size = (uint16_t)(size + (t->present[i] ? 4 : 0));
	add_int(f, size, 2);
	for (unsigned i = 0; i < FIELDS; i++) {
		add_int(f, t->present[i] ? at : 0, 2);
		at = (uint16_t)(at + (t->present[i] ? 4 : 0));
	}
	lead(f, slot);
	add_int(f, 4 + 2 * FIELDS, 4); /* back to the vtable */
	for (unsigned i = 0; i < FIELDS; i++) {
		t->slot[i] = f->len;
		if (t->present[i])
			add_int(f, t->value[i], 4);
	}
}

/* n elements follow; returns where. Elements of 8 bytes and data are aligned as the format asks. */
static size_t add_vector(struct buf *f, size_t slot, size_t n, size_t alignment)
{
	align(f, 4);
	while ((f->len + 4) % alignment != 0)
		add(f, "\0\0\0", 4);
	lead(f, slot);
	add_int(f, n, 4);
	return f->len;
}

/* Room for n references; returns the first. */
static size_t add_references(struct buf *f, size_t slot, size_t n)
{
	size_t first = add_vector(f, slot, n, 4);

	for (size_t i = 0; i < n; i++)
		add_int(f, 0, 4);
	return first;
}

static void add_ints(struct buf *f, size_t slot, const int32_t *v, size_t n)
{
	add_vector(f, slot, n, 4);
	for (size_t i = 0; i < n; i++)
		add_int(f, (uint32_t)v[i], 4);
}

static void add_string(struct buf *f, size_t slot, const char *s)
{
	add_vector(f, slot, strlen(s), 4);
	add(f, s, strlen(s) + 1);
}

int tfb_tensor(struct tfb *b, const char *name, int type, const int64_t *dims, unsigned rank)
{
	struct tfb_tensor *t = &b->tensors[b->ntensors];

	if (b->ntensors == TFB_TENSORS || rank > 8)
		abort();
	*t = (struct tfb_tensor){.name = name, .type = type, .rank = rank};
	for (unsigned i = 0; i < rank; i++)
		t->dims[i] = dims[i];
	return (int)b->ntensors++;
}

int tfb_constant(struct tfb *b, const char *name, int type, const int64_t *dims, unsigned rank, const void *data,
		 size_t size)
{
	int i = tfb_tensor(b, name, type, dims, rank);

	b->tensors[i].data = data;
	b->tensors[i].size = size;
	return i;
}

void tfb_quantize(struct tfb *b, int tensor, float step, int64_t zero)
{
	struct tfb_tensor *t = &b->tensors[tensor];

	t->step = step;
	t->zero = zero;
	t->steps = &t->step;
	t->zeros = &t->zero;
	t->nsteps = 1;
}

void tfb_quantize_each(struct tfb *b, int tensor, const float *steps, unsigned n, int dimension)
{
	static const int64_t zeros[64];
	struct tfb_tensor *t = &b->tensors[tensor];

	t->steps = steps;
	t->zeros = n <= sizeof(zeros) / sizeof(*zeros) ? zeros : NULL;
	t->nsteps = n;
	t->dimension = dimension;
}

struct tfb_operator *tfb_operator(struct tfb *b, int code, const int32_t *in, unsigned nin, int32_t out)
{
	struct tfb_operator *o = &b->operators[b->noperators++];

	if (b->noperators > TFB_OPERATORS || nin > TFB_LINKS)
		abort();
	*o = (struct tfb_operator){.code = code, .nin = nin, .nout = 1, .out = {out}};
	for (unsigned i = 0; i < nin; i++)
		o->in[i] = in[i];
	return o;
}

void tfb_option(struct tfb_operator *o, unsigned field, int32_t value)
{
	o->options[field] = (struct tfb_option){.present = true, .value = value};
}

void tfb_option_float(struct tfb_operator *o, unsigned field, float value)
{
	int32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	tfb_option(o, field, bits);
}

/* --- the file --- */

static void write_tensor(struct buf *f, size_t slot, const struct tfb_tensor *t, uint32_t buffer)
{
	struct table table = {.present = {true, true, true, true, t->nsteps > 0, false, false, t->free_batch}};
	struct table quant = {.present = {false, false, true, t->zeros != NULL, false, false, true}};
	int32_t dims[8];

	table.value[1] = (uint32_t)t->type;
	table.value[2] = buffer;
	add_table(f, slot, &table);
	for (unsigned i = 0; i < t->rank; i++)
		dims[i] = (int32_t)t->dims[i];
	add_ints(f, table.slot[0], dims, t->rank);
	add_string(f, table.slot[3], t->name);
	if (t->free_batch) {
		dims[0] = -1;
		add_ints(f, table.slot[7], dims, t->rank);
	}
	if (t->nsteps == 0)
		return;
	quant.value[6] = (uint32_t)t->dimension;
	add_table(f, table.slot[4], &quant);
	add_vector(f, quant.slot[2], t->nsteps, 4);
	add(f, t->steps, t->nsteps * sizeof(*t->steps));
	if (t->zeros == NULL)
		return;
	add_vector(f, quant.slot[3], t->nsteps, 8);
	add(f, t->zeros, t->nsteps * sizeof(*t->zeros));
}

/* The kind of an operator's options, as the schema's union numbers it. */
static uint32_t options_type(int code)
{
	static const uint8_t types[][2] = {{TFB_ADD, 11},      {TFB_AVERAGE_POOL, 5}, {TFB_CONCATENATION, 10},
					   {TFB_CONV, 1},      {TFB_DEPTHWISE, 2},    {TFB_FULLY_CONNECTED, 8},
					   {TFB_MAX_POOL, 5},  {TFB_MUL, 21},         {TFB_RESHAPE, 17},
					   {TFB_SOFTMAX, 9},   {TFB_PAD, 22},         {TFB_TRANSPOSE, 26},
					   {TFB_MEAN, 27},     {TFB_SUB, 28},         {TFB_SQUEEZE, 30},
					   {TFB_SPLIT, 35},    {TFB_DEQUANTIZE, 38},  {TFB_LEAKY_RELU, 75},
					   {TFB_QUANTIZE, 89}, {TFB_HARD_SWISH, 91}};

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		if (types[i][0] == code)
			return types[i][1];
	}
	return 0;
}

static void write_operator(struct buf *f, size_t slot, const struct tfb_operator *o, uint32_t code)
{
	struct table table = {.present = {true, true, true, true, true}}, options = {.present = {false}};

	table.value[0] = code;
	table.value[3] = options_type(o->code);
	add_table(f, slot, &table);
	add_ints(f, table.slot[1], o->in, o->nin);
	add_ints(f, table.slot[2], o->out, o->nout);
	for (unsigned i = 0; i < TFB_OPTIONS; i++) {
		options.present[i] = o->options[i].present || o->options[i].vector != NULL;
		options.value[i] = (uint32_t)o->options[i].value;
	}
	add_table(f, table.slot[4], &options);
	for (unsigned i = 0; i < TFB_OPTIONS; i++) {
		if (o->options[i].vector != NULL)
			add_ints(f, options.slot[i], o->options[i].vector, o->options[i].n);
	}
}

/* Buffer 0 is the empty one; tensor i has buffer i + 1. */
static void write_buffers(struct tfb *b, size_t slot)
{
	struct buf *f = &b->file;
	size_t first = add_references(f, slot, b->ntensors + 1);

	for (unsigned i = 0; i <= b->ntensors; i++) {
		const struct tfb_tensor *t = i > 0 ? &b->tensors[i - 1] : NULL;
		struct table table = {.present = {t != NULL && t->data != NULL}};
		add_table(f, first + 4 * i, &table);
		if (t != NULL && t->data != NULL) {
			add_vector(f, table.slot[0], t->size, 16);
			add(f, t->data, t->size);
		}
	}
}

static void write_codes(struct tfb *b, size_t slot)
{
	struct buf *f = &b->file;
	size_t first = add_references(f, slot, b->noperators);

	for (unsigned i = 0; i < b->noperators; i++) {
		const struct tfb_operator *o = &b->operators[i];
		struct table table = {.present = {true, o->custom != NULL, false, true}};
		table.value[0] = (uint32_t)(o->code < 127 ? o->code : 127);
		table.value[3] = (uint32_t)o->code;
		add_table(f, first + 4 * i, &table);
		if (o->custom != NULL)
			add_string(f, table.slot[1], o->custom);
	}
}

void tfb_write(struct tfb *b)
{
	struct buf *f = &b->file;
	struct table model = {.present = {true, true, true, false, true}, .value = {3}};
	struct table subgraph = {.present = {true, true, true, true}};

	buf_clear(f);
	add_int(f, 0, 4);
	add(f, "TFL3", 4);
	add_table(f, 0, &model);
	write_codes(b, model.slot[1]);
	add_table(f, add_references(f, model.slot[2], 1), &subgraph);
	size_t first = add_references(f, subgraph.slot[0], b->ntensors);
	for (unsigned i = 0; i < b->ntensors; i++)
		write_tensor(f, first + 4 * i, &b->tensors[i], i + 1);
	add_ints(f, subgraph.slot[1], b->inputs, b->ninputs);
	add_ints(f, subgraph.slot[2], b->outputs, b->noutputs);
	first = add_references(f, subgraph.slot[3], b->noperators);
	for (unsigned i = 0; i < b->noperators; i++)
		write_operator(f, first + 4 * i, &b->operators[i], i);
	write_buffers(b, model.slot[4]);
}

void tfb_finish(struct tfb *b, int32_t input, int32_t output)
{
	b->inputs[0] = input;
	b->outputs[0] = output;
	b->ninputs = b->noutputs = 1;
	tfb_write(b);
}

void tfb_release(struct tfb *b)
{
	buf_release(&b->file);
	*b = (struct tfb){0};
}
