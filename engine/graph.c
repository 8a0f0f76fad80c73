/*
 * graph.c - building and releasing a graph.
 */
#include "engine/graph.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "engine/ops.h"

const char *op_name(enum op op)
{
	static const char *const names[OP_COUNT] = {
#define OP_NAME(id, name) [id] = (name),
		OP_LIST(OP_NAME)
#undef OP_NAME
	};
	return names[op];
}

void graph_init(struct graph *g, const struct allocator *a, size_t constant_max)
{
	*g = (struct graph){.allocator = a != NULL ? a : &allocator_libc, .constant_max = constant_max};
}

void graph_release(struct graph *g)
{
	for (uint32_t i = 0; i < g->nvalues; i++)
		tensor_unref(g->values[i].constant);
	for (uint32_t i = 0; i < g->nnodes; i++) {
		free(g->nodes[i].name);
		free(g->nodes[i].in);
		tensor_unref(g->nodes[i].packed);
		conv_weights_free(g->nodes[i].filters);
	}
	if (g->allocator != NULL) {
		g->allocator->free(g->values);
		g->allocator->free(g->nodes);
	}
	free(g->inputs);
	free(g->outputs);
	*g = (struct graph){0};
}

/* Far above any real model: a few bytes of a hostile one may ask for thousands of values. */
#define VALUES_MAX ((uint32_t)1 << 18)

/* Room for `more` elements past n; *cap counts elements. */
static int grow(const struct allocator *a, void **array, uint32_t *cap, uint32_t n, uint32_t more, size_t size)
{
	uint32_t wanted;
	size_t bytes;

	if (__builtin_add_overflow(n, more, &wanted) || wanted > VALUES_MAX)
		return ERR_RANGE;
	if (wanted <= *cap)
		return 0;
	wanted += wanted / 2 + 16;
	if (!size_mul(&bytes, wanted, size))
		return ERR_RANGE;
	void *moved = a->alloc(bytes);
	if (moved == NULL)
		return ERR_NOMEM;
	if (n > 0)
		memcpy(moved, *array, n * size);
	a->free(*array);
	*array = moved;
	*cap = wanted;
	return 0;
}

int64_t graph_add_value(struct graph *g, enum dtype t)
{
	void *values = g->values;
	int r = grow(g->allocator, &values, &g->values_cap, g->nvalues, 1, sizeof(*g->values));

	g->values = values;
	if (r < 0)
		return r;
	g->values[g->nvalues] = (struct value){.dtype = t, .node = VALUE_NONE};
	return g->nvalues++;
}

int64_t graph_add_constant(struct graph *g, struct tensor *constant)
{
	int64_t v = graph_add_value(g, constant->dtype);

	if (v < 0) {
		tensor_unref(constant);
		return v;
	}
	g->values[v].constant = constant;
	g->constant_bytes += constant->size;
	return v;
}

int graph_check_constant(const struct graph *g, enum dtype t, const int64_t *dims, unsigned rank, struct error *err)
{
	size_t count, size, total;

	if (!shape_count(&count, dims, rank) || !size_mul(&size, count, dtype_size(t)) ||
	    !size_add(&total, g->constant_bytes, size) || total > g->constant_max)
		return error_set(err, ERR_RANGE, "the model's constants take more than %zu MiB", g->constant_max >> 20);
	return 0;
}

int graph_add_node(struct graph *g, enum op op, const char *name, const struct attributes *attr, const uint32_t *in,
		   uint32_t nin, uint32_t nout, struct node **ret, struct error *err)
{
	const struct op_def *def = op_def(op);
	enum dtype *types = NULL;
	uint32_t *links = NULL;
	char *copy = NULL;
	void *nodes = g->nodes;
	size_t links_count;
	int r;

	if (nin < def->min_in || (def->max_in != 0 && nin > def->max_in))
		return error_set(err, ERR_UNSUPPORTED, "%u inputs", nin);
	r = grow(g->allocator, &nodes, &g->nodes_cap, g->nnodes, 1, sizeof(*g->nodes));
	g->nodes = nodes;
	if (r < 0)
		return r;
	if (!size_add(&links_count, nin, nout))
		return ERR_RANGE;
	types = calloc(links_count + 1, sizeof(*types));
	links = calloc(links_count + 1, sizeof(*links));
	copy = strdup(name);
	r = ERR_NOMEM;
	if (types == NULL || links == NULL || copy == NULL)
		goto out;
	for (uint32_t i = 0; i < nin; i++) {
		links[i] = in[i];
		types[i] = g->values[in[i]].dtype;
	}
	r = def->types(attr, types, nin, types + nin, nout, err);
	if (r < 0)
		goto out;
	for (uint32_t i = 0; i < nout; i++) {
		int64_t v = graph_add_value(g, types[nin + i]);
		if (v < 0) {
			r = (int)v;
			goto out;
		}
		g->values[v].node = g->nnodes;
		links[nin + i] = (uint32_t)v;
	}
	g->nodes[g->nnodes] = (struct node){
		.op = op, .name = copy, .attr = *attr, .in = links, .out = links + nin, .nin = nin, .nout = nout};
	if (ret != NULL)
		*ret = &g->nodes[g->nnodes];
	g->nnodes++;
	copy = NULL;
	links = NULL;
	r = 0;
out:
	free(types);
	free(links);
	free(copy);
	return r;
}

int graph_set_io(struct graph *g, const uint32_t *inputs, uint32_t ninputs, const uint32_t *outputs, uint32_t noutputs)
{
	uint32_t *in = calloc((size_t)ninputs + 1, sizeof(*in));
	uint32_t *out = calloc((size_t)noutputs + 1, sizeof(*out));

	if (in == NULL || out == NULL) {
		free(in);
		free(out);
		return ERR_NOMEM;
	}
	for (uint32_t i = 0; i < ninputs; i++)
		in[i] = inputs[i];
	for (uint32_t i = 0; i < noutputs; i++)
		out[i] = outputs[i];
	free(g->inputs);
	free(g->outputs);
	g->inputs = in;
	g->outputs = out;
	g->ninputs = ninputs;
	g->noutputs = noutputs;
	return 0;
}
