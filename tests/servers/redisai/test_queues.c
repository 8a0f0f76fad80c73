/* Redis stays responsive while models run; deleting, replacing, disconnecting, time-outs and batches meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

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

/* slow takes most of a second with `big` and is busy on CPU:9 where that is asked for. */
static int fill(void **state)
{
	(void)state;
	expect(f.client, "FLUSHALL", "+OK");
	expect(f.client, "AI.MODELSTORE slow TF CPU INPUTS 1 x OUTPUTS 1 y BLOB $SLOW", "+OK");
	expect(f.client, "AI.MODELSTORE mul TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	expect(f.client, "AI.TENSORSET big FLOAT 1024 1024", "+OK");
	expect(f.client, "AI.TENSORSET x FLOAT 1 2 VALUES 2 3", "+OK");
	return 0;
}

static void expect_calls(const char *key, unsigned calls)
{
	char line[64], want[32];

	snprintf(line, sizeof(line), "AI.INFO %s", key);
	snprintf(want, sizeof(want), "\"calls\" :%u ", calls);
	if (!strstr(ask(f.client, line), want))
		fail_msg("%s does not say %s", line, want);
}

static void server_answers_while_a_model_runs(void **state)
{
	struct redis_client *other = connect_to(&f);

	(void)state;
	send_line(other, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	expect(f.client, "PING", "+PONG");
	expect(f.client, "AI.TENSORGET x VALUES", "[\"2\" \"3\"]");
	expect_calls("slow", 0);
	assert_string_equal(receive(other), "+OK");
	expect_calls("slow", 1);
	expect(f.client, "AI.TENSORGET y META", "[\"dtype\" \"FLOAT\" \"shape\" [:1024 :1024]]");
	redis_client_close(other);
}

static void devices_run_side_by_side(void **state)
{
	struct redis_client *other = connect_to(&f);

	(void)state;
	expect(f.client, "AI.MODELSTORE far TF CPU:7 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	send_line(other, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	expect(f.client, "PING", "+PONG");
	expect(f.client, "AI.MODELRUN far INPUTS x x OUTPUTS z", "+OK");
	expect_calls("slow", 0);
	assert_string_equal(receive(other), "+OK");
	assert_non_null(strstr(ask(f.client, "INFO MODULES"), "ai_queue_CPU:7_bthread_n1_used_cpu_total:"));
	redis_client_close(other);
}

static void dag_over_two_devices_keeps_its_order(void **state)
{
	(void)state;
	expect(f.client, "AI.MODELSTORE far TF CPU:7 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	for (int i = 0; i < 30; i++) {
		expect(f.client,
		       "AI.DAGRUN LOAD 1 x PERSIST 1 w |> AI.MODELRUN mul INPUTS x x OUTPUTS u |> AI.MODELRUN far "
		       "INPUTS u x "
		       "OUTPUTS v |> AI.MODELRUN far INPUTS x x OUTPUTS u2 |> AI.MODELRUN mul INPUTS v u2 OUTPUTS w |> "
		       "AI.TENSORGET w VALUES",
		       "[+OK +OK +OK +OK [\"32\" \"243\"]]");
		/* Stored again, the models are unknown to the server: all of it goes through the queues. */
		if (i % 3 == 0)
			expect(f.client, "AI.MODELSTORE far TF CPU:7 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
		if (i % 5 == 0)
			expect(f.client, "AI.MODELSTORE mul TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
	}
}

static void model_deleted_while_it_runs_finishes_its_commands(void **state)
{
	struct redis_client *first = connect_to(&f), *second = connect_to(&f);

	(void)state;
	send_line(first, "AI.MODELRUN slow INPUTS big OUTPUTS y1");
	expect(f.client, "PING", "+PONG");
	send_line(second, "AI.MODELRUN slow INPUTS big OUTPUTS y2");
	expect_calls("slow", 0);
	expect(f.client, "AI.MODELDEL slow", "+OK");
	expect(f.client, "DEL big", ":1");
	assert_string_equal(receive(first), "+OK");
	assert_string_equal(receive(second), "+OK");
	expect(f.client, "EXISTS y1 y2", ":2");
	expect(f.client, "FLUSHALL ASYNC", "+OK");
	redis_client_close(first);
	redis_client_close(second);
}

static void client_that_leaves_does_no_harm(void **state)
{
	struct redis_client *gone = connect_to(&f);

	(void)state;
	send_line(gone, "AI.DAGRUN LOAD 1 big PERSIST 1 y |> AI.MODELRUN slow INPUTS big OUTPUTS y");
	expect(f.client, "PING", "+PONG");
	redis_client_close(gone);
	/* Behind it in the queue. */
	expect(f.client, "AI.MODELRUN mul INPUTS x x OUTPUTS z", "+OK");
	expect_calls("slow", 1);
	expect(f.client, "EXISTS y", ":0");
}

static void late_command_is_timed_out_without_running(void **state)
{
	struct redis_client *busy = connect_to(&f);

	(void)state;
	send_line(busy, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	expect(f.client, "PING", "+PONG");
	expect(f.client, "AI.MODELEXECUTE mul INPUTS 2 x x OUTPUTS 1 z TIMEOUT 1", "+TIMEDOUT");
	assert_string_equal(receive(busy), "+OK");
	send_line(busy, "AI.MODELRUN slow INPUTS big OUTPUTS y");
	expect(f.client, "PING", "+PONG");
	expect(f.client,
	       "AI.DAGRUN LOAD 1 x PERSIST 1 z TIMEOUT 1 |> AI.TENSORGET x |> AI.MODELRUN mul INPUTS x x OUTPUTS z",
	       "+TIMEDOUT");
	assert_string_equal(receive(busy), "+OK");
	expect(f.client, "EXISTS z", ":0");
	expect_calls("mul", 0);
	redis_client_close(busy);
}

static void small_batches_wait_for_each_other(void **state)
{
	struct redis_client *first = connect_to(&f), *second = connect_to(&f);

	(void)state;
	expect(f.client, "AI.MODELSTORE b TF CPU BATCHSIZE 4 MINBATCHSIZE 2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL",
	       "+OK");
	send_line(first, "AI.MODELRUN b INPUTS x x OUTPUTS y1");
	/* Others are not in its way. */
	expect(f.client, "AI.MODELRUN mul INPUTS x x OUTPUTS z", "+OK");
	expect_calls("b", 0);
	send_line(second,
		  "AI.DAGRUN ROUTING r |> AI.TENSORSET v FLOAT 1 2 VALUES 5 6 |> AI.MODELRUN b INPUTS v v OUTPUTS w "
		  "|> AI.TENSORGET w VALUES");
	assert_string_equal(receive(first), "+OK");
	assert_string_equal(receive(second), "[+OK +OK [\"25\" \"36\"]]");
	expect(f.client, "AI.TENSORGET y1 META VALUES",
	       "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"values\" [\"4\" \"9\"]]");
	/* One run of both. */
	expect_calls("b", 1);
	redis_client_close(first);
	redis_client_close(second);
}

static void batch_that_loses_rows_is_an_error(void **state)
{
	struct redis_client *first = connect_to(&f), *second = connect_to(&f);
	static const char error[] = "-ERR Tensorflow batching error: model did not generate the expected batch size";

	(void)state;
	expect(f.client, "AI.MODELSTORE s TF CPU BATCHSIZE 2 MINBATCHSIZE 2 INPUTS 1 x OUTPUTS 1 sum BLOB $SUM", "+OK");
	expect(f.client, "AI.TENSORSET wide FLOAT 1 3", "+OK");
	send_line(first, "AI.MODELRUN s INPUTS wide OUTPUTS y1");
	send_line(second, "AI.MODELRUN s INPUTS wide OUTPUTS y2");
	assert_string_equal(receive(first), error);
	assert_string_equal(receive(second), error);
	expect(f.client, "EXISTS y1 y2", ":0");
	redis_client_close(first);
	redis_client_close(second);
}

/* On one device operations follow each other: the one that would wait for a batch comes to its queue last. */
static void dag_that_comes_to_a_deleted_model_is_answered(void **state)
{
	static const char *const ends[] = {"AI.MODELDEL b", "FLUSHALL", "FLUSHALL ASYNC",
					   "AI.MODELSTORE b TF CPU INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL"};
	struct redis_client *other = connect_to(&f);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		fill(state);
		expect(f.client,
		       "AI.MODELSTORE b TF CPU BATCHSIZE 4 MINBATCHSIZE 2 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+OK");
		send_line(other, "AI.DAGEXECUTE LOAD 2 big x |> AI.MODELEXECUTE slow INPUTS 1 big OUTPUTS 1 y |> "
				 "AI.MODELEXECUTE b INPUTS 2 x x OUTPUTS 1 z");
		while (!strstr(ask(f.client, "INFO CLIENTS"), "blocked_clients:1"))
			continue;
		expect(f.client, ends[i], "+OK");
		assert_string_equal(receive(other), "[+OK -ERR the model was deleted or replaced while the command "
						    "waited for its batch]");
	}
	redis_client_close(other);
}

static void devices_have_an_end(void **state)
{
	char line[128];
	const char *text = "+OK";

	(void)state;
	for (int i = 0; i < 100 && strcmp(text, "+OK") == 0; i++) {
		snprintf(line, sizeof(line), "AI.MODELSTORE d TF CPU:%d INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", 100 + i);
		text = ask(f.client, line);
	}
	assert_string_equal(text, "-ERR no more than 64 devices can be used");
	expect(f.client, "PING", "+PONG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(server_answers_while_a_model_runs, fill),
		cmocka_unit_test_setup(devices_run_side_by_side, fill),
		cmocka_unit_test_setup(dag_over_two_devices_keeps_its_order, fill),
		cmocka_unit_test_setup(model_deleted_while_it_runs_finishes_its_commands, fill),
		cmocka_unit_test_setup(client_that_leaves_does_no_harm, fill),
		cmocka_unit_test_setup(late_command_is_timed_out_without_running, fill),
		cmocka_unit_test_setup(small_batches_wait_for_each_other, fill),
		cmocka_unit_test_setup(batch_that_loses_rows_is_an_error, fill),
		cmocka_unit_test_setup(dag_that_comes_to_a_deleted_model_is_answered, fill),
		cmocka_unit_test_setup(devices_have_an_end, fill),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
