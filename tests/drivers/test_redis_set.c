/*
 * test_redis_set.c - the plain SET driver against a real redis-server, and connections that do not come about.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "drivers/redis_set.h"
#include "drivers/redisai.h"
#include "net/redis_client.h"
#include "tests/drivers/client.h"
#include "tests/drivers/fake_server.h"
#include "tests/support/redis_server.h"

static struct redis_server server;

static int start_server(void **state)
{
	(void)state;
	redis_server_start(&server, NULL);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	redis_server_stop(&server, false);
	return 0;
}

static void open_client(struct client *c, unsigned slots, const char *unix_socket)
{
	struct redis_set_options options = {.host = "127.0.0.1", .port = server.port_text};
	struct error err = {""};

	if (client_open(
		    c,
		    &(struct client_config){
			    .ops = &driver_redis_set, .options = &options, .slots = slots, .unix_socket = unix_socket},
		    &err) < 0)
		fail_msg("%s", err.text);
}

/* The value that the server has for row id's key. */
static void assert_stored(uint64_t id, const void *value)
{
	struct conn_options conn;
	const struct resp_node *reply;
	struct endpoint *e;
	struct redis_client *c;
	struct error err;
	size_t n;

	conn_options_defaults(&conn);
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", server.port, NULL, &err), 0);
	assert_int_equal(redis_client_open(&c, e, NULL, &conn, &err), 0);
	assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "GET referenceBLOB:{%llu}", (unsigned long long)id),
			 0);
	assert_int_equal(reply->type, RESP_STRING);
	assert_int_equal(reply->len, FRAUD_REFERENCE_SIZE);
	assert_memory_equal(reply->data, value, FRAUD_REFERENCE_SIZE);
	redis_client_close(c);
	endpoint_free(e);
}

static void encoding_is_a_stage_where_asked_for(void **state)
{
	struct redis_set_options options = {.host = "127.0.0.1", .port = server.port_text};
	struct client_config cfg = {.ops = &driver_redis_set, .options = &options, .slots = 1, .stages = true};
	struct completion done;
	struct error err = {""};
	struct client c;
	int n = 0;

	(void)state;
	assert_int_equal(client_open(&c, &cfg, &err), 0);
	assert_int_equal(c.driver->stages, 1U << STAGE_ENCODE | 1U << STAGE_SERVICE);
	client_submit(&c, 0, 7);
	for (int i = 0; n == 0 && i < 20; i++)
		n = c.ops->poll(c.driver, clock_now() + NSEC_PER_SEC, &done, 1, &err);
	assert_int_equal(n, 1);
	assert_true(done.stamps.sent <= done.stamps.stage[STAGE_ENCODE]);
	assert_true(done.stamps.stage[STAGE_ENCODE] < done.stamps.stage[STAGE_SERVICE]);
	assert_int_equal(done.stamps.stage[STAGE_SERVICE], done.stamps.received);
	client_close(&c);
}

static void rows_reference_data_is_stored_under_its_key(void **state)
{
	struct client c;
	struct tally t;

	(void)state;
	for (int over_unix = 0; over_unix < 2; over_unix++) {
		open_client(&c, 8, over_unix ? server.socket : NULL);
		for (unsigned i = 0; i < 8; i++)
			memset(c.rows[i] + FRAUD_REFERENCE_OFFSET, 'a' + (int)i + 8 * over_unix, FRAUD_REFERENCE_SIZE);
		client_run(&c, 1000, 400, &t);
		assert_int_equal(t.outcomes[OUTCOME_OK], 400);
		assert_stored(1000, c.rows[0] + FRAUD_REFERENCE_OFFSET);
		assert_stored(1399, c.rows[7] + FRAUD_REFERENCE_OFFSET);
		client_close(&c);
	}
}

static void stopped_server_is_an_error_and_its_return_is_found(void **state)
{
	struct client c;
	struct tally t;

	(void)state;
	open_client(&c, 4, NULL);
	client_run(&c, 0, 20, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 20);
	redis_server_stop(&server, true);
	redis_server_restart(&server, NULL);
	/* Connections that died idle are dialled again, so these may fail once each, no more. */
	client_run(&c, 20, 4, &t);
	client_run(&c, 24, 20, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 20);
	assert_int_equal(c.driver->reconnects, 4);
	client_close(&c);
}

static void redis_without_the_module_is_told_apart(void **state)
{
	struct redisai_options options;
	struct error err = {""};
	struct client c;

	(void)state;
	driver_redisai.options_defaults(&options);
	options.host = "127.0.0.1";
	options.port = server.port_text;
	assert_int_equal(
		client_open(&c, &(struct client_config){.ops = &driver_redisai, .options = &options, .slots = 1}, &err),
		ERR_UNSUPPORTED);
	assert_non_null(strstr(err.text, "no RedisAI"));
	workload_fraud.close(c.workload);
}

static void assert_not_opened(const char *port, nsec_t timeout, int code, const char *words)
{
	struct redis_set_options options = {.host = "127.0.0.1", .port = port};
	struct error err = {""};
	struct client c;

	assert_int_equal(client_open(&c,
				     &(struct client_config){.ops = &driver_redis_set,
							     .options = &options,
							     .slots = 3,
							     .timeout = timeout,
							     .password = "secret"},
				     &err),
			 code);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	workload_fraud.close(c.workload);
}

static bool no_answer(struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	(void)s;
	(void)c;
	(void)reply;
	return true;
}

/* As a firewall does that drops packets: connections are never accepted. */
static void full_backlog(int *fds, size_t n, char *port, size_t size)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	for (size_t i = 0; i < n; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		assert_true(fds[i] >= 0);
		if (i > 0) {
			assert_true(connect(fds[i], (struct sockaddr *)&a, len) == 0 || errno == EINPROGRESS);
			continue;
		}
		assert_int_equal(bind(fds[0], (struct sockaddr *)&a, len), 0);
		assert_int_equal(listen(fds[0], 0), 0);
		assert_int_equal(getsockname(fds[0], (struct sockaddr *)&a, &len), 0);
	}
	snprintf(port, size, "%u", ntohs(a.sin_port));
}

static void connections_that_do_not_come_about_end_the_open(void **state)
{
	struct fake_server s = {.password = "another"};
	char port[8];
	int fds[4];

	(void)state;
	snprintf(port, sizeof(port), "%u", free_port());
	assert_not_opened(port, 0, ERR_CONNECT, "is the server running");
	fake_server_start(&s);
	assert_not_opened(s.port_text, 0, ERR_SERVER, "AUTH was refused, check -user and -password: WRONGPASS");
	fake_server_stop(&s);
	s = (struct fake_server){.handler = no_answer};
	fake_server_start(&s);
	assert_not_opened(s.port_text, 50 * NSEC_PER_MSEC, ERR_TIMEOUT, "timed out: no answer to AUTH within 50ms");
	fake_server_stop(&s);
	full_backlog(fds, 4, port, sizeof(port));
	assert_not_opened(port, 50 * NSEC_PER_MSEC, ERR_TIMEOUT, "timed out: no connection within 50ms");
	for (unsigned i = 0; i < 4; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_reference_data_is_stored_under_its_key),
		cmocka_unit_test(encoding_is_a_stage_where_asked_for),
		cmocka_unit_test(stopped_server_is_an_error_and_its_return_is_found),
		cmocka_unit_test(connections_that_do_not_come_about_end_the_open),
		cmocka_unit_test(redis_without_the_module_is_told_apart),
	};

	return cmocka_run_group_tests(tests, start_server, stop_server);
}
