/*
 * stored_model.h - a model as a value of a key: the engine's model, and what MODELSTORE said about it.
 */
#ifndef SERVERS_REDISAI_STORED_MODEL_H
#define SERVERS_REDISAI_STORED_MODEL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/error.h"
#include "engine/model.h"
#include "engine/queue.h"
#include "engine/run_estimate.h"
#include "servers/redisai/stored.h"

struct stored_model {
	struct stored stored;
	struct model *model;
	struct batching batching;
	uint64_t min_timeout_ms; /* batching.min_timeout as given */
	atomic_bool retired;     /* no key holds it any more */
	char *blob;
	size_t blob_len;
	char **inputs, **outputs; /* as given; none for formats that carry the names themselves (all but TF) */
	size_t ninputs, noutputs;
	struct model_context *inline_context; /* of the main thread; NULL until it runs the model */
	struct run_estimate estimate;
};

/* What a model is made of; strings are copied. */
struct stored_model_parts {
	struct stored_parts stored;
	struct batching batching;
	uint64_t min_timeout_ms;
	const char *const *inputs, *const *outputs;
	size_t ninputs, noutputs;
	char *blob; /* from Redis' allocator; taken over on success */
	size_t blob_len;
};

/* err holds the whole error reply. */
int stored_model_new(struct stored_model **ret, const struct stored_model_parts *parts, struct error *err) MUST_CHECK;
/* Whether BATCHSIZE can do anything for the model. Not asked of what an RDB holds: it is to load. */
int stored_model_check_batching(const struct stored_model *m, struct error *err) MUST_CHECK;
struct stored_model *stored_model_ref(struct stored_model *m);
void stored_model_unref(struct stored_model *m);
size_t stored_model_memory(const struct stored_model *m);
/* The key lets go: commands that run the model finish with it, those that wait for their batch to fill are canceled. */
void stored_model_retire(struct stored_model *m);
/* Queues the job; canceled at once where it would wait for a batch that nobody else can join. */
void stored_model_submit(struct stored_model *m, struct job *job);

/* Whether the run is worth the main thread's time (engine/run_estimate.h). One that is to wait for a batch is not. */
bool stored_model_is_quick(const struct stored_model *m, size_t elements, nsec_t *ret_run_time);

/* AI.INFO counts runs: samples / calls is the mean batch. A command that ran as part of another's run adds its samples
 * only. */
void stored_model_count(struct stored_model *m, nsec_t run_time, const struct tensor *first_output, bool failed);
void stored_model_count_joined(struct stored_model *m, const struct tensor *first_output);

#endif
