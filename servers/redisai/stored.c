/*
 * stored.c - life, registry and counters of models and scripts; AI.INFO.
 */
#include "servers/redisai/stored.h"

#include "servers/redisai/module.h"

char *text_copy(const char *text, size_t len)
{
	char *s = redis_allocator.alloc(len + 1);

	if (s) {
		memcpy(s, text, len);
		s[len] = '\0';
	}
	return s;
}

void texts_free(char **list, size_t n)
{
	for (size_t i = 0; list && i < n; i++)
		redis_allocator.free(list[i]);
	redis_allocator.free(list);
}

char **texts_copy(const char *const *list, size_t n)
{
	char **copy = redis_allocator.calloc(n ? n : 1, sizeof(char *));

	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = text_copy(list[i], strlen(list[i]));
		if (!copy[i]) {
			texts_free(copy, n);
			return NULL;
		}
	}
	return copy;
}

int stored_init(struct stored *s, const struct stored_parts *p, struct error *err)
{
	struct queue_config queue = {
		.threads = (unsigned)redisai.config.threads_per_queue,
		.intra_op = (unsigned)redisai.config.intra_op_parallelism,
	};

	atomic_init(&s->references, 1);
	s->backend = p->backend;
	memcpy(s->device_name, p->device, p->device_len);
	s->key = text_copy(p->key, p->key_len);
	s->key_len = p->key_len;
	s->tag = text_copy(p->tag, p->tag_len);
	s->tag_len = p->tag_len;
	if (!s->key || !s->tag)
		return error_set(err, ERR_NOMEM, ERROR_OUT_OF_MEMORY);
	return devices_get(&redisai.devices, &queue, p->device, p->device_len, &s->device, err);
}

void stored_release(struct stored *s)
{
	redis_allocator.free(s->tag);
	redis_allocator.free(s->key);
}

size_t stored_memory(const struct stored *s)
{
	return s->tag_len + 1 + s->key_len + 1;
}

static void digest_text(struct RedisModuleDigest *md, const char *text)
{
	RedisModule_DigestAddStringBuffer(md, text, strlen(text));
}

void stored_digest(struct RedisModuleDigest *md, const struct stored *s)
{
	digest_text(md, backend_name(s->backend));
	digest_text(md, s->device_name);
	RedisModule_DigestAddStringBuffer(md, s->tag, s->tag_len);
}

void digest_texts(struct RedisModuleDigest *md, char *const *texts, size_t n)
{
	RedisModule_DigestAddLongLong(md, (long long)n);
	for (size_t i = 0; i < n; i++)
		digest_text(md, texts[i]);
}

void registry_init(struct registry *r)
{
	pthread_mutex_init(&r->lock, NULL);
	r->first = NULL;
}

void registry_add(struct registry *r, struct stored *s)
{
	pthread_mutex_lock(&r->lock);
	s->next = r->first;
	s->previous = NULL;
	if (r->first)
		r->first->previous = s;
	r->first = s;
	pthread_mutex_unlock(&r->lock);
}

void registry_remove(struct registry *r, struct stored *s)
{
	pthread_mutex_lock(&r->lock);
	if (s->next)
		s->next->previous = s->previous;
	if (s->previous)
		s->previous->next = s->next;
	else if (r->first == s)
		r->first = s->next;
	s->next = s->previous = NULL;
	pthread_mutex_unlock(&r->lock);
}

void registry_rename(struct registry *r, struct stored *s, const char *key, size_t key_len)
{
	char *copy = text_copy(key, key_len), *old = s->key;

	if (!copy)
		return; /* listed under its old name, rather than not at all */
	pthread_mutex_lock(&r->lock);
	s->key = copy;
	s->key_len = key_len;
	pthread_mutex_unlock(&r->lock);
	redis_allocator.free(old);
}

int registry_reply(struct registry *r, struct RedisModuleCtx *ctx)
{
	long n = 0;

	RedisModule_ReplyWithArray(ctx, REDISMODULE_POSTPONED_LEN);
	pthread_mutex_lock(&r->lock);
	for (const struct stored *s = r->first; s; s = s->next, n++) {
		RedisModule_ReplyWithArray(ctx, 2);
		RedisModule_ReplyWithStringBuffer(ctx, s->key, s->key_len);
		RedisModule_ReplyWithStringBuffer(ctx, s->tag, s->tag_len);
	}
	pthread_mutex_unlock(&r->lock);
	RedisModule_ReplySetArrayLength(ctx, n);
	return REDISMODULE_OK;
}

void run_count(struct run_counters *c, nsec_t run_time, unsigned long long samples, bool failed)
{
	atomic_fetch_add_explicit(&c->calls, 1, memory_order_relaxed);
	if (failed) {
		atomic_fetch_add_explicit(&c->errors, 1, memory_order_relaxed);
		return;
	}
	atomic_fetch_add_explicit(&c->samples, samples, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->duration_ns, (unsigned long long)run_time, memory_order_relaxed);
}

static long long counter(atomic_ullong *c)
{
	return (long long)atomic_load_explicit(c, memory_order_relaxed);
}

static int reply_info(struct RedisModuleCtx *ctx, struct arg key, struct stored *s, bool script)
{
	struct run_counters *c = &s->counters;

	RedisModule_ReplyWithArray(ctx, 18);
	RedisModule_ReplyWithCString(ctx, "key");
	RedisModule_ReplyWithStringBuffer(ctx, key.data, key.len);
	RedisModule_ReplyWithCString(ctx, "type");
	RedisModule_ReplyWithCString(ctx, script ? "SCRIPT" : "MODEL");
	RedisModule_ReplyWithCString(ctx, "backend");
	RedisModule_ReplyWithCString(ctx, backend_name(s->backend));
	RedisModule_ReplyWithCString(ctx, "device");
	RedisModule_ReplyWithCString(ctx, s->device_name);
	RedisModule_ReplyWithCString(ctx, "tag");
	RedisModule_ReplyWithStringBuffer(ctx, s->tag, s->tag_len);
	RedisModule_ReplyWithCString(ctx, "duration");
	RedisModule_ReplyWithLongLong(ctx, counter(&c->duration_ns) / NSEC_PER_USEC);
	RedisModule_ReplyWithCString(ctx, "samples");
	RedisModule_ReplyWithLongLong(ctx, script ? -1 : counter(&c->samples));
	RedisModule_ReplyWithCString(ctx, "calls");
	RedisModule_ReplyWithLongLong(ctx, counter(&c->calls));
	RedisModule_ReplyWithCString(ctx, "errors");
	RedisModule_ReplyWithLongLong(ctx, counter(&c->errors));
	return REDISMODULE_OK;
}

static void reset(struct run_counters *c)
{
	atomic_store_explicit(&c->duration_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&c->samples, 0, memory_order_relaxed);
	atomic_store_explicit(&c->calls, 0, memory_order_relaxed);
	atomic_store_explicit(&c->errors, 0, memory_order_relaxed);
}

/* The model or script at key, or NULL. */
static struct stored *find(struct RedisModuleCtx *ctx, struct RedisModuleString *key, bool *ret_script)
{
	void *value;

	if (keyspace_get(ctx, key, redisai.model_type, "", &value, NULL) == 0) {
		*ret_script = false;
		return &((struct stored_model *)value)->stored;
	}
	if (keyspace_get(ctx, key, redisai.script_type, "", &value, NULL) == 0) {
		*ret_script = true;
		return &((struct stored_script *)value)->stored;
	}
	return NULL;
}

int info_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	struct stored *s;
	bool script;

	if (argc < 2 || argc > 3)
		return RedisModule_ReplyWithError(ctx, WRONG_ARITY("AI.INFO"));
	s = find(ctx, argv[1], &script);
	if (!s)
		return RedisModule_ReplyWithError(ctx, "ERR cannot find run info for key");
	if (argc == 2)
		return reply_info(ctx, arg_view(argv[1]), s, script);
	if (!arg_is(argv[2], "RESETSTAT"))
		return RedisModule_ReplyWithError(ctx, "ERR unsupported subcommand");
	reset(&s->counters);
	return RedisModule_ReplyWithSimpleString(ctx, "OK");
}
