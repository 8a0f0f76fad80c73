/*
 * cluster.h - three shards with the module, each with a third of the slots.
 */
#ifndef TESTS_SERVERS_REDISAI_CLUSTER_H
#define TESTS_SERVERS_REDISAI_CLUSTER_H

#include "tests/servers/redisai/harness.h"

#define SHARDS 3

struct cluster {
	struct fixture shards[SHARDS];
};

/* module_args as in fixture_start. Returns once every shard knows of all slots. Aborts the test on failure. */
void cluster_start(struct cluster *k, const char *const *module_args);
void cluster_stop(struct cluster *k);

/* Index of the shard that serves the key. */
unsigned cluster_owner(const char *key);

#endif
