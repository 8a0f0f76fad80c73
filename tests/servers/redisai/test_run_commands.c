/* AI.MODELRUN, AI.MODELEXECUTE and AI.DAG… against a real redis-server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"
#define NO_TRANSACTION "ERR Cannot run RedisAI command within a transaction or a LUA script"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	graphs_define();
	return 0;
}

static int stop(void **state)
{
	(void)state;
	graphs_release();
	fixture_stop(&f);
	return 0;
}

/* m: $MUL; x: [2, 3]; string: no tensor. */
static int fill(void **state)
{
	(void)state;
	expect(f.client, "FLUSHALL", "+OK");
	expect(f.client, "AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK");
	expect(f.client, "SET string value", "+OK");
	return 0;
}

static void single_runs_store_their_outputs(void **state)
{
	(void)state;
	/* The first runs go through the queue, later ones in line. */
	for (int i = 0; i < 20; i++) {
		expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
		expect(f.client, "AI.TENSORGET y VALUES", "[\"4\" \"9\"]");
		expect(f.client, "AI.MODELEXECUTE m INPUTS 2 x y OUTPUTS 1 z TIMEOUT 60000", "+OK");
		expect(f.client, "AI.TENSORGET z VALUES", "[\"8\" \"27\"]");
		expect(f.client, "DEL y z", ":2");
	}
	expect(f.client, "AI.MODELRUN m TIMEOUT 60000 INPUTS x x OUTPUTS x", "+OK");
	expect(f.client, "AI.TENSORGET x VALUES", "[\"4\" \"9\"]");
}

static void modelexecute_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS",
		 "-ERR wrong number of arguments for 'AI.MODELEXECUTE' command"},
		{"AI.MODELEXECUTE nothing INPUTS 2 x x OUTPUTS 1 y", "-ERR model key is empty"},
		{"AI.MODELEXECUTE string INPUTS 2 x x OUTPUTS 1 y", WRONGTYPE},
		{"AI.MODELEXECUTE m timeout 1000 INPUTS 2 x x OUTPUTS 1 y", "-ERR INPUTS not specified"},
		{"AI.MODELEXECUTE m INPUTS no x x OUTPUTS 1 y", "-ERR Invalid argument for input_count"},
		{"AI.MODELEXECUTE m INPUTS 0 x x OUTPUTS 1 y", "-ERR Input count must be a positive integer"},
		{"AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y",
		 "-Number of keys given as INPUTS here does not match model definition"},
		{"AI.MODELEXECUTE m INPUTS 2 x x NOT_OUTPUTS 1 y", "-ERR OUTPUTS not specified"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS no y", "-ERR Invalid argument for output_count"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 0 y", "-ERR Output count must be a positive integer"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 2 y z",
		 "-Number of keys given as OUTPUTS here does not match model definition"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1",
		 "-ERR number of output keys to AI.MODELEXECUTE command does not match the number of given arguments"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y bad_arg", "-Invalid argument: bad_arg"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y TIMEOUT", "-ERR No value provided for TIMEOUT"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y TIMEOUT -43", "-ERR Invalid value for TIMEOUT"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y TIMEOUT 1000 bad_arg", "-Invalid argument: bad_arg"},
		{"AI.MODELEXECUTE m INPUTS 2 x nothing OUTPUTS 1 y",
		 "-ERR tensor key is empty or in a different shard"},
		{"AI.MODELEXECUTE m INPUTS 2 x string OUTPUTS 1 y", WRONGTYPE},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 string", WRONGTYPE},
		{"GET string", "\"value\""},
		{"EXISTS y", ":0"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void modelrun_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELRUN m INPUTS x x", "-ERR wrong number of arguments for 'AI.MODELRUN' command"},
		{"AI.MODELRUN nothing INPUTS x x OUTPUTS y", "-ERR model key is empty"},
		{"AI.MODELRUN m OUTPUTS y INPUTS x x", "-ERR INPUTS not specified"},
		{"AI.MODELRUN m INPUTS x x x x", "-ERR OUTPUTS not specified"},
		{"AI.MODELRUN m INPUTS x OUTPUTS y z",
		 "-Number of keys given as INPUTS here does not match model definition"},
		{"AI.MODELRUN m INPUTS x x OUTPUTS y z",
		 "-Number of keys given as OUTPUTS here does not match model definition"},
		{"AI.MODELRUN m TIMEOUT 0 INPUTS x x OUTPUTS y", "-ERR Invalid value for TIMEOUT"},
		{"AI.MODELRUN m INPUTS x nothing OUTPUTS y", "-ERR tensor key is empty or in a different shard"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void dags_answer_per_operation(void **state)
{
	static const struct exchange list[] = {
		{"AI.DAGRUN LOAD 1 x |> AI.TENSORSET v FLOAT 2 VALUES 5 10 |> AI.MODELRUN m INPUTS v x OUTPUTS w |> "
		 "AI.TENSORGET w VALUES",
		 "[+OK +OK [\"10\" \"30\"]]"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.TENSORSET v FLOAT 2 VALUES 5 10 |> AI.MODELEXECUTE m INPUTS 2 v x "
		 "OUTPUTS 1 w "
		 "|> AI.TENSORGET w META",
		 "[+OK +OK [\"dtype\" \"FLOAT\" \"shape\" [:2]]]"},
		{"EXISTS v w", ":0"},
		{"AI.DAGRUN_RO LOAD 1 x |> AI.MODELRUN m INPUTS x x OUTPUTS y |> AI.MODELRUN m INPUTS y x OUTPUTS y |> "
		 "AI.TENSORGET y VALUES",
		 "[+OK +OK [\"8\" \"27\"]]"},
		{"AI.DAGEXECUTE_RO ROUTING tag |> AI.TENSORSET v FLOAT 1 2 VALUES 5 10 |> AI.TENSORSET u FLOAT 1 1 "
		 "VALUES 5",
		 "[+OK +OK]"},
		{"AI.DAGEXECUTE PERSIST 1 k |> AI.TENSORSET k FLOAT 1 2 VALUES 5 10 |> AI.TENSORGET k META VALUES |> "
		 "AI.TENSORSET k FLOAT 1 4 VALUES 20 40 60 80 |> AI.TENSORGET k META VALUES",
		 "[+OK [\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"values\" [\"5\" \"10\"]] +OK [\"dtype\" \"FLOAT\" "
		 "\"shape\" "
		 "[:1 :4] \"values\" [\"20\" \"40\" \"60\" \"80\"]]]"},
		{"AI.TENSORGET k VALUES", "[\"20\" \"40\" \"60\" \"80\"]"},
		{"AI.DAGRUN LOAD 1 x PERSIST 2 p q TIMEOUT 60000 |> AI.MODELRUN m INPUTS x x OUTPUTS p |> AI.MODELRUN "
		 "m "
		 "INPUTS p p OUTPUTS q",
		 "[+OK +OK]"},
		{"AI.TENSORGET p VALUES", "[\"4\" \"9\"]"},
		{"AI.TENSORGET q VALUES", "[\"16\" \"81\"]"},
		{"AI.DAGRUN LOAD 1 x PERSIST 1 x |> AI.TENSORGET x VALUES", "[[\"2\" \"3\"]]"},
		{"AI.TENSORGET x VALUES", "[\"2\" \"3\"]"},
		{"AI.DAGRUN ROUTING r |> AI.TENSORSET s STRING 2 VALUES a bc |> AI.TENSORGET s VALUES",
		 "[+OK [\"a\" \"bc\"]]"},
	};

	(void)state;
	/* Again once everything is quick enough to run in line. */
	for (int i = 0; i < 10; i++)
		expect_all(f.client, list, ARRAY_LEN(list));
}

static void failed_operation_stops_the_dag_and_nothing_persists(void **state)
{
	static const char line[] =
		"AI.DAGRUN LOAD 1 x PERSIST 2 v y |> AI.TENSORSET v FLOAT 5 |> AI.MODELRUN m INPUTS v x "
		"OUTPUTS w |> AI.TENSORGET w VALUES |> AI.MODELRUN m INPUTS x x OUTPUTS y |> "
		"AI.TENSORGET x VALUES";
	const char *text;

	(void)state;
	for (int i = 0; i < 20; i++) {
		expect(f.client, "AI.MODELRUN m INPUTS x x OUTPUTS z", "+OK"); /* quick from some run on */
		text = ask(f.client, line);
		if (strncmp(text, "[+OK -ERR ", 10) != 0 || !strstr(text, " +NA +NA [\"2\" \"3\"]]"))
			fail_msg("answered %s", text);
		expect(f.client, "EXISTS v y w", ":0");
	}
	expect(f.client, "SET taken 1", "+OK");
	expect(f.client,
	       "AI.DAGRUN LOAD 1 x PERSIST 2 new taken |> AI.TENSORSET new FLOAT 1 |> AI.MODELRUN m INPUTS x x "
	       "OUTPUTS taken",
	       WRONGTYPE);
	expect(f.client, "EXISTS new", ":0");
}

static void dag_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"AI.DAGRUN |> AI.TENSORGET", "-ERR wrong number of arguments for 'AI.DAGRUN' command"},
		{"AI.DAGRUN_RO |> AI.TENSORGET", "-ERR wrong number of arguments for 'AI.DAGRUN_RO' command"},
		{"AI.DAGEXECUTE", "-ERR missing arguments for 'AI.DAGEXECUTE' command"},
		{"AI.DAGEXECUTE_RO", "-ERR missing arguments for 'AI.DAGEXECUTE_RO' command"},
		{"AI.DAGEXECUTE PERSIST 2 u v LOAD 1", "-ERR missing arguments after LOAD keyword in DAG command"},
		{"AI.DAGEXECUTE LOAD no |> AI.TENSORGET u VALUES",
		 "-ERR invalid or negative value found in number of keys to LOAD"},
		{"AI.DAGEXECUTE ROUTING x LOAD 2 x",
		 "-ERR number of keys to LOAD into DAG does not match the number of given arguments"},
		{"AI.DAGEXECUTE ROUTING no LOAD 1 no", "-ERR tensor key is empty or in a different shard"},
		{"AI.DAGEXECUTE ROUTING no LOAD 1 string", WRONGTYPE},
		{"AI.DAGEXECUTE ROUTING x LOAD 1 x PERSIST 1",
		 "-ERR missing arguments after PERSIST keyword in DAG command"},
		{"AI.DAGEXECUTE ROUTING x PERSIST no x",
		 "-ERR invalid or negative value found in number of keys to PERSIST"},
		{"AI.DAGEXECUTE ROUTING x PERSIST 2 x",
		 "-ERR number of keys to PERSIST after DAG execution does not match the number of given arguments"},
		{"AI.DAGEXECUTE PERSIST 2 u u |> AI.TENSORSET u FLOAT 1", "-ERR PERSIST keys must be unique"},
		{"AI.DAGEXECUTE ROUTING x PERSIST 1 x TIMEOUT", "-ERR No value provided for TIMEOUT"},
		{"AI.DAGEXECUTE ROUTING x PERSIST 1 x TIMEOUT no", "-ERR Invalid value for TIMEOUT"},
		{"AI.DAGEXECUTE ROUTING x TIMEOUT 0 |> AI.TENSORSET v FLOAT 1", "-ERR Invalid value for TIMEOUT"},
		{"AI.DAGEXECUTE PERSIST 3 a b c ROUTING", "-ERR Missing ROUTING value"},
		{"AI.DAGEXECUTE ROUTING x PERSIST 1 x BAD_ARG",
		 "-ERR Invalid DAG command. Unexpected argument:  BAD_ARG"},
		{"AI.DAGEXECUTE |> AI.TENSORSET a FLOAT 1 2 VALUES 5 10",
		 "-ERR AI.DAGEXECUTE and AI.DAGEXECUTE_RO commands must contain at least one out of ROUTING, LOAD, "
		 "PERSIST "
		 "keywords"},
		{"AI.DAGRUN |> AI.TENSORSET a FLOAT 1 2 VALUES 5 10", "[+OK]"},
		{"AI.DAGEXECUTE ROUTING a |> AI.NOCOMMAND a FLOAT 1 2", "-Unsupported command within DAG"},
		{"AI.DAGEXECUTE ROUTING a |> |> AI.TENSORSET a FLOAT", "-Unsupported command within DAG"},
		{"AI.DAGEXECUTE ROUTING x LOAD 1 x", "-ERR DAG is empty"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.MODELRUN m INPUTS x x OUTPUTS y",
		 "-Deprecated AI.MODELRUN cannot be used in AI.DAGEXECUTE command"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.SCRIPTRUN s bar INPUTS x x OUTPUTS y",
		 "-Deprecated AI.SCRIPTRUN cannot be used in AI.DAGEXECUTE command"},
		{"AI.DAGRUN LOAD 1 x |> AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y",
		 "-AI.MODELEXECUTE cannot be used in a deprecated AI.DAGRUN command"},
		{"AI.DAGRUN LOAD 1 x |> AI.SCRIPTEXECUTE s bar INPUTS 1 x",
		 "-AI.SCRIPTEXECUTE cannot be used in a deprecated AI.DAGRUN command"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.SCRIPTEXECUTE s bar INPUTS 1 x", "-ERR script key is empty"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.MODELEXECUTE m INPUTS 2 x no OUTPUTS 1 y",
		 "-ERR INPUT key cannot be found in DAG"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.MODELEXECUTE m INPUTS 1 x OUTPUTS 1 y",
		 "-Number of keys given as INPUTS here does not match model definition"},
		{"AI.DAGEXECUTE LOAD 1 x |> AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y TIMEOUT 5",
		 "-ERR TIMEOUT not allowed within a DAG command"},
		{"AI.DAGRUN LOAD 1 x |> AI.MODELRUN m TIMEOUT 5 INPUTS x x OUTPUTS y",
		 "-ERR TIMEOUT not allowed within a DAG command"},
		{"AI.DAGEXECUTE PERSIST 1 no |> AI.TENSORSET v FLOAT 1", "-ERR PERSIST key cannot be found in DAG"},
		{"AI.DAGEXECUTE_RO PERSIST 1 v |> AI.TENSORSET v FLOAT 1",
		 "-ERR PERSIST cannot be specified in a read-only DAG"},
		{"AI.DAGEXECUTE_RO LOAD 1 x |> AI.SCRIPTEXECUTE s bar INPUTS 1 x",
		 "-ERR AI.SCRIPTEXECUTE command cannot be specified in a read-only DAG"},
		{"AI.DAGEXECUTE ROUTING a |> AI.TENSORSET a FLOAT 1 |> AI.TENSORGET",
		 "-wrong number of arguments for 'AI.TENSORGET' command"},
		{"AI.DAGEXECUTE ROUTING a |> AI.TENSORSET a FLOAT 1 |> AI.TENSORGET a META BLOB extra",
		 "-wrong number of arguments for 'AI.TENSORGET' command"},
		{"AI.DAGEXECUTE ROUTING a |> AI.TENSORSET a FLOAT 1 |> AI.TENSORSET",
		 "-wrong number of arguments for 'AI.TENSORSET' command"},
		{"AI.DAGRUN ROUTING a |> AI.TENSORSET a FLOAT 1 |> AI.TENSORGET a WRONG",
		 "-ERR unsupported data format"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void transactions_and_scripts_are_refused(void **state)
{
	static const struct exchange list[] = {
		{"MULTI", "+OK"},
		{"AI.MODELEXECUTE m INPUTS 2 x x OUTPUTS 1 y", "+QUEUED"},
		{"AI.DAGRUN LOAD 1 x |> AI.TENSORGET x", "+QUEUED"},
		{"AI.TENSORGET x VALUES", "+QUEUED"},
		{"EXEC", "[-" NO_TRANSACTION " -" NO_TRANSACTION " [\"2\" \"3\"]]"},
		{"EVAL $LUA 0", "\"" NO_TRANSACTION "\""},
	};
	static const char lua[] = "return redis.pcall('AI.MODELRUN','m','INPUTS','x','x','OUTPUTS','y').err";

	(void)state;
	define("$LUA", lua, sizeof(lua) - 1);
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void keys_are_reported_as_redisai_reports_them(void **state)
{
	static const struct exchange list[] = {
		{"COMMAND GETKEYS AI.MODELRUN m TIMEOUT 5 INPUTS a b OUTPUTS c", "[\"m\" \"a\" \"b\" \"c\"]"},
		{"COMMAND GETKEYS AI.MODELEXECUTE m INPUTS 2 a b OUTPUTS 1 c TIMEOUT 5", "[\"m\" \"a\" \"b\" \"c\"]"},
		{"COMMAND GETKEYS AI.DAGRUN LOAD 2 a b PERSIST 1 c |> AI.MODELRUN m INPUTS a b OUTPUTS c",
		 "[\"a\" \"b\" \"c\"]"},
		{"COMMAND GETKEYS AI.DAGEXECUTE ROUTING r TIMEOUT 5 LOAD 1 a |> AI.MODELEXECUTE m INPUTS 1 a OUTPUTS 1 "
		 "c",
		 "[\"r\" \"a\" \"m\"]"},
		{"COMMAND GETKEYS AI.DAGRUN LOAD 99 a b", "[\"a\" \"b\"]"},
		{"COMMAND GETKEYS AI.MODELGET m", "[\"m\"]"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void names_of_a_long_dag_are_told_apart(void **state)
{
	struct buf line = {0}, want = {0};

	(void)state;
	buf_printf(&line, "AI.DAGRUN LOAD 1 x |> AI.MODELRUN m INPUTS x x OUTPUTS v1");
	buf_printf(&want, "[+OK ");
	for (int i = 2; i < 20; i++) {
		buf_printf(&line, " |> AI.MODELRUN m INPUTS x v%d OUTPUTS v%d", i - 1, i);
		buf_printf(&want, "+OK ");
	}
	buf_printf(&line, " |> AI.TENSORGET v14 VALUES |> AI.TENSORGET v1 VALUES");
	buf_printf(&want, "[\"32768\" \"14348907\"] [\"4\" \"9\"]]");
	expect(f.client, line.data, want.data);
	buf_release(&line);
	buf_release(&want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(single_runs_store_their_outputs, fill),
		cmocka_unit_test_setup(modelexecute_errors_are_to_the_letter, fill),
		cmocka_unit_test_setup(modelrun_errors_are_to_the_letter, fill),
		cmocka_unit_test_setup(dags_answer_per_operation, fill),
		cmocka_unit_test_setup(failed_operation_stops_the_dag_and_nothing_persists, fill),
		cmocka_unit_test_setup(dag_errors_are_to_the_letter, fill),
		cmocka_unit_test_setup(transactions_and_scripts_are_refused, fill),
		cmocka_unit_test_setup(keys_are_reported_as_redisai_reports_them, fill),
		cmocka_unit_test_setup(names_of_a_long_dag_are_told_apart, fill),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
