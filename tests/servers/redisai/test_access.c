/* Who may do what: ACL users, keys that may only be read or only be written, passwords, TLS with client certificates. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"
#include "tests/support/certificates.h"

#define NO_COMMAND(name) "-NOPERM this user has no permissions to run the '" name "' command"
#define NO_AUTH "-NOAUTH Authentication required."
#define NO_KEY "-NOPERM this user has no permissions to access one of the keys used as arguments"

static struct fixture f;
static struct redis_client *user;

static int start(void **state)
{
	(void)state;
	graphs_define();
	fixture_start(&f, NULL, NULL);
	user = connect_to(&f);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	redis_client_close(user);
	fixture_stop(&f);
	graphs_release();
	return 0;
}

static int fill(void **state)
{
	static const struct exchange list[] = {
		{"FLUSHALL", "+OK"},
		{"ACL LOG RESET", "+OK"},
		{"AI.MODELSTORE model:mul TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
		{"AI.MODELSTORE other:mul TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK"},
		{"AI.TENSORSET in:x FLOAT 2 VALUES 2 3", "+OK"},
		{"AI.TENSORSET out:x FLOAT 2 VALUES 2 3", "+OK"},
		{"AI.TENSORSET other:x FLOAT 2 VALUES 2 3", "+OK"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
	return 0;
}

/* Makes `rules` all that the user may do, and is the user from now on. */
static void become(const char *rules)
{
	char line[512];

	snprintf(line, sizeof(line), "ACL SETUSER u reset on >secret %s", rules);
	expect(f.client, line, "+OK");
	expect(user, "AUTH u secret", "+OK");
}

static void user_runs_the_commands_it_is_given_and_no_others(void **state)
{
	static const struct exchange list[] = {
		{"AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS out:y", "+OK"},
		{"AI.TENSORGET out:y VALUES", "[\"4\" \"9\"]"},
		{"AI.TENSORSET in:x FLOAT 2 VALUES 2 3", NO_COMMAND("ai.tensorset")},
		{"AI.MODELGET model:mul META", NO_COMMAND("ai.modelget")},
		{"AI.MODELDEL model:mul", NO_COMMAND("ai.modeldel")},
		{"AI.MODELEXECUTE model:mul INPUTS 2 in:x in:x OUTPUTS 1 out:y", NO_COMMAND("ai.modelexecute")},
		{"AI.DAGRUN LOAD 1 in:x |> AI.TENSORGET in:x", NO_COMMAND("ai.dagrun")},
		{"AI._MODELSCAN", NO_COMMAND("ai._modelscan")},
		{"AI.CONFIG GET MODEL_CHUNK_SIZE", NO_COMMAND("ai.config")},
		{"GET in:x", NO_COMMAND("get")},
	};

	(void)state;
	become("~* +ai.modelrun +AI.TENSORGET");
	expect_all(user, list, ARRAY_LEN(list));
}

static void user_reaches_the_keys_it_is_given_and_no_others(void **state)
{
	static const struct exchange list[] = {
		{"AI.TENSORSET in:z FLOAT 1", "+OK"},
		{"AI.TENSORSET other:z FLOAT 1", NO_KEY},
		{"AI.TENSORGET other:x META", NO_KEY},
		{"AI.MODELGET other:mul META", NO_KEY},
		{"AI.MODELDEL other:mul", NO_KEY},
		{"AI.MODELSTORE other:m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", NO_KEY},
		{"AI.INFO other:mul", NO_KEY},
		{"AI.MODELRUN other:mul INPUTS in:x in:x OUTPUTS out:y", NO_KEY},
		{"AI.MODELRUN model:mul INPUTS in:x other:x OUTPUTS out:y", NO_KEY},
		{"AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS other:y", NO_KEY},
		{"AI.MODELEXECUTE other:mul INPUTS 2 in:x in:x OUTPUTS 1 out:y", NO_KEY},
		{"AI.MODELEXECUTE model:mul INPUTS 2 other:x in:x OUTPUTS 1 out:y", NO_KEY},
		{"AI.MODELEXECUTE model:mul INPUTS 2 in:x in:x OUTPUTS 1 other:y", NO_KEY},
		{"AI.MODELEXECUTE model:mul INPUTS 2 in:x in:x OUTPUTS 1 out:y TIMEOUT 5000", "+OK"},
		{"AI.SCRIPTEXECUTE other:s f INPUTS 1 in:x OUTPUTS 1 out:y", NO_KEY},
		{"AI.SCRIPTRUN other:s f INPUTS in:x OUTPUTS out:y", NO_KEY},
	};

	(void)state;
	become("~in:* ~out:* ~model:* +@all");
	expect_all(user, list, ARRAY_LEN(list));
	expect(f.client, "EXISTS other:z other:y other:m", ":0");
}

static void keys_of_dags_are_checked(void **state)
{
	static const struct exchange list[] = {
		{"AI.DAGRUN LOAD 1 other:x |> AI.TENSORGET other:x VALUES", NO_KEY},
		{"AI.DAGRUN LOAD 1 in:x PERSIST 1 other:y |> AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS other:y",
		 NO_KEY},
		{"AI.DAGEXECUTE LOAD 1 in:x |> AI.MODELEXECUTE other:mul INPUTS 2 in:x in:x OUTPUTS 1 y", NO_KEY},
		{"AI.DAGEXECUTE LOAD 1 in:x |> AI.SCRIPTEXECUTE other:s f INPUTS 1 in:x OUTPUTS 1 y", NO_KEY},
		{"AI.DAGEXECUTE ROUTING other:r |> AI.TENSORSET a FLOAT 1 |> AI.TENSORGET a", NO_KEY},
		{"AI.DAGEXECUTE_RO LOAD 1 other:x |> AI.TENSORGET other:x VALUES", NO_KEY},
		{"AI.DAGRUN_RO LOAD 1 other:x |> AI.TENSORGET other:x VALUES", NO_KEY},
		/* The names inside are the command's own. */
		{"AI.DAGEXECUTE LOAD 1 in:x PERSIST 1 out:y |> AI.TENSORSET other:x FLOAT 2 VALUES 1 2 |> "
		 "AI.MODELEXECUTE model:mul INPUTS 2 in:x other:x OUTPUTS 1 out:y |> AI.TENSORGET other:x VALUES",
		 "[+OK +OK [\"1\" \"2\"]]"},
		{"AI.TENSORGET out:y VALUES", "[\"2\" \"6\"]"},
	};

	(void)state;
	become("~in:* ~out:* ~model:* +@all");
	expect_all(user, list, ARRAY_LEN(list));
	expect(f.client, "AI.TENSORGET other:x VALUES", "[\"2\" \"3\"]");
}

static void keys_to_read_are_told_from_keys_to_write(void **state)
{
	static const struct exchange list[] = {
		{"AI.TENSORGET in:x VALUES", "[\"2\" \"3\"]"},
		{"AI.TENSORSET in:x FLOAT 1", NO_KEY},
		{"AI.TENSORSET out:z FLOAT 1", "+OK"},
		{"AI.TENSORGET out:x VALUES", NO_KEY},
		{"AI.MODELDEL model:mul", NO_KEY},
		{"AI.MODELSTORE model:mul TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", NO_KEY},
		{"AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS out:y", "+OK"},
		{"AI.MODELRUN model:mul INPUTS in:x out:x OUTPUTS out:y", NO_KEY},
		{"AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS in:y", NO_KEY},
		{"AI.MODELEXECUTE model:mul INPUTS 2 in:x in:x OUTPUTS 1 out:y", "+OK"},
		{"AI.MODELEXECUTE model:mul INPUTS 2 in:x in:x OUTPUTS 1 in:y", NO_KEY},
		{"AI.DAGEXECUTE LOAD 1 in:x PERSIST 1 out:y |> AI.MODELEXECUTE model:mul INPUTS 2 in:x in:x OUTPUTS 1 "
		 "out:y",
		 "[+OK]"},
		{"AI.DAGEXECUTE LOAD 1 out:x PERSIST 1 out:y |> AI.TENSORSET out:y FLOAT 1", NO_KEY},
		{"AI.DAGEXECUTE LOAD 1 in:x PERSIST 1 in:y |> AI.TENSORSET in:y FLOAT 1", NO_KEY},
		{"AI.DAGEXECUTE ROUTING in:r PERSIST 1 out:y |> AI.TENSORSET out:y FLOAT 1", "[+OK]"},
		{"AI.DAGEXECUTE ROUTING out:r PERSIST 1 out:y |> AI.TENSORSET out:y FLOAT 1", "[+OK]"},
		/* A script may do anything with its KEYS. */
		{"AI.SCRIPTEXECUTE model:s f KEYS 1 in:x OUTPUTS 1 out:y", NO_KEY},
		{"AI.SCRIPTEXECUTE model:s f INPUTS 1 in:x OUTPUTS 1 in:y", NO_KEY},
	};
	static const struct exchange model[] = {
		{"AI.MODELGET model:mul META",
		 "[\"backend\" \"TF\" \"device\" \"CPU\" \"tag\" \"\" \"batchsize\" :0 \"minbatchsize\" :0 \"inputs\" "
		 "[\"a\" \"b\"] \"outputs\" [\"mul\"] \"minbatchtimeout\" :0]"},
	};

	(void)state;
	become("%R~in:* %R~model:* %W~out:* +@all");
	expect_all(user, list, ARRAY_LEN(list));
	expect_all(user, model, ARRAY_LEN(model));
	assert_null(strstr(ask(user, "AI.INFO model:mul"), "NOPERM"));
	become("%W~model:* +@all");
	expect(user, "AI.MODELGET model:mul META", NO_KEY);
	expect(user, "AI.MODELDEL model:mul", "+OK");
}

static void selectors_join_commands_and_keys(void **state)
{
	static const char run[] = "(~model:* ~in:* ~out:* +ai.modelrun)";

	(void)state;
	define("$RUN", run, strlen(run));
	expect(f.client, "ACL SETUSER u reset on >secret %R~other:* +ai.tensorget $RUN", "+OK");
	expect(user, "AUTH u secret", "+OK");
	expect(user, "AI.TENSORGET other:x VALUES", "[\"2\" \"3\"]");
	expect(user, "AI.TENSORGET in:x VALUES", NO_KEY);
	expect(user, "AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS out:y", "+OK");
	expect(user, "AI.MODELRUN other:mul INPUTS in:x in:x OUTPUTS out:y", NO_KEY);
	expect(user, "AI.TENSORSET in:x FLOAT 1", NO_COMMAND("ai.tensorset"));
}

/* Redis puts a module's commands into no category but @all: no rule lets one in by accident. */
static void categories_let_no_command_in(void **state)
{
	(void)state;
	become("~* +@read +@write +@admin +@slow");
	expect(user, "GET nothing", "nil");
	expect(user, "AI.TENSORGET in:x VALUES", NO_COMMAND("ai.tensorget"));
	expect(user, "AI.TENSORSET in:x FLOAT 1", NO_COMMAND("ai.tensorset"));
	expect(user, "AI.CONFIG GET BACKENDSPATH", NO_COMMAND("ai.config"));
	become("~* +@all -ai.config");
	expect(user, "AI.TENSORGET in:x VALUES", "[\"2\" \"3\"]");
	expect(user, "AI.CONFIG GET BACKENDSPATH", NO_COMMAND("ai.config"));
}

static void refusals_are_in_the_log(void **state)
{
	const char *log;

	(void)state;
	become("~in:* ~model:* +ai.modelrun");
	expect(user, "AI.MODELRUN model:mul INPUTS in:x in:x OUTPUTS out:y", NO_KEY);
	log = ask(f.client, "ACL LOG 1");
	assert_non_null(strstr(log, "\"reason\" \"key\""));
	assert_non_null(strstr(log, "\"object\" \"out:y\""));
	assert_non_null(strstr(log, "\"username\" \"u\""));
	expect(user, "AI.TENSORGET in:x", NO_COMMAND("ai.tensorget"));
	log = ask(f.client, "ACL LOG 1");
	assert_non_null(strstr(log, "\"reason\" \"command\""));
	assert_non_null(strstr(log, "\"object\" \"ai.tensorget\""));
}

static void what_a_user_may_do_can_be_asked_before(void **state)
{
	(void)state;
	become("~in:* +ai.tensorget");
	expect(f.client, "ACL DRYRUN u AI.TENSORGET in:x", "+OK");
	assert_non_null(strstr(ask(f.client, "ACL DRYRUN u AI.TENSORGET out:x"), "out:x"));
	assert_non_null(strstr(ask(f.client, "ACL DRYRUN u AI.MODELDEL in:x"), "ai.modeldel"));
}

/* Keys stay as they are; what becomes of each is said beside it. Wrong arity is told by the commands themselves. */
static void keys_are_reported_with_what_becomes_of_them(void **state)
{
	static const struct exchange list[] = {
		{"COMMAND GETKEYSANDFLAGS AI.TENSORSET a FLOAT 1", "[[\"a\" [+OW +update]]]"},
		{"COMMAND GETKEYSANDFLAGS AI.TENSORGET a", "[[\"a\" [+RO +access]]]"},
		{"COMMAND GETKEYSANDFLAGS AI.MODELDEL a", "[[\"a\" [+RM +delete]]]"},
		{"COMMAND GETKEYSANDFLAGS AI.MODELRUN m INPUTS a OUTPUTS b",
		 "[[\"m\" [+RO +access]] [\"a\" [+RO +access]] [\"b\" [+OW +update]]]"},
		{"COMMAND GETKEYSANDFLAGS AI.DAGEXECUTE ROUTING r LOAD 1 a PERSIST 1 b |> AI.MODELEXECUTE m INPUTS 1 a "
		 "OUTPUTS 1 b",
		 "[[\"r\" [+RO]] [\"a\" [+RO +access]] [\"b\" [+OW +update]] [\"m\" [+RO +access]]]"},
		{"COMMAND GETKEYSANDFLAGS AI.SCRIPTEXECUTE s f KEYS 1 k INPUTS 1 a OUTPUTS 1 b",
		 "[[\"s\" [+RO +access]] [\"k\" [+RW +access +update]] [\"a\" [+RO +access]] [\"b\" [+OW +update]]]"},
		{"COMMAND GETKEYS AI.DAGRUN LOAD 1 a |> AI.MODELRUN m INPUTS a OUTPUTS b", "[\"a\"]"},
		{"AI.TENSORGET", "-ERR wrong number of arguments for 'AI.TENSORGET' command"},
		{"AI.MODELDEL a b", "-ERR wrong number of arguments for 'AI.MODELDEL' command"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void nothing_runs_without_the_password(void **state)
{
	struct redis_client *c;
	struct fixture g;

	(void)state;
	fixture_start(&g, NULL, NULL);
	c = connect_to(&g);
	expect(g.client, "CONFIG SET requirepass secret", "+OK");
	expect(c, "RESET", "+RESET");
	expect(c, "AI.TENSORSET x FLOAT 1", NO_AUTH);
	expect(c, "AI.DAGRUN LOAD 1 x |> AI.TENSORGET x", NO_AUTH);
	expect(c, "AI.INFO x", NO_AUTH);
	expect(c, "AUTH wrong", "-WRONGPASS invalid username-password pair or user is disabled.");
	expect(c, "AI.TENSORGET x", NO_AUTH);
	expect(c, "AUTH secret", "+OK");
	expect(c, "AI.TENSORSET x FLOAT 1 VALUES 1", "+OK");
	redis_client_close(c);
	fixture_stop(&g);
}

/* Stores and runs a model by TLS; false: there was no connection. */
static bool reached_by_tls(unsigned short port, const char *ca, const char *cert, const char *key, struct error *err)
{
	struct tls_config *tls = NULL;
	struct redis_client *c;
	struct conn_options o;
	struct endpoint *e;
	bool reached;

	conn_options_defaults(&o);
	o.tls = true;
	o.ca_cert = ca;
	o.cert = cert;
	o.key = key;
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", port, NULL, err), 0);
	assert_int_equal(tls_config_new(&tls, &o, NULL, err), 0);
	reached = redis_client_open(&c, e, tls, &o, err) == 0;
	if (reached) {
		expect(c, "AI.TENSORSET x FLOAT 2 VALUES 2 3", "+OK");
		expect(c, "AI.MODELSTORE m TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
		expect(c, "AI.MODELRUN m INPUTS x x OUTPUTS y", "+OK");
		expect(c, "AI.TENSORGET y VALUES", "[\"4\" \"9\"]");
		redis_client_close(c);
	}
	tls_config_free(tls);
	endpoint_free(e);
	return reached;
}

static void tls_asks_for_a_certificate_of_its_authority(void **state)
{
	struct certificates own, foreign;
	char folder[256], port_text[8];
	unsigned short port = free_port();
	struct fixture g;
	struct error err;

	(void)state;
	temp_folder_new(folder, sizeof(folder));
	certificates_make(&own, folder, "own");
	certificates_make(&foreign, folder, "foreign");
	snprintf(port_text, sizeof(port_text), "%u", port);
	fixture_start(&g, NULL,
		      (const char *const[]){"--tls-port", port_text, "--tls-cert-file", own.cert, "--tls-key-file",
					    own.key, "--tls-ca-cert-file", own.ca, NULL});
	assert_true(reached_by_tls(port, own.ca, own.cert, own.key, &err));
	assert_false(reached_by_tls(port, own.ca, NULL, NULL, &err));
	assert_false(reached_by_tls(port, own.ca, foreign.cert, foreign.key, &err));
	assert_false(reached_by_tls(port, foreign.ca, own.cert, own.key, &err));
	assert_non_null(strstr(err.text, "certificate"));
	fixture_stop(&g);
	temp_folder_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(user_runs_the_commands_it_is_given_and_no_others, fill),
		cmocka_unit_test_setup(user_reaches_the_keys_it_is_given_and_no_others, fill),
		cmocka_unit_test_setup(keys_of_dags_are_checked, fill),
		cmocka_unit_test_setup(keys_to_read_are_told_from_keys_to_write, fill),
		cmocka_unit_test_setup(selectors_join_commands_and_keys, fill),
		cmocka_unit_test_setup(categories_let_no_command_in, fill),
		cmocka_unit_test_setup(refusals_are_in_the_log, fill),
		cmocka_unit_test_setup(what_a_user_may_do_can_be_asked_before, fill),
		cmocka_unit_test(keys_are_reported_with_what_becomes_of_them),
		cmocka_unit_test(nothing_runs_without_the_password),
		cmocka_unit_test(tls_asks_for_a_certificate_of_its_authority),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
