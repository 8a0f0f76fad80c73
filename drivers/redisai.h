/*
 * redisai.h - the driver of RedisAI servers, the bundled one and RedisAI itself.
 */
#ifndef DRIVERS_REDISAI_H
#define DRIVERS_REDISAI_H

#include <stdbool.h>

#include "drivers/driver.h"

struct redisai_options {
	const char *host, *port; /* comma lists */
	const char *model;       /* NULL: redisai_model_default */
	bool use_dag, cluster_mode;
};

extern const struct driver_ops driver_redisai;

/* The model's key: as given, or AIBench's name for a net with or without reference data. */
const char *redisai_model(const struct redisai_options *o, bool reference);

#endif
