/*
 * backend.h - what a shared library offers so that its models and scripts run here: one table of functions.
 *
 * The engine reads TensorFlow, TFLite and ONNX itself. Another format (TorchScript) comes as a library that a server
 * loads when it is asked to, and that links what it needs of the engine for itself. A library exports one symbol:
 *
 *	const struct backend_ops aibench_backend = {.abi = BACKEND_ABI, .name = "TORCH", …};
 *
 * All functions may be called from any thread; one context is used by one thread at a time.
 */
#ifndef ENGINE_BACKEND_H
#define ENGINE_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "engine/model.h"
#include "engine/tensor.h"

#define BACKEND_ABI 1
#define BACKEND_SYMBOL "aibench_backend"

/* The library's own types. */
struct backend_model;
struct backend_context;
struct backend_script;

struct text {
	const char *data; /* not always NUL-terminated */
	size_t len;
};

/* One call of a script's function. Everything is borrowed until script_run returns, but for what it puts in outputs. */
struct script_call {
	const char *function;
	struct tensor *const *inputs;
	size_t ninputs;
	size_t list_at; /* inputs from here on are one parameter, a list of tensors; ninputs: there is no such list */
	const struct text *keys, *args;
	size_t nkeys, nargs;
	struct tensor **outputs; /* receives noutputs new references, made with allocator; NULL on failure */
	size_t noutputs;
	const struct allocator *allocator;
};

struct backend_ops {
	unsigned abi; /* BACKEND_ABI, or the library is refused */
	const char *name;
	const char *version; /* of the runtime behind it */

	/* As model_load and its like in model.h. Names and dimensions of inputs and outputs live as long as the model. */
	int (*model_load)(struct backend_model **ret, const struct model_load_config *cfg, const void *blob, size_t len,
			  enum model_fault *ret_fault, size_t *ret_fault_index, struct error *err);
	void (*model_free)(struct backend_model *m);
	size_t (*model_memory)(const struct backend_model *m);
	size_t (*model_ninputs)(const struct backend_model *m);
	size_t (*model_noutputs)(const struct backend_model *m);
	const struct model_tensor_info *(*model_input)(const struct backend_model *m, size_t i);
	const struct model_tensor_info *(*model_output)(const struct backend_model *m, size_t i);
	int (*context_new)(struct backend_context **ret, struct backend_model *m, uint64_t seed);
	void (*context_free)(struct backend_context *c);
	int (*run)(struct backend_context *c, struct tensor *const *in, size_t nin, struct tensor **out, size_t nout,
		   const struct allocator *a, struct error *err);

	/* NULL, all three, where the backend has no scripts. script_load checks that every entry point is there; its
	 * errors are whole replies, as RedisAI words them. */
	int (*script_load)(struct backend_script **ret, const char *source, size_t len, const char *const *entry_points,
			   size_t nentry_points, struct error *err);
	int (*script_run)(struct backend_script *s, const struct script_call *call, struct error *err);
	void (*script_free)(struct backend_script *s);
};

/* Loads the library and checks its table. It stays loaded: what it has started may run until the process ends. */
int backend_open(const struct backend_ops **ret, const char *path, const char *name, struct error *err) MUST_CHECK;

#endif
