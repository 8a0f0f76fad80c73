/*
 * fake_strings.c - strings of the fake Redis.
 */
#include "fuzz/servers/redisai/fake_strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct RedisModuleString *fake_CreateString(struct RedisModuleCtx *ctx, const char *data, size_t len)
{
	struct RedisModuleString *s = malloc(sizeof(*s) + len + 1);

	(void)ctx;
	fake_redis_check(s, "out of memory");
	s->len = len;
	s->references = 1;
	memcpy(s->data, data, len);
	s->data[len] = '\0';
	return s;
}

struct RedisModuleString *fake_CreateStringFromLongLong(struct RedisModuleCtx *ctx, long long value)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%lld", value);

	return fake_CreateString(ctx, text, (size_t)n);
}

struct RedisModuleString *fake_HoldString(struct RedisModuleCtx *ctx, struct RedisModuleString *s)
{
	(void)ctx;
	s->references++;
	return s;
}

void fake_FreeString(struct RedisModuleCtx *ctx, struct RedisModuleString *s)
{
	(void)ctx;
	if (--s->references == 0)
		free(s);
}

const char *fake_StringPtrLen(const struct RedisModuleString *s, size_t *len)
{
	*len = s->len;
	return s->data;
}

int fake_StringToLongLong(const struct RedisModuleString *s, long long *ret)
{
	char again[32], *end;
	long long v = strtoll(s->data, &end, 10);

	snprintf(again, sizeof(again), "%lld", v);
	if (end != s->data + s->len || strcmp(again, s->data) != 0)
		return REDISMODULE_ERR;
	*ret = v;
	return REDISMODULE_OK;
}

int fake_StringToDouble(const struct RedisModuleString *s, double *ret)
{
	char *end;
	double v = strtod(s->data, &end);

	if (s->len == 0 || end != s->data + s->len || v != v)
		return REDISMODULE_ERR;
	*ret = v;
	return REDISMODULE_OK;
}
