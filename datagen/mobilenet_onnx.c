/*
 * mobilenet_onnx.c - MobileNet V1 as an ONNX model: the same input and output as the other formats', images turned to
 * N x C x H x W inside.
 */

#include "common/protobuf_writer.h"
#include "datagen/mobilenet.h"
#include "datagen/model.h"

#define IR_VERSION 7
#define OPERATORS_VERSION 13

enum { TYPE_FLOAT = 1 };
enum { ATTRIBUTE_INT = 2, ATTRIBUTE_INTS = 7 };

/* Fields of the messages. */
enum { MODEL_IR_VERSION = 1, MODEL_PRODUCER = 2, MODEL_GRAPH = 7, MODEL_OPSET = 8 };
enum { GRAPH_NODE = 1, GRAPH_NAME = 2, GRAPH_INITIALIZER = 5, GRAPH_INPUT = 11, GRAPH_OUTPUT = 12 };
enum { NODE_INPUT = 1, NODE_OUTPUT, NODE_NAME, NODE_OP, NODE_ATTRIBUTE };
enum { ATTR_NAME = 1, ATTR_I = 3, ATTR_INTS = 8, ATTR_TYPE = 20 };
enum { TENSOR_DIMS = 1, TENSOR_TYPE = 2, TENSOR_NAME = 8, TENSOR_RAW = 9 };

static void attr_ints(struct buf *node, const char *key, const int64_t *v, unsigned n)
{
	struct buf a = {0};

	pbw_text(&a, ATTR_NAME, key);
	for (unsigned i = 0; i < n; i++)
		pbw_int(&a, ATTR_INTS, v[i]);
	pbw_int(&a, ATTR_TYPE, ATTRIBUTE_INTS);
	pbw_message(node, NODE_ATTRIBUTE, &a);
}

static void attr_int(struct buf *node, const char *key, int64_t v)
{
	struct buf a = {0};

	pbw_text(&a, ATTR_NAME, key);
	pbw_int(&a, ATTR_I, v);
	pbw_int(&a, ATTR_TYPE, ATTRIBUTE_INT);
	pbw_message(node, NODE_ATTRIBUTE, &a);
}

/* Named after its output. inputs end with NULL; attributes follow, then node_end. */
static void node_begin(struct buf *node, const char *op, const char *const *inputs, const char *output)
{
	*node = (struct buf){0};
	for (; *inputs != NULL; inputs++)
		pbw_text(node, NODE_INPUT, *inputs);
	pbw_text(node, NODE_OUTPUT, output);
	pbw_text(node, NODE_NAME, output);
	pbw_text(node, NODE_OP, op);
}

static void node_end(struct buf *graph, struct buf *node)
{
	pbw_message(graph, GRAPH_NODE, node);
}

/* The content is released. */
static void add_initializer(struct buf *graph, const char *name, const int64_t *dims, unsigned rank,
			    struct buf *content)
{
	struct buf tensor = {0};

	for (unsigned i = 0; i < rank; i++)
		pbw_int(&tensor, TENSOR_DIMS, dims[i]);
	pbw_int(&tensor, TENSOR_TYPE, TYPE_FLOAT);
	pbw_text(&tensor, TENSOR_NAME, name);
	pbw_message(&tensor, TENSOR_RAW, content);
	pbw_message(graph, GRAPH_INITIALIZER, &tensor);
}

static void add_number(struct buf *graph, const char *name, float v)
{
	struct buf content = {0};

	mobilenet_append_floats(&content, &v, 1);
	add_initializer(graph, name, NULL, 0, &content);
}

/* A tensor of floats; -1: the free batch, "N". */
static void add_value_info(struct buf *graph, unsigned field, const char *name, const int64_t *dims, unsigned rank)
{
	struct buf shape = {0}, tensor = {0}, type = {0}, info = {0};

	for (unsigned i = 0; i < rank; i++) {
		struct buf dim = {0};
		if (dims[i] >= 0)
			pbw_int(&dim, 1, dims[i]);
		else
			pbw_text(&dim, 2, "N");
		pbw_message(&shape, 1, &dim);
	}
	pbw_int(&tensor, 1, TYPE_FLOAT);
	pbw_message(&tensor, 2, &shape);
	pbw_message(&type, 1, &tensor);
	pbw_text(&info, 1, name);
	pbw_message(&info, 2, &type);
	pbw_message(graph, field, &info);
}

static void add_convolution(struct buf *graph, const struct mobilenet_layer *l, const char *input, const char *output)
{
	const bool full = l->kind == MOBILENET_FULL;
	const int64_t dims[] = {l->outputs, full ? l->inputs : 1, l->kernel, l->kernel}, outputs = l->outputs;
	char weights[MOBILENET_PART_MAX], biases[MOBILENET_PART_MAX];
	struct buf node, content = {0};
	unsigned before, after;

	mobilenet_padding(l, &before, &after);
	mobilenet_part(weights, l->scope, "weights");
	mobilenet_part(biases, l->scope, "biases");
	mobilenet_append_weights(&content, l, MOBILENET_OIHW);
	add_initializer(graph, weights, dims, 4, &content);
	mobilenet_append_floats(&content, l->bias, l->outputs);
	add_initializer(graph, biases, &outputs, 1, &content);
	node_begin(&node, "Conv", (const char *const[]){input, weights, biases, NULL}, output);
	attr_ints(&node, "kernel_shape", (const int64_t[]){l->kernel, l->kernel}, 2);
	attr_ints(&node, "strides", (const int64_t[]){l->stride, l->stride}, 2);
	attr_ints(&node, "pads", (const int64_t[]){before, before, after, after}, 4);
	attr_int(&node, "group", full ? 1 : l->inputs);
	node_end(graph, &node);
}

/* From the mean over space to the probabilities. */
static void add_classes(struct buf *graph, const struct mobilenet *net, const char *input)
{
	static const char pool[] = "MobilenetV1/Logits/AvgPool_1a/AvgPool",
			  flat[] = "MobilenetV1/Logits/SpatialSqueeze";
	const struct mobilenet_layer *l = &net->layers[MOBILENET_LAYERS - 1];
	char logits[MOBILENET_PART_MAX];
	struct buf node;

	node_begin(&node, "GlobalAveragePool", (const char *const[]){input, NULL}, pool);
	node_end(graph, &node);
	add_convolution(graph, l, pool, mobilenet_part(logits, l->scope, "BiasAdd"));
	node_begin(&node, "Flatten", (const char *const[]){logits, NULL}, flat);
	attr_int(&node, "axis", 1);
	node_end(graph, &node);
	node_begin(&node, "Softmax", (const char *const[]){flat, NULL}, MOBILENET_OUTPUT);
	attr_int(&node, "axis", -1);
	node_end(graph, &node);
}

static void add_graph(struct buf *graph, const struct mobilenet *net)
{
	static const char zero[] = "zero", six[] = "six", turned[] = "input/nchw";
	char sum[MOBILENET_PART_MAX], x[MOBILENET_PART_MAX];
	const char *input = turned;
	struct buf node;

	node_begin(&node, "Transpose", (const char *const[]){MOBILENET_INPUT, NULL}, turned);
	attr_ints(&node, "perm", (const int64_t[]){0, 3, 1, 2}, 4);
	node_end(graph, &node);
	add_number(graph, zero, 0.0f);
	add_number(graph, six, 6.0f);
	for (unsigned i = 0; i < MOBILENET_LAYERS - 1; i++, input = x) {
		const struct mobilenet_layer *l = &net->layers[i];
		add_convolution(graph, l, input, mobilenet_part(sum, l->scope, "BiasAdd"));
		node_begin(&node, "Clip", (const char *const[]){sum, zero, six, NULL},
			   mobilenet_part(x, l->scope, "Relu6"));
		node_end(graph, &node);
	}
	add_classes(graph, net, x);
	pbw_text(graph, GRAPH_NAME, "MobilenetV1");
	add_value_info(graph, GRAPH_INPUT, MOBILENET_INPUT,
		       (const int64_t[]){net->batch, net->resolution, net->resolution, 3}, 4);
	add_value_info(graph, GRAPH_OUTPUT, MOBILENET_OUTPUT, (const int64_t[]){net->batch, MOBILENET_CLASSES}, 2);
}

int mobilenet_write_onnx(unsigned char **ret, size_t *ret_len, const struct mobilenet *net, struct error *err)
{
	struct buf model = {0}, graph = {0}, opset = {0};

	add_graph(&graph, net);
	pbw_int(&model, MODEL_IR_VERSION, IR_VERSION);
	pbw_text(&model, MODEL_PRODUCER, "aibench_generate_model");
	pbw_message(&model, MODEL_GRAPH, &graph);
	pbw_text(&opset, 1, "");
	pbw_int(&opset, 2, OPERATORS_VERSION);
	pbw_message(&model, MODEL_OPSET, &opset);
	return mobilenet_finish(ret, ret_len, &model, err);
}

const struct model_format model_format_onnx = {
	.name = "onnx",
	.write_mobilenet = mobilenet_write_onnx,
};
