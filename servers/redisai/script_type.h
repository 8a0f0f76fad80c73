/*
 * script_type.h - the key type AI_SCRIPT and the commands that store, show and delete scripts.
 */
#ifndef SERVERS_REDISAI_SCRIPT_TYPE_H
#define SERVERS_REDISAI_SCRIPT_TYPE_H

#include "servers/redisai/redis_api.h"

extern const struct RedisModuleTypeMethods script_type_methods;

int scriptstore_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int scriptset_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int scriptget_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int scriptdel_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int scriptscan_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

#endif
