/* AI.MODELRUN, AI.MODELEXECUTE and AI.DAG… beyond the rows of conformance_runs.c. */
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

/* m: $MUL; x: [2, 3]. */
static int fill(void **state)
{
	(void)state;
	expect(f.client, "FLUSHALL", "+OK");
	expect(f.client, "AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK");
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
		cmocka_unit_test_setup(failed_operation_stops_the_dag_and_nothing_persists, fill),
		cmocka_unit_test_setup(names_of_a_long_dag_are_told_apart, fill),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
