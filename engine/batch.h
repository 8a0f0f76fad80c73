/*
 * batch.h - several jobs of one model joined along axis 0 to one run, and its outputs cut apart again. For queue.c.
 */
#ifndef ENGINE_BATCH_H
#define ENGINE_BATCH_H

#include "engine/queue.h"

struct batch {
	struct job **jobs;
	size_t njobs, cap;
	uint64_t rows; /* dim 0 of all inputs together; 0: jobs[0] cannot be joined and runs alone */
	/* Of the joined run: nin inputs, then nout outputs. */
	struct tensor **tensors;
	size_t tensors_cap;
};

/* Begins with one job; false when out of memory. */
bool batch_start(struct batch *b, struct job *first) MUST_CHECK;
/* Whether more jobs may be added. */
bool batch_wants(const struct batch *b);
/* Adds the job if it is of the same model and its inputs differ in dim 0 at the most. */
bool batch_add(struct batch *b, struct job *job);
/* Runs; sets every job's batch, out and (on failure) error. The result is that of every job. */
int batch_run(struct batch *b, struct model_context *c) MUST_CHECK;
void batch_release(struct batch *b);

#endif
