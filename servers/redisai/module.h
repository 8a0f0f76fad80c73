/*
 * module.h - what the files of the module share: its one state, and how commands read arguments and answer errors.
 */
#ifndef SERVERS_REDISAI_MODULE_H
#define SERVERS_REDISAI_MODULE_H

#include <string.h>
#include <strings.h>

#include "common/error.h"
#include "engine/tensor.h"
#include "servers/redisai/backends.h"
#include "servers/redisai/config.h"
#include "servers/redisai/dag.h"
#include "servers/redisai/device.h"
#include "servers/redisai/redis_api.h"
#include "servers/redisai/stored_model.h"
#include "servers/redisai/stored_script.h"

#define MODULE_NAME "ai"
#define MODULE_VERSION 10200
#define MODULE_VERSION_TEXT "1.2.0"
#define LOW_LEVEL_API_VERSION 1
#define RDB_ENCODING_VERSION 4

/* The state of the module in this process. Redis hands command callbacks no pointer of ours, hence the one global. */
struct module {
	struct config config;
	struct devices devices;
	struct backends backends;
	struct registry models, scripts;
	struct dag_pool pool;
	struct RedisModuleType *tensor_type, *model_type, *script_type;
};

extern struct module redisai;

/* Tensors and weights come from Redis' allocator, so that used_memory counts them. Out of memory is NULL, not an abort,
 * where the server can (Redis 7). */
extern const struct allocator redis_allocator;

/* What Redis is told that freeing so many bytes costs: UNLINK and FLUSHALL ASYNC leave more than 64 to another thread,
 * where one is an element of a list. Giving 64 KiB back to the system takes about as long. */
static inline size_t free_cost(size_t bytes)
{
	return 1 + (bytes >> 16);
}

#define WRONG_ARITY(name) "ERR wrong number of arguments for '" name "' command"
#define ERROR_TENSOR_KEY_EMPTY "ERR tensor key is empty or in a different shard"
#define ERROR_MODEL_KEY_EMPTY "ERR model key is empty"
#define ERROR_SCRIPT_KEY_EMPTY "ERR script key is empty"
#define ERROR_NO_TRANSACTION "ERR Cannot run RedisAI command within a transaction or a LUA script"
#define ERROR_OUT_OF_MEMORY "ERR out of memory"

/* An argument as a view. */
struct arg {
	const char *data;
	size_t len;
};

static inline struct arg arg_view(const struct RedisModuleString *s)
{
	struct arg a;

	a.data = RedisModule_StringPtrLen(s, &a.len);
	return a;
}

/* Keywords are matched without regard to case, command names too. */
static inline bool arg_is(const struct RedisModuleString *s, const char *word)
{
	struct arg a = arg_view(s);

	return a.len == strlen(word) && strncasecmp(a.data, word, a.len) == 0;
}

/* What is wrong with a command, as a client reads it; always ERR_INVALID. */
static inline int command_invalid(struct error *err, const char *text)
{
	return error_set(err, ERR_INVALID, "ERR %s", text);
}

/* What a master or an AOF says was found right where it was said first: it is kept even where it could not be said or
 * run here. */
static inline bool command_is_replayed(struct RedisModuleCtx *ctx)
{
	return RedisModule_GetContextFlags(ctx) & (REDISMODULE_CTX_FLAGS_REPLICATED | REDISMODULE_CTX_FLAGS_LOADING);
}

/* The value at key. Missing: ERR_NOT_FOUND with the text `missing`; of another type: ERR_INVALID with WRONGTYPE. The
 * value is Redis' own; take a reference to keep it. */
int keyspace_get(struct RedisModuleCtx *ctx, struct RedisModuleString *key, struct RedisModuleType *type,
		 const char *missing, void **ret, struct error *err) MUST_CHECK;
/* Puts value at key, replacing what is there whatever its type. The key takes over the value. */
int keyspace_set(struct RedisModuleCtx *ctx, struct RedisModuleString *key, struct RedisModuleType *type, void *value);
/* Fails as keyspace_get. */
int keyspace_delete(struct RedisModuleCtx *ctx, struct RedisModuleString *key, struct RedisModuleType *type,
		    const char *missing, struct error *err) MUST_CHECK;
/* There is something at key, and of another type. */
bool keyspace_holds_other(struct RedisModuleCtx *ctx, struct RedisModuleString *key, struct RedisModuleType *type);

int reply_texts(struct RedisModuleCtx *ctx, char *const *texts, size_t n);

#endif
