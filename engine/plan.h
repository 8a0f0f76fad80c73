/*
 * plan.h - one graph for one set of input shapes: every buffer placed, every kernel chosen.
 */
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "engine/ops.h"

struct plan;

struct plan_config {
	const struct graph *graph;
	const struct kernels *kernels;
	const char *model; /* for messages */
	size_t memory_max; /* bytes of intermediate values and outputs together */
	bool shapes_only;  /* cannot run, but costs little */
};

/* shapes: one an input. Errors: ERR_INVALID (the shapes do not suit the model), ERR_RANGE, ERR_NOMEM, all with text. */
int plan_new(struct plan **ret, const struct plan_config *cfg, const struct shape *inputs,
	     struct error *err) MUST_CHECK;
void plan_free(struct plan *p);

bool plan_matches(const struct plan *p, struct tensor *const *inputs);
const struct shape *plan_output(const struct plan *p, size_t i);
/*
 * How many rows (images) of the batch are best run at once; 0: all, or they must not be parted. Else running rows
 * [i, i + n) of all inputs gives exactly rows [i, i + n) of all outputs. The plan may be one of shapes only.
 */
int plan_rows_at_once(const struct plan *p, int64_t *ret_rows) MUST_CHECK;
size_t plan_memory(const struct plan *p); /* of the plan itself, from the graph's allocator */
size_t plan_arena_size(const struct plan *p);
/* Where the intermediate values are to be from now on (64-byte aligned, of plan_arena_size). */
void plan_bind(struct plan *p, void *arena);
/* outputs: tensors of the planned shapes. Allocates nothing. */
int plan_run(struct plan *p, struct tensor *const *inputs, struct tensor *const *outputs, struct run *run);

/* --- One node at a time, for folding (passes.c) --- */

/* Plans node over operands whose inputs are set; the error text then names model and node. */
int step_plan(struct step *s, const char *model, struct error *err) MUST_CHECK;
/* Runs a planned step whose inputs are all known; the outputs' memory comes from s->pool. */
int step_evaluate(struct step *s, struct error *err) MUST_CHECK;
bool step_can_fold(const struct step *s);
int node_error(struct error *err, int code, const char *model, const struct node *node);

#endif
