/*
 * model_commands.c - AI.MODELSTORE, MODELSET, MODELGET, MODELDEL, _MODELSCAN and AI.INFO.
 */
#include "servers/redisai/model_type.h"
#include "servers/redisai/module.h"

static bool holds_other_type(struct RedisModuleCtx *ctx, struct RedisModuleString *name)
{
	struct RedisModuleKey *key = RedisModule_OpenKey(ctx, name, REDISMODULE_READ);
	bool other = key && RedisModule_KeyType(key) != REDISMODULE_KEYTYPE_EMPTY &&
		     RedisModule_ModuleTypeGetType(key) != redisai.model_type;

	RedisModule_CloseKey(key);
	return other;
}

/* Takes over the arguments. */
static int store(struct RedisModuleCtx *ctx, struct RedisModuleString *key, struct model_args *a)
{
	struct stored_model *m;
	struct error err;
	int r;

	if (holds_other_type(ctx, key)) {
		model_args_release(a);
		return RedisModule_ReplyWithError(ctx, REDISMODULE_ERRORMSG_WRONGTYPE);
	}
	r = stored_model_new(&m, &a->parts, &err);
	if (r == 0) {
		a->parts.blob = NULL;
		r = stored_model_check_batching(m, &err);
		if (r < 0)
			stored_model_unref(m);
	}
	model_args_release(a);
	if (r < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	keyspace_set(ctx, key, redisai.model_type, m);
	model_registry_add(&redisai.registry, m);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int modelstore_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct model_args a;
	struct error err;

	if (argc < 6)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.MODELSTORE"));
	if (model_parse_store(&a, argv, argc, &err) < 0)
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

static void reply_names(struct RedisModuleCtx *ctx, char *const *names, size_t n)
{
	RedisModule_ReplyWithArray(ctx, (long)n);
	for (size_t i = 0; i < n; i++)
		RedisModule_ReplyWithCString(ctx, names[i]);
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
	RedisModule_ReplyWithCString(ctx, backend_name(m->backend));
	RedisModule_ReplyWithCString(ctx, "device");
	RedisModule_ReplyWithCString(ctx, m->device_name);
	RedisModule_ReplyWithCString(ctx, "tag");
	RedisModule_ReplyWithStringBuffer(ctx, m->tag, m->tag_len);
	RedisModule_ReplyWithCString(ctx, "batchsize");
	RedisModule_ReplyWithLongLong(ctx, (long long)m->batching.size);
	RedisModule_ReplyWithCString(ctx, "minbatchsize");
	RedisModule_ReplyWithLongLong(ctx, (long long)m->batching.min_size);
	RedisModule_ReplyWithCString(ctx, "inputs");
	reply_names(ctx, m->inputs, m->ninputs);
	RedisModule_ReplyWithCString(ctx, "outputs");
	reply_names(ctx, m->outputs, m->noutputs);
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
	struct RedisModuleKey *key;
	struct error err;
	void *m;

	if (argc != 2)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.MODELDEL"));
	if (keyspace_get(ctx, argv[1], redisai.model_type, ERROR_MODEL_KEY_EMPTY, &m, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	key = RedisModule_OpenKey(ctx, argv[1], REDISMODULE_READ | REDISMODULE_WRITE);
	RedisModule_DeleteKey(key);
	RedisModule_CloseKey(key);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int modelscan_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct model_registry *r = &redisai.registry;
	long n = 0;

	(void)argv;
	if (argc != 1)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI._MODELSCAN"));
	RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
	pthread_mutex_lock(&r->lock);
	for (const struct stored_model *m = r->first; m; m = m->next, n++) {
		RedisModule_ReplyWithArray(ctx, 2);
		RedisModule_ReplyWithStringBuffer(ctx, m->key, m->key_len);
		RedisModule_ReplyWithStringBuffer(ctx, m->tag, m->tag_len);
	}
	pthread_mutex_unlock(&r->lock);
	RedisModule_ReplySetArrayLength(ctx, n);
	return REDISMODULE_OK;
}

static void reply_counter(struct RedisModuleCtx *ctx, const char *name, atomic_ullong *counter, unsigned unit)
{
	RedisModule_ReplyWithCString(ctx, name);
	RedisModule_ReplyWithLongLong(ctx, (long long)(atomic_load_explicit(counter, memory_order_relaxed) / unit));
}

static void reply_info(struct RedisModuleCtx *ctx, struct arg key, struct stored_model *m)
{
	struct run_counters *c = &m->counters;

	RedisModule_ReplyWithArray(ctx, 18);
	RedisModule_ReplyWithCString(ctx, "key");
	RedisModule_ReplyWithStringBuffer(ctx, key.data, key.len);
	RedisModule_ReplyWithCString(ctx, "type");
	RedisModule_ReplyWithCString(ctx, "MODEL");
	RedisModule_ReplyWithCString(ctx, "backend");
	RedisModule_ReplyWithCString(ctx, backend_name(m->backend));
	RedisModule_ReplyWithCString(ctx, "device");
	RedisModule_ReplyWithCString(ctx, m->device_name);
	RedisModule_ReplyWithCString(ctx, "tag");
	RedisModule_ReplyWithStringBuffer(ctx, m->tag, m->tag_len);
	reply_counter(ctx, "duration", &c->duration_ns, NSEC_PER_USEC);
	reply_counter(ctx, "samples", &c->samples, 1);
	reply_counter(ctx, "calls", &c->calls, 1);
	reply_counter(ctx, "errors", &c->errors, 1);
}

int info_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct stored_model *m;
	struct run_counters *c;
	struct error err;
	void *value;

	if (argc < 2 || argc > 3)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.INFO"));
	if (keyspace_get(ctx, argv[1], redisai.model_type, "", &value, &err) < 0)
		return RedisModule_ReplyWithError(ctx, "ERR cannot find run info for key");
	m = value;
	c = &m->counters;
	if (argc == 2) {
		reply_info(ctx, arg_view(argv[1]), m);
		return REDISMODULE_OK;
	}
	if (!arg_is(argv[2], "RESETSTAT"))
		return RedisModule_ReplyWithError(ctx, "ERR unsupported subcommand");
	atomic_store_explicit(&c->duration_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&c->samples, 0, memory_order_relaxed);
	atomic_store_explicit(&c->calls, 0, memory_order_relaxed);
	atomic_store_explicit(&c->errors, 0, memory_order_relaxed);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}
