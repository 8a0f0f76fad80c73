/*
 * Clients whose models run or wait for a batch: what Redis counts of them, who may end them, and that each gets one
 * answer whatever happens to its keys meanwhile.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define SLOW "AI.MODELSTORE slow TF CPU INPUTS 1 x OUTPUTS 1 y BLOB $SLOW"
#define BATCH "AI.MODELSTORE b TF CPU BATCHSIZE 4 MINBATCHSIZE 2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL"
#define LARGE_BATCH "AI.MODELSTORE b TF CPU BATCHSIZE 8 MINBATCHSIZE 4 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL"
#define LOST "-ERR the model was deleted or replaced while the command waited for its batch"

static struct fixture f;
static struct redis_client *first, *second;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	graphs_define();
	first = connect_to(&f);
	second = connect_to(&f);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	redis_client_close(first);
	redis_client_close(second);
	graphs_release();
	fixture_stop(&f);
	return 0;
}

static int fill(void **state)
{
	(void)state;
	expect(f.client, "FLUSHALL", "+OK");
	expect(f.client, SLOW, "+OK");
	expect(f.client, "AI.MODELSTORE mul TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.TENSORSET big FLOAT 512 512", "+OK");
	expect(f.client, "AI.TENSORSET x FLOAT 1 2 VALUES 2 3", "+OK");
	expect(f.client, "CONFIG RESETSTAT", "+OK");
	expect(f.client, "SLOWLOG RESET", "+OK");
	return 0;
}

static unsigned long id_of(struct redis_client *c)
{
	return strtoul(ask(c, "CLIENT ID") + 1, NULL, 10);
}

/* Sends and returns once the server has read the command, however fast it is done. */
static void begin(const struct fixture *g, struct redis_client *c, const char *line)
{
	char question[64];

	snprintf(question, sizeof(question), "CLIENT LIST ID %lu", id_of(c));
	send_line(c, line);
	while (strstr(ask(g->client, question), "cmd=client|id"))
		continue;
}

/* The answer, and nothing after it. */
static void expect_one_answer(struct redis_client *c, const char *want)
{
	const char *got = receive(c);

	if (strcmp(got, want) != 0)
		fail_msg("answered %s\n  not    %s", got, want);
	expect(c, "ECHO next", "\"next\"");
}

/* ---- what is counted ---- */

static unsigned long stat_of(const char *command, const char *field)
{
	char section[64], name[32];
	const char *at;

	snprintf(section, sizeof(section), "cmdstat_%s:", command);
	snprintf(name, sizeof(name), "%s=", field);
	at = strstr(ask(f.client, "INFO COMMANDSTATS"), section);
	assert_non_null(at);
	at = strstr(at, name);
	assert_non_null(at);
	return strtoul(at + strlen(name), NULL, 10);
}

static void command_stats_include_the_run(void **state)
{
	unsigned long usec, duration;

	(void)state;
	expect(f.client, "AI.MODELRUN slow INPUTS big OUTPUTS y", "+OK");
	duration = info_counter(f.client, "slow", "duration");
	usec = stat_of("ai.modelrun", "usec");
	assert_true(duration > 0);
	assert_true(usec >= duration / 10);
	assert_int_equal(stat_of("ai.modelrun", "calls"), 1);
	assert_int_equal(stat_of("ai.modelrun", "failed_calls"), 0);
	expect(f.client, "AI.DAGEXECUTE LOAD 1 big |> AI.MODELEXECUTE slow INPUTS 1 big OUTPUTS 1 y", "[+OK]");
	assert_true(stat_of("ai.dagexecute", "usec") >= duration / 10);
	assert_int_equal(stat_of("ai.dagexecute", "calls"), 1);
}

static void failed_calls_are_counted(void **state)
{
	(void)state;
	/* While it is parsed, then while it runs. */
	assert_int_equal(ask(f.client, "AI.MODELRUN slow INPUTS big big OUTPUTS y")[0], '-');
	assert_int_equal(stat_of("ai.modelrun", "failed_calls"), 1);
	assert_int_equal(ask(f.client, "AI.MODELRUN slow INPUTS x OUTPUTS y")[0], '-');
	assert_int_equal(stat_of("ai.modelrun", "failed_calls"), 2);
	expect(f.client, "AI.MODELRUN mul INPUTS x x OUTPUTS y", "+OK");
	assert_int_equal(stat_of("ai.modelrun", "calls"), 3);
	assert_int_equal(stat_of("ai.modelrun", "failed_calls"), 2);
	assert_int_equal(stat_of("ai.modelrun", "rejected_calls"), 0);
}

static void slow_log_shows_blocked_commands(void **state)
{
	unsigned long duration;
	const char *entry;
	char line[64];

	(void)state;
	expect(f.client, "AI.MODELRUN slow INPUTS big OUTPUTS y", "+OK");
	duration = info_counter(f.client, "slow", "duration");
	expect(f.client, "SLOWLOG RESET", "+OK");
	snprintf(line, sizeof(line), "CONFIG SET slowlog-log-slower-than %lu", duration / 10);
	expect(f.client, line, "+OK");
	expect(f.client, "AI.MODELRUN slow INPUTS big OUTPUTS y", "+OK");
	entry = ask(f.client, "SLOWLOG GET");
	if (!strstr(entry, "[\"AI.MODELRUN\" \"slow\" \"INPUTS\" \"big\" \"OUTPUTS\" \"y\"]"))
		fail_msg("SLOWLOG GET answered %s", entry);
	expect(f.client, "CONFIG SET slowlog-log-slower-than 10000", "+OK");
}

static void latency_histogram_counts_the_run(void **state)
{
	unsigned long duration, bucket = 0;
	const char *at;

	(void)state;
	expect(f.client, "AI.MODELRUN slow INPUTS big OUTPUTS y", "+OK");
	duration = info_counter(f.client, "slow", "duration");
	/* [name [calls :1 histogram_usec [:bucket :1]]] */
	at = strstr(ask(f.client, "LATENCY HISTOGRAM ai.modelrun"), "\"calls\" :1 \"histogram_usec\" [:");
	assert_non_null(at);
	bucket = strtoul(strstr(at, "[:") + 2, NULL, 10);
	assert_true(bucket >= duration / 10);
}

/* ---- who may end it ---- */

static void unblock_leaves_a_waiting_command_alone(void **state)
{
	static const char *const forms[] = {"CLIENT UNBLOCK %lu", "CLIENT UNBLOCK %lu TIMEOUT",
					    "CLIENT UNBLOCK %lu ERROR"};
	unsigned long id = id_of(first);
	char line[64];

	(void)state;
	expect(f.client, BATCH, "+OK");
	begin(&f, first, "AI.MODELRUN b INPUTS x x OUTPUTS y");
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		snprintf(line, sizeof(line), forms[i], id);
		expect(f.client, line, ":0");
	}
	expect(second, "AI.MODELRUN b INPUTS x x OUTPUTS z", "+OK");
	expect_one_answer(first, "+OK");
}

static void client_is_killed_while_its_model_runs(void **state)
{
	struct redis_client *killed = connect_to(&f);
	char line[64];

	(void)state;
	snprintf(line, sizeof(line), "CLIENT KILL ID %lu", id_of(killed));
	begin(&f, killed, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	begin(&f, second, "AI.MODELRUN slow INPUTS big OUTPUTS z");
	expect(f.client, line, ":1");
	/* Behind it in the queue. */
	expect_one_answer(second, "+OK");
	assert_int_equal(info_counter(f.client, "slow", "calls"), 2);
	expect(f.client, "EXISTS z", ":1");
	redis_client_close(killed);
}

static void rows_of_a_killed_client_stay_in_their_batch(void **state)
{
	struct redis_client *killed = connect_to(&f);
	char line[64];

	(void)state;
	expect(f.client, BATCH, "+OK");
	snprintf(line, sizeof(line), "CLIENT KILL ID %lu", id_of(killed));
	begin(&f, killed, "AI.MODELRUN b INPUTS x x OUTPUTS y");
	expect(f.client, line, ":1");
	expect(second, "AI.MODELRUN b INPUTS x x OUTPUTS z", "+OK");
	assert_int_equal(info_counter(f.client, "b", "calls"), 1);
	assert_int_equal(info_counter(f.client, "b", "samples"), 2);
	/* Nobody is there to want its output. */
	expect(f.client, "EXISTS y z", ":1");
	redis_client_close(killed);
}

static void pipeline_behind_a_running_model_is_answered_in_order(void **state)
{
	(void)state;
	send_line(first, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	send_line(first, "AI.TENSORGET x VALUES");
	send_line(first, "AI.DAGRUN LOAD 1 x |> AI.MODELRUN mul INPUTS x x OUTPUTS v |> AI.TENSORGET v VALUES");
	send_line(first, "AI.TENSORGET y META");
	assert_string_equal(receive(first), "+OK");
	assert_string_equal(receive(first), "[\"2\" \"3\"]");
	assert_string_equal(receive(first), "[+OK [\"4\" \"9\"]]");
	expect_one_answer(first, "[\"dtype\" \"FLOAT\" \"shape\" [:512 :512]]");
}

static void client_that_leaves_its_pipeline_does_no_harm(void **state)
{
	struct redis_client *gone = connect_to(&f);

	(void)state;
	begin(&f, gone, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	for (int i = 0; i < 3; i++)
		send_line(gone, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	redis_client_close(gone);
	expect(f.client, "AI.MODELRUN slow INPUTS big OUTPUTS z", "+OK");
	while (!strstr(ask(f.client, "INFO CLIENTS"), "blocked_clients:0"))
		continue;
	expect(f.client, "EXISTS z", ":1");
}

/* ---- what happens to the keys meanwhile ---- */

static void ends_while_they_wait_tell_the_clients(void **state)
{
	static const char *const ends[] = {
		"AI.MODELDEL b",
		"DEL b",
		"UNLINK b",
		"FLUSHALL",
		"FLUSHALL ASYNC",
		"FLUSHDB ASYNC",
		"AI.MODELSTORE b TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSET b TF CPU:1 INPUTS a b OUTPUTS mul BLOB $MUL",
		"SET b text",
		"RENAME mul b",
		"COPY x b REPLACE",
		"PEXPIRE b 0",
		"DEBUG RELOAD",
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const char *answer;

		fill(state);
		expect(f.client, LARGE_BATCH, "+OK");
		begin(&f, first, "AI.MODELRUN b INPUTS x x OUTPUTS y1");
		begin(&f, second,
		      "AI.DAGEXECUTE LOAD 1 x PERSIST 1 y2 |> AI.MODELEXECUTE b INPUTS 2 x x OUTPUTS 1 y2 |> "
		      "AI.TENSORGET y2 VALUES");
		answer = ask(f.client, ends[i]);
		if (answer[0] == '-')
			fail_msg("%s answered %s", ends[i], answer);
		expect_one_answer(first, LOST);
		expect_one_answer(second, "[" LOST " +NA]");
		expect(f.client, "EXISTS y1 y2", ":0");
	}
}

static void renamed_model_still_fills_its_batch(void **state)
{
	(void)state;
	expect(f.client, BATCH, "+OK");
	begin(&f, first, "AI.MODELRUN b INPUTS x x OUTPUTS y1");
	expect(f.client, "RENAME b moved", "+OK");
	expect(second, "AI.MODELRUN moved INPUTS x x OUTPUTS y2", "+OK");
	expect_one_answer(first, "+OK");
	assert_int_equal(info_counter(f.client, "moved", "calls"), 1);
	expect(f.client, "AI._MODELSCAN", "[[\"moved\" \"\"] [\"mul\" \"\"] [\"slow\" \"\"]]");
	expect(f.client, "AI.TENSORGET y1 VALUES", "[\"4\" \"9\"]");
}

static void ends_while_they_run_change_no_answer(void **state)
{
	static const char *const ends[] = {
		"AI.MODELDEL slow", "UNLINK slow big",   "FLUSHALL",        "FLUSHALL ASYNC", SLOW,
		"SET slow text",    "RENAME slow moved", "RENAME mul slow", "DEBUG RELOAD",   "SWAPDB 0 1",
	};

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		const char *answer;

		fill(state);
		/* The first runs, the second is behind it. */
		begin(&f, first, "AI.MODELRUN slow INPUTS big OUTPUTS y1");
		begin(&f, second, "AI.DAGRUN LOAD 1 big PERSIST 1 y2 |> AI.MODELRUN slow INPUTS big OUTPUTS y2");
		answer = ask(f.client, ends[i]);
		if (answer[0] == '-')
			fail_msg("%s answered %s", ends[i], answer);
		expect_one_answer(first, "+OK");
		expect_one_answer(second, "[+OK]");
	}
}

static void output_key_that_is_taken_meanwhile_is_an_error(void **state)
{
	(void)state;
	expect(f.client, BATCH, "+OK");
	begin(&f, first, "AI.MODELRUN b INPUTS x x OUTPUTS y");
	expect(f.client, "SET y text", "+OK");
	expect(second, "AI.MODELRUN b INPUTS x x OUTPUTS z", "+OK");
	expect_one_answer(first, "-WRONGTYPE Operation against a key holding the wrong kind of value");
	expect(f.client, "GET y", "\"text\"");
	expect(f.client, "AI.TENSORGET z VALUES", "[\"4\" \"9\"]");
}

/* Redis itself answers those that are blocked, and closes their connections. */
static void server_that_becomes_a_replica_writes_nothing(void **state)
{
	struct redis_client *blocked = connect_to(&f);
	struct fixture master;
	char line[64];

	(void)state;
	fixture_start(&master, NULL, NULL);
	expect(f.client, BATCH, "+OK");
	begin(&f, blocked, "AI.MODELRUN b INPUTS x x OUTPUTS y");
	snprintf(line, sizeof(line), "REPLICAOF 127.0.0.1 %u", master.server.port);
	expect(f.client, line, "+OK");
	assert_string_equal(receive(blocked),
			    "-UNBLOCKED force unblock from blocking operation, instance state changed "
			    "(master -> replica?)");
	redis_client_close(blocked);
	expect(master.client, "AI.TENSORSET done FLOAT 1", "+OK");
	expect_soon(f.client, "EXISTS done", ":1");
	expect(f.client, "EXISTS y", ":0");
	expect(f.client, "REPLICAOF NO ONE", "+OK");
	fixture_stop(&master);
}

static void server_stops_while_models_run_and_wait(void **state)
{
	struct redis_client *running, *waiting;
	struct fixture g;

	(void)state;
	fixture_start(&g, NULL, NULL);
	running = connect_to(&g);
	waiting = connect_to(&g);
	expect(g.client, SLOW, "+OK");
	expect(g.client, BATCH, "+OK");
	expect(g.client, "AI.TENSORSET big FLOAT 512 512", "+OK");
	expect(g.client, "AI.TENSORSET x FLOAT 1 2", "+OK");
	begin(&g, running, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	begin(&g, waiting, "AI.MODELRUN b INPUTS x x OUTPUTS z");
	redis_client_close(running);
	redis_client_close(waiting);
	/* Aborts the test where the server does not end as it should. */
	fixture_stop(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(command_stats_include_the_run, fill),
		cmocka_unit_test_setup(failed_calls_are_counted, fill),
		cmocka_unit_test_setup(slow_log_shows_blocked_commands, fill),
		cmocka_unit_test_setup(latency_histogram_counts_the_run, fill),
		cmocka_unit_test_setup(unblock_leaves_a_waiting_command_alone, fill),
		cmocka_unit_test_setup(client_is_killed_while_its_model_runs, fill),
		cmocka_unit_test_setup(rows_of_a_killed_client_stay_in_their_batch, fill),
		cmocka_unit_test_setup(pipeline_behind_a_running_model_is_answered_in_order, fill),
		cmocka_unit_test_setup(client_that_leaves_its_pipeline_does_no_harm, fill),
		cmocka_unit_test(ends_while_they_wait_tell_the_clients),
		cmocka_unit_test_setup(renamed_model_still_fills_its_batch, fill),
		cmocka_unit_test(ends_while_they_run_change_no_answer),
		cmocka_unit_test_setup(output_key_that_is_taken_meanwhile_is_an_error, fill),
		cmocka_unit_test_setup(server_that_becomes_a_replica_writes_nothing, fill),
		cmocka_unit_test(server_stops_while_models_run_and_wait),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
