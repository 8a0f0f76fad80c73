#include "tests/e2e/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/e2e/e2e.h"

static void wait_until_ok(const struct redis_server *shard)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	redisContext *c = redisConnect("127.0.0.1", shard->port);
	bool ok = false;

	assert_non_null(c);
	for (int i = 0; i < 1500 && !ok; i++) {
		redisReply *info = redisCommand(c, "CLUSTER INFO");

		assert_non_null(info);
		ok = strstr(info->str, "cluster_state:ok") && strstr(info->str, "cluster_slots_assigned:16384");
		freeReplyObject(info);
		nanosleep(&pause, NULL);
	}
	assert_true(ok);
	redisFree(c);
}

void cluster_start(struct redis_server shards[SHARDS])
{
	char address[SHARDS][64];

	for (unsigned i = 0; i < SHARDS; i++) {
		redis_server_start_module(&shards[i], NULL,
					  WORDS("--cluster-enabled", "yes", "--cluster-node-timeout", "5000"));
		snprintf(address[i], sizeof(address[i]), "127.0.0.1:%s", shards[i].port_text);
	}
	run_quietly(WORDS("redis-cli", "--cluster", "create", address[0], address[1], address[2], "--cluster-yes"));
	for (unsigned i = 0; i < SHARDS; i++)
		wait_until_ok(&shards[i]);
}

void cluster_stop(struct redis_server shards[SHARDS])
{
	for (unsigned i = 0; i < SHARDS; i++)
		redis_server_stop(&shards[i], false);
}
