/*
 * op_shape.c - operators that only change or read the shape, and random tensors of a given shape.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/ops.h"

int plan_identity(struct step *s, struct error *err)
{
	(void)err;
	s->out[0]->shape = s->in[0]->shape;
	return 0;
}

int plan_reshape(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	char text[SHAPE_TEXT_MAX];
	int64_t dims[TENSOR_MAX_RANK];
	unsigned rank = 0, free_dim = TENSOR_MAX_RANK;
	size_t rest;

	int r = operand_ints(s->in[1], dims, TENSOR_MAX_RANK, &rank, "the shape", err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < rank; i++) {
		if (dims[i] == 0 && s->node->attr.zero_copies && i < in->rank)
			dims[i] = in->dims[i];
		if (dims[i] >= 0)
			continue;
		if (dims[i] != -1 || free_dim != TENSOR_MAX_RANK)
			return error_set(err, ERR_INVALID, "dimension %" PRId64 " of the new shape", dims[i]);
		free_dim = i;
		dims[i] = 1;
	}
	if (!shape_count(&rest, dims, rank))
		return ERR_RANGE;
	if (free_dim != TENSOR_MAX_RANK && rest != 0) {
		dims[free_dim] = (int64_t)(in->count / rest);
		rest *= in->count / rest;
	}
	if (rest != in->count)
		return error_set(err, ERR_INVALID, "a tensor of shape %s has %zu elements, the new shape does not",
				 shape_text(text, in), in->count);
	return shape_set(&s->out[0]->shape, dims, rank);
}

int plan_squeeze(struct step *s, struct error *err)
{
	const struct attributes *attr = &s->node->attr;
	const struct shape *in = &s->in[0]->shape;
	bool drop[TENSOR_MAX_RANK] = {false};
	int64_t dims[TENSOR_MAX_RANK];
	unsigned rank = 0;

	for (unsigned i = 0; i < in->rank && attr->naxes == 0; i++)
		drop[i] = in->dims[i] == 1;
	for (unsigned i = 0; i < attr->naxes; i++) {
		unsigned axis = 0;
		int r = axis_resolve(attr->axes[i], in->rank, &axis, err);
		if (r < 0)
			return r;
		if (in->dims[axis] != 1)
			return error_set(err, ERR_INVALID, "dimension %u is %" PRId64 ", not 1", axis, in->dims[axis]);
		drop[axis] = true;
	}
	for (unsigned i = 0; i < in->rank; i++) {
		if (!drop[i])
			dims[rank++] = in->dims[i];
	}
	return shape_set(&s->out[0]->shape, dims, rank);
}

int plan_flatten(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	int64_t dims[] = {1, 1};
	unsigned axis = in->rank;

	if (s->node->attr.axis != (int64_t)in->rank) {
		int r = axis_resolve(s->node->attr.axis, in->rank, &axis, err);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < in->rank; i++)
		dims[i >= axis] *= in->dims[i];
	return shape_set(&s->out[0]->shape, dims, 2);
}

int plan_expand_dims(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	int64_t dims[TENSOR_MAX_RANK];
	unsigned axis = 0;

	if (s->in[1]->shape.count != 1 || in->rank == TENSOR_MAX_RANK)
		return error_set(err, ERR_INVALID, "%zu axes for a tensor of rank %u", s->in[1]->shape.count, in->rank);
	int r = axis_resolve(operand_int(s->in[1], 0), in->rank + 1, &axis, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i <= in->rank; i++)
		dims[i] = i < axis ? in->dims[i] : i == axis ? 1 : in->dims[i - 1];
	return shape_set(&s->out[0]->shape, dims, in->rank + 1);
}

int types_shape(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		struct error *err)
{
	(void)in;
	(void)nin;
	(void)nout;
	if (attr->dtype != DTYPE_INT32 && attr->dtype != DTYPE_INT64)
		return types_unsupported(attr->dtype, err);
	out[0] = attr->dtype;
	return 0;
}

/* Known as soon as shapes are: no step is left of it. */
int plan_shape(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	struct operand *out = s->out[0];
	int64_t dims[] = {in->rank};

	out->data = pool_alloc(s->pool, in->rank + 1, dtype_size(out->dtype));
	if (out->data == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < in->rank; i++) {
		if (out->dtype == DTYPE_INT64)
			((int64_t *)out->data)[i] = in->dims[i];
		else if (in->dims[i] > INT32_MAX)
			return error_set(err, ERR_INVALID, "dimension %" PRId64 " as INT32", in->dims[i]);
		else
			((int32_t *)out->data)[i] = (int32_t)in->dims[i];
	}
	out->known = true;
	return shape_set(&out->shape, dims, 1);
}

static int run_random_uniform(const struct step *s, struct run *run)
{
	size_t count = s->out[0]->shape.count;
	double *wide = s->out[0]->data;
	float *narrow = s->out[0]->data;

	for (size_t i = 0; i < count; i++) {
		if (s->out[0]->dtype == DTYPE_DOUBLE)
			wide[i] = rng_double(run->rng);
		else
			narrow[i] = rng_float(run->rng);
	}
	return 0;
}

int types_random(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		 struct error *err)
{
	(void)nin;
	(void)nout;
	if (in[0] != DTYPE_INT32 && in[0] != DTYPE_INT64)
		return types_unsupported(in[0], err);
	if (!dtype_is_float(attr->dtype))
		return types_unsupported(attr->dtype, err);
	out[0] = attr->dtype;
	return 0;
}

int plan_random_uniform(struct step *s, struct error *err)
{
	int64_t dims[TENSOR_MAX_RANK];
	unsigned rank = 0;

	int r = operand_ints(s->in[0], dims, TENSOR_MAX_RANK, &rank, "the shape", err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < rank; i++) {
		if (dims[i] < 0)
			return error_set(err, ERR_INVALID, "dimension %" PRId64 " of the shape", dims[i]);
	}
	s->run = run_random_uniform;
	return shape_set(&s->out[0]->shape, dims, rank);
}
