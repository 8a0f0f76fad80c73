/*
 * onnx_shapes.c - ONNX operators that make constants, or move, join and rename data.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/onnx.h"

/* Attributes of Constant, one of which is there. */
static int64_t spelt_constant(struct onnx_conversion *c)
{
	const Onnx__AttributeProto *a;

	if ((a = onnx_attr(c, "value_float")) != NULL && a->has_f)
		return onnx_new_floats(c, &a->f, NULL, 0);
	if ((a = onnx_attr(c, "value_floats")) != NULL && a->n_floats <= INT64_MAX)
		return onnx_new_floats(c, a->floats, (const int64_t[]){(int64_t)a->n_floats}, 1);
	if ((a = onnx_attr(c, "value_int")) != NULL && a->has_i)
		return onnx_new_int(c, a->i);
	if ((a = onnx_attr(c, "value_ints")) != NULL && a->n_ints <= UINT32_MAX)
		return onnx_new_ints(c, a->ints, (unsigned)a->n_ints);
	return error_set(c->err, ERR_UNSUPPORTED, "a constant that is no tensor of numbers is not supported");
}

int onnx_constant_node(struct onnx_conversion *c)
{
	const Onnx__AttributeProto *a = onnx_attr(c, "value");
	struct tensor *t;

	if (a == NULL || a->t == NULL)
		return onnx_result(c, 0, spelt_constant(c));
	int r = onnx_tensor(c->graph, a->t, &t, c->err);
	return r < 0 ? r : onnx_result(c, 0, graph_add_constant(c->graph, t));
}

static int shape_of_constant(struct onnx_conversion *c, int64_t *dims, unsigned *ret_rank)
{
	const struct tensor *shape = onnx_constant(c, 0);

	if (shape == NULL || shape->dtype != DTYPE_INT64 || shape->rank > 1 || shape->count > TENSOR_MAX_RANK)
		return error_set(c->err, ERR_UNSUPPORTED, "a shape that is no constant vector is not supported");
	for (size_t i = 0; i < shape->count; i++) {
		dims[i] = ((const int64_t *)shape->data)[i];
		if (dims[i] < 0)
			return error_set(c->err, ERR_FORMAT, "dimension %lld of the shape", (long long)dims[i]);
	}
	*ret_rank = (unsigned)shape->count;
	return 0;
}

int onnx_constant_of_shape(struct onnx_conversion *c)
{
	const Onnx__AttributeProto *a = onnx_attr(c, "value");
	struct tensor *value = NULL, *t;
	int64_t dims[TENSOR_MAX_RANK], made = ERR_NOMEM;
	enum dtype type = DTYPE_FLOAT;
	unsigned rank = 0;

	int r = shape_of_constant(c, dims, &rank);
	if (r == 0 && a != NULL && a->t != NULL)
		r = onnx_tensor(c->graph, a->t, &value, c->err);
	if (r < 0)
		return r;
	if (value != NULL && value->count != 1) {
		r = error_set(c->err, ERR_FORMAT, "attribute 'value' has %zu elements, not 1", value->count);
		goto out;
	}
	type = value != NULL ? value->dtype : type;
	r = graph_check_constant(c->graph, type, dims, rank, c->err);
	if (r == 0)
		r = tensor_new(&t, type, dims, rank, true, c->graph->allocator);
	if (r != 0)
		goto out;
	for (size_t i = 0; i < t->count && value != NULL; i++)
		memcpy((char *)t->data + i * value->size, value->data, value->size);
	made = graph_add_constant(c->graph, t);
	r = onnx_result(c, 0, made);
out:
	tensor_unref(value);
	return r;
}

int onnx_concat(struct onnx_conversion *c)
{
	const struct attributes attr = {0};
	const int64_t axis = onnx_new_int(c, onnx_attr_int(c, "axis", 1));
	uint32_t *in = calloc((size_t)c->nin + 1, sizeof(*in));
	struct node *made;
	int r = in != NULL ? 0 : ERR_NOMEM;

	if (axis < 0)
		r = (int)axis;
	if (r == 0) {
		memcpy(in, c->in, c->nin * sizeof(*in));
		in[c->nin] = (uint32_t)axis;
		r = graph_add_node(c->graph, OP_CONCAT, c->name, &attr, in, c->nin + 1, 1, &made, c->err);
	}
	free(in);
	return r < 0 ? r : onnx_result(c, 0, made->out[0]);
}

int onnx_flatten(struct onnx_conversion *c)
{
	const struct attributes attr = {.axis = onnx_attr_int(c, "axis", 1)};
	const int64_t x = c->in[0];

	return onnx_result(c, 0, onnx_emit(c, OP_FLATTEN, &attr, &x, 1));
}

int onnx_reshape(struct onnx_conversion *c)
{
	const struct attributes attr = {.zero_copies = onnx_attr_int(c, "allowzero", 0) == 0};
	const Onnx__AttributeProto *a = onnx_attr(c, "shape");
	int64_t shape;

	if (onnx_has_input(c, 1))
		shape = c->in[1];
	else if (a != NULL && a->n_ints <= TENSOR_MAX_RANK)
		shape = onnx_new_ints(c, a->ints, (unsigned)a->n_ints);
	else
		return error_set(c->err, ERR_FORMAT, "there is no shape");
	return onnx_result(c, 0, onnx_emit(c, OP_RESHAPE, &attr, (const int64_t[]){c->in[0], shape}, 2));
}

int onnx_transpose(struct onnx_conversion *c)
{
	const Onnx__AttributeProto *a = onnx_attr(c, "perm");

	if (a != NULL && a->n_ints > TENSOR_MAX_RANK)
		return onnx_attr_refused(c, "perm");
	int64_t order = a != NULL ? onnx_new_ints(c, a->ints, (unsigned)a->n_ints) : onnx_new_ints(c, NULL, 0);
	return onnx_result(c, 0, onnx_emit2(c, OP_TRANSPOSE, c->in[0], order));
}

/* ONNX says all the paddings before, then all those after; ours come in pairs. */
static int64_t padding_pairs(struct onnx_conversion *c, int64_t pads)
{
	int64_t halves = onnx_emit2(c, OP_RESHAPE, pads, onnx_new_ints(c, (const int64_t[]){2, -1}, 2));

	return onnx_emit2(c, OP_TRANSPOSE, halves, onnx_new_ints(c, (const int64_t[]){1, 0}, 2));
}

int onnx_pad(struct onnx_conversion *c)
{
	const Onnx__AttributeProto *a = onnx_attr(c, c->version < 2 ? "paddings" : "pads");
	int64_t pads, value;

	if (!onnx_attr_is(c, "mode", "constant", "constant"))
		return onnx_attr_refused(c, "mode");
	if (c->version >= 11) {
		if (!onnx_has_input(c, 1))
			return error_set(c->err, ERR_FORMAT, "there are no paddings");
		pads = padding_pairs(c, c->in[1]);
		if (!onnx_has_input(c, 2))
			return onnx_result(c, 0, onnx_emit2(c, OP_PAD, c->in[0], pads));
		value = c->in[2];
	} else {
		if (a == NULL || a->n_ints > 2 * TENSOR_MAX_RANK)
			return error_set(c->err, ERR_FORMAT, "there are no paddings");
		pads = padding_pairs(c, onnx_new_ints(c, a->ints, (unsigned)a->n_ints));
		value = onnx_new_number(c, c->graph->values[c->in[0]].dtype, (double)onnx_attr_float(c, "value", 0.0f));
	}
	return onnx_result(c, 0, onnx_emit(c, OP_PAD, NULL, (const int64_t[]){c->in[0], pads, value}, 3));
}

int onnx_squeeze(struct onnx_conversion *c)
{
	struct attributes attr = {0};
	const int64_t x = c->in[0];
	struct onnx_axes axes;

	int r = onnx_axes(c, 1, &axes);
	if (r < 0)
		return r;
	/* No axes given means all of size 1; an empty list means none. */
	if (axes.given && axes.n == 0)
		return onnx_result(c, 0, x);
	attr.naxes = axes.n;
	memcpy(attr.axes, axes.v, sizeof(attr.axes));
	return onnx_result(c, 0, onnx_emit(c, OP_SQUEEZE, &attr, &x, 1));
}

/* From the first dimension on, or, negative, from the last: then no insertion moves another's place. */
static int compare_axes(const void *left, const void *right)
{
	const int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
	int order = a < b ? -1 : a > b;

	return a < 0 ? -order : order;
}

int onnx_unsqueeze(struct onnx_conversion *c)
{
	int64_t x = c->in[0];
	struct onnx_axes axes;

	int r = onnx_axes(c, 1, &axes);
	if (r < 0)
		return r;
	if (!axes.given)
		return error_set(c->err, ERR_FORMAT, "there are no axes");
	for (unsigned i = 1; i < axes.n; i++) {
		if ((axes.v[i] < 0) != (axes.v[0] < 0))
			return error_set(c->err, ERR_UNSUPPORTED, "axes of which only some are negative");
	}
	qsort(axes.v, axes.n, sizeof(*axes.v), compare_axes);
	for (unsigned i = 0; i < axes.n; i++) {
		if (i > 0 && axes.v[i] == axes.v[i - 1])
			return error_set(c->err, ERR_FORMAT, "axis %lld is given twice", (long long)axes.v[i]);
		x = onnx_emit2(c, OP_EXPAND_DIMS, x, onnx_new_int(c, axes.v[i]));
	}
	return onnx_result(c, 0, x);
}

int onnx_shape(struct onnx_conversion *c)
{
	const struct attributes shape = {.dtype = DTYPE_INT64};
	const Onnx__AttributeProto *end = onnx_attr(c, "end");
	const struct attributes range = {.end_mask = end == NULL};
	const int64_t start = onnx_attr_int(c, "start", 0), stop = onnx_attr_int(c, "end", 0), one = 1;
	const int64_t x = c->in[0];
	int64_t made = onnx_emit(c, OP_SHAPE, &shape, &x, 1);

	if (start != 0 || end != NULL) {
		const int64_t in[] = {made, onnx_new_ints(c, &start, 1), onnx_new_ints(c, &stop, 1),
				      onnx_new_ints(c, &one, 1)};
		made = onnx_emit(c, OP_STRIDED_SLICE, &range, in, 4);
	}
	return onnx_result(c, 0, made);
}

int onnx_gather(struct onnx_conversion *c)
{
	const struct attributes attr = {.wrap_indices = true};
	const int64_t in[] = {c->in[0], c->in[1], onnx_new_int(c, onnx_attr_int(c, "axis", 0))};

	return onnx_result(c, 0, onnx_emit(c, OP_GATHER, &attr, in, 3));
}

int onnx_cast(struct onnx_conversion *c)
{
	struct attributes attr = {0};
	const int64_t x = c->in[0];

	int r = onnx_attr_dtype(c, "to", &attr.dtype);
	return r < 0 ? r : onnx_result(c, 0, onnx_emit(c, OP_CAST, &attr, &x, 1));
}

/* At inference nothing is dropped. The mask, its second output, is not made. */
int onnx_dropout(struct onnx_conversion *c)
{
	const struct tensor *training = onnx_constant(c, 2);

	if (onnx_has_input(c, 2) && (training == NULL || training->dtype != DTYPE_BOOL || training->count != 1 ||
				     *(const uint8_t *)training->data != 0))
		return error_set(c->err, ERR_UNSUPPORTED, "training is not supported");
	return onnx_result(c, 0, c->in[0]);
}
