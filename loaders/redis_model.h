/*
 * redis_model.h - stores a model file in RedisAI: AI.MODELSTORE, or AI.MODELSET where the server is older.
 *
 * A standalone server gets it as NAME. In a cluster every shard gets it as {t}NAME, t being the lowest number whose slot
 * that shard serves, so that each shard can run it on its own keys.
 */
#ifndef LOADERS_REDIS_MODEL_H
#define LOADERS_REDIS_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "net/conn.h"

struct redis_model_config {
	const struct endpoint *endpoint;
	const struct tls_config *tls; /* NULL: plain */
	const struct conn_options *conn;
	unsigned database; /* SELECTed unless 0 */
	bool cluster_mode; /* the server must be able to say whether it is a cluster; one is recognised without, too */
	const char *name, *path;
	const char *backend, *device;                           /* TF, TFLITE, TORCH, ONNX; CPU, GPU, CPU:1 … */
	const char *tag;                                        /* "": none */
	const char *inputs, *outputs;                           /* names separated by commas; TF only */
	uint64_t batch_size, min_batch_size, min_batch_timeout; /* milliseconds; 0: not sent */
};

struct redis_model_summary {
	uint64_t bytes;
	unsigned shards;
	bool cluster;
};

int redis_model_store(struct redis_model_summary *ret, const struct redis_model_config *cfg,
		      struct error *err) MUST_CHECK;

#endif
