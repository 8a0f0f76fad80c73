/*
 * ops.c - the table of operators, and what their files share.
 */
#include "engine/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"

#define UNARY(t) \
	{ \
		1, 1, OP_INPLACE, t, plan_unary, 0 \
	}
#define BINARY(t) \
	{ \
		2, 2, OP_INPLACE, t, plan_binary, 0 \
	}
#define QUANT_PRODUCT \
	{ \
		5, 5, 0, types_quant_product, plan_quant_product, KNOWN(1) | KNOWN(2) | KNOWN(3) | KNOWN(4) \
	}
#define REDUCE \
	{ \
		2, 2, 0, types_reduce, plan_reduce, KNOWN(1) \
	}

static const struct op_def defs[OP_COUNT] = {
	[OP_NEG] = UNARY(types_unary_number),
	[OP_EXP] = UNARY(types_unary_float),
	[OP_LOG] = UNARY(types_unary_float),
	[OP_SQRT] = UNARY(types_unary_float),
	[OP_RSQRT] = UNARY(types_unary_float),
	[OP_SQUARE] = UNARY(types_unary_number),
	[OP_TANH] = UNARY(types_unary_float),
	[OP_SIGMOID] = UNARY(types_unary_float),
	[OP_RELU] = UNARY(types_unary_number),
	[OP_RELU6] = UNARY(types_unary_number),
	[OP_LEAKY_RELU] = UNARY(types_unary_float),
	[OP_ELU] = UNARY(types_unary_float),
	[OP_FLOOR] = UNARY(types_unary_float),
	[OP_ADD] = BINARY(types_binary),
	[OP_SUB] = BINARY(types_binary),
	[OP_MUL] = BINARY(types_binary),
	[OP_DIV] = BINARY(types_division),
	[OP_MAXIMUM] = BINARY(types_binary),
	[OP_MINIMUM] = BINARY(types_binary),
	[OP_BIAS_ADD] = {2, 2, OP_INPLACE, types_binary, plan_bias_add, 0},
	[OP_MATMUL] = {2, 3, 0, types_matmul, plan_matmul, 0},
	[OP_SOFTMAX] = {1, 1, OP_INPLACE, types_unary_float, plan_softmax, 0},
	[OP_LOG_SOFTMAX] = {1, 1, OP_INPLACE, types_unary_float, plan_softmax, 0},
	[OP_IDENTITY] = {1, 1, OP_VIEW, types_same, plan_identity, 0},
	[OP_RESHAPE] = {2, 2, OP_VIEW, types_with_ints, plan_reshape, KNOWN(1)},
	[OP_SQUEEZE] = {1, 1, OP_VIEW, types_same, plan_squeeze, 0},
	[OP_EXPAND_DIMS] = {2, 2, OP_VIEW, types_with_ints, plan_expand_dims, KNOWN(1)},
	[OP_SHAPE] = {1, 1, 0, types_shape, plan_shape, 0},
	[OP_TRANSPOSE] = {2, 2, 0, types_with_ints, plan_transpose, KNOWN(1)},
	[OP_CONCAT] = {2, 0, 0, types_concat, plan_concat, KNOWN_LAST},
	[OP_SPLIT] = {2, 2, 0, types_with_ints, plan_split, KNOWN(1)},
	[OP_SLICE] = {3, 3, 0, types_with_ints, plan_slice, KNOWN(1) | KNOWN(2)},
	[OP_STRIDED_SLICE] = {4, 4, 0, types_with_ints, plan_strided_slice, KNOWN(1) | KNOWN(2) | KNOWN(3)},
	[OP_PAD] = {2, 3, 0, types_pad, plan_pad, KNOWN(1)},
	[OP_GATHER] = {3, 3, 0, types_with_ints, plan_gather, KNOWN(2)},
	[OP_PACK] = {1, 0, 0, types_same, plan_pack, 0},
	[OP_UNPACK] = {1, 1, 0, types_same, plan_unpack, 0},
	[OP_CAST] = {1, 1, 0, types_cast, plan_cast, 0},
	[OP_REDUCE_MEAN] = REDUCE,
	[OP_REDUCE_SUM] = REDUCE,
	[OP_REDUCE_MAX] = REDUCE,
	[OP_REDUCE_MIN] = REDUCE,
	[OP_ARGMAX] = {2, 2, 0, types_argmax, plan_argmax, KNOWN(1)},
	[OP_RANDOM_UNIFORM] = {1, 1, OP_RANDOM, types_random, plan_random_uniform, KNOWN(0)},
	[OP_FLATTEN] = {1, 1, OP_VIEW, types_same, plan_flatten, 0},
	[OP_CONV2D] = {2, 4, 0, types_float, plan_conv2d, 0},
	[OP_MAX_POOL] = {1, 1, 0, types_float, plan_pool, 0},
	[OP_AVG_POOL] = {1, 1, 0, types_float, plan_pool, 0},
	[OP_BATCH_NORM] = {5, 5, 0, types_float, plan_batch_norm, KNOWN(1) | KNOWN(2) | KNOWN(3) | KNOWN(4)},
	[OP_LRN] = {1, 1, 0, types_float, plan_lrn, 0},
	[OP_QUANTIZE] = {1, 1, 0, types_quantize, plan_quantize, 0},
	[OP_QUANT_TABLE] = {2, 2, 0, types_quant_table, plan_quant_table, KNOWN(1)},
	[OP_QUANT_CONV2D] = QUANT_PRODUCT,
	[OP_QUANT_DEPTHWISE] = QUANT_PRODUCT,
	[OP_QUANT_MATMUL] = QUANT_PRODUCT,
	[OP_QUANT_ADD] = {2, 2, OP_INPLACE, types_quant, plan_quant_binary, 0},
	[OP_QUANT_SUB] = {2, 2, OP_INPLACE, types_quant, plan_quant_binary, 0},
	[OP_QUANT_MUL] = {2, 2, OP_INPLACE, types_quant, plan_quant_binary, 0},
	[OP_QUANT_AVG_POOL] = {1, 1, 0, types_quant, plan_quant_pool, 0},
	[OP_QUANT_MAX_POOL] = {1, 1, 0, types_quant, plan_quant_pool, 0},
	[OP_QUANT_MEAN] = {2, 2, 0, types_quant, plan_quant_mean, KNOWN(1)},
	[OP_QUANT_SOFTMAX] = {2, 2, 0, types_quant_softmax, plan_quant_softmax, KNOWN(1)},
};

const struct op_def *op_def(enum op op)
{
	return &defs[op];
}

int shape_set(struct shape *s, const int64_t *dims, unsigned rank)
{
	size_t count, extent = 1;

	if (!shape_count(&count, dims, rank))
		return ERR_RANGE;
	/* Strides are computed even where a dimension is 0: none may overflow, nor any size in bytes. */
	for (unsigned i = 0; i < rank; i++) {
		if (!size_mul(&extent, extent, dims[i] > 0 ? (size_t)dims[i] : 1) || extent > PTRDIFF_MAX / 8)
			return ERR_RANGE;
	}
	s->rank = rank;
	s->count = count;
	if (rank > 0)
		memmove(s->dims, dims, rank * sizeof(*dims));
	return 0;
}

int shape_reduce(struct shape *s, const struct shape *in, const bool *reduced, bool keep_dims)
{
	int64_t dims[TENSOR_MAX_RANK];
	unsigned rank = 0;

	for (unsigned i = 0; i < in->rank; i++) {
		if (!reduced[i])
			dims[rank++] = in->dims[i];
		else if (keep_dims)
			dims[rank++] = 1;
	}
	return shape_set(s, dims, rank);
}

bool shape_equal(const struct shape *a, const struct shape *b)
{
	if (a->rank != b->rank)
		return false;
	for (unsigned i = 0; i < a->rank; i++) {
		if (a->dims[i] != b->dims[i])
			return false;
	}
	return true;
}

const char *shape_text(char buf[SHAPE_TEXT_MAX], const struct shape *s)
{
	size_t len = 0;

	buf[len++] = '[';
	for (unsigned i = 0; i < s->rank && len < SHAPE_TEXT_MAX - 24; i++)
		len += (size_t)snprintf(buf + len, SHAPE_TEXT_MAX - len, "%s%" PRId64, i > 0 ? "," : "", s->dims[i]);
	buf[len++] = ']';
	buf[len] = '\0';
	return buf;
}

bool dtype_is_float(enum dtype t)
{
	return t == DTYPE_FLOAT || t == DTYPE_DOUBLE;
}

int64_t operand_int(const struct operand *o, size_t i)
{
	return o->dtype == DTYPE_INT64 ? ((const int64_t *)o->data)[i] : ((const int32_t *)o->data)[i];
}

int operand_ints(const struct operand *o, int64_t *ret, unsigned max, unsigned *ret_n, const char *what,
		 struct error *err)
{
	if (o->shape.rank > 1)
		return error_set(err, ERR_INVALID, "%s is not a vector", what);
	if (o->shape.count > max)
		return error_set(err, ERR_INVALID, "%s has %zu elements, at most %u are possible", what, o->shape.count,
				 max);
	for (size_t i = 0; i < o->shape.count; i++)
		ret[i] = operand_int(o, i);
	*ret_n = (unsigned)o->shape.count;
	return 0;
}

int axis_resolve(int64_t axis, unsigned rank, unsigned *ret, struct error *err)
{
	if (axis < -(int64_t)rank || axis >= (int64_t)rank)
		return error_set(err, ERR_INVALID, "axis %" PRId64 " of a tensor of rank %u", axis, rank);
	*ret = (unsigned)(axis < 0 ? axis + (int64_t)rank : axis);
	return 0;
}

int types_unsupported(enum dtype t, struct error *err)
{
	return error_set(err, ERR_UNSUPPORTED, "type %s", dtype_name(t));
}

int types_same(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
	       struct error *err)
{
	(void)attr;
	for (uint32_t i = 0; i < nin; i++) {
		if (in[i] != in[0])
			return error_set(err, ERR_UNSUPPORTED, "inputs of types %s and %s", dtype_name(in[0]),
					 dtype_name(in[i]));
	}
	if (in[0] == DTYPE_STRING)
		return types_unsupported(in[0], err);
	for (uint32_t i = 0; i < nout; i++)
		out[i] = in[0];
	return 0;
}

/* FLOAT only. */
int types_float(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		struct error *err)
{
	if (in[0] != DTYPE_FLOAT)
		return types_unsupported(in[0], err);
	return types_same(attr, in, nin, out, nout, err);
}

/* Data first, then indices, axes or shapes as INT32 or INT64. */
int types_with_ints(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		    struct error *err)
{
	for (uint32_t i = 1; i < nin; i++) {
		if (in[i] != DTYPE_INT32 && in[i] != DTYPE_INT64)
			return types_unsupported(in[i], err);
	}
	return types_same(attr, in, 1, out, nout, err);
}
