/*
 * model.h - a loaded model: one immutable graph with its weights, and per-worker contexts that run it.
 *
 * A context keeps one plan (shapes inferred, scratch memory laid out, kernels chosen) per set of input shapes it
 * has seen, the least recently used dropped; weights are shared between plans and contexts.
 */
#ifndef ENGINE_MODEL_H
#define ENGINE_MODEL_H

#include <stddef.h>

#include "common/error.h"
#include "engine/tensor.h"

enum model_format { MODEL_TENSORFLOW, MODEL_TFLITE, MODEL_ONNX };

/* Names of the graph's inputs and outputs, in call order. Required for GraphDef ("name" or "name:0"); for formats
 * that carry them (SavedModel signatures, TFLite, ONNX) NULL/0 means the model's own. */
struct model_io {
	const char *const *inputs;
	size_t ninputs;
	const char *const *outputs;
	size_t noutputs;
};

/* What went wrong while loading, for hosts that must answer in RedisAI's words; the text in struct error is ours. */
enum model_fault {
	MODEL_FAULT_NONE,
	MODEL_FAULT_PARSE,         /* the bytes are no model of this format */
	MODEL_FAULT_EMPTY,         /* parsed, but holds no graph */
	MODEL_FAULT_INPUT_MISSING, /* a named input is not there or no placeholder; fault_name says which */
	MODEL_FAULT_OUTPUT_MISSING,
	MODEL_FAULT_OP,            /* an operator or attribute that is not supported: named in the text with its node */
	MODEL_FAULT_EXTERNAL_DATA, /* ONNX: weights in other files */
	MODEL_FAULT_OTHER,
};

struct model;
struct model_context;

struct backend_ops; /* engine/backend.h */

struct model_load_config {
	enum model_format format;
	const struct backend_ops *backend; /* a loaded library reads and runs the model, whatever the format; or NULL */
	const char *name;                  /* what messages call the model */
	struct model_io io;
	const struct allocator *allocator; /* weights, graph, plans and contexts; NULL: libc */
	size_t memory_max;                 /* bytes of all constants, and of what one run takes; 0: 4 GiB */
};

/* blob is not kept. ret_fault and ret_fault_index (which input or output) may be NULL. */
int model_load(struct model **ret, const struct model_load_config *cfg, const void *blob, size_t len,
	       enum model_fault *ret_fault, size_t *ret_fault_index, struct error *err) MUST_CHECK;
/* A SavedModel folder: signature NULL means "serving_default"; variables (variables/…) are read too. */
int model_load_saved(struct model **ret, const char *folder, const char *signature, const char *name,
		     struct error *err) MUST_CHECK;
void model_free(struct model *m); /* once no context is left */

/* Shape as declared: -1 where free; rank -1: not declared. */
struct model_tensor_info {
	const char *name;
	enum dtype dtype;
	int rank;
	int64_t dims[TENSOR_MAX_RANK];
};
size_t model_ninputs(const struct model *m);
size_t model_noutputs(const struct model *m);
const struct model_tensor_info *model_input(const struct model *m, size_t i);
const struct model_tensor_info *model_output(const struct model *m, size_t i);
size_t model_memory(const struct model *m); /* bytes of weights and graph, and what its contexts took for running */

/* One a worker thread. seed: of RandomUniform and its like. */
int model_context_new(struct model_context **ret, struct model *m, uint64_t seed) MUST_CHECK;
void model_context_free(struct model_context *c);

/*
 * Runs once. Inputs are checked against the graph (dtype, and shapes by inference); each out[i] becomes a new tensor
 * from `a`, owned by the caller; on failure all are NULL. Nothing but the outputs is allocated once a plan for these
 * shapes exists. Large matrix products use as many threads as the calling thread has set for OpenMP.
 */
int model_run(struct model_context *c, struct tensor *const *in, size_t nin, struct tensor **out, size_t nout,
	      const struct allocator *a, struct error *err) MUST_CHECK;

#endif
