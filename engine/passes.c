/*
 * passes.c - the passes over a freshly imported graph.
 */
#include "engine/passes.h"

#include <stdlib.h>
#include <string.h>

#include "engine/passes_impl.h"
#include "engine/plan.h"

void node_retire(struct node *n)
{
	n->nout = 0;
}

/* --- identities --- */

static int remove_identities(struct graph *g)
{
	uint32_t *stands_for = malloc(((size_t)g->nvalues + 1) * sizeof(*stands_for));

	if (stands_for == NULL)
		return ERR_NOMEM;
	for (uint32_t v = 0; v < g->nvalues; v++)
		stands_for[v] = v;
	for (uint32_t i = 0; i < g->nnodes; i++) {
		struct node *n = &g->nodes[i];
		for (uint32_t k = 0; k < n->nin; k++)
			n->in[k] = stands_for[n->in[k]];
		if (n->op == OP_IDENTITY) {
			stands_for[n->out[0]] = n->in[0];
			node_retire(n);
		}
	}
	for (uint32_t i = 0; i < g->noutputs; i++)
		g->outputs[i] = stands_for[g->outputs[i]];
	free(stands_for);
	return 0;
}

/* --- constants --- */

static bool inputs_constant(const struct graph *g, const struct node *n)
{
	for (uint32_t i = 0; i < n->nin; i++) {
		if (g->values[n->in[i]].constant == NULL)
			return false;
	}
	return n->nin > 0;
}

/* Outputs that were evaluated become constants. */
static int keep_results(struct graph *g, struct node *n, const struct step *s, struct error *err)
{
	for (uint32_t i = 0; i < s->nout; i++) {
		const struct operand *o = s->out[i];
		struct tensor *t;
		int r = graph_check_constant(g, o->dtype, o->shape.dims, o->shape.rank, err);
		if (r == 0)
			r = tensor_new(&t, o->dtype, o->shape.dims, o->shape.rank, false, g->allocator);
		if (r != 0)
			return r;
		memcpy(t->data, o->data, t->size);
		g->constant_bytes += t->size;
		g->values[n->out[i]].constant = t;
		g->values[n->out[i]].node = VALUE_NONE;
	}
	node_retire(n);
	return 0;
}

static int fold_node(struct graph *g, struct node *n, const struct kernels *kn, const char *model, struct error *err)
{
	struct pool pool = {0};
	struct step s = {.node = n, .kernels = kn, .pool = &pool, .nin = n->nin, .nout = n->nout};
	struct operand *operands = pool_alloc(&pool, (size_t)n->nin + n->nout, sizeof(*operands));
	int r = ERR_NOMEM;

	s.in = pool_alloc(&pool, (size_t)n->nin + n->nout, sizeof(struct operand *));
	if (operands == NULL || s.in == NULL)
		goto out;
	s.out = s.in + n->nin;
	for (uint32_t i = 0; i < n->nin + n->nout; i++)
		s.in[i] = &operands[i];
	for (uint32_t i = 0; i < n->nin; i++) {
		const struct tensor *t = g->values[n->in[i]].constant;
		operands[i] = (struct operand){.dtype = t->dtype, .known = true, .data = t->data};
		r = shape_set(&operands[i].shape, t->dims, t->rank);
		if (r < 0)
			goto out;
	}
	for (uint32_t i = 0; i < n->nout; i++)
		s.out[i]->dtype = g->values[n->out[i]].dtype;
	r = step_plan(&s, model, err);
	if (r < 0 || !step_can_fold(&s))
		goto out;
	if (s.run != NULL) {
		r = step_evaluate(&s, err);
		if (r < 0) {
			r = node_error(err, r, model, n);
			goto out;
		}
	}
	r = keep_results(g, n, &s, err);
out:
	pool_release(&pool);
	return r;
}

static int fold_constants(struct graph *g, const struct kernels *kn, const char *model, struct error *err)
{
	for (uint32_t i = 0; i < g->nnodes; i++) {
		struct node *n = &g->nodes[i];
		if (n->nout == 0 || !inputs_constant(g, n))
			continue;
		int r = fold_node(g, n, kn, model, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- fusion --- */

static int find_readers(const struct graph *g, struct readers *r)
{
	r->count = calloc((size_t)g->nvalues + 1, sizeof(*r->count));
	r->node = malloc(((size_t)g->nvalues + 1) * sizeof(*r->node));
	if (r->count == NULL || r->node == NULL)
		return ERR_NOMEM;
	for (uint32_t v = 0; v < g->nvalues; v++)
		r->node[v] = VALUE_NONE;
	for (uint32_t i = 0; i < g->nnodes; i++) {
		const struct node *n = &g->nodes[i];
		for (uint32_t k = 0; k < n->nin && n->nout > 0; k++) {
			r->count[n->in[k]]++;
			r->node[n->in[k]] = i;
		}
	}
	for (uint32_t i = 0; i < g->noutputs; i++)
		r->count[g->outputs[i]]++;
	return 0;
}

/* The bias that `next` adds to the product in value v, or VALUE_NONE: a constant vector of the product's width. */
static uint32_t bias_of(const struct graph *g, const struct node *product, const struct node *next, uint32_t v)
{
	const struct tensor *weights = g->values[product->in[1]].constant;

	if ((next->op != OP_BIAS_ADD && next->op != OP_ADD) || weights == NULL || weights->rank != 2)
		return VALUE_NONE;
	uint32_t bias = next->in[0] == v ? next->in[1] : next->op == OP_ADD ? next->in[0] : v;
	const struct tensor *t = g->values[bias].constant;
	int64_t width = weights->dims[product->attr.transpose_b ? 0 : 1];
	bool row = t != NULL && (t->rank == 1 || (t->rank == 2 && t->dims[0] == 1 && next->op == OP_ADD));
	return row && t->dims[t->rank - 1] == width ? bias : VALUE_NONE;
}

/* ACT_NONE: op is no activation. */
static enum activation activation_of(enum op op)
{
	switch (op) {
	case OP_RELU:
		return ACT_RELU;
	case OP_RELU6:
		return ACT_RELU6;
	case OP_LEAKY_RELU:
		return ACT_LEAKY_RELU;
	case OP_ELU:
		return ACT_ELU;
	case OP_SIGMOID:
		return ACT_SIGMOID;
	case OP_TANH:
		return ACT_TANH;
	default:
		return ACT_NONE;
	}
}

void node_take_output(struct graph *g, struct node *n, uint32_t index, struct node *next)
{
	n->out[0] = next->out[0];
	g->values[n->out[0]].node = index;
	node_retire(next);
}

bool node_take_activation(struct graph *g, struct node *n, uint32_t index, struct node *next)
{
	const enum activation a = activation_of(next->op);

	if (a == ACT_NONE)
		return false;
	n->attr.activation = a;
	n->attr.alpha = next->attr.alpha;
	node_take_output(g, n, index, next);
	return true;
}

int node_add_input(struct node *n, uint32_t value)
{
	uint32_t *links = calloc((size_t)n->nin + 1 + n->nout, sizeof(*links));

	if (links == NULL)
		return ERR_NOMEM;
	memcpy(links, n->in, n->nin * sizeof(*links));
	links[n->nin] = value;
	memcpy(links + n->nin + 1, n->out, n->nout * sizeof(*links));
	free(n->in);
	n->in = links;
	n->nin++;
	n->out = links + n->nin;
	return 0;
}

static int fuse_node(struct graph *g, const struct readers *readers, uint32_t index)
{
	struct node *n = &g->nodes[index];

	for (;;) {
		uint32_t v = n->out[0];
		if (readers->count[v] != 1 || readers->node[v] == VALUE_NONE || n->attr.activation != ACT_NONE)
			return 0;
		struct node *next = &g->nodes[readers->node[v]];
		if (node_take_activation(g, n, index, next))
			continue;
		uint32_t bias = n->nin == 2 ? bias_of(g, n, next, v) : VALUE_NONE;
		if (bias == VALUE_NONE)
			return 0;
		int r = node_add_input(n, bias);
		if (r < 0)
			return r;
		node_take_output(g, n, index, next);
	}
}

static int fuse(struct graph *g, struct error *err)
{
	struct readers readers = {0};
	int r = find_readers(g, &readers);

	for (uint32_t i = 0; i < g->nnodes && r == 0; i++) {
		const struct node *n = &g->nodes[i];
		if (n->op == OP_MATMUL && n->nout > 0 && g->values[n->out[0]].dtype == DTYPE_FLOAT)
			r = fuse_node(g, &readers, i);
		else if (n->op == OP_CONV2D && n->nout > 0)
			r = fuse_convolution(g, &readers, i, err);
	}
	free(readers.count);
	free(readers.node);
	return r;
}

/* --- sweeping and packing --- */

static void node_free(struct node *n)
{
	free(n->name);
	free(n->in);
	tensor_unref(n->packed);
	conv_weights_free(n->filters);
}

/* Drops nodes that no output needs, and constants that no node that is left reads. */
static int sweep(struct graph *g)
{
	bool *needed = calloc((size_t)g->nvalues + 1, sizeof(*needed));
	uint32_t kept = g->nnodes;

	if (needed == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < g->noutputs; i++)
		needed[g->outputs[i]] = true;
	/* What is kept gathers at the array's end, in order, and moves to its start. */
	for (uint32_t i = g->nnodes; i-- > 0;) {
		struct node *n = &g->nodes[i];
		bool wanted = false;
		for (uint32_t o = 0; o < n->nout; o++)
			wanted |= needed[n->out[o]];
		if (!wanted) {
			node_free(n);
			continue;
		}
		for (uint32_t k = 0; k < n->nin; k++)
			needed[n->in[k]] = true;
		g->nodes[--kept] = *n;
	}
	if (kept > 0)
		memmove(g->nodes, g->nodes + kept, (g->nnodes - kept) * sizeof(*g->nodes));
	g->nnodes -= kept;
	for (uint32_t v = 0; v < g->nvalues; v++) {
		struct value *value = &g->values[v];
		if (!needed[v] && value->constant != NULL) {
			g->constant_bytes -= value->constant->size;
			tensor_unref(value->constant);
			value->constant = NULL;
		}
		value->node = VALUE_NONE;
	}
	for (uint32_t i = 0; i < g->nnodes; i++) {
		for (uint32_t o = 0; o < g->nodes[i].nout; o++)
			g->values[g->nodes[i].out[o]].node = i;
	}
	free(needed);
	return 0;
}

static void release_nothing(void *arg)
{
	(void)arg;
}

/* Leaves the constant's type and shape without its data. */
static int drop_data(struct graph *g, struct value *value)
{
	struct tensor *t = value->constant, *shell;
	int r = tensor_new_borrowed(&shell, t->dtype, t->dims, t->rank, NULL, t->size, release_nothing, NULL,
				    g->allocator);

	if (r < 0)
		return r;
	g->constant_bytes -= t->size;
	tensor_unref(t);
	value->constant = shell;
	return 0;
}

static int pack(struct graph *g, const struct kernels *kn)
{
	struct readers readers = {0};
	int r = find_readers(g, &readers);

	for (uint32_t i = 0; i < g->nnodes && r == 0; i++) {
		struct node *n = &g->nodes[i];
		if (n->nin < 2)
			continue;
		struct value *weights = &g->values[n->in[1]];
		if (n->op == OP_MATMUL)
			r = matmul_pack(g, n, kn);
		else if (n->op == OP_CONV2D)
			r = conv2d_pack(g, n);
		else
			r = quant_pack(g, n);
		bool replaced =
			n->filters != NULL ||
			(n->packed != NULL && (n->op != OP_MATMUL || !matmul_needs_original(weights->constant)));
		if (r == 0 && replaced && readers.count[n->in[1]] == 1)
			r = drop_data(g, weights);
	}
	free(readers.count);
	free(readers.node);
	return r;
}

int graph_optimise(struct graph *g, const struct kernels *kn, const char *model, struct error *err)
{
	int r = remove_identities(g);

	if (r == 0)
		r = fold_constants(g, kn, model, err);
	if (r == 0)
		r = fuse(g, err);
	if (r == 0)
		r = sweep(g);
	if (r == 0)
		r = pack(g, kn);
	return r;
}
