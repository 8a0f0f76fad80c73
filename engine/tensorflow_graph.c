/*
 * tensorflow_graph.c - from the nodes of a GraphDef to a graph: what the outputs need, in order of dependency.
 *
 * The walk keeps its own stack, so that depth is bounded by memory and not by the thread's stack.
 */
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "engine/tensorflow.h"

enum state { UNSEEN, OPEN, DONE };

struct tf_node {
	enum state state;
	bool fed;             /* one of its outputs at least is an input of the graph */
	uint32_t first, nout; /* values of its outputs */
};

struct feed {
	uint32_t node, output, value;
};

struct frame {
	uint32_t node;
	size_t next_input;
};

struct walk {
	struct tf_import *tf;
	struct graph *g;
	uint32_t *by_name; /* nodes sorted by name */
	struct tf_node *nodes;
	struct feed *feeds;
	size_t nfeeds;
	struct frame *stack; /* a node is on it at most once */
	size_t depth;
	uint32_t *inputs; /* scratch of the node being converted */
	size_t inputs_cap;
};

static const Tensorflow__NodeDef *node_at(const struct walk *w, uint32_t i)
{
	return w->tf->def->node[i];
}

static int compare_nodes(const void *a, const void *b, void *arg)
{
	Tensorflow__NodeDef *const *nodes = arg;

	return strcmp(nodes[*(const uint32_t *)a]->name, nodes[*(const uint32_t *)b]->name);
}

static int index_names(struct walk *w)
{
	const Tensorflow__GraphDef *def = w->tf->def;

	for (uint32_t i = 0; i < def->n_node; i++)
		w->by_name[i] = i;
	qsort_r(w->by_name, def->n_node, sizeof(*w->by_name), compare_nodes, def->node);
	for (size_t i = 1; i < def->n_node; i++) {
		const char *name = node_at(w, w->by_name[i])->name;
		if (strcmp(name, node_at(w, w->by_name[i - 1])->name) == 0)
			return import_fail(w->tf->im, MODEL_FAULT_PARSE, ERR_FORMAT, "two nodes are named '%s'", name);
	}
	return 0;
}

/* Splits "name:1" and finds the node; false if there is none. */
static bool find_node(const struct walk *w, const char *reference, uint32_t *ret_node, uint32_t *ret_output)
{
	size_t len = strlen(reference), colon = len;
	uint32_t output = 0;

	while (colon > 0 && reference[colon - 1] >= '0' && reference[colon - 1] <= '9')
		colon--;
	if (colon > 0 && colon < len && len - colon < 8 && reference[colon - 1] == ':') {
		for (size_t i = colon; i < len; i++)
			output = output * 10 + (uint32_t)(reference[i] - '0');
		len = colon - 1;
	}
	size_t low = 0, high = w->tf->def->n_node;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *name = node_at(w, w->by_name[middle])->name;
		int order = strncmp(name, reference, len);
		if (order == 0 && name[len] != '\0')
			order = 1;
		if (order == 0) {
			*ret_node = w->by_name[middle];
			*ret_output = output;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* The value behind an output of a node that is done, or that is fed. */
static bool find_value(const struct walk *w, uint32_t node, uint32_t output, uint32_t *ret)
{
	const struct tf_node *n = &w->nodes[node];

	for (size_t i = 0; n->fed && i < w->nfeeds; i++) {
		if (w->feeds[i].node == node && w->feeds[i].output == output) {
			*ret = w->feeds[i].value;
			return true;
		}
	}
	if (n->state != DONE || output >= n->nout)
		return false;
	*ret = n->first + output;
	return true;
}

static int fail_node(struct walk *w, uint32_t node, enum error_code code, const char *text)
{
	const Tensorflow__NodeDef *n = node_at(w, node);
	enum model_fault fault = code == ERR_UNSUPPORTED ? MODEL_FAULT_OP : MODEL_FAULT_OTHER;

	return import_fail(w->tf->im, fault, code, "node '%s' (%s): %s", n->name, n->op,
			   text[0] != '\0' ? text : error_message(code));
}

/* --- one node --- */

/* The node is this tensor, which the graph takes over. */
static int becomes_constant(struct walk *w, uint32_t index, struct tensor *t)
{
	int64_t v = graph_add_constant(w->g, t);
	if (v < 0)
		return (int)v;
	w->nodes[index].first = (uint32_t)v;
	w->nodes[index].nout = 1;
	return 0;
}

static int convert_constant(struct walk *w, uint32_t index, struct error *text)
{
	const Tensorflow__AttrValue *value = tf_attr(node_at(w, index), "value");
	struct tensor *t;

	if (value == NULL || value->value_case != TENSORFLOW__ATTR_VALUE__VALUE_TENSOR)
		return error_set(text, ERR_FORMAT, "attribute 'value' is missing");
	int r = tf_tensor(w->g, value->tensor, &t, text);
	return r < 0 ? r : becomes_constant(w, index, t);
}

static bool is_variable(const Tensorflow__NodeDef *n)
{
	return strcmp(n->op, "VariableV2") == 0 || strcmp(n->op, "Variable") == 0 || strcmp(n->op, "VarHandleOp") == 0;
}

/* Saved under the node's name, or under the shared name of a resource. */
static int convert_variable(struct walk *w, uint32_t index, struct error *text)
{
	const struct tf_variables *variables = w->tf->variables;
	const Tensorflow__NodeDef *n = node_at(w, index);
	const Tensorflow__AttrValue *shared = tf_attr(n, "shared_name");
	char name[512];
	struct tensor *t;

	if (variables == NULL)
		return error_set(text, ERR_UNSUPPORTED, "variables have no value here: freeze the graph first");
	int r = variables->variable(variables->arg, n->name, w->g, &t, text);
	if (r == ERR_NOT_FOUND && shared != NULL && shared->value_case == TENSORFLOW__ATTR_VALUE__VALUE_S &&
	    shared->s.len > 0 && shared->s.len < sizeof(name)) {
		memcpy(name, shared->s.data, shared->s.len);
		name[shared->s.len] = '\0';
		r = variables->variable(variables->arg, name, w->g, &t, text);
	}
	return r < 0 ? r : becomes_constant(w, index, t);
}

/* Data inputs of a node as values; room for one more. */
static int gather_inputs(struct walk *w, const Tensorflow__NodeDef *n, uint32_t *ret_n, struct error *text)
{
	if (n->n_input + 1 > w->inputs_cap) {
		uint32_t *inputs = realloc(w->inputs, (n->n_input + 1) * 2 * sizeof(*inputs));
		if (inputs == NULL)
			return ERR_NOMEM;
		w->inputs = inputs;
		w->inputs_cap = (n->n_input + 1) * 2;
	}
	*ret_n = 0;
	for (size_t i = 0; i < n->n_input; i++) {
		uint32_t node, output;
		if (n->input[i][0] == '^')
			continue;
		if (!find_node(w, n->input[i], &node, &output) || !find_value(w, node, output, &w->inputs[(*ret_n)++]))
			return error_set(text, ERR_FORMAT, "input '%s' does not exist", n->input[i]);
	}
	return 0;
}

static int convert_operator(struct walk *w, uint32_t index, struct error *text)
{
	const Tensorflow__NodeDef *n = node_at(w, index);
	struct attributes attr = {0};
	uint32_t nin = 0, nout = 1;
	struct node *made;
	enum op op;

	int r = gather_inputs(w, n, &nin, text);
	if (r == 0)
		r = tf_operator(w->g, n, &op, &attr, w->inputs, &nin, &nout, text);
	if (r == 0)
		r = graph_add_node(w->g, op, n->name, &attr, w->inputs, nin, nout, &made, text);
	if (r != 0)
		return r;
	w->nodes[index].first = made->out[0];
	w->nodes[index].nout = nout;
	return 0;
}

static int convert(struct walk *w, uint32_t index)
{
	const Tensorflow__NodeDef *n = node_at(w, index);
	struct error text = {{0}};
	int r;

	if (strcmp(n->op, "Const") == 0)
		r = convert_constant(w, index, &text);
	else if (strcmp(n->op, "NoOp") == 0)
		r = 0;
	else if (is_variable(n))
		r = convert_variable(w, index, &text);
	else if (strcmp(n->op, "Placeholder") == 0)
		r = error_set(&text, ERR_INVALID, "the outputs need this placeholder: name it among the inputs");
	else
		r = convert_operator(w, index, &text);
	return r < 0 ? fail_node(w, index, (enum error_code)r, text.text) : 0;
}

/* --- the walk --- */

static void push(struct walk *w, uint32_t node)
{
	w->nodes[node].state = OPEN;
	w->stack[w->depth++] = (struct frame){node, 0};
}

/* One step of the frame on top: into the next input, or the node itself once all are there. */
static int advance(struct walk *w)
{
	struct frame *f = &w->stack[w->depth - 1];
	const Tensorflow__NodeDef *n = node_at(w, f->node);
	struct error text;
	uint32_t node, output, value;

	while (f->next_input < n->n_input) {
		const char *input = n->input[f->next_input++];
		if (input[0] == '^')
			continue;
		if (!find_node(w, input, &node, &output)) {
			error_set(&text, ERR_FORMAT, "input '%s' does not exist", input);
			return fail_node(w, f->node, ERR_FORMAT, text.text);
		}
		if (find_value(w, node, output, &value) || w->nodes[node].state == DONE)
			continue;
		if (w->nodes[node].state == OPEN)
			return fail_node(w, f->node, ERR_UNSUPPORTED, "the graph has a cycle here");
		push(w, node);
		return 0;
	}
	w->depth--;
	int r = convert(w, f->node);
	w->nodes[f->node].state = DONE;
	return r;
}

static int reach(struct walk *w, uint32_t node)
{
	if (w->nodes[node].state == DONE)
		return 0;
	push(w, node);
	while (w->depth > 0) {
		int r = advance(w);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- inputs and outputs --- */

static int describe(struct model_tensor_info *info, const char *name, enum dtype type,
		    const Tensorflow__TensorShapeProto *shape)
{
	info->dtype = type;
	tf_shape(shape, &info->rank, info->dims);
	info->name = strdup(name);
	return info->name != NULL ? 0 : ERR_NOMEM;
}

/* The type that output `index` of a node is declared with: only what can be fed without computing it. */
static bool declared_type(const Tensorflow__NodeDef *n, enum dtype *ret)
{
	static const char *const keys[] = {"dtype", "T", "DstT", "out_type"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const Tensorflow__AttrValue *a = tf_attr(n, keys[i]);
		if (a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_TYPE)
			return tf_dtype(a->type, ret);
	}
	return false;
}

static int add_input(struct walk *w, size_t i, const struct tf_endpoint *e)
{
	struct import *im = w->tf->im;
	const Tensorflow__TensorShapeProto *shape = NULL;
	uint32_t node, output;
	enum dtype type;

	im->fault_index = i;
	if (!find_node(w, e->tensor, &node, &output) ||
	    (!w->tf->feed_anything && (output != 0 || strcmp(node_at(w, node)->op, "Placeholder") != 0)))
		return import_fail(im, MODEL_FAULT_INPUT_MISSING, ERR_NOT_FOUND,
				   "input '%s' is no placeholder of the graph", e->tensor);
	const Tensorflow__NodeDef *n = node_at(w, node);
	const Tensorflow__AttrValue *a = tf_attr(n, "shape");
	if (a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_SHAPE)
		shape = a->shape;
	if (!declared_type(n, &type) || type == DTYPE_STRING)
		return fail_node(w, node, ERR_UNSUPPORTED, "an input of this type is not supported");
	int64_t v = graph_add_value(w->g, type);
	if (v < 0)
		return (int)v;
	w->nodes[node].fed = true;
	w->feeds[w->nfeeds++] = (struct feed){node, output, (uint32_t)v};
	return describe(&im->inputs[i], e->name, type, shape);
}

static int add_output(struct walk *w, size_t i, const struct tf_endpoint *e, uint32_t *ret_value)
{
	struct import *im = w->tf->im;
	const Tensorflow__TensorShapeProto *shape = NULL;
	uint32_t node, output;

	im->fault_index = i;
	if (!find_node(w, e->tensor, &node, &output))
		return import_fail(im, MODEL_FAULT_OUTPUT_MISSING, ERR_NOT_FOUND, "output '%s' is no node of the graph",
				   e->tensor);
	if (!find_value(w, node, output, ret_value)) {
		int r = reach(w, node);
		if (r < 0)
			return r;
	}
	if (!find_value(w, node, output, ret_value))
		return import_fail(im, MODEL_FAULT_OUTPUT_MISSING, ERR_NOT_FOUND,
				   "output '%s': the node has no such output", e->tensor);
	const Tensorflow__AttrValue *a = tf_attr(node_at(w, node), "_output_shapes");
	if (a != NULL && a->value_case == TENSORFLOW__ATTR_VALUE__VALUE_LIST && output < a->list->n_shape)
		shape = a->list->shape[output];
	return describe(&im->outputs[i], e->name, w->g->values[*ret_value].dtype, shape);
}

static int allocate(struct walk *w, size_t ninputs)
{
	size_t n = w->tf->def->n_node + 1;

	w->by_name = calloc(n, sizeof(*w->by_name));
	w->nodes = calloc(n, sizeof(*w->nodes));
	w->stack = calloc(n, sizeof(*w->stack));
	w->feeds = calloc(ninputs + 1, sizeof(*w->feeds));
	if (w->by_name == NULL || w->nodes == NULL || w->stack == NULL || w->feeds == NULL)
		return ERR_NOMEM;
	return 0;
}

int tf_import_graph(struct tf_import *tf, const struct tf_endpoint *inputs, size_t ninputs,
		    const struct tf_endpoint *outputs, size_t noutputs)
{
	struct walk w = {.tf = tf, .g = tf->im->graph};
	uint32_t *values = calloc(ninputs + noutputs + 1, sizeof(*values));
	int r = ERR_NOMEM;

	if (values == NULL)
		goto out;
	r = ERR_RANGE;
	if (tf->def->n_node >= UINT32_MAX)
		goto out;
	r = allocate(&w, ninputs);
	if (r == 0)
		r = import_alloc_io(tf->im, ninputs, noutputs);
	if (r == 0)
		r = index_names(&w);
	for (size_t i = 0; i < ninputs && r == 0; i++) {
		r = add_input(&w, i, &inputs[i]);
		values[i] = r == 0 ? w.feeds[i].value : 0;
	}
	for (size_t i = 0; i < noutputs && r == 0; i++)
		r = add_output(&w, i, &outputs[i], &values[ninputs + i]);
	if (r == 0)
		r = graph_set_io(w.g, values, (uint32_t)ninputs, values + ninputs, (uint32_t)noutputs);
out:
	free(values);
	free(w.by_name);
	free(w.nodes);
	free(w.stack);
	free(w.feeds);
	free(w.inputs);
	return r;
}
