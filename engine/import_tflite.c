/*
 * import_tflite.c - a TFLite model: its tensors, its inputs and outputs, and its operators in turn.
 *
 * Operators are stored in the order in which they run. One that reads a tensor which none before it makes is part of
 * a cycle, or out of order, and is refused. Only the main subgraph is read.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "engine/tflite.h"

/* Fields of the schema's tables. */
enum { MODEL_VERSION, MODEL_CODES, MODEL_SUBGRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS };
enum { GRAPH_TENSORS, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_OPERATORS };
enum {
	TENSOR_SHAPE,
	TENSOR_TYPE,
	TENSOR_BUFFER,
	TENSOR_NAME,
	TENSOR_QUANTIZATION,
	TENSOR_VARIABLE,
	TENSOR_SPARSITY,
	TENSOR_SIGNATURE
};
enum { QUANT_STEP = 2, QUANT_ZERO = 3, QUANT_DETAILS_TYPE = 4, QUANT_DIMENSION = 6 };
enum { BUFFER_DATA, BUFFER_OFFSET, BUFFER_SIZE };
enum { CODE_SHORT, CODE_CUSTOM, CODE_VERSION, CODE_BUILTIN };
enum { OPERATOR_CODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_OPTIONS_TYPE, OPERATOR_OPTIONS };

/* A few bytes of a hostile file may ask for this many tables. */
#define TENSORS_MAX (1u << 16)
#define IO_MAX 1024
/* Names may be shared, and as long as the file: every node has a copy, cut. */
#define NODE_NAME_MAX 160
#define TENSOR_NAME_MAX (1u << 16)

static int broken(struct tfl_model *m)
{
	return import_fail(m->im, MODEL_FAULT_PARSE, ERR_FORMAT,
			   "the TFLite file is damaged: an offset or a length "
			   "in it leads outside of it");
}

static bool dtype_of(int8_t type, enum dtype *ret)
{
	switch (type) {
	case TFL_FLOAT32:
	case TFL_FLOAT16:
		*ret = DTYPE_FLOAT;
		return true;
	case TFL_FLOAT64:
		*ret = DTYPE_DOUBLE;
		return true;
	case TFL_INT8:
		*ret = DTYPE_INT8;
		return true;
	case TFL_INT16:
		*ret = DTYPE_INT16;
		return true;
	case TFL_INT32:
		*ret = DTYPE_INT32;
		return true;
	case TFL_INT64:
		*ret = DTYPE_INT64;
		return true;
	case TFL_UINT8:
		*ret = DTYPE_UINT8;
		return true;
	case TFL_UINT16:
		*ret = DTYPE_UINT16;
		return true;
	case TFL_BOOL:
		*ret = DTYPE_BOOL;
		return true;
	default:
		return false;
	}
}

/* --- tensors --- */

static int read_tensor(struct tfl_model *m, const struct fb_table *t, struct tfl_tensor *ret)
{
	const struct fb_vector shape = fb_vector(t, TENSOR_SHAPE, 4), signature = fb_vector(t, TENSOR_SIGNATURE, 4);
	const struct fb_table quant = fb_table(t, TENSOR_QUANTIZATION), sparsity = fb_table(t, TENSOR_SPARSITY);
	const uint32_t buffer = fb_uint32(t, TENSOR_BUFFER, 0);
	const struct fb_vector *dims = signature.n == shape.n && signature.n > 0 ? &signature : &shape;

	*ret = (struct tfl_tensor){.value = VALUE_NONE, .widened = VALUE_NONE};
	ret->name = fb_string(t, TENSOR_NAME);
	ret->type = fb_int8(t, TENSOR_TYPE, 0);
	ret->steps = fb_vector(&quant, QUANT_STEP, 4);
	ret->zeros = fb_vector(&quant, QUANT_ZERO, 8);
	ret->step_dimension = fb_int32(&quant, QUANT_DIMENSION, 0);
	if (m->file.broken)
		return broken(m);
	if (strlen(ret->name) > TENSOR_NAME_MAX)
		return import_fail(m->im, MODEL_FAULT_OTHER, ERR_RANGE, "a tensor's name of %zu characters",
				   strlen(ret->name));
	if (shape.n > TENSOR_MAX_RANK)
		return import_fail(m->im, MODEL_FAULT_OTHER, ERR_RANGE,
				   "tensor '%s' has %u dimensions, at most %d are "
				   "possible",
				   ret->name, shape.n, TENSOR_MAX_RANK);
	if (sparsity.file != NULL)
		return import_fail(m->im, MODEL_FAULT_OP, ERR_UNSUPPORTED,
				   "tensor '%s' is sparse: that is not "
				   "supported",
				   ret->name);
	if (!dtype_of(ret->type, &ret->dtype))
		return import_fail(m->im, MODEL_FAULT_OP, ERR_UNSUPPORTED,
				   "tensor '%s' is of type %d: that is not "
				   "supported",
				   ret->name, ret->type);
	ret->rank = (int)shape.n;
	for (uint32_t i = 0; i < shape.n; i++)
		ret->dims[i] = fb_vector_int32(dims, i);
	if (buffer >= m->buffers.n)
		return buffer == 0 ? 0
				   : import_fail(m->im, MODEL_FAULT_PARSE, ERR_FORMAT,
						 "tensor '%s' is in buffer %u of %u", ret->name, buffer, m->buffers.n);
	const struct fb_table data = fb_vector_table(&m->buffers, buffer);
	ret->data = fb_vector(&data, BUFFER_DATA, 1);
	if (ret->data.n == 0)
		ret->data.data = NULL;
	if (fb_uint64(&data, BUFFER_OFFSET, 0) > 1)
		return import_fail(m->im, MODEL_FAULT_OP, ERR_UNSUPPORTED,
				   "tensor '%s' is outside the FlatBuffer (a model of more than 2 GB): that is not "
				   "supported",
				   ret->name);
	return m->file.broken ? broken(m) : 0;
}

/* A new tensor of the constant's shape, with no data yet. */
static int constant_shell(const struct tfl_op *o, const struct tfl_tensor *t, enum dtype dtype, struct tensor **ret)
{
	const size_t element = t->type == TFL_FLOAT16 ? 2 : dtype_size(t->dtype);
	size_t count, bytes;
	int64_t dims[TENSOR_MAX_RANK];

	for (int i = 0; i < t->rank; i++)
		dims[i] = t->dims[i];
	if (!shape_count(&count, dims, (unsigned)t->rank) || !size_mul(&bytes, count, element) || bytes != t->data.n)
		return error_set(o->err, ERR_FORMAT, "tensor '%s' has %u bytes of data, which does not suit its shape",
				 t->name, t->data.n);
	int r = graph_check_constant(o->m->g, dtype, dims, (unsigned)t->rank, o->err);
	return r < 0 ? r : tensor_new(ret, dtype, dims, (unsigned)t->rank, false, o->m->g->allocator);
}

static int add_constant(struct tfl_op *o, struct tfl_tensor *t)
{
	struct tensor *made;
	int r = constant_shell(o, t, t->dtype, &made);

	if (r != 0)
		return r;
	if (t->type == TFL_FLOAT16) {
		for (size_t i = 0; i < made->count; i++)
			((float *)made->data)[i] =
				float_from_half((uint16_t)(t->data.data[2 * i] | t->data.data[2 * i + 1] << 8));
	} else {
		memcpy(made->data, t->data.data, made->size);
	}
	for (size_t i = 0; t->dtype == DTYPE_BOOL && i < made->count; i++)
		((uint8_t *)made->data)[i] = ((uint8_t *)made->data)[i] != 0;
	int64_t v = graph_add_constant(o->m->g, made);
	if (v < 0)
		return (int)v;
	t->value = (uint32_t)v;
	return 0;
}

int tfl_check_steps(const struct tfl_op *o, const struct tfl_tensor *t)
{
	bool single = t->steps.n == 1;

	if (t->steps.n == 0)
		return error_set(o->err, ERR_UNSUPPORTED, "tensor '%s' has no quantization", t->name);
	if (!single && (t->step_dimension < 0 || t->step_dimension >= t->rank ||
			t->dims[t->step_dimension] != (int64_t)t->steps.n))
		return error_set(o->err, ERR_FORMAT,
				 "tensor '%s' has %u quantization steps, which do not suit its "
				 "shape",
				 t->name, t->steps.n);
	if (t->zeros.n != 0 && t->zeros.n != 1 && t->zeros.n != t->steps.n)
		return error_set(o->err, ERR_FORMAT, "tensor '%s' has %u quantization steps and %u zero points",
				 t->name, t->steps.n, t->zeros.n);
	for (uint32_t i = 0; i < t->steps.n; i++) {
		float step = fb_vector_float(&t->steps, i);
		if (!(step > 0.0f) || isinf(step))
			return error_set(o->err, ERR_FORMAT, "tensor '%s' has a quantization step of %g", t->name,
					 (double)step);
	}
	return 0;
}

static int widen_constant(struct tfl_op *o, struct tfl_tensor *t)
{
	struct tensor *made;
	size_t inner = 1;
	int r = tfl_check_steps(o, t);

	if (r == 0)
		r = constant_shell(o, t, DTYPE_FLOAT, &made);
	if (r != 0)
		return r;
	for (int i = t->step_dimension + 1; i > 0 && i < t->rank; i++)
		inner *= (size_t)t->dims[i];
	for (size_t i = 0; i < made->count; i++) {
		uint32_t at = t->steps.n > 1 ? (uint32_t)(i / inner % t->steps.n) : 0;
		int64_t zero = t->zeros.n > 0 ? fb_vector_int64(&t->zeros, t->zeros.n > 1 ? at : 0) : 0;
		int32_t q = t->type == TFL_INT8 ? (int8_t)t->data.data[i] : t->data.data[i];
		((float *)made->data)[i] = fb_vector_float(&t->steps, at) * ((float)q - (float)zero);
	}
	int64_t v = graph_add_constant(o->m->g, made);
	if (v < 0)
		return (int)v;
	t->widened = (uint32_t)v;
	return 0;
}

/* --- what the operators' files use --- */

static struct tfl_tensor *tensor_at(const struct tfl_model *m, const struct fb_vector *numbers, uint32_t i)
{
	if (i >= numbers->n)
		return NULL;
	int32_t number = fb_vector_int32(numbers, i);
	return number >= 0 && (uint32_t)number < m->ntensors ? &m->tensors[number] : NULL;
}

struct tfl_tensor *tfl_in(const struct tfl_op *o, uint32_t i)
{
	return tensor_at(o->m, o->in, i);
}

struct tfl_tensor *tfl_out(const struct tfl_op *o, uint32_t i)
{
	return tensor_at(o->m, o->out, i);
}

int tfl_value(struct tfl_op *o, uint32_t i, uint32_t *ret)
{
	struct tfl_tensor *t = tfl_in(o, i);

	if (t == NULL)
		return error_set(o->err, ERR_FORMAT, "input %u is missing", i);
	if (t->value == VALUE_NONE && t->data.data == NULL)
		return error_set(o->err, ERR_FORMAT,
				 "input '%s' is made by no operator before this one: the graph has a cycle, or is out "
				 "of order",
				 t->name);
	int r = t->value == VALUE_NONE ? add_constant(o, t) : 0;
	if (r < 0)
		return r;
	*ret = t->value;
	return 0;
}

int tfl_float_value(struct tfl_op *o, uint32_t i, uint32_t *ret)
{
	struct tfl_tensor *t = tfl_in(o, i);

	if (!tfl_is_8bit(t) || t->data.data == NULL)
		return tfl_value(o, i, ret);
	int r = t->widened == VALUE_NONE ? widen_constant(o, t) : 0;
	if (r < 0)
		return r;
	*ret = t->widened;
	return 0;
}

int tfl_constant(struct tfl_op *o, enum dtype t, const int64_t *dims, unsigned rank, const void *data, uint32_t *ret)
{
	struct tensor *made;
	int r = graph_check_constant(o->m->g, t, dims, rank, o->err);

	if (r == 0)
		r = tensor_new(&made, t, dims, rank, false, o->m->g->allocator);
	if (r != 0)
		return r;
	memcpy(made->data, data, made->size);
	int64_t v = graph_add_constant(o->m->g, made);
	if (v < 0)
		return (int)v;
	*ret = (uint32_t)v;
	return 0;
}

int tfl_node(struct tfl_op *o, enum op op, const struct attributes *attr, const uint32_t *in, uint32_t nin,
	     uint32_t nout, uint32_t *ret)
{
	struct node *made;
	int r = graph_add_node(o->m->g, op, o->name, attr, in, nin, nout, &made, o->err);

	if (r < 0)
		return r;
	*ret = made->out[0];
	return 0;
}

int tfl_set(struct tfl_op *o, uint32_t i, uint32_t value)
{
	struct tfl_tensor *t = tfl_out(o, i);

	if (t == NULL)
		return error_set(o->err, ERR_FORMAT, "output %u is missing", i);
	if (t->value != VALUE_NONE)
		return error_set(o->err, ERR_FORMAT, "output '%s' is there already", t->name);
	if (o->m->g->values[value].dtype != t->dtype)
		return error_set(o->err, ERR_FORMAT, "output '%s' is of type %s, but is declared as %s", t->name,
				 dtype_name(o->m->g->values[value].dtype), dtype_name(t->dtype));
	t->value = value;
	return 0;
}

int tfl_quantization(const struct tfl_op *o, const struct tfl_tensor *t, float *ret_step, int32_t *ret_zero)
{
	if (t == NULL)
		return error_set(o->err, ERR_FORMAT, "an input or output is missing");
	int r = tfl_check_steps(o, t);
	if (r < 0)
		return r;
	int64_t zero = t->zeros.n > 0 ? fb_vector_int64(&t->zeros, 0) : 0;
	int64_t low = t->type == TFL_UINT8 ? 0 : INT8_MIN;
	if (t->steps.n != 1)
		return error_set(o->err, ERR_UNSUPPORTED, "tensor '%s' has %u quantization steps where one is wanted",
				 t->name, t->steps.n);
	if (zero < low || zero > low + 255)
		return error_set(o->err, ERR_FORMAT, "tensor '%s' has a zero point of %" PRId64, t->name, zero);
	*ret_step = fb_vector_float(&t->steps, 0);
	*ret_zero = (int32_t)zero;
	return 0;
}

/* --- operators --- */

static int32_t builtin_code(const struct fb_table *code)
{
	const int8_t narrow = fb_int8(code, CODE_SHORT, 0);
	const int32_t wide = fb_int32(code, CODE_BUILTIN, 0);

	return narrow > wide ? narrow : wide;
}

static int convert_operator(struct tfl_model *m, uint32_t index)
{
	const struct fb_table t = fb_vector_table(&m->operators, index);
	const struct fb_vector in = fb_vector(&t, OPERATOR_INPUTS, 4), out = fb_vector(&t, OPERATOR_OUTPUTS, 4);
	const uint32_t number = fb_uint32(&t, OPERATOR_CODE, 0);
	char buf[TFL_NAME_MAX], name[NODE_NAME_MAX] = "";
	struct error text = {{0}};

	if (!m->file.broken && number >= m->codes.n)
		return import_fail(m->im, MODEL_FAULT_PARSE, ERR_FORMAT, "operator %u is of kind %u of %u", index,
				   number, m->codes.n);
	if (m->file.broken)
		return broken(m);
	const struct fb_table code = fb_vector_table(&m->codes, number);
	const char *custom = fb_string(&code, CODE_CUSTOM);
	struct tfl_op o = {.m = m, .nin = in.n, .nout = out.n, .in = &in, .out = &out, .err = &text};
	o.code = builtin_code(&code);
	o.options = fb_table(&t, OPERATOR_OPTIONS);
	o.name = name;
	if (tfl_out(&o, 0) != NULL)
		snprintf(name, sizeof(name), "%s", tfl_out(&o, 0)->name);
	if (m->file.broken)
		return broken(m);
	int r = o.code == TFL_OP_CUSTOM
			? error_set(&text, ERR_UNSUPPORTED, "custom operator '%s' is not supported", custom)
			: tfl_convert(&o);
	if (m->file.broken)
		return broken(m);
	if (r == 0)
		return 0;
	return import_fail(m->im, r == ERR_UNSUPPORTED ? MODEL_FAULT_OP : MODEL_FAULT_OTHER, (enum error_code)r,
			   "operator %u (%s) that makes '%s': %s", index, tfl_operator_name(o.code, buf), o.name,
			   text.text[0] != '\0' ? text.text : error_message(r));
}

/* --- inputs and outputs --- */

/* Tensor numbers of the model's inputs or outputs: all of them, or those that are named. */
static int choose(struct tfl_model *m, const struct fb_vector *numbers, const char *const *names, size_t n, bool input,
		  uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		uint32_t k = (uint32_t)i;
		if (names != NULL) {
			for (k = 0; k < numbers->n; k++) {
				const struct tfl_tensor *t = tensor_at(m, numbers, k);
				if (t != NULL && strcmp(t->name, names[i]) == 0)
					break;
			}
		}
		m->im->fault_index = i;
		if (k >= numbers->n)
			return import_fail(m->im, input ? MODEL_FAULT_INPUT_MISSING : MODEL_FAULT_OUTPUT_MISSING,
					   ERR_NOT_FOUND, "%s '%s' is none of the model", input ? "input" : "output",
					   names[i]);
		if (tensor_at(m, numbers, k) == NULL)
			return import_fail(m->im, MODEL_FAULT_PARSE, ERR_FORMAT, "%s %u is no tensor of the model",
					   input ? "input" : "output", k);
		ret[i] = (uint32_t)fb_vector_int32(numbers, k);
	}
	return 0;
}

static int describe(const struct tfl_tensor *t, struct model_tensor_info *info)
{
	info->dtype = t->dtype;
	info->rank = t->rank;
	memcpy(info->dims, t->dims, sizeof(t->dims));
	info->name = strdup(t->name != NULL ? t->name : "");
	return info->name != NULL ? 0 : ERR_NOMEM;
}

static int add_inputs(struct tfl_model *m, const uint32_t *numbers, size_t n, uint32_t *values)
{
	for (size_t i = 0; i < n; i++) {
		struct tfl_tensor *t = &m->tensors[numbers[i]];
		if (t->value != VALUE_NONE || t->type == TFL_FLOAT16)
			return import_fail(m->im, MODEL_FAULT_OTHER, ERR_UNSUPPORTED,
					   "input '%s' is there twice, or of type FLOAT16", t->name);
		int64_t v = graph_add_value(m->g, t->dtype);
		if (v < 0)
			return (int)v;
		values[i] = t->value = (uint32_t)v;
		int r = describe(t, &m->im->inputs[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_outputs(struct tfl_model *m, const uint32_t *numbers, size_t n, uint32_t *values)
{
	const struct fb_vector none = {0};
	struct error text = {{0}};
	struct tfl_op o = {.m = m, .in = &none, .out = &none, .err = &text};

	for (size_t i = 0; i < n; i++) {
		struct tfl_tensor *t = &m->tensors[numbers[i]];
		if (t->value == VALUE_NONE && t->data.data == NULL)
			return import_fail(m->im, MODEL_FAULT_OTHER, ERR_FORMAT, "output '%s' is made by no operator",
					   t->name);
		int r = t->value == VALUE_NONE ? add_constant(&o, t) : 0;
		if (r < 0)
			return import_fail(m->im, MODEL_FAULT_OTHER, (enum error_code)r, "%s",
					   text.text[0] != '\0' ? text.text : error_message(r));
		values[i] = t->value;
		r = describe(t, &m->im->outputs[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the model --- */

static int read_subgraph(struct tfl_model *m, const struct fb_table *subgraph)
{
	const struct fb_vector tensors = fb_vector(subgraph, GRAPH_TENSORS, 4);

	m->operators = fb_vector(subgraph, GRAPH_OPERATORS, 4);
	if (m->file.broken)
		return broken(m);
	if (tensors.n > TENSORS_MAX || m->operators.n > TENSORS_MAX)
		return import_fail(m->im, MODEL_FAULT_OTHER, ERR_RANGE,
				   "%u tensors and %u operators, at most %u are "
				   "possible",
				   tensors.n, m->operators.n, TENSORS_MAX);
	m->tensors = calloc((size_t)tensors.n + 1, sizeof(*m->tensors));
	if (m->tensors == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < tensors.n; i++) {
		const struct fb_table t = fb_vector_table(&tensors, i);
		int r = m->file.broken ? broken(m) : read_tensor(m, &t, &m->tensors[i]);
		if (r < 0)
			return r;
	}
	m->ntensors = tensors.n;
	return 0;
}

static int import_subgraph(struct tfl_model *m, const struct fb_table *subgraph)
{
	struct import *im = m->im;
	const struct fb_vector in = fb_vector(subgraph, GRAPH_INPUTS, 4), out = fb_vector(subgraph, GRAPH_OUTPUTS, 4);
	const size_t nin = im->io.ninputs != 0 ? im->io.ninputs : in.n,
		     nout = im->io.noutputs != 0 ? im->io.noutputs : out.n;

	if (m->file.broken)
		return broken(m);
	if (nout == 0)
		return import_fail(im, MODEL_FAULT_EMPTY, ERR_FORMAT, "the model has no outputs");
	if (nin > IO_MAX || nout > IO_MAX)
		return import_fail(im, MODEL_FAULT_OTHER, ERR_RANGE,
				   "%zu inputs and %zu outputs, at most %d are possible", nin, nout, IO_MAX);
	uint32_t *numbers = calloc(nin + nout, 2 * sizeof(*numbers)), *values = numbers + nin + nout;
	int r;
	if (numbers == NULL)
		return ERR_NOMEM;
	r = import_alloc_io(im, nin, nout);
	if (r == 0)
		r = choose(m, &in, im->io.ninputs != 0 ? im->io.inputs : NULL, nin, true, numbers);
	if (r == 0)
		r = choose(m, &out, im->io.noutputs != 0 ? im->io.outputs : NULL, nout, false, numbers + nin);
	if (r == 0)
		r = add_inputs(m, numbers, nin, values);
	for (uint32_t i = 0; i < m->operators.n && r == 0; i++)
		r = convert_operator(m, i);
	if (r == 0)
		r = add_outputs(m, numbers + nin, nout, values + nin);
	if (r == 0)
		r = graph_set_io(m->g, values, (uint32_t)nin, values + nin, (uint32_t)nout);
	free(numbers);
	return r;
}

int import_tflite(struct import *im, const void *blob, size_t len)
{
	struct tfl_model m = {.im = im, .g = im->graph};
	int r;

	if (!fb_open(&m.file, blob, len, "TFL3", &m.root))
		return import_fail(im, MODEL_FAULT_PARSE, ERR_FORMAT, "the bytes are no TFLite model");
	const struct fb_vector subgraphs = fb_vector(&m.root, MODEL_SUBGRAPHS, 4);
	m.codes = fb_vector(&m.root, MODEL_CODES, 4);
	m.buffers = fb_vector(&m.root, MODEL_BUFFERS, 4);
	if (m.file.broken)
		return broken(&m);
	if (subgraphs.n == 0)
		return import_fail(im, MODEL_FAULT_EMPTY, ERR_FORMAT, "the TFLite model has no graph");
	const struct fb_table subgraph = fb_vector_table(&subgraphs, 0);
	r = m.file.broken ? broken(&m) : read_subgraph(&m, &subgraph);
	if (r == 0)
		r = import_subgraph(&m, &subgraph);
	free(m.tensors);
	return r;
}
