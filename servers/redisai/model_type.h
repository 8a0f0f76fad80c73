/*
 * model_type.h - the key type AI__MODEL and the commands that store, show and delete models.
 */
#ifndef SERVERS_REDISAI_MODEL_TYPE_H
#define SERVERS_REDISAI_MODEL_TYPE_H

#include "common/error.h"
#include "servers/redisai/redis_api.h"
#include "servers/redisai/stored_model.h"

extern const struct RedisModuleTypeMethods model_type_methods;

/* What MODELSTORE or MODELSET said. Views of the arguments, except for parts.blob and the arrays of names. */
struct model_args {
	struct stored_model_parts parts;
	const char **names; /* inputs, then outputs */
};

/* replayed: the command is to load, as what made the model was less strict: MODELSET takes any device, and no inputs. */
int model_parse_store(struct model_args *ret, struct RedisModuleString **argv, int argc, bool replayed,
		      struct error *err) MUST_CHECK;
int model_parse_set(struct model_args *ret, struct RedisModuleString **argv, int argc, struct error *err) MUST_CHECK;
void model_args_release(struct model_args *a);

/* Chunks that a blob of len bytes is cut into, RedisAI's way: one more than needed where it divides evenly. */
size_t model_chunks(size_t len, size_t chunk_size);

int modelstore_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int modelset_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int modelget_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int modeldel_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int modelscan_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

#endif
