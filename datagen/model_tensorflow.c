/*
 * model_tensorflow.c - the fraud nets as frozen TensorFlow GraphDefs, node by node as AIBench's.
 *
 * Placeholder transaction [-1,30]; per layer Const and Identity of weights and bias, MatMul, Add and Sigmoid; Softmax at
 * the end, called "out" without and "output" with reference data. With it there are also the Placeholder reference
 * [256] and a Reshape to [-1,256], so that [256], [1,256] and batches of rows are all taken, and a ConcatV2 of
 * transaction and reference.
 */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "datagen/model.h"
#include "proto/tensorflow.pb-c.h"

#define DT_FLOAT 1
#define DT_INT32 3
#define NODES_MAX 40
#define ATTRS_MAX 3
#define INPUTS_MAX 3
#define DIMS_MAX 2
#define NAME_MAX_BYTES 32
#define CONTENT_MAX (FRAUD_NET_VALUES_MAX * 4 + 64)
#define PRODUCER 27 /* GraphDef version of TensorFlow 1.14, which AIBench's nets are from */

/* One attribute with all that it points to. */
struct attr {
	Tensorflow__NodeDef__AttrEntry entry;
	Tensorflow__AttrValue value;
	Tensorflow__TensorProto tensor;
	Tensorflow__TensorShapeProto shape;
	Tensorflow__TensorShapeProto__Dim dims[DIMS_MAX], *dim_list[DIMS_MAX];
};

struct node {
	Tensorflow__NodeDef def;
	struct attr attrs[ATTRS_MAX];
	Tensorflow__NodeDef__AttrEntry *attr_list[ATTRS_MAX];
	char *inputs[INPUTS_MAX];
	char name[NAME_MAX_BYTES];
};

/* A graph under construction; nothing in it is allocated on its own. */
struct graph {
	Tensorflow__GraphDef def;
	Tensorflow__VersionDef versions;
	struct node nodes[NODES_MAX];
	Tensorflow__NodeDef *node_list[NODES_MAX];
	unsigned char content[CONTENT_MAX]; /* of the Const tensors, little endian */
	size_t content_len;
};

/* The literal is only read: protobuf-c's structs have no const. */
static char *text(const char *literal)
{
	return (char *)literal;
}

static struct node *add_node(struct graph *g, const char *op, const char *name)
{
	struct node *n = &g->nodes[g->def.n_node];

	snprintf(n->name, sizeof(n->name), "%s", name);
	tensorflow__node_def__init(&n->def);
	n->def.op = text(op);
	n->def.name = n->name;
	n->def.input = n->inputs;
	n->def.attr = n->attr_list;
	g->node_list[g->def.n_node++] = &n->def;
	return n;
}

static void add_input(struct node *n, const struct node *from)
{
	n->inputs[n->def.n_input++] = text(from->name);
}

static struct attr *add_attr(struct node *n, const char *key, Tensorflow__AttrValue__ValueCase kind)
{
	struct attr *a = &n->attrs[n->def.n_attr];

	tensorflow__node_def__attr_entry__init(&a->entry);
	tensorflow__attr_value__init(&a->value);
	a->value.value_case = kind;
	a->entry.key = text(key);
	a->entry.value = &a->value;
	n->attr_list[n->def.n_attr++] = &a->entry;
	return a;
}

static void add_type(struct node *n, const char *key, int32_t type)
{
	add_attr(n, key, TENSORFLOW__ATTR_VALUE__VALUE_TYPE)->value.type = type;
}

static void set_shape(struct attr *a, unsigned ndims, const int64_t *dims)
{
	tensorflow__tensor_shape_proto__init(&a->shape);
	for (unsigned i = 0; i < ndims; i++) {
		tensorflow__tensor_shape_proto__dim__init(&a->dims[i]);
		a->dims[i].size = dims[i];
		a->dim_list[i] = &a->dims[i];
	}
	a->shape.n_dim = ndims;
	a->shape.dim = a->dim_list;
}

static struct node *add_placeholder(struct graph *g, const char *name, unsigned ndims, const int64_t *dims)
{
	struct node *n = add_node(g, "Placeholder", name);
	struct attr *a;

	add_type(n, "dtype", DT_FLOAT);
	a = add_attr(n, "shape", TENSORFLOW__ATTR_VALUE__VALUE_SHAPE);
	set_shape(a, ndims, dims);
	a->value.shape = &a->shape;
	return n;
}

/* A Const of 4-byte elements, whose bits are taken over from `elements`. */
static struct node *add_const(struct graph *g, const char *name, int32_t type, unsigned ndims, const int64_t *dims,
			      const void *elements)
{
	struct node *n = add_node(g, "Const", name);
	unsigned char *content = g->content + g->content_len;
	struct attr *a;
	size_t count = 1;

	for (unsigned i = 0; i < ndims; i++)
		count *= (size_t)dims[i];
	for (size_t i = 0; i < count; i++) {
		uint32_t bits;

		memcpy(&bits, (const unsigned char *)elements + 4 * i, sizeof(bits));
		bits = htole32(bits);
		memcpy(content + 4 * i, &bits, sizeof(bits));
	}
	g->content_len += 4 * count;
	add_type(n, "dtype", type);
	a = add_attr(n, "value", TENSORFLOW__ATTR_VALUE__VALUE_TENSOR);
	set_shape(a, ndims, dims);
	tensorflow__tensor_proto__init(&a->tensor);
	a->tensor.dtype = type;
	a->tensor.tensor_shape = &a->shape;
	a->tensor.tensor_content.data = content;
	a->tensor.tensor_content.len = 4 * count;
	a->value.tensor = &a->tensor;
	return n;
}

/* What freezing leaves of a variable: Const "Variable_N" and Identity "Variable_N/read", the first without "_0". */
static struct node *add_variable(struct graph *g, unsigned number, unsigned ndims, const int64_t *dims,
				 const float *elements)
{
	char name[NAME_MAX_BYTES - 5] = "Variable", read_name[NAME_MAX_BYTES];
	struct node *n;

	if (number > 0)
		snprintf(name, sizeof(name), "Variable_%u", number);
	snprintf(read_name, sizeof(read_name), "%s/read", name);
	struct node *value = add_const(g, name, DT_FLOAT, ndims, dims, elements);

	n = add_node(g, "Identity", read_name);
	add_input(n, value);
	add_type(n, "T", DT_FLOAT);
	return n;
}

/* "Add" with number 2 is called "Add_2", as TensorFlow makes names unique. */
static struct node *add_op(struct graph *g, const char *op, const char *stem, unsigned number, const struct node *a,
			   const struct node *b)
{
	char name[NAME_MAX_BYTES];
	struct node *n;

	snprintf(name, sizeof(name), "%s", stem);
	if (number > 0)
		snprintf(name, sizeof(name), "%s_%u", stem, number);
	n = add_node(g, op, name);
	add_input(n, a);
	if (b)
		add_input(n, b);
	add_type(n, "T", DT_FLOAT);
	return n;
}

static struct node *add_layer(struct graph *g, const struct fraud_layer *layer, unsigned number, const struct node *x)
{
	struct node *weights =
		add_variable(g, 2 * number, 2, (int64_t[]){layer->inputs, layer->outputs}, layer->weights);
	struct node *bias = add_variable(g, 2 * number + 1, 1, (int64_t[]){layer->outputs}, layer->bias);
	struct node *product = add_op(g, "MatMul", "MatMul", number, x, weights);

	add_attr(product, "transpose_a", TENSORFLOW__ATTR_VALUE__VALUE_B);
	add_attr(product, "transpose_b", TENSORFLOW__ATTR_VALUE__VALUE_B);
	return add_op(g, "Add", "add", number, product, bias);
}

/* [transaction, reference] side by side. */
static struct node *add_concat(struct graph *g, const struct node *transaction)
{
	static const int32_t row_shape[] = {-1, FRAUD_REFERENCES}, axis = 1;
	struct node *reference = add_placeholder(g, "reference", 1, (int64_t[]){FRAUD_REFERENCES});
	struct node *shape = add_const(g, "Reshape/shape", DT_INT32, 1, (int64_t[]){2}, row_shape);
	struct node *rows = add_op(g, "Reshape", "Reshape", 0, reference, shape);
	struct node *concat_axis = add_const(g, "concat/axis", DT_INT32, 0, NULL, &axis);
	struct node *concat = add_op(g, "ConcatV2", "concat", 0, transaction, rows);

	add_type(rows, "Tshape", DT_INT32);
	add_input(concat, concat_axis);
	add_attr(concat, "N", TENSORFLOW__ATTR_VALUE__VALUE_I)->value.i = 2;
	add_type(concat, "Tidx", DT_INT32);
	return concat;
}

static void build_graph(struct graph *g, const struct fraud_net *net)
{
	struct node *x;

	tensorflow__graph_def__init(&g->def);
	tensorflow__version_def__init(&g->versions);
	g->def.node = g->node_list;
	g->def.versions = &g->versions;
	g->versions.producer = PRODUCER;
	x = add_placeholder(g, "transaction", 2, (int64_t[]){-1, FRAUD_FEATURES});
	if (net->reference)
		x = add_concat(g, x);
	for (unsigned l = 0; l < FRAUD_NET_LAYERS; l++) {
		x = add_layer(g, &net->layers[l], l, x);
		if (l + 1 < FRAUD_NET_LAYERS)
			x = add_op(g, "Sigmoid", "Sigmoid", l, x, NULL);
	}
	add_op(g, "Softmax", net->reference ? "output" : "out", 0, x, NULL);
}

static int write_fraud(unsigned char **ret, size_t *ret_len, const struct fraud_net *net, struct error *err)
{
	struct graph *g = calloc(1, sizeof(*g));
	unsigned char *bytes = NULL;
	size_t len;
	int rc = 0;

	if (!g)
		return error_set(err, ERR_NOMEM, "out of memory for the model");
	build_graph(g, net);
	len = tensorflow__graph_def__get_packed_size(&g->def);
	bytes = malloc(len);
	if (!bytes) {
		rc = error_set(err, ERR_NOMEM, "out of memory for the model");
		goto out;
	}
	tensorflow__graph_def__pack(&g->def, bytes);
	*ret = bytes;
	*ret_len = len;
out:
	free(g);
	return rc;
}

const struct model_format model_format_tensorflow = {
	.name = "tensorflow",
	.write_fraud = write_fraud,
	.write_mobilenet = mobilenet_write_tensorflow,
};
