/*
 * tflite_quant.c - TFLite's operators on 8-bit tensors in terms of ours.
 *
 * Every such tensor stands for real numbers: step * (integer - zero point). The multiplications by ratios of steps
 * become integer ones here (scaling_of), from the same quantities in the same precision as TFLite takes them.
 */
#include <math.h>
#include <stdlib.h>

#include "engine/tflite.h"

struct step {
	float size;
	int32_t zero;
};

static int step_of(const struct tfl_op *o, const struct tfl_tensor *t, struct step *ret)
{
	return tfl_quantization(o, t, &ret->size, &ret->zero);
}

static int32_t lowest(const struct tfl_tensor *t)
{
	return t->type == TFL_UINT8 ? 0 : INT8_MIN;
}

/* The integer of a real number, kept near the type's range. */
static int32_t quantize(float real, const struct step *s)
{
	float v = roundf(real / s->size);

	return s->zero + (int32_t)(v > 1024.0f ? 1024.0f : v < -1024.0f ? -1024.0f : v);
}

static int range_of(const struct tfl_op *o, const struct tfl_tensor *out, enum tfl_activation activation,
		    struct quant_range *ret)
{
	struct step s;
	int r = step_of(o, out, &s);

	if (r != 0)
		return r;
	int32_t low = lowest(out), high = low + 255, from = low, to = high;
	switch (activation) {
	case TFL_NONE:
		break;
	case TFL_RELU:
		from = s.zero;
		break;
	case TFL_RELU6:
		from = s.zero;
		to = quantize(6.0f, &s);
		break;
	case TFL_RELU_N1_TO_1:
		from = quantize(-1.0f, &s);
		to = quantize(1.0f, &s);
		break;
	default:
		return error_set(o->err, ERR_UNSUPPORTED, "fused activation %d is not supported", (int)activation);
	}
	*ret = (struct quant_range){s.zero, from > low ? from : low, to < high ? to : high};
	return 0;
}

static int finish(struct tfl_op *o, enum op op, const struct attributes *attr, const uint32_t *in, uint32_t nin)
{
	uint32_t value;
	int r = tfl_node(o, op, attr, in, nin, 1, &value);

	return r != 0 ? r : tfl_set(o, 0, value);
}

/* --- products --- */

/* Steps of the weights, one or one an output. */
static int check_weights(const struct tfl_op *o, const struct tfl_tensor *w, int64_t outputs, int dimension,
			 int32_t *ret_zero)
{
	int r = tfl_check_steps(o, w);

	*ret_zero = 0;
	if (r != 0)
		return r;
	if (w->steps.n == 1) {
		float step;
		return tfl_quantization(o, w, &step, ret_zero);
	}
	if ((int64_t)w->steps.n != outputs || w->step_dimension != dimension)
		return error_set(o->err, ERR_UNSUPPORTED, "weights '%s' have %u quantization steps along dimension %d",
				 w->name, w->steps.n, w->step_dimension);
	for (uint32_t i = 0; i < w->zeros.n; i++) {
		if (fb_vector_int64(&w->zeros, i) != 0)
			return error_set(o->err, ERR_UNSUPPORTED, "weights '%s' have several steps and zero points",
					 w->name);
	}
	return 0;
}

/* Multiplier and shift of each output: its weights' step and the input's by the result's. */
static int add_scalings(struct tfl_op *o, int64_t outputs, float in, float out, uint32_t *ret)
{
	const struct tfl_tensor *w = tfl_in(o, 1);
	/* As TFLite: the product is one of floats for unsigned weights, of doubles for signed ones. */
	const bool as_float = w->type == TFL_UINT8;
	int32_t *numbers = calloc((size_t)outputs, 2 * sizeof(*numbers));
	int r;

	if (numbers == NULL)
		return ERR_NOMEM;
	for (int64_t i = 0; i < outputs; i++) {
		float step = fb_vector_float(&w->steps, w->steps.n > 1 ? (uint32_t)i : 0);
		double product = as_float && w->steps.n == 1 ? (double)(in * step) : (double)in * (double)step;
		struct scaling s = scaling_of(product / (double)out);
		numbers[i] = s.multiplier;
		numbers[outputs + i] = s.left - s.right;
	}
	r = tfl_constant(o, DTYPE_INT32, &outputs, 1, numbers, &ret[0]);
	if (r == 0)
		r = tfl_constant(o, DTYPE_INT32, &outputs, 1, numbers + outputs, &ret[1]);
	free(numbers);
	return r;
}

static int add_bias(struct tfl_op *o, int64_t outputs, uint32_t *ret)
{
	const struct tfl_tensor *t = tfl_in(o, 2);

	if (t != NULL) {
		if (t->rank != 1 || t->dims[0] != outputs || t->data.data == NULL)
			return error_set(o->err, ERR_INVALID, "bias '%s' is no constant of %lld elements", t->name,
					 (long long)outputs);
		return tfl_value(o, 2, ret);
	}
	int32_t *zeros = calloc((size_t)outputs, sizeof(*zeros));
	if (zeros == NULL)
		return ERR_NOMEM;
	int r = tfl_constant(o, DTYPE_INT32, &outputs, 1, zeros, ret);
	free(zeros);
	return r;
}

static int convert_product(struct tfl_op *o, enum op op, struct attributes *attr, enum tfl_activation activation,
			   uint32_t x)
{
	const struct tfl_tensor *w = tfl_in(o, 1), *out = tfl_out(o, 0);
	const int dimension = op == OP_QUANT_DEPTHWISE ? 3 : 0;
	struct step in, result;
	uint32_t values[5] = {x};

	if (!tfl_is_8bit(w) || w->data.data == NULL || w->rank != (op == OP_QUANT_MATMUL ? 2 : 4) ||
	    w->dims[dimension] < 1 || (op == OP_QUANT_DEPTHWISE && w->dims[0] != 1))
		return error_set(o->err, ERR_UNSUPPORTED, "weights that are no 8-bit constant of rank %d",
				 op == OP_QUANT_MATMUL ? 2 : 4);
	const int64_t outputs = w->dims[dimension];
	int r = step_of(o, tfl_in(o, 0), &in);
	if (r == 0)
		r = step_of(o, out, &result);
	if (r == 0)
		r = check_weights(o, w, outputs, dimension, &attr->quant.weights_zero);
	if (r == 0)
		r = range_of(o, out, activation, &attr->quant.range);
	if (r == 0)
		r = tfl_value(o, 1, &values[1]); /* its data suits its shape: outputs is no wild number */
	if (r == 0)
		r = add_bias(o, outputs, &values[2]);
	if (r == 0)
		r = add_scalings(o, outputs, in.size, result.size, &values[3]);
	if (r != 0)
		return r;
	attr->quant.zero[0] = in.zero;
	return finish(o, op, attr, values, 5);
}

static int convert_conv(struct tfl_op *o)
{
	const bool depthwise = o->code == TFL_OP_DEPTHWISE_CONV_2D;
	struct attributes attr = {.layout = LAYOUT_NHWC};
	uint32_t x;
	int r = tfl_window(o, &attr.window);

	if (r == 0)
		r = tfl_value(o, 0, &x);
	if (r != 0)
		return r;
	return convert_product(o, depthwise ? OP_QUANT_DEPTHWISE : OP_QUANT_CONV2D, &attr,
			       tfl_activation(o, depthwise ? 4 : 3), x);
}

static int convert_fully_connected(struct tfl_op *o)
{
	const struct tfl_tensor *w = tfl_in(o, 1);
	const struct attributes none = {0};
	struct attributes attr = {0};
	uint32_t in[2];

	if (fb_int8(&o->options, 1, 0) != 0)
		return error_set(o->err, ERR_UNSUPPORTED, "shuffled weights are not supported");
	int r = tfl_value(o, 0, &in[0]);
	if (r == 0 && w != NULL && w->rank == 2 && !fb_bool(&o->options, 2, false)) {
		r = tfl_constant(o, DTYPE_INT64, (int64_t[]){2}, 1, (int64_t[]){-1, w->dims[1]}, &in[1]);
		if (r == 0)
			r = tfl_node(o, OP_RESHAPE, &none, in, 2, 1, &in[0]);
	}
	return r != 0 ? r : convert_product(o, OP_QUANT_MATMUL, &attr, tfl_activation(o, 0), in[0]);
}

/* --- two inputs --- */

static int convert_binary(struct tfl_op *o)
{
	struct attributes attr = {0};
	struct quantization *q = &attr.quant;
	struct step a, b, out;
	uint32_t in[2];
	int r = 0;

	if (o->nin != 2 || !tfl_is_8bit(tfl_in(o, 1)) || !tfl_is_8bit(tfl_out(o, 0)))
		return error_set(o->err, ERR_UNSUPPORTED, "inputs or output of other types than 8-bit");
	for (uint32_t i = 0; i < 2 && r == 0; i++)
		r = tfl_value(o, i, &in[i]);
	if (r == 0)
		r = step_of(o, tfl_in(o, 0), &a);
	if (r == 0)
		r = step_of(o, tfl_in(o, 1), &b);
	if (r == 0)
		r = step_of(o, tfl_out(o, 0), &out);
	if (r == 0)
		r = range_of(o, tfl_out(o, 0), tfl_activation(o, 0), &q->range);
	if (r != 0)
		return r;
	q->zero[0] = a.zero;
	q->zero[1] = b.zero;
	if (o->code == TFL_OP_MUL) {
		q->scaling[0] = scaling_of((double)(a.size * b.size / out.size));
		return finish(o, OP_QUANT_MUL, &attr, in, 2);
	}
	const double twice = 2.0 * (double)(a.size > b.size ? a.size : b.size);
	q->scaling[0] = scaling_of((double)a.size / twice);
	q->scaling[1] = scaling_of((double)b.size / twice);
	q->scaling[2] = scaling_of(twice / ((double)(1 << 20) * (double)out.size));
	return finish(o, o->code == TFL_OP_SUB ? OP_QUANT_SUB : OP_QUANT_ADD, &attr, in, 2);
}

/* --- one input, by table --- */

static float logistic(float x)
{
	return 1.0f / (1.0f + expf(-x));
}

static float elu(float x)
{
	return x < 0.0f ? expm1f(x) : x;
}

static float hard_swish(float x)
{
	return x * fminf(fmaxf(x + 3.0f, 0.0f), 6.0f) / 6.0f;
}

typedef float real_function(float x);

static real_function *function_of(int32_t code)
{
	switch (code) {
	case TFL_OP_LOGISTIC:
		return logistic;
	case TFL_OP_TANH:
		return tanhf;
	case TFL_OP_EXP:
		return expf;
	case TFL_OP_ELU:
		return elu;
	case TFL_OP_HARD_SWISH:
		return hard_swish;
	default:
		return NULL;
	}
}

/* Of the values that the input's integers have: between -2^15 and 2^15 output steps, rounded. */
static int32_t evaluate(real_function *f, int32_t q, const struct step *in, const struct step *out)
{
	float v = roundf(f(in->size * (float)(q - in->zero)) / out->size);

	if (!(v > -32768.0f))
		v = -32768.0f;
	return (int32_t)(v < 32768.0f ? v : 32768.0f) + out->zero;
}

/* Relu and its like, and from one step to another: by integer scaling. */
static int fill_scaled(const struct tfl_op *o, int32_t low, const struct step *in, const struct step *out,
		       const struct quant_range *range, uint8_t *table)
{
	const float alpha = o->code == TFL_OP_LEAKY_RELU ? fb_float(&o->options, 0, 0.0f) : 1.0f;
	/* As TFLite: a quotient of doubles for QUANTIZE and what is joined, else of floats. */
	const bool as_double = o->code == TFL_OP_QUANTIZE || o->code == TFL_OP_CONCATENATION;

	if (!(alpha >= 0.0f) || alpha > 1e6f)
		return error_set(o->err, ERR_UNSUPPORTED, "a slope of %g is not supported", (double)alpha);
	const struct scaling identity =
		scaling_of(as_double ? (double)in->size / (double)out->size : (double)(in->size / out->size));
	const struct scaling slope =
		o->code == TFL_OP_LEAKY_RELU ? scaling_of((double)(in->size * alpha / out->size)) : identity;
	for (int32_t i = 0; i < 256; i++) {
		int32_t x = low + i - in->zero;
		int64_t y = (int64_t)scale(x, x < 0 ? &slope : &identity) + out->zero;
		y = y < range->low ? range->low : y;
		table[i] = (uint8_t)(y > range->high ? range->high : y);
	}
	return 0;
}

static enum tfl_activation activation_of(int32_t code)
{
	return code == TFL_OP_RELU           ? TFL_RELU
	       : code == TFL_OP_RELU6        ? TFL_RELU6
	       : code == TFL_OP_RELU_N1_TO_1 ? TFL_RELU_N1_TO_1
					     : TFL_NONE;
}

/* A table of the 8-bit results for each input. */
static int add_table(struct tfl_op *o, const struct tfl_tensor *from, const struct tfl_tensor *to, uint32_t *ret)
{
	real_function *f = function_of(o->code);
	struct quant_range range;
	struct step in, out;
	uint8_t table[256];
	int r = step_of(o, from, &in);

	if (r == 0)
		r = step_of(o, to, &out);
	if (r == 0)
		r = range_of(o, to, activation_of(o->code), &range);
	if (r == 0 && f == NULL)
		r = fill_scaled(o, lowest(from), &in, &out, &range, table);
	if (r != 0)
		return r;
	for (int32_t i = 0; i < 256 && f != NULL; i++) {
		int32_t y = evaluate(f, lowest(from) + i, &in, &out);
		y = y < range.low ? range.low : y;
		table[i] = (uint8_t)(y > range.high ? range.high : y);
	}
	return tfl_constant(o, to->dtype, (int64_t[]){256}, 1, table, ret);
}

static int convert_table(struct tfl_op *o)
{
	const struct attributes attr = {0};
	uint32_t in[2];

	if (!tfl_is_8bit(tfl_out(o, 0)))
		return error_set(o->err, ERR_UNSUPPORTED, "an output of another type than 8-bit");
	int r = tfl_value(o, 0, &in[0]);
	if (r == 0)
		r = add_table(o, tfl_in(o, 0), tfl_out(o, 0), &in[1]);
	return r != 0 ? r : finish(o, OP_QUANT_TABLE, &attr, in, 2);
}

static int convert_dequantize(struct tfl_op *o)
{
	const struct attributes attr = {0};
	struct step s;
	float table[256];
	uint32_t in[2];
	int r = tfl_value(o, 0, &in[0]);

	if (r == 0)
		r = step_of(o, tfl_in(o, 0), &s);
	if (r != 0)
		return r;
	for (int32_t i = 0; i < 256; i++)
		table[i] = s.size * (float)(lowest(tfl_in(o, 0)) + i - s.zero);
	r = tfl_constant(o, DTYPE_FLOAT, (int64_t[]){256}, 1, table, &in[1]);
	return r != 0 ? r : finish(o, OP_QUANT_TABLE, &attr, in, 2);
}

/* From FLOAT, or from one step to another. */
static int convert_quantize(struct tfl_op *o)
{
	const struct tfl_tensor *out = tfl_out(o, 0);
	struct attributes attr = {0};
	struct step s;
	uint32_t x;

	if (!tfl_is_8bit(out))
		return error_set(o->err, ERR_UNSUPPORTED, "an output of another type than 8-bit");
	if (tfl_is_8bit(tfl_in(o, 0)))
		return convert_table(o);
	int r = tfl_value(o, 0, &x);
	if (r == 0)
		r = step_of(o, out, &s);
	if (r == 0)
		r = range_of(o, out, TFL_NONE, &attr.quant.range);
	if (r != 0)
		return r;
	attr.quant.step = s.size;
	attr.dtype = out->dtype;
	return finish(o, OP_QUANTIZE, &attr, &x, 1);
}

/* --- the others --- */

static int convert_pool(struct tfl_op *o)
{
	struct attributes attr = {.layout = LAYOUT_NHWC};
	uint32_t x;
	int r = tfl_window(o, &attr.window);

	if (r == 0)
		r = tfl_value(o, 0, &x);
	if (r == 0)
		r = range_of(o, tfl_out(o, 0), tfl_activation(o, 5), &attr.quant.range);
	if (r != 0)
		return r;
	return finish(o, o->code == TFL_OP_MAX_POOL_2D ? OP_QUANT_MAX_POOL : OP_QUANT_AVG_POOL, &attr, &x, 1);
}

static int convert_mean(struct tfl_op *o)
{
	struct attributes attr = {.keep_dims = fb_bool(&o->options, 0, false)};
	struct step in, out;
	uint32_t values[2];
	int r = tfl_value(o, 0, &values[0]);

	if (r == 0)
		r = tfl_value(o, 1, &values[1]);
	if (r == 0)
		r = step_of(o, tfl_in(o, 0), &in);
	if (r == 0)
		r = step_of(o, tfl_out(o, 0), &out);
	if (r == 0)
		r = range_of(o, tfl_out(o, 0), TFL_NONE, &attr.quant.range);
	if (r != 0)
		return r;
	attr.quant.zero[0] = in.zero;
	attr.quant.scaling[0] = scaling_of((double)in.size / (double)out.size);
	return finish(o, OP_QUANT_MEAN, &attr, values, 2);
}

static int convert_softmax(struct tfl_op *o)
{
	const float beta = fb_float(&o->options, 0, 0.0f);
	struct attributes attr = {0};
	struct step in, out;
	uint32_t values[2];
	float table[256];
	int r = tfl_value(o, 0, &values[0]);

	if (r == 0)
		r = step_of(o, tfl_in(o, 0), &in);
	if (r == 0)
		r = step_of(o, tfl_out(o, 0), &out);
	if (r == 0)
		r = range_of(o, tfl_out(o, 0), TFL_NONE, &attr.quant.range);
	if (r != 0)
		return r;
	if (!(beta >= 0.0f))
		return error_set(o->err, ERR_UNSUPPORTED, "beta = %g is not supported", (double)beta);
	for (int i = 0; i < 256; i++)
		table[i] = expf(-in.size * beta * (float)i);
	r = tfl_constant(o, DTYPE_FLOAT, (int64_t[]){256}, 1, table, &values[1]);
	attr.quant.step = out.size;
	return r != 0 ? r : finish(o, OP_QUANT_SOFTMAX, &attr, values, 2);
}

#define JOINED_MAX 256

/* Inputs of other steps than the output's are brought to it first. */
static int convert_concatenation(struct tfl_op *o)
{
	const int64_t axis = fb_int32(&o->options, 0, 0);
	const struct attributes attr = {0};
	uint32_t in[JOINED_MAX + 1];
	struct step from, to;
	int r = 0;

	if (o->nin > JOINED_MAX || tfl_activation(o, 1) != TFL_NONE || !tfl_is_8bit(tfl_out(o, 0)))
		return error_set(o->err, ERR_UNSUPPORTED,
				 "%u inputs, an activation or an output of another type than "
				 "8-bit",
				 o->nin);
	r = step_of(o, tfl_out(o, 0), &to);
	for (uint32_t i = 0; i < o->nin && r == 0; i++) {
		uint32_t pair[2];
		r = tfl_value(o, i, &pair[0]);
		if (r == 0)
			r = step_of(o, tfl_in(o, i), &from);
		in[i] = pair[0];
		if (r != 0 || (from.size == to.size && from.zero == to.zero))
			continue;
		r = add_table(o, tfl_in(o, i), tfl_out(o, 0), &pair[1]);
		if (r == 0)
			r = tfl_node(o, OP_QUANT_TABLE, &attr, pair, 2, 1, &in[i]);
	}
	if (r == 0)
		r = tfl_constant(o, DTYPE_INT64, NULL, 0, &axis, &in[o->nin]);
	return r != 0 ? r : finish(o, OP_CONCAT, &attr, in, o->nin + 1);
}

/* With what stands for 0. */
static int convert_pad(struct tfl_op *o)
{
	const struct attributes attr = {0};
	uint32_t in[3];
	struct step s;
	int r = step_of(o, tfl_out(o, 0), &s);

	for (uint32_t i = 0; i < 2 && r == 0; i++)
		r = tfl_value(o, i, &in[i]);
	if (r != 0)
		return r;
	const uint8_t zero = (uint8_t)s.zero;
	r = tfl_constant(o, tfl_in(o, 0)->dtype, NULL, 0, &zero, &in[2]);
	return r != 0 ? r : finish(o, OP_PAD, &attr, in, 3);
}

int tfl_convert_quantized(struct tfl_op *o)
{
	switch (o->code) {
	case TFL_OP_CONV_2D:
	case TFL_OP_DEPTHWISE_CONV_2D:
		return convert_conv(o);
	case TFL_OP_FULLY_CONNECTED:
		return convert_fully_connected(o);
	case TFL_OP_ADD:
	case TFL_OP_SUB:
	case TFL_OP_MUL:
		return convert_binary(o);
	case TFL_OP_AVERAGE_POOL_2D:
	case TFL_OP_MAX_POOL_2D:
		return convert_pool(o);
	case TFL_OP_MEAN:
		return convert_mean(o);
	case TFL_OP_SOFTMAX:
		return convert_softmax(o);
	case TFL_OP_CONCATENATION:
		return convert_concatenation(o);
	case TFL_OP_PAD:
		return convert_pad(o);
	case TFL_OP_QUANTIZE:
		return convert_quantize(o);
	case TFL_OP_DEQUANTIZE:
		return convert_dequantize(o);
	default:
		return convert_table(o);
	}
}
