/*
 * test_cluster.c - a Redis Cluster of three shards: data and model reach every shard, every inference its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#include "tests/e2e/cluster.h"
#include "tests/e2e/e2e.h"

static struct redis_server shards[SHARDS];
static char host[64];

static redisReply *ask(unsigned shard, const char *command)
{
	redisContext *c = redisConnect("127.0.0.1", shards[shard].port);
	redisReply *reply;

	assert_non_null(c);
	assert_int_equal(c->err, 0);
	reply = redisCommand(c, command);
	assert_non_null(reply);
	redisFree(c);
	return reply;
}

static int prepare(void **state)
{
	fraud_files_set_up(state);
	cluster_start(shards);
	snprintf(host, sizeof(host), "127.0.0.1:%s", shards[0].port_text);
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-cluster-mode", "-model=financialNet",
			  "-inputs=transaction,reference", "-outputs=output", "-model-file", files.model));
	run_quietly(WORDS(LOAD_MODEL, "-redis-host", host, "-cluster-mode", "-model=financialNet_NoReference",
			  "-inputs=transaction", "-outputs=out", "-model-file", files.model_noreference));
	run_quietly(
		WORDS(LOAD, "-redis-host", host, "-cluster-mode", "-file", files.data, "-workers=3", "-pipeline=10"));
	return 0;
}

static int clean_up(void **state)
{
	cluster_stop(shards);
	return fraud_files_tear_down(state);
}

static void every_shard_has_both_models_and_its_share_of_the_data(void **state)
{
	long long keys = 0;

	(void)state;
	for (unsigned i = 0; i < SHARDS; i++) {
		redisReply *models = ask(i, "AI._MODELSCAN"), *size = ask(i, "DBSIZE");

		assert_int_equal(models->elements, 2);
		assert_true(size->integer > 2 + 2 * TEST_ROWS / SHARDS / 2);
		keys += size->integer;
		freeReplyObject(models);
		freeReplyObject(size);
	}
	assert_int_equal(keys, 2 * SHARDS + 2 * TEST_ROWS);
}

static long calls_of(unsigned shard, const char *counter)
{
	redisReply *stats = ask(shard, "INFO COMMANDSTATS");
	char key[64];
	const char *found;
	long n;

	snprintf(key, sizeof(key), "cmdstat_%s:calls=", counter);
	found = strstr(stats->str, key);
	n = found ? strtol(found + strlen(key), NULL, 10) : 0;
	freeReplyObject(stats);
	return n;
}

static void runs_spread_over_the_shards(const char *const *words, const char *counter)
{
	long before[SHARDS];

	for (unsigned i = 0; i < SHARDS; i++)
		before[i] = calls_of(i, counter);
	run_prints(words, WORDS("count: " TEST_ROWS_TEXT));
	for (unsigned i = 0; i < SHARDS; i++)
		/* A closed loop gives a slow shard less; none of them goes without. */
		assert_true(calls_of(i, counter) - before[i] > TEST_ROWS / 100);
}

static void inferences_spread_over_the_shards(void **state)
{
	(void)state;
	runs_spread_over_the_shards(WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-cluster-mode",
					  "-model=financialNet", "-enable-reference-data-redis", "-workers=6", "-file",
					  files.data),
				    "ai.dagrun");
	runs_spread_over_the_shards(WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[1].port_text, "-cluster-mode",
					  "-model=financialNet_NoReference", "-workers=6", "-file", files.data),
				    "ai.dagrun");
	runs_spread_over_the_shards(WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[2].port_text, "-cluster-mode",
					  "-model=financialNet_NoReference", "-workers=6", "-use-dag=false", "-file",
					  files.data),
				    "ai.modelrun");
}

static void one_worker_reaches_all_shards(void **state)
{
	(void)state;
	runs_spread_over_the_shards(WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-cluster-mode",
					  "-model=financialNet", "-enable-reference-data-redis", "-workers=1", "-file",
					  files.data),
				    "ai.dagrun");
}

/* Redis refuses a command whose keys lie in several slots, as the model's and the reference tensor's do. */
static void the_three_commands_with_reference_data_are_refused(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-cluster-mode",
			"-model=financialNet", "-enable-reference-data-redis", "-use-dag=false", "-file", files.data),
		  NULL, WORDS("-use-dag"));
}

static void a_cluster_without_cluster_mode_is_told_what_to_pass(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-model=financialNet",
			"-enable-reference-data-redis", "-workers=2", "-file", files.data),
		  NULL, WORDS("-cluster-mode"));
}

/* As after a reshard: the shards' tags are others than those the model was stored under. */
static void a_model_that_a_shard_lacks_may_have_been_stored_before_the_slots_moved(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-cluster-mode", "-model=another",
			"-file", files.data),
		  NULL, WORDS("}another", "slots have moved", "aibench_load_model again"));
}

static void cluster_mode_on_a_standalone_server_goes_on_with_a_note(void **state)
{
	struct redis_server s;
	struct process_result r;

	(void)state;
	redis_server_start_module(&s, NULL, NULL);
	load_fraud(&s);
	run_ok(&r,
	       WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", s.port_text, "-cluster-mode", "-model=financialNet",
		     "-enable-reference-data-redis", "-file", files.data),
	       NULL);
	check_holds(r.out, WORDS("count: " TEST_ROWS_TEXT));
	assert_true(strstr(r.err, "cluster") || strstr(r.out, "cluster"));
	process_result_release(&r);
	redis_server_stop(&s, false);
}

/* Slots move while half of the rows have been asked and the other half waits in the pipe. */
static void a_moved_slot_is_followed(void **state)
{
	char from[64], to[64];
	size_t len;
	char *data = read_file(files.data, &len);
	struct process_result r;
	redisReply *reply;
	struct process p;
	FILE *in;

	(void)state;
	reply = ask(0, "CLUSTER MYID");
	snprintf(from, sizeof(from), "%s", reply->str);
	freeReplyObject(reply);
	reply = ask(1, "CLUSTER MYID");
	snprintf(to, sizeof(to), "%s", reply->str);
	freeReplyObject(reply);
	process_start(&p,
		      WORDS(REDISAI_RUN, "-host=127.0.0.1", "-port", shards[0].port_text, "-cluster-mode",
			    "-model=financialNet", "-enable-reference-data-redis", "-workers=4"),
		      &(struct process_options){.pipe_stdin = true});
	in = fdopen(p.in_fd, "wb");
	p.in_fd = -1;
	assert_non_null(in);
	assert_int_equal(fwrite(data, 1, len / 2, in), len / 2);
	assert_int_equal(fflush(in), 0);
	run_quietly(WORDS("redis-cli", "--cluster", "reshard", host, "--cluster-from", from, "--cluster-to", to,
			  "--cluster-slots", "400", "--cluster-yes"));
	assert_int_equal(fwrite(data + len / 2, 1, len - len / 2, in), len - len / 2);
	assert_int_equal(fclose(in), 0);
	free(data);
	process_wait(&p, &r, LIMIT_SECONDS);
	if (r.status != 0)
		fail_msg("status %d: %s", r.status, r.err);
	check_holds(r.out, WORDS("count: " TEST_ROWS_TEXT));
	process_result_release(&r);
	reply = ask(0, "INFO ERRORSTATS");
	check_holds(reply->str, WORDS("errorstat_MOVED:count="));
	freeReplyObject(reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shard_has_both_models_and_its_share_of_the_data),
		cmocka_unit_test(inferences_spread_over_the_shards),
		cmocka_unit_test(one_worker_reaches_all_shards),
		cmocka_unit_test(the_three_commands_with_reference_data_are_refused),
		cmocka_unit_test(a_cluster_without_cluster_mode_is_told_what_to_pass),
		cmocka_unit_test(a_model_that_a_shard_lacks_may_have_been_stored_before_the_slots_moved),
		cmocka_unit_test(cluster_mode_on_a_standalone_server_goes_on_with_a_note),
		cmocka_unit_test(a_moved_slot_is_followed),
	};

	return cmocka_run_group_tests_name("cluster", tests, prepare, clean_up);
}
