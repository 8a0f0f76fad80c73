/*
 * test_conformance.c - the rows of conformance.h against real servers: alone, with a replica that is promoted in the
 * end, with an append-only file that is rewritten in the middle, and on the shard of a Cluster that serves the keys.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/cluster.h"
#include "tests/servers/redisai/conformance.h"

#define BLOCKS_MAX 64
#define DIGEST_MAX 64

static struct fixture f, replica;
static struct redis_client *rewriter; /* a second connection: the first may be in the middle of a MULTI */
static struct cluster cluster;

static void digest(char *ret, struct redis_client *c)
{
	snprintf(ret, DIGEST_MAX, "%s", ask(c, "DEBUG DIGEST"));
	/* All blocks leave something: nothing at all would be equal too. */
	assert_string_not_equal(ret, "+0000000000000000000000000000000000000000");
}

static void expect_kept(struct redis_client *c, const struct conformance_block *b)
{
	expect_all(c, b->kept, b->nkept);
}

static void expect_block(struct redis_client *c, const struct conformance_block *b)
{
	expect(c, "FLUSHALL", "+OK");
	expect_all(c, b->rows, b->nrows);
	expect_kept(c, b);
}

/* ---- alone ---- */

static int start_alone(void **state)
{
	(void)state;
	fixture_start(&f, conformance_module_arguments(), NULL);
	return 0;
}

static int stop_alone(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void rows_hold_alone(void **state)
{
	const struct conformance_block *b = *state;
	char before[DIGEST_MAX];

	expect_block(f.client, b);
	digest(before, f.client);
	/* The first runs of a model go through its queue, later ones are in line. */
	for (int i = 0; b->again && i < 10; i++)
		expect_all(f.client, b->rows + b->again, b->nrows - b->again);
	expect(f.client, "DEBUG DIGEST", before);
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect(f.client, "DEBUG DIGEST", before);
	expect_kept(f.client, b);
}

/* ---- with a replica ---- */

static int start_pair(void **state)
{
	char line[64];

	(void)state;
	fixture_start(&f, conformance_module_arguments(), NULL);
	fixture_start(&replica, conformance_module_arguments(), NULL);
	snprintf(line, sizeof(line), "REPLICAOF 127.0.0.1 %u", f.server.port);
	expect(replica.client, line, "+OK");
	return 0;
}

static int stop_pair(void **state)
{
	(void)state;
	fixture_stop(&replica);
	fixture_stop(&f);
	return 0;
}

/* As the server itself says of the command. */
static bool is_write(struct redis_client *c, const char *line)
{
	char question[64];

	snprintf(question, sizeof(question), "COMMAND INFO %.*s", (int)strcspn(line, " "), line);
	return strstr(ask(c, question), "+write") != NULL;
}

static void rows_reach_the_replica(void **state)
{
	const struct conformance_block *b = *state;
	char master[DIGEST_MAX];

	expect_block(f.client, b);
	digest(master, f.client);
	expect_soon(replica.client, "DEBUG DIGEST", master);
	expect_kept(replica.client, b);
	for (size_t i = 0; i < b->nrows; i++) {
		if (is_write(replica.client, b->rows[i].line))
			expect(replica.client, b->rows[i].line,
			       "-READONLY You can't write against a read only replica.");
	}
	expect(replica.client, "DEBUG DIGEST", master);
}

static int promote(void **state)
{
	(void)state;
	fixture_start(&f, conformance_module_arguments(), NULL);
	fixture_start(&replica, conformance_module_arguments(), NULL);
	return 0;
}

static void rows_hold_after_promotion(void **state)
{
	const struct conformance_block *b = *state;
	char master[DIGEST_MAX], line[64];

	snprintf(line, sizeof(line), "REPLICAOF 127.0.0.1 %u", f.server.port);
	/* "+OK Already connected…" after a block that failed half-way. */
	assert_memory_equal(ask(replica.client, line), "+OK", 3);
	expect_block(f.client, b);
	digest(master, f.client);
	expect_soon(replica.client, "DEBUG DIGEST", master);
	expect(replica.client, "REPLICAOF NO ONE", "+OK");
	expect_kept(replica.client, b);
	expect_block(replica.client, b);
	expect(replica.client, "DEBUG DIGEST", master);
}

/* ---- with an append-only file ---- */

static void start_with_file(const char *preamble)
{
	const char *const options[] = {"--appendonly", "yes", "--aof-use-rdb-preamble", preamble, NULL};

	fixture_start(&f, conformance_module_arguments(), options);
	rewriter = connect_to(&f);
}

static int start_with_commands(void **state)
{
	(void)state;
	start_with_file("no");
	return 0;
}

static int start_with_preamble(void **state)
{
	(void)state;
	start_with_file("yes");
	return 0;
}

static int stop_with_file(void **state)
{
	redis_client_close(rewriter);
	return stop_alone(state);
}

static void begin_rewrite(void)
{
	expect(rewriter, "BGREWRITEAOF", "+Background append only file rewriting started");
}

static void wait_for_rewrite(void)
{
	while (strstr(ask(rewriter, "INFO PERSISTENCE"), "aof_rewrite_in_progress:1"))
		continue;
	assert_non_null(strstr(ask(rewriter, "INFO PERSISTENCE"), "aof_last_bgrewrite_status:ok"));
}

/* Half of the rows are in the rewritten part, the others follow it as commands. */
static void rows_survive_in_the_append_only_file(void **state)
{
	const struct conformance_block *b = *state;
	size_t half = b->nrows / 2;
	char before[DIGEST_MAX];

	expect(f.client, "FLUSHALL", "+OK");
	expect_all(f.client, b->rows, half);
	begin_rewrite();
	expect_all(f.client, b->rows + half, b->nrows - half);
	wait_for_rewrite();
	expect_kept(f.client, b);
	digest(before, f.client);
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect(f.client, "DEBUG DIGEST", before);
	expect_kept(f.client, b);
	/* Again with all of it rewritten. */
	begin_rewrite();
	wait_for_rewrite();
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect(f.client, "DEBUG DIGEST", before);
	expect_kept(f.client, b);
}

/* ---- on a shard ---- */

static int start_cluster(void **state)
{
	(void)state;
	cluster_start(&cluster, conformance_module_arguments());
	return 0;
}

static int stop_cluster(void **state)
{
	(void)state;
	cluster_stop(&cluster);
	return 0;
}

static void rows_hold_on_the_shard(void **state)
{
	expect_block(cluster.shards[cluster_owner("{t}")].client, *state);
}

static int run_all(const char *name, CMUnitTestFunction test, CMFixtureFunction start, CMFixtureFunction stop)
{
	static struct CMUnitTest tests[BLOCKS_MAX];
	const struct conformance_block *b;

	memset(tests, 0, sizeof(tests));
	for (size_t i = 0; (b = conformance_block(i)) != NULL; i++) {
		assert_true(i < BLOCKS_MAX);
		tests[i] =
			(struct CMUnitTest){.name = b->name, .test_func = test, .initial_state = (void *)(uintptr_t)b};
	}
	return cmocka_run_group_tests_name(name, tests, start, stop);
}

int main(void)
{
	int failed = 0;

	conformance_define();
	failed += run_all("alone", rows_hold_alone, start_alone, stop_alone);
	failed += run_all("replica", rows_reach_the_replica, start_pair, stop_pair);
	failed += run_all("promotion", rows_hold_after_promotion, promote, stop_pair);
	failed += run_all("append-only file of commands", rows_survive_in_the_append_only_file, start_with_commands,
			  stop_with_file);
	failed += run_all("append-only file with an RDB preamble", rows_survive_in_the_append_only_file,
			  start_with_preamble, stop_with_file);
	failed += run_all("cluster", rows_hold_on_the_shard, start_cluster, stop_cluster);
	conformance_release();
	return failed;
}
