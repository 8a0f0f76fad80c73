#include "tests/servers/redisai/cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SLOTS_EACH (REDIS_SLOTS / SHARDS + 1)

static bool is_whole(struct redis_client *c)
{
	const char *info = ask(c, "CLUSTER INFO");

	return strstr(info, "cluster_state:ok") && strstr(info, "cluster_slots_ok:16384") &&
	       strstr(info, "cluster_size:3");
}

static void wait_until_whole(const struct cluster *k)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	unsigned whole = 0;

	for (int i = 0; i < 1500 && whole < SHARDS; i++) {
		whole = 0;
		for (unsigned s = 0; s < SHARDS; s++)
			whole += is_whole(k->shards[s].client);
		nanosleep(&pause, NULL);
	}
	assert_int_equal(whole, SHARDS);
}

void cluster_start(struct cluster *k, const char *const *module_args)
{
	static const char *const options[] = {"--cluster-enabled", "yes", "--cluster-node-timeout", "5000", NULL};
	char line[128];

	for (unsigned i = 0; i < SHARDS; i++) {
		unsigned first = i * SLOTS_EACH, last = first + SLOTS_EACH - 1;

		fixture_start(&k->shards[i], module_args, options);
		snprintf(line, sizeof(line), "CLUSTER SET-CONFIG-EPOCH %u", i + 1);
		expect(k->shards[i].client, line, "+OK");
		snprintf(line, sizeof(line), "CLUSTER ADDSLOTSRANGE %u %u", first,
			 last < REDIS_SLOTS ? last : REDIS_SLOTS - 1);
		expect(k->shards[i].client, line, "+OK");
	}
	for (unsigned i = 1; i < SHARDS; i++) {
		snprintf(line, sizeof(line), "CLUSTER MEET 127.0.0.1 %u", k->shards[i].server.port);
		expect(k->shards[0].client, line, "+OK");
	}
	wait_until_whole(k);
}

void cluster_stop(struct cluster *k)
{
	for (unsigned i = 0; i < SHARDS; i++)
		fixture_stop(&k->shards[i]);
}

unsigned cluster_owner(const char *key)
{
	return redis_slot(key, strlen(key)) / SLOTS_EACH;
}
