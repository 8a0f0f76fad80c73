/*
 * op_quant.h - what the operators of 8-bit tensors share.
 */
#ifndef ENGINE_OP_QUANT_H
#define ENGINE_OP_QUANT_H

#include "engine/ops.h"
#include "engine/quant_kernels.h"

static inline bool quant_is_8bit(enum dtype t)
{
	return t == DTYPE_INT8 || t == DTYPE_UINT8;
}

/* What turns the bytes of a type into signed ones by xor, and at the same time moves its zero point by as much. */
static inline int32_t quant_flip(enum dtype t)
{
	return t == DTYPE_UINT8 ? 0x80 : 0;
}

/* in: x (not read), weights, bias, multipliers, shifts. */
int quant_check_weights(enum op op, struct operand *const *in, struct error *err) MUST_CHECK;

#endif
