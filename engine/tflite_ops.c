/*
 * tflite_ops.c - TFLite's operators in terms of ours.
 */
#include <string.h>

#include "common/arith.h"
#include "engine/tflite.h"

/* --- options --- */

enum tfl_activation tfl_activation(const struct tfl_op *o, unsigned field)
{
	return (enum tfl_activation)fb_int8(&o->options, field, TFL_NONE);
}

/* Conv2D: padding, stride w, h, activation, dilation w, h. Depthwise: a multiplier before the activation. Pools: the
 * window's width and height in place of the dilations, before the activation. */
int tfl_window(const struct tfl_op *o, struct window *ret)
{
	const struct fb_table *t = &o->options;
	const bool pool = o->code == TFL_OP_AVERAGE_POOL_2D || o->code == TFL_OP_MAX_POOL_2D;
	const unsigned dilation = o->code == TFL_OP_CONV_2D ? 4 : 5;
	const int8_t padding = fb_int8(t, 0, 0);

	*ret = (struct window){.strides = {fb_int32(t, 2, 0), fb_int32(t, 1, 0)}, .dilations = {1, 1}};
	if (pool) {
		ret->kernel[0] = fb_int32(t, 4, 0);
		ret->kernel[1] = fb_int32(t, 3, 0);
	} else {
		ret->dilations[0] = fb_int32(t, dilation + 1, 1);
		ret->dilations[1] = fb_int32(t, dilation, 1);
	}
	if (padding != 0 && padding != 1)
		return error_set(o->err, ERR_UNSUPPORTED, "padding %d is not supported", padding);
	ret->padding = padding == 0 ? PADDING_SAME_UPPER : PADDING_VALID;
	return 0;
}

static int int_constant(struct tfl_op *o, int64_t v, uint32_t *ret)
{
	return tfl_constant(o, DTYPE_INT64, NULL, 0, &v, ret);
}

/* A number beside a FLOAT tensor. */
static int with_number(struct tfl_op *o, enum op op, uint32_t x, float number, uint32_t *ret)
{
	const struct attributes attr = {0};
	uint32_t in[] = {x, 0};
	int r = tfl_constant(o, DTYPE_FLOAT, NULL, 0, &number, &in[1]);

	return r != 0 ? r : tfl_node(o, op, &attr, in, 2, 1, ret);
}

/* value, after the fused activation, is the operator's output. */
static int finish(struct tfl_op *o, enum tfl_activation activation, uint32_t value)
{
	static const enum op ops[] = {[TFL_RELU] = OP_RELU, [TFL_RELU6] = OP_RELU6, [TFL_TANH] = OP_TANH};
	const struct attributes attr = {0};
	int r = 0;

	switch (activation) {
	case TFL_NONE:
		break;
	case TFL_RELU:
	case TFL_RELU6:
	case TFL_TANH:
		r = tfl_node(o, ops[activation], &attr, &value, 1, 1, &value);
		break;
	case TFL_RELU_N1_TO_1:
		r = with_number(o, OP_MAXIMUM, value, -1.0f, &value);
		if (r == 0)
			r = with_number(o, OP_MINIMUM, value, 1.0f, &value);
		break;
	default:
		return error_set(o->err, ERR_UNSUPPORTED, "fused activation %d is not supported", (int)activation);
	}
	return r != 0 ? r : tfl_set(o, 0, value);
}

/* Every input as it is, and outputs that follow each other. */
static int convert(struct tfl_op *o, enum op op, const struct attributes *attr, uint32_t *in, uint32_t nin,
		   uint32_t nout)
{
	uint32_t first;
	int r = tfl_node(o, op, attr, in, nin, nout, &first);

	for (uint32_t i = 0; i < nout && r == 0; i++)
		r = tfl_set(o, i, first + i);
	return r;
}

#define INPUTS_MAX 256

/* All inputs, those that are left out left out; room for one more. */
static int inputs(struct tfl_op *o, uint32_t *in, uint32_t *ret_n)
{
	*ret_n = 0;
	if (o->nin >= INPUTS_MAX)
		return error_set(o->err, ERR_UNSUPPORTED, "%u inputs, at most %d are possible", o->nin, INPUTS_MAX - 1);
	for (uint32_t i = 0; i < o->nin; i++) {
		if (fb_vector_int32(o->in, i) == -1)
			continue;
		int r = tfl_value(o, i, &in[(*ret_n)++]);
		if (r != 0)
			return r;
	}
	return 0;
}

/* --- operators of their own kind --- */

static int convert_plain(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {.alpha = o->code == TFL_OP_LEAKY_RELU ? fb_float(&o->options, 0, 0.0f) : 1.0f};
	uint32_t in[INPUTS_MAX], n;
	int r = inputs(o, in, &n);

	return r != 0 ? r : convert(o, op, &attr, in, n, 1);
}

static int convert_binary(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {0};
	uint32_t in[2] = {0}, value;
	int r = o->nin == 2 ? 0 : error_set(o->err, ERR_FORMAT, "%u inputs", o->nin);

	for (uint32_t i = 0; i < 2 && r == 0; i++)
		r = tfl_float_value(o, i, &in[i]);
	if (r == 0)
		r = tfl_node(o, op, &attr, in, 2, 1, &value);
	return r != 0 ? r : finish(o, tfl_activation(o, 0), value);
}

/* Whose weights are [1, H, W, C * M], in TensorFlow's layout [H, W, C, M]. */
static int depthwise_weights(struct tfl_op *o, uint32_t value, uint32_t *ret)
{
	const struct tensor *w = o->m->g->values[value].constant;
	const struct tfl_tensor *x = tfl_in(o, 0);
	int64_t channels = x->rank == 4 ? x->dims[3] : -1, dims[4];

	if (w == NULL)
		return error_set(o->err, ERR_UNSUPPORTED, "weights that are no constant are not supported");
	if (w->rank != 4 || w->dims[0] != 1 || channels < 1 || w->dims[3] % channels != 0)
		return error_set(o->err, ERR_INVALID, "weights that do not suit the input");
	dims[0] = w->dims[1];
	dims[1] = w->dims[2];
	dims[2] = channels;
	dims[3] = w->dims[3] / channels;
	return tfl_constant(o, w->dtype, dims, 4, w->data, ret);
}

static int convert_conv(struct tfl_op *o, enum op op)
{
	const bool depthwise = o->code == TFL_OP_DEPTHWISE_CONV_2D;
	struct attributes attr = {.layout = LAYOUT_NHWC, .groups = 1};
	uint32_t in[3], n = tfl_in(o, 2) != NULL ? 3 : 2, value;
	int r = tfl_window(o, &attr.window);

	for (uint32_t i = 0; i < n && r == 0; i++)
		r = tfl_float_value(o, i, &in[i]);
	if (r != 0)
		return r;
	attr.weights = depthwise ? WEIGHTS_HWCM : WEIGHTS_OHWI;
	if (depthwise) {
		r = depthwise_weights(o, in[1], &in[1]);
	} else {
		const struct tfl_tensor *x = tfl_in(o, 0), *w = tfl_in(o, 1);
		if (x->rank == 4 && w->rank == 4 && w->dims[3] > 0 && x->dims[3] > w->dims[3])
			attr.groups = x->dims[3] / w->dims[3];
	}
	if (r == 0)
		r = tfl_node(o, op, &attr, in, n, 1, &value);
	return r != 0 ? r : finish(o, tfl_activation(o, depthwise ? 4 : 3), value);
}

static int convert_pool(struct tfl_op *o, enum op op)
{
	struct attributes attr = {.layout = LAYOUT_NHWC};
	uint32_t value;
	int r = tfl_window(o, &attr.window);

	if (r == 0)
		r = tfl_value(o, 0, &value);
	if (r == 0)
		r = tfl_node(o, op, &attr, &value, 1, 1, &value);
	return r != 0 ? r : finish(o, tfl_activation(o, 5), value);
}

/* Options: activation, weights_format, keep_num_dims. Rows are whatever the dimensions before the last one hold. */
static int convert_fully_connected(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {.transpose_b = true}, none = {0};
	const struct tfl_tensor *w = tfl_in(o, 1);
	uint32_t in[3], n = tfl_in(o, 2) != NULL ? 3 : 2, shape[2], value;
	int r = 0;

	if (fb_int8(&o->options, 1, 0) != 0)
		return error_set(o->err, ERR_UNSUPPORTED, "shuffled weights are not supported");
	for (uint32_t i = 0; i < n && r == 0; i++)
		r = tfl_float_value(o, i, &in[i]);
	if (r == 0 && w->rank != 2)
		r = error_set(o->err, ERR_INVALID, "weights of rank %d", w->rank);
	if (r == 0 && !fb_bool(&o->options, 2, false)) {
		shape[0] = in[0];
		r = tfl_constant(o, DTYPE_INT64, (int64_t[]){2}, 1, (int64_t[]){-1, w->dims[1]}, &shape[1]);
		if (r == 0)
			r = tfl_node(o, OP_RESHAPE, &none, shape, 2, 1, &in[0]);
	}
	if (r == 0)
		r = tfl_node(o, op, &attr, in, n, 1, &value);
	return r != 0 ? r : finish(o, tfl_activation(o, 0), value);
}

static int convert_softmax(struct tfl_op *o, enum op op)
{
	const float beta = fb_float(&o->options, 0, 0.0f);
	const struct attributes attr = {0};
	uint32_t value;
	int r = tfl_value(o, 0, &value);

	if (r == 0 && beta != 1.0f)
		r = with_number(o, OP_MUL, value, beta, &value);
	return r != 0 ? r : convert(o, op, &attr, &value, 1, 1);
}

/* The shape is an input, or else an option. */
static int convert_reshape(struct tfl_op *o, enum op op)
{
	const struct fb_vector shape = fb_vector(&o->options, 0, 4);
	const struct attributes attr = {0};
	int64_t dims[TENSOR_MAX_RANK];
	uint32_t in[2];
	int r = tfl_value(o, 0, &in[0]);

	if (r != 0)
		return r;
	if (tfl_in(o, 1) != NULL) {
		r = tfl_value(o, 1, &in[1]);
	} else {
		if (shape.n > TENSOR_MAX_RANK)
			return error_set(o->err, ERR_RANGE, "a shape of %u dimensions", shape.n);
		for (uint32_t i = 0; i < shape.n; i++)
			dims[i] = fb_vector_int32(&shape, i);
		r = tfl_constant(o, DTYPE_INT64, (int64_t[]){shape.n}, 1, dims, &in[1]);
	}
	return r != 0 ? r : convert(o, op, &attr, in, 2, 1);
}

static int convert_squeeze(struct tfl_op *o, enum op op)
{
	const struct fb_vector axes = fb_vector(&o->options, 0, 4);
	struct attributes attr = {.naxes = axes.n};
	uint32_t value;

	if (axes.n > TENSOR_MAX_RANK)
		return error_set(o->err, ERR_RANGE, "%u axes", axes.n);
	for (uint32_t i = 0; i < axes.n; i++)
		attr.axes[i] = fb_vector_int32(&axes, i);
	int r = tfl_value(o, 0, &value);
	return r != 0 ? r : convert(o, op, &attr, &value, 1, 1);
}

static int convert_concatenation(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {0};
	uint32_t in[INPUTS_MAX], n, value;
	int r = inputs(o, in, &n);

	if (r == 0)
		r = int_constant(o, fb_int32(&o->options, 0, 0), &in[n]);
	if (r == 0)
		r = tfl_node(o, op, &attr, in, n + 1, 1, &value);
	return r != 0 ? r : finish(o, tfl_activation(o, 1), value);
}

/* TFLite: axis, x */
static int convert_split(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {0};
	uint32_t in[2];
	int r = tfl_value(o, 1, &in[0]);

	if (r == 0)
		r = tfl_value(o, 0, &in[1]);
	return r != 0 ? r : convert(o, op, &attr, in, 2, o->nout);
}

static int convert_reduce(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {.keep_dims = fb_bool(&o->options, 0, false)};
	uint32_t in[INPUTS_MAX], n;
	int r = inputs(o, in, &n);

	return r != 0 ? r : convert(o, op, &attr, in, n, 1);
}

static int convert_strided_slice(struct tfl_op *o, enum op op)
{
	const struct fb_table *t = &o->options;
	const struct attributes attr = {.begin_mask = fb_uint32(t, 0, 0),
					.end_mask = fb_uint32(t, 1, 0),
					.ellipsis_mask = fb_uint32(t, 2, 0),
					.new_axis_mask = fb_uint32(t, 3, 0),
					.shrink_axis_mask = fb_uint32(t, 4, 0)};
	uint32_t in[INPUTS_MAX], n;

	if (fb_bool(t, 5, false))
		return error_set(o->err, ERR_UNSUPPORTED, "ends that count from the begin are not supported");
	int r = inputs(o, in, &n);
	return r != 0 ? r : convert(o, op, &attr, in, n, 1);
}

static int convert_gather(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {0};
	uint32_t in[INPUTS_MAX], n;

	if (fb_int32(&o->options, 1, 0) != 0)
		return error_set(o->err, ERR_UNSUPPORTED, "batch dimensions are not supported");
	int r = inputs(o, in, &n);
	if (r == 0)
		r = int_constant(o, fb_int32(&o->options, 0, 0), &in[n]);
	return r != 0 ? r : convert(o, op, &attr, in, n + 1, 1);
}

/* Both have the number of tensors first and the axis second. */
static int convert_pack(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {.axis = fb_int32(&o->options, 1, 0)};
	uint32_t in[INPUTS_MAX], n;
	int r = inputs(o, in, &n);

	return r != 0 ? r : convert(o, op, &attr, in, n, op == OP_UNPACK ? o->nout : 1);
}

/* The result's type is that of the output tensor: CAST, SHAPE, ARG_MAX. */
static int convert_typed(struct tfl_op *o, enum op op)
{
	const struct tfl_tensor *out = tfl_out(o, 0);
	const struct attributes attr = {.dtype = out != NULL ? out->dtype : DTYPE_FLOAT};
	uint32_t in[INPUTS_MAX], n;
	int r = inputs(o, in, &n);

	return r != 0 ? r : convert(o, op, &attr, in, n, 1);
}

static int convert_batch_matmul(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {.transpose_a = fb_bool(&o->options, 0, false),
					.transpose_b = fb_bool(&o->options, 1, false)};
	uint32_t in[INPUTS_MAX], n;
	int r = inputs(o, in, &n);

	return r != 0 ? r : convert(o, op, &attr, in, n, 1);
}

static int convert_clip(struct tfl_op *o, enum op op)
{
	uint32_t value;
	int r = tfl_value(o, 0, &value);

	(void)op;
	return r != 0 ? r : finish(o, TFL_RELU_N1_TO_1, value);
}

/* x * relu6(x + 3) / 6 */
static int convert_hard_swish(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {0};
	uint32_t in[2];
	int r = tfl_value(o, 0, &in[0]);

	if (r == 0)
		r = with_number(o, OP_ADD, in[0], 3.0f, &in[1]);
	if (r == 0)
		r = tfl_node(o, OP_RELU6, &attr, &in[1], 1, 1, &in[1]);
	if (r == 0)
		r = with_number(o, OP_MUL, in[1], 1.0f / 6.0f, &in[1]);
	return r != 0 ? r : convert(o, op, &attr, in, 2, 1);
}

/* Of a constant: FLOAT16, or 8 bits. */
static int convert_dequantize(struct tfl_op *o, enum op op)
{
	const struct attributes attr = {0};
	uint32_t value;
	int r = tfl_float_value(o, 0, &value);

	return r != 0 ? r : convert(o, op, &attr, &value, 1, 1);
}

/* --- the table --- */

/* How 8-bit tensors are treated. */
enum quantized {
	NOT,     /* they are not supported, or have no other meaning than their type */
	MOVES,   /* their bytes are moved, whatever they mean */
	OWN_FORM /* tflite_quant.c */
};

static const struct {
	enum tfl_code code;
	int (*convert)(struct tfl_op *o, enum op op);
	enum op op;
	enum quantized quantized;
} operators[] = {
	{TFL_OP_ADD, convert_binary, OP_ADD, OWN_FORM},
	{TFL_OP_AVERAGE_POOL_2D, convert_pool, OP_AVG_POOL, OWN_FORM},
	{TFL_OP_CONCATENATION, convert_concatenation, OP_CONCAT, OWN_FORM},
	{TFL_OP_CONV_2D, convert_conv, OP_CONV2D, OWN_FORM},
	{TFL_OP_DEPTHWISE_CONV_2D, convert_conv, OP_CONV2D, OWN_FORM},
	{TFL_OP_DEQUANTIZE, convert_dequantize, OP_IDENTITY, OWN_FORM},
	{TFL_OP_FLOOR, convert_plain, OP_FLOOR, NOT},
	{TFL_OP_FULLY_CONNECTED, convert_fully_connected, OP_MATMUL, OWN_FORM},
	{TFL_OP_LOGISTIC, convert_plain, OP_SIGMOID, OWN_FORM},
	{TFL_OP_MAX_POOL_2D, convert_pool, OP_MAX_POOL, OWN_FORM},
	{TFL_OP_MUL, convert_binary, OP_MUL, OWN_FORM},
	{TFL_OP_RELU, convert_plain, OP_RELU, OWN_FORM},
	{TFL_OP_RELU_N1_TO_1, convert_clip, OP_MAXIMUM, OWN_FORM},
	{TFL_OP_RELU6, convert_plain, OP_RELU6, OWN_FORM},
	{TFL_OP_RESHAPE, convert_reshape, OP_RESHAPE, MOVES},
	{TFL_OP_SOFTMAX, convert_softmax, OP_SOFTMAX, OWN_FORM},
	{TFL_OP_TANH, convert_plain, OP_TANH, OWN_FORM},
	{TFL_OP_PAD, convert_plain, OP_PAD, OWN_FORM},
	{TFL_OP_GATHER, convert_gather, OP_GATHER, MOVES},
	{TFL_OP_TRANSPOSE, convert_plain, OP_TRANSPOSE, MOVES},
	{TFL_OP_MEAN, convert_reduce, OP_REDUCE_MEAN, OWN_FORM},
	{TFL_OP_SUB, convert_binary, OP_SUB, OWN_FORM},
	{TFL_OP_DIV, convert_binary, OP_DIV, NOT},
	{TFL_OP_SQUEEZE, convert_squeeze, OP_SQUEEZE, MOVES},
	{TFL_OP_STRIDED_SLICE, convert_strided_slice, OP_STRIDED_SLICE, MOVES},
	{TFL_OP_EXP, convert_plain, OP_EXP, OWN_FORM},
	{TFL_OP_SPLIT, convert_split, OP_SPLIT, MOVES},
	{TFL_OP_LOG_SOFTMAX, convert_plain, OP_LOG_SOFTMAX, NOT},
	{TFL_OP_CAST, convert_typed, OP_CAST, MOVES},
	{TFL_OP_MAXIMUM, convert_plain, OP_MAXIMUM, MOVES},
	{TFL_OP_ARG_MAX, convert_typed, OP_ARGMAX, MOVES},
	{TFL_OP_MINIMUM, convert_plain, OP_MINIMUM, MOVES},
	{TFL_OP_NEG, convert_plain, OP_NEG, NOT},
	{TFL_OP_PADV2, convert_plain, OP_PAD, MOVES},
	{TFL_OP_SLICE, convert_plain, OP_SLICE, MOVES},
	{TFL_OP_EXPAND_DIMS, convert_plain, OP_EXPAND_DIMS, MOVES},
	{TFL_OP_LOG, convert_plain, OP_LOG, NOT},
	{TFL_OP_SUM, convert_reduce, OP_REDUCE_SUM, NOT},
	{TFL_OP_SQRT, convert_plain, OP_SQRT, NOT},
	{TFL_OP_RSQRT, convert_plain, OP_RSQRT, NOT},
	{TFL_OP_SHAPE, convert_typed, OP_SHAPE, MOVES},
	{TFL_OP_REDUCE_MAX, convert_reduce, OP_REDUCE_MAX, MOVES},
	{TFL_OP_PACK, convert_pack, OP_PACK, MOVES},
	{TFL_OP_UNPACK, convert_pack, OP_UNPACK, MOVES},
	{TFL_OP_REDUCE_MIN, convert_reduce, OP_REDUCE_MIN, MOVES},
	{TFL_OP_SQUARE, convert_plain, OP_SQUARE, NOT},
	{TFL_OP_LEAKY_RELU, convert_plain, OP_LEAKY_RELU, OWN_FORM},
	{TFL_OP_ELU, convert_plain, OP_ELU, OWN_FORM},
	{TFL_OP_QUANTIZE, NULL, OP_QUANTIZE, OWN_FORM},
	{TFL_OP_HARD_SWISH, convert_hard_swish, OP_MUL, OWN_FORM},
	{TFL_OP_BATCH_MATMUL, convert_batch_matmul, OP_MATMUL, NOT},
};

int tfl_convert(struct tfl_op *o)
{
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if ((int32_t)operators[i].code != o->code)
			continue;
		/* 8-bit weights beside FLOAT data are widened; data decides. */
		const struct tfl_tensor *x = tfl_in(o, 0);
		const bool data = tfl_is_8bit(x) && !(x->data.data != NULL && o->code == TFL_OP_DEQUANTIZE);
		if (data && operators[i].quantized == NOT)
			return error_set(o->err, ERR_UNSUPPORTED, "8-bit tensors are not supported");
		if (operators[i].convert == NULL || (data && operators[i].quantized == OWN_FORM))
			return tfl_convert_quantized(o);
		return operators[i].convert(o, operators[i].op);
	}
	return error_set(o->err, ERR_UNSUPPORTED, "this operator is not supported");
}
