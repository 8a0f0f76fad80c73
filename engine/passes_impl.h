/*
 * passes_impl.h - what the files of passes share.
 */
#ifndef ENGINE_PASSES_IMPL_H
#define ENGINE_PASSES_IMPL_H

#include "engine/ops.h"

/* Who reads each value: how often (a graph output counts), and the last node that does. */
struct readers {
	uint32_t *count, *node;
};

/* Nodes that an earlier one took over, and identities, are left without outputs until the sweep. */
void node_retire(struct node *n);
/* node, which is graph's node `index`, makes what `next` made, and next is retired. */
void node_take_output(struct graph *g, struct node *n, uint32_t index, struct node *next);
/* The same with the activation that next is; false: it is none. */
bool node_take_activation(struct graph *g, struct node *n, uint32_t index, struct node *next);
int node_add_input(struct node *n, uint32_t value) MUST_CHECK;

/* Takes padding before and batch norm, bias, scale and activation after it into a CONV2D. */
int fuse_convolution(struct graph *g, const struct readers *readers, uint32_t index, struct error *err) MUST_CHECK;

#endif
