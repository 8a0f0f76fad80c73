/*
 * rpc.c - the table of methods, and what all of them share.
 */
#include "servers/model_server/rpc.h"

#include "common/arith.h"

const struct rpc_method rpc_methods[] = {
	{"/tensorflow.serving.PredictionService/Predict", rpc_predict},
	{"/tensorflow.serving.PredictionService/GetModelMetadata", rpc_get_model_metadata},
	{"/tensorflow.serving.ModelService/GetModelStatus", rpc_get_model_status},
	{"/inference.GRPCInferenceService/ServerLive", rpc_server_live},
	{"/inference.GRPCInferenceService/ServerReady", rpc_server_ready},
	{"/inference.GRPCInferenceService/ModelReady", rpc_model_ready},
	{"/inference.GRPCInferenceService/ServerMetadata", rpc_server_metadata},
	{"/inference.GRPCInferenceService/ModelMetadata", rpc_model_metadata},
	{"/inference.GRPCInferenceService/ModelInfer", rpc_model_infer},
	{"/inference.GRPCInferenceService/ModelStatistics", rpc_model_statistics},
	{"/inference.GRPCInferenceService/ModelConfig", rpc_model_config},
	{"/inference.GRPCInferenceService/RepositoryIndex", rpc_repository_index},
	{"/grpc.health.v1.Health/Check", rpc_health_check},
};
const size_t rpc_nmethods = ARRAY_LEN(rpc_methods);

bool rpc_fail(struct rpc *c, enum rpc_status status, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)error_vwrite(&c->error, fmt, args);
	va_end(args);
	c->status = status;
	buf_clear(&c->reply);
	return true;
}

static enum rpc_status status_of(int code)
{
	switch (code) {
	case ERR_INVALID:
	case ERR_FORMAT:
	case ERR_RANGE:
		return RPC_INVALID_ARGUMENT;
	case ERR_NOT_FOUND:
		return RPC_NOT_FOUND;
	case ERR_TIMEOUT:
		return RPC_DEADLINE_EXCEEDED;
	case ERR_NOMEM:
		return RPC_RESOURCE_EXHAUSTED;
	case ERR_UNSUPPORTED:
		return RPC_UNIMPLEMENTED;
	case ERR_CANCELED:
		return RPC_UNAVAILABLE;
	default:
		return RPC_INTERNAL;
	}
}

bool rpc_fail_code(struct rpc *c, int code, const struct error *err)
{
	return rpc_fail(c, status_of(code), "%s", err && err->text[0] ? err->text : error_message(code));
}

bool rpc_malformed(struct rpc *c)
{
	return rpc_fail(c, RPC_INVALID_ARGUMENT, "the request is no protobuf message of this method");
}

/* What follows the run: the reply, or the error; the inference is counted. */
static void answer(struct rpc *c, void (*encode)(struct rpc *c))
{
	struct inference *inf = c->inference;

	if (inf->result == 0) {
		encode(c);
		if (c->reply.failed)
			inf->result = ERR_NOMEM;
	}
	if (inf->result < 0)
		rpc_fail_code(c, inf->result, &inf->error);
	c->inference = NULL;
	inference_free(inf);
}

static void run_done(struct inference *inf)
{
	struct rpc *c = inf->arg;

	answer(c, c->encode);
	c->finished(c);
}

bool rpc_run(struct rpc *c, void (*encode)(struct rpc *c))
{
	c->encode = encode;
	c->inference->arg = c;
	c->inference->done = run_done;
	c->inference->deadline = c->deadline;
	if (!inference_run(c->inference))
		return false;
	answer(c, encode);
	return true;
}
