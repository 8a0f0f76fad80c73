/* What survives a restart, what an append-only file says, and what replicas get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

static const struct exchange fill[] = {
	{"AI.TENSORSET float FLOAT 2 2 VALUES 1.5 -2 3 inf", "+OK"},
	{"AI.TENSORSET double DOUBLE VALUES 1e300", "+OK"},
	{"AI.TENSORSET int8 INT8 2 VALUES 1 127", "+OK"},
	{"AI.TENSORSET int64 INT64 1 VALUES -9223372036854775808", "+OK"},
	{"AI.TENSORSET uint16 UINT16 1 VALUES 65535", "+OK"},
	{"AI.TENSORSET bool BOOL 2 VALUES 1 0", "+OK"},
	{"AI.TENSORSET string STRING 3 VALUES ab  cde", "+OK"},
	{"AI.MODELSTORE m TF CPU TAG v:1 BATCHSIZE 2 MINBATCHSIZE 1 MINBATCHTIMEOUT 7 INPUTS 2 a b OUTPUTS 1 mul BLOB "
	 "$MUL",
	 "+OK"},
};

static const struct exchange kept[] = {
	{"AI.TENSORGET float META VALUES",
	 "[\"dtype\" \"FLOAT\" \"shape\" [:2 :2] \"values\" [\"1.5\" \"-2\" \"3\" \"inf\"]]"},
	{"AI.TENSORGET double META VALUES",
	 "[\"dtype\" \"DOUBLE\" \"shape\" [] \"values\" [\"1.0000000000000001e+300\"]]"},
	{"AI.TENSORGET int8 VALUES", "[:1 :127]"},
	{"AI.TENSORGET int64 VALUES", "[:-9223372036854775808]"},
	{"AI.TENSORGET uint16 VALUES", "[:65535]"},
	{"AI.TENSORGET bool META VALUES", "[\"dtype\" \"BOOL\" \"shape\" [:2] \"values\" [:1 :0]]"},
	{"AI.TENSORGET string VALUES", "[\"ab\" \"\" \"cde\"]"},
	{"AI.MODELGET m META", "[\"backend\" \"TF\" \"device\" \"CPU\" \"tag\" \"v:1\" \"batchsize\" :2 "
			       "\"minbatchsize\" :1 \"inputs\" [\"a\" \"b\"] "
			       "\"outputs\" [\"mul\"] \"minbatchtimeout\" :7]"},
	{"AI._MODELSCAN", "[[\"m\" \"v:1\"]]"},
	{"AI.MODELRUN m INPUTS float float OUTPUTS y", "+OK"},
	{"AI.TENSORGET y VALUES", "[\"2.25\" \"4\" \"9\" \"inf\"]"},
};

static int start(void **state)
{
	(void)state;
	graphs_define();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	graphs_release();
	return 0;
}

static void rdb_keeps_tensors_and_models(void **state)
{
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	expect_all(f.client, fill, ARRAY_LEN(fill));
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	fixture_stop(&f);
}

static void append_only_file_keeps_commands_and_rewritten_values(void **state)
{
	static const char *const aof[] = {"--appendonly", "yes", "--aof-use-rdb-preamble", "no", NULL};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, aof);
	expect_all(f.client, fill, ARRAY_LEN(fill));
	/* As written command by command, then as rewritten from the values. */
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	expect(f.client, "BGREWRITEAOF", "+Background append only file rewriting started");
	while (strstr(ask(f.client, "INFO PERSISTENCE"), "aof_rewrite_in_progress:1"))
		continue;
	assert_non_null(strstr(ask(f.client, "INFO PERSISTENCE"), "aof_last_bgrewrite_status:ok"));
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	fixture_stop(&f);
}

static void replica_gets_results_and_never_runs_models(void **state)
{
	struct fixture f, g;
	char line[128];

	(void)state;
	fixture_start(&f, NULL, NULL);
	fixture_start(&g, NULL, NULL);
	snprintf(line, sizeof(line), "REPLICAOF 127.0.0.1 %u", f.server.port);
	expect(g.client, line, "+OK");
	expect(f.client, "AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK");
	/* Through the queue at first, in line later. */
	for (int i = 0; i < 20; i++) {
		expect(f.client, "DEL y z", i ? ":2" : ":0");
		expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
		expect(f.client,
		       "AI.DAGRUN LOAD 1 x PERSIST 2 y z |> AI.MODELRUN m INPUTS x x OUTPUTS y |> AI.TENSORSET z "
		       "INT64 1 VALUES 7",
		       "[+OK +OK]");
		expect_soon(g.client, "AI.TENSORGET y VALUES", "[\"4\" \"9\"]");
		expect_soon(g.client, "AI.TENSORGET z VALUES", "[:7]");
	}
	assert_non_null(strstr(ask(g.client, "AI.INFO m"), "\"calls\" :0 "));
	assert_null(strstr(ask(g.client, "INFO COMMANDSTATS"), "ai.modelrun"));
	expect(g.client, "AI.DAGRUN_RO LOAD 1 x |> AI.MODELRUN m INPUTS x x OUTPUTS y |> AI.TENSORGET y VALUES",
	       "[+OK [\"4\" \"9\"]]");
	expect(g.client, "AI.MODELRUN m INPUTS x x OUTPUTS y",
	       "-READONLY You can't write against a read only replica.");
	expect(f.client, "AI.MODELDEL m", "+OK");
	expect_soon(g.client, "AI.MODELGET m META", "-ERR model key is empty");
	fixture_stop(&g);
	fixture_stop(&f);
}

/* Every part of a value counts: what a replica or a file changes shows in DEBUG DIGEST. */
static void digests_tell_values_apart(void **state)
{
	static const char *const values[] = {
		"AI.TENSORSET k FLOAT 2 VALUES 1 2",
		"AI.TENSORSET k FLOAT 2 VALUES 1 3",
		"AI.TENSORSET k FLOAT 1 2 VALUES 1 2",
		"AI.TENSORSET k INT32 2 BLOB $FLOATS",
		"AI.TENSORSET k FLOAT VALUES 1",
		"AI.MODELSTORE k TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSTORE k TF CPU INPUTS 2 b a OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSTORE k TF CPU INPUTS 2 a b OUTPUTS 1 a BLOB $MUL",
		"AI.MODELSTORE k TF CPU:1 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSTORE k TF CPU TAG t INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSTORE k TF CPU BATCHSIZE 2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSTORE k TF CPU BATCHSIZE 2 MINBATCHSIZE 2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
		"AI.MODELSET k TF CPU BATCHSIZE 2 MINBATCHSIZE 2 MINBATCHTIMEOUT 9 INPUTS a b OUTPUTS mul BLOB $MUL",
		"AI.MODELSTORE k TF CPU INPUTS 1 x OUTPUTS 1 y BLOB $SLOW",
		"AI.SCRIPTSTORE k CPU ENTRY_POINTS 1 f SOURCE $SCRIPT",
		"AI.SCRIPTSTORE k CPU:1 ENTRY_POINTS 1 f SOURCE $SCRIPT",
		"AI.SCRIPTSTORE k CPU TAG t ENTRY_POINTS 1 f SOURCE $SCRIPT",
		"AI.SCRIPTSTORE k CPU ENTRY_POINTS 2 f g SOURCE $SCRIPT",
		"AI.SCRIPTSET k CPU SOURCE $SCRIPT",
		"AI.SCRIPTSET k CPU SOURCE other",
	};
	static const char script[] = "def f(t, k, a): none\ndef g(t, k, a): none";
	const char *const arguments[] = {"TORCH", test_backend_path(), NULL};
	char digests[ARRAY_LEN(values)][64];
	struct fixture f;

	(void)state;
	define("$FLOATS", "\0\0\x80\x3f\0\0\0\x40", 8);
	define("$SCRIPT", script, sizeof(script) - 1);
	fixture_start(&f, arguments, NULL);
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		expect(f.client, "FLUSHALL", "+OK");
		expect(f.client, values[i], "+OK");
		snprintf(digests[i], sizeof(digests[i]), "%s", ask(f.client, "DEBUG DIGEST"));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(digests[k], digests[i]);
		expect(f.client, values[i], "+OK");
		expect(f.client, "DEBUG DIGEST", digests[i]);
	}
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rdb_keeps_tensors_and_models),
		cmocka_unit_test(append_only_file_keeps_commands_and_rewritten_values),
		cmocka_unit_test(replica_gets_results_and_never_runs_models),
		cmocka_unit_test(digests_tell_values_apart),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
