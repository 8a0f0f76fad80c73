/*
 * redis_api.c - binds Redis' functions by name.
 */
#include "servers/redisai/redis_api.h"

#include <string.h>

#include "common/arith.h"

#define REDIS_API_DEFINE(type, name, args) type(*RedisModule_##name) args;
REDIS_API_LIST(REDIS_API_DEFINE)
REDIS_API_OPTIONAL_LIST(REDIS_API_DEFINE)
#undef REDIS_API_DEFINE

/* Where each function's address goes: Redis writes it there whatever the function's type. */
struct binding {
	const char *name;
	void *address;
};

#define REDIS_API_ROW(type, name, args) {"RedisModule_" #name, (void *)&RedisModule_##name},
static const struct binding required[] = {REDIS_API_LIST(REDIS_API_ROW)};
static const struct binding optional[] = {REDIS_API_OPTIONAL_LIST(REDIS_API_ROW)};
#undef REDIS_API_ROW

const char *redis_api_bind(struct RedisModuleCtx *ctx)
{
	int (*get_api)(const char *name, void *ret);

	/* A context begins with the address of the function that finds all others. */
	memcpy(&get_api, ctx, sizeof(get_api));
	for (size_t i = 0; i < ARRAY_LEN(required); i++) {
		if (get_api(required[i].name, required[i].address) != REDISMODULE_OK)
			return required[i].name;
	}
	/* Those that are not there stay NULL. */
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		(void)get_api(optional[i].name, optional[i].address);
	return NULL;
}
