/*
 * op_cast.c - conversion between element types.
 *
 * Integers wrap around; a float outside the integer's range becomes the nearest end of it and NaN becomes 0, where C
 * leaves it open. To BOOL: whatever is not 0.
 */
#include <string.h>

#include "engine/ops.h"

typedef void cast_function(size_t n, const void *from, void *to);

static int64_t clamp(double x, int64_t low, int64_t high)
{
	if (x != x)
		return 0;
	if (x <= (double)low)
		return low;
	/* (double)INT64_MAX is 2^63, which does not fit. */
	if (x >= (double)high)
		return high;
	return (int64_t)x;
}

/* NOLINTBEGIN(bugprone-macro-parentheses): type names cannot be put in parentheses. */
#define DEFINE_CAST(from_type, to_type, expression) \
	static void from_type##_to_##to_type(size_t n, const void *from, void *to) \
	{ \
		const from_type *x = from; \
		to_type *y = to; \
		for (size_t i = 0; i < n; i++) \
			y[i] = (to_type)(expression); \
	}
#define DEFINE_FROM_FLOAT(type) \
	DEFINE_CAST(type, float, x[i]) \
	DEFINE_CAST(type, double, x[i]) \
	DEFINE_CAST(type, int8_t, clamp((double)x[i], INT8_MIN, INT8_MAX)) \
	DEFINE_CAST(type, int16_t, clamp((double)x[i], INT16_MIN, INT16_MAX)) \
	DEFINE_CAST(type, int32_t, clamp((double)x[i], INT32_MIN, INT32_MAX)) \
	DEFINE_CAST(type, int64_t, clamp((double)x[i], INT64_MIN, INT64_MAX)) \
	DEFINE_CAST(type, uint8_t, clamp((double)x[i], 0, UINT8_MAX)) \
	DEFINE_CAST(type, uint16_t, clamp((double)x[i], 0, UINT16_MAX)) \
	DEFINE_CAST(type, bool, x[i] != 0)
#define DEFINE_FROM_INTEGER(type) \
	DEFINE_CAST(type, float, x[i]) \
	DEFINE_CAST(type, double, x[i]) \
	DEFINE_CAST(type, int8_t, x[i]) \
	DEFINE_CAST(type, int16_t, x[i]) \
	DEFINE_CAST(type, int32_t, x[i]) \
	DEFINE_CAST(type, int64_t, x[i]) \
	DEFINE_CAST(type, uint8_t, x[i]) \
	DEFINE_CAST(type, uint16_t, x[i]) \
	DEFINE_CAST(type, bool, x[i] != 0)
DEFINE_FROM_FLOAT(float)
DEFINE_FROM_FLOAT(double)
DEFINE_FROM_INTEGER(int8_t)
DEFINE_FROM_INTEGER(int16_t)
DEFINE_FROM_INTEGER(int32_t)
DEFINE_FROM_INTEGER(int64_t)
DEFINE_FROM_INTEGER(uint8_t)
DEFINE_FROM_INTEGER(uint16_t)

/* BOOL comes from outside as any byte: as uint8_t, so that no bool holds anything but 0 and 1. */
#define DEFINE_FROM_BOOL(to_type) \
	static void bool_to_##to_type(size_t n, const void *from, void *to) \
	{ \
		const uint8_t *x = from; \
		to_type *y = to; \
		for (size_t i = 0; i < n; i++) \
			y[i] = (to_type)(x[i] != 0); \
	}
DEFINE_FROM_BOOL(float)
DEFINE_FROM_BOOL(double)
DEFINE_FROM_BOOL(int8_t)
DEFINE_FROM_BOOL(int16_t)
DEFINE_FROM_BOOL(int32_t)
DEFINE_FROM_BOOL(int64_t)
DEFINE_FROM_BOOL(uint8_t)
DEFINE_FROM_BOOL(uint16_t)
DEFINE_FROM_BOOL(bool)
/* NOLINTEND(bugprone-macro-parentheses) */

#define CASTS_FROM(type) \
	{ \
		[DTYPE_FLOAT] = type##_to_float, [DTYPE_DOUBLE] = type##_to_double, [DTYPE_INT8] = type##_to_int8_t, \
		[DTYPE_INT16] = type##_to_int16_t, [DTYPE_INT32] = type##_to_int32_t, \
		[DTYPE_INT64] = type##_to_int64_t, [DTYPE_UINT8] = type##_to_uint8_t, \
		[DTYPE_UINT16] = type##_to_uint16_t, [DTYPE_BOOL] = type##_to_bool \
	}

static cast_function *const casts[DTYPE_COUNT][DTYPE_COUNT] = {
	[DTYPE_FLOAT] = CASTS_FROM(float),   [DTYPE_DOUBLE] = CASTS_FROM(double),   [DTYPE_INT8] = CASTS_FROM(int8_t),
	[DTYPE_INT16] = CASTS_FROM(int16_t), [DTYPE_INT32] = CASTS_FROM(int32_t),   [DTYPE_INT64] = CASTS_FROM(int64_t),
	[DTYPE_UINT8] = CASTS_FROM(uint8_t), [DTYPE_UINT16] = CASTS_FROM(uint16_t), [DTYPE_BOOL] = CASTS_FROM(bool),
};

static int run_cast(const struct step *s, struct run *run)
{
	(void)run;
	casts[s->in[0]->dtype][s->out[0]->dtype](s->out[0]->shape.count, s->in[0]->data, s->out[0]->data);
	return 0;
}

int types_cast(const struct attributes *attr, const enum dtype *in, uint32_t nin, enum dtype *out, uint32_t nout,
	       struct error *err)
{
	(void)nin;
	(void)nout;
	if (in[0] == DTYPE_STRING || attr->dtype == DTYPE_STRING)
		return types_unsupported(DTYPE_STRING, err);
	out[0] = attr->dtype;
	return 0;
}

int plan_cast(struct step *s, struct error *err)
{
	(void)err;
	s->out[0]->shape = s->in[0]->shape;
	s->run = run_cast;
	return 0;
}
