/*
 * op_reduce.c - sums, means, extremes over any set of axes, and the position of the largest element.
 *
 * Neighbouring dimensions that are reduced, or kept, together are merged when planning. Values are then visited in
 * memory order and gathered in accumulators that are wider than the type: double for floats, 64 bits for integers.
 */

#include "common/arith.h"
#include "engine/ops.h"

struct reduce {
	unsigned rank; /* of the outer dimensions */
	size_t size[TENSOR_MAX_RANK];
	size_t out_stride[TENSOR_MAX_RANK]; /* accumulators; 0: reduced */
	size_t n, n_step;                   /* the innermost dimension; step 1: kept, 0: reduced */
	size_t divisor;                     /* values that go into one result */
};

/* NOLINTBEGIN(bugprone-macro-parentheses): type names cannot be put in parentheses. */
/* Adds one innermost row x to accumulators at `to`. */
#define DEFINE_REDUCE(type, wide, least, most) \
	static void gather_##type(enum op op, size_t n, size_t step, const type *x, wide *to) \
	{ \
		switch (op) { \
		case OP_REDUCE_MAX: \
			for (size_t i = 0; i < n; i++) \
				to[i * step] = (wide)x[i] > to[i * step] ? (wide)x[i] : to[i * step]; \
			break; \
		case OP_REDUCE_MIN: \
			for (size_t i = 0; i < n; i++) \
				to[i * step] = (wide)x[i] < to[i * step] ? (wide)x[i] : to[i * step]; \
			break; \
		default: \
			for (size_t i = 0; i < n; i++) \
				to[i * step] = WIDE_ADD_##wide(to[i * step], (wide)x[i]); \
			break; \
		} \
	} \
	static int run_##type(const struct step *s, struct run *run) \
	{ \
		const struct reduce *r = s->state; \
		const enum op op = s->node->op; \
		const size_t count = s->out[0]->shape.count; \
		const type *x = s->in[0]->data; \
		type *y = s->out[0]->data; \
		wide *sums = s->scratch; \
		wide start = op == OP_REDUCE_MAX ? (wide)(least) : op == OP_REDUCE_MIN ? (wide)(most) : 0; \
		size_t index[TENSOR_MAX_RANK] = {0}, at = 0; \
		(void)run; \
		for (size_t i = 0; i < count; i++) \
			sums[i] = start; \
		for (size_t done = 0; done < s->in[0]->shape.count; done += r->n, x += r->n) { \
			gather_##type(op, r->n, r->n_step, x, sums + at); \
			at = next_row(r, index, at); \
		} \
		for (size_t i = 0; i < count; i++) \
			y[i] = (type)(op == OP_REDUCE_MEAN ? WIDE_DIV_##wide(sums[i], r->divisor) : sums[i]); \
		return 0; \
	}
/* NOLINTEND(bugprone-macro-parentheses) */

#define WIDE_ADD_double(a, b) ((a) + (b))
#define WIDE_ADD_int64_t(a, b) ((int64_t)((uint64_t)(a) + (uint64_t)(b)))
#define WIDE_DIV_double(a, n) ((a) / (double)(n))
#define WIDE_DIV_int64_t(a, n) ((n) > 0 ? (a) / (int64_t)(n) : 0)

static size_t next_row(const struct reduce *r, size_t *index, size_t at)
{
	for (unsigned d = r->rank; d > 0; d--) {
		at += r->out_stride[d - 1];
		if (++index[d - 1] < r->size[d - 1])
			return at;
		at -= r->size[d - 1] * r->out_stride[d - 1];
		index[d - 1] = 0;
	}
	return at;
}

DEFINE_REDUCE(float, double, -__builtin_inf(), __builtin_inf())
DEFINE_REDUCE(double, double, -__builtin_inf(), __builtin_inf())
DEFINE_REDUCE(int8_t, int64_t, INT8_MIN, INT8_MAX)
DEFINE_REDUCE(int16_t, int64_t, INT16_MIN, INT16_MAX)
DEFINE_REDUCE(int32_t, int64_t, INT32_MIN, INT32_MAX)
DEFINE_REDUCE(int64_t, int64_t, INT64_MIN, INT64_MAX)
DEFINE_REDUCE(uint8_t, int64_t, 0, UINT8_MAX)
DEFINE_REDUCE(uint16_t, int64_t, 0, UINT16_MAX)

int types_reduce(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		 struct error *err)
{
	if (in[0] == DTYPE_BOOL)
		return types_unsupported(in[0], err);
	return types_with_ints(attr, in, nin, out, nout, err);
}

/* Merges dimensions; reduced[i] says which disappear. */
static void collapse(struct reduce *r, const struct shape *in, const bool *reduced)
{
	size_t size[TENSOR_MAX_RANK], stride[TENSOR_MAX_RANK]; /* innermost first */
	size_t kept = 1;
	unsigned n = 0;
	bool last = false;

	r->divisor = 1;
	for (unsigned i = in->rank; i-- > 0;) {
		size_t d = (size_t)in->dims[i];
		r->divisor *= reduced[i] ? d : 1;
		if (d == 1)
			continue;
		if (n > 0 && reduced[i] == last) {
			size[n - 1] *= d;
		} else {
			size[n] = d;
			stride[n++] = reduced[i] ? 0 : kept;
			last = reduced[i];
		}
		kept *= reduced[i] ? 1 : d;
	}
	r->n = n > 0 ? size[0] : 1;
	r->n_step = n > 0 ? stride[0] : 1;
	r->rank = n > 0 ? n - 1 : 0;
	for (unsigned i = 0; i < r->rank; i++) {
		r->size[i] = size[n - 1 - i];
		r->out_stride[i] = stride[n - 1 - i];
	}
}

int plan_reduce(struct step *s, struct error *err)
{
	static int (*const runs[DTYPE_COUNT])(const struct step *, struct run *) = {
		[DTYPE_FLOAT] = run_float,   [DTYPE_DOUBLE] = run_double,  [DTYPE_INT8] = run_int8_t,
		[DTYPE_INT16] = run_int16_t, [DTYPE_INT32] = run_int32_t,  [DTYPE_INT64] = run_int64_t,
		[DTYPE_UINT8] = run_uint8_t, [DTYPE_UINT16] = run_uint16_t};
	const struct shape *in = &s->in[0]->shape;
	bool reduced[TENSOR_MAX_RANK] = {false};
	int64_t axes[TENSOR_MAX_RANK];
	unsigned naxes = 0;

	int r = operand_ints(s->in[1], axes, TENSOR_MAX_RANK, &naxes, "the list of axes", err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < naxes; i++) {
		unsigned axis = 0;
		r = axis_resolve(axes[i], in->rank, &axis, err);
		if (r < 0)
			return r;
		if (reduced[axis])
			return error_set(err, ERR_INVALID, "axis %u is given twice", axis);
		reduced[axis] = true;
	}
	r = shape_reduce(&s->out[0]->shape, in, reduced, s->node->attr.keep_dims);
	if (r < 0)
		return r;
	struct reduce *state = pool_alloc(s->pool, 1, sizeof(*state));
	if (state == NULL)
		return ERR_NOMEM;
	collapse(state, in, reduced);
	if (!size_mul(&s->scratch_size, s->out[0]->shape.count, sizeof(double)))
		return ERR_RANGE;
	s->state = state;
	s->run = runs[s->in[0]->dtype];
	return 0;
}

/* The input as [outer, n, inner]; the first of equal elements wins. */
struct argmax {
	size_t outer, n, inner;
};

#define DEFINE_ARGMAX(type) \
	static size_t argmax_##type(const void *from, size_t n, size_t stride) \
	{ \
		const type *x = from; \
		size_t best = 0; \
		for (size_t i = 1; i < n; i++) \
			best = x[i * stride] > x[best * stride] ? i : best; \
		return best; \
	}
DEFINE_ARGMAX(float)
DEFINE_ARGMAX(double)
DEFINE_ARGMAX(int8_t)
DEFINE_ARGMAX(int16_t)
DEFINE_ARGMAX(int32_t)
DEFINE_ARGMAX(int64_t)
DEFINE_ARGMAX(uint8_t)
DEFINE_ARGMAX(uint16_t)

static int run_argmax(const struct step *s, struct run *run)
{
	static size_t (*const searches[DTYPE_COUNT])(const void *, size_t, size_t) = {
		[DTYPE_FLOAT] = argmax_float,   [DTYPE_DOUBLE] = argmax_double,  [DTYPE_INT8] = argmax_int8_t,
		[DTYPE_INT16] = argmax_int16_t, [DTYPE_INT32] = argmax_int32_t,  [DTYPE_INT64] = argmax_int64_t,
		[DTYPE_UINT8] = argmax_uint8_t, [DTYPE_UINT16] = argmax_uint16_t};
	const struct argmax *a = s->state;
	const char *x = s->in[0]->data;
	const size_t element = dtype_size(s->in[0]->dtype);
	int32_t *narrow = s->out[0]->data;
	int64_t *wide = s->out[0]->data;

	(void)run;
	for (size_t i = 0; i < a->outer * a->inner; i++) {
		size_t start = i / a->inner * a->n * a->inner + i % a->inner;
		size_t found = searches[s->in[0]->dtype](x + start * element, a->n, a->inner);
		if (s->out[0]->dtype == DTYPE_INT32)
			narrow[i] = (int32_t)found;
		else
			wide[i] = (int64_t)found;
	}
	return 0;
}

int types_argmax(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		 struct error *err)
{
	int r = types_reduce(attr, in, nin, out, nout, err);

	if (r < 0)
		return r;
	if (attr->dtype != DTYPE_INT32 && attr->dtype != DTYPE_INT64)
		return types_unsupported(attr->dtype, err);
	out[0] = attr->dtype;
	return 0;
}

int plan_argmax(struct step *s, struct error *err)
{
	const struct shape *in = &s->in[0]->shape;
	struct argmax *a = pool_alloc(s->pool, 1, sizeof(*a));
	int64_t dims[TENSOR_MAX_RANK];
	unsigned axis = 0, rank = 0;

	if (a == NULL)
		return ERR_NOMEM;
	if (s->in[1]->shape.count != 1)
		return error_set(err, ERR_INVALID, "%zu axes where one is wanted", s->in[1]->shape.count);
	int r = axis_resolve(operand_int(s->in[1], 0), in->rank, &axis, err);
	if (r < 0)
		return r;
	*a = (struct argmax){1, (size_t)in->dims[axis], 1};
	for (unsigned i = 0; i < in->rank; i++) {
		if (i < axis)
			a->outer *= (size_t)in->dims[i];
		if (i > axis)
			a->inner *= (size_t)in->dims[i];
		if (i != axis)
			dims[rank++] = in->dims[i];
	}
	if (a->n == 0)
		return error_set(err, ERR_INVALID, "dimension %u is empty", axis);
	r = shape_set(&s->out[0]->shape, dims, rank);
	if (r < 0)
		return r;
	s->state = a;
	s->run = run_argmax;
	return 0;
}
