/*
 * arith.h - sizes are checked before they are multiplied.
 */
#ifndef COMMON_ARITH_H
#define COMMON_ARITH_H

#include <stdbool.h>
#include <stddef.h>

/* Each stores a op b and answers true, or answers false where the result does not fit. */
static inline bool size_mul(size_t *ret, size_t a, size_t b)
{
	return !__builtin_mul_overflow(a, b, ret);
}

static inline bool size_add(size_t *ret, size_t a, size_t b)
{
	return !__builtin_add_overflow(a, b, ret);
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
