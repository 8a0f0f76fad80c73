/*
 * dag_parse_op.h - what the parsers of command lines share: one operation that runs a model or a script, as a command of
 * its own or within a DAG.
 */
#ifndef SERVERS_REDISAI_DAG_PARSE_OP_H
#define SERVERS_REDISAI_DAG_PARSE_OP_H

#include "servers/redisai/dag.h"
#include "servers/redisai/words.h"

struct op_context {
	struct dag *dag;
	struct RedisModuleCtx *ctx;
	bool in_dag; /* names are slots; else keys, and a TIMEOUT may be given */
};

#define ERROR_TIMEOUT_IN_DAG "ERR TIMEOUT not allowed within a DAG command"

/* The number after TIMEOUT; missing: what is said where there is none. */
int op_parse_timeout(struct dag *d, struct words *w, const char *missing, struct error *err) MUST_CHECK;
/* The tensor at key as a slot of that name. */
int op_load_slot(const struct op_context *c, struct RedisModuleString *key, uint32_t *ret,
		 struct error *err) MUST_CHECK;

/* Keys of the operation, whose numbers have been checked. */
struct op_keys {
	struct RedisModuleString **inputs, **outputs;
	uint32_t nin, nout;
	uint32_t marks, mark_at; /* 1: a word that is no key stands between inputs, before this one */
};

/* Adds the operation, which takes a reference to its model or script. */
int op_add(const struct op_context *c, struct dag_op op, const struct op_keys *keys, struct error *err) MUST_CHECK;

/* Each after the command's name, which w begins behind. */
int op_parse_modelrun(const struct op_context *c, struct words *w, struct error *err) MUST_CHECK;
int op_parse_modelexecute(const struct op_context *c, struct words *w, struct error *err) MUST_CHECK;
int op_parse_scriptrun(const struct op_context *c, struct words *w, struct error *err) MUST_CHECK;
int op_parse_scriptexecute(const struct op_context *c, struct words *w, struct error *err) MUST_CHECK;

#endif
