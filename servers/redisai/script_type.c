/*
 * script_type.c - scripts as values of keys: RDB and AOF. Version 3 of the encoding brought the entry points.
 */
#include "servers/redisai/script_type.h"

#include "servers/redisai/module.h"
#include "servers/redisai/rdb_texts.h"

static void save(struct RedisModuleIO *rdb, void *value)
{
	const struct stored_script *s = value;

	RedisModule_SaveStringBuffer(rdb, s->stored.device_name, strlen(s->stored.device_name) + 1);
	RedisModule_SaveStringBuffer(rdb, s->stored.tag, s->stored.tag_len);
	RedisModule_SaveStringBuffer(rdb, s->source, s->source_len + 1);
	rdb_save_texts(rdb, s->entry_points, s->nentry_points);
}

/* What is read before it becomes a script; strings are Redis' own. */
struct loading {
	char *device, *tag, *source, **entry_points;
	size_t device_len, tag_len, source_len, nentry_points;
};

static bool load_fields(struct RedisModuleIO *rdb, int encver, struct loading *l)
{
	l->device = RedisModule_LoadStringBuffer(rdb, &l->device_len);
	if (!l->device)
		return false;
	l->tag = RedisModule_LoadStringBuffer(rdb, &l->tag_len);
	if (!l->tag)
		return false;
	l->source = RedisModule_LoadStringBuffer(rdb, &l->source_len);
	if (!l->source || l->source_len == 0 || l->source[l->source_len - 1] != '\0')
		return false;
	if (encver >= 3 && !rdb_load_texts(rdb, &l->entry_points, &l->nentry_points))
		return false;
	return !RedisModule_IsIOError(rdb);
}

static struct stored_script *build(const struct loading *l, const struct RedisModuleString *key, int encver,
				   struct error *err)
{
	const struct stored_script_parts p = {
		.stored = {.backend = BACKEND_TORCH,
			   .device = l->device,
			   .device_len = strnlen(l->device, l->device_len),
			   .key = arg_view(key).data,
			   .key_len = arg_view(key).len,
			   .tag = l->tag,
			   /* The first version wrote the tag's NUL too. */
			   .tag_len = l->tag_len - (encver == 0 && l->tag_len)},
		.source = l->source,
		.source_len = l->source_len - 1,
		.entry_points = (const char *const *)l->entry_points,
		.nentry_points = l->nentry_points,
	};
	struct stored_script *s;

	if (!device_name_usable(p.stored.device_len)) {
		error_set(err, ERR_FORMAT, "the value cannot be read");
		return NULL;
	}
	if (stored_script_new(&s, &p, false, err) < 0)
		return NULL;
	registry_add(&redisai.scripts, &s->stored);
	return s;
}

static void *load(struct RedisModuleIO *rdb, int encver)
{
	struct error err = {"the value cannot be read"};
	struct stored_script *s = NULL;
	struct loading l = {0};

	if (encver > RDB_ENCODING_VERSION) {
		RedisModule_LogIOError(rdb, "warning", "AI_SCRIPT: version %d is newer than this module", encver);
		return NULL;
	}
	if (load_fields(rdb, encver, &l))
		s = build(&l, RedisModule_GetKeyNameFromIO(rdb), encver, &err);
	RedisModule_Free(l.device);
	RedisModule_Free(l.tag);
	RedisModule_Free(l.source);
	rdb_free_texts(l.entry_points, l.nentry_points);
	if (!s)
		RedisModule_LogIOError(rdb, "warning", "AI_SCRIPT: %s", err.text);
	return s;
}

static void rewrite(struct RedisModuleIO *aof, struct RedisModuleString *key, void *value)
{
	const struct stored_script *s = value;
	size_t n = s->nentry_points;
	struct RedisModuleString **words = RedisModule_Calloc(n + 1, sizeof(struct RedisModuleString *));

	for (size_t i = 0; i < n; i++)
		words[i] = RedisModule_CreateString(NULL, s->entry_points[i], strlen(s->entry_points[i]));
	/* What the older SCRIPTSET made has no entry points, and is made by it again. */
	if (n)
		RedisModule_EmitAOF(aof, "AI.SCRIPTSTORE", "sccbclvcb", key, s->stored.device_name, "TAG",
				    s->stored.tag, s->stored.tag_len, "ENTRY_POINTS", (long long)n, words, n, "SOURCE",
				    s->source, s->source_len);
	else
		RedisModule_EmitAOF(aof, "AI.SCRIPTSET", "sccbcb", key, s->stored.device_name, "TAG", s->stored.tag,
				    s->stored.tag_len, "SOURCE", s->source, s->source_len);
	for (size_t i = 0; i < n; i++)
		RedisModule_FreeString(NULL, words[i]);
	RedisModule_Free(words);
}

/* DEBUG DIGEST: what SCRIPTGET shows, as one ordered sequence. */
static void digest(struct RedisModuleDigest *md, void *value)
{
	const struct stored_script *s = value;

	stored_digest(md, &s->stored);
	digest_texts(md, s->entry_points, s->nentry_points);
	RedisModule_DigestAddStringBuffer(md, s->source, s->source_len);
	RedisModule_DigestEndSequence(md);
}

/* The key lets go; commands that hold the script finish with it. */
static void release(void *value)
{
	struct stored_script *s = value;

	registry_remove(&redisai.scripts, &s->stored);
	stored_script_unref(s);
}

static size_t memory(const void *value)
{
	return stored_script_memory(value);
}

const struct RedisModuleTypeMethods script_type_methods = {
	.version = REDISMODULE_TYPE_METHOD_VERSION,
	.rdb_load = load,
	.rdb_save = save,
	.aof_rewrite = rewrite,
	.mem_usage = memory,
	.digest = digest,
	.free = release,
};
