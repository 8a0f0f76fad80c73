/*
 * registry.c - the one list of drivers.
 */
#include <string.h>

#include "drivers/driver.h"
#include "drivers/null.h"
#include "drivers/redis_set.h"
#include "drivers/redisai.h"
#include "drivers/rest.h"
#include "drivers/tensorflow_serving.h"
#include "drivers/torchserve.h"
#include "drivers/triton.h"

/* clang-format off */
const struct driver_ops *const drivers[] = {
	&driver_null,
	&driver_redisai,
	&driver_redis_set,
	&driver_tensorflow_serving,
	&driver_triton,
	&driver_torchserve,
	&driver_rest,
	NULL,
};
/* clang-format on */

const struct driver_ops *driver_find(const char *name)
{
	for (const struct driver_ops *const *d = drivers; *d; d++) {
		if (strcmp((*d)->name, name) == 0)
			return *d;
	}
	return NULL;
}
