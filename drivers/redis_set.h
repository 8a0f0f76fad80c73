/*
 * redis_set.h - plain SET of each row's reference data: the ceiling of client and server, to set RedisAI's rate beside.
 */
#ifndef DRIVERS_REDIS_SET_H
#define DRIVERS_REDIS_SET_H

#include "drivers/driver.h"

struct redis_set_options {
	const char *host, *port; /* comma lists */
};

extern const struct driver_ops driver_redis_set;

#endif
