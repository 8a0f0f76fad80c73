/*
 * run_commands.c - the commands that run something: what may run where, and which keys they touch.
 */
#include "servers/redisai/module.h"

/* How one of the spellings differs from the others. */
struct run_command {
	int min_argc;
	const char *arity_error;
	int (*parse)(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
		     bool deprecated, struct error *err);
	bool deprecated, read_only;
};

static bool in_transaction(struct RedisModuleCtx *ctx)
{
	return RedisModule_GetContextFlags(ctx) & (REDISMODULE_CTX_FLAGS_MULTI | REDISMODULE_CTX_FLAGS_LUA);
}

static int run(const struct run_command *c, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct error err;
	struct dag *d;
	int r;

	if (in_transaction(ctx))
		return RedisModule_ReplyWithError(ctx, ERROR_NO_TRANSACTION);
	if (argc < c->min_argc)
		return RedisModule_ReplyWithError(ctx, c->arity_error);
	d = dag_new(&redisai.pool, argc);
	if (!d)
		return RedisModule_ReplyWithError(ctx, ERROR_OUT_OF_MEMORY);
	d->read_only = c->read_only;
	r = c->parse(d, ctx, argv, argc, c->deprecated, &err);
	if (r < 0) {
		dag_free(d);
		return RedisModule_ReplyWithError(ctx, err.text);
	}
	return dag_run(d, ctx);
}

/* What a command does with a key. */
enum use {
	USE_READ = REDISMODULE_CMD_KEY_RO | REDISMODULE_CMD_KEY_ACCESS,
	USE_WRITE = REDISMODULE_CMD_KEY_OW | REDISMODULE_CMD_KEY_UPDATE,
	USE_ANY = REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_ACCESS | REDISMODULE_CMD_KEY_UPDATE,
	USE_NAME = REDISMODULE_CMD_KEY_RO, /* says where the command is to run, is neither read nor written */
};

/* Before version 7 Redis did not ask what becomes of a key. */
static void report_key(struct RedisModuleCtx *ctx, int at, enum use use)
{
	if (RedisModule_KeyAtPosWithFlags)
		RedisModule_KeyAtPosWithFlags(ctx, at, (int)use);
	else
		RedisModule_KeyAtPos(ctx, at);
}

/* Reports the keys at [at, at + n), as far as there are arguments. */
static void report_keys(struct RedisModuleCtx *ctx, int argc, int at, int n, enum use use)
{
	for (int i = 0; i < n && at + i < argc; i++)
		report_key(ctx, at + i, use);
}

static enum use use_after(const struct RedisModuleString *keyword)
{
	if (arg_is(keyword, "INPUTS") || arg_is(keyword, "LOAD"))
		return USE_READ;
	return arg_is(keyword, "KEYS") ? USE_ANY : USE_WRITE; /* a script may do anything with its KEYS */
}

/* 0 for what is no count; never more than there are arguments. */
static int count_at(struct RedisModuleString **argv, int argc, int at)
{
	long long n;

	if (at >= argc || RedisModule_StringToLongLong(argv[at], &n) != REDISMODULE_OK || n <= 0)
		return 0;
	return n < argc ? (int)n : argc;
}

static void keys_of_modelrun(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	const struct RedisModuleString *keyword = NULL;

	report_keys(ctx, argc, 1, 1, USE_READ);
	for (int i = 2; i < argc; i++) {
		if (arg_is(argv[i], "INPUTS") || arg_is(argv[i], "OUTPUTS"))
			keyword = argv[i];
		else if (keyword)
			report_key(ctx, i, use_after(keyword));
	}
}

static void keys_of_modelexecute(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	int n;

	report_keys(ctx, argc, 1, 1, USE_READ);
	for (int i = 2; i + 1 < argc; i += 2 + n) {
		if (!arg_is(argv[i], "INPUTS") && !arg_is(argv[i], "OUTPUTS"))
			return;
		n = count_at(argv, argc, i + 1);
		report_keys(ctx, argc, i + 2, n, use_after(argv[i]));
	}
}

static void keys_of_scriptrun(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	const struct RedisModuleString *keyword = NULL;

	report_keys(ctx, argc, 1, 1, USE_READ);
	for (int i = 3; i < argc; i++) {
		if (arg_is(argv[i], "INPUTS") || arg_is(argv[i], "OUTPUTS"))
			keyword = argv[i];
		else if (keyword && !arg_is(argv[i], "$"))
			report_key(ctx, i, use_after(keyword));
	}
}

static void keys_of_scriptexecute(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	int n;

	report_keys(ctx, argc, 1, 1, USE_READ);
	for (int i = 3; i + 1 < argc; i += 2 + n) {
		n = count_at(argv, argc, i + 1);
		if (arg_is(argv[i], "KEYS") || arg_is(argv[i], "INPUTS") || arg_is(argv[i], "OUTPUTS"))
			report_keys(ctx, argc, i + 2, n, use_after(argv[i]));
		else if (!arg_is(argv[i], "ARGS"))
			return;
	}
}

/* The keys that are named before the first operation, and each model that an operation names the new way: reporting
 * those of the old way would give CROSSSLOT where RedisAI gives none. */
static void keys_of_dag(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	int i = 1;

	while (i < argc && !arg_is(argv[i], "|>")) {
		if (arg_is(argv[i], "LOAD") || arg_is(argv[i], "PERSIST")) {
			int n = count_at(argv, argc, i + 1);

			report_keys(ctx, argc, i + 2, n, use_after(argv[i]));
			i += 2 + n;
		} else if (arg_is(argv[i], "ROUTING")) {
			report_keys(ctx, argc, i + 1, 1, USE_NAME);
			i += 2;
		} else {
			i += arg_is(argv[i], "TIMEOUT") ? 2 : 1;
		}
	}
	for (; i + 2 < argc; i++) {
		if (arg_is(argv[i], "|>") &&
		    (arg_is(argv[i + 1], "AI.MODELEXECUTE") || arg_is(argv[i + 1], "AI.SCRIPTEXECUTE")))
			report_key(ctx, i + 2, USE_READ);
	}
}

int modelrun_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {6, WRONG_ARITY("AI.MODELRUN"), .parse = dag_parse_model,
					     .deprecated = true};

	if (RedisModule_IsKeysPositionRequest(ctx)) {
		keys_of_modelrun(ctx, argv, argc);
		return REDISMODULE_OK;
	}
	return run(&c, ctx, argv, argc);
}

int modelexecute_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {8, WRONG_ARITY("AI.MODELEXECUTE"), .parse = dag_parse_model};

	if (RedisModule_IsKeysPositionRequest(ctx)) {
		keys_of_modelexecute(ctx, argv, argc);
		return REDISMODULE_OK;
	}
	return run(&c, ctx, argv, argc);
}

int scriptrun_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {3, WRONG_ARITY("AI.SCRIPTRUN"), .parse = dag_parse_script,
					     .deprecated = true};

	if (RedisModule_IsKeysPositionRequest(ctx)) {
		keys_of_scriptrun(ctx, argv, argc);
		return REDISMODULE_OK;
	}
	return run(&c, ctx, argv, argc);
}

int scriptexecute_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {3, WRONG_ARITY("AI.SCRIPTEXECUTE"), .parse = dag_parse_script};

	if (RedisModule_IsKeysPositionRequest(ctx)) {
		keys_of_scriptexecute(ctx, argv, argc);
		return REDISMODULE_OK;
	}
	return run(&c, ctx, argv, argc);
}

static int dag_command(const struct run_command *c, struct RedisModuleCtx *ctx, struct RedisModuleString **argv,
		       int argc)
{
	if (RedisModule_IsKeysPositionRequest(ctx)) {
		keys_of_dag(ctx, argv, argc);
		return REDISMODULE_OK;
	}
	return run(c, ctx, argv, argc);
}

int dagrun_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {4, WRONG_ARITY("AI.DAGRUN"), .parse = dag_parse, .deprecated = true};

	return dag_command(&c, ctx, argv, argc);
}

int dagrun_ro_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {4, WRONG_ARITY("AI.DAGRUN_RO"), .parse = dag_parse, .deprecated = true,
					     .read_only = true};

	return dag_command(&c, ctx, argv, argc);
}

int dagexecute_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {6, "ERR missing arguments for 'AI.DAGEXECUTE' command",
					     .parse = dag_parse};

	return dag_command(&c, ctx, argv, argc);
}

int dagexecute_ro_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	static const struct run_command c = {6, "ERR missing arguments for 'AI.DAGEXECUTE_RO' command",
					     .parse = dag_parse, .read_only = true};

	return dag_command(&c, ctx, argv, argc);
}
