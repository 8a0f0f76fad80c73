/*
 * dag_reply.c - what a command leaves in the keyspace, and its answer.
 */
#include "servers/redisai/module.h"
#include "servers/redisai/tensor_type.h"

/* Every key is looked at before the first is written: all of them persist or none. */
static const char *check_persist(const struct dag *d, struct RedisModuleCtx *ctx)
{
	/* The server may have become a replica meanwhile. */
	if (d->client && (RedisModule_GetContextFlags(ctx) & REDISMODULE_CTX_FLAGS_READONLY))
		return "READONLY You can't write against a read only replica.";
	for (uint32_t i = 0; i < d->npersist; i++) {
		struct RedisModuleKey *key = RedisModule_OpenKey(ctx, d->persist[i].key, REDISMODULE_READ);
		bool taken = key && RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY &&
			     RedisModule_ModuleTypeGetType(key) != redisai.tensor_type;

		RedisModule_CloseKey(key);
		if (taken)
			return REDISMODULE_ERRORMSG_WRONGTYPE;
	}
	return NULL;
}

static const char *persist(struct dag *d, struct RedisModuleCtx *ctx)
{
	const char *problem = check_persist(d, ctx);

	if (problem)
		return problem;
	for (uint32_t i = 0; i < d->npersist; i++) {
		struct dag_slot *slot = &d->slots[d->persist[i].slot];
		struct tensor *t;

		if (tensor_keep(&t, slot->tensor) < 0)
			return ERROR_OUT_OF_MEMORY;
		keyspace_set(ctx, d->persist[i].key, redisai.tensor_type, t);
		tensor_replicate(ctx, d->persist[i].key, t);
	}
	return NULL;
}

static void reply_op(const struct dag *d, struct RedisModuleCtx *ctx, const struct dag_op *op)
{
	const struct tensor *t;

	if (op->kind == OP_TENSORGET) {
		t = d->slots[d->index[op->in]].tensor;
		if (t)
			tensor_reply(ctx, t, op->format);
		else
			RedisModule_ReplyWithSimpleString(ctx, "NA");
	} else if (op->state == OP_DONE) {
		RedisModule_ReplyWithSimpleString(ctx, "OK");
	} else if (op->state == OP_FAILED) {
		RedisModule_ReplyWithError(ctx, op->error ? op->error : ERROR_OUT_OF_MEMORY);
	} else {
		RedisModule_ReplyWithSimpleString(ctx, "NA");
	}
}

int dag_reply(struct dag *d, struct RedisModuleCtx *ctx)
{
	const char *problem;

	if (d->timed_out)
		return RedisModule_ReplyWithSimpleString(ctx, "TIMEDOUT");
	if (!d->failed && d->npersist) {
		problem = persist(d, ctx);
		if (problem)
			return RedisModule_ReplyWithError(ctx, problem);
	}
	if (!d->single)
		RedisModule_ReplyWithArray(ctx, (long)d->nops);
	for (uint32_t i = 0; i < d->nops; i++)
		reply_op(d, ctx, &d->ops[i]);
	return REDISMODULE_OK;
}
