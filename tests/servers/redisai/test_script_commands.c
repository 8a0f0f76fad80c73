/*
 * AI.SCRIPT… against a real redis-server: without a backend, and with the test's own (backend/torch.c), which is loaded as
 * any other would be.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NO_TRANSACTION "ERR Cannot run RedisAI command within a transaction or a LUA script"
#define NO_BACKEND "-ERR Could not load backend"

static const char source[] = "def first(tensors, keys, args): first\n"
			     "def sum(tensors, keys, args): sum\n"
			     "def list(tensors, keys, args): list\n"
			     "def words(tensors, keys, args): words\n"
			     "def none(tensors, keys, args): none\n"
			     "def fail(tensors, keys, args): fail\n"
			     "def old(a, b): sum";

#define STORE "AI.SCRIPTSTORE s CPU TAG t:1 ENTRY_POINTS 2 first sum SOURCE $SOURCE"
#define META "\"device\" \"CPU\" \"tag\" \"t:1\" \"Entry Points\" [\"first\" \"sum\"]"

static char backend_path[PATH_MAX], load_backend[PATH_MAX + 64];

/* The library lies beside the test's own program. */
static int start(void **state)
{
	ssize_t n = readlink("/proc/self/exe", backend_path, sizeof(backend_path) - 32);
	char *slash;

	(void)state;
	assert_true(n > 0);
	backend_path[n] = '\0';
	slash = strrchr(backend_path, '/');
	assert_non_null(slash);
	memcpy(slash, "/backend/torch.so", sizeof("/backend/torch.so"));
	snprintf(load_backend, sizeof(load_backend), "AI.CONFIG LOADBACKEND TORCH %s", backend_path);
	define("$SOURCE", source, sizeof(source) - 1);
	define("$DOUBLE", "double", 6);
	define("$", "$", 1);
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

static void scripts_are_stored_shown_and_deleted(void **state)
{
	static const struct exchange list[] = {
		{STORE, "+OK"},
		{"AI.SCRIPTGET s META", "[" META "]"},
		{"AI.SCRIPTSTORE s CPU ENTRY_POINTS 1 short SOURCE $SHORT", "+OK"},
		{"AI.SCRIPTGET s SOURCE", "\"def short(t, k, a): none\""},
		{"AI.SCRIPTGET s", "[\"device\" \"CPU\" \"tag\" \"\" \"Entry Points\" [\"short\"] \"source\" \"def "
				   "short(t, k, a): none\"]"},
		{"AI.SCRIPTGET s META SOURCE", "[\"device\" \"CPU\" \"tag\" \"\" \"Entry Points\" [\"short\"] "
					       "\"source\" \"def short(t, k, a): none\"]"},
		{"AI.SCRIPTSET s CPU:1 TAG old SOURCE $SHORT", "+OK"},
		{"AI.SCRIPTGET s META", "[\"device\" \"CPU:1\" \"tag\" \"old\" \"Entry Points\" []]"},
		{"TYPE s", "+AI_SCRIPT"},
		{"AI._SCRIPTSCAN", "[[\"s\" \"old\"]]"},
		{"RENAME s moved", "+OK"},
		{"AI._SCRIPTSCAN", "[[\"moved\" \"old\"]]"},
		{"AI.INFO moved", "[\"key\" \"moved\" \"type\" \"SCRIPT\" \"backend\" \"TORCH\" \"device\" \"CPU:1\" "
				  "\"tag\" \"old\" \"duration\" :0 \"samples\" :-1 \"calls\" :0 \"errors\" :0]"},
		{"AI.SCRIPTDEL moved", "+OK"},
		{"EXISTS moved", ":0"},
		{"AI._SCRIPTSCAN", "[]"},
	};
	static const char text[] = "def short(t, k, a): none";
	struct fixture f;

	(void)state;
	define("$SHORT", text, sizeof(text) - 1);
	fixture_start(&f, NULL, NULL);
	expect(f.client, load_backend, "+OK");
	expect_all(f.client, list, ARRAY_LEN(list));
	fixture_stop(&f);
}

static void storing_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"AI.SCRIPTSTORE k CPU SOURCE x", "-ERR wrong number of arguments for 'AI.SCRIPTSTORE' command"},
		{"AI.SCRIPTSTORE k CPU NO_ENTRY_POINTS 2 a b SOURCE x",
		 "-ERR Insufficient arguments, missing script entry points"},
		{"AI.SCRIPTSTORE k CPU ENTRY_POINTS ENTRY_POINTS a b SOURCE x",
		 "-ERR Non numeric entry points number provided to AI.SCRIPTSTORE command"},
		{"AI.SCRIPTSTORE k CPU ENTRY_POINTS 9 a b SOURCE x",
		 "-ERR Insufficient arguments, missing script entry points"},
		{"AI.SCRIPTSTORE k CPU ENTRY_POINTS 2 first sum SOURCE",
		 "-ERR Insufficient arguments, missing script SOURCE"},
		{"AI.SCRIPTSTORE k CPU ENTRY_POINTS 2 first second SOURCE $SOURCE",
		 "-Function second does not exist in the given script."},
		{"AI.SCRIPTSTORE k CPU ENTRY_POINTS 2 first old SOURCE $SOURCE",
		 "-Wrong number of inputs in function old. Expected 3 but was 2"},
		{"AI.SCRIPTSTORE k bad_device ENTRY_POINTS 1 first SOURCE $SOURCE", "-ERR Invalid DEVICE"},
		{"AI.SCRIPTSTORE k GPU ENTRY_POINTS 1 first SOURCE $SOURCE",
		 "-ERR GPU requested but TORCH couldn't find CUDA"},
		{"AI.SCRIPTSTORE string CPU ENTRY_POINTS 1 first SOURCE $SOURCE", WRONGTYPE},
		{"AI.SCRIPTSET k CPU SOURCE", "-ERR wrong number of arguments for 'AI.SCRIPTSET' command"},
		{"AI.SCRIPTSET k CPU TAG t SOURCE $SOURCE x",
		 "-ERR wrong number of arguments for 'AI.SCRIPTSET' command"},
		{"AI.SCRIPTSET k CPU NOSOURCE $SOURCE", "-ERR Insufficient arguments, missing script SOURCE"},
		{"AI.SCRIPTSET string CPU SOURCE $SOURCE", WRONGTYPE},
		{"AI.SCRIPTGET", "-ERR wrong number of arguments for 'AI.SCRIPTGET' command"},
		{"AI.SCRIPTGET s META SOURCE more", "-ERR wrong number of arguments for 'AI.SCRIPTGET' command"},
		{"AI.SCRIPTGET nothing", "-ERR script key is empty"},
		{"AI.SCRIPTGET string", WRONGTYPE},
		{"AI.SCRIPTDEL", "-ERR wrong number of arguments for 'AI.SCRIPTDEL' command"},
		{"AI.SCRIPTDEL nothing", "-ERR script key is empty"},
		{"AI.SCRIPTDEL string", WRONGTYPE},
		{"AI._SCRIPTSCAN x", "-ERR wrong number of arguments for 'AI._SCRIPTSCAN' command"},
		{"EXISTS k", ":0"},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	fill(f.client);
	expect_all(f.client, list, ARRAY_LEN(list));
	fixture_stop(&f);
}

static void scripts_are_given_tensors_keys_and_arguments(void **state)
{
	static const struct exchange list[] = {
		{"AI.SCRIPTEXECUTE s sum INPUTS 2 x y OUTPUTS 1 z", "+OK"},
		{"AI.TENSORGET z VALUES", "[\"12\" \"23\"]"},
		{"AI.SCRIPTEXECUTE s words KEYS 2 a b ARGS 3 1 two 3.0 OUTPUTS 1 z TIMEOUT 60000", "+OK"},
		{"AI.TENSORGET z VALUES", "[\"a\" \"b\" \"1\" \"two\" \"3.0\"]"},
		{"AI.SCRIPTEXECUTE s none KEYS 1 a", "+OK"},
		{"AI.SCRIPTEXECUTE s list INPUTS 2 x y OUTPUTS 1 z", "+OK"},
		{"AI.TENSORGET z VALUES", "[:0]"},
		{"AI.SCRIPTRUN s list INPUTS x $ y x y OUTPUTS z", "+OK"},
		{"AI.TENSORGET z VALUES", "[:3]"},
		{"AI.SCRIPTRUN s sum TIMEOUT 60000 INPUTS x $ y x OUTPUTS z", "+OK"},
		{"AI.TENSORGET z VALUES", "[\"14\" \"26\"]"},
		{"AI.SCRIPTEXECUTE s fail INPUTS 1 x OUTPUTS 1 q", "-ERR the script failed"},
		{"AI.SCRIPTEXECUTE s unknown INPUTS 1 x OUTPUTS 1 q", "-ERR Function does not exist: unknown"},
		{"EXISTS q", ":0"},
		{"AI.DAGEXECUTE LOAD 2 x y PERSIST 1 z |> AI.SCRIPTEXECUTE s sum INPUTS 2 x y OUTPUTS 1 z |> "
		 "AI.SCRIPTEXECUTE s words ARGS 1 end OUTPUTS 1 w |> AI.TENSORGET w VALUES",
		 "[+OK +OK [\"end\"]]"},
		{"AI.TENSORGET z VALUES", "[\"12\" \"23\"]"},
		{"AI.DAGRUN LOAD 1 x |> AI.SCRIPTRUN s first INPUTS x OUTPUTS y |> AI.SCRIPTRUN s sum INPUTS x $ y "
		 "OUTPUTS y |> AI.TENSORGET y VALUES",
		 "[+OK +OK [\"4\" \"6\"]]"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.SCRIPTEXECUTE s fail INPUTS 1 x OUTPUTS 1 y |> AI.SCRIPTEXECUTE s first "
		 "INPUTS 1 y OUTPUTS 1 z",
		 "[-ERR the script failed +NA]"},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	fill(f.client);
	expect_all(f.client, list, ARRAY_LEN(list));
	if (!strstr(ask(f.client, "AI.INFO s"), "\"samples\" :-1 \"calls\" :13 \"errors\" :3]"))
		fail_msg("AI.INFO s answered %s", ask(f.client, "AI.INFO s"));
	expect(f.client, "AI.INFO s RESETSTAT", "+OK");
	assert_non_null(strstr(ask(f.client, "AI.INFO s"), "\"calls\" :0 \"errors\" :0]"));
	fixture_stop(&f);
}

static void running_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"AI.SCRIPTEXECUTE s", "-ERR wrong number of arguments for 'AI.SCRIPTEXECUTE' command"},
		{"AI.SCRIPTRUN s", "-ERR wrong number of arguments for 'AI.SCRIPTRUN' command"},
		{"AI.SCRIPTEXECUTE nothing first INPUTS 1 x", "-ERR script key is empty"},
		{"AI.SCRIPTEXECUTE string first INPUTS 1 x", WRONGTYPE},
		{"AI.SCRIPTEXECUTE s first",
		 "-ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command"},
		{"AI.SCRIPTEXECUTE s first OUTPUTS 2 x x",
		 "-ERR KEYS or INPUTS scope must be provided first for AI.SCRIPTEXECUTE command"},
		{"AI.SCRIPTEXECUTE s first KEYS 1", "-ERR Missing arguments after KEYS keyword"},
		{"AI.SCRIPTEXECUTE s first KEYS no k", "-ERR Invalid or negative value found in number of KEYS"},
		{"AI.SCRIPTEXECUTE s first KEYS 0 k", "-ERR Invalid or negative value found in number of KEYS"},
		{"AI.SCRIPTEXECUTE s first KEYS 2 k", "-ERR Number of pre declared KEYS to be used in the command does "
						      "not match the number of given arguments"},
		{"AI.SCRIPTEXECUTE s first KEYS 1 k KEYS 1 k",
		 "-ERR Already Encountered KEYS scope in AI.SCRIPTEXECUTE command"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x INPUTS 1 x",
		 "-ERR Already Encountered INPUTS scope in AI.SCRIPTEXECUTE command"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x ARGS 1 a ARGS 1 a",
		 "-ERR Already Encountered ARGS scope in AI.SCRIPTEXECUTE command"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 a OUTPUTS 1 a",
		 "-ERR Already Encountered OUTPUTS scope in AI.SCRIPTEXECUTE command"},
		{"AI.SCRIPTEXECUTE s first INPUTS", "-ERR Invalid arguments provided to AI.SCRIPTEXECUTE"},
		{"AI.SCRIPTEXECUTE s first INPUTS no x", "-ERR Invalid argument for inputs count in AI.SCRIPTEXECUTE"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS no y",
		 "-ERR Invalid argument for outputs count in AI.SCRIPTEXECUTE"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x ARGS no y",
		 "-ERR Invalid argument for keys count in AI.SCRIPTEXECUTE"},
		{"AI.SCRIPTEXECUTE s first INPUTS 3 x",
		 "-ERR number of inputs to AI.SCRIPTEXECUTE command does not match the number of given arguments"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 3 y",
		 "-ERR number of outputs to AI.SCRIPTEXECUTE command does not match the number of given arguments"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x ARGS 3 y",
		 "-ERR number of args to AI.SCRIPTEXECUTE command does not match the number of given arguments"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y TIMEOUT",
		 "-ERR No value provided for TIMEOUT in AI.SCRIPTEXECUTE"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y TIMEOUT 0", "-ERR Invalid value for TIMEOUT"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y TIMEOUT 5 ARGS 1 a",
		 "-ERR Encountered problem parsing AI.SCRIPTEXECUTE"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x bad",
		 "-ERR Invalid AI.SCRIPTEXECUTE command. Unexpected argument: bad"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 nothing OUTPUTS 1 y",
		 "-ERR tensor key is empty or in a different shard"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 string OUTPUTS 1 y", WRONGTYPE},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 string", WRONGTYPE},
		{"AI.SCRIPTRUN s first INPUTS x $ x $ x OUTPUTS y",
		 "-ERR Already encountered a variable size list of tensors"},
		{"AI.SCRIPTRUN s first INPUTS x INPUTS x OUTPUTS y",
		 "-ERR Already encountered an INPUTS keyword in SCRIPTRUN"},
		{"AI.SCRIPTRUN s first TIMEOUT 0 INPUTS x OUTPUTS y", "-ERR Invalid value for TIMEOUT"},
		{"AI.SCRIPTRUN s first INPUTS nothing OUTPUTS y", "-ERR tensor key is empty or in a different shard"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y TIMEOUT 5",
		 "-ERR TIMEOUT not allowed within a DAG command"},
		{"AI.DAGRUN LOAD 1 x |> AI.SCRIPTRUN s first TIMEOUT 5 INPUTS x OUTPUTS y",
		 "-ERR TIMEOUT not allowed within a DAG command"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.SCRIPTEXECUTE s first INPUTS 1 no OUTPUTS 1 y",
		 "-ERR INPUT key cannot be found in DAG"},
		{"AI.DAGEXECUTE_RO LOAD 1 x |> AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y",
		 "-ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG"},
		{"COMMAND GETKEYS AI.SCRIPTEXECUTE s f KEYS 1 k INPUTS 2 a b ARGS 1 x OUTPUTS 1 c TIMEOUT 5",
		 "[\"s\" \"k\" \"a\" \"b\" \"c\"]"},
		{"COMMAND GETKEYS AI.SCRIPTRUN s f INPUTS a $ b OUTPUTS c", "[\"s\" \"a\" \"b\" \"c\"]"},
		{"COMMAND GETKEYS AI.DAGEXECUTE LOAD 1 a |> AI.SCRIPTEXECUTE s f INPUTS 1 a OUTPUTS 1 b",
		 "[\"a\" \"s\"]"},
		{"MULTI", "+OK"},
		{"AI.SCRIPTEXECUTE s first INPUTS 1 x OUTPUTS 1 y", "+QUEUED"},
		{"AI.SCRIPTRUN s first INPUTS x OUTPUTS y", "+QUEUED"},
		{"EXEC", "[-" NO_TRANSACTION " -" NO_TRANSACTION "]"},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, NULL);
	fill(f.client);
	expect_all(f.client, list, ARRAY_LEN(list));
	fixture_stop(&f);
}

static void scripts_persist(void **state)
{
	static const char *const aof[] = {"--appendonly", "yes", "--aof-use-rdb-preamble", "no", NULL};
	static const struct exchange kept[] = {
		{"AI.SCRIPTGET s META",
		 "[\"device\" \"CPU\" \"tag\" \"t:1\" \"Entry Points\" [\"first\" \"sum\" \"list\" "
		 "\"words\" \"none\" \"fail\"]]"},
		{"AI.SCRIPTGET old META", "[\"device\" \"CPU:3\" \"tag\" \"\" \"Entry Points\" []]"},
		{"AI.SCRIPTEXECUTE s sum INPUTS 2 x y OUTPUTS 1 z", "+OK"},
		{"AI.SCRIPTRUN old old INPUTS x y OUTPUTS z", "+OK"},
		{"AI.TENSORGET z VALUES", "[\"12\" \"23\"]"},
	};
	struct fixture f;

	(void)state;
	fixture_start(&f, NULL, aof);
	fill(f.client);
	expect(f.client, "AI.SCRIPTSET old CPU:3 SOURCE $SOURCE", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	expect(f.client, "DEBUG RELOAD", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
	expect(f.client, "BGREWRITEAOF", "+Background append only file rewriting started");
	while (strstr(ask(f.client, "INFO PERSISTENCE"), "aof_rewrite_in_progress:1"))
		continue;
	expect(f.client, "DEBUG LOADAOF", "+OK");
	expect_all(f.client, kept, ARRAY_LEN(kept));
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
		cmocka_unit_test(scripts_are_stored_shown_and_deleted),
		cmocka_unit_test(storing_errors_are_to_the_letter),
		cmocka_unit_test(scripts_are_given_tensors_keys_and_arguments),
		cmocka_unit_test(running_errors_are_to_the_letter),
		cmocka_unit_test(scripts_persist),
		cmocka_unit_test(scripts_outlive_a_missing_backend),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
