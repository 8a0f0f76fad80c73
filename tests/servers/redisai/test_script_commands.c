/*
 * AI.SCRIPT… beyond the rows of conformance_scripts.c: without a backend, and how the test's own (backend/torch.c) is
 * loaded.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define NO_BACKEND "-ERR Could not load backend"

static const char source[] = "def first(tensors, keys, args): first\n"
			     "def sum(tensors, keys, args): sum\n"
			     "def list(tensors, keys, args): list\n"
			     "def words(tensors, keys, args): words\n"
			     "def none(tensors, keys, args): none\n"
			     "def fail(tensors, keys, args): fail\n"
			     "def old(a, b): sum";

#define STORE "AI.SCRIPTSTORE s CPU TAG t:1 ENTRY_POINTS 2 first sum SOURCE $SOURCE"

static char backend_path[PATH_MAX], load_backend[PATH_MAX + 64];

static int start(void **state)
{
	(void)state;
	snprintf(backend_path, sizeof(backend_path), "%s", test_backend_path());
	snprintf(load_backend, sizeof(load_backend), "AI.CONFIG LOADBACKEND TORCH %s", backend_path);
	define("$SOURCE", source, sizeof(source) - 1);
	define("$DOUBLE", "double", 6);
	return 0;
}

/* s: all functions of source; x: [2, 3]; string: no script. */
static void fill(struct redis_client *c)
{
	expect(c, load_backend, "+OK");
	expect(c, "AI.SCRIPTSTORE s CPU TAG t:1 ENTRY_POINTS 6 first sum list words none fail SOURCE $SOURCE", "+OK");
	expect(c, "AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK");
	expect(c, "AI.TENSORSET y FLOAT 2 VALUES 10 20", "+OK");
	expect(c, "SET string value", "+OK");
}

static void scripts_need_their_backend(void **state)
{
	static const struct exchange list[] = {
		{STORE, NO_BACKEND},
		{"AI.SCRIPTSET s CPU SOURCE $SOURCE", NO_BACKEND},
		{"EXISTS s", ":0"},
		{"AI.SCRIPTGET s", "-ERR script key is empty"},
		{"AI.SCRIPTDEL s", "-ERR script key is empty"},
		{"AI._SCRIPTSCAN", "[]"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y", "-ERR script key is empty"},
		{"AI.SCRIPTRUN s first INPUTS x OUTPUTS y", "-ERR script key is empty"},
		{"AI.DAGEXECUTE ROUTING r |> AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y",
		 "-ERR script key is empty"},
		{"AI.SCRIPTSTORE s CPU ENTRY_POINTS 1 first SOURCE",
		 "-ERR wrong number of arguments for 'AI.SCRIPTSTORE' command"},
		{"AI.SCRIPTSTORE s CPU ENTRY_POINTS 1 first NOSOURCE x",
		 "-ERR Insufficient arguments, missing script SOURCE"},
		{"AI.MODELSTORE m TORCH CPU BLOB double", NO_BACKEND},
		{"AI.MODELSET m TORCH CPU BLOB double", NO_BACKEND},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	expect_all(f.client, list, ARRAY_LEN(list));
	assert_null(strstr(ask(f.client, "INFO MODULES"), "ai_Torch_version"));
	fixture_stop(&f);
}

static void backend_is_loaded_from_its_path(void **state)
{
	char folder[PATH_MAX], line[PATH_MAX + 64];
	struct fixture f;

	(void)state;
	snprintf(folder, sizeof(folder), "%s", backend_path);
	*strrchr(folder, '/') = '\0';
	fixture_start(&f, NULL, NULL);
	expect(f.client, "AI.CONFIG LOADBACKEND TORCH torch.so", "-ERR error loading backend");
	snprintf(line, sizeof(line), "AI.CONFIG BACKENDSPATH %s", folder);
	expect(f.client, line, "+OK");
	/* A library that is no backend. */
	snprintf(line, sizeof(line), "AI.CONFIG LOADBACKEND TORCH %s", redis_server_module_path());
	expect(f.client, line, "-ERR error loading backend");
	expect(f.client, "AI.MODELSTORE m TORCH CPU BLOB $DOUBLE", NO_BACKEND);
	expect(f.client, "AI.CONFIG LOADBACKEND TORCH torch.so", "+OK");
	/* Nothing of it was used yet. */
	assert_null(strstr(ask(f.client, "INFO MODULES"), "ai_Torch_version"));
	expect(f.client, "AI.CONFIG LOADBACKEND TORCH torch.so", "-ERR error loading backend");
	expect(f.client, STORE, "+OK");
	assert_non_null(strstr(ask(f.client, "INFO MODULES"), "ai_Torch_version:test 1"));
	fixture_stop(&f);
}

static void backend_is_loaded_with_the_module(void **state)
{
	const char *const arguments[] = {"TORCH", backend_path, NULL};
	struct fixture f;

	(void)state;
	fixture_start(&f, arguments, NULL);
	expect(f.client, STORE, "+OK");
	fixture_stop(&f);
}

static void models_of_a_backend_run(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELSTORE m TORCH CPU:1 TAG v BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 1 BLOB $DOUBLE", "+OK"},
		{"AI.MODELSTORE bad TORCH CPU BLOB triple", "-ERR this is no model of the test backend"},
		{"AI.TENSORSET x FLOAT 1 2 VALUES 2 3", "+OK"},
		{"AI.TENSORSET i INT8 1 2 VALUES 2 3", "+OK"},
		{"AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y", "+OK"},
		{"AI.TENSORGET y VALUES", "[\"4\" \"6\"]"},
		{"AI.MODELRUN m INPUTS i OUTPUTS y", "-ERR x is to be FLOAT"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y",
		 "-Number of keys given as INPUTS here does not match model definition"},
		{"AI.MODELGET m META", "[\"backend\" \"TORCH\" \"device\" \"CPU:1\" \"tag\" \"v\" \"batchsize\" :4 "
				       "\"minbatchsize\" :2 \"inputs\" [] \"outputs\" [] \"minbatchtimeout\" :1]"},
		{"DEBUG RELOAD", "+OK"},
		{"AI.DAGRUN LOAD 1 x |> AI.MODELRUN m INPUTS x OUTPUTS y |> AI.MODELRUN m INPUTS y OUTPUTS y |> "
		 "AI.TENSORGET y VALUES",
		 "[+OK +OK [\"8\" \"12\"]]"},
		{"AI.MODELDEL m", "+OK"},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	expect(f.client, load_backend, "+OK");
	expect_all(f.client, list, ARRAY_LEN(list));
	fixture_stop(&f);
}

static void info_counts_scripts_without_samples(void **state)
{
	static const struct exchange list[] = {
		{"AI.SCRIPTEXECUTE s sum INPUTS 2 x y OUTPUTS 1 z", "+OK"},
		{"AI.SCRIPTRUN s sum INPUTS x y OUTPUTS z", "+OK"},
		{"AI.SCRIPTEXECUTE s fail INPUTS 1 x OUTPUTS 1 q", "-ERR the script failed"},
		{"AI.SCRIPTEXECUTE s unknown INPUTS 1 x OUTPUTS 1 q", "-ERR Function does not exist: unknown"},
		{"AI.DAGEXECUTE LOAD 2 x y |> AI.SCRIPTEXECUTE s sum INPUTS 2 x y OUTPUTS 1 z |> "
		 "AI.SCRIPTEXECUTE s words ARGS 1 end OUTPUTS 1 w |> AI.TENSORGET w VALUES",
		 "[+OK +OK [\"end\"]]"},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	fill(f.client);
	expect_all(f.client, list, ARRAY_LEN(list));
	if (!strstr(ask(f.client, "AI.INFO s"), "\"samples\" :-1 \"calls\" :6 \"errors\" :2]"))
		fail_msg("AI.INFO s answered %s", ask(f.client, "AI.INFO s"));
	expect(f.client, "AI.INFO s RESETSTAT", "+OK");
	assert_non_null(strstr(ask(f.client, "AI.INFO s"), "\"calls\" :0 \"errors\" :0]"));
	fixture_stop(&f);
}

/* What was stored elsewhere is kept where it cannot run, and runs once the backend is there. */
static void scripts_outlive_a_missing_backend(void **state)
{
	struct fixture f, replica;
	char line[64];

	(void)state;
	fixture_start(&f, NULL, NULL);
	fixture_start(&replica, NULL, NULL);
	fill(f.client);
	snprintf(line, sizeof(line), "REPLICAOF 127.0.0.1 %u", f.server.port);
	expect(replica.client, line, "+OK");
	expect_soon(replica.client, "AI._SCRIPTSCAN", "[[\"s\" \"t:1\"]]"); /* by RDB */
	expect(f.client, "AI.SCRIPTSTORE s2 CPU TAG 2 ENTRY_POINTS 1 first SOURCE $SOURCE", "+OK");
	expect_soon(replica.client, "AI.SCRIPTGET s2 META",
		    "[\"device\" \"CPU\" \"tag\" \"2\" \"Entry Points\" [\"first\"]]"); /* by command */
	expect(replica.client, "REPLICAOF NO ONE", "+OK");
	expect(replica.client, "AI.SCRIPTEXECUTE s2 first INPUTS 1 x OUTPUTS 1 z", NO_BACKEND);
	expect(replica.client, load_backend, "+OK");
	expect(replica.client, "AI.SCRIPTEXECUTE s2 first INPUTS 1 x OUTPUTS 1 z", "+OK");
	expect(replica.client, "AI.TENSORGET z VALUES", "[\"2\" \"3\"]");
	fixture_stop(&replica);
	fixture_stop(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scripts_need_their_backend),
		cmocka_unit_test(backend_is_loaded_from_its_path),
		cmocka_unit_test(backend_is_loaded_with_the_module),
		cmocka_unit_test(models_of_a_backend_run),
		cmocka_unit_test(info_counts_scripts_without_samples),
		cmocka_unit_test(scripts_outlive_a_missing_backend),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
