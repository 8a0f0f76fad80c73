/*
 * config.h - what the module is told: arguments of loadmodule, and AI.CONFIG.
 */
#ifndef SERVERS_REDISAI_CONFIG_H
#define SERVERS_REDISAI_CONFIG_H

#include <stdint.h>

#include "common/error.h"
#include "servers/redisai/redis_api.h"

struct config {
	long long threads_per_queue;
	long long intra_op_parallelism, inter_op_parallelism; /* 0: one thread */
	long long model_execution_timeout;                    /* ms; reported, a run is never interrupted */
	long long backend_memory_limit;                       /* MB; reported */
	long long model_chunk_size;                           /* bytes: MODELGET and RDB cut blobs at it */
	struct RedisModuleString *backends_path;              /* NULL: not set */
};

void config_defaults(struct config *c);
/* Pairs of key and value; an unknown key, a bad value or an odd number is an error that names it. */
int config_load_arguments(struct config *c, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
			  struct error *err) MUST_CHECK;
void config_release(struct config *c);

int config_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

#endif
