/*
 * dtypes.c - one table of both protocols' names.
 */
#include "servers/model_server/dtypes.h"

#include <string.h>

/* clang-format off: a row a type */
static const struct {
	int32_t number; /* tensorflow/core/framework/types.proto */
	const char *tensorflow, *word, *triton;
	int32_t config; /* inference.DataType of Triton's model_config.proto */
	const char *config_name;
} types[DTYPE_COUNT] = {
	[DTYPE_FLOAT] = {1, "DT_FLOAT", "float", "FP32", 11, "TYPE_FP32"},
	[DTYPE_DOUBLE] = {2, "DT_DOUBLE", "double", "FP64", 12, "TYPE_FP64"},
	[DTYPE_INT8] = {6, "DT_INT8", "int8", "INT8", 6, "TYPE_INT8"},
	[DTYPE_INT16] = {5, "DT_INT16", "int16", "INT16", 7, "TYPE_INT16"},
	[DTYPE_INT32] = {3, "DT_INT32", "int32", "INT32", 8, "TYPE_INT32"},
	[DTYPE_INT64] = {9, "DT_INT64", "int64", "INT64", 9, "TYPE_INT64"},
	[DTYPE_UINT8] = {4, "DT_UINT8", "uint8", "UINT8", 2, "TYPE_UINT8"},
	[DTYPE_UINT16] = {17, "DT_UINT16", "uint16", "UINT16", 3, "TYPE_UINT16"},
	[DTYPE_BOOL] = {10, "DT_BOOL", "bool", "BOOL", 1, "TYPE_BOOL"},
	[DTYPE_STRING] = {7, "DT_STRING", "string", "BYTES", 13, "TYPE_STRING"},
};
/* clang-format on */

int32_t dtype_to_tensorflow(enum dtype t)
{
	return types[t].number;
}

const char *dtype_tensorflow_name(enum dtype t)
{
	return types[t].tensorflow;
}

const char *dtype_tensorflow_word(enum dtype t)
{
	return types[t].word;
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

int32_t dtype_triton_config(enum dtype t)
{
	return types[t].config;
}

const char *dtype_triton_config_name(enum dtype t)
{
	return types[t].config_name;
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
