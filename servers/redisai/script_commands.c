/*
 * script_commands.c - AI.SCRIPTSTORE, SCRIPTSET, SCRIPTGET, SCRIPTDEL and _SCRIPTSCAN.
 */
#include "servers/redisai/module.h"
#include "servers/redisai/script_type.h"
#include "servers/redisai/words.h"

/* What a script's command line said: views of the arguments, but for the array of names. */
struct script_args {
	struct stored_script_parts parts;
	const char **entry_points;
};

/* "ENTRY_POINTS n f…" */
static int parse_entry_points(struct script_args *a, struct words *w, struct error *err)
{
	static const char missing[] = "Insufficient arguments, missing script entry points";
	long long n;

	if (!words_take(w, "ENTRY_POINTS"))
		return command_invalid(err, missing);
	if (!words_take_number(w, &n))
		return command_invalid(err, "Non numeric entry points number provided to AI.SCRIPTSTORE command");
	if (n <= 0 || n > words_left(w))
		return command_invalid(err, missing);
	a->entry_points = redis_allocator.calloc((size_t)n, sizeof(*a->entry_points));
	if (!a->entry_points)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	for (long long i = 0; i < n; i++)
		a->entry_points[i] = arg_view(w->argv[w->at++]).data;
	a->parts.entry_points = a->entry_points;
	a->parts.nentry_points = (size_t)n;
	return 0;
}

/* "key device [TAG t] [ENTRY_POINTS n f…] SOURCE s" after the command's name. */
static int parse(struct script_args *a, struct words *w, bool entry_points, bool replayed, struct error *err)
{
	struct arg key = arg_view(w->argv[w->at]), device = arg_view(w->argv[w->at + 1]), tag = {"", 0}, source;
	int r = 0;

	w->at += 2;
	if (!(replayed ? device_name_usable(device.len) : device_name_valid(device.data, device.len)))
		return command_invalid(err, "Invalid DEVICE");
	if (words_take(w, "TAG") && words_left(w))
		tag = arg_view(w->argv[w->at++]);
	if (entry_points)
		r = parse_entry_points(a, w, err);
	if (r < 0)
		return r;
	if (!words_take(w, "SOURCE") || words_left(w) == 0)
		return command_invalid(err, "Insufficient arguments, missing script SOURCE");
	source = arg_view(w->argv[w->at]);
	a->parts.stored = (struct stored_parts){.backend = BACKEND_TORCH,
						.device = device.data,
						.device_len = device.len,
						.key = key.data,
						.key_len = key.len,
						.tag = tag.data,
						.tag_len = tag.len};
	a->parts.source = source.data;
	a->parts.source_len = source.len;
	return 0;
}

static int store(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc, bool entry_points)
{
	struct words w = {.argv = argv, .argc = argc, .at = 1};
	struct script_args a = {.entry_points = NULL};
	struct stored_script *s;
	struct error err;
	bool replayed = command_is_replayed(ctx);
	int r = parse(&a, &w, entry_points, replayed, &err);

	if (r == 0 && keyspace_holds_other(ctx, argv[1], redisai.script_type))
		r = error_set(&err, ERR_INVALID, REDISMODULE_ERRORMSG_WRONGTYPE);
	if (r == 0)
		r = stored_script_new(&s, &a.parts, !replayed, &err);
	redis_allocator.free(a.entry_points);
	if (r < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	keyspace_set(ctx, argv[1], redisai.script_type, s);
	registry_add(&redisai.scripts, &s->stored);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int scriptstore_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	if (argc < 8)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.SCRIPTSTORE"));
	return store(ctx, argv, argc, true);
}

int scriptset_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	if (argc != 5 && argc != 7)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.SCRIPTSET"));
	return store(ctx, argv, argc, false);
}

static int reply_source(struct RedisModuleCtx *ctx, const struct stored_script *s)
{
	return RedisModule_ReplyWithStringBuffer(ctx, s->source, s->source_len);
}

int scriptget_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	bool meta = false, source = false;
	const struct stored_script *s;
	struct error err;
	void *value;

	if (argc < 2 || argc > 4)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.SCRIPTGET"));
	if (keyspace_get(ctx, argv[1], redisai.script_type, ERROR_SCRIPT_KEY_EMPTY, &value, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	s = value;
	for (int i = 2; i < argc; i++) {
		meta = meta || arg_is(argv[i], "META");
		source = source || arg_is(argv[i], "SOURCE");
	}
	if (!meta && source)
		return reply_source(ctx, s);
	source = source || !meta;
	RedisModule_ReplyWithArray(ctx, source ? 8 : 6);
	RedisModule_ReplyWithCString(ctx, "device");
	RedisModule_ReplyWithCString(ctx, s->stored.device_name);
	RedisModule_ReplyWithCString(ctx, "tag");
	RedisModule_ReplyWithStringBuffer(ctx, s->stored.tag, s->stored.tag_len);
	RedisModule_ReplyWithCString(ctx, "Entry Points");
	reply_texts(ctx, s->entry_points, s->nentry_points);
	if (source) {
		RedisModule_ReplyWithCString(ctx, "source");
		reply_source(ctx, s);
	}
	return REDISMODULE_OK;
}

int scriptdel_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct error err;

	if (argc != 2)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.SCRIPTDEL"));
	if (keyspace_delete(ctx, argv[1], redisai.script_type, ERROR_SCRIPT_KEY_EMPTY, &err) < 0)
		return RedisModule_ReplyWithError(ctx, err.text);
	RedisModule_ReplicateVerbatim(ctx);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}

int scriptscan_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	(void)argv;
	if (argc != 1)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI._SCRIPTSCAN"));
	return registry_reply(&redisai.scripts, ctx);
}
