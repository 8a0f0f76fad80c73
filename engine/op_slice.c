/*
 * op_slice.c - operators whose output is a strided walk through the input: transpose, slices, split, unpack.
 */
#include <inttypes.h>
#include <string.h>

#include "engine/ops.h"

/* The output is contiguous; the input is visited from `start` on. Innermost dimension last. Strides in elements. */
struct walk {
	unsigned rank; /* at least 1 */
	size_t element;
	size_t count;
	ptrdiff_t start;
	size_t size[TENSOR_MAX_RANK];
	ptrdiff_t stride[TENSOR_MAX_RANK];
};

/* NOLINTBEGIN(bugprone-macro-parentheses): type names cannot be put in parentheses. */
#define DEFINE_COPY(type) \
	static void copy_##type(size_t n, ptrdiff_t stride, const char *from, char *to) \
	{ \
		const type *x = (const type *)(const void *)from; \
		type *y = (type *)(void *)to; \
		for (size_t i = 0; i < n; i++) \
			y[i] = x[(ptrdiff_t)i * stride]; \
	}
DEFINE_COPY(uint8_t)
DEFINE_COPY(uint16_t)
DEFINE_COPY(uint32_t)
DEFINE_COPY(uint64_t)
/* NOLINTEND(bugprone-macro-parentheses) */

static void copy_row(size_t element, size_t n, ptrdiff_t stride, const char *from, char *to)
{
	if (stride == 1)
		memcpy(to, from, n * element);
	else if (element == 4)
		copy_uint32_t(n, stride, from, to);
	else if (element == 8)
		copy_uint64_t(n, stride, from, to);
	else if (element == 2)
		copy_uint16_t(n, stride, from, to);
	else
		copy_uint8_t(n, stride, from, to);
}

static void walk_run(const struct walk *w, const char *from, char *to)
{
	const size_t n = w->size[w->rank - 1];
	const ptrdiff_t stride = w->stride[w->rank - 1], element = (ptrdiff_t)w->element;
	size_t index[TENSOR_MAX_RANK] = {0};
	ptrdiff_t at = w->start;

	for (size_t done = 0; done < w->count; done += n) {
		copy_row(w->element, n, stride, from + at * element, to + done * w->element);
		for (unsigned d = w->rank - 1; d > 0; d--) {
			at += w->stride[d - 1];
			if (++index[d - 1] < w->size[d - 1])
				break;
			at -= (ptrdiff_t)w->size[d - 1] * w->stride[d - 1];
			index[d - 1] = 0;
		}
	}
}

static int run_walks(const struct step *s, struct run *run)
{
	const struct walk *all = s->state; /* one an output */

	(void)run;
	for (uint32_t i = 0; i < s->nout; i++)
		walk_run(&all[i], s->in[0]->data, s->out[i]->data);
	return 0;
}

static void strides_of(const struct shape *s, ptrdiff_t *stride)
{
	ptrdiff_t step = 1;

	for (unsigned i = s->rank; i-- > 0;) {
		stride[i] = step;
		step *= (ptrdiff_t)s->dims[i];
	}
}

/* Merges dimensions that follow each other without a gap. */
static void walk_init(struct walk *w, enum dtype t, const int64_t *dims, const ptrdiff_t *stride, unsigned rank,
		      ptrdiff_t start)
{
	*w = (struct walk){.element = dtype_size(t), .start = start, .count = 1};
	for (unsigned i = 0; i < rank; i++) {
		size_t size = (size_t)dims[i];
		w->count *= size;
		if (size == 1)
			continue;
		if (w->rank > 0 && w->stride[w->rank - 1] == (ptrdiff_t)size * stride[i]) {
			w->size[w->rank - 1] *= size;
			w->stride[w->rank - 1] = stride[i];
			continue;
		}
		w->size[w->rank] = size;
		w->stride[w->rank++] = stride[i];
	}
	if (w->rank == 0) {
		w->rank = 1;
		w->size[0] = 1;
		w->stride[0] = 1;
	}
}

static struct walk *walks_new(struct step *s)
{
	struct walk *all = pool_alloc(s->pool, s->nout, sizeof(*all));

	s->state = all;
	s->run = run_walks;
	return all;
}

int plan_transpose(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	ptrdiff_t from[TENSOR_MAX_RANK], stride[TENSOR_MAX_RANK];
	int64_t order[TENSOR_MAX_RANK], dims[TENSOR_MAX_RANK];
	bool taken[TENSOR_MAX_RANK] = {false};
	unsigned n = 0;

	int r = operand_ints(s->in[1], order, TENSOR_MAX_RANK, &n, "the permutation", err);
	if (r < 0)
		return r;
	for (const bool reversed = n == 0; reversed && n < in->rank; n++)
		order[n] = (int64_t)(in->rank - 1 - n);
	if (n != in->rank)
		return error_set(err, ERR_INVALID, "a permutation of %u for a tensor of rank %u", n, in->rank);
	strides_of(in, from);
	for (unsigned i = 0; i < n; i++) {
		unsigned axis = 0;
		r = axis_resolve(order[i], n, &axis, err);
		if (r < 0)
			return r;
		if (taken[axis])
			return error_set(err, ERR_INVALID, "axis %u comes twice in the permutation", axis);
		taken[axis] = true;
		dims[i] = in->dims[axis];
		stride[i] = from[axis];
	}
	struct walk *w = walks_new(s);
	if (w == NULL)
		return ERR_NOMEM;
	walk_init(w, s->in[0]->dtype, dims, stride, n, 0);
	return shape_set(&s->out[0]->shape, dims, n);
}

int plan_slice(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	int64_t begin[TENSOR_MAX_RANK], size[TENSOR_MAX_RANK];
	ptrdiff_t stride[TENSOR_MAX_RANK], start = 0;
	unsigned n = 0, n_size = 0;

	int r = operand_ints(s->in[1], begin, TENSOR_MAX_RANK, &n, "begin", err);
	if (r == 0)
		r = operand_ints(s->in[2], size, TENSOR_MAX_RANK, &n_size, "size", err);
	if (r < 0)
		return r;
	if (n != in->rank || n_size != in->rank)
		return error_set(err, ERR_INVALID, "begin and size of %u and %u for a tensor of rank %u", n, n_size,
				 in->rank);
	strides_of(in, stride);
	for (unsigned i = 0; i < n; i++) {
		if (begin[i] >= 0 && begin[i] <= in->dims[i] && size[i] == -1)
			size[i] = in->dims[i] - begin[i];
		if (begin[i] < 0 || begin[i] > in->dims[i] || size[i] < 0 || size[i] > in->dims[i] - begin[i])
			return error_set(err, ERR_INVALID,
					 "begin %" PRId64 ", size %" PRId64 " in dimension %u of %" PRId64, begin[i],
					 size[i], i, in->dims[i]);
		start += (ptrdiff_t)begin[i] * stride[i];
	}
	struct walk *w = walks_new(s);
	if (w == NULL)
		return ERR_NOMEM;
	walk_init(w, s->in[0]->dtype, size, stride, n, start);
	return shape_set(&s->out[0]->shape, size, n);
}

/* What a strided slice has gathered after some of its entries. */
struct slicing {
	int64_t dims[TENSOR_MAX_RANK]; /* of the output */
	ptrdiff_t stride[TENSOR_MAX_RANK];
	unsigned rank;
	ptrdiff_t start;
	unsigned axis; /* next of the input */
	ptrdiff_t from[TENSOR_MAX_RANK];
};

static int slicing_push(struct slicing *g, int64_t dim, ptrdiff_t stride)
{
	if (g->rank == TENSOR_MAX_RANK)
		return ERR_RANGE;
	g->dims[g->rank] = dim;
	g->stride[g->rank++] = stride;
	return 0;
}

static int64_t clamp(int64_t x, int64_t low, int64_t high)
{
	return x < low ? low : x > high ? high : x;
}

/* x[begin:end:step] of one dimension, as Python does it. */
static int slice_range(struct slicing *g, const struct shape *in, const struct attributes *attr, unsigned bit,
		       int64_t begin, int64_t end, int64_t step, struct error *err)
{
	const int64_t size = in->dims[g->axis];
	const int64_t low = step > 0 ? 0 : -1, high = step > 0 ? size : size - 1;

	if (step == 0 || step == INT64_MIN)
		return error_set(err, ERR_INVALID, "a stride of %" PRId64, step);
	/* begin >= -2^63 and size >= 0: no overflow. */
	begin = clamp(begin < 0 ? begin + size : begin, low, high);
	end = clamp(end < 0 ? end + size : end, low, high);
	if (attr->begin_mask >> bit & 1)
		begin = step > 0 ? 0 : size - 1;
	if (attr->end_mask >> bit & 1)
		end = step > 0 ? size : -1;
	int64_t distance = step > 0 ? end - begin : begin - end;
	int64_t magnitude = step > 0 ? step : -step;
	int64_t dim = distance <= 0 ? 0 : (distance - 1) / magnitude + 1;
	if (dim > 0)
		g->start += (ptrdiff_t)begin * g->from[g->axis];
	/* With at most one element the stride is never used, and may be too large to multiply. */
	ptrdiff_t stride = dim > 1 ? (ptrdiff_t)step * g->from[g->axis] : 0;
	g->axis++;
	return slicing_push(g, dim, stride);
}

static int slice_index(struct slicing *g, const struct shape *in, int64_t index, struct error *err)
{
	const int64_t size = in->dims[g->axis];

	if (index < -size || index >= size)
		return error_set(err, ERR_INVALID, "index %" PRId64 " in dimension %u of %" PRId64, index, g->axis,
				 size);
	g->start += (ptrdiff_t)(index < 0 ? index + size : index) * g->from[g->axis];
	g->axis++;
	return 0;
}

/* Input dimensions that the entries after the ellipsis will use. */
static unsigned dims_after(const struct attributes *attr, unsigned from, unsigned n)
{
	unsigned count = 0;

	for (unsigned i = from; i < n; i++)
		count += !(attr->new_axis_mask >> i & 1);
	return count;
}

static int slice_whole(struct slicing *g, const struct shape *in, unsigned until)
{
	int r = 0;

	for (; r == 0 && g->axis < until; g->axis++)
		r = slicing_push(g, in->dims[g->axis], g->from[g->axis]);
	return r;
}

int plan_strided_slice(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	const struct attributes *attr = &s->node->attr;
	int64_t begin[TENSOR_MAX_RANK], end[TENSOR_MAX_RANK], step[TENSOR_MAX_RANK];
	unsigned n = 0, n_end = 0, n_step = 0;
	struct slicing g = {0};

	int r = operand_ints(s->in[1], begin, TENSOR_MAX_RANK, &n, "begin", err);
	if (r == 0)
		r = operand_ints(s->in[2], end, TENSOR_MAX_RANK, &n_end, "end", err);
	if (r == 0)
		r = operand_ints(s->in[3], step, TENSOR_MAX_RANK, &n_step, "strides", err);
	if (r < 0)
		return r;
	if (n != n_end || n != n_step)
		return error_set(err, ERR_INVALID, "%u begins, %u ends, %u strides", n, n_end, n_step);
	if ((attr->ellipsis_mask & (attr->ellipsis_mask - 1)) != 0)
		return error_set(err, ERR_INVALID, "more than one ellipsis");
	strides_of(in, g.from);
	for (unsigned i = 0; i < n && r == 0; i++) {
		if (attr->ellipsis_mask >> i & 1) {
			unsigned after = dims_after(attr, i + 1, n);
			r = slice_whole(&g, in, in->rank > after ? in->rank - after : 0);
		} else if (attr->new_axis_mask >> i & 1) {
			r = slicing_push(&g, 1, 0);
		} else if (g.axis >= in->rank) {
			r = error_set(err, ERR_INVALID, "more entries than the %u dimensions", in->rank);
		} else if (attr->shrink_axis_mask >> i & 1) {
			r = slice_index(&g, in, attr->begin_mask >> i & 1 ? 0 : begin[i], err);
		} else {
			r = slice_range(&g, in, attr, i, begin[i], end[i], step[i], err);
		}
	}
	if (r == 0)
		r = slice_whole(&g, in, in->rank);
	if (r < 0)
		return r;
	struct walk *w = walks_new(s);
	if (w == NULL)
		return ERR_NOMEM;
	walk_init(w, s->in[0]->dtype, g.dims, g.stride, g.rank, g.start);
	return shape_set(&s->out[0]->shape, g.dims, g.rank);
}

int plan_split(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	ptrdiff_t stride[TENSOR_MAX_RANK];
	int64_t dims[TENSOR_MAX_RANK];
	unsigned axis = 0;

	if (s->in[1]->shape.count != 1)
		return error_set(err, ERR_INVALID, "%zu axes where one is wanted", s->in[1]->shape.count);
	int r = axis_resolve(operand_int(s->in[1], 0), in->rank, &axis, err);
	if (r < 0)
		return r;
	if (in->dims[axis] % s->nout != 0)
		return error_set(err, ERR_INVALID, "dimension %u of %" PRId64 " does not split into %u equal parts",
				 axis, in->dims[axis], s->nout);
	strides_of(in, stride);
	memcpy(dims, in->dims, in->rank * sizeof(*dims));
	dims[axis] /= s->nout;
	struct walk *w = walks_new(s);
	if (w == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < s->nout && r == 0; i++) {
		walk_init(&w[i], s->in[0]->dtype, dims, stride, in->rank, (ptrdiff_t)(i * dims[axis]) * stride[axis]);
		r = shape_set(&s->out[i]->shape, dims, in->rank);
	}
	return r;
}

int plan_unpack(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	ptrdiff_t from[TENSOR_MAX_RANK], stride[TENSOR_MAX_RANK];
	int64_t dims[TENSOR_MAX_RANK];
	unsigned axis = 0, rank = 0;

	int r = axis_resolve(s->node->attr.axis, in->rank, &axis, err);
	if (r < 0)
		return r;
	if (in->dims[axis] != s->nout)
		return error_set(err, ERR_INVALID, "dimension %u of %" PRId64 " taken apart into %u", axis,
				 in->dims[axis], s->nout);
	strides_of(in, from);
	for (unsigned i = 0; i < in->rank; i++) {
		if (i == axis)
			continue;
		dims[rank] = in->dims[i];
		stride[rank++] = from[i];
	}
	struct walk *w = walks_new(s);
	if (w == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < s->nout && r == 0; i++) {
		walk_init(&w[i], s->in[0]->dtype, dims, stride, rank, (ptrdiff_t)i * from[axis]);
		r = shape_set(&s->out[i]->shape, dims, rank);
	}
	return r;
}
