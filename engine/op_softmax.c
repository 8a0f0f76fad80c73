/*
 * op_softmax.c - softmax and its logarithm over the last dimension.
 */
#include <math.h>

#include "engine/ops.h"

static int run_softmax(const struct step *s, struct run *run)
{
	const struct shape *shape = &s->in[0]->shape;
	size_t n = (size_t)shape->dims[shape->rank - 1];

	(void)run;
	if (shape->count > 0)
		s->kernels->softmax(shape->count / n, n, s->in[0]->data, s->out[0]->data,
				    s->node->op == OP_LOG_SOFTMAX);
	return 0;
}

static void softmax_double(size_t n, const double *x, double *y, bool logarithm)
{
	double max = x[0], sum = 0.0;

	for (size_t i = 1; i < n; i++)
		max = x[i] > max ? x[i] : max;
	for (size_t i = 0; i < n; i++)
		sum += exp(x[i] - max);
	for (size_t i = 0; i < n; i++)
		y[i] = logarithm ? x[i] - max - log(sum) : exp(x[i] - max) / sum;
}

static int run_softmax_double(const struct step *s, struct run *run)
{
	const struct shape *shape = &s->in[0]->shape;
	size_t n = (size_t)shape->dims[shape->rank - 1];

	(void)run;
	for (size_t i = 0; i < shape->count; i += n)
		softmax_double(n, (const double *)s->in[0]->data + i, (double *)s->out[0]->data + i,
			       s->node->op == OP_LOG_SOFTMAX);
	return 0;
}

int plan_softmax(struct step *s, struct error *err)
{
	if (s->in[0]->shape.rank < 1)
		return error_set(err, ERR_INVALID, "a scalar has no dimension to take it over");
	s->out[0]->shape = s->in[0]->shape;
	s->run = s->in[0]->dtype == DTYPE_FLOAT ? run_softmax : run_softmax_double;
	return 0;
}
