/*
 * redisai_check.h - the control plane of a RedisAI run: is the server what the run needs, and what does it count.
 */
#ifndef DRIVERS_REDISAI_CHECK_H
#define DRIVERS_REDISAI_CHECK_H

#include <stdint.h>

#include "drivers/driver.h"
#include "net/redis_client.h"

/* Is it RedisAI, does it have the model, does the model take so many inputs? The line in err says what to do; clustered:
 * the run knows that this is a Cluster. */
int redisai_check_model(struct redis_client *c, const char *model, unsigned ninputs, bool clustered,
			struct error *err) MUST_CHECK;
/* Is the reference data of row id there, and of the right size? */
int redisai_check_reference(struct redis_client *c, const struct workload_spec *spec, uint64_t id,
			    struct error *err) MUST_CHECK;

/* One server's counters: AI.INFO of the model as ai_info.*, INFO COMMANDSTATS, MEMORY, and ai_cpu of MODULES. */
int redisai_stats(struct redis_client *c, const char *model, server_stat_fn *fn, void *arg,
		  struct error *err) MUST_CHECK;

#endif
