/*
 * registry.c - the one list of drivers.
 */
#include <string.h>

#include "drivers/driver.h"
#include "drivers/null.h"
#include "drivers/redis_set.h"
#include "drivers/redisai.h"

const struct driver_ops *const drivers[] = {
	&driver_null,
	&driver_redisai,
	&driver_redis_set,
	NULL,
};

const struct driver_ops *driver_find(const char *name)
{
	for (const struct driver_ops *const *d = drivers; *d; d++) {
		if (strcmp((*d)->name, name) == 0)
			return *d;
	}
	return NULL;
}
