/*
 * onnx_ml.c - operators of ai.onnx.ml: linear models and normalisation of rows.
 */
#include "engine/onnx.h"

static int64_t as_float(struct onnx_conversion *c, uint32_t value)
{
	const struct attributes attr = {.dtype = DTYPE_FLOAT};
	const int64_t x = value;

	return c->graph->values[value].dtype == DTYPE_FLOAT ? x : onnx_emit(c, OP_CAST, &attr, &x, 1);
}

/* x * coefficients^T + intercepts, coefficients being [results, features]. */
static int64_t linear(struct onnx_conversion *c, size_t results)
{
	const Onnx__AttributeProto *coefficients = onnx_attr(c, "coefficients");
	const Onnx__AttributeProto *intercepts = onnx_attr(c, "intercepts");
	const struct attributes attr = {.matrices_only = true, .transpose_b = true};
	const size_t n = coefficients != NULL ? coefficients->n_floats : 0;

	if (results == 0 || n == 0 || n % results != 0)
		return error_set(c->err, ERR_FORMAT, "%zu coefficients for %zu results", n, results);
	const int64_t dims[] = {(int64_t)results, (int64_t)(n / results)};
	const int64_t in[] = {as_float(c, c->in[0]), onnx_new_floats(c, coefficients->floats, dims, 2)};
	int64_t y = onnx_emit(c, OP_MATMUL, &attr, in, 2);
	if (intercepts == NULL || intercepts->n_floats == 0)
		return y;
	if (intercepts->n_floats != results)
		return error_set(c->err, ERR_FORMAT, "%zu intercepts for %zu results", intercepts->n_floats, results);
	return onnx_emit2(c, OP_ADD, y, onnx_new_floats(c, intercepts->floats, dims, 1));
}

static int64_t post_transform(struct onnx_conversion *c, int64_t y)
{
	if (onnx_attr_is(c, "post_transform", "NONE", "NONE"))
		return y;
	if (onnx_attr_is(c, "post_transform", "SOFTMAX", "NONE"))
		return onnx_emit1(c, OP_SOFTMAX, y);
	if (onnx_attr_is(c, "post_transform", "LOGISTIC", "NONE"))
		return onnx_emit1(c, OP_SIGMOID, y);
	return onnx_attr_refused(c, "post_transform");
}

int onnx_linear_regressor(struct onnx_conversion *c)
{
	int64_t targets = onnx_attr_int(c, "targets", 1);
	int64_t y = linear(c, targets > 0 ? (size_t)targets : 0);

	return onnx_result(c, 0, post_transform(c, y));
}

/* Outputs: the label of the highest score, and the scores. Labels that are strings are not made. */
int onnx_linear_classifier(struct onnx_conversion *c)
{
	const Onnx__AttributeProto *numbers = onnx_attr(c, "classlabels_ints");
	const Onnx__AttributeProto *strings = onnx_attr(c, "classlabels_strings");
	const struct attributes attr = {.dtype = DTYPE_INT64};
	const bool numbered = numbers != NULL && numbers->n_ints > 0;
	const size_t classes = numbered ? numbers->n_ints : strings != NULL ? strings->n_strings : 0;
	const Onnx__AttributeProto *intercepts = onnx_attr(c, "intercepts");

	if (classes > UINT32_MAX || (classes == 2 && intercepts != NULL && intercepts->n_floats == 1))
		return error_set(c->err, ERR_UNSUPPORTED, "one score for two classes is not supported");
	int64_t scores = linear(c, classes);
	if (numbered) {
		int64_t best = onnx_emit(c, OP_ARGMAX, &attr, (const int64_t[]){scores, onnx_new_int(c, -1)}, 2);
		const int64_t in[] = {onnx_new_ints(c, numbers->ints, (unsigned)classes), best, onnx_new_int(c, 0)};
		int r = onnx_result(c, 0, onnx_emit(c, OP_GATHER, NULL, in, 3));
		if (r < 0)
			return r;
	}
	return onnx_result(c, 1, post_transform(c, scores));
}

static int64_t over_rows(struct onnx_conversion *c, enum op op, int64_t x)
{
	const struct attributes attr = {.keep_dims = true};
	const int64_t last = -1;

	return onnx_emit(c, op, &attr, (const int64_t[]){x, onnx_new_ints(c, &last, 1)}, 2);
}

/* Rows whose norm is 0 stay as they are: their divisor becomes 1. */
static int64_t nonzero(struct onnx_conversion *c, int64_t norm)
{
	const struct attributes to_bool = {.dtype = DTYPE_BOOL}, to_float = {.dtype = DTYPE_FLOAT};
	int64_t is_some = onnx_emit(c, OP_CAST, &to_bool, &norm, 1);
	int64_t one_if_some = onnx_emit(c, OP_CAST, &to_float, &is_some, 1);

	return onnx_emit2(c, OP_ADD, norm, onnx_emit2(c, OP_SUB, onnx_new_number(c, DTYPE_FLOAT, 1.0), one_if_some));
}

int onnx_normalizer(struct onnx_conversion *c)
{
	const int64_t x = as_float(c, c->in[0]);
	int64_t norm;

	if (onnx_attr_is(c, "norm", "MAX", "MAX"))
		norm = over_rows(c, OP_REDUCE_MAX, x);
	else if (onnx_attr_is(c, "norm", "L1", "MAX"))
		norm = over_rows(c, OP_REDUCE_SUM, onnx_emit2(c, OP_MAXIMUM, x, onnx_emit1(c, OP_NEG, x)));
	else if (onnx_attr_is(c, "norm", "L2", "MAX"))
		norm = onnx_emit1(c, OP_SQRT, over_rows(c, OP_REDUCE_SUM, onnx_emit1(c, OP_SQUARE, x)));
	else
		return onnx_attr_refused(c, "norm");
	return onnx_result(c, 0, onnx_emit2(c, OP_DIV, x, nonzero(c, norm)));
}
