/*
 * stored.h - what models and scripts have in common as values of keys: who refers to them, where they run, how they are
 * listed, and AI.INFO's numbers.
 *
 * Reference-counted: the key holds one reference and every command under way another, so that a value may be deleted
 * or replaced while it runs. The last reference may be dropped on any thread (FLUSHALL ASYNC frees in the background).
 */
#ifndef SERVERS_REDISAI_STORED_H
#define SERVERS_REDISAI_STORED_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"
#include "common/error.h"
#include "engine/tensor.h"
#include "servers/redisai/backends.h"
#include "servers/redisai/device.h"
#include "servers/redisai/redis_api.h"

/* Written by workers and by the main thread. */
struct run_counters {
	atomic_ullong duration_ns, samples, calls, errors;
};

/* Those that keys hold, for the SCAN commands. Guards the name and the links of each. */
struct registry {
	pthread_mutex_t lock;
	struct stored *first;
};

struct stored {
	atomic_uint references;
	enum backend backend;
	char device_name[DEVICE_NAME_MAX + 1]; /* as given */
	struct device *device;
	char *tag;
	size_t tag_len;
	struct run_counters counters;
	/* The key that holds it, and its place in the registry meanwhile. */
	char *key;
	size_t key_len;
	struct stored *previous, *next;
};

/* Where the value comes from; strings are copied. */
struct stored_parts {
	enum backend backend;
	const char *device;
	size_t device_len; /* 1 to DEVICE_NAME_MAX */
	const char *key;   /* what messages and the registry call it */
	size_t key_len;
	const char *tag;
	size_t tag_len;
};

/* Fills a zeroed struct, with one reference; the device's queue is started where it is new. err holds the whole error
 * reply. Released also after a failure. */
int stored_init(struct stored *s, const struct stored_parts *p, struct error *err) MUST_CHECK;
void stored_release(struct stored *s);
size_t stored_memory(const struct stored *s); /* without the struct */

/* What the value says of itself, for DEBUG DIGEST; the sequence goes on. */
void stored_digest(struct RedisModuleDigest *md, const struct stored *s);
void digest_texts(struct RedisModuleDigest *md, char *const *texts, size_t n);

static inline void stored_ref(struct stored *s)
{
	atomic_fetch_add_explicit(&s->references, 1, memory_order_relaxed);
}

/* True: that was the last one. */
static inline bool stored_unref(struct stored *s)
{
	return atomic_fetch_sub_explicit(&s->references, 1, memory_order_acq_rel) == 1;
}

void registry_init(struct registry *r);
void registry_add(struct registry *r, struct stored *s);
void registry_remove(struct registry *r, struct stored *s);
/* The key got another name. */
void registry_rename(struct registry *r, struct stored *s, const char *key, size_t key_len);
/* Array of [key, tag]. */
int registry_reply(struct registry *r, struct RedisModuleCtx *ctx);

/* Strings from Redis' allocator, NUL-terminated; NULL when out of memory. */
char *text_copy(const char *text, size_t len);
char **texts_copy(const char *const *list, size_t n);
void texts_free(char **list, size_t n);

/* One run. samples: dim 0 of the first output, as far as there is one. */
void run_count(struct run_counters *c, nsec_t run_time, unsigned long long samples, bool failed);

int info_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

#endif
