/*
 * model_commands.c - AI.MODELSTORE, MODELSET, MODELGET, MODELDEL and _MODELSCAN.
 */
#include "servers/redisai/model_type.h"
#include "servers/redisai/module.h"

/* Takes over the arguments. */
static int store(struct RedisModuleCtx *ctx, struct RedisModuleString *key, struct model_args *a)
{
	struct stored_model *m;
	struct error err;
	int r;

	if (keyspace_holds_other(ctx, key, redisai.model_type)) {
		model_args_release(a);
		return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
	}
	r = stored_model_new(&m, &a->parts, &err);
	if (r == 0) {
		a->parts.blob = NULL;
		r = command_is_replayed(ctx) ? 0 : stored_model_check_batching(m, &err);
		if (r < 0)
			stored_model_unref(m);
	}
	model_args_release(a);
	if (r < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	keyspace_set(ctx, key, redisai.model_type, m);
	registry_add(&redisai.models, &m->stored);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int modelstore_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct model_args a;
	struct error err;

	if (argc < 6)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.MODELSTORE"));
	if (model_parse_store(&a, argv, argc, command_is_replayed(ctx), &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	return store(ctx, argv[1], &a);
}

int modelset_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct model_args a;
	struct error err;

	if (argc < 4)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.MODELSET"));
	if (model_parse_set(&a, argv, argc, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	return store(ctx, argv[1], &a);
}

static void reply_blob(struct RedisModuleCtx *ctx, const struct stored_model *m)
{
	size_t chunk = (size_t)redisai.config.model_chunk_size, n = model_chunks(m->blob_len, chunk);

	if (n > 1)
		RedisModule_ReplyWithArray(ctx, (long)n);
	for (size_t i = 0; i < n; i++)
		RedisModule_ReplyWithStringBuffer(ctx, m->blob + i * chunk, i < n - 1 ? chunk : m->blob_len % chunk);
}

static void reply_meta(struct RedisModuleCtx *ctx, const struct stored_model *m)
{
	RedisModule_ReplyWithCString(ctx, "backend");
	RedisModule_ReplyWithCString(ctx, backend_name(m->stored.backend));
	RedisModule_ReplyWithCString(ctx, "device");
	RedisModule_ReplyWithCString(ctx, m->stored.device_name);
	RedisModule_ReplyWithCString(ctx, "tag");
	RedisModule_ReplyWithStringBuffer(ctx, m->stored.tag, m->stored.tag_len);
	RedisModule_ReplyWithCString(ctx, "batchsize");
	RedisModule_ReplyWithLongLong(ctx, (long long)m->batching.size);
	RedisModule_ReplyWithCString(ctx, "minbatchsize");
	RedisModule_ReplyWithLongLong(ctx, (long long)m->batching.min_size);
	RedisModule_ReplyWithCString(ctx, "inputs");
	reply_texts(ctx, m->inputs, m->ninputs);
	RedisModule_ReplyWithCString(ctx, "outputs");
	reply_texts(ctx, m->outputs, m->noutputs);
	RedisModule_ReplyWithCString(ctx, "minbatchtimeout");
	RedisModule_ReplyWithLongLong(ctx, (long long)m->min_timeout_ms);
}

int modelget_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	bool meta = false, blob = false;
	struct error err;
	void *m;

	if (argc < 2 || argc > 4)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.MODELGET"));
	if (keyspace_get(ctx, argv[1], redisai.model_type, ERROR_MODEL_KEY_EMPTY, &m, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	for (int i = 2; i < argc; i++) {
		meta = meta || arg_is(argv[i], "META");
		blob = blob || arg_is(argv[i], "BLOB");
	}
	if (!meta && blob) {
		reply_blob(ctx, m);
		return REDISMODULE_OK;
	}
	blob = blob || !meta;
	RedisModule_ReplyWithArray(ctx, blob ? 18 : 16);
	reply_meta(ctx, m);
	if (blob) {
		RedisModule_ReplyWithCString(ctx, "blob");
		reply_blob(ctx, m);
	}
	return REDISMODULE_OK;
}

int modeldel_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct error err;

	if (argc != 2)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.MODELDEL"));
	if (keyspace_delete(ctx, argv[1], redisai.model_type, ERROR_MODEL_KEY_EMPTY, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int modelscan_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	(void)argv;
	if (argc != 1)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI._MODELSCAN"));
	return registry_reply(&redisai.models, ctx);
}
