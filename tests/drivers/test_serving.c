/*
 * test_serving.c - TensorFlow Serving's, Triton's, TorchServe's and plain REST's drivers against a server of the test,
 * with reference data from a real redis-server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/serving.h"
#include "net/redis_client.h"
#include "tests/drivers/client.h"
#include "tests/drivers/fake_model_server.h"
#include "tests/support/redis_server.h"

#define ROWS 20
#define PATIENCE (20 * NSEC_PER_SEC)

static struct redis_server redis;
static char redis_host[32];
static struct fake_model_server server, metrics;
static const char *transport = "lean"; /* of the clients that are opened */
static unsigned streams = 1;
static bool stages; /* all of a request are stamped */

/* ---- helpers ---- */

/* Row id's reference data: 256 times the id as a float. */
static void store_reference(void)
{
	struct conn_options conn;
	const struct resp_node *reply;
	struct endpoint *e;
	struct redis_client *c;
	struct error err;
	size_t n;

	conn_options_defaults(&conn);
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", redis.port, NULL, &err), 0);
	assert_int_equal(redis_client_open(&c, e, NULL, &conn, &err), 0);
	for (unsigned id = 0; id < ROWS; id++) {
		float values[FRAUD_REFERENCES];
		char key[32];
		const char *args[] = {"SET", key, (const char *)values};
		const size_t lens[] = {3, (size_t)snprintf(key, sizeof(key), "referenceBLOB:{%u}", id), sizeof(values)};

		for (unsigned i = 0; i < FRAUD_REFERENCES; i++)
			values[i] = (float)id;
		assert_int_equal(redis_client_command(c, 3, args, lens, &reply, &n, &err), 0);
		assert_int_equal(reply->type, RESP_STATUS);
	}
	redis_client_close(c);
	endpoint_free(e);
}

static int start_redis(void **state)
{
	(void)state;
	redis_server_start(&redis, NULL);
	snprintf(redis_host, sizeof(redis_host), "127.0.0.1:%u", redis.port);
	store_reference();
	return 0;
}

static int stop_redis(void **state)
{
	(void)state;
	redis_server_stop(&redis, false);
	return 0;
}

/* The driver's open for some slots, with or without reference data. */
static int try_open(struct client *c, const struct model_client *m, unsigned slots, bool reference, const char *host,
		    const char *redis_at, struct error *err)
{
	struct model_options options;
	char metrics_host[32];

	snprintf(metrics_host, sizeof(metrics_host), "%s", metrics.host);
	model_options(&options, m, host, redis_at, metrics_host[0] ? metrics_host : NULL);
	((struct serving_options *)(void *)options.bytes)->transport = transport;
	((struct serving_options *)(void *)options.bytes)->streams = streams;
	err->text[0] = '\0';
	return client_open(c,
			   &(struct client_config){.ops = m->ops,
						   .options = options.bytes,
						   .slots = slots,
						   .reference = reference,
						   .stages = stages,
						   .timeout = 5 * NSEC_PER_SEC},
			   err);
}

static void open_client(struct client *c, const struct model_client *m, unsigned slots, bool reference)
{
	struct error err;

	if (try_open(c, m, slots, reference, server.host, redis_host, &err) < 0)
		fail_msg("%s: %s", m->name, err.text);
}

/* n answers to the ids from first. */
static void assert_right(const struct model_client *m, struct client *c, uint64_t first, unsigned n)
{
	struct tally t;

	client_run(c, first, n, &t);
	if (t.outcomes[OUTCOME_OK] != n)
		fail_msg("%s: %s", m->name, t.text);
}

/* One request, polled for until it is over. */
static void ask_once(struct client *c, uint64_t id, struct completion *ret)
{
	nsec_t deadline = clock_now() + PATIENCE;
	struct error err;
	int n = 0;

	client_submit(c, 0, id);
	while (n == 0 && clock_now() < deadline)
		n = c->ops->poll(c->driver, clock_now() + NSEC_PER_SEC, ret, 1, &err);
	assert_int_equal(n, 1);
	assert_int_equal(ret->outcome, OUTCOME_OK);
}

static void assert_says(const struct model_client *m, const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("%s: \"%s\" does not say \"%s\"", m->name, text, words);
}

/* Runs the test for each driver, protocol and transport, with a server of its protocol. */
static void for_each_client(void (*test)(const struct model_client *m))
{
	for (unsigned i = 0; i < 2 * nmodel_clients; i++) {
		const struct model_client *m = &model_clients[i / 2];

		transport = i % 2 == 0 ? "lean" : m->protocol == CALL_HTTP ? "curl" : "grpc-core";
		fake_model_server_start(&server, m->protocol);
		test(m);
		fake_model_server_stop(&server);
	}
	transport = "lean";
}

/* A test of which every driver has its turn, as m. */
#define FOR_EACH_CLIENT(test) \
	static void test##_by(const struct model_client *m); \
	static void test(void **state) \
	{ \
		(void)state; \
		for_each_client(test##_by); \
	} \
	static void test##_by(const struct model_client *m)

/* ---- tests ---- */

FOR_EACH_CLIENT(answers_of_every_protocol_are_right)
{
	struct client c;

	open_client(&c, m, 4, false);
	assert_right(m, &c, 0, 40);
	assert_int_equal(atomic_load(&server.inferences), 40);
	client_close(&c);
}

static void workers_share_a_connection_where_asked(void **state)
{
	struct client c;

	(void)state;
	fake_model_server_start(&server, CALL_GRPC);
	streams = 4;
	open_client(&c, &model_clients[0], 8, false);
	assert_right(&model_clients[0], &c, 0, 40);
	/* two of the workers', and open's question */
	assert_int_equal(atomic_load(&server.base.connections), 3);
	client_close(&c);
	streams = 1;
	fake_model_server_stop(&server);
}

/* True where the request's body has id's reference data, raw or as JSON. */
static bool has_reference(unsigned id)
{
	float values[FRAUD_REFERENCES];
	char json[FRAUD_REFERENCES * 8] = "";
	size_t n = 0;
	bool found;

	for (unsigned i = 0; i < FRAUD_REFERENCES; i++) {
		values[i] = (float)id;
		n += (size_t)snprintf(json + n, sizeof(json) - n, "%s%u.0", i ? "," : "[", id);
	}
	pthread_mutex_lock(&server.lock);
	found = memmem(server.last.data, server.last.len, values, sizeof(values)) ||
		memmem(server.last.data, server.last.len, json, n);
	pthread_mutex_unlock(&server.lock);
	return found;
}

FOR_EACH_CLIENT(reference_data_of_the_row_come_from_redis)
{
	struct client c;

	open_client(&c, m, 1, true);
	for (unsigned id = 0; id < ROWS; id++) {
		assert_right(m, &c, id, 1);
		if (!has_reference(id))
			fail_msg("%s: the reference data of row %u were not sent", m->name, id);
	}
	client_close(&c);
	open_client(&c, m, 8, true);
	assert_right(m, &c, 0, ROWS);
	client_close(&c);
}

static void stages_are_stamped(void **state)
{
	const struct stamps *s;
	struct completion done;
	struct client c;

	(void)state;
	fake_model_server_start(&server, CALL_GRPC);
	open_client(&c, &model_clients[0], 1, true);
	assert_int_equal(c.driver->stages, 1U << STAGE_REFERENCE | 1U << STAGE_SERVICE);
	ask_once(&c, 3, &done);
	s = &done.stamps;
	assert_true(s->sent < s->stage[STAGE_REFERENCE]);
	assert_true(s->stage[STAGE_REFERENCE] < s->stage[STAGE_SERVICE]);
	assert_int_equal(s->stage[STAGE_SERVICE], s->received);
	client_close(&c);
	open_client(&c, &model_clients[0], 1, false);
	assert_int_equal(c.driver->stages, 0);
	client_close(&c);
	fake_model_server_stop(&server);
}

FOR_EACH_CLIENT(every_stage_is_stamped_where_asked_for)
{
	struct completion done;
	const struct stamps *s = &done.stamps;
	struct client c;

	stages = true;
	open_client(&c, m, 1, true);
	stages = false;
	assert_int_equal(c.driver->stages,
			 1U << STAGE_REFERENCE | 1U << STAGE_ENCODE | 1U << STAGE_SERVICE | 1U << STAGE_DECODE);
	ask_once(&c, 3, &done);
	assert_true(s->sent < s->stage[STAGE_REFERENCE]);
	assert_true(s->stage[STAGE_REFERENCE] <= s->stage[STAGE_ENCODE]);
	assert_true(s->stage[STAGE_ENCODE] < s->stage[STAGE_SERVICE]);
	assert_int_equal(s->stage[STAGE_SERVICE], s->received);
	assert_true(s->received <= s->stage[STAGE_DECODE]);
	client_close(&c);
}

FOR_EACH_CLIENT(row_without_reference_data_is_an_error_of_its_own)
{
	struct client c;
	struct tally t;

	open_client(&c, m, 2, true);
	client_run(&c, ROWS, 1, &t);
	assert_int_equal(t.outcomes[OUTCOME_ERROR], 1);
	assert_says(m, t.text, "Redis has no reference data for the row: load the dataset with aibench_load_data");
	assert_right(m, &c, 0, 4);
	client_close(&c);
}

static void missing_reference_data_are_told_at_open(void **state)
{
	struct model_options options;
	struct error err;
	struct client c;

	(void)state;
	fake_model_server_start(&server, CALL_HTTP);
	model_options(&options, &model_clients[5], server.host, redis_host, NULL);
	assert_int_equal(client_open(&c,
				     &(struct client_config){.ops = model_clients[5].ops,
							     .options = options.bytes,
							     .slots = 2,
							     .reference = true,
							     .first_id = 4711},
				     &err),
			 ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, "referenceBLOB:{4711}"));
	workload_fraud.close(c.workload);
	assert_int_equal(try_open(&c, &model_clients[5], 2, true, server.host, "127.0.0.1:1", &err), ERR_CONNECT);
	workload_fraud.close(c.workload);
	fake_model_server_stop(&server);
}

FOR_EACH_CLIENT(error_replies_give_the_servers_own_words)
{
	struct client c;
	struct tally t;

	open_client(&c, m, 2, false);
	atomic_store(&server.fault, MODEL_REFUSES);
	client_run(&c, 0, 4, &t);
	assert_int_equal(t.outcomes[OUTCOME_ERROR], 4);
	assert_says(m, t.text, MODEL_WORDS);
	atomic_store(&server.fault, MODEL_RIGHT);
	assert_right(m, &c, 0, 4);
	client_close(&c);
}

FOR_EACH_CLIENT(malformed_replies_are_errors)
{
	struct client c;
	struct tally t;

	open_client(&c, m, 2, false);
	for (int fault = MODEL_MALFORMED; fault <= MODEL_EMPTY; fault++) {
		atomic_store(&server.fault, fault);
		client_run(&c, 0, 4, &t);
		if (t.outcomes[OUTCOME_ERROR] != 4)
			fail_msg("%s: %u errors with fault %d", m->name, t.outcomes[OUTCOME_ERROR], fault);
		assert_says(m, t.text, "reply");
	}
	atomic_store(&server.fault, MODEL_RIGHT);
	assert_right(m, &c, 0, 4);
	client_close(&c);
}

FOR_EACH_CLIENT(lost_connections_come_back_while_requests_wait)
{
	struct client c;
	struct tally t;

	open_client(&c, m, 2, true);
	atomic_store(&server.base.fault, CALL_FAULT_RESET);
	atomic_store(&server.base.faults_left, 1);
	client_run(&c, 0, 2, &t);
	assert_int_equal(t.outcomes[OUTCOME_ERROR] + t.outcomes[OUTCOME_OK], 2);
	assert_true(t.outcomes[OUTCOME_ERROR] >= 1);
	assert_right(m, &c, 0, ROWS);
	/* libcurl may have found another slot's connection idle. */
	if (c.driver->reconnects < 1 && strcmp(transport, "lean") == 0)
		fail_msg("%s: no reconnect was counted", m->name);
	client_close(&c);
}

static void silence_times_out(void **state)
{
	struct model_options options;
	struct error err;
	struct client c;
	struct tally t;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		fake_model_server_start(&server, model_clients[i].protocol);
		model_options(&options, &model_clients[i], server.host, redis_host, NULL);
		assert_int_equal(client_open(&c,
					     &(struct client_config){.ops = model_clients[i].ops,
								     .options = options.bytes,
								     .slots = 1,
								     .reference = true,
								     .timeout = 300 * NSEC_PER_MSEC},
					     &err),
				 0);
		atomic_store(&server.base.fault, CALL_FAULT_SILENCE);
		atomic_store(&server.base.faults_left, 1);
		client_run(&c, 0, 1, &t);
		assert_int_equal(t.outcomes[OUTCOME_TIMEOUT], 1);
		client_close(&c);
		fake_model_server_stop(&server);
	}
}

FOR_EACH_CLIENT(missing_model_ends_the_open_with_the_servers_words)
{
	bool asks = m->given && m->given[0] != '/'; /* TorchServe and REST have no question for it */
	struct error err;
	struct client c;

	server.model = "another";
	if (!asks)
		return;
	assert_int_equal(try_open(&c, m, 2, false, server.host, NULL, &err), ERR_NOT_FOUND);
	assert_says(m, err.text, "no model \"financialNet_NoReference\"");
	assert_says(m, err.text, "model not found in this test");
	workload_fraud.close(c.workload);
}

FOR_EACH_CLIENT(server_that_is_not_there_is_told)
{
	struct error err;
	struct client c;
	int r = try_open(&c, m, 2, false, "127.0.0.1:1", NULL, &err);

	if (r != ERR_CONNECT)
		fail_msg("%s: %d %s", m->name, r, err.text);
	assert_says(m, err.text, "127.0.0.1:1");
	workload_fraud.close(c.workload);
}

struct readings {
	unsigned n;
	char text[2048];
};

static void take_stat(void *arg, const char *host, const char *key, const char *value)
{
	struct readings *r = arg;
	size_t used = strlen(r->text);

	(void)host;
	r->n++;
	snprintf(r->text + used, sizeof(r->text) - used, "%s=%s\n", key, value);
}

FOR_EACH_CLIENT(counters_of_every_server_are_read)
{
	bool triton = strncmp(m->name, "triton", 6) == 0;
	struct readings readings = {0};
	struct error err;
	struct client c;

	fake_model_server_start(&metrics, CALL_HTTP);
	open_client(&c, m, 0, false);
	if (c.ops->server_stats(c.driver, take_stat, &readings, &err) < 0)
		fail_msg("%s: %s", m->name, err.text);
	if (triton) {
		assert_says(m, readings.text, "triton.inference.count=70\n");
		assert_says(m, readings.text, "triton.queue.ns=123456\n");
	} else {
		assert_int_equal(readings.n, 3);
		assert_says(m, readings.text, "requests_total{model=\"a } b\"}=12\n");
		assert_says(m, readings.text, "latency_sum=1500000\n");
		assert_says(m, readings.text, "load=0.250000\n");
	}
	client_close(&c);
	fake_model_server_stop(&metrics);
	metrics.host[0] = '\0';
}

static void bad_options_are_told(void **state)
{
	static const struct {
		const char *name, *words;
	} cases[] = {{"a b", "a blank, a quote"}, {"a\"b", "a blank, a quote"}};
	struct model_options options;
	struct error err;
	struct client c;

	(void)state;
	fake_model_server_start(&server, CALL_HTTP);
	for (unsigned i = 0; i < 2; i++) {
		struct model_client m = model_clients[5];

		m.given = cases[i].name;
		model_options(&options, &m, server.host, NULL, NULL);
		assert_int_equal(
			client_open(&c, &(struct client_config){.ops = m.ops, .options = options.bytes, .slots = 1},
				    &err),
			ERR_USAGE);
		assert_non_null(strstr(err.text, cases[i].words));
		workload_fraud.close(c.workload);
	}
	model_options(&options, &model_clients[5], server.host, redis_host, NULL);
	assert_int_equal(client_open(&c,
				     &(struct client_config){.ops = model_clients[5].ops,
							     .options = options.bytes,
							     .slots = 1,
							     .batch = 2,
							     .reference = true},
				     &err),
			 ERR_UNSUPPORTED);
	workload_fraud.close(c.workload);
	fake_model_server_stop(&server);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_every_protocol_are_right),
		cmocka_unit_test(workers_share_a_connection_where_asked),
		cmocka_unit_test(reference_data_of_the_row_come_from_redis),
		cmocka_unit_test(stages_are_stamped),
		cmocka_unit_test(every_stage_is_stamped_where_asked_for),
		cmocka_unit_test(row_without_reference_data_is_an_error_of_its_own),
		cmocka_unit_test(missing_reference_data_are_told_at_open),
		cmocka_unit_test(error_replies_give_the_servers_own_words),
		cmocka_unit_test(malformed_replies_are_errors),
		cmocka_unit_test(lost_connections_come_back_while_requests_wait),
		cmocka_unit_test(silence_times_out),
		cmocka_unit_test(missing_model_ends_the_open_with_the_servers_words),
		cmocka_unit_test(server_that_is_not_there_is_told),
		cmocka_unit_test(counters_of_every_server_are_read),
		cmocka_unit_test(bad_options_are_told),
	};

	return cmocka_run_group_tests(tests, start_redis, stop_redis);
}
