/*
 * fake_strings.h - RedisModule_… of strings: counted references to bytes, and numbers read as strictly as Redis does.
 */
#ifndef FUZZ_SERVERS_REDISAI_FAKE_STRINGS_H
#define FUZZ_SERVERS_REDISAI_FAKE_STRINGS_H

#include "fuzz/servers/redisai/fake_redis.h"

struct RedisModuleString *fake_CreateString(struct RedisModuleCtx *ctx, const char *data, size_t len);
struct RedisModuleString *fake_CreateStringFromLongLong(struct RedisModuleCtx *ctx, long long value);
struct RedisModuleString *fake_HoldString(struct RedisModuleCtx *ctx, struct RedisModuleString *s);
void fake_FreeString(struct RedisModuleCtx *ctx, struct RedisModuleString *s);
const char *fake_StringPtrLen(const struct RedisModuleString *s, size_t *len);
int fake_StringToLongLong(const struct RedisModuleString *s, long long *ret);
int fake_StringToDouble(const struct RedisModuleString *s, double *ret);

#endif
