/*
 * Requests that are waited for, over HTTP and gRPC, against the test's server.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/grpc_fetch.h"
#include "drivers/http_fetch.h"
#include "tests/drivers/call_server.h"
#include "tests/support/process.h"

struct fixture {
	struct call_server server;
	struct conn_options conn;
	struct endpoint *endpoint;
	struct buf reply;
	int status;
	struct error err;
};

static void fixture_open(struct fixture *f, enum call_protocol protocol, enum call_fault fault)
{
	memset(f, 0, sizeof(*f));
	conn_options_defaults(&f->conn);
	f->conn.timeout = 10 * NSEC_PER_SEC;
	f->server.protocol = protocol;
	atomic_store(&f->server.fault, fault);
	atomic_store(&f->server.faults_left, -1);
	call_server_start(&f->server);
	assert_int_equal(endpoint_resolve(&f->endpoint, "127.0.0.1", f->server.port, NULL, &f->err), 0);
}

static void fixture_close(struct fixture *f)
{
	call_server_stop(&f->server);
	endpoint_free(f->endpoint);
	buf_release(&f->reply);
}

static int post(struct fixture *f, const char *body)
{
	const struct http_fetch q = {.server = f->endpoint,
				     .conn = &f->conn,
				     .path = "/v2",
				     .content_type = "text/plain",
				     .body = body,
				     .size = strlen(body)};

	return http_fetch(&q, &f->status, &f->reply, &f->err);
}

static int call(struct fixture *f, const char *message)
{
	const struct grpc_fetch q = {.server = f->endpoint,
				     .conn = &f->conn,
				     .path = "/test.Echo/Call",
				     .message = message,
				     .size = strlen(message)};

	return grpc_fetch(&q, &f->status, &f->reply, &f->err);
}

static void http_answers_come_with_their_status(void **state)
{
	struct fixture f;

	(void)state;
	fixture_open(&f, CALL_HTTP, CALL_FAULT_NONE);
	assert_int_equal(post(&f, "hello"), 0);
	assert_int_equal(f.status, 200);
	assert_string_equal(f.reply.data, "hello");
	atomic_store(&f.server.fault, CALL_FAULT_ERROR);
	buf_clear(&f.reply);
	assert_int_equal(http_fetch(&(struct http_fetch){.server = f.endpoint, .conn = &f.conn, .path = "/"}, &f.status,
				    &f.reply, &f.err),
			 0);
	assert_int_equal(f.status, 404);
	assert_non_null(strstr(f.reply.data, "own words"));
	fixture_close(&f);
}

static void http_failures_name_the_server(void **state)
{
	atomic_int interrupt = 1;
	struct fixture f;

	(void)state;
	fixture_open(&f, CALL_HTTP, CALL_FAULT_HALF);
	assert_int_equal(post(&f, "hello"), ERR_CLOSED);
	assert_non_null(strstr(f.err.text, endpoint_name(f.endpoint)));
	atomic_store(&f.server.fault, CALL_FAULT_SILENCE);
	f.conn.timeout = 200 * NSEC_PER_MSEC;
	assert_int_equal(post(&f, "hello"), ERR_TIMEOUT);
	f.conn.interrupt = &interrupt;
	assert_int_equal(post(&f, "hello"), ERR_CANCELED);
	fixture_close(&f);
}

static void http_bodies_have_a_limit(void **state)
{
	struct http_fetch q = {.path = "/", .content_type = "a/b", .body = "12345", .size = 5, .body_max = 4};
	struct fixture f;

	(void)state;
	fixture_open(&f, CALL_HTTP, CALL_FAULT_NONE);
	q.server = f.endpoint;
	q.conn = &f.conn;
	assert_int_equal(http_fetch(&q, &f.status, &f.reply, &f.err), ERR_RANGE);
	fixture_close(&f);
}

static void grpc_answers_and_errors_come_back(void **state)
{
	atomic_int interrupt = 1;
	struct fixture f;

	(void)state;
	fixture_open(&f, CALL_GRPC, CALL_FAULT_NONE);
	assert_int_equal(call(&f, "hello"), 0);
	assert_int_equal(f.status, 0);
	assert_int_equal(f.reply.len, 5);
	assert_string_equal(f.reply.data, "hello");
	atomic_store(&f.server.fault, CALL_FAULT_ERROR);
	assert_int_equal(call(&f, "hello"), ERR_SERVER);
	assert_int_equal(f.status, 5);
	assert_non_null(strstr(f.err.text, "the server's own words"));
	atomic_store(&f.server.fault, CALL_FAULT_SILENCE);
	f.conn.timeout = 200 * NSEC_PER_MSEC;
	assert_int_equal(call(&f, "hello"), ERR_TIMEOUT);
	f.conn.interrupt = &interrupt;
	assert_int_equal(call(&f, "hello"), ERR_CANCELED);
	fixture_close(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(http_answers_come_with_their_status),
		cmocka_unit_test(http_failures_name_the_server),
		cmocka_unit_test(http_bodies_have_a_limit),
		cmocka_unit_test(grpc_answers_and_errors_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
