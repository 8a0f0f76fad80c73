/*
 * redisai_encode.h - one inference in RedisAI's commands, as AIBench words them.
 */
#ifndef DRIVERS_REDISAI_ENCODE_H
#define DRIVERS_REDISAI_ENCODE_H

#include <stdbool.h>

#include "drivers/resp_template.h"
#include "workloads/workload.h"

struct redisai_form {
	const struct workload_spec *spec; /* its reference inputs are fetched by the server, the others sent */
	const char *model;                /* key of the model */
	const char *tag; /* hash tag of all keys but those of reference data; NULL: each key's id is its tag */
	unsigned batch;  /* tensor batch */
	bool dag;        /* one AI.DAGRUN, or AI.TENSORSET, AI.MODELRUN and AI.TENSORGET in a pipeline */
	bool persist;    /* a DAG leaves the output tensor in the keyspace (the pipeline always does) */
};

/* Commands in a DAG, and replies of the pipelined form. */
#define REDISAI_STEPS(spec) ((spec)->ninputs - redisai_references(spec) + 2)

/* How many of the inputs are reference data. */
unsigned redisai_references(const struct workload_spec *spec);

/* Zero-initialised t becomes the form's template; an encode's payloads are the request's inputs, its id the row's or,
 * of anonymous rows, the worker's number. */
int redisai_template(struct resp_template *t, const struct redisai_form *form) MUST_CHECK;

#endif
