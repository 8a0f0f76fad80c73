/*
 * mobilenet_tflite.c - MobileNet V1 as a TFLite model: ReLU6 fused into the convolutions, as TensorFlow's converter
 * does it.
 *
 * Tensors: the input; weights, biases and result of each convolution; the pool's result, the shape of the rows, the
 * rows, the probabilities. Buffer 0 is empty by convention and stands for tensors without data.
 */

#include "common/arith.h"
#include "datagen/flatbuffer_writer.h"
#include "datagen/mobilenet.h"
#include "datagen/model.h"

#define SCHEMA_VERSION 3
/* An offset has 31 bits. */
#define FILE_MAX INT32_MAX

/* Numbers of the schema. */
enum { TYPE_FLOAT32 = 0, TYPE_INT32 = 2 };
enum { ACTIVATION_NONE = 0, ACTIVATION_RELU6 = 3 };
enum { PADDING_SAME = 0, PADDING_VALID = 1 };
enum { MODEL_VERSION, MODEL_CODES, MODEL_SUBGRAPHS, MODEL_DESCRIPTION, MODEL_BUFFERS };
enum { GRAPH_TENSORS, GRAPH_INPUTS, GRAPH_OUTPUTS, GRAPH_OPERATORS, GRAPH_NAME };
enum { TENSOR_SHAPE = 0, TENSOR_TYPE = 1, TENSOR_BUFFER = 2, TENSOR_NAME = 3, TENSOR_SIGNATURE = 7 };
enum { CODE_SHORT = 0, CODE_VERSION = 2, CODE_BUILTIN = 3 };
enum { OPERATOR_CODE, OPERATOR_INPUTS, OPERATOR_OUTPUTS, OPERATOR_OPTIONS_TYPE, OPERATOR_OPTIONS };
enum { OPTIONS_CONV = 1, OPTIONS_DEPTHWISE = 2, OPTIONS_POOL = 5, OPTIONS_SOFTMAX = 9, OPTIONS_RESHAPE = 17 };

/* The operators, in the order of the model's list of codes. */
enum { USED_CONV, USED_DEPTHWISE, USED_POOL, USED_RESHAPE, USED_SOFTMAX, USED_COUNT };
static const struct {
	int8_t code, options;
} used[USED_COUNT] = {
	{3, OPTIONS_CONV}, {4, OPTIONS_DEPTHWISE}, {1, OPTIONS_POOL}, {22, OPTIONS_RESHAPE}, {25, OPTIONS_SOFTMAX}};

/* Tensors: the input, three a layer, and the four at the end. */
enum {
	T_INPUT,
	T_LAYERS,
	T_POOL = T_LAYERS + 3 * MOBILENET_LAYERS,
	T_ROWS_SHAPE,
	T_ROWS,
	T_OUTPUT,
	T_COUNT,
};
#define T_WEIGHTS(layer) (T_LAYERS + 3 * (layer))
#define T_BIAS(layer) (T_WEIGHTS(layer) + 1)
#define T_RESULT(layer) (T_WEIGHTS(layer) + 2)
#define OPERATORS (MOBILENET_LAYERS + 3)

/* batch: dimension 0 is the net's. data: its buffer has the tensor's number + 1, otherwise it is buffer 0. */
static void add_tensor(struct buf *b, size_t at, int number, const char *name, int type, const int32_t *dims,
		       unsigned rank, int64_t batch, bool data)
{
	int32_t shape[4], signature[4];
	struct fbw_field fields[] = {
		{.id = TENSOR_SHAPE, .type = FBW_OFFSET},
		{.id = TENSOR_TYPE, .type = FBW_INT8, .value = type},
		{.id = TENSOR_BUFFER, .type = FBW_INT32, .value = data ? number + 1 : 0},
		{.id = TENSOR_NAME, .type = FBW_OFFSET},
		{.id = TENSOR_SIGNATURE, .type = FBW_OFFSET},
	};

	for (unsigned i = 0; i < rank; i++)
		shape[i] = signature[i] = dims[i];
	if (batch != 0) {
		/* A free batch is 1 in the shape, which every reader must know, and -1 in the signature. */
		shape[0] = batch > 0 ? (int32_t)batch : 1;
		signature[0] = (int32_t)batch;
	}
	fbw_table(b, at, fields, batch == -1 ? 5 : 4);
	fbw_ints(b, fields[0].at, shape, rank);
	fbw_text(b, fields[3].at, name);
	if (batch == -1)
		fbw_ints(b, fields[4].at, signature, rank);
}

static void add_layer_tensors(struct buf *b, size_t first, const struct mobilenet *net, int layer)
{
	const struct mobilenet_layer *l = &net->layers[layer];
	const bool full = l->kind == MOBILENET_FULL, last = layer == MOBILENET_LAYERS - 1;
	const int32_t k = (int32_t)l->kernel, outputs = (int32_t)l->outputs, size = (int32_t)l->out_size;
	const int32_t weights[] = {full ? outputs : 1, k, k, (int32_t)l->inputs}, result[] = {0, size, size, outputs};
	char name[MOBILENET_PART_MAX];

	mobilenet_part(name, l->scope, full ? "weights" : "depthwise_weights");
	add_tensor(b, first + 4 * T_WEIGHTS((size_t)layer), T_WEIGHTS(layer), name, TYPE_FLOAT32, weights, 4, 0, true);
	mobilenet_part(name, l->scope, "biases");
	add_tensor(b, first + 4 * T_BIAS((size_t)layer), T_BIAS(layer), name, TYPE_FLOAT32, &outputs, 1, 0, true);
	mobilenet_part(name, l->scope, last ? "BiasAdd" : "Relu6");
	add_tensor(b, first + 4 * T_RESULT((size_t)layer), T_RESULT(layer), name, TYPE_FLOAT32, result, 4, net->batch,
		   false);
}

static void add_tensors(struct buf *b, size_t at, const struct mobilenet *net)
{
	const int32_t resolution = (int32_t)net->resolution,
		      channels = (int32_t)net->layers[MOBILENET_LAYERS - 1].inputs;
	const int32_t input[] = {0, resolution, resolution, 3}, pool[] = {0, 1, 1, channels};
	const int32_t rows[] = {0, MOBILENET_CLASSES}, two = 2;
	const size_t first = fbw_offsets(b, at, T_COUNT);

	add_tensor(b, first + 4 * T_INPUT, T_INPUT, MOBILENET_INPUT, TYPE_FLOAT32, input, 4, net->batch, false);
	for (int i = 0; i < MOBILENET_LAYERS; i++)
		add_layer_tensors(b, first, net, i);
	add_tensor(b, first + 4 * T_POOL, T_POOL, "MobilenetV1/Logits/AvgPool_1a/AvgPool", TYPE_FLOAT32, pool, 4,
		   net->batch, false);
	add_tensor(b, first + 4 * T_ROWS_SHAPE, T_ROWS_SHAPE, "MobilenetV1/Logits/SpatialSqueeze/shape", TYPE_INT32,
		   &two, 1, 0, true);
	add_tensor(b, first + 4 * T_ROWS, T_ROWS, "MobilenetV1/Logits/SpatialSqueeze", TYPE_FLOAT32, rows, 2,
		   net->batch, false);
	add_tensor(b, first + 4 * T_OUTPUT, T_OUTPUT, MOBILENET_OUTPUT, TYPE_FLOAT32, rows, 2, net->batch, false);
}

/* in and out are tensors. */
static void add_operator(struct buf *b, size_t at, int code, const int32_t *in, unsigned nin, int32_t out,
			 struct fbw_field *options, unsigned noptions)
{
	struct fbw_field fields[] = {
		{.id = OPERATOR_CODE, .type = FBW_INT32, .value = code},
		{.id = OPERATOR_INPUTS, .type = FBW_OFFSET},
		{.id = OPERATOR_OUTPUTS, .type = FBW_OFFSET},
		{.id = OPERATOR_OPTIONS_TYPE, .type = FBW_INT8, .value = used[code].options},
		{.id = OPERATOR_OPTIONS, .type = FBW_OFFSET},
	};

	fbw_table(b, at, fields, ARRAY_LEN(fields));
	fbw_ints(b, fields[1].at, in, nin);
	fbw_ints(b, fields[2].at, &out, 1);
	fbw_table(b, fields[4].at, options, noptions);
}

static void add_convolution(struct buf *b, size_t at, const struct mobilenet *net, int layer)
{
	const struct mobilenet_layer *l = &net->layers[layer];
	const bool full = l->kind == MOBILENET_FULL, last = layer == MOBILENET_LAYERS - 1;
	const int32_t input = layer == 0 ? T_INPUT : last ? T_POOL : T_RESULT(layer - 1);
	const int32_t in[] = {input, T_WEIGHTS(layer), T_BIAS(layer)}, stride = (int32_t)l->stride;
	const int32_t activation = last ? ACTIVATION_NONE : ACTIVATION_RELU6;
	struct fbw_field conv[] = {
		{.id = 0, .type = FBW_INT8, .value = PADDING_SAME},
		{.id = 1, .type = FBW_INT32, .value = stride},
		{.id = 2, .type = FBW_INT32, .value = stride},
		{.id = 3, .type = FBW_INT8, .value = activation},
	};
	struct fbw_field depthwise[] = {
		{.id = 0, .type = FBW_INT8, .value = PADDING_SAME},
		{.id = 1, .type = FBW_INT32, .value = stride},
		{.id = 2, .type = FBW_INT32, .value = stride},
		{.id = 3, .type = FBW_INT32, .value = 1}, /* outputs a channel */
		{.id = 4, .type = FBW_INT8, .value = activation},
	};

	if (full)
		add_operator(b, at, USED_CONV, in, 3, T_RESULT(layer), conv, ARRAY_LEN(conv));
	else
		add_operator(b, at, USED_DEPTHWISE, in, 3, T_RESULT(layer), depthwise, ARRAY_LEN(depthwise));
}

static void add_operators(struct buf *b, size_t at, const struct mobilenet *net)
{
	const int32_t size = (int32_t)net->layers[MOBILENET_LAYERS - 2].out_size;
	const int32_t pooled = T_RESULT(MOBILENET_LAYERS - 2), rows = T_ROWS;
	const int32_t reshaped[] = {T_RESULT(MOBILENET_LAYERS - 1), T_ROWS_SHAPE}, shape[] = {-1, MOBILENET_CLASSES};
	const size_t first = fbw_offsets(b, at, OPERATORS);
	size_t next = first;
	struct fbw_field pool[] = {
		{.id = 0, .type = FBW_INT8, .value = PADDING_VALID},
		{.id = 1, .type = FBW_INT32, .value = 1},
		{.id = 2, .type = FBW_INT32, .value = 1},
		{.id = 3, .type = FBW_INT32, .value = size},
		{.id = 4, .type = FBW_INT32, .value = size},
	};
	struct fbw_field reshape[] = {{.id = 0, .type = FBW_OFFSET}};
	struct fbw_field softmax[] = {{.id = 0, .type = FBW_FLOAT, .number = 1.0f}};

	for (int i = 0; i < MOBILENET_LAYERS - 1; i++, next += 4)
		add_convolution(b, next, net, i);
	add_operator(b, next, USED_POOL, &pooled, 1, T_POOL, pool, ARRAY_LEN(pool));
	add_convolution(b, next + 4, net, MOBILENET_LAYERS - 1);
	add_operator(b, next + 8, USED_RESHAPE, reshaped, 2, T_ROWS, reshape, ARRAY_LEN(reshape));
	fbw_ints(b, reshape[0].at, shape, 2);
	add_operator(b, next + 12, USED_SOFTMAX, &rows, 1, T_OUTPUT, softmax, ARRAY_LEN(softmax));
}

static void add_codes(struct buf *b, size_t at)
{
	const size_t first = fbw_offsets(b, at, USED_COUNT);

	for (size_t i = 0; i < USED_COUNT; i++) {
		/* The code twice: readers of older versions know the short field only. */
		struct fbw_field fields[] = {
			{.id = CODE_SHORT, .type = FBW_INT8, .value = used[i].code},
			{.id = CODE_VERSION, .type = FBW_INT32, .value = 1},
			{.id = CODE_BUILTIN, .type = FBW_INT32, .value = used[i].code},
		};
		fbw_table(b, first + 4 * i, fields, ARRAY_LEN(fields));
	}
}

static void add_subgraph(struct buf *b, size_t at, const struct mobilenet *net)
{
	const int32_t input = T_INPUT, output = T_OUTPUT;
	struct fbw_field fields[] = {
		{.id = GRAPH_TENSORS, .type = FBW_OFFSET}, {.id = GRAPH_INPUTS, .type = FBW_OFFSET},
		{.id = GRAPH_OUTPUTS, .type = FBW_OFFSET}, {.id = GRAPH_OPERATORS, .type = FBW_OFFSET},
		{.id = GRAPH_NAME, .type = FBW_OFFSET},
	};

	fbw_table(b, fbw_offsets(b, at, 1), fields, ARRAY_LEN(fields));
	add_tensors(b, fields[0].at, net);
	fbw_ints(b, fields[1].at, &input, 1);
	fbw_ints(b, fields[2].at, &output, 1);
	add_operators(b, fields[3].at, net);
	fbw_text(b, fields[4].at, "main");
}

/* The bytes of a tensor; none unless it is a constant. */
static void append_data(struct buf *b, const struct mobilenet *net, int number)
{
	static const unsigned char rows_shape[] = {255, 255, 255, 255, MOBILENET_CLASSES & 255, MOBILENET_CLASSES >> 8,
						   0,   0};

	if (number == T_ROWS_SHAPE)
		buf_append(b, rows_shape, sizeof(rows_shape));
	if (number < T_LAYERS || number >= T_POOL)
		return;
	const int layer = (number - T_LAYERS) / 3;
	const struct mobilenet_layer *l = &net->layers[layer];
	if (number == T_WEIGHTS(layer))
		mobilenet_append_weights(b, l, MOBILENET_OHWI);
	else if (number == T_BIAS(layer))
		mobilenet_append_floats(b, l->bias, l->outputs);
}

/* Buffer 0, then one a tensor. */
static void add_buffers(struct buf *b, size_t at, const struct mobilenet *net)
{
	const size_t first = fbw_offsets(b, at, T_COUNT + 1);

	fbw_table(b, first, NULL, 0);
	for (int number = 0; number < T_COUNT; number++) {
		struct fbw_field data = {.id = 0, .type = FBW_OFFSET};
		fbw_table(b, first + 4 * ((size_t)number + 1), &data, 1);
		const size_t begin = fbw_bytes_begin(b, data.at);
		append_data(b, net, number);
		fbw_bytes_end(b, begin);
	}
}

int mobilenet_write_tflite(unsigned char **ret, size_t *ret_len, const struct mobilenet *net, struct error *err)
{
	struct fbw_field fields[] = {
		{.id = MODEL_VERSION, .type = FBW_INT32, .value = SCHEMA_VERSION},
		{.id = MODEL_CODES, .type = FBW_OFFSET},
		{.id = MODEL_SUBGRAPHS, .type = FBW_OFFSET},
		{.id = MODEL_DESCRIPTION, .type = FBW_OFFSET},
		{.id = MODEL_BUFFERS, .type = FBW_OFFSET},
	};
	struct buf b = {0};

	fbw_table(&b, fbw_begin(&b, "TFL3"), fields, ARRAY_LEN(fields));
	add_codes(&b, fields[1].at);
	add_subgraph(&b, fields[2].at, net);
	fbw_text(&b, fields[3].at, "MobilenetV1 by aibench_generate_model");
	add_buffers(&b, fields[4].at, net);
	if (b.len > FILE_MAX) {
		buf_release(&b);
		return error_set(err, ERR_RANGE, "the model takes more than the 2 GiB of a TFLite file");
	}
	return mobilenet_finish(ret, ret_len, &b, err);
}

const struct model_format model_format_tflite = {
	.name = "tflite",
	.write_mobilenet = mobilenet_write_tflite,
};
