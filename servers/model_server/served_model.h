/*
 * served_model.h - one version of a model as the protocols see it: its signature, how it runs, what it counted.
 *
 * Reference-counted: the repository holds one reference while the version is served and every request another, so
 * that a reload or an unload never pulls a model from under a request. The last one may be dropped on any thread.
 * All fields but the counters and the private part are constant once the repository has handed the model out.
 */
#ifndef SERVERS_MODEL_SERVER_SERVED_MODEL_H
#define SERVERS_MODEL_SERVER_SERVED_MODEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "engine/model.h"
#include "engine/queue.h"
#include "engine/run_estimate.h"

/* How often, and nanoseconds altogether. */
struct duration_counter {
	atomic_ullong count, ns;
};

/* Of Triton's ModelStatistics; inference_free counts. A request that fails is in `fail` only. */
struct model_counters {
	struct duration_counter success, fail;  /* requests, from their first byte parsed to their answer */
	struct duration_counter queue;          /* between submission and the start of the run */
	struct duration_counter compute_input;  /* decoding of the inputs */
	struct duration_counter compute_infer;  /* the run; each request of a batch counts all of it */
	struct duration_counter compute_output; /* encoding of the outputs */
	atomic_ullong inference_count;          /* rows: dim 0 of a request's first input if that has two or more */
	atomic_ullong execution_count;          /* runs: a batch of many requests is one */
	atomic_ullong last_inference_ms;        /* since the epoch; 0: none yet */
	atomic_llong in_flight;                 /* requests begun and not answered */
};

#define SPARE_CONTEXTS_MAX 32

struct served_model {
	const char *name; /* that of the repository; aliases lead here */
	int64_t version;
	/* As Triton names it: tensorflow_savedmodel, tensorflow_graphdef, onnxruntime_onnx, tensorflow_lite. */
	const char *platform;
	/* In the order of the engine's model, which is that of inference.out. Shapes as declared by config.pbtxt (with
	 * the batch in front) or else by the model: -1 where free, rank -1 where not declared. */
	struct model_tensor_info *inputs, *outputs;
	size_t ninputs, noutputs;
	bool shapes_declared;    /* by config.pbtxt, of all inputs: no other rank will do */
	uint64_t max_batch_size; /* config.pbtxt's; 0: the first dimension is no batch, or the model came without one */
	struct batching batching;
	nsec_t loaded; /* wall clock */
	struct model_counters counters;
	/* private: */
	atomic_uint references;
	struct model *model;
	struct queue *queue; /* outlives every model */
	struct run_estimate estimate;
	pthread_mutex_t lock; /* of the spare contexts, for runs on threads of the host */
	struct model_context *spare[SPARE_CONTEXTS_MAX];
	size_t nspare;
};

#define SIGNATURE_NAME "serving_default" /* the only signature that is served */

/* Index of the input or output of that name (not NUL-terminated), or ERR_NOT_FOUND. */
int served_model_input(const struct served_model *m, const char *name, size_t len) MUST_CHECK;
int served_model_output(const struct served_model *m, const char *name, size_t len) MUST_CHECK;

struct served_model *served_model_ref(struct served_model *m);
void served_model_unref(struct served_model *m); /* NULL is a no-op */

#endif
