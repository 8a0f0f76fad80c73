/*
 * onnx_attributes.c - what the converters of ONNX nodes are written with: reading attributes and constant inputs,
 * adding constants and nodes.
 */
#include <string.h>

#include "common/text.h"
#include "engine/onnx.h"

const Onnx__AttributeProto *onnx_attr(const struct onnx_conversion *c, const char *key)
{
	for (size_t i = 0; i < c->node->n_attribute; i++) {
		if (strcmp(onnx_text(c->node->attribute[i]->name), key) == 0)
			return c->node->attribute[i];
	}
	return NULL;
}

int64_t onnx_attr_int(const struct onnx_conversion *c, const char *key, int64_t absent)
{
	const Onnx__AttributeProto *a = onnx_attr(c, key);

	return a != NULL && a->has_i ? a->i : absent;
}

float onnx_attr_float(const struct onnx_conversion *c, const char *key, float absent)
{
	const Onnx__AttributeProto *a = onnx_attr(c, key);

	return a != NULL && a->has_f ? a->f : absent;
}

bool onnx_attr_is(const struct onnx_conversion *c, const char *key, const char *text, const char *absent)
{
	const Onnx__AttributeProto *a = onnx_attr(c, key);

	if (a == NULL || !a->has_s)
		return strcmp(text, absent) == 0;
	return bytes_equal(a->s.data, a->s.len, text);
}

int onnx_attr_dtype(const struct onnx_conversion *c, const char *key, enum dtype *ret)
{
	int64_t type = onnx_attr_int(c, key, 0);

	if (type < 0 || type > INT32_MAX || !onnx_dtype((int32_t)type, ret))
		return error_set(c->err, ERR_UNSUPPORTED, "attribute '%s' = %s is not supported", key,
				 onnx_dtype_name(type < 0 || type > INT32_MAX ? -1 : (int32_t)type));
	return 0;
}

int onnx_attr_ints(const struct onnx_conversion *c, const char *key, int64_t *ret, unsigned n)
{
	const Onnx__AttributeProto *a = onnx_attr(c, key);

	if (a == NULL)
		return 0;
	if (a->n_ints != n)
		return error_set(c->err, ERR_UNSUPPORTED, "attribute '%s' of %zu numbers, not %u, is not supported",
				 key, a->n_ints, n);
	memcpy(ret, a->ints, n * sizeof(*ret));
	return 1;
}

int onnx_attr_refused(const struct onnx_conversion *c, const char *key)
{
	const Onnx__AttributeProto *a = onnx_attr(c, key);

	if (a != NULL && a->has_s)
		return error_set(c->err, ERR_UNSUPPORTED, "attribute '%s' = '%.*s' is not supported", key,
				 a->s.len < 32 ? (int)a->s.len : 32, (const char *)a->s.data);
	if (a != NULL && a->has_i)
		return error_set(c->err, ERR_UNSUPPORTED, "attribute '%s' = %lld is not supported", key,
				 (long long)a->i);
	return error_set(c->err, ERR_UNSUPPORTED, "this value of attribute '%s' is not supported", key);
}

bool onnx_has_input(const struct onnx_conversion *c, uint32_t i)
{
	return i < c->nin && c->in[i] != VALUE_NONE;
}

const struct tensor *onnx_constant(const struct onnx_conversion *c, uint32_t i)
{
	return onnx_has_input(c, i) ? c->graph->values[c->in[i]].constant : NULL;
}

static int axes_of_input(const struct onnx_conversion *c, uint32_t input, struct onnx_axes *ret)
{
	const struct tensor *t = onnx_constant(c, input);

	if (t == NULL || (t->dtype != DTYPE_INT64 && t->dtype != DTYPE_INT32))
		return error_set(c->err, ERR_UNSUPPORTED, "axes that are no integer constants are not supported");
	if (t->count > TENSOR_MAX_RANK)
		return error_set(c->err, ERR_UNSUPPORTED, "%zu axes are not supported", t->count);
	ret->n = (unsigned)t->count;
	for (unsigned i = 0; i < ret->n; i++)
		ret->v[i] = t->dtype == DTYPE_INT64 ? ((const int64_t *)t->data)[i] : ((const int32_t *)t->data)[i];
	return 0;
}

int onnx_axes(const struct onnx_conversion *c, uint32_t input, struct onnx_axes *ret)
{
	const Onnx__AttributeProto *a = onnx_attr(c, "axes");

	*ret = (struct onnx_axes){0};
	if (onnx_has_input(c, input)) {
		ret->given = true;
		return axes_of_input(c, input, ret);
	}
	if (a == NULL)
		return 0;
	if (a->n_ints > TENSOR_MAX_RANK)
		return error_set(c->err, ERR_UNSUPPORTED, "%zu axes are not supported", a->n_ints);
	ret->given = true;
	ret->n = (unsigned)a->n_ints;
	for (unsigned i = 0; i < ret->n; i++)
		ret->v[i] = a->ints[i];
	return 0;
}

/* data: of the shape's size. */
static int64_t new_constant(struct onnx_conversion *c, enum dtype type, const int64_t *dims, unsigned rank,
			    const void *data)
{
	struct tensor *t;
	int r = graph_check_constant(c->graph, type, dims, rank, c->err);

	if (r == 0)
		r = tensor_new(&t, type, dims, rank, false, c->graph->allocator);
	if (r != 0)
		return r;
	if (t->size > 0)
		memcpy(t->data, data, t->size);
	return graph_add_constant(c->graph, t);
}

int64_t onnx_new_ints(struct onnx_conversion *c, const int64_t *v, unsigned n)
{
	const int64_t dims[] = {n};

	return new_constant(c, DTYPE_INT64, dims, 1, v);
}

int64_t onnx_new_int(struct onnx_conversion *c, int64_t v)
{
	return new_constant(c, DTYPE_INT64, NULL, 0, &v);
}

int64_t onnx_new_floats(struct onnx_conversion *c, const float *v, const int64_t *dims, unsigned rank)
{
	return new_constant(c, DTYPE_FLOAT, dims, rank, v);
}

int64_t onnx_new_number(struct onnx_conversion *c, enum dtype type, double v)
{
	const float narrow = (float)v;

	if (type == DTYPE_FLOAT)
		return new_constant(c, type, NULL, 0, &narrow);
	if (type == DTYPE_DOUBLE)
		return new_constant(c, type, NULL, 0, &v);
	return error_set(c->err, ERR_UNSUPPORTED, "type %s is not supported", dtype_name(type));
}

#define EMIT_INPUTS 16 /* of which more are rare enough to be collected on the way */

int64_t onnx_emit(struct onnx_conversion *c, enum op op, const struct attributes *attr, const int64_t *in, uint32_t nin)
{
	static const struct attributes none;
	uint32_t values[EMIT_INPUTS];
	struct node *made;

	if (nin > EMIT_INPUTS)
		return error_set(c->err, ERR_UNSUPPORTED, "%u inputs are not supported", nin);
	for (uint32_t i = 0; i < nin; i++) {
		if (in[i] < 0)
			return in[i];
		values[i] = (uint32_t)in[i];
	}
	int r = graph_add_node(c->graph, op, c->name, attr != NULL ? attr : &none, values, nin, 1, &made, c->err);
	return r < 0 ? r : (int64_t)made->out[0];
}

int64_t onnx_emit1(struct onnx_conversion *c, enum op op, int64_t x)
{
	return onnx_emit(c, op, NULL, &x, 1);
}

int64_t onnx_emit2(struct onnx_conversion *c, enum op op, int64_t a, int64_t b)
{
	return onnx_emit(c, op, NULL, (const int64_t[]){a, b}, 2);
}

int onnx_result(struct onnx_conversion *c, uint32_t i, int64_t value)
{
	if (value < 0)
		return (int)value;
	if (i < c->nout)
		c->out[i] = (uint32_t)value;
	return 0;
}
