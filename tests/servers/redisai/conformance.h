/*
 * conformance.h - the table of commands as data: what is asked, what is answered, and what holds of the keys it leaves.
 *
 * The rows are RedisAI's surface row by row: every command with each of its optional arguments in both generations, and
 * each error text. They say nothing of the server, so that the same rows hold alone, on a replica, after an append-only
 * file and on a shard: all keys hash to the slot of {t}.
 */
#ifndef TESTS_SERVERS_REDISAI_CONFORMANCE_H
#define TESTS_SERVERS_REDISAI_CONFORMANCE_H

#include "tests/servers/redisai/harness.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NO_TRANSACTION "ERR Cannot run RedisAI command within a transaction or a LUA script"
#define STORE_MUL "TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL"

struct conformance_block {
	const char *name;
	const struct exchange *rows; /* from an empty keyspace on */
	size_t nrows;
	const struct exchange *kept; /* read the keys that the rows leave, and change nothing */
	size_t nkept;
	size_t again; /* rows from here on hold over and over, once models are known to be quick too; 0: asked once */
};
#define BLOCK(name, rows, kept) BLOCK_AGAIN(name, rows, kept, 0)
#define BLOCK_AGAIN(name, rows, kept, again) \
	{ \
		name, rows, ARRAY_LEN(rows), kept, ARRAY_LEN(kept), again \
	}

extern const struct conformance_block conformance_tensors[], conformance_models[], conformance_scripts[],
	conformance_runs[];
extern const size_t conformance_ntensors, conformance_nmodels, conformance_nscripts, conformance_nruns;

/* Names the values that rows use ($MUL, $TFLITE, $ONE…), and lets go of them. */
void conformance_define(void);
void conformance_release(void);

/* A server's module arguments for the rows: TORCH is the backend of the tests. */
const char *const *conformance_module_arguments(void);

/* All blocks in order: the i-th, or NULL after the last. */
const struct conformance_block *conformance_block(size_t i);

#endif
