/*
 * onnx_check.h - one ONNX operator in a small model, run by the engine and compared with the reference.
 */
#ifndef TESTS_ENGINE_ONNX_CHECK_H
#define TESTS_ENGINE_ONNX_CHECK_H

#include "tests/engine/onnx_builder.h"
#include "tests/engine/operator_check.h"

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define INTS(...) ((const int64_t[]){__VA_ARGS__}), (unsigned)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t))

/* A model under construction with the values for its inputs. */
struct onnx_check {
	struct onnx_builder b;
	struct tensor *values[CHECK_INPUTS];
	size_t n;
	int64_t version;
};

static inline void onnx_check_input(struct onnx_check *c, const char *name, const struct ref *r, enum dtype t)
{
	const int64_t dims[REF_RANK] = {-1, -1, -1, -1, -1, -1};

	onnx_input(&c->b, name, onnx_type_of(t), dims, (int)r->rank);
	assert_true(c->n < CHECK_INPUTS);
	c->values[c->n++] = to_tensor(r, t);
}

static inline void onnx_check_constant(struct onnx_check *c, const char *name, const struct ref *r, enum dtype t)
{
	struct tensor *value = to_tensor(r, t);

	onnx_weights(&c->b, name, onnx_type_of(t), value->dims, value->rank, value->data, value->size);
	tensor_unref(value);
}

/* By chance an input or a constant: the result must not depend on it. */
static inline void onnx_check_either(struct onnx_check *c, const char *name, const struct ref *r, enum dtype t,
				     struct rng *rng)
{
	if (rng_below(rng, 2) == 0)
		onnx_check_constant(c, name, r, t);
	else
		onnx_check_input(c, name, r, t);
}

/* Runs the model, whose outputs are declared, once; frees what the check holds. */
static inline void onnx_check_run(struct onnx_check *c, struct tensor **out, size_t nout)
{
	const struct model_load_config cfg = {.format = MODEL_ONNX, .name = "test"};
	struct model_context *context;
	struct buf blob = {0};
	struct model *m;
	struct error err;

	onnx_model(&blob, &c->b, c->version);
	if (model_load(&m, &cfg, blob.data, blob.len, NULL, NULL, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(model_context_new(&context, m, 1), 0);
	if (model_run(context, c->values, c->n, out, nout, NULL, &err) < 0)
		fail_msg("%s", err.text);
	model_context_free(context);
	model_free(m);
	for (size_t i = 0; i < c->n; i++)
		tensor_unref(c->values[i]);
	onnx_builder_release(&c->b);
	buf_release(&blob);
	c->n = 0;
}

/* The model's one output "y" against want, which is released too. */
static inline void onnx_check_result(struct onnx_check *c, struct ref *want, enum dtype t, double relative,
				     double absolute)
{
	struct tensor *out;

	onnx_output(&c->b, "y", onnx_type_of(t));
	onnx_check_run(c, &out, 1);
	assert_int_equal(out->dtype, t);
	assert_close(out, want, relative, absolute);
	tensor_unref(out);
	ref_release(want);
}

#endif
