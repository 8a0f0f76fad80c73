/*
 * onnx_math.c - ONNX operators element by element, matrix products, softmax and reductions.
 */
#include "engine/onnx.h"

/* Operators that mean the same there and here, without attributes. */
int onnx_simple(struct onnx_conversion *c)
{
	int64_t in[2];

	for (uint32_t i = 0; i < c->nin; i++)
		in[i] = c->in[i];
	return onnx_result(c, 0, onnx_emit(c, c->op, NULL, in, c->nin));
}

int onnx_alpha(struct onnx_conversion *c)
{
	const struct attributes attr = {.alpha = onnx_attr_float(c, "alpha", c->op == OP_ELU ? 1.0f : 0.01f)};
	const int64_t x = c->in[0];

	return onnx_result(c, 0, onnx_emit(c, c->op, &attr, &x, 1));
}

/* Before version 7 the second input was broadcast only if an attribute said so, and along an axis of choice. */
int onnx_binary(struct onnx_conversion *c)
{
	if (c->version < 7 && onnx_attr_int(c, "broadcast", 0) != 0 && onnx_attr(c, "axis") != NULL)
		return onnx_attr_refused(c, "axis");
	return onnx_simple(c);
}

int onnx_variadic(struct onnx_conversion *c)
{
	int64_t y = c->in[0];

	for (uint32_t i = 1; i < c->nin; i++)
		y = onnx_emit2(c, c->op, y, c->in[i]);
	return onnx_result(c, 0, y);
}

/* A bound: an attribute before version 11, an input from then on; VALUE_NONE: none. */
static int64_t bound(struct onnx_conversion *c, const char *key, uint32_t input)
{
	const Onnx__AttributeProto *a = onnx_attr(c, key);

	if (c->version >= 11)
		return onnx_has_input(c, input) ? (int64_t)c->in[input] : VALUE_NONE;
	if (a == NULL || !a->has_f)
		return VALUE_NONE;
	return onnx_new_number(c, c->graph->values[c->in[0]].dtype, (double)a->f);
}

static bool is_number(const struct onnx_conversion *c, int64_t value, float number)
{
	if (value < 0 || value == VALUE_NONE)
		return false;
	const struct tensor *t = c->graph->values[value].constant;
	float difference =
		t != NULL && t->dtype == DTYPE_FLOAT && t->count == 1 ? *(const float *)t->data - number : 1.0f;
	return difference >= 0.0f && difference <= 0.0f;
}

/* The bounds of ReLU and ReLU6 become those, which other nodes take in. */
int onnx_clip(struct onnx_conversion *c)
{
	const int64_t low = bound(c, "min", 1), high = bound(c, "max", 2);
	const bool relu = is_number(c, low, 0.0f);
	int64_t x = c->in[0];

	if (relu && is_number(c, high, 6.0f))
		return onnx_result(c, 0, onnx_emit1(c, OP_RELU6, x));
	if (relu)
		x = onnx_emit1(c, OP_RELU, x);
	else if (low != VALUE_NONE)
		x = onnx_emit2(c, OP_MAXIMUM, x, low);
	if (high != VALUE_NONE)
		x = onnx_emit2(c, OP_MINIMUM, x, high);
	return onnx_result(c, 0, x);
}

/* x times a factor that is 1 more often than not. */
static int64_t scaled(struct onnx_conversion *c, int64_t x, float factor)
{
	if (x < 0 || (factor <= 1.0f && factor >= 1.0f))
		return x;
	return onnx_emit2(c, OP_MUL, x, onnx_new_number(c, c->graph->values[x].dtype, (double)factor));
}

/* alpha * A * B + beta * C */
int onnx_gemm(struct onnx_conversion *c)
{
	const struct attributes attr = {
		.matrices_only = true,
		.transpose_a = onnx_attr_int(c, "transA", 0) != 0,
		.transpose_b = onnx_attr_int(c, "transB", 0) != 0,
	};
	const int64_t in[] = {c->in[0], c->in[1]};
	int64_t y = scaled(c, onnx_emit(c, OP_MATMUL, &attr, in, 2), onnx_attr_float(c, "alpha", 1.0f));

	if (onnx_has_input(c, 2))
		y = onnx_emit2(c, OP_ADD, y, scaled(c, c->in[2], onnx_attr_float(c, "beta", 1.0f)));
	return onnx_result(c, 0, y);
}

/* Before version 13: over all dimensions from the axis on, taken as one. */
static int64_t coerced_softmax(struct onnx_conversion *c, int64_t axis)
{
	const struct attributes flatten = {.axis = axis}, shape = {.dtype = DTYPE_INT64};
	const int64_t x = c->in[0];
	int64_t rows = onnx_emit(c, OP_FLATTEN, &flatten, &x, 1);

	return onnx_emit2(c, OP_RESHAPE, onnx_emit1(c, c->op, rows), onnx_emit(c, OP_SHAPE, &shape, &x, 1));
}

static int64_t reduced(struct onnx_conversion *c, enum op op, int64_t x, int64_t axes)
{
	const struct attributes attr = {.keep_dims = true};

	return onnx_emit(c, op, &attr, (const int64_t[]){x, axes}, 2);
}

/* Over a dimension that is not the last: written out. */
static int64_t softmax_along(struct onnx_conversion *c, int64_t axis)
{
	const int64_t axes = onnx_new_ints(c, &axis, 1), x = c->in[0];
	int64_t shifted = onnx_emit2(c, OP_SUB, x, reduced(c, OP_REDUCE_MAX, x, axes));
	int64_t powers = onnx_emit1(c, OP_EXP, shifted);
	int64_t sum = reduced(c, OP_REDUCE_SUM, powers, axes);

	if (c->op == OP_LOG_SOFTMAX)
		return onnx_emit2(c, OP_SUB, shifted, onnx_emit1(c, OP_LOG, sum));
	return onnx_emit2(c, OP_DIV, powers, sum);
}

int onnx_softmax(struct onnx_conversion *c)
{
	int64_t axis = onnx_attr_int(c, "axis", c->version < 13 ? 1 : -1), y;

	if (c->version < 13)
		y = coerced_softmax(c, axis);
	else if (axis == -1)
		y = onnx_emit1(c, c->op, c->in[0]);
	else
		y = softmax_along(c, axis);
	return onnx_result(c, 0, y);
}

int onnx_reduce(struct onnx_conversion *c)
{
	const struct attributes attr = {.keep_dims = onnx_attr_int(c, "keepdims", 1) != 0};
	const int64_t all[] = {-1}, first[] = {0};
	int64_t x = c->in[0];
	struct onnx_axes axes;

	int r = onnx_axes(c, 1, &axes);
	if (r < 0)
		return r;
	if (axes.n == 0 && onnx_attr_int(c, "noop_with_empty_axes", 0) != 0)
		return onnx_result(c, 0, x);
	if (axes.n == 0 && attr.keep_dims)
		return error_set(c->err, ERR_UNSUPPORTED, "keeping the dimensions of a reduction over all of them");
	if (axes.n == 0)
		x = onnx_emit2(c, OP_RESHAPE, x, onnx_new_ints(c, all, 1));
	int64_t over = axes.n == 0 ? onnx_new_ints(c, first, 1) : onnx_new_ints(c, axes.v, axes.n);
	return onnx_result(c, 0, onnx_emit(c, c->op, &attr, (const int64_t[]){x, over}, 2));
}
