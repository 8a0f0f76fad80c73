/*
 * plan_impl.h - a plan from the inside, for the files that make it.
 */
#ifndef ENGINE_PLAN_IMPL_H
#define ENGINE_PLAN_IMPL_H

#include "engine/onednn.h"
#include "engine/plan.h"

/* Where a value has its memory in the arena. */
struct place {
	struct operand *operand;
	size_t offset;
};

/* A value that follows a tensor of the run: an input or output, or a view of one. */
struct binding {
	struct operand *operand;
	uint32_t tensor;
};

/* An output that is made by copying: an input, a constant, or a value that is an output already. */
struct copy {
	const struct operand *from;
	uint32_t output;
};

struct plan {
	struct plan_config cfg;
	const struct graph *graph;
	struct pool pool;
	struct onednn onednn;
	struct operand *operands; /* one a value of the graph, then those that reorders make */
	uint32_t nvalues;
	uint32_t *root;
	struct step *steps;
	uint32_t nsteps;
	struct place *places, *scratches;
	uint32_t nplaces, nscratches;
	struct binding *inputs, *outputs;
	uint32_t ninputs, noutputs;
	struct copy *copies;
	uint32_t ncopies;
	uint32_t *output_ids; /* values */
	size_t arena_size;
};

/* Takes additions of images into the convolutions before them. */
int plan_fuse(struct plan *p) MUST_CHECK;
/*
 * Prepares the steps in order and puts reorders between those that want one value in different layouts; what the
 * graph gives out is row-major again.
 */
int plan_prepare(struct plan *p, struct error *err) MUST_CHECK;
/* How many values and steps that may add. */
size_t plan_reorders_max(const struct graph *g);

#endif
