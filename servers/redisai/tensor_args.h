/*
 * tensor_args.h - tensors as command arguments and as replies.
 */
#ifndef SERVERS_REDISAI_TENSOR_ARGS_H
#define SERVERS_REDISAI_TENSOR_ARGS_H

#include "common/error.h"
#include "engine/tensor.h"
#include "servers/redisai/redis_api.h"

/* What TENSORGET is to show: a set of these. */
enum { TENSOR_META = 1, TENSOR_BLOB = 2, TENSOR_VALUES = 4 };

/* Memory for the small tensors of one command: they live as long as the command does. */
struct tensor_arena {
	char *memory;
	size_t size, used;
};

/*
 * "dtype dim… [BLOB b | VALUES v…]". The tensor is the caller's reference; with an arena it may be a view in there (it
 * has no allocator then and must be copied to outlive the arena). replayed: a model may have made the tensor, and given
 * it dimensions of 0. err holds the whole error reply.
 */
int tensor_parse(struct tensor **ret, struct RedisModuleString **argv, int argc, bool replayed,
		 struct tensor_arena *arena, struct error *err) MUST_CHECK;
/* "[META] [BLOB|VALUES]" */
int tensor_parse_format(unsigned *ret, struct RedisModuleString **argv, int argc, struct error *err) MUST_CHECK;
void tensor_reply(struct RedisModuleCtx *ctx, const struct tensor *t, unsigned format);
/* A copy of a view, or another reference to anything else. */
int tensor_keep(struct tensor **ret, struct tensor *t) MUST_CHECK;

#endif
