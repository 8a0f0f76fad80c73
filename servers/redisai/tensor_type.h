/*
 * tensor_type.h - the key type AI_TENSOR and its two commands.
 */
#ifndef SERVERS_REDISAI_TENSOR_TYPE_H
#define SERVERS_REDISAI_TENSOR_TYPE_H

#include "engine/tensor.h"
#include "servers/redisai/redis_api.h"

extern const struct RedisModuleTypeMethods tensor_type_methods;
/* Sends t to replicas and the AOF as AI.TENSORSET key … BLOB. */
void tensor_replicate(struct RedisModuleCtx *ctx, struct RedisModuleString *key, const struct tensor *t);

int tensorset_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int tensorget_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

#endif
