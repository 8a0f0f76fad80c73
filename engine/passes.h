/*
 * passes.h - what is done to a graph once, when its model is loaded.
 */
#ifndef ENGINE_PASSES_H
#define ENGINE_PASSES_H

#include "engine/graph.h"
#include "engine/kernels.h"

/*
 * Removes identities, evaluates what depends on constants only, fuses MATMUL with the bias and activation that
 * follow it, drops what no output needs and packs weights for kn. Results stay the same but for the rounding of a
 * fused bias. Errors: those of the operators evaluated (text names the node), ERR_RANGE, ERR_NOMEM.
 */
int graph_optimise(struct graph *g, const struct kernels *kn, const char *model, struct error *err) MUST_CHECK;

#endif
