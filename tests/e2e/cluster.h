/*
 * cluster.h - a Redis Cluster of the module, for one test program.
 */
#ifndef TESTS_E2E_CLUSTER_H
#define TESTS_E2E_CLUSTER_H

#include "tests/support/redis_server.h"

#define SHARDS 3

/* Returns once every shard knows of all slots; fails the test when that does not come. */
void cluster_start(struct redis_server shards[SHARDS]);
void cluster_stop(struct redis_server shards[SHARDS]);

#endif
