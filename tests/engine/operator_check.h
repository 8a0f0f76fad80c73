/*
 * operator_check.h - one operator in a small graph, run by the engine and compared with the reference.
 *
 * Functions are static: test_queue.c has a model of its own, so nothing here may be linked into it.
 */
#ifndef TESTS_ENGINE_OPERATOR_CHECK_H
#define TESTS_ENGINE_OPERATOR_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine/model.h"
#include "tests/engine/graph_builder.h"
#include "tests/engine/reference.h"

#define CHECK_INPUTS 8

/* A graph under construction with the values for its placeholders. */
struct check {
	struct builder b;
	const char *names[CHECK_INPUTS];
	struct tensor *values[CHECK_INPUTS];
	size_t n;
	struct rng *rng;
};

static inline void store_element(void *data, enum dtype t, size_t i, double v)
{
	switch (t) {
	case DTYPE_FLOAT:
		((float *)data)[i] = (float)v;
		break;
	case DTYPE_DOUBLE:
		((double *)data)[i] = v;
		break;
	case DTYPE_INT8:
		((int8_t *)data)[i] = (int8_t)v;
		break;
	case DTYPE_INT16:
		((int16_t *)data)[i] = (int16_t)v;
		break;
	case DTYPE_INT32:
		((int32_t *)data)[i] = (int32_t)v;
		break;
	case DTYPE_INT64:
		((int64_t *)data)[i] = (int64_t)v;
		break;
	case DTYPE_UINT16:
		((uint16_t *)data)[i] = (uint16_t)v;
		break;
	default:
		((uint8_t *)data)[i] = (uint8_t)v;
		break;
	}
}

static inline double load_element(const void *data, enum dtype t, size_t i)
{
	switch (t) {
	case DTYPE_FLOAT:
		return (double)((const float *)data)[i];
	case DTYPE_DOUBLE:
		return ((const double *)data)[i];
	case DTYPE_INT8:
		return ((const int8_t *)data)[i];
	case DTYPE_INT16:
		return ((const int16_t *)data)[i];
	case DTYPE_INT32:
		return ((const int32_t *)data)[i];
	case DTYPE_INT64:
		return (double)((const int64_t *)data)[i];
	case DTYPE_UINT16:
		return ((const uint16_t *)data)[i];
	default:
		return ((const uint8_t *)data)[i];
	}
}

static inline struct tensor *to_tensor(const struct ref *r, enum dtype t)
{
	struct tensor *ret;

	assert_int_equal(tensor_new(&ret, t, r->dims, r->rank, true, NULL), 0);
	for (size_t i = 0; i < r->count; i++)
		store_element(ret->data, t, i, r->v[i]);
	return ret;
}

static inline void check_constant(struct check *c, const char *name, const struct ref *r, enum dtype t)
{
	struct tensor *value = to_tensor(r, t);

	add_const(&c->b, name, dt_of(t), value->dims, value->rank, value->data, value->size);
	tensor_unref(value);
}

static inline void check_placeholder(struct check *c, const char *name, const struct ref *r, enum dtype t)
{
	add_placeholder(&c->b, name, dt_of(t));
	assert_true(c->n < CHECK_INPUTS);
	c->names[c->n] = name;
	c->values[c->n++] = to_tensor(r, t);
}

/* By chance a placeholder or a constant: the result must not depend on it. */
static inline void check_input(struct check *c, const char *name, const struct ref *r, enum dtype t)
{
	if (rng_below(c->rng, 3) == 0)
		check_constant(c, name, r, t);
	else
		check_placeholder(c, name, r, t);
}

static inline void assert_close(const struct tensor *got, const struct ref *want, double relative, double absolute)
{
	assert_int_equal(got->rank, want->rank);
	for (unsigned i = 0; i < want->rank; i++)
		assert_int_equal(got->dims[i], want->dims[i]);
	for (size_t i = 0; i < want->count; i++) {
		double g = load_element(got->data, got->dtype, i), w = want->v[i];
		if (g != w && !(fabs(g - w) <= relative * fabs(w) + absolute))
			fail_msg("element %zu of %zu: %.9g, not %.9g", i, want->count, g, w);
	}
}

/* Runs the graph once and gives the outputs; frees what the check holds. */
static inline void check_run(struct check *c, const char *const *outputs, size_t nout, struct tensor **out)
{
	const struct model_load_config cfg = {
		.format = MODEL_TENSORFLOW, .name = "test", .io = {c->names, c->n, outputs, nout}};
	struct model_context *context;
	struct model *m;
	struct error err;

	if (model_load(&m, &cfg, c->b.graph.data, c->b.graph.len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(&context, m, 1), 0);
	if (model_run(context, c->values, c->n, out, nout, NULL, &err) < 0)
		fail_msg("%s", err.text);
	model_context_free(context);
	model_free(m);
	for (size_t i = 0; i < c->n; i++)
		tensor_unref(c->values[i]);
	builder_release(&c->b);
	c->n = 0;
}

/* The graph's one output "y" against want, which is released too. */
static inline void check_result(struct check *c, struct ref *want, enum dtype t, double relative, double absolute)
{
	static const char *const y[] = {"y"};
	struct tensor *out;

	check_run(c, y, 1, &out);
	assert_int_equal(out->dtype, t);
	assert_close(out, want, relative, absolute);
	tensor_unref(out);
	ref_release(want);
}

/* Up to `rank` dimensions of 1 to `most`. */
static inline unsigned random_shape(struct rng *rng, int64_t *dims, unsigned rank, unsigned most)
{
	unsigned n = (unsigned)rng_below(rng, rank + 1);

	for (unsigned i = 0; i < n; i++)
		dims[i] = 1 + (int64_t)rng_below(rng, most);
	return n;
}

#endif
