/*
 * op_quant.c - 8-bit tensors element by element: from and to real numbers, by table, of two inputs; and softmax.
 */
#include "engine/op_quant.h"

#include <math.h>

struct binary {
	const struct quant_kernels *kernels;
	struct quant_elementwise e;
};

#define DEFINE_ROW(name) \
	static void row_##name(const void *context, size_t n, const void *a, size_t a_step, const void *b, \
			       size_t b_step, void *y) \
	{ \
		const struct binary *both = context; \
		both->kernels->name(&both->e, n, a, a_step, b, b_step, y); \
	}
DEFINE_ROW(add)
DEFINE_ROW(sub)
DEFINE_ROW(mul)

int plan_quant_binary(struct step *s, struct error *err)
{
	const struct quantization *quant = &s->node->attr.quant;
	const int32_t flip = quant_flip(s->in[0]->dtype);
	const bool mul = s->node->op == OP_QUANT_MUL;
	struct binary *both = pool_alloc(s->pool, 1, sizeof(*both));

	if (both == NULL)
		return ERR_NOMEM;
	both->kernels = quant_kernels_best();
	both->e = (struct quant_elementwise){.a = {flip, quant->zero[0] - flip, quant->scaling[0]},
					     .b = {flip, quant->zero[1] - flip, quant->scaling[1]},
					     .scaling = quant->scaling[mul ? 0 : 2],
					     .range = quant->range};
	return plan_broadcast_rows(s, mul ? row_mul : s->node->op == OP_QUANT_SUB ? row_sub : row_add, both, err);
}

int types_quant(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		struct error *err)
{
	(void)attr;
	(void)nout;
	if (!quant_is_8bit(in[0]))
		return types_unsupported(in[0], err);
	/* Two inputs of one type, or data and axes. */
	if (nin > 1 && in[1] != in[0] && in[1] != DTYPE_INT32 && in[1] != DTYPE_INT64)
		return types_unsupported(in[1], err);
	out[0] = in[0];
	return 0;
}

/* --- from real numbers --- */

static int run_quantize(const struct step *s, struct run *run)
{
	const struct quantization *quant = &s->node->attr.quant;
	const float *x = s->in[0]->data;
	uint8_t *y = s->out[0]->data;

	(void)run;
	for (size_t i = 0; i < s->in[0]->shape.count; i++) {
		/* Clamped before it becomes an integer; NaN to the lowest. */
		float v = roundf(x[i] / quant->step) + (float)quant->range.zero;
		if (!(v > (float)quant->range.low))
			v = (float)quant->range.low;
		y[i] = (uint8_t)(int32_t)(v < (float)quant->range.high ? v : (float)quant->range.high);
	}
	return 0;
}

int plan_quantize(struct step *s, struct error *err)
{
	(void)err;
	s->out[0]->shape = s->in[0]->shape;
	s->run = run_quantize;
	return 0;
}

int types_quantize(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		   struct error *err)
{
	(void)nin;
	(void)nout;
	if (in[0] != DTYPE_FLOAT)
		return types_unsupported(in[0], err);
	if (!quant_is_8bit(attr->dtype))
		return types_unsupported(attr->dtype, err);
	out[0] = attr->dtype;
	return 0;
}

/* --- by table --- */

static int run_table_bytes(const struct step *s, struct run *run)
{
	const uint8_t *x = s->in[0]->data, *table = s->in[1]->data;
	const uint8_t flip = s->in[0]->dtype == DTYPE_INT8 ? 0x80 : 0;
	uint8_t *y = s->out[0]->data;

	(void)run;
	for (size_t i = 0; i < s->in[0]->shape.count; i++)
		y[i] = table[x[i] ^ flip];
	return 0;
}

static int run_table_floats(const struct step *s, struct run *run)
{
	const uint8_t *x = s->in[0]->data;
	const uint8_t flip = s->in[0]->dtype == DTYPE_INT8 ? 0x80 : 0;
	const float *table = s->in[1]->data;
	float *y = s->out[0]->data;

	(void)run;
	for (size_t i = 0; i < s->in[0]->shape.count; i++)
		y[i] = table[x[i] ^ flip];
	return 0;
}

int plan_quant_table(struct step *s, struct error *err)
{
	if (s->in[1]->shape.count != 256)
		return error_set(err, ERR_INVALID, "a table of %zu entries", s->in[1]->shape.count);
	s->out[0]->shape = s->in[0]->shape;
	s->run = s->out[0]->dtype == DTYPE_FLOAT ? run_table_floats : run_table_bytes;
	return 0;
}

int types_quant_table(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
		      struct error *err)
{
	(void)attr;
	(void)nin;
	(void)nout;
	if (!quant_is_8bit(in[0]))
		return types_unsupported(in[0], err);
	if (!quant_is_8bit(in[1]) && in[1] != DTYPE_FLOAT)
		return types_unsupported(in[1], err);
	out[0] = in[1];
	return 0;
}

/* --- softmax --- */

static void softmax_row(const struct quantization *quant, size_t n, const uint8_t *x, uint8_t flip, const float *table,
			uint8_t *y)
{
	uint8_t max = 0;
	float sum = 0.0f;

	for (size_t i = 0; i < n; i++)
		max = (x[i] ^ flip) > max ? x[i] ^ flip : max;
	for (size_t i = 0; i < n; i++)
		sum += table[max - (x[i] ^ flip)];
	const float inverse = 1.0f / (sum * quant->step);
	for (size_t i = 0; i < n; i++) {
		float steps = table[max - (x[i] ^ flip)] * inverse + 0.5f;
		int32_t v = (int32_t)(steps < 256.0f ? steps : 256.0f) + quant->range.zero;
		v = v < quant->range.high ? v : quant->range.high;
		y[i] = (uint8_t)(v > quant->range.low ? v : quant->range.low);
	}
}

static int run_softmax(const struct step *s, struct run *run)
{
	const struct shape *shape = &s->in[0]->shape;
	const uint8_t flip = s->in[0]->dtype == DTYPE_INT8 ? 0x80 : 0;
	const size_t n = (size_t)shape->dims[shape->rank - 1];
	const uint8_t *x = s->in[0]->data;
	uint8_t *y = s->out[0]->data;

	(void)run;
	for (size_t i = 0; i < shape->count; i += n)
		softmax_row(&s->node->attr.quant, n, x + i, flip, s->in[1]->data, y + i);
	return 0;
}

int plan_quant_softmax(struct step *s, struct error *err)
{
	if (s->in[0]->shape.rank < 1)
		return error_set(err, ERR_INVALID, "a scalar has no dimension to take it over");
	if (s->in[1]->shape.count != 256)
		return error_set(err, ERR_INVALID, "a table of %zu entries", s->in[1]->shape.count);
	s->out[0]->shape = s->in[0]->shape;
	s->run = run_softmax;
	return 0;
}

int types_quant_softmax(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out,
			uint32_t nout, struct error *err)
{
	(void)attr;
	(void)nin;
	(void)nout;
	if (!quant_is_8bit(in[0]) || in[1] != DTYPE_FLOAT)
		return types_unsupported(in[0], err);
	out[0] = in[0];
	return 0;
}
