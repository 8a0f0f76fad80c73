/*
 * op_broadcast.c - operators of two inputs, element by element, with NumPy's broadcasting.
 *
 * Neighbouring dimensions over which both inputs advance alike are merged when planning; a run is then a loop over
 * the dimensions that remain around one row whose inputs advance by 0 or 1.
 */
#include <string.h>

#include "engine/ops.h"

typedef void row_function(size_t n, const void *a, size_t a_step, const void *b, size_t b_step, void *y);

struct broadcast {
	unsigned rank; /* of the outer dimensions */
	size_t size[TENSOR_MAX_RANK];
	size_t a_stride[TENSOR_MAX_RANK], b_stride[TENSOR_MAX_RANK]; /* elements; 0: repeated */
	size_t n, a_step, b_step;                                    /* the row */
	binary_kernel *kernel;                                       /* FLOAT */
	row_function *row;                                           /* the other types */
	broadcast_row *custom;                                       /* plan_broadcast_rows */
	const void *context;
	size_t element;
};

/* NOLINTBEGIN(bugprone-macro-parentheses): type names cannot be put in parentheses. */
#define DEFINE_ROW(name, type, expression) \
	static void name##_##type(size_t n, const void *left, size_t a_step, const void *right, size_t b_step, \
				  void *to) \
	{ \
		const type *a = left, *b = right; \
		type *y = to; \
		for (size_t i = 0; i < n; i++, a += a_step, b += b_step) \
			y[i] = (type)(expression); \
	}
#define DEFINE_INTEGER_ROWS(type) \
	DEFINE_ROW(add, type, (uint64_t)*a + (uint64_t)*b) \
	DEFINE_ROW(sub, type, (uint64_t)*a - (uint64_t)*b) \
	DEFINE_ROW(mul, type, (uint64_t)*a *(uint64_t)*b) \
	DEFINE_ROW(maximum, type, *a > *b ? *a : *b) \
	DEFINE_ROW(minimum, type, *a < *b ? *a : *b)
DEFINE_ROW(add, double, *a + *b)
DEFINE_ROW(sub, double, *a - *b)
DEFINE_ROW(mul, double, *a **b)
DEFINE_ROW(div, double, *a / *b)
DEFINE_ROW(maximum, double, *a > *b ? *a : *b)
DEFINE_ROW(minimum, double, *a < *b ? *a : *b)
DEFINE_INTEGER_ROWS(int8_t)
DEFINE_INTEGER_ROWS(int16_t)
DEFINE_INTEGER_ROWS(int32_t)
DEFINE_INTEGER_ROWS(int64_t)
DEFINE_INTEGER_ROWS(uint8_t)
DEFINE_INTEGER_ROWS(uint16_t)
/* NOLINTEND(bugprone-macro-parentheses) */

#define ROWS_OF(name) \
	{ \
		[DTYPE_DOUBLE] = name##_double, [DTYPE_INT8] = name##_int8_t, [DTYPE_INT16] = name##_int16_t, \
		[DTYPE_INT32] = name##_int32_t, [DTYPE_INT64] = name##_int64_t, [DTYPE_UINT8] = name##_uint8_t, \
		[DTYPE_UINT16] = name##_uint16_t \
	}

static row_function *row_of(enum op op, enum dtype t)
{
	static row_function *const add[DTYPE_COUNT] = ROWS_OF(add), *const sub[DTYPE_COUNT] = ROWS_OF(sub),
				   *const mul[DTYPE_COUNT] = ROWS_OF(mul),
				   *const maximum[DTYPE_COUNT] = ROWS_OF(maximum),
				   *const minimum[DTYPE_COUNT] = ROWS_OF(minimum);

	switch (op) {
	case OP_SUB:
		return sub[t];
	case OP_MUL:
		return mul[t];
	case OP_DIV:
		return div_double;
	case OP_MAXIMUM:
		return maximum[t];
	case OP_MINIMUM:
		return minimum[t];
	default:
		return add[t];
	}
}

static binary_kernel *kernel_of(const struct kernels *kn, enum op op)
{
	switch (op) {
	case OP_SUB:
		return kn->sub;
	case OP_MUL:
		return kn->mul;
	case OP_DIV:
		return kn->div;
	case OP_MAXIMUM:
		return kn->maximum;
	case OP_MINIMUM:
		return kn->minimum;
	default:
		return kn->add;
	}
}

static void row(const struct broadcast *b, const char *left, const char *right, char *to)
{
	if (b->kernel != NULL)
		b->kernel(b->n, (const float *)(const void *)left, b->a_step, (const float *)(const void *)right,
			  b->b_step, (float *)(void *)to);
	else if (b->custom != NULL)
		b->custom(b->context, b->n, left, b->a_step, right, b->b_step, to);
	else
		b->row(b->n, left, b->a_step, right, b->b_step, to);
}

static int run_broadcast(const struct step *s, struct run *run)
{
	const struct broadcast *b = s->state;
	const char *left = s->in[0]->data, *right = s->in[1]->data;
	char *to = s->out[0]->data;
	size_t index[TENSOR_MAX_RANK] = {0};

	(void)run;
	if (s->out[0]->shape.count == 0)
		return 0;
	for (;;) {
		row(b, left, right, to);
		to += b->n * b->element;
		unsigned d = b->rank;
		for (; d > 0; d--) {
			left += b->a_stride[d - 1] * b->element;
			right += b->b_stride[d - 1] * b->element;
			if (++index[d - 1] < b->size[d - 1])
				break;
			left -= b->size[d - 1] * b->a_stride[d - 1] * b->element;
			right -= b->size[d - 1] * b->b_stride[d - 1] * b->element;
			index[d - 1] = 0;
		}
		if (d == 0)
			return 0;
	}
}

/* Strides of an input in elements, one a dimension of the output. */
static void broadcast_strides(const struct shape *in, const struct shape *out, size_t *stride)
{
	size_t step = 1;

	for (unsigned i = 0; i < out->rank; i++) {
		unsigned d = out->rank - 1 - i;
		int64_t size = i < in->rank ? in->dims[in->rank - 1 - i] : 1;
		stride[d] = size == 1 ? 0 : step;
		step *= (size_t)size;
	}
}

static int broadcast_shape(const struct shape *a, const struct shape *b, struct shape *out, struct error *err)
{
	char left[SHAPE_TEXT_MAX], right[SHAPE_TEXT_MAX];
	unsigned rank = a->rank > b->rank ? a->rank : b->rank;
	int64_t dims[TENSOR_MAX_RANK];

	for (unsigned i = 0; i < rank; i++) {
		int64_t x = i < a->rank ? a->dims[a->rank - 1 - i] : 1;
		int64_t y = i < b->rank ? b->dims[b->rank - 1 - i] : 1;
		if (x != y && x != 1 && y != 1)
			return error_set(err, ERR_INVALID, "shapes %s and %s do not go together", shape_text(left, a),
					 shape_text(right, b));
		dims[rank - 1 - i] = x == 1 ? y : x;
	}
	return shape_set(out, dims, rank);
}

/* Merges dimensions from the last one outwards. */
static void collapse(struct broadcast *b, const struct shape *out, const size_t *a_stride, const size_t *b_stride)
{
	struct broadcast reversed = {0};
	unsigned n = 0;

	for (unsigned i = out->rank; i-- > 0;) {
		size_t size = (size_t)out->dims[i];
		if (size == 1)
			continue;
		if (n > 0 && a_stride[i] == reversed.a_stride[n - 1] * reversed.size[n - 1] &&
		    b_stride[i] == reversed.b_stride[n - 1] * reversed.size[n - 1]) {
			reversed.size[n - 1] *= size;
			continue;
		}
		reversed.size[n] = size;
		reversed.a_stride[n] = a_stride[i];
		reversed.b_stride[n] = b_stride[i];
		n++;
	}
	b->n = n > 0 ? reversed.size[0] : 1;
	b->a_step = n > 0 ? reversed.a_stride[0] : 1;
	b->b_step = n > 0 ? reversed.b_stride[0] : 1;
	b->rank = n > 0 ? n - 1 : 0;
	for (unsigned i = 0; i < b->rank; i++) {
		b->size[i] = reversed.size[n - 1 - i];
		b->a_stride[i] = reversed.a_stride[n - 1 - i];
		b->b_stride[i] = reversed.b_stride[n - 1 - i];
	}
}

int types_binary(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		 struct error *err)
{
	if (in[0] == DTYPE_BOOL)
		return types_unsupported(in[0], err);
	return types_same(attr, in, nin, out, nout, err);
}

int types_division(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		   struct error *err)
{
	if (!dtype_is_float(in[0]))
		return types_unsupported(in[0], err);
	return types_same(attr, in, nin, out, nout, err);
}

static int plan_broadcast(struct step *s, const struct shape *left, const struct shape *right, struct error *err)
{
	struct broadcast *b = pool_alloc(s->pool, 1, sizeof(*b));
	size_t a_stride[TENSOR_MAX_RANK], b_stride[TENSOR_MAX_RANK];
	enum dtype t = s->in[0]->dtype;

	if (b == NULL)
		return ERR_NOMEM;
	int r = broadcast_shape(left, right, &s->out[0]->shape, err);
	if (r < 0)
		return r;
	broadcast_strides(left, &s->out[0]->shape, a_stride);
	broadcast_strides(right, &s->out[0]->shape, b_stride);
	collapse(b, &s->out[0]->shape, a_stride, b_stride);
	b->element = dtype_size(t);
	if (t == DTYPE_FLOAT)
		b->kernel = kernel_of(s->kernels, s->node->op);
	else
		b->row = row_of(s->node->op, t);
	s->state = b;
	s->run = run_broadcast;
	s->prepare = layout_follow;
	return 0;
}

int plan_binary(struct step *s, struct error *err)
{
	return plan_broadcast(s, &s->in[0]->shape, &s->in[1]->shape, err);
}

int plan_broadcast_rows(struct step *s, broadcast_row *custom, const void *context, struct error *err)
{
	int r = plan_broadcast(s, &s->in[0]->shape, &s->in[1]->shape, err);

	if (r < 0)
		return r;
	struct broadcast *b = s->state;
	b->kernel = NULL;
	b->custom = custom;
	b->context = context;
	s->prepare = NULL;
	return 0;
}

int plan_bias_add(struct step *s, struct error *err)
{
	const struct shape *x = &s->in[0]->shape, *bias = &s->in[1]->shape;
	const bool channels_first = s->node->attr.layout == LAYOUT_NCHW;
	char left[SHAPE_TEXT_MAX], right[SHAPE_TEXT_MAX];
	struct shape column = {.rank = x->rank - channels_first, .count = bias->count};

	if (x->rank < 2 || bias->rank != 1 || bias->dims[0] != x->dims[channels_first ? 1 : x->rank - 1])
		return error_set(err, ERR_INVALID, "bias of shape %s for a tensor of shape %s", shape_text(right, bias),
				 shape_text(left, x));
	if (!channels_first)
		return plan_binary(s, err);
	for (unsigned i = 0; i < column.rank; i++)
		column.dims[i] = i == 0 ? bias->dims[0] : 1;
	return plan_broadcast(s, x, &column, err);
}
