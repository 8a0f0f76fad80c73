/*
 * mobilenet_tensorflow.c - MobileNet V1 as a frozen TensorFlow GraphDef, under the names of TensorFlow's own model.
 */

#include "common/protobuf_writer.h"
#include "datagen/mobilenet.h"

#define DT_FLOAT 1
#define DT_INT32 3
#define PRODUCER 27 /* GraphDef version of TensorFlow 1.14 */

/* Fields of the messages. */
enum { GRAPH_NODE = 1, GRAPH_VERSIONS = 4 };
enum { NODE_NAME = 1, NODE_OP, NODE_INPUT, NODE_ATTR = 5 };
enum { ATTR_LIST = 1, ATTR_S, ATTR_I, ATTR_F, ATTR_B, ATTR_TYPE, ATTR_SHAPE, ATTR_TENSOR };
enum { LIST_I = 3 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE, TENSOR_CONTENT = 4 };

static void attr(struct buf *node, const char *key, struct buf *value)
{
	struct buf entry = {0};

	pbw_text(&entry, 1, key);
	pbw_message(&entry, 2, value);
	pbw_message(node, NODE_ATTR, &entry);
}

static void attr_type(struct buf *node, const char *key, int type)
{
	struct buf value = {0};

	pbw_int(&value, ATTR_TYPE, type);
	attr(node, key, &value);
}

static void attr_text(struct buf *node, const char *key, const char *text)
{
	struct buf value = {0};

	pbw_text(&value, ATTR_S, text);
	attr(node, key, &value);
}

static void attr_ints(struct buf *node, const char *key, const int64_t *v, unsigned n)
{
	struct buf value = {0}, list = {0};

	for (unsigned i = 0; i < n; i++)
		pbw_int(&list, LIST_I, v[i]);
	pbw_message(&value, ATTR_LIST, &list);
	attr(node, key, &value);
}

static void shape(struct buf *to, unsigned field, const int64_t *dims, unsigned rank)
{
	struct buf message = {0};

	for (unsigned i = 0; i < rank; i++) {
		struct buf dim = {0};
		pbw_int(&dim, 1, dims[i]);
		pbw_message(&message, 2, &dim);
	}
	pbw_message(to, field, &message);
}

/* A node of one or two inputs; attributes follow, then node_end. */
static void node_begin(struct buf *node, const char *name, const char *op, const char *a, const char *b)
{
	*node = (struct buf){0};
	pbw_text(node, NODE_NAME, name);
	pbw_text(node, NODE_OP, op);
	if (a != NULL)
		pbw_text(node, NODE_INPUT, a);
	if (b != NULL)
		pbw_text(node, NODE_INPUT, b);
}

static void node_end(struct buf *graph, struct buf *node)
{
	pbw_message(graph, GRAPH_NODE, node);
}

/* The content is released. */
static void add_const(struct buf *graph, const char *name, int type, const int64_t *dims, unsigned rank,
		      struct buf *content)
{
	struct buf node, value = {0}, tensor = {0};

	node_begin(&node, name, "Const", NULL, NULL);
	attr_type(&node, "dtype", type);
	pbw_int(&tensor, TENSOR_DTYPE, type);
	shape(&tensor, TENSOR_SHAPE, dims, rank);
	pbw_message(&tensor, TENSOR_CONTENT, content);
	pbw_message(&value, ATTR_TENSOR, &tensor);
	attr(&node, "value", &value);
	node_end(graph, &node);
}

static void attr_window(struct buf *node, unsigned stride, const char *padding)
{
	attr_type(node, "T", DT_FLOAT);
	attr_text(node, "data_format", "NHWC");
	attr_text(node, "padding", padding);
	attr_ints(node, "strides", (const int64_t[]){1, stride, stride, 1}, 4);
}

/* Weights, product, bias; name is that of the last. */
static void add_convolution(struct buf *graph, const struct mobilenet_layer *l, const char *input, char *name)
{
	const bool full = l->kind == MOBILENET_FULL;
	const int64_t dims[] = {l->kernel, l->kernel, l->inputs, full ? l->outputs : 1}, outputs = l->outputs;
	char weights[MOBILENET_PART_MAX], biases[MOBILENET_PART_MAX], product[MOBILENET_PART_MAX];
	struct buf node, content = {0};

	mobilenet_part(weights, l->scope, full ? "weights" : "depthwise_weights");
	mobilenet_part(biases, l->scope, "biases");
	mobilenet_part(product, l->scope, full ? "Conv2D" : "depthwise");
	mobilenet_append_weights(&content, l, MOBILENET_HWIO);
	add_const(graph, weights, DT_FLOAT, dims, 4, &content);
	mobilenet_append_floats(&content, l->bias, l->outputs);
	add_const(graph, biases, DT_FLOAT, &outputs, 1, &content);
	node_begin(&node, product, full ? "Conv2D" : "DepthwiseConv2dNative", input, weights);
	attr_window(&node, l->stride, "SAME");
	attr_ints(&node, "dilations", (const int64_t[]){1, 1, 1, 1}, 4);
	node_end(graph, &node);
	node_begin(&node, mobilenet_part(name, l->scope, "BiasAdd"), "BiasAdd", product, biases);
	attr_type(&node, "T", DT_FLOAT);
	attr_text(&node, "data_format", "NHWC");
	node_end(graph, &node);
}

static void add_input(struct buf *graph, const struct mobilenet *net)
{
	const int64_t dims[] = {net->batch, net->resolution, net->resolution, 3};
	struct buf node, value = {0};

	node_begin(&node, MOBILENET_INPUT, "Placeholder", NULL, NULL);
	attr_type(&node, "dtype", DT_FLOAT);
	shape(&value, ATTR_SHAPE, dims, 4);
	attr(&node, "shape", &value);
	node_end(graph, &node);
}

/* From the mean over space to the probabilities. */
static void add_classes(struct buf *graph, const struct mobilenet *net, const char *input)
{
	static const char pool[] = "MobilenetV1/Logits/AvgPool_1a/AvgPool";
	static const char squeeze[] = "MobilenetV1/Logits/SpatialSqueeze";
	static const char softmax[] = "MobilenetV1/Predictions/Softmax", rows[] = "MobilenetV1/Predictions/Shape";
	static const unsigned char shape_of_rows[] = {
		255, 255, 255, 255, MOBILENET_CLASSES & 255, MOBILENET_CLASSES >> 8, 0, 0};
	const int64_t size = net->layers[MOBILENET_LAYERS - 2].out_size, two = 2;
	char logits[MOBILENET_PART_MAX];
	struct buf node, content = {0};

	node_begin(&node, pool, "AvgPool", input, NULL);
	attr_window(&node, 1, "VALID");
	attr_ints(&node, "ksize", (const int64_t[]){1, size, size, 1}, 4);
	node_end(graph, &node);
	add_convolution(graph, &net->layers[MOBILENET_LAYERS - 1], pool, logits);
	node_begin(&node, squeeze, "Squeeze", logits, NULL);
	attr_type(&node, "T", DT_FLOAT);
	attr_ints(&node, "squeeze_dims", (const int64_t[]){1, 2}, 2);
	node_end(graph, &node);
	node_begin(&node, softmax, "Softmax", squeeze, NULL);
	attr_type(&node, "T", DT_FLOAT);
	node_end(graph, &node);
	buf_append(&content, shape_of_rows, sizeof(shape_of_rows));
	add_const(graph, rows, DT_INT32, &two, 1, &content);
	node_begin(&node, MOBILENET_OUTPUT, "Reshape", softmax, rows);
	attr_type(&node, "T", DT_FLOAT);
	attr_type(&node, "Tshape", DT_INT32);
	node_end(graph, &node);
}

int mobilenet_write_tensorflow(unsigned char **ret, size_t *ret_len, const struct mobilenet *net, struct error *err)
{
	char sum[MOBILENET_PART_MAX], x[MOBILENET_PART_MAX] = MOBILENET_INPUT;
	struct buf graph = {0}, versions = {0}, node;

	add_input(&graph, net);
	for (unsigned i = 0; i < MOBILENET_LAYERS - 1; i++) {
		add_convolution(&graph, &net->layers[i], x, sum);
		node_begin(&node, mobilenet_part(x, net->layers[i].scope, "Relu6"), "Relu6", sum, NULL);
		attr_type(&node, "T", DT_FLOAT);
		node_end(&graph, &node);
	}
	add_classes(&graph, net, x);
	pbw_int(&versions, 1, PRODUCER);
	pbw_message(&graph, GRAPH_VERSIONS, &versions);
	return mobilenet_finish(ret, ret_len, &graph, err);
}
