/*
 * Pings of servers that answer whole, in pieces, with errors, with the end of the connection, with nonsense, or not at
 * all: each server is a thread that sends a fixed reply for each request, which ends with a line break or a full echo.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/interface.h"
#include "net/ping.h"

#define ROUND_TRIPS 20

/* Plenty: nothing here waits for them to pass, but for the one who never answers. */
static const struct ping_limits plenty = {
	.round_trips = ROUND_TRIPS, .time = 20 * NSEC_PER_SEC, .timeout = 20 * NSEC_PER_SEC};

struct server {
	int listener;
	pthread_t thread;
	struct endpoint *endpoint;
	const char *end;   /* of a request */
	const char *reply; /* to each; NULL: none */
	size_t cut;        /* the reply is sent in two pieces; 0: in one */
	unsigned replies;  /* then it closes; 0: never */
	/* Of the thread, read after the join: */
	unsigned requests; /* that came */
	unsigned unsent;   /* replies that were not */
};

/* Both are of the thread, where nothing is asserted: what failed is told after the join. */
static bool send_whole(int fd, const char *data, size_t len)
{
	return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static bool send_reply(int fd, const struct server *s)
{
	size_t len = strlen(s->reply);

	if (s->cut == 0 || s->cut >= len)
		return send_whole(fd, s->reply, len);
	if (!send_whole(fd, s->reply, s->cut))
		return false;
	sched_yield(); /* the client may read it now, or both pieces at once: either must do */
	return send_whole(fd, s->reply + s->cut, len - s->cut);
}

static void *serve(void *arg)
{
	struct server *s = arg;
	char got[4096];
	size_t len = 0;
	int fd = accept(s->listener, NULL, NULL), one = 1;
	ssize_t n;

	if (fd >= 0)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (fd >= 0 && (n = recv(fd, got + len, sizeof(got) - len - 1, 0)) > 0) {
		len += (size_t)n;
		got[len] = '\0';
		if (len < strlen(s->end) || strcmp(got + len - strlen(s->end), s->end) != 0)
			continue;
		len = 0;
		s->requests++;
		if (s->reply && !send_reply(fd, s))
			s->unsent++;
		if (s->replies && s->requests == s->replies)
			break;
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static void start(struct server *s)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	struct error err;

	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->listener, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(s->listener, 4), 0);
	assert_int_equal(getsockname(s->listener, (struct sockaddr *)&sin, &len), 0);
	assert_int_equal(endpoint_resolve(&s->endpoint, "127.0.0.1", ntohs(sin.sin_port), NULL, &err), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
	endpoint_free(s->endpoint);
	assert_int_equal(s->unsent, 0);
}

/* Pings the server and stops it. */
static int ping(struct server *s, enum ping_kind kind, const struct ping_limits *l, struct error *err)
{
	nsec_t times[ROUND_TRIPS] = {0};
	int r;

	start(s);
	r = ping_measure(&(struct ping_target){.endpoint = s->endpoint, .kind = kind}, l, times, err);
	for (int i = 0; i < r; i++)
		assert_true(times[i] > 0);
	stop(s);
	return r;
}

static void redis_answers_in_pieces_and_with_errors(void **state)
{
	static const char *const replies[] = {"+PONG\r\n", "-NOAUTH Authentication required.\r\n"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (size_t cut = 0; cut < strlen(replies[i]); cut++) {
			struct server s = {.end = "PING\r\n", .reply = replies[i], .cut = cut};
			struct error err = {""};

			if (ping(&s, PING_REDIS, &plenty, &err) != ROUND_TRIPS)
				fail_msg("cut at %zu: %s", cut, err.text);
			/* and one to begin with */
			assert_int_equal(s.requests, ROUND_TRIPS + 1);
		}
	}
}

static void any_http_reply_is_an_answer(void **state)
{
	static const char *const replies[] = {
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
		"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 405 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct server s = {.end = "\r\n\r\n", .reply = replies[i], .cut = 20};
		struct error err = {""};

		if (ping(&s, PING_HTTP, &plenty, &err) != ROUND_TRIPS)
			fail_msg("%s: %s", replies[i], err.text);
	}
}

static void servers_that_close_after_each_answer_cannot_be_measured(void **state)
{
	static const char *const replies[] = {"HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\nConnection: close\r\n"
									      "Content-Length: 2\r\n\r\nhi"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct server s = {.end = "\r\n\r\n", .reply = replies[i], .replies = 1};
		struct error err = {""};

		assert_int_equal(ping(&s, PING_HTTP, &plenty, &err), ERR_CLOSED);
		assert_non_null(strstr(err.text, "closes the connection after each answer"));
	}
}

static void what_was_measured_before_the_end_counts(void **state)
{
	struct server s = {.end = "PING\r\n", .reply = "+PONG\r\n", .replies = 6};
	struct error err = {""};

	(void)state;
	assert_int_equal(ping(&s, PING_REDIS, &plenty, &err), 5);
}

static void no_time_is_time_for_one_round_trip(void **state)
{
	const struct ping_limits hurry = {.round_trips = ROUND_TRIPS, .time = 0, .timeout = 20 * NSEC_PER_SEC};
	struct server s = {.end = "PING\r\n", .reply = "+PONG\r\n"};
	struct error err = {""};

	(void)state;
	assert_int_equal(ping(&s, PING_REDIS, &hurry, &err), 1);
}

static void silence_and_nonsense_are_told(void **state)
{
	const struct ping_limits impatient = {.round_trips = 1, .time = 1, .timeout = NSEC_PER_MSEC};
	struct server silent = {.end = "PING\r\n"};
	struct server http = {.end = "PING\r\n", .reply = "HTTP/1.1 400 Bad Request\r\n\r\n"};
	struct server no_http = {.end = "\r\n\r\n", .reply = "-ERR unknown command\r\n"};
	struct server no_grpc = {.end = "", .reply = "HTTP/1.1 400 Bad Request\r\n\r\n", .replies = 1};
	struct error err = {""};

	(void)state;
	assert_int_equal(ping(&silent, PING_REDIS, &impatient, &err), ERR_TIMEOUT);
	assert_int_equal(ping(&http, PING_REDIS, &plenty, &err), ERR_PROTOCOL);
	assert_non_null(strstr(err.text, "is it a Redis server?"));
	assert_int_equal(ping(&no_http, PING_HTTP, &plenty, &err), ERR_PROTOCOL);
	assert_true(ping(&no_grpc, PING_GRPC, &plenty, &err) < 0);
}

static void nobody_there_is_told(void **state)
{
	struct server s = {.end = "\n"};
	nsec_t times[ROUND_TRIPS];
	struct error err = {""};
	struct endpoint *e;

	(void)state;
	start(&s);
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", endpoint_port(s.endpoint), NULL, &err), 0);
	stop(&s);
	assert_int_equal(ping_measure(&(struct ping_target){.endpoint = e}, &plenty, times, &err), ERR_CONNECT);
	endpoint_free(e);
}

static void an_interrupt_ends_the_wait(void **state)
{
	const atomic_int interrupted = 2;
	struct ping_limits l = plenty;
	struct server s = {.end = "PING\r\n"};
	struct error err = {""};

	(void)state;
	l.interrupt = &interrupted;
	assert_int_equal(ping(&s, PING_REDIS, &l, &err), ERR_CANCELED);
}

static void this_program_answers_itself(void **state)
{
	nsec_t times[ROUND_TRIPS] = {0};
	struct error err = {""};

	(void)state;
	if (ping_measure_loopback(&plenty, times, &err) != ROUND_TRIPS)
		fail_msg("%s", err.text);
	assert_true(times[ROUND_TRIPS - 1] > 0);
}

static void loopback_and_unix_sockets_are_told_apart(void **state)
{
	struct net_interface i;
	struct endpoint *e;
	struct error err;

	(void)state;
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", 1, NULL, &err), 0);
	net_interface_find(&i, e);
	assert_true(i.loopback);
	assert_false(i.unix_socket);
	assert_string_equal(i.name, "lo");
	assert_true(i.mtu > 0);
	endpoint_free(e);
	assert_int_equal(endpoint_resolve(&e, "localhost", 1, "/tmp/nobody.sock", &err), 0);
	net_interface_find(&i, e);
	assert_true(i.unix_socket);
	assert_string_equal(i.name, "");
	endpoint_free(e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redis_answers_in_pieces_and_with_errors),
		cmocka_unit_test(any_http_reply_is_an_answer),
		cmocka_unit_test(servers_that_close_after_each_answer_cannot_be_measured),
		cmocka_unit_test(what_was_measured_before_the_end_counts),
		cmocka_unit_test(no_time_is_time_for_one_round_trip),
		cmocka_unit_test(silence_and_nonsense_are_told),
		cmocka_unit_test(nobody_there_is_told),
		cmocka_unit_test(an_interrupt_ends_the_wait),
		cmocka_unit_test(this_program_answers_itself),
		cmocka_unit_test(loopback_and_unix_sockets_are_told_apart),
	};

	return cmocka_run_group_tests_name("ping", tests, NULL, NULL);
}
