/*
 * redis_api.c - binds Redis' functions by name.
 */
#include "servers/redisai/redis_api.h"

#include <string.h>

#define REDIS_API_DEFINE(type, name, args) type(*RedisModule_##name) args;
REDIS_API_LIST(REDIS_API_DEFINE)
REDIS_API_OPTIONAL_LIST(REDIS_API_DEFINE)
#undef REDIS_API_DEFINE

const char *redis_api_bind(struct RedisModuleCtx *ctx)
{
	int (*get_api)(const char *name, void *ret);

	/* A context begins with the address of the function that finds all others. */
	memcpy(&get_api, ctx, sizeof(get_api));
#define REDIS_API_BIND(type, name, args) \
	if (get_api("RedisModule_" #name, &RedisModule_##name) != REDISMODULE_OK) \
		return #name;
	REDIS_API_LIST(REDIS_API_BIND)
#undef REDIS_API_BIND
#define REDIS_API_TRY(type, name, args) \
	if (get_api("RedisModule_" #name, &RedisModule_##name) != REDISMODULE_OK) \
		RedisModule_##name = NULL;
	REDIS_API_OPTIONAL_LIST(REDIS_API_TRY)
#undef REDIS_API_TRY
	return NULL;
}
