/*
 * redisai.h - the driver of RedisAI servers, the bundled one and RedisAI itself.
 */
#ifndef DRIVERS_REDISAI_H
#define DRIVERS_REDISAI_H

#include <stdbool.h>

#include "drivers/driver.h"

struct redisai_options {
	const char *host, *port; /* comma lists */
	const char *model;       /* NULL: redisai_model */
	bool use_dag, persist_results, cluster_mode;
};

extern const struct driver_ops driver_redisai;

/* The model's key: as given, or AIBench's name for the use case's net with or without reference data. */
const char *redisai_model(const struct redisai_options *o, const char *use_case, bool reference);

#endif
