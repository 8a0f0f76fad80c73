/*
 * onnx_graph.c - from the nodes of an ONNX graph to ours: what the outputs need, in order of dependency.
 *
 * Values are known by name: a graph input, an initializer or the output of a node. The walk keeps its own stack, so
 * that depth is bounded by memory and not by the thread's stack.
 */
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "engine/onnx.h"

/* In this order of one name: an initializer is the default of the input of its name, which then is none. */
enum kind { INITIALIZER, INPUT, NODE };
enum state { UNSEEN, OPEN, DONE };

struct name {
	const char *text;
	enum kind kind;
	uint32_t index; /* of the initializer, input or node */
	uint32_t value; /* VALUE_NONE until it is made */
};

struct frame {
	uint32_t node;
	size_t next_input;
};

struct walk {
	struct import *im;
	const Onnx__ModelProto *model;
	const Onnx__GraphProto *graph;
	struct name *names; /* sorted */
	size_t nnames;
	enum state *states;  /* of the nodes */
	struct frame *stack; /* a node is on it at most once */
	size_t depth;
	uint32_t *links; /* inputs and outputs of the node being converted */
	size_t links_cap;
};

/* --- names --- */

static int compare_names(const void *left, const void *right)
{
	const struct name *a = left, *b = right;
	int order = strcmp(a->text, b->text);

	return order != 0 ? order : (int)a->kind - (int)b->kind;
}

static struct name *find(const struct walk *w, const char *text)
{
	size_t low = 0, high = w->nnames;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(w->names[middle].text, text);
		if (order == 0)
			return &w->names[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void add_name(struct walk *w, const char *text, enum kind kind, size_t index)
{
	if (onnx_text(text)[0] != '\0')
		w->names[w->nnames++] = (struct name){text, kind, (uint32_t)index, VALUE_NONE};
}

static int allocate(struct walk *w)
{
	const Onnx__GraphProto *g = w->graph;
	size_t n = g->n_initializer + g->n_input;

	for (size_t i = 0; i < g->n_node; i++)
		n += g->node[i]->n_output;
	if (n >= UINT32_MAX || g->n_node >= UINT32_MAX)
		return ERR_RANGE;
	w->names = calloc(n + 1, sizeof(*w->names));
	w->states = calloc(g->n_node + 1, sizeof(*w->states));
	w->stack = calloc(g->n_node + 1, sizeof(*w->stack));
	return w->names != NULL && w->states != NULL && w->stack != NULL ? 0 : ERR_NOMEM;
}

static int index_names(struct walk *w)
{
	const Onnx__GraphProto *g = w->graph;
	size_t kept = 0;

	for (size_t i = 0; i < g->n_initializer; i++)
		add_name(w, g->initializer[i]->name, INITIALIZER, i);
	for (size_t i = 0; i < g->n_input; i++)
		add_name(w, g->input[i]->name, INPUT, i);
	for (size_t i = 0; i < g->n_node; i++) {
		for (size_t k = 0; k < g->node[i]->n_output; k++)
			add_name(w, g->node[i]->output[k], NODE, i);
	}
	qsort(w->names, w->nnames, sizeof(*w->names), compare_names);
	for (size_t i = 0; i < w->nnames; i++) {
		const struct name *last = kept > 0 ? &w->names[kept - 1] : NULL;
		bool same = last != NULL && strcmp(last->text, w->names[i].text) == 0;
		if (same && (last->kind != INITIALIZER || w->names[i].kind != INPUT))
			return import_fail(w->im, MODEL_FAULT_PARSE, ERR_FORMAT, "two values are named '%s'",
					   last->text);
		if (!same)
			w->names[kept++] = w->names[i];
	}
	w->nnames = kept;
	return 0;
}

/* --- one node --- */

/* What messages call a node: names are optional. */
static const char *node_name(const Onnx__NodeProto *n)
{
	if (onnx_text(n->name)[0] != '\0')
		return n->name;
	for (size_t i = 0; i < n->n_output; i++) {
		if (n->output[i][0] != '\0')
			return n->output[i];
	}
	return "";
}

static int fail_node(struct walk *w, uint32_t node, enum error_code code, const char *text)
{
	const Onnx__NodeProto *n = w->graph->node[node];
	enum model_fault fault = code == ERR_UNSUPPORTED ? MODEL_FAULT_OP : MODEL_FAULT_OTHER;

	return import_fail(w->im, fault, code, "node '%s' (%s): %s", node_name(n), onnx_text(n->op_type),
			   text[0] != '\0' ? text : error_message(code));
}

/* The version that a model without an entry for the operators of ONNX itself is of. */
#define FIRST_VERSION 1

static bool same_domain(const char *a, const char *b)
{
	a = strcmp(a, "ai.onnx") == 0 ? "" : a;
	b = strcmp(b, "ai.onnx") == 0 ? "" : b;
	return strcmp(a, b) == 0;
}

static int64_t version_of(const struct walk *w, const char *domain)
{
	for (size_t i = 0; i < w->model->n_opset_import; i++) {
		const Onnx__OperatorSetIdProto *set = w->model->opset_import[i];
		if (set->has_version && same_domain(onnx_text(set->domain), domain))
			return set->version;
	}
	return FIRST_VERSION;
}

/* Fills in w->links; inputs that are left out are VALUE_NONE, all outputs are for now. */
static int gather_links(struct walk *w, const Onnx__NodeProto *n, struct error *text)
{
	size_t count;

	if (!size_add(&count, n->n_input, n->n_output) || count >= UINT32_MAX)
		return ERR_RANGE;
	if (count + 1 > w->links_cap) {
		uint32_t *links = realloc(w->links, (count + 1) * 2 * sizeof(*links));
		if (links == NULL)
			return ERR_NOMEM;
		w->links = links;
		w->links_cap = (count + 1) * 2;
	}
	for (size_t i = 0; i < count; i++)
		w->links[i] = VALUE_NONE;
	for (size_t i = 0; i < n->n_input; i++) {
		if (n->input[i][0] == '\0')
			continue;
		const struct name *name = find(w, n->input[i]);
		if (name == NULL)
			return error_set(text, ERR_FORMAT, "input '%s' does not exist", n->input[i]);
		if (name->value == VALUE_NONE)
			return error_set(text, ERR_UNSUPPORTED, "its input '%s' is an output that is not supported",
					 n->input[i]);
		w->links[i] = name->value;
	}
	return 0;
}

static int convert(struct walk *w, uint32_t index)
{
	const Onnx__NodeProto *n = w->graph->node[index];
	struct error text = {{0}};
	int r = gather_links(w, n, &text);

	if (r == 0) {
		struct onnx_conversion c = {
			.graph = w->im->graph,
			.node = n,
			.name = node_name(n),
			.version = version_of(w, onnx_text(n->domain)),
			.in = w->links,
			.nin = (uint32_t)n->n_input,
			.out = w->links + n->n_input,
			.nout = (uint32_t)n->n_output,
			.err = &text,
		};
		r = onnx_convert(&c);
	}
	if (r < 0)
		return fail_node(w, index, (enum error_code)r, text.text);
	for (size_t i = 0; i < n->n_output; i++) {
		struct name *name = find(w, n->output[i]);
		if (name != NULL)
			name->value = w->links[n->n_input + i];
	}
	return 0;
}

/* --- the walk --- */

static int make_initializer(struct walk *w, struct name *name)
{
	struct graph *g = w->im->graph;
	struct error text = {{0}};
	struct tensor *t;

	int r = onnx_tensor(g, w->graph->initializer[name->index], &t, &text);
	if (r < 0)
		return import_fail(w->im, r == ERR_UNSUPPORTED ? MODEL_FAULT_OP : MODEL_FAULT_OTHER, (enum error_code)r,
				   "initializer '%s': %s", name->text,
				   text.text[0] != '\0' ? text.text : error_message(r));
	int64_t v = graph_add_constant(g, t);
	if (v < 0)
		return (int)v;
	name->value = (uint32_t)v;
	return 0;
}

static void push(struct walk *w, uint32_t node)
{
	w->states[node] = OPEN;
	w->stack[w->depth++] = (struct frame){node, 0};
}

/* Makes a value, or puts the node that does on the stack. */
static int want(struct walk *w, struct name *name)
{
	if (name->value != VALUE_NONE || (name->kind == NODE && w->states[name->index] == DONE))
		return 0;
	if (name->kind == INITIALIZER)
		return make_initializer(w, name);
	if (name->kind == INPUT)
		return import_fail(w->im, MODEL_FAULT_OTHER, ERR_INVALID,
				   "the outputs need input '%s': name it among the inputs", name->text);
	if (w->states[name->index] == OPEN)
		return fail_node(w, name->index, ERR_FORMAT, "the graph has a cycle here");
	push(w, name->index);
	return 0;
}

/* One step of the frame on top: into the next input, or the node itself once all are there. */
static int advance(struct walk *w)
{
	struct frame *f = &w->stack[w->depth - 1];
	const Onnx__NodeProto *n = w->graph->node[f->node];
	const size_t depth = w->depth;

	while (f->next_input < n->n_input) {
		const char *input = n->input[f->next_input++];
		struct name *name = find(w, input);
		int r = name != NULL ? want(w, name) : 0;
		if (r < 0 || w->depth > depth)
			return r;
	}
	w->depth--;
	int r = convert(w, f->node);
	w->states[f->node] = DONE;
	return r;
}

static int reach(struct walk *w, struct name *name)
{
	int r = want(w, name);

	while (r == 0 && w->depth > 0)
		r = advance(w);
	return r;
}

/* --- inputs and outputs --- */

static void read_shape(const Onnx__TensorShapeProto *shape, struct model_tensor_info *info)
{
	info->rank = -1;
	if (shape == NULL || shape->n_dim > TENSOR_MAX_RANK)
		return;
	info->rank = (int)shape->n_dim;
	for (size_t i = 0; i < shape->n_dim; i++) {
		const Onnx__TensorShapeProto__Dimension *d = shape->dim[i];
		/* Some exporters write 0 where the size is free. */
		info->dims[i] = d->has_dim_value && d->dim_value > 0 ? d->dim_value : -1;
	}
}

static int describe(struct model_tensor_info *info, const char *name, enum dtype type,
		    const Onnx__ValueInfoProto *declared)
{
	const Onnx__TypeProto__Tensor *tensor =
		declared != NULL && declared->type != NULL ? declared->type->tensor_type : NULL;

	info->dtype = type;
	read_shape(tensor != NULL ? tensor->shape : NULL, info);
	info->name = strdup(name);
	return info->name != NULL ? 0 : ERR_NOMEM;
}

static int add_input(struct walk *w, size_t i, struct name *name, uint32_t *ret_value)
{
	const Onnx__ValueInfoProto *declared = w->graph->input[name->index];
	const Onnx__TypeProto *type = declared->type;
	enum dtype dtype;

	if (type == NULL || type->tensor_type == NULL)
		return import_fail(w->im, MODEL_FAULT_OP, ERR_UNSUPPORTED, "input '%s' is no tensor: not supported",
				   name->text);
	if (!onnx_dtype(type->tensor_type->elem_type, &dtype))
		return import_fail(w->im, MODEL_FAULT_OP, ERR_UNSUPPORTED, "input '%s' of type %s is not supported",
				   name->text, onnx_dtype_name(type->tensor_type->elem_type));
	int64_t v = graph_add_value(w->im->graph, dtype);
	if (v < 0)
		return (int)v;
	name->value = *ret_value = (uint32_t)v;
	return describe(&w->im->inputs[i], name->text, dtype, declared);
}

static int add_named_input(struct walk *w, size_t i, uint32_t *ret_value)
{
	const char *text = w->im->io.inputs[i];
	struct name *name = find(w, text);

	w->im->fault_index = i;
	if (name == NULL || name->kind != INPUT)
		return import_fail(w->im, MODEL_FAULT_INPUT_MISSING, ERR_NOT_FOUND, "'%s' is no input of the graph",
				   text);
	if (name->value != VALUE_NONE)
		return import_fail(w->im, MODEL_FAULT_OTHER, ERR_INVALID, "input '%s' is named twice", text);
	return add_input(w, i, name, ret_value);
}

/* The model's own inputs are those that no initializer gives a value. */
static int add_own_inputs(struct walk *w, uint32_t *values)
{
	size_t n = 0;

	for (size_t i = 0; i < w->graph->n_input; i++) {
		struct name *name = find(w, onnx_text(w->graph->input[i]->name));
		if (name == NULL || name->kind != INPUT || name->index != i)
			continue;
		int r = add_input(w, n, name, &values[n]);
		if (r < 0)
			return r;
		n++;
	}
	w->im->ninputs = n;
	return 0;
}

static const Onnx__ValueInfoProto *find_output(const struct walk *w, const char *text)
{
	for (size_t i = 0; i < w->graph->n_output; i++) {
		if (strcmp(onnx_text(w->graph->output[i]->name), text) == 0)
			return w->graph->output[i];
	}
	return NULL;
}

static int add_output(struct walk *w, size_t i, const char *text, uint32_t *ret_value)
{
	const Onnx__ValueInfoProto *declared = find_output(w, text);
	const Onnx__TypeProto *type = declared != NULL ? declared->type : NULL;
	struct name *name = find(w, text);

	w->im->fault_index = i;
	if (name == NULL)
		return import_fail(w->im, MODEL_FAULT_OUTPUT_MISSING, ERR_NOT_FOUND,
				   "output '%s' is no value of the graph", text);
	if (type != NULL && (type->sequence_type != NULL || type->map_type != NULL))
		return import_fail(w->im, MODEL_FAULT_OP, ERR_UNSUPPORTED,
				   "output '%s' is a %s, not a tensor: export the model without ZipMap", text,
				   type->sequence_type != NULL ? "sequence" : "map");
	int r = reach(w, name);
	if (r < 0)
		return r;
	if (name->value == VALUE_NONE)
		return fail_node(w, name->index, ERR_UNSUPPORTED, "this output of the operator is not supported");
	*ret_value = name->value;
	return describe(&w->im->outputs[i], text, w->im->graph->values[name->value].dtype, declared);
}

int onnx_import_graph(struct import *im, const Onnx__ModelProto *model)
{
	struct walk w = {.im = im, .model = model, .graph = model->graph};
	const size_t ninputs = im->io.ninputs > 0 ? im->io.ninputs : w.graph->n_input;
	const size_t noutputs = im->io.noutputs > 0 ? im->io.noutputs : w.graph->n_output;
	uint32_t *values = calloc(ninputs + noutputs + 1, sizeof(*values));
	int r = values != NULL ? allocate(&w) : ERR_NOMEM;

	if (r == 0 && noutputs == 0)
		r = import_fail(im, MODEL_FAULT_EMPTY, ERR_FORMAT, "the graph has no outputs");
	if (r == 0)
		r = import_alloc_io(im, ninputs, noutputs);
	if (r == 0)
		r = index_names(&w);
	if (r == 0 && im->io.ninputs == 0)
		r = add_own_inputs(&w, values);
	for (size_t i = 0; i < im->io.ninputs && r == 0; i++)
		r = add_named_input(&w, i, &values[i]);
	for (size_t i = 0; i < noutputs && r == 0; i++)
		r = add_output(&w, i, im->io.noutputs > 0 ? im->io.outputs[i] : onnx_text(w.graph->output[i]->name),
			       &values[ninputs + i]);
	if (r == 0)
		r = graph_set_io(im->graph, values, (uint32_t)im->ninputs, values + ninputs, (uint32_t)noutputs);
	free(values);
	free(w.names);
	free(w.states);
	free(w.stack);
	free(w.links);
	return r;
}
