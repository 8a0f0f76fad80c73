/*
 * dtypes.h - the element types' names and numbers in TensorFlow's and in Triton's protocols.
 */
#ifndef SERVERS_MODEL_SERVER_DTYPES_H
#define SERVERS_MODEL_SERVER_DTYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/tensor.h"

/* tensorflow.DataType: 1 for DTYPE_FLOAT, "DT_FLOAT". */
int32_t dtype_to_tensorflow(enum dtype t);
const char *dtype_tensorflow_name(enum dtype t);
/* "float", as TensorFlow's errors call it. */
const char *dtype_tensorflow_word(enum dtype t);
/* False: a type that the engine does not know (halves, complex numbers, …). */
bool dtype_from_tensorflow(enum dtype *ret, int32_t dt);
/* "FP32"; BYTES for strings. */
const char *dtype_triton_name(enum dtype t);
/* inference.DataType of a ModelConfig, which calls strings otherwise: 13, "TYPE_STRING". */
int32_t dtype_triton_config(enum dtype t);
const char *dtype_triton_config_name(enum dtype t);
bool dtype_from_triton(enum dtype *ret, const char *name, size_t len);

#endif
