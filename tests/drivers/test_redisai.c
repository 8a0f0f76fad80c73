/*
 * test_redisai.c - the RedisAI driver against a server inside the test: right answers, what is said before a run, and
 * faults during it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/redisai.h"
#include "tests/drivers/client.h"
#include "tests/drivers/fake_server.h"
#include "tests/support/process.h"

struct setup {
	struct fake_server server;
	struct redisai_options options;
	struct client_config config;
	struct client client;
};

/* A server for a net without reference data and a client of `slots`; what needs another value sets it before start. */
static void prepare(struct setup *s, unsigned slots)
{
	memset(s, 0, sizeof(*s));
	s->server.model_inputs = 1;
	driver_redisai.options_defaults(&s->options);
	s->options.host = "127.0.0.1";
	s->config = (struct client_config){.ops = &driver_redisai, .options = &s->options, .slots = slots};
}

static void start(struct setup *s)
{
	struct error err = {""};

	fake_server_start(&s->server);
	s->options.port = s->server.port_text;
	if (client_open(&s->client, &s->config, &err) < 0)
		fail_msg("%s", err.text);
}

static void stop(struct setup *s)
{
	client_close(&s->client);
	fake_server_stop(&s->server);
}

/* ---- right answers ---- */

static void dag_answers_are_right(void **state)
{
	struct setup s;
	struct tally t;

	(void)state;
	prepare(&s, 5);
	start(&s);
	client_run(&s.client, 0, 200, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 200);
	assert_int_equal(s.server.dagruns, 200);
	assert_int_equal(s.client.driver->reconnects, 0);
	stop(&s);
}

static void three_commands_are_one_request(void **state)
{
	struct setup s;
	struct tally t;

	(void)state;
	prepare(&s, 3);
	s.options.use_dag = false;
	s.config.reference = true;
	s.server.model_inputs = 2;
	start(&s);
	client_run(&s.client, 0, 100, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 100);
	assert_int_equal(s.server.modelruns, 100);
	assert_int_equal(s.server.dagruns, 0);
	stop(&s);
}

static void answers_in_single_bytes_are_right(void **state)
{
	(void)state;
	for (int dag = 0; dag < 2; dag++) {
		struct setup s;
		struct tally t;

		prepare(&s, 3);
		s.options.use_dag = dag;
		s.server.piece = 1;
		start(&s);
		client_run(&s.client, 0, 30, &t);
		assert_int_equal(t.outcomes[OUTCOME_OK], 30);
		stop(&s);
	}
}

static void password_is_sent_by_every_connection(void **state)
{
	struct setup s;
	struct tally t;

	(void)state;
	prepare(&s, 4);
	s.server.password = "secret";
	s.config.password = "secret";
	s.config.user = "default";
	start(&s);
	client_run(&s.client, 0, 20, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 20);
	stop(&s);
}

static void poll_gives_back_control_at_its_deadline(void **state)
{
	struct completion done;
	struct setup s;
	nsec_t deadline;

	(void)state;
	prepare(&s, 1);
	start(&s);
	deadline = clock_now() + 2 * NSEC_PER_MSEC;
	while (clock_now() < deadline)
		assert_int_equal(driver_redisai.poll(s.client.driver, deadline, &done, 1, NULL), 0);
	assert_int_equal(driver_redisai.poll(s.client.driver, 0, &done, 1, NULL), 0);
	stop(&s);
}

/* ---- what is said before the first request ---- */

static void assert_refused(struct setup *s, const char *words)
{
	struct error err = {""};

	assert_true(client_open(&s->client, &s->config, &err) < 0);
	assert_null(s->client.driver);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_null(strchr(err.text, '\n'));
	workload_fraud.close(s->client.workload);
}

static void server_that_is_not_there_is_said(void **state)
{
	char port[8];
	struct setup s;

	(void)state;
	prepare(&s, 1);
	snprintf(port, sizeof(port), "%u", free_port());
	s.options.port = port;
	assert_refused(&s, "is the server running");
}

static bool answer_error(struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	const char *const *words = s->arg; /* a command, and its reply */

	if (strcmp(c->args[0], words[0]) != 0)
		return false;
	buf_printf(reply, "%s", words[1]);
	return true;
}

static void wrong_servers_are_told_apart(void **state)
{
	static const char *const cases[][3] = {
		{"AI.MODELGET", "-ERR unknown command 'AI.MODELGET', with args beginning with: 'x'\r\n", "no RedisAI"},
		{"AI.MODELGET", "-ERR model key is empty\r\n", "there is no model \"financialNet\""},
		{"AI.MODELGET", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "no model"},
		{"AI.MODELGET", "-MOVED 1 127.0.0.1:7000\r\n", "pass -cluster-mode"},
		{"AI.MODELGET", "-CLUSTERDOWN Hash slot not served\r\n", "is the Cluster whole?"},
		{"AI.MODELGET", "-NOPERM this user has no permissions\r\n",
		 "permissions: the user lacks this permission"},
		{"AI.TENSORGET", "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
		 "referenceTensor:{77} is no tensor: delete it"},
		{"AI.MODELGET", "+OK\r\n", "another kind of server"},
		{"AI.MODELGET", "*2\r\n$6\r\ninputs\r\n*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n", "takes 3 inputs"},
		{"AI.TENSORGET", "-ERR tensor key is empty or in a different shard\r\n", "referenceTensor:{77}"},
		{"AI.TENSORGET", "*4\r\n$5\r\ndtype\r\n$5\r\nFLOAT\r\n$5\r\nshape\r\n*1\r\n:30\r\n", "256 FLOAT"},
		{"AI.TENSORGET", "*4\r\n$5\r\ndtype\r\n$5\r\nINT32\r\n$5\r\nshape\r\n*1\r\n:256\r\n", "256 FLOAT"},
		{"PING", "HTTP/1.1 400 Bad Request\r\n\r\n", "HTTP"},
		{"PING", "-LOADING Redis is loading the dataset in memory\r\n", "loading"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct setup s;

		prepare(&s, 1);
		s.server.model_inputs = 2;
		s.server.handler = answer_error;
		s.server.arg = (void *)cases[i];
		s.config.reference = true;
		s.config.first_id = 77;
		fake_server_start(&s.server);
		s.options.port = s.server.port_text;
		assert_refused(&s, cases[i][2]);
		fake_server_stop(&s.server);
	}
}

static void password_that_is_missing_or_wrong_is_said(void **state)
{
	struct setup s;

	(void)state;
	prepare(&s, 1);
	s.server.password = "secret";
	fake_server_start(&s.server);
	s.options.port = s.server.port_text;
	assert_refused(&s, "pass -password");
	s.config.password = "wrong";
	assert_refused(&s, "check -user and -password");
	fake_server_stop(&s.server);
}

static void lists_that_do_not_pair_are_refused(void **state)
{
	struct setup s;

	(void)state;
	prepare(&s, 1);
	s.options.host = "a,b";
	s.options.port = "1,2,3";
	assert_refused(&s, "2 hosts but -port 3 ports");
	s.options.port = "0";
	assert_refused(&s, "not a port number");
	s.options.port = "6379x";
	assert_refused(&s, "not a port number");
}

static void batch_with_reference_data_is_refused(void **state)
{
	struct setup s;

	(void)state;
	prepare(&s, 1);
	s.config.batch = 2;
	s.config.reference = true;
	assert_refused(&s, "tensor batch can only be 1");
}

/* ---- several servers ---- */

static void slots_take_turns_over_the_hosts(void **state)
{
	struct fake_server second = {.model_inputs = 1};
	char ports[32];
	struct setup s;
	struct tally t;
	struct error err;

	(void)state;
	prepare(&s, 4);
	fake_server_start(&s.server);
	fake_server_start(&second);
	snprintf(ports, sizeof(ports), "%s,%s", s.server.port_text, second.port_text);
	s.options.port = ports;
	assert_int_equal(client_open(&s.client, &s.config, &err), 0);
	client_run(&s.client, 0, 40, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 40);
	assert_int_equal(s.server.dagruns, 20);
	assert_int_equal(second.dagruns, 20);
	stop(&s);
	fake_server_stop(&second);
}

/* ---- faults during a run ---- */

static void faults_are_told_and_the_connection_comes_back(void **state)
{
	static const struct {
		enum fake_fault fault;
		enum outcome outcome;
		bool dag_only, reconnects;
		const char *words;
	} cases[] = {
		{FAULT_RESET, OUTCOME_ERROR, false, true, "dropped the connection"},
		{FAULT_CLOSE, OUTCOME_ERROR, false, true, "closed the connection"},
		{FAULT_HALF, OUTCOME_ERROR, false, true, "closed the connection"},
		{FAULT_GARBAGE, OUTCOME_ERROR, false, true, "malformed reply"},
		{FAULT_SILENCE, OUTCOME_TIMEOUT, false, true, "timed out: no answer within 50ms"},
		{FAULT_ERROR, OUTCOME_ERROR, false, false, "ERR the server's own words"},
		{FAULT_ERROR_IN_DAG, OUTCOME_ERROR, true, false, "ERR the model's own words"},
		{FAULT_TIMEDOUT, OUTCOME_ERROR, false, false, "TIMEDOUT"},
		{FAULT_OTHER_REPLY, OUTCOME_ERROR, false, true, "the server's reply is not"},
	};

	(void)state;
	for (unsigned i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned k = i / 2;
		struct setup s;
		struct tally t;

		if (i % 2 == 1 && cases[k].dag_only)
			continue;
		prepare(&s, 1);
		s.options.use_dag = i % 2 == 0;
		/* Only silence may run into it. */
		s.config.timeout = cases[k].fault == FAULT_SILENCE ? 50 * NSEC_PER_MSEC : 0;
		s.server.fault = cases[k].fault;
		start(&s);
		atomic_store(&s.server.faults_left, 1);
		client_run(&s.client, 0, 1, &t);
		assert_int_equal(t.outcomes[cases[k].outcome], 1);
		if (!strstr(t.text, cases[k].words))
			fail_msg("\"%s\" does not say \"%s\"", t.text, cases[k].words);
		if (cases[k].fault == FAULT_SILENCE)
			s.client.conn.timeout = 10 * NSEC_PER_SEC;
		client_run(&s.client, 1, 3, &t);
		assert_int_equal(t.outcomes[OUTCOME_OK], 3);
		assert_int_equal(s.client.driver->reconnects, cases[k].reconnects ? 1 : 0);
		stop(&s);
	}
}

static bool one_error_for_three(struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	(void)s;
	if (strcmp(c->args[0], "AI.TENSORSET") == 0)
		buf_printf(reply, "-ERR these words\r\n");
	return strcmp(c->args[0], "AI.TENSORSET") == 0 || strcmp(c->args[0], "AI.MODELRUN") == 0 ||
	       (strcmp(c->args[0], "AI.TENSORGET") == 0 && strcmp(c->args[2], "BLOB") == 0);
}

static void error_before_silence_is_not_forgotten(void **state)
{
	struct setup s;
	struct tally t;

	(void)state;
	prepare(&s, 1);
	s.options.use_dag = false;
	s.server.handler = one_error_for_three;
	s.config.timeout = 50 * NSEC_PER_MSEC;
	start(&s);
	client_run(&s.client, 0, 1, &t);
	assert_int_equal(t.outcomes[OUTCOME_TIMEOUT], 1);
	assert_string_equal(t.text, "ERR these words");
	stop(&s);
}

static void one_slots_fault_leaves_the_others_alone(void **state)
{
	struct setup s;
	struct tally t;

	(void)state;
	prepare(&s, 8);
	s.server.fault = FAULT_RESET;
	start(&s);
	atomic_store(&s.server.faults_left, 1);
	client_run(&s.client, 0, 8, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 7);
	assert_int_equal(t.outcomes[OUTCOME_ERROR], 1);
	stop(&s);
}

static void late_answer_of_a_request_given_up_is_never_anothers(void **state)
{
	struct setup s;
	struct tally t;

	(void)state;
	prepare(&s, 1);
	s.server.fault = FAULT_TWICE;
	start(&s);
	atomic_store(&s.server.faults_left, 1);
	client_run(&s.client, 0, 1, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 1);
	/* The second answer is left over: the next request must go over a new connection. */
	client_run(&s.client, 1, 5, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 5);
	assert_int_equal(s.client.driver->reconnects, 1);
	stop(&s);
}

static void server_that_goes_away_is_dialled_until_it_is_back(void **state)
{
	struct completion done;
	struct setup s;
	struct tally t;
	unsigned before;

	(void)state;
	prepare(&s, 2);
	s.server.fault = FAULT_CLOSE;
	start(&s);
	atomic_store(&s.server.refuse, true);
	atomic_store(&s.server.faults_left, 2);
	client_run(&s.client, 0, 2, &t);
	assert_int_equal(t.outcomes[OUTCOME_ERROR], 2);
	before = atomic_load(&s.server.connections);
	/* Refused: requests are not taken meanwhile, but nothing fails and nothing hangs. */
	assert_int_equal(driver_redisai.submit(s.client.driver, 0, &s.client.requests[0], clock_now()), ERR_AGAIN);
	assert_true(driver_redisai.poll(s.client.driver, clock_now() + 20 * NSEC_PER_MSEC, &done, 1, NULL) >= 0);
	assert_int_equal(atomic_load(&s.server.connections), before);
	atomic_store(&s.server.refuse, false);
	client_run(&s.client, 2, 10, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK] + t.outcomes[OUTCOME_ERROR], 10);
	client_run(&s.client, 12, 10, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 10);
	assert_true(s.client.driver->reconnects >= 2);
	stop(&s);
}

/* ---- the server's counters ---- */

struct seen {
	char text[2048];
};

static void collect(void *arg, const char *server, const char *key, const char *value)
{
	struct seen *seen = arg;
	size_t n = strlen(seen->text);

	assert_true(strncmp(server, "127.0.0.1:", 10) == 0);
	snprintf(seen->text + n, sizeof(seen->text) - n, "%s=%s\n", key, value);
}

static void counters_have_aibenchs_names(void **state)
{
	struct seen seen = {""};
	struct setup s;

	(void)state;
	prepare(&s, 0);
	start(&s);
	assert_int_equal(driver_redisai.server_stats(s.client.driver, collect, &seen, NULL), 0);
	assert_string_equal(seen.text, "ai_info.duration=900\nai_info.samples=7\nai_info.calls=7\nai_info.errors=1\n"
				       "cmdstat_ai.dagrun=calls=7,usec=70,x=0.1\nused_memory=1234567\n"
				       "ai_self_used_cpu_sys=0.25\n");
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dag_answers_are_right),
		cmocka_unit_test(three_commands_are_one_request),
		cmocka_unit_test(answers_in_single_bytes_are_right),
		cmocka_unit_test(password_is_sent_by_every_connection),
		cmocka_unit_test(poll_gives_back_control_at_its_deadline),
		cmocka_unit_test(server_that_is_not_there_is_said),
		cmocka_unit_test(wrong_servers_are_told_apart),
		cmocka_unit_test(password_that_is_missing_or_wrong_is_said),
		cmocka_unit_test(lists_that_do_not_pair_are_refused),
		cmocka_unit_test(batch_with_reference_data_is_refused),
		cmocka_unit_test(slots_take_turns_over_the_hosts),
		cmocka_unit_test(faults_are_told_and_the_connection_comes_back),
		cmocka_unit_test(error_before_silence_is_not_forgotten),
		cmocka_unit_test(one_slots_fault_leaves_the_others_alone),
		cmocka_unit_test(late_answer_of_a_request_given_up_is_never_anothers),
		cmocka_unit_test(server_that_goes_away_is_dialled_until_it_is_back),
		cmocka_unit_test(counters_have_aibenchs_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
