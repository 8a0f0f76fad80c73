/*
 * dtypes.c - one table of both protocols' names.
 */
#include "servers/model_server/dtypes.h"

#include <string.h>

/* clang-format off */
static const struct {
	const char *tensorflow, *word, *triton, *config_name;
	int32_t number; /* tensorflow/core/framework/types.proto */
	int32_t config; /* inference.DataType of Triton's model_config.proto */
} types[DTYPE_COUNT] = {
	[DTYPE_FLOAT]  = {"DT_FLOAT",  "float",  "FP32",   "TYPE_FP32",    1, 11},
	[DTYPE_DOUBLE] = {"DT_DOUBLE", "double", "FP64",   "TYPE_FP64",    2, 12},
	[DTYPE_INT8]   = {"DT_INT8",   "int8",   "INT8",   "TYPE_INT8",    6,  6},
	[DTYPE_INT16]  = {"DT_INT16",  "int16",  "INT16",  "TYPE_INT16",   5,  7},
	[DTYPE_INT32]  = {"DT_INT32",  "int32",  "INT32",  "TYPE_INT32",   3,  8},
	[DTYPE_INT64]  = {"DT_INT64",  "int64",  "INT64",  "TYPE_INT64",   9,  9},
	[DTYPE_UINT8]  = {"DT_UINT8",  "uint8",  "UINT8",  "TYPE_UINT8",   4,  2},
	[DTYPE_UINT16] = {"DT_UINT16", "uint16", "UINT16", "TYPE_UINT16", 17,  3},
	[DTYPE_BOOL]   = {"DT_BOOL",   "bool",   "BOOL",   "TYPE_BOOL",   10,  1},
	[DTYPE_STRING] = {"DT_STRING", "string", "BYTES",  "TYPE_STRING",  7, 13},
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
