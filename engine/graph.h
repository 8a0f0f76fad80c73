/*
 * graph.h - what every model format is read into: values, and the operators that make one from another.
 *
 * A value is a graph input, a constant, or an output of exactly one node. Nodes are kept in an order in which every
 * value is made before it is used. Operators mean the same whatever format they came from: what the formats spell
 * differently (attribute or input, argument order, layout) is settled by the importer.
 */
#ifndef ENGINE_GRAPH_H
#define ENGINE_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "engine/quant_kernels.h"
#include "engine/tensor.h"

/*
 * X(enum, name in messages). Inputs, where they are not plain (x) or (a, b):
 *   MATMUL        a, b [, bias]         batched over leading dimensions, which broadcast
 *   BIAS_ADD      x, bias of the last dimension
 *   RESHAPE       x, shape (one -1)     EXPAND_DIMS  x, axis     TRANSPOSE  x, permutation (empty: reversed)
 *   CONCAT        x..., axis            SPLIT        x, axis     SLICE      x, begin, size (-1: to the end)
 *   STRIDED_SLICE x, begin, end, strides                         PAD        x, pairs [, value]
 *   GATHER        x, indices, axis      REDUCE_*     x, axes     ARGMAX     x, axis
 *   RANDOM_UNIFORM  shape               FLATTEN      x: dimensions before attr.axis become one, the rest another
 *   CONV2D        x, weights [, bias] [, addend of the result's shape: attr.adds_input]; x of rank 4
 *   MAX_POOL, AVG_POOL  x of rank 4, window of attr.window.kernel; padding is never the maximum
 *   BATCH_NORM    x, scale, offset, mean, variance: constants, one number a channel
 *   LRN           x: over the channels, x / (lrn_bias + alpha * sum of lrn_size squares around it) ^ beta
 *   QUANT_CONV2D, QUANT_DEPTHWISE, QUANT_MATMUL  x, weights (OHWI; 1HWO; OI), bias, multipliers, shifts: one an output
 *   QUANT_SOFTMAX x, exp(-i * step) for i = 0..255              QUANT_TABLE  x, 256 results (the first: of -128 or 0)
 *   QUANT_MEAN    x, axes
 * QUANT_* work on INT8 or UINT8 with attr.quant, exactly as TFLite's kernels do; QUANTIZE makes such from FLOAT.
 * A mean over space (GlobalAveragePool) is REDUCE_MEAN with keep_dims.
 * Everything but the data (x, indices, a, b, bias, value) must be known when a plan is made: constants, or computed
 * from shapes.
 */
#define OP_LIST(X) \
	X(OP_NEG, "Neg") \
	X(OP_EXP, "Exp") \
	X(OP_LOG, "Log") \
	X(OP_SQRT, "Sqrt") \
	X(OP_RSQRT, "Rsqrt") \
	X(OP_SQUARE, "Square") \
	X(OP_TANH, "Tanh") \
	X(OP_SIGMOID, "Sigmoid") \
	X(OP_RELU, "Relu") \
	X(OP_RELU6, "Relu6") \
	X(OP_LEAKY_RELU, "LeakyRelu") \
	X(OP_ELU, "Elu") \
	X(OP_FLOOR, "Floor") \
	X(OP_ADD, "Add") \
	X(OP_SUB, "Sub") \
	X(OP_MUL, "Mul") \
	X(OP_DIV, "Div") \
	X(OP_MAXIMUM, "Maximum") \
	X(OP_MINIMUM, "Minimum") \
	X(OP_BIAS_ADD, "BiasAdd") \
	X(OP_MATMUL, "MatMul") \
	X(OP_SOFTMAX, "Softmax") \
	X(OP_LOG_SOFTMAX, "LogSoftmax") \
	X(OP_IDENTITY, "Identity") \
	X(OP_RESHAPE, "Reshape") \
	X(OP_SQUEEZE, "Squeeze") \
	X(OP_EXPAND_DIMS, "ExpandDims") \
	X(OP_SHAPE, "Shape") \
	X(OP_TRANSPOSE, "Transpose") \
	X(OP_CONCAT, "Concat") \
	X(OP_SPLIT, "Split") \
	X(OP_SLICE, "Slice") \
	X(OP_STRIDED_SLICE, "StridedSlice") \
	X(OP_PAD, "Pad") \
	X(OP_GATHER, "Gather") \
	X(OP_PACK, "Pack") \
	X(OP_UNPACK, "Unpack") \
	X(OP_CAST, "Cast") \
	X(OP_REDUCE_MEAN, "Mean") \
	X(OP_REDUCE_SUM, "Sum") \
	X(OP_REDUCE_MAX, "Max") \
	X(OP_REDUCE_MIN, "Min") \
	X(OP_ARGMAX, "ArgMax") \
	X(OP_RANDOM_UNIFORM, "RandomUniform") \
	X(OP_FLATTEN, "Flatten") \
	X(OP_CONV2D, "Conv2D") \
	X(OP_MAX_POOL, "MaxPool") \
	X(OP_AVG_POOL, "AvgPool") \
	X(OP_BATCH_NORM, "BatchNorm") \
	X(OP_LRN, "LRN") \
	X(OP_QUANTIZE, "Quantize") \
	X(OP_QUANT_TABLE, "QuantTable") \
	X(OP_QUANT_CONV2D, "QuantConv2D") \
	X(OP_QUANT_DEPTHWISE, "QuantDepthwise") \
	X(OP_QUANT_MATMUL, "QuantMatMul") \
	X(OP_QUANT_ADD, "QuantAdd") \
	X(OP_QUANT_SUB, "QuantSub") \
	X(OP_QUANT_MUL, "QuantMul") \
	X(OP_QUANT_AVG_POOL, "QuantAvgPool") \
	X(OP_QUANT_MAX_POOL, "QuantMaxPool") \
	X(OP_QUANT_MEAN, "QuantMean") \
	X(OP_QUANT_SOFTMAX, "QuantSoftmax")

enum op {
#define OP_ENUM(id, name) id,
	OP_LIST(OP_ENUM)
#undef OP_ENUM
		OP_COUNT
};

const char *op_name(enum op op);

/* What a fused node does to its result before it is stored. */
enum activation { ACT_NONE, ACT_RELU, ACT_RELU6, ACT_LEAKY_RELU, ACT_ELU, ACT_SIGMOID, ACT_TANH };

/* Of the four dimensions of an image tensor: where the channels are. */
enum image_layout { LAYOUT_NHWC, LAYOUT_NCHW };

/*
 * Of a convolution's weights: height, width, inputs a group, outputs (those of group 0 first). HWCM: one group a
 * channel with M outputs each (TensorFlow's depthwise weights; attr.groups is not read then).
 */
enum weights_layout { WEIGHTS_HWIO, WEIGHTS_OIHW, WEIGHTS_OHWI, WEIGHTS_HWCM };

/* SAME: the output is the input divided by the stride, rounded up; an odd padding has one more after (UPPER). */
enum window_padding { PADDING_EXPLICIT, PADDING_VALID, PADDING_SAME_UPPER, PADDING_SAME_LOWER };

/* A window that slides over height and width. */
struct window {
	int64_t kernel[2]; /* pools; a convolution's is that of its weights */
	int64_t strides[2], dilations[2];
	enum window_padding padding;
	int64_t pads[4];        /* PADDING_EXPLICIT: top, left, bottom, right */
	bool ceil_mode;         /* pools: a last window that reaches past the padding counts too */
	bool count_include_pad; /* AVG_POOL: divide by the window's size, padding included */
};

/* real = step * (integer - zero), for the data inputs, the weights and the result. */
struct quantization {
	int32_t zero[2], weights_zero;
	struct scaling scaling[3]; /* ADD, SUB: a, b, result; MUL, MEAN: [0] */
	struct quant_range range;  /* of the result, with its zero */
	float step;                /* of the result: QUANTIZE, SOFTMAX */
};

/* Constant weights of a CONV2D, in the layouts of its plans. */
struct conv_weights;

/* Only the fields of the node's own op mean anything. */
struct attributes {
	enum activation activation;    /* MATMUL, CONV2D */
	float alpha;                   /* slope of LEAKY_RELU and ELU, also as activation; LRN */
	bool transpose_a, transpose_b; /* MATMUL: the two last dimensions */
	bool matrices_only;            /* MATMUL: rank 2, as TensorFlow's MatMul demands */
	bool keep_dims;                /* REDUCE_* */
	int64_t axis;                  /* PACK, UNPACK, FLATTEN */
	enum dtype dtype;              /* CAST, SHAPE, ARGMAX, RANDOM_UNIFORM, QUANTIZE: of the result */
	unsigned naxes;                /* SQUEEZE; 0: all of size 1 */
	int64_t axes[TENSOR_MAX_RANK]; /* SQUEEZE */
	bool zero_copies;              /* RESHAPE: a 0 in the shape is the input's dimension there */
	bool wrap_indices;             /* GATHER: negative indices count from the end */
	uint32_t begin_mask, end_mask; /* STRIDED_SLICE, one bit an entry of begin */
	uint32_t ellipsis_mask, new_axis_mask, shrink_axis_mask;
	enum image_layout layout;    /* CONV2D, *_POOL, BATCH_NORM, LRN, BIAS_ADD (NCHW: along dimension 1) */
	enum weights_layout weights; /* CONV2D */
	struct window window;        /* CONV2D, *_POOL, QUANT_CONV2D, QUANT_DEPTHWISE */
	int64_t groups;              /* CONV2D, at least 1 */
	bool adds_input;             /* CONV2D: the last input is added before the activation */
	float epsilon;               /* BATCH_NORM */
	int64_t lrn_size;            /* LRN: channels of the sum, (lrn_size - 1) / 2 of them before */
	float beta, lrn_bias;        /* LRN */
	struct quantization quant;   /* QUANT_*, QUANTIZE */
};

#define VALUE_NONE UINT32_MAX

struct value {
	enum dtype dtype;
	struct tensor *constant; /* owned; NULL: computed or fed */
	uint32_t node;           /* that makes it; VALUE_NONE: input or constant */
};

struct node {
	enum op op;
	char *name; /* as the model spells it, for messages */
	struct attributes attr;
	uint32_t *in, *out; /* values */
	uint32_t nin, nout;
	/* Owned; each stands for in[1], as made once a model. */
	struct tensor *packed; /* MATMUL and the products of 8-bit tensors: constant weights in their kernel's layout */
	struct conv_weights *filters;
};

struct graph {
	struct value *values;
	uint32_t nvalues, values_cap;
	struct node *nodes;
	uint32_t nnodes, nodes_cap;
	uint32_t *inputs, *outputs; /* values, in call order */
	uint32_t ninputs, noutputs;
	size_t constant_bytes, constant_max;
	const struct allocator *allocator; /* of the constants, the values and the nodes */
};

void graph_init(struct graph *g, const struct allocator *a, size_t constant_max);
void graph_release(struct graph *g);

/* The index of the new value, or a negative error. A constant becomes the graph's, also on failure. */
int64_t graph_add_value(struct graph *g, enum dtype t) MUST_CHECK;
int64_t graph_add_constant(struct graph *g, struct tensor *constant) MUST_CHECK;
/*
 * Adds a node with nout new outputs whose types follow from its inputs; its inputs exist already. Text: says what the
 * operator does not take. ERR_UNSUPPORTED: input types or their number; ERR_NOMEM.
 */
int graph_add_node(struct graph *g, enum op op, const char *name, const struct attributes *attr, const uint32_t *in,
		   uint32_t nin, uint32_t nout, struct node **ret, struct error *err) MUST_CHECK;
int graph_set_io(struct graph *g, const uint32_t *inputs, uint32_t ninputs, const uint32_t *outputs,
		 uint32_t noutputs) MUST_CHECK;
/* An allocation for a constant that is still to be made: ERR_RANGE if the graph's constants would pass their limit. */
int graph_check_constant(const struct graph *g, enum dtype t, const int64_t *dims, unsigned rank,
			 struct error *err) MUST_CHECK;

#endif
