/*
 * The transports behind call.h: the same calls, faults and words over each of them, against a server of the test's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/drivers/call_server.h"
#include "tests/support/process.h"

#define PATIENCE (20 * NSEC_PER_SEC)
#define BIG ((size_t)602112)
#define SLOTS_MAX 8

/* A transport under test. */
struct variant {
	const struct call_transport_ops *ops;
	enum call_protocol protocol;
};

struct fixture {
	struct call_server server;
	struct conn_options conn;
	struct tls_config *tls;
	struct endpoint *endpoint;
	struct call_config config;
	struct call_transport *transport;
	char text[ERROR_TEXT_MAX]; /* of the last call that failed */
	struct error err;
};

static char folder[256], good[300], good_key[300], other[300], other_key[300];

/* ---- helpers ---- */

static void fixture_prepare(struct fixture *f, const struct variant *v)
{
	memset(f, 0, sizeof(*f));
	f->server.protocol = v->protocol;
	conn_options_defaults(&f->conn);
	f->conn.timeout = 10 * NSEC_PER_SEC;
	f->config = (struct call_config){
		.protocol = v->protocol,
		.slots = 1,
		.nservers = 1,
		.views = 4,
		.path = v->protocol == CALL_HTTP ? "/v2/predict" : "/test.Echo/Call",
		.content_type = v->protocol == CALL_HTTP ? "application/octet-stream" : NULL,
		.wanted_header = v->protocol == CALL_HTTP ? "x-number" : NULL,
		.seed = 1,
	};
}

static int fixture_open_to(struct fixture *f, const struct variant *v, const char *host, uint16_t port)
{
	assert_int_equal(endpoint_resolve(&f->endpoint, host, port, f->conn.unix_socket, &f->err), 0);
	if (f->conn.tls)
		assert_int_equal(tls_config_new(&f->tls, &f->conn, v->protocol == CALL_GRPC ? "\x02h2" : NULL, &f->err),
				 0);
	f->config.servers = &f->endpoint;
	f->config.conn = &f->conn;
	f->config.tls = f->tls;
	return v->ops->open(&f->transport, &f->config, &f->err);
}

static void fixture_open(struct fixture *f, const struct variant *v)
{
	call_server_start(&f->server);
	if (fixture_open_to(f, v, "127.0.0.1", f->server.port) != 0)
		fail_msg("%s", f->err.text);
}

static void fixture_close(struct fixture *f, const struct variant *v)
{
	v->ops->close(f->transport);
	call_server_stop(&f->server);
	endpoint_free(f->endpoint);
	tls_config_free(f->tls);
}

static int poll_once(struct fixture *f, struct call_finished *done, int max)
{
	int n = f->transport->ops->poll(f->transport, clock_now() + NSEC_PER_SEC / 10, done, max, &f->err);

	assert_true(n >= 0);
	return n;
}

static void send_on(struct fixture *f, unsigned slot, const char *body, size_t size)
{
	nsec_t until = clock_now() + PATIENCE;
	struct iovec views[4] = {{(void *)body, size / 3},
				 {NULL, 0},
				 {(void *)(body + size / 3), 1},
				 {(void *)(body + size / 3 + 1), size - size / 3 - 1}};
	struct call c = {.slot = slot, .body = views, .nbody = 4, .size = size};
	struct call_finished none;
	int r;

	do {
		c.sent = clock_now();
		r = f->transport->ops->send(f->transport, &c);
		/* The array of the views is not the transport's. */
		if (r == ERR_AGAIN) {
			assert_int_equal(poll_once(f, &none, 1), 0);
			assert_true(clock_now() < until);
		}
	} while (r == ERR_AGAIN);
	assert_int_equal(r, 0);
	memset(views, 0xff, sizeof(views));
}

static struct call_finished collect(struct fixture *f)
{
	nsec_t until = clock_now() + PATIENCE;
	struct call_finished done;

	while (poll_once(f, &done, 1) == 0)
		assert_true(clock_now() < until);
	if (done.code)
		snprintf(f->text, sizeof(f->text), "%s", done.text);
	else
		assert_null(done.text);
	assert_int_equal(done.body[done.size], '\0');
	return done;
}

static struct call_finished exchange(struct fixture *f, const char *body)
{
	send_on(f, 0, body, strlen(body));
	return collect(f);
}

static void assert_echo(struct fixture *f, const char *body)
{
	struct call_finished done = exchange(f, body);

	if (done.code)
		fail_msg("%s", done.text);
	assert_int_equal(done.status, f->config.protocol == CALL_HTTP ? 200 : 0);
	assert_string_equal(done.body, body);
}

/* The libraries dial when they like: more often, or while nobody looks. */
static void assert_reconnects(const struct fixture *f, uint64_t wanted)
{
	if (strcmp(f->transport->ops->name, "lean") == 0)
		assert_int_equal(f->transport->reconnects, wanted);
	else
		assert_true(f->transport->reconnects >= 1);
}

static void set_fault(struct fixture *f, enum call_fault fault, int times)
{
	atomic_store(&f->server.fault, fault);
	atomic_store(&f->server.faults_left, times);
}

/* One call meets the fault with one of two codes; the next is answered. */
static struct call_finished expect(struct fixture *f, enum call_fault fault, int code, int or_code)
{
	struct call_finished done;

	set_fault(f, fault, 1);
	done = exchange(f, "abcdefgh");
	if (done.code != code && done.code != or_code)
		fail_msg("code %d, not %d: %s", done.code, code, done.text ? done.text : "");
	assert_string_not_equal(f->text, "");
	assert_null(strchr(f->text, '\n'));
	return done;
}

/* ---- what both protocols do ---- */

static void bodies_come_back(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	for (unsigned i = 0; i < 20; i++)
		assert_echo(&f, i % 2 ? "hello" : "a longer body than the one before");
	assert_int_equal(f.transport->reconnects, 0);
	fixture_close(&f, v);
}

static void more_views_than_were_said_are_refused(void **state)
{
	const struct variant *v = *state;
	const struct iovec views[5] = {{NULL, 0}};
	const struct call c = {.body = views, .nbody = 5, .sent = clock_now()};
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	assert_int_equal(f.transport->ops->send(f.transport, &c), ERR_RANGE);
	assert_echo(&f, "the slot is as it was");
	fixture_close(&f, v);
}

static void big_bodies_go_both_ways(void **state)
{
	const struct variant *v = *state;
	char *body = malloc(BIG);
	struct fixture f;

	for (size_t i = 0; i < BIG; i++)
		body[i] = (char)(i * 2654435761U >> 13);
	fixture_prepare(&f, v);
	fixture_open(&f, v);
	for (unsigned i = 0; i < 5; i++) {
		struct call_finished done;

		send_on(&f, 0, body, BIG);
		done = collect(&f);
		assert_int_equal(done.code, 0);
		assert_int_equal(done.size, BIG);
		assert_memory_equal(done.body, body, BIG);
	}
	fixture_close(&f, v);
	free(body);
}

static void slots_are_independent(void **state)
{
	const struct variant *v = *state;
	static char bodies[SLOTS_MAX][32];
	struct fixture f;

	fixture_prepare(&f, v);
	f.config.slots = SLOTS_MAX;
	fixture_open(&f, v);
	for (unsigned round = 0; round < 20; round++) {
		unsigned seen = 0;

		for (unsigned i = 0; i < SLOTS_MAX; i++) {
			snprintf(bodies[i], sizeof(bodies[i]), "round %u of slot %u", round, i);
			send_on(&f, i, bodies[i], strlen(bodies[i]));
		}
		for (unsigned i = 0; i < SLOTS_MAX; i++) {
			struct call_finished done = collect(&f);

			assert_int_equal(done.code, 0);
			assert_string_equal(done.body, bodies[done.slot]);
			seen |= 1U << done.slot;
		}
		assert_int_equal(seen, (1U << SLOTS_MAX) - 1);
	}
	assert_true(atomic_load(&f.server.requests) == 20 * SLOTS_MAX);
	fixture_close(&f, v);
}

static void error_of_the_server_keeps_its_words(void **state)
{
	const struct variant *v = *state;
	struct call_finished done;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	done = expect(&f, CALL_FAULT_ERROR, ERR_SERVER, 0);
	assert_non_null(strstr(f.text, "the server's own words: 50% über"));
	assert_non_null(strstr(f.text, v->protocol == CALL_HTTP ? "HTTP 404" : "gRPC NOT_FOUND"));
	assert_non_null(strstr(f.text, endpoint_name(f.endpoint)));
	assert_int_equal(done.status, v->protocol == CALL_HTTP ? 404 : 5);
	assert_echo(&f, "after");
	/* The connection is none the worse for it. */
	assert_int_equal(f.transport->reconnects, 0);
	fixture_close(&f, v);
}

static void broken_connections_are_errors_and_come_back(void **state)
{
	static const struct {
		enum call_fault fault;
		int code, or_code;
	} cases[] = {
		{CALL_FAULT_RESET, ERR_CLOSED, ERR_CLOSED},
		{CALL_FAULT_CLOSE, ERR_CLOSED, ERR_CLOSED},
		{CALL_FAULT_HALF, ERR_CLOSED, ERR_CLOSED},
		{CALL_FAULT_GARBAGE, ERR_PROTOCOL, ERR_CLOSED},
	};
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_echo(&f, "before");
		expect(&f, cases[i].fault, cases[i].code, cases[i].or_code);
		assert_non_null(strstr(f.text, endpoint_name(f.endpoint)));
		assert_echo(&f, "after");
		assert_reconnects(&f, i + 1);
	}
	fixture_close(&f, v);
}

/* Each failure comes after a connection was made: the pauses before the next one do not grow. */
static void failures_in_a_row_are_counted_and_pause_alike(void **state)
{
	const struct variant *v = *state;
	const unsigned n = 9;
	nsec_t begin;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	assert_echo(&f, "before");
	begin = clock_now();
	for (unsigned i = 0; i < n; i++)
		expect(&f, CALL_FAULT_CLOSE, ERR_CLOSED, ERR_CLOSED);
	assert_echo(&f, "after");
	/* Pauses of 10 ms that doubled would make four seconds of it. */
	assert_true(clock_now() - begin < 2 * NSEC_PER_SEC);
	/* The core's thread may miss a connection that ends before it looks. */
	assert_true(f.transport->reconnects >= (v->ops == &call_grpc_core ? 2 : n - 1));
	fixture_close(&f, v);
}

static void silence_ends_in_a_timeout(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	f.conn.timeout = 200 * NSEC_PER_MSEC;
	fixture_open(&f, v);
	expect(&f, CALL_FAULT_SILENCE, ERR_TIMEOUT, ERR_TIMEOUT);
	assert_non_null(strstr(f.text, "timed out: no answer within 200ms"));
	fixture_close(&f, v);
}

/* Silence for one call; a new connection answers the others in the end. */
static void silent_server_is_dialled_again(void **state)
{
	const struct variant *v = *state;
	nsec_t until = clock_now() + PATIENCE;
	struct call_finished done;
	struct fixture f;

	fixture_prepare(&f, v);
	f.conn.timeout = 200 * NSEC_PER_MSEC;
	fixture_open(&f, v);
	expect(&f, CALL_FAULT_SILENCE, ERR_TIMEOUT, ERR_TIMEOUT);
	while ((done = exchange(&f, "x")).code != 0)
		assert_true(clock_now() < until);
	assert_string_equal(done.body, "x");
	fixture_close(&f, v);
}

static void announced_end_costs_a_reconnect_and_no_error(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	set_fault(&f, CALL_FAULT_LAST, 5);
	for (unsigned i = 0; i < 8; i++)
		assert_echo(&f, "still there");
	assert_reconnects(&f, 5);
	fixture_close(&f, v);
}

static void idle_connection_that_was_closed_is_made_again(void **state)
{
	const struct variant *v = *state;
	nsec_t until = clock_now() + PATIENCE;
	struct call_finished none;
	struct fixture f;
	unsigned closed;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	closed = atomic_load(&f.server.closed);
	set_fault(&f, CALL_FAULT_IDLE_CLOSE, 1);
	assert_echo(&f, "last words");
	while (atomic_load(&f.server.closed) == closed)
		assert_true(clock_now() < until);
	assert_int_equal(poll_once(&f, &none, 1), 0);
	assert_echo(&f, "and again");
	assert_reconnects(&f, 1);
	fixture_close(&f, v);
}

static void replies_over_the_limit_are_refused(void **state)
{
	const struct variant *v = *state;
	struct call_finished done;
	struct fixture f;

	fixture_prepare(&f, v);
	f.config.body_max = 10;
	fixture_open(&f, v);
	assert_echo(&f, "0123456789");
	done = exchange(&f, "0123456789a");
	assert_int_equal(done.code, ERR_RANGE);
	assert_echo(&f, "0123456789");
	fixture_close(&f, v);
}

static void second_answer_harms_no_other_call(void **state)
{
	const struct variant *v = *state;
	struct call_finished done;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	set_fault(&f, CALL_FAULT_TWO, 1);
	done = exchange(&f, "first");
	if (v->protocol == CALL_GRPC)
		assert_int_equal(done.code, ERR_PROTOCOL);
	assert_echo(&f, "second");
	assert_echo(&f, "third");
	fixture_close(&f, v);
}

static void nobody_listening_is_told(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	assert_int_equal(fixture_open_to(&f, v, "127.0.0.1", free_port()), ERR_CONNECT);
	assert_non_null(strstr(f.err.text, "connection refused: is the server running?"));
	endpoint_free(f.endpoint);
}

static void interrupt_ends_the_wait_for_a_connection(void **state)
{
	const struct variant *v = *state;
	atomic_int interrupt = 1;
	struct fixture f;

	fixture_prepare(&f, v);
	f.conn.interrupt = &interrupt;
	call_server_start(&f.server);
	assert_int_equal(fixture_open_to(&f, v, "127.0.0.1", f.server.port), ERR_CANCELED);
	call_server_stop(&f.server);
	endpoint_free(f.endpoint);
}

static void poll_only_looks_when_asked_to(void **state)
{
	const struct variant *v = *state;
	struct call_finished done;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	assert_int_equal(f.transport->ops->poll(f.transport, 0, &done, 1, &f.err), 0);
	assert_true(f.transport->ops->fd(f.transport) >= 0);
	assert_echo(&f, "x");
	fixture_close(&f, v);
}

static void calls_go_over_a_unix_socket(void **state)
{
	const struct variant *v = *state;
	char path[300];
	struct fixture f;

	snprintf(path, sizeof(path), "%s/%s-%d.sock", folder, v->ops->name, (int)v->protocol);
	fixture_prepare(&f, v);
	f.server.unix_socket = path;
	f.conn.unix_socket = path;
	fixture_open(&f, v);
	assert_echo(&f, "locally");
	set_fault(&f, CALL_FAULT_LAST, 1);
	assert_echo(&f, "last");
	assert_echo(&f, "again");
	fixture_close(&f, v);
}

/* ---- TLS ---- */

static void calls_go_over_tls(void **state)
{
	const struct variant *v = *state;
	char *body = malloc(BIG);
	struct call_finished done;
	struct fixture f;

	memset(body, 'x', BIG);
	fixture_prepare(&f, v);
	f.server.certificate = good;
	f.server.key = good_key;
	f.conn.tls = true;
	f.conn.ca_cert = good;
	fixture_open(&f, v);
	assert_echo(&f, "secret");
	send_on(&f, 0, body, BIG);
	done = collect(&f);
	assert_int_equal(done.code, 0);
	assert_int_equal(done.size, BIG);
	assert_memory_equal(done.body, body, BIG);
	set_fault(&f, CALL_FAULT_LAST, 1);
	assert_echo(&f, "last");
	assert_echo(&f, "again");
	expect(&f, CALL_FAULT_CLOSE, ERR_CLOSED, ERR_CLOSED);
	assert_echo(&f, "again");
	fixture_close(&f, v);
	free(body);
}

static void certificate_of_another_host_is_refused(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	f.server.certificate = other;
	f.server.key = other_key;
	f.conn.tls = true;
	f.conn.ca_cert = other;
	call_server_start(&f.server);
	assert_int_equal(fixture_open_to(&f, v, "127.0.0.1", f.server.port), ERR_TLS);
	assert_non_null(strstr(f.err.text, "certificate is not for \"127.0.0.1\""));
	call_server_stop(&f.server);
	endpoint_free(f.endpoint);
	tls_config_free(f.tls);
}

static void insecure_accepts_any_certificate(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	f.server.certificate = other;
	f.server.key = other_key;
	f.conn.tls = f.conn.insecure = true;
	fixture_open(&f, v);
	assert_echo(&f, "whoever you are");
	fixture_close(&f, v);
}

/* ---- HTTP alone ---- */

static void wanted_header_is_handed_back(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	assert_int_equal(exchange(&f, "x").header, 42);
	set_fault(&f, CALL_FAULT_CHUNKED, 1);
	assert_int_equal(exchange(&f, "chunks").header, 42);
	fixture_close(&f, v);
	fixture_prepare(&f, v);
	f.config.wanted_header = "x-absent";
	fixture_open(&f, v);
	assert_int_equal(exchange(&f, "x").header, -1);
	fixture_close(&f, v);
}

static void chunks_make_one_body(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	set_fault(&f, CALL_FAULT_CHUNKED, -1);
	for (unsigned i = 0; i < 5; i++)
		assert_echo(&f, "in two chunks behind a 100 Continue");
	assert_int_equal(f.transport->reconnects, 0);
	fixture_close(&f, v);
}

/* ---- gRPC alone ---- */

static void streams_share_a_connection(void **state)
{
	const struct variant *v = *state;
	char *body = malloc(BIG);
	struct fixture f;

	memset(body, 'y', BIG);
	fixture_prepare(&f, v);
	f.config.slots = 7;
	f.config.streams = 4;
	fixture_open(&f, v);
	for (unsigned round = 0; round < 5; round++) {
		for (unsigned i = 0; i < 7; i++)
			send_on(&f, i, body, BIG / (i + 1));
		for (unsigned i = 0; i < 7; i++) {
			struct call_finished done = collect(&f);

			assert_int_equal(done.code, 0);
			assert_int_equal(done.size, BIG / (done.slot + 1));
			assert_memory_equal(done.body, body, done.size);
		}
	}
	assert_true(atomic_load(&f.server.connections) <= 3); /* one may be a probe */
	fixture_close(&f, v);
	free(body);
}

static void faults_of_a_stream_leave_the_connection(void **state)
{
	static const struct {
		enum call_fault fault;
		int code;
		const char *words;
	} cases[] = {
		{CALL_FAULT_RESET_STREAM, ERR_SERVER, "gRPC UNAVAILABLE"},
		{CALL_FAULT_PAGE, ERR_SERVER, "gRPC UNAVAILABLE"},
		{CALL_FAULT_COMPRESSED, 0, NULL},
		{CALL_FAULT_NO_STATUS, 0, NULL},
		{CALL_FAULT_NO_MESSAGE, 0, NULL},
	};
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct call_finished done;

		/* The core takes the flag without an encoding for none. */
		if (v->ops == &call_grpc_core && cases[i].fault == CALL_FAULT_COMPRESSED)
			continue;
		set_fault(&f, cases[i].fault, 1);
		done = exchange(&f, "abcdefgh");
		assert_true(done.code < 0);
		if (cases[i].code)
			assert_int_equal(done.code, cases[i].code);
		if (cases[i].words && !strstr(f.text, cases[i].words))
			fail_msg("%s: not %s", f.text, cases[i].words);
		assert_echo(&f, "after");
	}
	assert_int_equal(f.transport->reconnects, 0);
	fixture_close(&f, v);
}

static void call_that_going_away_did_not_take_is_an_error(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	expect(&f, CALL_FAULT_GO_AWAY, ERR_CLOSED, ERR_CLOSED);
	assert_echo(&f, "after");
	assert_reconnects(&f, 1);
	fixture_close(&f, v);
}

static void unanswered_goodbyes_count_as_reconnects(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	fixture_open(&f, v);
	/* The core's thread may miss a connection that ends before it looks. */
	for (unsigned i = 0; i < 6 || (f.transport->reconnects < 4 && i < 100); i++)
		expect(&f, CALL_FAULT_GO_AWAY, ERR_CLOSED, ERR_CLOSED);
	assert_true(f.transport->reconnects >= 4);
	fixture_close(&f, v);
}

static void tls_server_without_alpn_is_refused(void **state)
{
	const struct variant *v = *state;
	struct fixture f;

	fixture_prepare(&f, v);
	f.server.certificate = good;
	f.server.key = good_key;
	f.server.no_alpn = true;
	f.conn.tls = true;
	f.conn.ca_cert = good;
	call_server_start(&f.server);
	assert_int_equal(fixture_open_to(&f, v, "127.0.0.1", f.server.port), ERR_TLS);
	assert_non_null(strstr(f.err.text, "ALPN"));
	call_server_stop(&f.server);
	endpoint_free(f.endpoint);
	tls_config_free(f.tls);
}

/* ---- certificates and the list ---- */

static void make_certificate(char *cert, char *key, const char *name, const char *alt)
{
	char extension[128];
	struct process_result r;

	snprintf(cert, 300, "%s/%s.pem", folder, name);
	snprintf(key, 300, "%s/%s.key", folder, name);
	snprintf(extension, sizeof(extension), "subjectAltName=%s", alt);
	process_run(&r,
		    (const char *const[]){"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
					  "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=test", "-addext",
					  extension, "-out", cert, "-keyout", key, NULL},
		    NULL, 20);
	assert_int_equal(r.status, 0);
	process_result_release(&r);
}

static int make_certificates(void **state)
{
	(void)state;
	temp_folder_new(folder, sizeof(folder));
	make_certificate(good, good_key, "good", "IP:127.0.0.1");
	make_certificate(other, other_key, "other", "DNS:other.example");
	return 0;
}

static int remove_certificates(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

static void transports_are_found_by_name(void **state)
{
	const struct call_transport_ops *ops;
	struct error err;

	(void)state;
	assert_int_equal(call_transport_find(&ops, CALL_HTTP, NULL, &err), 0);
	assert_ptr_equal(ops, &call_http_lean);
	assert_int_equal(call_transport_find(&ops, CALL_GRPC, "", &err), 0);
	assert_ptr_equal(ops, &call_grpc_lean);
	assert_int_equal(call_transport_find(&ops, CALL_GRPC, "curl", &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "grpc-core"));
	assert_int_equal(call_transport_find(&ops, CALL_HTTP, "grpc-core", &err), ERR_USAGE);
}

#define FOR(variant, test) \
	{ \
#variant ": " #test, test, NULL, NULL, (void *)&(variant) \
	}
#define FOR_ALL(variant) \
	FOR(variant, bodies_come_back), FOR(variant, more_views_than_were_said_are_refused), \
		FOR(variant, big_bodies_go_both_ways), FOR(variant, slots_are_independent), \
		FOR(variant, error_of_the_server_keeps_its_words), \
		FOR(variant, broken_connections_are_errors_and_come_back), \
		FOR(variant, failures_in_a_row_are_counted_and_pause_alike), FOR(variant, silence_ends_in_a_timeout), \
		FOR(variant, silent_server_is_dialled_again), \
		FOR(variant, announced_end_costs_a_reconnect_and_no_error), \
		FOR(variant, idle_connection_that_was_closed_is_made_again), \
		FOR(variant, replies_over_the_limit_are_refused), FOR(variant, nobody_listening_is_told), \
		FOR(variant, interrupt_ends_the_wait_for_a_connection), FOR(variant, poll_only_looks_when_asked_to), \
		FOR(variant, calls_go_over_a_unix_socket), FOR(variant, calls_go_over_tls), \
		FOR(variant, certificate_of_another_host_is_refused), FOR(variant, insecure_accepts_any_certificate)
#define FOR_HTTP(variant) \
	FOR(variant, wanted_header_is_handed_back), FOR(variant, chunks_make_one_body), \
		FOR(variant, second_answer_harms_no_other_call)
#define FOR_GRPC(variant) \
	FOR(variant, streams_share_a_connection), FOR(variant, faults_of_a_stream_leave_the_connection), \
		FOR(variant, call_that_going_away_did_not_take_is_an_error), \
		FOR(variant, unanswered_goodbyes_count_as_reconnects), \
		FOR(variant, tls_server_without_alpn_is_refused)

int main(void)
{
	static const struct variant http_lean = {&call_http_lean, CALL_HTTP}, http_curl = {&call_http_curl, CALL_HTTP},
				    grpc_lean = {&call_grpc_lean, CALL_GRPC}, grpc_core = {&call_grpc_core, CALL_GRPC};
	const struct CMUnitTest tests[] = {
		FOR_ALL(http_lean),
		FOR_HTTP(http_lean),
		FOR_ALL(http_curl),
		FOR_HTTP(http_curl),
		FOR_ALL(grpc_lean),
		FOR_GRPC(grpc_lean),
		/* The core waits for a second message to be read. */ FOR(grpc_lean, second_answer_harms_no_other_call),
		FOR_ALL(grpc_core),
		FOR_GRPC(grpc_core),
		cmocka_unit_test(transports_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, make_certificates, remove_certificates);
}
