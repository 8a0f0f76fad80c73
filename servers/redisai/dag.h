/*
 * dag.h - one command that runs something, as operations over tensor slots.
 *
 * AI.DAG… is a list of operations; AI.MODELRUN, AI.SCRIPTRUN and their newer spellings are one operation whose inputs
 * are loaded and whose outputs persist. Operations run in line on the main thread from the first one on as long as
 * they are quick; the rest, if any, become jobs on their devices' queues, each waiting for the jobs that make its
 * inputs and for the one before it on its device, while the client is blocked. Parsing (dag_parse.c), running
 * (dag_run.c) and replying (dag_reply.c) only meet in the structures below.
 */
#ifndef SERVERS_REDISAI_DAG_H
#define SERVERS_REDISAI_DAG_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "servers/redisai/redis_api.h"
#include "servers/redisai/stored_model.h"
#include "servers/redisai/stored_script.h"
#include "servers/redisai/tensor_args.h"

/* A tensor under one of the command's names. A name that is written again gets a new slot. */
struct dag_slot {
	const char *name; /* a view of the argument, valid while parsing */
	size_t len;
	uint32_t hash, next; /* next: older slot of the same bucket */
	struct tensor *tensor;
};

enum dag_op_kind { OP_TENSORSET, OP_TENSORGET, OP_MODEL, OP_SCRIPT };
enum dag_op_state { OP_NOT_RUN, OP_DONE, OP_FAILED };

struct dag_op {
	enum dag_op_kind kind;
	enum dag_op_state state;
	uint32_t in, nin, out, nout; /* positions in dag->index and dag->tensors */
	unsigned format;             /* TENSORGET */
	struct stored_model *model;
	/* Of a script: its function, keys and arguments follow each other in dag->words. */
	struct stored_script *script;
	uint32_t words, nkeys, nargs;
	uint32_t list_at; /* inputs from here on are one list; nin: there is none */
	char *error;      /* FAILED */
};

struct dag_persist {
	struct RedisModuleString *key; /* held by a deferred command */
	uint32_t slot;
};

struct dag_job;
struct dag_edge;

struct dag {
	bool single;    /* reply of MODELRUN: no array */
	bool read_only; /* …_RO: nothing may persist */
	nsec_t deadline;
	uint32_t nops, nslots, nindex, npersist, nwords;
	struct dag_op *ops;
	struct dag_slot *slots;
	uint32_t *index;         /* slots of the operations' inputs and outputs */
	struct tensor **tensors; /* the same as arrays to run on */
	struct dag_persist *persist;
	struct RedisModuleString **words; /* what scripts are given besides tensors; held by a deferred command */
	uint32_t *buckets;                /* of slots by name, once there are many */
	uint32_t nbuckets;
	struct tensor_arena arena;
	/* Of a deferred command: */
	struct RedisModuleBlockedClient *client;
	pthread_mutex_t lock;
	struct dag_job *jobs;
	struct dag_edge *edges; /* in the block of jobs */
	uint32_t pending;       /* jobs submitted and not done */
	bool failed, timed_out;
	/* Of the pool: */
	struct dag_pool *pool;
	struct dag *next;
	uint32_t capacity; /* arguments that it has room for */
};

/* Structures of past commands, for the next; main thread only. */
struct dag_pool {
	struct dag *free;
	unsigned count;
};

#define DAG_NO_SLOT UINT32_MAX

/* An empty command with room for what argc arguments can say. NULL: out of memory. */
struct dag *dag_new(struct dag_pool *pool, int argc);
void dag_free(struct dag *d);
void dag_pool_release(struct dag_pool *pool);

/* A new slot of that name (a view); takes over the reference t, which may be NULL: made by an operation later. */
uint32_t dag_add_slot(struct dag *d, const char *name, size_t len, struct tensor *t);
/* The latest slot of that name, or DAG_NO_SLOT. */
uint32_t dag_find_slot(const struct dag *d, const char *name, size_t len);

/* A whole command line into d, with err the whole error reply. deprecated: in the older spelling. */
int dag_parse(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc, bool deprecated,
	      struct error *err) MUST_CHECK;
int dag_parse_model(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
		    bool deprecated, struct error *err) MUST_CHECK;
int dag_parse_script(struct dag *d, struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc,
		     bool deprecated, struct error *err) MUST_CHECK;

/* Runs and answers, now or later; takes over d. */
int dag_run(struct dag *d, struct RedisModuleCtx *ctx);

/* Writes what persists, then the reply. */
int dag_reply(struct dag *d, struct RedisModuleCtx *ctx);

int modelrun_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int modelexecute_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int scriptrun_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int scriptexecute_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int dagrun_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int dagrun_ro_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int dagexecute_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);
int dagexecute_ro_command(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc);

#endif
