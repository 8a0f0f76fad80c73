/*
 * The blocking client against a real redis-server, and against servers that are none or misbehave.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "net/redis_client.h"
#include "tests/support/redis_server.h"

/* A server of canned bytes: takes one connection and says its text after the client's first bytes, or at once. */
struct canned {
	pthread_t thread;
	int listener;
	unsigned short port;
	const char *text;
	size_t len;
	bool reset, stay;
	atomic_int *interrupt; /* set when the client's first bytes are there */
};

static void *serve_canned(void *arg)
{
	struct canned *s = arg;
	struct timeval limit = {.tv_sec = 20};
	struct linger hard = {.l_onoff = 1, .l_linger = 0};
	char in[4096];
	int fd = accept(s->listener, NULL, NULL);

	if (fd < 0)
		return NULL;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	if (recv(fd, in, 1, MSG_PEEK) > 0 && s->interrupt)
		atomic_store(s->interrupt, SIGINT);
	if (recv(fd, in, sizeof(in), 0) > 0 && send(fd, s->text, s->len, MSG_NOSIGNAL) >= 0 && s->stay) {
		while (recv(fd, in, sizeof(in), 0) > 0)
			;
	}
	if (s->reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
	return NULL;
}

static void canned_start(struct canned *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sin, &len), 0);
	s->port = ntohs(sin.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve_canned, s), 0);
}

static void canned_stop(struct canned *s)
{
	shutdown(s->listener, SHUT_RDWR);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->listener);
}

static int open_port(struct redis_client **ret, struct endpoint **ret_endpoint, unsigned short port,
		     const struct conn_options *o, struct error *err)
{
	assert_int_equal(endpoint_resolve(ret_endpoint, "127.0.0.1", port, NULL, err), 0);
	return redis_client_open(ret, *ret_endpoint, NULL, o, err);
}

static void opening_fails(unsigned short port, const struct conn_options *o, int code, const char *says)
{
	struct endpoint *e = NULL;
	struct redis_client *c = NULL;
	struct error err;

	assert_int_equal(open_port(&c, &e, port, o, &err), code);
	assert_null(c);
	assert_non_null(strstr(err.text, says));
	endpoint_free(e);
}

static void other_servers_are_told_apart(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		bool reset, stay;
		int code;
		const char *says;
	} CASES[] = {
		{"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", 39, false, false, ERR_PROTOCOL, "HTTP server"},
		{"220 mail.example ESMTP\r\n", 24, false, true, ERR_PROTOCOL, "\"220 mail.example ESMTP\""},
		{"\x15\x03\x01\x00\x02\x02\x16", 7, false, false, ERR_PROTOCOL, "pass -tls"},
		{"\x00\xff\x00", 3, false, true, ERR_PROTOCOL, "no Redis server"},
		{":12x\r\n", 6, false, true, ERR_PROTOCOL, "Bad integer"},
		{"+PO", 3, false, false, ERR_CLOSED, "closed the connection"},
		{"", 0, false, false, ERR_CLOSED, "does it want -tls?"},
		{"", 0, true, false, ERR_CLOSED, "does it want -tls?"},
		{"+PO", 3, true, false, ERR_CLOSED, "127.0.0.1"},
		{"-NOAUTH Authentication required.\r\n", 34, false, true, ERR_SERVER, "REDISCLI_AUTH"},
		{"-LOADING Redis is loading\r\n", 27, false, true, ERR_SERVER, "still loading"},
		{"-DENIED Redis is running in protected mode\r\n", 44, false, true, ERR_SERVER, "protected mode"},
		{"-ERR max number of clients reached\r\n", 36, false, false, ERR_SERVER, "maxclients"},
		{"-SOMETHING else\r\n", 17, false, false, ERR_SERVER, "SOMETHING else"},
		{"-NOPERM this user has no permissions\r\n", 38, false, true, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct canned s = {
			.text = CASES[i].text, .len = CASES[i].len, .reset = CASES[i].reset, .stay = CASES[i].stay};
		struct conn_options o;
		struct endpoint *e = NULL;
		struct redis_client *c = NULL;
		struct error err = {""};
		int r;

		conn_options_defaults(&o);
		canned_start(&s);
		r = open_port(&c, &e, s.port, &o, &err);
		if (r != CASES[i].code || (CASES[i].says && !strstr(err.text, CASES[i].says)))
			fail_msg("case %zu gave %d: %s", i, r, err.text);
		assert_true((c != NULL) == (r == 0));
		redis_client_close(c);
		endpoint_free(e);
		canned_stop(&s);
	}
}

/* A TLS port drops AUTH as it drops PING. */
static void a_reset_before_the_answer_to_auth_asks_for_tls(void **state)
{
	struct canned s = {.text = "", .reset = true};
	struct conn_options o;

	(void)state;
	conn_options_defaults(&o);
	o.password = "secret";
	canned_start(&s);
	opening_fails(s.port, &o, ERR_CLOSED, "does it want -tls?");
	canned_stop(&s);
}

static void certificates_without_tls_are_refused(void **state)
{
	static const struct conn_options WRONG[] = {{.ca_cert = "ca.pem"}, {.cert = "c.pem"}, {.key = "k.pem"}};
	struct conn_options o = {.tls = true, .ca_cert = "ca.pem", .cert = "c.pem", .key = "k.pem"};
	struct error err;

	(void)state;
	assert_int_equal(conn_options_check(&o, &err), 0);
	conn_options_defaults(&o);
	assert_int_equal(conn_options_check(&o, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(WRONG); i++) {
		assert_int_equal(conn_options_check(&WRONG[i], &err), ERR_USAGE);
		assert_non_null(strstr(err.text, "pass -tls"));
	}
}

static void silent_server_times_out(void **state)
{
	struct canned s = {.text = "", .stay = true};
	struct conn_options o;

	(void)state;
	conn_options_defaults(&o);
	o.timeout = 50 * NSEC_PER_MSEC;
	canned_start(&s);
	opening_fails(s.port, &o, ERR_TIMEOUT, "-timeout");
	canned_stop(&s);
}

/* The timeout is an hour: only the flag can end this, before the question or while the answer is waited for. */
static void an_interrupt_ends_the_wait(void **state)
{
	static atomic_int interrupt;
	struct canned s = {.text = "", .stay = true};
	struct conn_options o;

	(void)state;
	conn_options_defaults(&o);
	assert_null(o.interrupt);
	o.timeout = 3600 * NSEC_PER_SEC;
	o.interrupt = &interrupt;
	s.interrupt = &interrupt;
	canned_start(&s);
	opening_fails(s.port, &o, ERR_CANCELED, "interrupted");
	canned_stop(&s);
}

/* After half a reply and a timeout the next reply would belong to the last command. */
static void given_up_connection_stays_given_up(void **state)
{
	struct canned s = {.text = "+PONG\r\n$10\r\nhalf", .len = 16, .stay = true};
	struct conn_options o;
	struct endpoint *e = NULL;
	struct redis_client *c = NULL;
	const struct resp_node *reply;
	struct error err;
	size_t n;

	(void)state;
	conn_options_defaults(&o);
	o.timeout = 200 * NSEC_PER_MSEC;
	canned_start(&s);
	assert_int_equal(open_port(&c, &e, s.port, &o, &err), 0);
	assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "GET x"), ERR_TIMEOUT);
	assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "GET x"), ERR_CLOSED);
	assert_int_equal(redis_client_receive(c, &reply, &n, &err), ERR_CLOSED);
	redis_client_close(c);
	endpoint_free(e);
	canned_stop(&s);
}

static void missing_server_is_named(void **state)
{
	struct conn_options o;

	(void)state;
	conn_options_defaults(&o);
	opening_fails(free_port(), &o, ERR_CONNECT, "is the server running?");
}

/* One redis-server for the tests below. */
struct fixture {
	struct redis_server server;
	struct endpoint *endpoint;
	struct conn_options options;
	struct redis_client *client;
	struct error err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	redis_server_start(&f->server, NULL);
	conn_options_defaults(&f->options);
	assert_int_equal(open_port(&f->client, &f->endpoint, f->server.port, &f->options, &f->err), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	redis_client_close(f->client);
	endpoint_free(f->endpoint);
	redis_server_stop(&f->server, false);
	free(f);
	return 0;
}

static void commands_are_answered(void **state)
{
	struct fixture *f = *state;
	const char *set[] = {"SET", "key", "a b\r\n"};
	const size_t lens[] = {3, 3, 5};
	const struct resp_node *reply;
	size_t n;

	assert_int_equal(redis_client_command(f->client, 3, set, lens, &reply, &n, &f->err), 0);
	assert_int_equal(reply->type, RESP_STATUS);
	assert_int_equal(redis_client_commandf(f->client, &reply, &n, &f->err, " GET  %s ", "key"), 0);
	assert_int_equal(n, 1);
	assert_int_equal(reply->len, 5);
	assert_memory_equal(reply->data, "a b\r\n", 5);
	assert_int_equal(redis_client_commandf(f->client, &reply, &n, &f->err, "COMMAND INFO get set"), 0);
	assert_int_equal(reply->type, RESP_ARRAY);
	assert_int_equal(reply->integer, 2);
	assert_true(n > 10);
}

static void error_reply_is_a_node_or_an_error(void **state)
{
	struct fixture *f = *state;
	const char *bad[] = {"NOSUCH"};
	const struct resp_node *reply;
	size_t n;

	assert_int_equal(redis_client_command(f->client, 1, bad, NULL, &reply, &n, &f->err), 0);
	assert_int_equal(reply->type, RESP_ERROR);
	assert_int_equal(redis_client_commandf(f->client, &reply, &n, &f->err, "NOSUCH"), ERR_SERVER);
	assert_non_null(strstr(f->err.text, "unknown command"));
	assert_int_equal(redis_client_commandf(f->client, &reply, &n, &f->err, "PING"), 0);
}

/* More bytes in both directions than the sockets hold. */
static void large_pipeline_does_not_block(void **state)
{
	enum { COMMANDS = 200, LARGE = 100000 };
	struct fixture *f = *state;
	struct buf *out = redis_client_out(f->client);
	const struct resp_node *reply;
	char *value = malloc(LARGE);
	size_t n;

	for (size_t i = 0; i < LARGE; i++)
		value[i] = (char)('a' + i % 26);
	for (int i = 0; i < COMMANDS; i++) {
		const char *echo[] = {"ECHO", value};
		const size_t lens[] = {4, LARGE};

		assert_int_equal(resp_append_command(out, 2, echo, lens), 0);
	}
	assert_int_equal(redis_client_send(f->client, &f->err), 0);
	assert_int_equal(out->len, 0);
	for (int i = 0; i < COMMANDS; i++) {
		assert_int_equal(redis_client_receive(f->client, &reply, &n, &f->err), 0);
		assert_int_equal(reply->len, LARGE);
		assert_memory_equal(reply->data, value, LARGE);
	}
	free(value);
}

static void server_that_stops_is_noticed(void **state)
{
	struct fixture *f = *state;
	const struct resp_node *reply;
	size_t n;
	int r;

	process_signal(&f->server.process, SIGKILL);
	do
		r = redis_client_commandf(f->client, &reply, &n, &f->err, "PING");
	while (r == 0); /* the signal may arrive after a reply or two */
	assert_int_equal(r, ERR_CLOSED);
}

static void unix_socket_is_spoken_over(void **state)
{
	struct fixture *f = *state;
	struct endpoint *e = NULL;
	struct redis_client *c = NULL;

	assert_int_equal(endpoint_resolve(&e, NULL, 0, f->server.socket, &f->err), 0);
	assert_int_equal(redis_client_open(&c, e, NULL, &f->options, &f->err), 0);
	assert_string_equal(redis_client_name(c), f->server.socket);
	redis_client_close(c);
	endpoint_free(e);
}

static void password_is_asked_for_and_checked(void **state)
{
	static const struct {
		const char *user, *password, *says; /* NULL: welcome */
	} CASES[] = {
		{NULL, "secret", NULL},
		{"default", "secret", NULL},
		{"bob", "builder", NULL},
		{NULL, NULL, "pass -password"},
		{NULL, "wrong", "check -user and -password"},
		{"bob", "secret", "check -user and -password"},
		{"nobody", "secret", "check -user and -password"},
		{"bob", NULL, "-user needs -password"},
	};
	static const char *const EXTRA[] = {"--requirepass", "secret", "--user", "bob", "on",
					    ">builder",      "~*",     "+@all",  NULL};
	struct redis_server s;
	struct endpoint *e = NULL;
	struct error err;

	(void)state;
	redis_server_start(&s, EXTRA);
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", s.port, NULL, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct redis_client *c = NULL;
		struct conn_options o;
		int r;

		conn_options_defaults(&o);
		o.user = CASES[i].user;
		o.password = CASES[i].password;
		r = redis_client_open(&c, e, NULL, &o, &err);
		if ((r == 0) != !CASES[i].says || (r < 0 && !strstr(err.text, CASES[i].says)))
			fail_msg("case %zu gave %d: %s", i, r, err.text);
		if (r < 0)
			assert_true(!CASES[i].password || !strstr(err.text, CASES[i].password));
		redis_client_close(c);
	}
	endpoint_free(e);
	redis_server_stop(&s, false);
}

static void password_for_a_server_without_one_is_told(void **state)
{
	struct fixture *f = *state;
	struct redis_client *c = NULL;

	f->options.password = "secret";
	assert_int_equal(redis_client_open(&c, f->endpoint, NULL, &f->options, &f->err), ERR_SERVER);
	assert_non_null(strstr(f->err.text, "wants no password"));
}

static void slots_are_those_of_redis(void **state)
{
	static const struct {
		const char *key;
		unsigned slot;
	} CASES[] = {
		{"123456789", 0x31c3}, /* the check value of this CRC */
		{"", 0},
		{"foo", 12182},
		{"{foo}bar", 12182},
		{"referenceTensor:{foo}", 12182},
		{"{foo}{zap}", 12182},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		unsigned got = redis_slot(CASES[i].key, strlen(CASES[i].key));

		if (got != CASES[i].slot)
			fail_msg("\"%s\": %u", CASES[i].key, got);
	}
}

static void standalone_server_owns_every_slot(void **state)
{
	struct fixture *f = *state;
	struct redis_cluster k;
	char tag[16];

	assert_int_equal(redis_cluster_read(&k, f->client, &f->err), 0);
	assert_false(k.enabled);
	assert_int_equal(k.nshards, 1);
	assert_string_equal(k.shards[0].host, "127.0.0.1");
	assert_int_equal(k.shards[0].port, f->server.port);
	for (unsigned i = 0; i < REDIS_SLOTS; i++)
		assert_int_equal(k.slot_owner[i], 0);
	assert_int_equal(redis_shard_tag(&k, 0, tag, sizeof(tag)), 0);
	assert_string_equal(tag, "0");
	redis_cluster_release(&k);
}

static void cluster_slots_are_read_from_redis(void **state)
{
	static const char *const EXTRA[] = {"--cluster-enabled", "yes", "--cluster-require-full-coverage", "no", NULL};
	static const char *const KEYS[] = {
		"a",  "{}foo", "foo{}",  "foo{{bar}}zap", "foo{bar}{zap}",         "{", "}", "{}",
		"}{", "{a",    "a}b{c}", "{0}model",      "referenceTensor:{4711}"};
	struct redis_server s;
	struct conn_options o;
	struct endpoint *e = NULL;
	struct redis_client *c = NULL;
	struct redis_cluster k;
	const struct resp_node *reply;
	struct error err;
	size_t n;
	char tag[16];
	unsigned slot;

	(void)state;
	redis_server_start(&s, EXTRA);
	conn_options_defaults(&o);
	assert_int_equal(open_port(&c, &e, s.port, &o, &err), 0);
	assert_int_equal(redis_cluster_read(&k, c, &err), ERR_SERVER);
	assert_non_null(strstr(err.text, "has slots"));
	assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "CLUSTER ADDSLOTSRANGE 0 99 16000 16383"), 0);
	assert_int_equal(redis_cluster_read(&k, c, &err), 0);
	assert_true(k.enabled);
	assert_int_equal(k.nshards, 1);
	assert_string_equal(k.shards[0].host, "127.0.0.1");
	assert_int_equal(k.shards[0].port, s.port);
	assert_int_equal(k.slot_owner[99], 0);
	assert_int_equal(k.slot_owner[100], UINT16_MAX);
	assert_int_equal(k.slot_owner[16383], 0);
	assert_int_equal(redis_shard_tag(&k, 0, tag, sizeof(tag)), 0);
	slot = redis_slot(tag, strlen(tag));
	assert_true(slot <= 99 || slot >= 16000);
	assert_int_equal(redis_shard_tag(&k, 0, tag, 1), ERR_RANGE);
	for (size_t i = 0; i < ARRAY_LEN(KEYS); i++) {
		assert_int_equal(redis_client_commandf(c, &reply, &n, &err, "CLUSTER KEYSLOT %s", KEYS[i]), 0);
		assert_int_equal(reply->integer, redis_slot(KEYS[i], strlen(KEYS[i])));
	}
	redis_cluster_release(&k);
	redis_client_close(c);
	endpoint_free(e);
	redis_server_stop(&s, false);
}

/* CLUSTER SLOTS as Redis 7 writes it for three masters, one of them the server asked, and its ways to be wrong. */
static void cluster_slots_are_read_or_refused(void **state)
{
#define NODE(host, port) "*4\r\n" host ":" port "\r\n$2\r\nid\r\n*0\r\n"
	static const struct {
		const char *text;
		int code;
		unsigned nshards;
		const char *says;
	} CASES[] = {
		{"*3\r\n"
		 "*4\r\n:0\r\n:5460\r\n" NODE("$0\r\n\r\n", "7000") NODE("$2\r\nr1\r\n", "7003") /* with a replica */
		 "*3\r\n:5461\r\n:10922\r\n" NODE("$2\r\nm2\r\n", "7001")                        /**/
		 "*3\r\n:10923\r\n:16383\r\n" NODE("$2\r\nm3\r\n", "7002"),
		 0, 3, NULL},
		{"*2\r\n*3\r\n:0\r\n:1\r\n" NODE("$2\r\nm1\r\n", "7000") "*3\r\n:5\r\n:9\r\n" NODE("$2\r\nm1\r\n",
												   "7000"),
		 0, 1, NULL},
		{"*1\r\n*3\r\n:0\r\n:16383\r\n" NODE("$-1\r\n", "7000"), 0, 1, NULL},
		{"*1\r\n*3\r\n:0\r\n:16384\r\n" NODE("$1\r\nm\r\n", "7000"), ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*3\r\n:-1\r\n:5\r\n" NODE("$1\r\nm\r\n", "7000"), ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*3\r\n:6\r\n:5\r\n" NODE("$1\r\nm\r\n", "7000"), ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*3\r\n:0\r\n:5\r\n" NODE("$1\r\nm\r\n", "0"), ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*3\r\n:0\r\n:5\r\n" NODE("$1\r\nm\r\n", "65536"), ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*2\r\n:0\r\n:5\r\n", ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*3\r\n:0\r\n:5\r\n:7\r\n", ERR_PROTOCOL, 0, NULL},
		{"*1\r\n*3\r\n:0\r\n:5\r\n*1\r\n$1\r\nm\r\n", ERR_PROTOCOL, 0, NULL},
		{"*1\r\n:7\r\n", ERR_PROTOCOL, 0, NULL},
		{"+OK\r\n", ERR_PROTOCOL, 0, "is it another kind of server?"},
		{"*0\r\n", ERR_SERVER, 0, "is it set up"},
		{"-CLUSTERDOWN x\r\n", ERR_SERVER, 0, "is the Cluster whole?"},
		{"-NOPERM no\r\n", ERR_SERVER, 0, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct buf text = {0};
		struct canned s = {.stay = true};
		struct conn_options o;
		struct endpoint *e = NULL;
		struct redis_client *c = NULL;
		struct redis_cluster k = {0};
		struct error err = {""};
		int r;

		buf_printf(&text, "+PONG\r\n%s", CASES[i].text); /* both answers at once: the client reads one by one */
		s.text = text.data;
		s.len = text.len;
		conn_options_defaults(&o);
		canned_start(&s);
		assert_int_equal(open_port(&c, &e, s.port, &o, &err), 0);
		r = redis_cluster_read(&k, c, &err);
		if (r != CASES[i].code || k.nshards != CASES[i].nshards ||
		    (CASES[i].says && !strstr(err.text, CASES[i].says)))
			fail_msg("case %zu gave %d with %u shards: %s", i, r, k.nshards, err.text);
		if (i == 0) {
			assert_string_equal(k.shards[0].host, "127.0.0.1");
			assert_string_equal(k.shards[2].host, "m3");
			assert_int_equal(k.slot_owner[5460], 0);
			assert_int_equal(k.slot_owner[5461], 1);
			assert_int_equal(k.slot_owner[16383], 2);
		}
		redis_cluster_release(&k);
		redis_client_close(c);
		endpoint_free(e);
		canned_stop(&s);
		buf_release(&text);
	}
}

#define SERVER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_servers_are_told_apart),
		cmocka_unit_test(a_reset_before_the_answer_to_auth_asks_for_tls),
		cmocka_unit_test(certificates_without_tls_are_refused),
		cmocka_unit_test(silent_server_times_out),
		cmocka_unit_test(an_interrupt_ends_the_wait),
		cmocka_unit_test(given_up_connection_stays_given_up),
		cmocka_unit_test(missing_server_is_named),
		SERVER(commands_are_answered),
		SERVER(error_reply_is_a_node_or_an_error),
		SERVER(large_pipeline_does_not_block),
		SERVER(server_that_stops_is_noticed),
		SERVER(unix_socket_is_spoken_over),
		cmocka_unit_test(password_is_asked_for_and_checked),
		SERVER(password_for_a_server_without_one_is_told),
		cmocka_unit_test(slots_are_those_of_redis),
		SERVER(standalone_server_owns_every_slot),
		cmocka_unit_test(cluster_slots_are_read_from_redis),
		cmocka_unit_test(cluster_slots_are_read_or_refused),
	};

	return cmocka_run_group_tests_name("redis_client", tests, NULL, NULL);
}
