/*
 * rpc.h - the methods of the gRPC services, from request message to reply message, without a socket.
 *
 * A handler decodes the request and either has the reply at once or answers it later, on a worker thread.
 */
#ifndef SERVERS_MODEL_SERVER_RPC_H
#define SERVERS_MODEL_SERVER_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/error.h"
#include "servers/model_server/inference.h"
#include "servers/model_server/repository.h"
#include "servers/model_server/wire.h"

/* gRPC's status codes. */
enum rpc_status {
	RPC_OK = 0,
	RPC_INVALID_ARGUMENT = 3,
	RPC_DEADLINE_EXCEEDED = 4,
	RPC_NOT_FOUND = 5,
	RPC_RESOURCE_EXHAUSTED = 8,
	RPC_FAILED_PRECONDITION = 9,
	RPC_UNIMPLEMENTED = 12,
	RPC_INTERNAL = 13,
	RPC_UNAVAILABLE = 14,
};

#define RPC_TENSORS_MAX 128 /* of a request, inputs or outputs */

struct rpc {
	/* Given; request stays as it is until the reply is there: */
	struct repository *repository;
	size_t tensor_max; /* bytes of one input: a few bytes of message can ask for any shape */
	struct wire request;
	nsec_t deadline; /* monotonic; 0: none */
	void (*finished)(struct rpc *c);
	/* The reply. Cleared by the caller before the next use; the buffer is released by it. */
	enum rpc_status status;
	struct error error;
	struct buf reply;
	/* Private to the handlers: */
	struct inference *inference;
	void (*encode)(struct rpc *c);
	struct wire id, name;
	uint16_t outputs[RPC_TENSORS_MAX];
	size_t noutputs; /* 0: all of them */
};

/* True: the reply is there. False: finished() will be called, on another thread. */
typedef bool rpc_handler(struct rpc *c);

struct rpc_method {
	const char *path; /* "/inference.GRPCInferenceService/ModelInfer" */
	rpc_handler *handle;
};
extern const struct rpc_method rpc_methods[];
extern const size_t rpc_nmethods;

/* --- for the handlers --- */

/* Sets status and text; true, for handlers to return. */
bool rpc_fail(struct rpc *c, enum rpc_status status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with the status of an error code. */
bool rpc_fail_code(struct rpc *c, int code, const struct error *err);
/* The request is no message of its type. */
bool rpc_malformed(struct rpc *c);
/* Runs c->inference, answers with encode. */
bool rpc_run(struct rpc *c, void (*encode)(struct rpc *c));

/* rpc_tensorflow.c, rpc_tensorflow_model.c */
rpc_handler rpc_predict, rpc_get_model_metadata, rpc_get_model_status;
/* rpc_triton.c, rpc_triton_model.c, rpc_triton_repository.c */
rpc_handler rpc_server_live, rpc_server_ready, rpc_model_ready, rpc_server_metadata, rpc_model_metadata,
	rpc_model_infer, rpc_model_statistics, rpc_model_config, rpc_repository_index;
/* rpc_health.c */
rpc_handler rpc_health_check;

/* tensorflow.serving.ModelSpec */
struct model_spec {
	struct wire name, signature, label;
	int64_t version; /* 0: not given */
};
bool model_spec_read(struct model_spec *ret, struct wire message);
/* That of the request, which is its field 1, once all of the request is known to be well-formed; false: the call has
 * failed. */
bool model_spec_find(struct rpc *c, struct model_spec *ret);
void model_spec_write(struct buf *b, uint32_t number, const struct model_spec *spec, int64_t version);
/* The version that a specification means (0: the latest); false: the call has failed. */
bool model_spec_version(struct rpc *c, const struct model_spec *spec, int64_t *ret);

#endif
