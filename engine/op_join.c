/*
 * op_join.c - operators that place their inputs inside a larger output: concat, pack, pad; and gather.
 */
#include <inttypes.h>
#include <string.h>

#include "common/arith.h"
#include "engine/onednn.h"

/* Every input gives `outer` rows; row i of the output is row i of each input in turn. */
struct join {
	size_t outer;
	size_t *bytes; /* of one input's row */
	uint32_t n;
};

static int run_join(const struct step *s, struct run *run)
{
	const struct join *j = s->state;
	char *to = s->out[0]->data;

	(void)run;
	for (size_t row = 0; row < j->outer; row++) {
		for (uint32_t i = 0; i < j->n; i++) {
			memcpy(to, (const char *)s->in[i]->data + row * j->bytes[i], j->bytes[i]);
			to += j->bytes[i];
		}
	}
	return 0;
}

static struct join *join_new(struct step *s, const struct shape *first, unsigned axis, uint32_t n)
{
	struct join *j = pool_alloc(s->pool, 1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->bytes = pool_alloc(s->pool, n, sizeof(*j->bytes));
	if (j->bytes == NULL)
		return NULL;
	j->n = n;
	j->outer = 1;
	for (unsigned i = 0; i < axis; i++)
		j->outer *= (size_t)first->dims[i];
	for (uint32_t i = 0; i < n; i++)
		j->bytes[i] = j->outer > 0 ? s->in[i]->shape.count / j->outer * dtype_size(s->in[i]->dtype) : 0;
	s->state = j;
	s->run = run_join;
	return j;
}

/* Where a dimension of the image lies in memory if the image is in the other order. */
static unsigned swapped_axis(enum image_layout order, unsigned axis)
{
	static const unsigned from_nchw[] = {0, 3, 1, 2}, from_nhwc[] = {0, 2, 3, 1};

	return order == LAYOUT_NCHW ? from_nchw[axis] : from_nhwc[axis];
}

/* Images that all come in the other order are joined in it. */
static int prepare_concat(struct step *s, struct error *err)
{
	const struct private_layout *first = s->in[0]->layout;
	const uint32_t n = s->nin - 1;
	struct join *j = s->state;
	dnnl_memory_desc_t md;
	struct image plain, image;
	unsigned axis = 0;
	int r = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct private_layout *l = s->in[i]->layout;
		if (l == NULL || !l->swapped || l->order != first->order)
			return 0;
	}
	s->in_layout = pool_alloc(s->pool, s->nin, sizeof(struct private_layout *));
	if (s->in_layout == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < n; i++)
		s->in_layout[i] = s->in[i]->layout;
	r = image_of(&plain, &s->out[0]->shape, first->order, err);
	if (r < 0)
		return r;
	image = plain;
	image_swap(&image, first->order);
	r = onednn_image(&md, &image);
	if (r == 0)
		r = layout_new(s, &md, &plain, first->order, &s->out[0]->layout);
	if (r == 0)
		r = axis_resolve(operand_int(s->in[n], 0), 4, &axis, err);
	if (r < 0 || s->out[0]->layout == NULL)
		return r;
	/* Dimensions before the axis, in memory. */
	const unsigned at = swapped_axis(first->order, axis);
	j->outer = 1;
	for (unsigned d = 0; d < 4; d++) {
		if (swapped_axis(first->order, d) < at)
			j->outer *= (size_t)s->out[0]->shape.dims[d];
	}
	for (uint32_t i = 0; i < n; i++)
		j->bytes[i] = j->outer > 0 ? s->in[i]->shape.count / j->outer * sizeof(float) : 0;
	return 0;
}

int types_concat(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		 struct error *err)
{
	if (in[nin - 1] != DTYPE_INT32 && in[nin - 1] != DTYPE_INT64)
		return types_unsupported(in[nin - 1], err);
	return types_same(attr, in, nin - 1, out, nout, err);
}

int plan_concat(struct step *s, struct error *err)
{
	const uint32_t n = s->nin - 1;
	const struct shape *first = &s->in[0]->shape;
	char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
	int64_t dims[TENSOR_MAX_RANK];
	unsigned axis = 0;

	if (s->in[n]->shape.count != 1)
		return error_set(err, ERR_INVALID, "%zu axes where one is wanted", s->in[n]->shape.count);
	int r = axis_resolve(operand_int(s->in[n], 0), first->rank, &axis, err);
	if (r < 0)
		return r;
	memcpy(dims, first->dims, first->rank * sizeof(*dims));
	for (uint32_t i = 1; i < n; i++) {
		struct shape other = s->in[i]->shape;
		if (other.rank == first->rank && __builtin_add_overflow(dims[axis], other.dims[axis], &dims[axis]))
			return ERR_RANGE;
		if (other.rank == first->rank)
			other.dims[axis] = first->dims[axis];
		if (!shape_equal(&other, first))
			return error_set(err, ERR_INVALID, "shapes %s and %s cannot be joined along axis %u",
					 shape_text(a, first), shape_text(b, &s->in[i]->shape), axis);
	}
	if (join_new(s, first, axis, n) == NULL)
		return ERR_NOMEM;
	s->prepare = prepare_concat;
	return shape_set(&s->out[0]->shape, dims, first->rank);
}

int plan_pack(struct step *s, struct error *err)
{
	const struct shape *first = &s->in[0]->shape;
	char a[SHAPE_TEXT_MAX], b[SHAPE_TEXT_MAX];
	int64_t dims[TENSOR_MAX_RANK];
	unsigned axis = 0;

	if (first->rank == TENSOR_MAX_RANK)
		return ERR_RANGE;
	int r = axis_resolve(s->node->attr.axis, first->rank + 1, &axis, err);
	if (r < 0)
		return r;
	for (uint32_t i = 1; i < s->nin; i++) {
		if (!shape_equal(&s->in[i]->shape, first))
			return error_set(err, ERR_INVALID, "shapes %s and %s cannot be packed", shape_text(a, first),
					 shape_text(b, &s->in[i]->shape));
	}
	for (unsigned i = 0; i <= first->rank; i++)
		dims[i] = i < axis ? first->dims[i] : i == axis ? (int64_t)s->nin : first->dims[i - 1];
	if (join_new(s, first, axis, s->nin) == NULL)
		return ERR_NOMEM;
	return shape_set(&s->out[0]->shape, dims, first->rank + 1);
}

/* Rows of the input's last dimension, each to its place in an output that was filled with the padding. */
struct padding {
	size_t element, row; /* bytes; elements */
	unsigned rank;       /* of the outer dimensions */
	size_t size[TENSOR_MAX_RANK];
	size_t stride[TENSOR_MAX_RANK]; /* bytes in the output */
	size_t start;
};

static void fill(char *to, size_t count, const void *value, size_t element)
{
	static const char zero[8];

	if (value == NULL || memcmp(value, zero, element) == 0) {
		memset(to, 0, count * element);
		return;
	}
	for (size_t i = 0; i < count; i++)
		memcpy(to + i * element, value, element);
}

static int run_pad(const struct step *s, struct run *run)
{
	const struct padding *p = s->state;
	const char *from = s->in[0]->data;
	const size_t bytes = p->row * p->element;
	char *to = s->out[0]->data;
	size_t index[TENSOR_MAX_RANK] = {0}, at = p->start;

	(void)run;
	fill(to, s->out[0]->shape.count, s->nin > 2 ? s->in[2]->data : NULL, p->element);
	for (size_t done = 0; done < s->in[0]->shape.count; done += p->row, from += bytes) {
		memcpy(to + at, from, bytes);
		for (unsigned d = p->rank; d > 0; d--) {
			at += p->stride[d - 1];
			if (++index[d - 1] < p->size[d - 1])
				break;
			at -= p->size[d - 1] * p->stride[d - 1];
			index[d - 1] = 0;
		}
	}
	return 0;
}

int types_pad(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
	      struct error *err)
{
	if (nin > 2 && in[2] != in[0])
		return types_unsupported(in[2], err);
	return types_with_ints(attr, in, 2, out, nout, err);
}

int plan_pad(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape, *pairs = &s->in[1]->shape;
	struct padding *p = pool_alloc(s->pool, 1, sizeof(*p));
	int64_t dims[TENSOR_MAX_RANK];

	if (p == NULL)
		return ERR_NOMEM;
	if (pairs->rank != 2 || pairs->dims[0] != in->rank || pairs->dims[1] != 2 ||
	    (s->nin > 2 && s->in[2]->shape.count != 1))
		return error_set(err, ERR_INVALID, "paddings do not fit a tensor of rank %u", in->rank);
	for (unsigned i = 0; i < in->rank; i++) {
		int64_t before = operand_int(s->in[1], 2 * i), after = operand_int(s->in[1], 2 * i + 1);
		if (before < 0 || after < 0)
			return error_set(err, ERR_INVALID, "padding of %" PRId64 " and %" PRId64, before, after);
		if (__builtin_add_overflow(in->dims[i], before, &dims[i]) ||
		    __builtin_add_overflow(dims[i], after, &dims[i]))
			return ERR_RANGE;
	}
	int r = shape_set(&s->out[0]->shape, dims, in->rank);
	if (r < 0)
		return r;
	p->element = dtype_size(s->in[0]->dtype);
	p->row = in->rank > 0 ? (size_t)in->dims[in->rank - 1] : 1;
	p->rank = in->rank > 0 ? in->rank - 1 : 0;
	size_t step = p->element;
	for (unsigned i = in->rank; i-- > 0 && s->out[0]->shape.count > 0;) {
		p->start += (size_t)operand_int(s->in[1], 2 * i) * step;
		p->size[i] = (size_t)in->dims[i];
		p->stride[i] = step;
		step *= (size_t)dims[i];
	}
	s->state = p;
	s->run = run_pad;
	return 0;
}

/* The input as [outer, n, inner]: each index takes one row of inner elements. */
struct gather {
	size_t outer, n, row; /* row: bytes */
	bool wrap;            /* negative indices count from the end */
};

/* Not below n if the index is outside. */
static size_t gather_index(const struct gather *g, const struct operand *indices, size_t i)
{
	int64_t index = operand_int(indices, i);

	return (size_t)index + (g->wrap && index < 0 ? g->n : 0);
}

static int run_gather(const struct step *s, struct run *run)
{
	const struct gather *g = s->state;
	const struct operand *indices = s->in[1];
	const char *from = s->in[0]->data;
	char *to = s->out[0]->data;

	for (size_t i = 0; i < indices->shape.count; i++) {
		if (gather_index(g, indices, i) >= g->n)
			return error_set(run->err, ERR_INVALID, "index %" PRId64 " outside [%s%zu, %zu)",
					 operand_int(indices, i), g->wrap ? "-" : "", g->wrap ? g->n : 0, g->n);
	}
	for (size_t o = 0; o < g->outer; o++, from += g->n * g->row) {
		for (size_t i = 0; i < indices->shape.count; i++, to += g->row)
			memcpy(to, from + gather_index(g, indices, i) * g->row, g->row);
	}
	return 0;
}

int plan_gather(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape, *indices = &s->in[1]->shape;
	struct gather *g = pool_alloc(s->pool, 1, sizeof(*g));
	int64_t dims[2 * TENSOR_MAX_RANK];
	unsigned axis = 0, rank = 0;
	size_t inner = 1;

	if (g == NULL)
		return ERR_NOMEM;
	if (s->in[2]->shape.count != 1)
		return error_set(err, ERR_INVALID, "%zu axes where one is wanted", s->in[2]->shape.count);
	int r = axis_resolve(operand_int(s->in[2], 0), in->rank, &axis, err);
	if (r < 0)
		return r;
	*g = (struct gather){.outer = 1, .n = (size_t)in->dims[axis], .wrap = s->node->attr.wrap_indices};
	for (unsigned i = 0; i < axis; i++) {
		dims[rank++] = in->dims[i];
		g->outer *= (size_t)in->dims[i];
	}
	for (unsigned i = 0; i < indices->rank; i++)
		dims[rank++] = indices->dims[i];
	for (unsigned i = axis + 1; i < in->rank; i++) {
		dims[rank++] = in->dims[i];
		inner *= (size_t)in->dims[i];
	}
	g->row = inner * dtype_size(s->in[0]->dtype);
	s->state = g;
	s->run = run_gather;
	return shape_set(&s->out[0]->shape, dims, rank);
}
