/*
 * config.c - loadmodule's arguments and AI.CONFIG.
 */
#include "servers/redisai/config.h"

#include <limits.h>

#include "servers/redisai/module.h"

#define MODEL_CHUNK_SIZE_DEFAULT 535822336 /* 511 MB: under the largest string of Redis */

/* Numbers that may be given when the module is loaded. */
static const struct {
	const char *name;
	size_t offset;
	long long min, max;
} numbers[] = {
	{"THREADS_PER_QUEUE", offsetof(struct config, threads_per_queue), 1, 1024},
	{"INTRA_OP_PARALLELISM", offsetof(struct config, intra_op_parallelism), 0, 1024},
	{"INTER_OP_PARALLELISM", offsetof(struct config, inter_op_parallelism), 0, 1024},
	{"MODEL_CHUNK_SIZE", offsetof(struct config, model_chunk_size), 1, LLONG_MAX},
	{"MODEL_EXECUTION_TIMEOUT", offsetof(struct config, model_execution_timeout), 1000, LLONG_MAX},
	{"BACKEND_MEMORY_LIMIT", offsetof(struct config, backend_memory_limit), 0, LLONG_MAX},
};

void config_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	c->threads_per_queue = 1;
	c->model_execution_timeout = 5000;
	c->model_chunk_size = MODEL_CHUNK_SIZE_DEFAULT;
}

void config_release(struct config *c)
{
	if (c->backends_path)
		RedisModule_FreeString(NULL, c->backends_path);
	c->backends_path = NULL;
}

static void set_backends_path(struct config *c, struct RedisModuleString *path)
{
	config_release(c);
	c->backends_path = RedisModule_HoldString(NULL, path);
}

static bool is_backend(const struct RedisModuleString *name, enum backend *ret)
{
	struct arg a = arg_view(name);

	return backend_parse(ret, a.data, a.len);
}

static int load_argument(struct config *c, struct RedisModuleCtx *ctx, struct RedisModuleString *key,
			 struct RedisModuleString *value, struct error *err)
{
	struct arg k = arg_view(key), v = arg_view(value);
	enum backend backend;
	long long number;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!arg_is(key, numbers[i].name))
			continue;
		if (RedisModule_StringToLongLong(value, &number) != REDISMODULE_OK || number < numbers[i].min ||
		    number > numbers[i].max)
			return error_set(err, ERR_RANGE, "%s is to be a number from %lld on, not \"%.*s\"",
					 numbers[i].name, numbers[i].min, (int)v.len, v.data);
		memcpy((char *)c + numbers[i].offset, &number, sizeof(number));
		return 0;
	}
	if (arg_is(key, "BACKENDSPATH")) {
		set_backends_path(c, value);
		return 0;
	}
	if (is_backend(key, &backend)) {
		if (backend_is_native(backend))
			RedisModule_Log(ctx, "notice", "backend %.*s: the module's own is used, not %.*s", (int)k.len,
					k.data, (int)v.len, v.data);
		return backend_load(backend, v.data, err);
	}
	return error_set(err, ERR_INVALID, "unknown module argument \"%.*s\"", (int)k.len, k.data);
}

int config_load_arguments(struct config *c, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
			  struct error *err)
{
	if (argc % 2 != 0)
		return error_set(err, ERR_INVALID, "module arguments come in pairs of key and value");
	for (int i = 0; i < argc; i += 2) {
		int r = load_argument(c, ctx, argv[i], argv[i + 1], err);

		if (r < 0)
			return r;
	}
	return 0;
}

static int command_get(struct RedisModuleCtx *ctx, const struct config *c, struct RedisModuleString *name)
{
	if (arg_is(name, "BACKENDSPATH") && c->backends_path) {
		struct arg path = arg_view(c->backends_path);

		return RedisModule_ReplyWithStringBuffer(ctx, path.data, path.len);
	}
	if (arg_is(name, "MODEL_CHUNK_SIZE"))
		return RedisModule_ReplyWithLongLong(ctx, c->model_chunk_size);
	return RedisModule_ReplyWithNull(ctx);
}

static int command_load_backend(struct RedisModuleCtx *ctx, struct RedisModuleString *name,
				struct RedisModuleString *path)
{
	enum backend backend;
	struct error err;

	if (!is_backend(name, &backend))
		return RedisModule_ReplyWithError(ctx, "ERR unsupported backend");
	if (backend_load(backend, arg_view(path).data, &err) < 0) {
		RedisModule_Log(ctx, "warning", "backend %s: %s", backend_name(backend), err.text);
		return RedisModule_ReplyWithError(ctx, "ERR error loading backend");
	}
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int config_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct config *c = &redisai.config;
	long long n;

	if (argc < 2)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.CONFIG"));
	if (arg_is(argv[1], "LOADBACKEND")) {
		if (argc != 4)
			return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.CONFIG"));
		return command_load_backend(ctx, argv[2], argv[3]);
	}
	if (arg_is(argv[1], "BACKENDSPATH")) {
		if (argc < 3)
			return RedisModule_ReplyWithError(ctx, "ERR BACKENDSPATH: missing path argument");
		set_backends_path(c, argv[2]);
		return RedisModule_ReplyWithSimpleString(ctx, "OK");
	}
	if (arg_is(argv[1], "MODEL_CHUNK_SIZE")) {
		if (argc < 3)
			return RedisModule_ReplyWithError(ctx, "ERR MODEL_CHUNK_SIZE: missing chunk size");
		if (RedisModule_StringToLongLong(argv[2], &n) != REDISMODULE_OK || n <= 0)
			return RedisModule_ReplyWithError(ctx, "ERR MODEL_CHUNK_SIZE: invalid chunk size");
		c->model_chunk_size = n;
		return RedisModule_ReplyWithSimpleString(ctx, "OK");
	}
	if (arg_is(argv[1], "GET")) {
		if (argc < 3)
			return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.CONFIG"));
		return command_get(ctx, c, argv[2]);
	}
	return RedisModule_ReplyWithError(ctx, "ERR unsupported subcommand");
}
