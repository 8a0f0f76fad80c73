/*
 * op_elementwise.c - operators of one input, element by element.
 */
#include <math.h>
#include <string.h>

#include "engine/ops.h"

struct unary_state {
	unary_kernel *kernel;                                           /* FLOAT */
	double (*function)(double x, double alpha);                     /* DOUBLE */
	void (*integers)(size_t n, const void *x, void *y, enum op op); /* the others */
};

static double double_neg(double x, double alpha)
{
	(void)alpha;
	return -x;
}

static double double_exp(double x, double alpha)
{
	(void)alpha;
	return exp(x);
}

static double double_log(double x, double alpha)
{
	(void)alpha;
	return log(x);
}

static double double_sqrt(double x, double alpha)
{
	(void)alpha;
	return sqrt(x);
}

static double double_rsqrt(double x, double alpha)
{
	(void)alpha;
	return 1.0 / sqrt(x);
}

static double double_square(double x, double alpha)
{
	(void)alpha;
	return x * x;
}

static double double_tanh(double x, double alpha)
{
	(void)alpha;
	return tanh(x);
}

static double double_sigmoid(double x, double alpha)
{
	(void)alpha;
	return 1.0 / (1.0 + exp(-x));
}

static double double_relu(double x, double alpha)
{
	(void)alpha;
	return x < 0.0 ? 0.0 : x;
}

static double double_relu6(double x, double alpha)
{
	x = double_relu(x, alpha);
	return x > 6.0 ? 6.0 : x;
}

static double double_leaky_relu(double x, double alpha)
{
	return x < 0.0 ? x * alpha : x;
}

static double double_elu(double x, double alpha)
{
	return x < 0.0 ? expm1(x) * alpha : x;
}

static double double_floor(double x, double alpha)
{
	(void)alpha;
	return floor(x);
}

/* No vector form: these are rare, and libm's are exact enough. */
static void float_log(size_t n, const float *x, float *y, float alpha)
{
	(void)alpha;
	for (size_t i = 0; i < n; i++)
		y[i] = logf(x[i]);
}

static void float_sqrt(size_t n, const float *x, float *y, float alpha)
{
	(void)alpha;
	for (size_t i = 0; i < n; i++)
		y[i] = sqrtf(x[i]);
}

static void float_rsqrt(size_t n, const float *x, float *y, float alpha)
{
	(void)alpha;
	for (size_t i = 0; i < n; i++)
		y[i] = 1.0f / sqrtf(x[i]);
}

/* Integers wrap around, as everywhere in this field. */
/* NOLINTBEGIN(bugprone-macro-parentheses): type names cannot be put in parentheses. */
#define DEFINE_INTEGERS(type) \
	static void integers_##type(size_t n, const void *from, void *to, enum op op) \
	{ \
		const type *x = from; \
		type *y = to; \
		for (size_t i = 0; i < n; i++) { \
			switch (op) { \
			case OP_NEG: \
				y[i] = (type)(0 - (uint64_t)x[i]); \
				break; \
			case OP_SQUARE: \
				y[i] = (type)((uint64_t)x[i] * (uint64_t)x[i]); \
				break; \
			case OP_RELU: \
				y[i] = (type)(x[i] > 0 ? x[i] : 0); \
				break; \
			default: \
				y[i] = (type)(x[i] > 6 ? 6 : x[i] > 0 ? x[i] : 0); \
				break; \
			} \
		} \
	}
DEFINE_INTEGERS(int8_t)
DEFINE_INTEGERS(int16_t)
DEFINE_INTEGERS(int32_t)
DEFINE_INTEGERS(int64_t)
DEFINE_INTEGERS(uint8_t)
DEFINE_INTEGERS(uint16_t)
/* NOLINTEND(bugprone-macro-parentheses) */

static int run_float(const struct step *s, struct run *run)
{
	const struct unary_state *u = s->state;

	(void)run;
	u->kernel(s->out[0]->shape.count, s->in[0]->data, s->out[0]->data, s->node->attr.alpha);
	return 0;
}

static int run_double(const struct step *s, struct run *run)
{
	const struct unary_state *u = s->state;
	const double *x = s->in[0]->data;
	double *y = s->out[0]->data;

	(void)run;
	for (size_t i = 0; i < s->out[0]->shape.count; i++)
		y[i] = u->function(x[i], (double)s->node->attr.alpha);
	return 0;
}

static int run_integers(const struct step *s, struct run *run)
{
	const struct unary_state *u = s->state;

	(void)run;
	u->integers(s->out[0]->shape.count, s->in[0]->data, s->out[0]->data, s->node->op);
	return 0;
}

static struct unary_state float_kernels(const struct kernels *kn, enum op op)
{
	switch (op) {
	case OP_NEG:
		return (struct unary_state){.kernel = kn->neg, .function = double_neg};
	case OP_EXP:
		return (struct unary_state){.kernel = kn->exp, .function = double_exp};
	case OP_LOG:
		return (struct unary_state){.kernel = float_log, .function = double_log};
	case OP_SQRT:
		return (struct unary_state){.kernel = float_sqrt, .function = double_sqrt};
	case OP_RSQRT:
		return (struct unary_state){.kernel = float_rsqrt, .function = double_rsqrt};
	case OP_SQUARE:
		return (struct unary_state){.kernel = kn->square, .function = double_square};
	case OP_TANH:
		return (struct unary_state){.kernel = kn->tanh, .function = double_tanh};
	case OP_SIGMOID:
		return (struct unary_state){.kernel = kn->sigmoid, .function = double_sigmoid};
	case OP_RELU:
		return (struct unary_state){.kernel = kn->relu, .function = double_relu};
	case OP_RELU6:
		return (struct unary_state){.kernel = kn->relu6, .function = double_relu6};
	case OP_LEAKY_RELU:
		return (struct unary_state){.kernel = kn->leaky_relu, .function = double_leaky_relu};
	case OP_ELU:
		return (struct unary_state){.kernel = kn->elu, .function = double_elu};
	default:
		return (struct unary_state){.kernel = kn->floor, .function = double_floor};
	}
}

int types_unary_float(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		      struct error *err)
{
	if (!dtype_is_float(in[0]))
		return types_unsupported(in[0], err);
	return types_same(attr, in, nin, out, nout, err);
}

int types_unary_number(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out,
		       uint32_t nout, struct error *err)
{
	if (in[0] == DTYPE_BOOL)
		return types_unsupported(in[0], err);
	return types_same(attr, in, nin, out, nout, err);
}

int plan_unary(struct step *s, struct error *err)
{
	struct unary_state *u = pool_alloc(s->pool, 1, sizeof(*u));

	(void)err;
	if (u == NULL)
		return ERR_NOMEM;
	*u = float_kernels(s->kernels, s->node->op);
	s->state = u;
	s->out[0]->shape = s->in[0]->shape;
	s->prepare = layout_follow;
	s->run = run_integers;
	switch (s->in[0]->dtype) {
	case DTYPE_FLOAT:
		s->run = run_float;
		break;
	case DTYPE_DOUBLE:
		s->run = run_double;
		break;
	case DTYPE_INT8:
		u->integers = integers_int8_t;
		break;
	case DTYPE_INT16:
		u->integers = integers_int16_t;
		break;
	case DTYPE_INT32:
		u->integers = integers_int32_t;
		break;
	case DTYPE_INT64:
		u->integers = integers_int64_t;
		break;
	case DTYPE_UINT8:
		u->integers = integers_uint8_t;
		break;
	default:
		u->integers = integers_uint16_t;
		break;
	}
	return 0;
}
