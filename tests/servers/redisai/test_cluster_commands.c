/* What only a Cluster says: which slot a command belongs to, and who serves it. */
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

#define CROSSSLOT "-CROSSSLOT Keys in request don't hash to the same slot"

static struct cluster cluster;
static struct redis_client *shard; /* serves {t}, and not {far} */

static int start(void **state)
{
	(void)state;
	conformance_define();
	cluster_start(&cluster, conformance_module_arguments());
	shard = cluster.shards[cluster_owner("{t}")].client;
	assert_int_not_equal(cluster_owner("{far}"), cluster_owner("{t}"));
	expect(shard, "AI.MODELSTORE {t}m " STORE_MUL, "+OK");
	expect(shard, "AI.TENSORSET {t}x FLOAT 2 VALUES 2 3", "+OK");
	expect(shard, "AI.SCRIPTSTORE {t}s CPU ENTRY_POINTS 2 first sum SOURCE $SOURCE", "+OK");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	cluster_stop(&cluster);
	conformance_release();
	return 0;
}

static void keys_of_different_slots_are_refused(void **state)
{
	static const char *const lines[] = {
		"AI.MODELRUN {far}m INPUTS {t}x {t}x OUTPUTS {t}y",
		"AI.MODELRUN {t}m INPUTS {t}x {far}x OUTPUTS {t}y",
		"AI.MODELRUN {t}m TIMEOUT 5 INPUTS {t}x {t}x OUTPUTS {far}y",
		"AI.MODELEXECUTE {far}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y",
		"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {far}x OUTPUTS 1 {t}y",
		"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {far}y TIMEOUT 5",
		"AI.SCRIPTRUN {far}s sum INPUTS {t}x $ {t}x OUTPUTS {t}y",
		"AI.SCRIPTRUN {t}s sum INPUTS {t}x $ {far}x OUTPUTS {t}y",
		"AI.SCRIPTRUN {t}s sum INPUTS {t}x $ {t}x OUTPUTS {far}y",
		"AI.SCRIPTEXECUTE {t}s sum KEYS 1 {far}k INPUTS 1 {t}x OUTPUTS 1 {t}y",
		"AI.SCRIPTEXECUTE {t}s sum KEYS 1 {t}k INPUTS 2 {t}x {far}x OUTPUTS 1 {t}y",
		"AI.SCRIPTEXECUTE {t}s sum INPUTS 1 {t}x ARGS 1 a OUTPUTS 1 {far}y",
		"AI.DAGRUN LOAD 2 {t}x {far}x |> AI.TENSORGET {t}x",
		"AI.DAGRUN LOAD 1 {t}x PERSIST 1 {far}y |> AI.TENSORSET {far}y FLOAT 1",
		"AI.DAGRUN ROUTING {far} LOAD 1 {t}x |> AI.TENSORGET {t}x",
		"AI.DAGRUN_RO LOAD 1 {t}x LOAD 1 {far}x |> AI.TENSORGET {t}x",
		"AI.DAGEXECUTE LOAD 1 {t}x ROUTING {far} |> AI.TENSORGET {t}x",
		"AI.DAGEXECUTE PERSIST 2 {t}y {far}y |> AI.TENSORSET {t}y FLOAT 1 |> AI.TENSORSET {far}y FLOAT 1",
		"AI.DAGEXECUTE_RO ROUTING {far} LOAD 1 {t}x |> AI.TENSORGET {t}x",
		/* Models and scripts that operations name are keys of the new commands. */
		"AI.DAGEXECUTE LOAD 1 {t}x |> AI.MODELEXECUTE {far}m INPUTS 2 {t}x {t}x OUTPUTS 1 y",
		"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.TENSORGET {t}x |> AI.MODELEXECUTE {far}m INPUTS 2 {t}x {t}x "
		"OUTPUTS "
		"1 y",
		"AI.DAGEXECUTE LOAD 1 {t}x |> AI.SCRIPTEXECUTE {far}s sum INPUTS 1 {t}x OUTPUTS 1 y",
		/* Two slots of one shard are two slots. */
		"AI.DAGRUN LOAD 2 {t}x {near}x |> AI.TENSORGET {t}x",
	};

	(void)state;
	assert_int_equal(cluster_owner("{near}"), cluster_owner("{t}"));
	for (unsigned i = 0; i < SHARDS; i++) {
		for (size_t k = 0; k < ARRAY_LEN(lines); k++)
			expect(cluster.shards[i].client, lines[k], CROSSSLOT);
	}
	expect(shard, "EXISTS {t}y", ":0");
}

/* Names of operations are the command's own, and what the old commands name as a model is looked up where they run. */
static void names_within_a_dag_are_no_keys(void **state)
{
	static const struct exchange list[] = {
		{"AI.DAGEXECUTE ROUTING {t} |> AI.TENSORSET {far}v FLOAT 1 VALUES 7 |> AI.TENSORGET {far}v VALUES",
		 "[+OK [\"7\"]]"},
		{"AI.DAGEXECUTE LOAD 1 {t}x |> AI.TENSORSET {far}v FLOAT 2 VALUES 5 6 |> AI.MODELEXECUTE {t}m INPUTS 2 "
		 "{t}x {far}v OUTPUTS 1 {far}w |> AI.TENSORGET {far}w VALUES",
		 "[+OK +OK [\"10\" \"18\"]]"},
		{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {far}m INPUTS {t}x {t}x OUTPUTS y", "-ERR model key is empty"},
		{"AI.DAGRUN LOAD 1 {t}x |> AI.SCRIPTRUN {far}s sum INPUTS {t}x OUTPUTS y", "-ERR script key is empty"},
		{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {far}y |> AI.TENSORGET {far}y "
		 "VALUES",
		 "[+OK [\"4\" \"9\"]]"},
		/* Without any key it runs wherever it arrives. */
		{"AI.DAGRUN |> AI.TENSORSET v INT8 1 VALUES 5 |> AI.TENSORGET v VALUES", "[+OK [:5]]"},
		/* The old way names a model of another slot of the same shard. */
		{"AI.MODELSTORE {near}m " STORE_MUL, "+OK"},
		{"AI.DAGRUN LOAD 1 {t}x |> AI.MODELRUN {near}m INPUTS {t}x {t}x OUTPUTS y |> AI.TENSORGET y VALUES",
		 "[+OK [\"4\" \"9\"]]"},
	};

	(void)state;
	expect_all(shard, list, ARRAY_LEN(list));
	for (unsigned i = 0; i < SHARDS; i++)
		expect(cluster.shards[i].client, "AI.DAGRUN |> AI.TENSORSET v INT8 1 |> AI.TENSORGET v VALUES",
		       "[+OK [:0]]");
}

static void commands_for_another_shard_are_sent_there(void **state)
{
	static const char *const lines[] = {
		"AI.TENSORSET {t}k FLOAT 1",
		"AI.TENSORGET {t}x",
		"AI.MODELSTORE {t}k TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSET {t}k TF CPU INPUTS a b OUTPUTS mul BLOB $MUL",
		"AI.MODELGET {t}m META",
		"AI.MODELDEL {t}k",
		"AI.INFO {t}m",
		"AI.MODELRUN {t}m INPUTS {t}x {t}x OUTPUTS {t}k",
		"AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}k",
		"AI.SCRIPTSTORE {t}k CPU ENTRY_POINTS 1 first SOURCE $SOURCE",
		"AI.SCRIPTSET {t}k CPU SOURCE $SOURCE",
		"AI.SCRIPTGET {t}s META",
		"AI.SCRIPTDEL {t}k",
		"AI.SCRIPTRUN {t}s first INPUTS {t}x OUTPUTS {t}k",
		"AI.SCRIPTEXECUTE {t}s first INPUTS 1 {t}x OUTPUTS 1 {t}k",
		"AI.DAGRUN LOAD 1 {t}x |> AI.TENSORGET {t}x",
		"AI.DAGRUN_RO ROUTING {t} |> AI.TENSORSET k FLOAT 1",
		"AI.DAGEXECUTE PERSIST 1 {t}k |> AI.TENSORSET {t}k FLOAT 1",
		"AI.DAGEXECUTE_RO LOAD 1 {t}x |> AI.TENSORGET {t}x",
		/* Its key comes before what is wrong with it. */
		"AI.TENSORGET {t}nothing unsupported",
		"AI.MODELEXECUTE {t}nothing INPUTS 1 {t}x OUTPUTS",
	};
	unsigned owner = cluster_owner("{t}");
	char moved[128];

	(void)state;
	snprintf(moved, sizeof(moved), "-MOVED %u 127.0.0.1:%u", redis_slot("{t}", 3),
		 cluster.shards[owner].server.port);
	for (unsigned i = 0; i < SHARDS; i++) {
		for (size_t k = 0; i != owner && k < ARRAY_LEN(lines); k++)
			expect(cluster.shards[i].client, lines[k], moved);
	}
	for (size_t k = 0; k < ARRAY_LEN(lines); k++)
		assert_null(strstr(ask(shard, lines[k]), "MOVED"));
	expect(shard, "DEL {t}k", ":1");
}

static void hash_tags_bring_keys_together(void **state)
{
	static const struct exchange list[] = {
		{"AI.TENSORSET before{t}after FLOAT 2 VALUES 1 1", "+OK"},
		{"AI.TENSORSET {t}{far} FLOAT 2 VALUES 5 5", "+OK"},
		{"AI.TENSORSET t FLOAT 2 VALUES 7 7", "+OK"}, /* the bare tag is of its slot too */
		{"AI.MODELEXECUTE {t}m INPUTS 2 before{t}after {t}{far} OUTPUTS 1 y{t}", "+OK"},
		{"AI.MODELRUN {t}m INPUTS t y{t} OUTPUTS {t}", "+OK"},
		{"AI.TENSORGET y{t} VALUES", "[\"5\" \"5\"]"},
		{"AI.TENSORGET {t} VALUES", "[\"35\" \"35\"]"},
		{"DEL before{t}after {t}{far} t y{t} {t}", ":5"},
	};

	(void)state;
	expect_all(shard, list, ARRAY_LEN(list));
}

static void slots_that_move_take_tensors_and_models_along(void **state)
{
	unsigned from = cluster_owner("{t}"), to = (from + 1) % SHARDS, slot = redis_slot("{t}", 3);
	const struct fixture *target = &cluster.shards[to];
	char from_id[64], to_id[64], line[256], ask_there[64];

	(void)state;
	snprintf(from_id, sizeof(from_id), "%.40s", ask(shard, "CLUSTER MYID") + 1);
	snprintf(to_id, sizeof(to_id), "%.40s", ask(target->client, "CLUSTER MYID") + 1);
	snprintf(line, sizeof(line), "CLUSTER SETSLOT %u IMPORTING %s", slot, from_id);
	expect(target->client, line, "+OK");
	snprintf(line, sizeof(line), "CLUSTER SETSLOT %u MIGRATING %s", slot, to_id);
	expect(shard, line, "+OK");
	snprintf(line, sizeof(line), "MIGRATE 127.0.0.1 %u {t}x 0 5000", target->server.port);
	expect(shard, line, "+OK");
	/* Half of the keys are gone: a single key is asked for there, several are tried again later. */
	snprintf(ask_there, sizeof(ask_there), "-ASK %u 127.0.0.1:%u", slot, target->server.port);
	expect(shard, "AI.TENSORGET {t}x VALUES", ask_there);
	expect(shard, "AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y",
	       "-TRYAGAIN Multiple keys request during rehashing of slot");
	expect(target->client, "ASKING", "+OK");
	expect(target->client, "AI.TENSORGET {t}x VALUES", "[\"2\" \"3\"]");
	snprintf(line, sizeof(line), "MIGRATE 127.0.0.1 %u {t}m 0 5000", target->server.port);
	expect(shard, line, "+OK");
	snprintf(line, sizeof(line), "MIGRATE 127.0.0.1 %u {t}s 0 5000", target->server.port);
	expect(shard, line, "+OK");
	expect(shard, "AI._SCRIPTSCAN", "[]");
	snprintf(line, sizeof(line), "CLUSTER SETSLOT %u NODE %s", slot, to_id);
	expect(target->client, line, "+OK");
	expect(shard, line, "+OK");
	expect(target->client, "AI.MODELEXECUTE {t}m INPUTS 2 {t}x {t}x OUTPUTS 1 {t}y", "+OK");
	expect(target->client, "AI.SCRIPTEXECUTE {t}s sum INPUTS 2 {t}x {t}y OUTPUTS 1 {t}z", "+OK");
	expect(target->client, "AI.TENSORGET {t}z VALUES", "[\"6\" \"12\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_different_slots_are_refused),
		cmocka_unit_test(names_within_a_dag_are_no_keys),
		cmocka_unit_test(commands_for_another_shard_are_sent_there),
		cmocka_unit_test(hash_tags_bring_keys_together),
		/* The last: {t} has another owner afterwards. */
		cmocka_unit_test(slots_that_move_take_tensors_and_models_along),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
