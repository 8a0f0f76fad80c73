/*
 * dtypes.c - one table of both protocols' names.
 */
#include "servers/model_server/dtypes.h"

#include <string.h>

static const struct {
	int32_t number; /* tensorflow/core/framework/types.proto */
	const char *tensorflow, *triton;
} types[DTYPE_COUNT] = {
	[DTYPE_FLOAT] = {1, "DT_FLOAT", "FP32"},  [DTYPE_DOUBLE] = {2, "DT_DOUBLE", "FP64"},
	[DTYPE_INT8] = {6, "DT_INT8", "INT8"},    [DTYPE_INT16] = {5, "DT_INT16", "INT16"},
	[DTYPE_INT32] = {3, "DT_INT32", "INT32"}, [DTYPE_INT64] = {9, "DT_INT64", "INT64"},
	[DTYPE_UINT8] = {4, "DT_UINT8", "UINT8"}, [DTYPE_UINT16] = {17, "DT_UINT16", "UINT16"},
	[DTYPE_BOOL] = {10, "DT_BOOL", "BOOL"},   [DTYPE_STRING] = {7, "DT_STRING", "BYTES"},
};

int32_t dtype_to_tensorflow(enum dtype t)
{
	return types[t].number;
}

const char *dtype_tensorflow_name(enum dtype t)
{
	return types[t].tensorflow;
}

bool dtype_from_tensorflow(enum dtype *ret, int32_t dt)
{
	for (unsigned i = 0; i < DTYPE_COUNT; i++) {
		if (types[i].number == dt) {
			*ret = (enum dtype)i;
			return true;
		}
	}
	return false;
}

const char *dtype_triton_name(enum dtype t)
{
	return types[t].triton;
}

bool dtype_from_triton(enum dtype *ret, const char *name, size_t len)
{
	for (unsigned i = 0; i < DTYPE_COUNT; i++) {
		if (strlen(types[i].triton) == len && memcmp(types[i].triton, name, len) == 0) {
			*ret = (enum dtype)i;
			return true;
		}
	}
	return false;
}
