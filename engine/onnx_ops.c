/*
 * onnx_ops.c - the ONNX operators that are supported, each with its converter.
 */
#include <string.h>

#include "common/arith.h"
#include "engine/onnx.h"

static const struct {
	const char *name;
	bool learning;          /* of ai.onnx.ml, ONNX's operators of classical machine learning */
	uint8_t min_in, max_in; /* max 0: any number */
	enum op op;             /* for converters that serve several */
	onnx_converter *convert;
} operators[] = {
	{"Add", false, 2, 2, OP_ADD, onnx_binary},
	{"AveragePool", false, 1, 1, OP_AVG_POOL, onnx_pool},
	{"BatchNormalization", false, 5, 5, OP_BATCH_NORM, onnx_batch_norm},
	{"Cast", false, 1, 1, OP_CAST, onnx_cast},
	{"Clip", false, 1, 3, OP_MINIMUM, onnx_clip},
	{"Concat", false, 1, 0, OP_CONCAT, onnx_concat},
	{"Constant", false, 0, 0, OP_IDENTITY, onnx_constant_node},
	{"ConstantOfShape", false, 1, 1, OP_IDENTITY, onnx_constant_of_shape},
	{"Conv", false, 2, 3, OP_CONV2D, onnx_conv},
	{"Div", false, 2, 2, OP_DIV, onnx_binary},
	{"Dropout", false, 1, 3, OP_IDENTITY, onnx_dropout},
	{"Elu", false, 1, 1, OP_ELU, onnx_alpha},
	{"Exp", false, 1, 1, OP_EXP, onnx_simple},
	{"Flatten", false, 1, 1, OP_FLATTEN, onnx_flatten},
	{"Floor", false, 1, 1, OP_FLOOR, onnx_simple},
	{"Gather", false, 2, 2, OP_GATHER, onnx_gather},
	{"Gemm", false, 2, 3, OP_MATMUL, onnx_gemm},
	{"GlobalAveragePool", false, 1, 1, OP_REDUCE_MEAN, onnx_global_pool},
	{"GlobalMaxPool", false, 1, 1, OP_REDUCE_MAX, onnx_global_pool},
	{"Identity", false, 1, 1, OP_IDENTITY, onnx_simple},
	{"LRN", false, 1, 1, OP_LRN, onnx_lrn},
	{"LeakyRelu", false, 1, 1, OP_LEAKY_RELU, onnx_alpha},
	{"LinearClassifier", true, 1, 1, OP_MATMUL, onnx_linear_classifier},
	{"LinearRegressor", true, 1, 1, OP_MATMUL, onnx_linear_regressor},
	{"Log", false, 1, 1, OP_LOG, onnx_simple},
	{"LogSoftmax", false, 1, 1, OP_LOG_SOFTMAX, onnx_softmax},
	{"MatMul", false, 2, 2, OP_MATMUL, onnx_simple},
	{"Max", false, 1, 0, OP_MAXIMUM, onnx_variadic},
	{"MaxPool", false, 1, 1, OP_MAX_POOL, onnx_pool},
	{"Min", false, 1, 0, OP_MINIMUM, onnx_variadic},
	{"Mul", false, 2, 2, OP_MUL, onnx_binary},
	{"Neg", false, 1, 1, OP_NEG, onnx_simple},
	{"Normalizer", true, 1, 1, OP_DIV, onnx_normalizer},
	{"Pad", false, 1, 3, OP_PAD, onnx_pad},
	{"ReduceMax", false, 1, 2, OP_REDUCE_MAX, onnx_reduce},
	{"ReduceMean", false, 1, 2, OP_REDUCE_MEAN, onnx_reduce},
	{"ReduceMin", false, 1, 2, OP_REDUCE_MIN, onnx_reduce},
	{"ReduceSum", false, 1, 2, OP_REDUCE_SUM, onnx_reduce},
	{"Relu", false, 1, 1, OP_RELU, onnx_simple},
	{"Reshape", false, 1, 2, OP_RESHAPE, onnx_reshape},
	{"Shape", false, 1, 1, OP_SHAPE, onnx_shape},
	{"Sigmoid", false, 1, 1, OP_SIGMOID, onnx_simple},
	{"Softmax", false, 1, 1, OP_SOFTMAX, onnx_softmax},
	{"Sqrt", false, 1, 1, OP_SQRT, onnx_simple},
	{"Squeeze", false, 1, 2, OP_SQUEEZE, onnx_squeeze},
	{"Sub", false, 2, 2, OP_SUB, onnx_binary},
	{"Sum", false, 1, 0, OP_ADD, onnx_variadic},
	{"Tanh", false, 1, 1, OP_TANH, onnx_simple},
	{"Transpose", false, 1, 1, OP_TRANSPOSE, onnx_transpose},
	{"Unsqueeze", false, 1, 2, OP_EXPAND_DIMS, onnx_unsqueeze},
};

int onnx_convert(struct onnx_conversion *c)
{
	const char *domain = onnx_text(c->node->domain), *type = onnx_text(c->node->op_type);
	const bool learning = strcmp(domain, "ai.onnx.ml") == 0;

	if (!learning && domain[0] != '\0' && strcmp(domain, "ai.onnx") != 0)
		return error_set(c->err, ERR_UNSUPPORTED, "the operators of '%s' are not supported", domain);
	for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
		if (operators[i].learning != learning || strcmp(operators[i].name, type) != 0)
			continue;
		/* Trailing inputs that are left out may be spelt as empty names. */
		while (c->nin > 0 && c->in[c->nin - 1] == VALUE_NONE)
			c->nin--;
		if (c->nin < operators[i].min_in || (operators[i].max_in != 0 && c->nin > operators[i].max_in))
			return error_set(c->err, ERR_UNSUPPORTED, "%u inputs", c->nin);
		for (uint32_t k = 0; k < operators[i].min_in || (operators[i].max_in == 0 && k < c->nin); k++) {
			if (!onnx_has_input(c, k))
				return error_set(c->err, ERR_FORMAT, "input %u is left out", k);
		}
		c->op = operators[i].op;
		return operators[i].convert(c);
	}
	return error_set(c->err, ERR_UNSUPPORTED, "this operator is not supported");
}
