/*
 * fake_redis.h - a Redis of a few hundred lines for fuzz targets: the whole module runs on it, in this process.
 *
 * It holds the module to what Redis relies on and aborts where a promise is broken: every command answers exactly once,
 * at once or when it unblocks its client, with well-formed arrays, and reports only arguments that it has as keys.
 */
#ifndef FUZZ_SERVERS_REDISAI_FAKE_REDIS_H
#define FUZZ_SERVERS_REDISAI_FAKE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "servers/redisai/redis_api.h"

struct RedisModuleString {
	size_t len;
	unsigned references;
	char data[];
};

/* Aborts, saying what does not hold. */
void fake_redis_check(bool holds, const char *what);

/* Loads the module, the first time it is called. */
void fake_redis_start(void);
struct RedisModuleString *fake_redis_string(const char *data, size_t len);
void fake_redis_string_free(struct RedisModuleString *s);
/* Runs a command and waits until it has answered. batches: it may wait for others, and its models are to go first.
 * False: the answer is an error, or there is no such command. */
bool fake_redis_run(struct RedisModuleString **argv, int argc, bool batches);
/* Commands run as if they came from an append-only file. */
void fake_redis_set_loading(bool loading);
/* Drops all keys. */
void fake_redis_flush(void);

/* The value at a key that is there. */
void *fake_redis_value(const struct RedisModuleString *name);

/* A type that the module has registered; NULL if there is none of that name. */
const struct RedisModuleTypeMethods *fake_redis_type(const char *name);

/* GraphDef: a = Placeholder, b = Placeholder, mul = Mul(a, b), all of them float. The same each time. */
const char *fake_redis_model(size_t *ret_len);

#endif
