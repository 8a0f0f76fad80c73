/* Replies in RESP3: as redis-cli -3 shows their types, and some of them byte by byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

#define WORDS_MAX 48

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	graphs_define();
	expect(f.client, "AI.MODELSTORE m TF CPU TAG t INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.TENSORSET float FLOAT 1 2 VALUES 1.1 -inf", "+OK");
	expect(f.client, "AI.TENSORSET double DOUBLE VALUES 0.1", "+OK");
	expect(f.client, "AI.TENSORSET int INT64 2 VALUES -5 6", "+OK");
	expect(f.client, "AI.TENSORSET bool BOOL 2 VALUES 1 0", "+OK");
	expect(f.client, "AI.TENSORSET string STRING 2 VALUES a bc", "+OK");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	graphs_release();
	fixture_stop(&f);
	return 0;
}

/* line: words between single spaces. */
static void expect_shown(const char *line, const char *want)
{
	const char *argv[WORDS_MAX + 8] = {"redis-cli", "-s", f.server.socket, "-3", "--no-raw"};
	struct process_result r;
	char words[512], *save = NULL;
	size_t n = 5;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		assert_true(n < WORDS_MAX);
		argv[n++] = w;
	}
	process_run(&r, argv, NULL, 20);
	if (strcmp(r.out, want) != 0)
		fail_msg("%s\n  is shown as\n%s  not\n%s%s", line, r.out, want, r.err);
	process_result_release(&r);
}

static void tensors_have_doubles_and_integers(void **state)
{
	(void)state;
	expect_shown("AI.TENSORGET float VALUES", "1) (double) 1.1000000238418579\n2) (double) -inf\n");
	expect_shown("AI.TENSORGET float META VALUES",
		     "1) \"dtype\"\n2) \"FLOAT\"\n3) \"shape\"\n4) 1) (integer) 1\n   2) (integer) 2\n"
		     "5) \"values\"\n6) 1) (double) 1.1000000238418579\n   2) (double) -inf\n");
	expect_shown("AI.TENSORGET float",
		     "1) \"dtype\"\n2) \"FLOAT\"\n3) \"shape\"\n4) 1) (integer) 1\n   2) (integer) 2\n"
		     "5) \"blob\"\n6) \"\\xcd\\xcc\\x8c?\\x00\\x00\\x80\\xff\"\n");
	expect_shown("AI.TENSORGET double META VALUES", "1) \"dtype\"\n2) \"DOUBLE\"\n3) \"shape\"\n4) (empty "
							"array)\n5) \"values\"\n6) 1) (double) 0.10000000000000001\n");
	expect_shown("AI.TENSORGET int VALUES", "1) (integer) -5\n2) (integer) 6\n");
	expect_shown("AI.TENSORGET bool VALUES", "1) (integer) 1\n2) (integer) 0\n");
	expect_shown("AI.TENSORGET string VALUES", "1) \"a\"\n2) \"bc\"\n");
	expect_shown("AI.TENSORGET string BLOB", "\"a\\x00bc\\x00\"\n");
	expect_shown("AI.TENSORGET int META", "1) \"dtype\"\n2) \"INT64\"\n3) \"shape\"\n4) 1) (integer) 2\n");
}

/* RedisAI knew no maps: what is a list of names and values in RESP2 stays one. */
static void models_are_arrays(void **state)
{
	(void)state;
	expect_shown("AI.MODELGET m META",
		     " 1) \"backend\"\n 2) \"TF\"\n 3) \"device\"\n 4) \"CPU\"\n 5) \"tag\"\n 6) \"t\"\n"
		     " 7) \"batchsize\"\n 8) (integer) 0\n 9) \"minbatchsize\"\n10) (integer) 0\n"
		     "11) \"inputs\"\n12) 1) \"a\"\n    2) \"b\"\n13) \"outputs\"\n14) 1) \"mul\"\n"
		     "15) \"minbatchtimeout\"\n16) (integer) 0\n");
	expect_shown(
		"AI.INFO m",
		" 1) \"key\"\n 2) \"m\"\n 3) \"type\"\n 4) \"MODEL\"\n 5) \"backend\"\n 6) \"TF\"\n"
		" 7) \"device\"\n 8) \"CPU\"\n 9) \"tag\"\n10) \"t\"\n11) \"duration\"\n12) (integer) 0\n"
		"13) \"samples\"\n14) (integer) 0\n15) \"calls\"\n16) (integer) 0\n17) \"errors\"\n18) (integer) 0\n");
	expect_shown("AI._MODELSCAN", "1) 1) \"m\"\n   2) \"t\"\n");
	expect_shown("AI.CONFIG GET nothing", "(nil)\n");
	expect_shown("AI.CONFIG GET MODEL_CHUNK_SIZE", "(integer) 535822336\n");
	expect_shown("AI.MODELGET nothing", "(error) ERR model key is empty\n");
}

/* Through the queue at first, in line later. */
static void dags_answer_alike_blocked_or_not(void **state)
{
	(void)state;
	expect(f.client, "AI.MODELSTORE fresh TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	for (int i = 0; i < 6; i++) {
		expect_shown(
			"AI.DAGRUN_RO LOAD 1 double |> AI.TENSORSET v FLOAT VALUES 1.5 |> AI.MODELRUN fresh INPUTS v v "
			"OUTPUTS w |> AI.TENSORGET w VALUES |> AI.TENSORGET double VALUES",
			"1) OK\n2) OK\n3) 1) (double) 2.25\n4) 1) (double) 0.10000000000000001\n");
		expect_shown(
			"AI.DAGRUN LOAD 2 float int |> AI.MODELRUN fresh INPUTS float int OUTPUTS w |> AI.TENSORGET w "
			"|> AI.TENSORGET int VALUES",
			"1) (error) ERR model 'fresh': input 'b' is of type FLOAT, not INT64\n2) NA\n3) 1) (integer) "
			"-5\n   "
			"2) (integer) 6\n");
	}
}

static void nulls_and_doubles_are_those_of_resp3(void **state)
{
	static const char asked[] =
		"HELLO 3\r\nECHO begin\r\nAI.CONFIG GET nothing\r\nAI.TENSORGET float VALUES\r\n"
		"AI.TENSORGET bool VALUES\r\nAI.MODELRUN m INPUTS float float OUTPUTS y\r\nECHO end\r\n";
	static const char want[] =
		"$5\r\nbegin\r\n_\r\n*2\r\n,1.1000000238418579\r\n,-inf\r\n*2\r\n:1\r\n:0\r\n+OK\r\n$3\r\nend\r\n";
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char got[4096];
	size_t len = 0;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	assert_true(fd >= 0);
	assert_true((size_t)snprintf(a.sun_path, sizeof(a.sun_path), "%s", f.server.socket) < sizeof(a.sun_path));
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(write(fd, asked, sizeof(asked) - 1), sizeof(asked) - 1);
	do {
		ssize_t n = read(fd, got + len, sizeof(got) - 1 - len);

		assert_true(n > 0);
		len += (size_t)n;
		got[len] = '\0';
	} while (!strstr(got, "$3\r\nend\r\n"));
	close(fd);
	assert_non_null(strstr(got, "$5\r\nbegin\r\n"));
	assert_string_equal(strstr(got, "$5\r\nbegin\r\n"), want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tensors_have_doubles_and_integers),
		cmocka_unit_test(models_are_arrays),
		cmocka_unit_test(dags_answer_alike_blocked_or_not),
		cmocka_unit_test(nulls_and_doubles_are_those_of_resp3),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
