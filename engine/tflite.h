/*
 * tflite.h - what the parts of the TFLite reader share.
 */
#ifndef ENGINE_TFLITE_H
#define ENGINE_TFLITE_H

#include "engine/flatbuffers.h"
#include "engine/import.h"

/* TensorType of the schema. */
enum tfl_type {
	TFL_FLOAT32 = 0,
	TFL_FLOAT16 = 1,
	TFL_INT32 = 2,
	TFL_UINT8 = 3,
	TFL_INT64 = 4,
	TFL_BOOL = 6,
	TFL_INT16 = 7,
	TFL_INT8 = 9,
	TFL_FLOAT64 = 10,
	TFL_UINT16 = 16,
};

/* A tensor of the main subgraph. */
struct tfl_tensor {
	const char *name;
	int8_t type;                   /* TFL_* */
	enum dtype dtype;              /* of the value; FLOAT16 constants become FLOAT */
	int rank;                      /* as declared */
	int64_t dims[TENSOR_MAX_RANK]; /* -1 where the signature leaves it free */
	struct fb_vector data;         /* constant's bytes; data NULL: none */
	struct fb_vector steps;        /* floats: quantization scales; n 0: not quantized */
	struct fb_vector zeros;        /* int64: zero points */
	int32_t step_dimension;        /* that several steps go along */
	uint32_t value;                /* in the graph; VALUE_NONE: not made yet */
	uint32_t widened;              /* the same constant as FLOAT; VALUE_NONE: not asked for yet */
};

struct tfl_model {
	struct import *im;
	struct graph *g;
	struct fb file;
	struct fb_table root;
	struct fb_vector codes, buffers, operators;
	struct tfl_tensor *tensors;
	uint32_t ntensors;
};

/* One operator while it is converted. Text goes to err without the operator's name. */
struct tfl_op {
	struct tfl_model *m;
	int32_t code;
	uint32_t nin, nout;
	const struct fb_vector *in, *out; /* tensor numbers; -1: left out */
	struct fb_table options;
	const char *name; /* of the first output: the node's */
	struct error *err;
};

/* tflite_ops.c. ERR_UNSUPPORTED, ERR_FORMAT, ERR_INVALID, ERR_RANGE, ERR_NOMEM. */
int tfl_convert(struct tfl_op *o) MUST_CHECK;
/* tflite_names.c. The schema's name of a builtin operator, or "operator N" in buf. */
#define TFL_NAME_MAX 32
const char *tfl_operator_name(int32_t code, char buf[TFL_NAME_MAX]);

/* import_tflite.c: tensors of an operator; NULL where left out or outside the range. */
struct tfl_tensor *tfl_in(const struct tfl_op *o, uint32_t i);
struct tfl_tensor *tfl_out(const struct tfl_op *o, uint32_t i);
/* The value of an input that must be there; constants are added to the graph when first asked for. */
int tfl_value(struct tfl_op *o, uint32_t i, uint32_t *ret) MUST_CHECK;
/* As tfl_value, but 8-bit constants with quantization become FLOAT by their steps. */
int tfl_float_value(struct tfl_op *o, uint32_t i, uint32_t *ret) MUST_CHECK;
/* A constant of the operator's own; data is copied. dims NULL: a scalar, or a vector of n where rank is 1. */
int tfl_constant(struct tfl_op *o, enum dtype t, const int64_t *dims, unsigned rank, const void *data,
		 uint32_t *ret) MUST_CHECK;
/* Adds a node; the first of its outputs, the others follow. */
int tfl_node(struct tfl_op *o, enum op op, const struct attributes *attr, const uint32_t *in, uint32_t nin,
	     uint32_t nout, uint32_t *ret) MUST_CHECK;
/* Output i of the operator is this value. */
int tfl_set(struct tfl_op *o, uint32_t i, uint32_t value) MUST_CHECK;
/* Whether tensor t has steps that are positive, one or one an element of its step_dimension. */
int tfl_check_steps(const struct tfl_op *o, const struct tfl_tensor *t) MUST_CHECK;
/* Step and zero point of tensor t, one for all of it. */
int tfl_quantization(const struct tfl_op *o, const struct tfl_tensor *t, float *ret_step, int32_t *ret_zero) MUST_CHECK;

/* Padding, strides and dilations of CONV_2D, DEPTHWISE_CONV_2D and the pools. */
int tfl_window(const struct tfl_op *o, struct window *ret) MUST_CHECK;

/* ActivationFunctionType of the schema. */
enum tfl_activation { TFL_NONE, TFL_RELU, TFL_RELU_N1_TO_1, TFL_RELU6, TFL_TANH, TFL_SIGN_BIT };
/* The fused activation of an operator whose options hold it in this field. */
enum tfl_activation tfl_activation(const struct tfl_op *o, unsigned field);

/* tflite_quant.c: the operator on 8-bit tensors. ERR_UNSUPPORTED for those that have no such form. */
int tfl_convert_quantized(struct tfl_op *o) MUST_CHECK;
static inline bool tfl_is_8bit(const struct tfl_tensor *t)
{
	return t != NULL && (t->type == TFL_INT8 || t->type == TFL_UINT8);
}

/* Numbers of the operators that both files know. */
enum tfl_code {
	TFL_OP_ADD = 0,
	TFL_OP_AVERAGE_POOL_2D = 1,
	TFL_OP_CONCATENATION = 2,
	TFL_OP_CONV_2D = 3,
	TFL_OP_DEPTHWISE_CONV_2D = 4,
	TFL_OP_DEQUANTIZE = 6,
	TFL_OP_FLOOR = 8,
	TFL_OP_FULLY_CONNECTED = 9,
	TFL_OP_LOGISTIC = 14,
	TFL_OP_MAX_POOL_2D = 17,
	TFL_OP_MUL = 18,
	TFL_OP_RELU = 19,
	TFL_OP_RELU_N1_TO_1 = 20,
	TFL_OP_RELU6 = 21,
	TFL_OP_RESHAPE = 22,
	TFL_OP_SOFTMAX = 25,
	TFL_OP_TANH = 28,
	TFL_OP_CUSTOM = 32,
	TFL_OP_PAD = 34,
	TFL_OP_GATHER = 36,
	TFL_OP_TRANSPOSE = 39,
	TFL_OP_MEAN = 40,
	TFL_OP_SUB = 41,
	TFL_OP_DIV = 42,
	TFL_OP_SQUEEZE = 43,
	TFL_OP_STRIDED_SLICE = 45,
	TFL_OP_EXP = 47,
	TFL_OP_SPLIT = 49,
	TFL_OP_LOG_SOFTMAX = 50,
	TFL_OP_CAST = 53,
	TFL_OP_MAXIMUM = 55,
	TFL_OP_ARG_MAX = 56,
	TFL_OP_MINIMUM = 57,
	TFL_OP_NEG = 59,
	TFL_OP_PADV2 = 60,
	TFL_OP_SLICE = 65,
	TFL_OP_EXPAND_DIMS = 70,
	TFL_OP_LOG = 73,
	TFL_OP_SUM = 74,
	TFL_OP_SQRT = 75,
	TFL_OP_RSQRT = 76,
	TFL_OP_SHAPE = 77,
	TFL_OP_REDUCE_MAX = 82,
	TFL_OP_PACK = 83,
	TFL_OP_UNPACK = 88,
	TFL_OP_REDUCE_MIN = 89,
	TFL_OP_SQUARE = 92,
	TFL_OP_LEAKY_RELU = 98,
	TFL_OP_ELU = 111,
	TFL_OP_QUANTIZE = 114,
	TFL_OP_HARD_SWISH = 117,
	TFL_OP_BATCH_MATMUL = 126,
};

#endif
