/*
 * Plain connections, against sockets that the test itself listens on.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "net/conn.h"
#include "tests/support/process.h"

#define SOON (clock_now() + 20 * NSEC_PER_SEC)

/* A listener of the test's, an endpoint that leads there and a connection that is not started. */
struct fixture {
	int listener, peer;
	unsigned short port;
	char folder[256], path[300];
	struct endpoint *endpoint;
	struct conn *conn;
	struct error err;
};

static int listen_tcp(unsigned short *ret_port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

static int listen_unix(const char *path, int backlog)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(sun.sun_path));
	memcpy(sun.sun_path, path, strlen(path) + 1);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->peer = -1;
	f->listener = listen_tcp(&f->port);
	assert_int_equal(endpoint_resolve(&f->endpoint, "127.0.0.1", f->port, NULL, &f->err), 0);
	assert_int_equal(conn_new(&f->conn, f->endpoint, NULL), 0);
	*state = f;
	return 0;
}

static int setup_unix(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->peer = -1;
	temp_folder_new(f->folder, sizeof(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/s", f->folder);
	f->listener = listen_unix(f->path, 0);
	assert_int_equal(endpoint_resolve(&f->endpoint, "ignored", 1, f->path, &f->err), 0);
	assert_int_equal(conn_new(&f->conn, f->endpoint, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	conn_free(f->conn);
	endpoint_free(f->endpoint);
	if (f->peer >= 0)
		close(f->peer);
	if (f->listener >= 0)
		close(f->listener);
	if (*f->folder)
		temp_folder_remove(f->folder);
	free(f);
	return 0;
}

/* Connects conn, with its other end in peer. */
static void connect_both(struct fixture *f)
{
	assert_int_equal(conn_open_wait(f->conn, SOON, &f->err), 0);
	f->peer = accept(f->listener, NULL, NULL);
	assert_true(f->peer >= 0);
}

static void stop_listening(struct fixture *f)
{
	close(f->listener);
	f->listener = -1;
}

static ssize_t read_wait(struct fixture *f, void *buf, size_t len)
{
	for (;;) {
		ssize_t n = conn_read(f->conn, buf, len, &f->err);

		if (n != ERR_AGAIN)
			return n;
		assert_int_equal(conn_wants(f->conn), POLLIN);
		assert_int_equal(conn_wait(f->conn, POLLIN, SOON, &f->err), 0);
	}
}

static void refused_connection_asks_for_the_server(void **state)
{
	struct fixture *f = *state;
	char want[100];

	stop_listening(f);
	assert_int_equal(conn_open_wait(f->conn, SOON, &f->err), ERR_CONNECT);
	snprintf(want, sizeof(want), "127.0.0.1:%u: connection refused: is the server running?", f->port);
	assert_string_equal(f->err.text, want);
	assert_false(conn_is_open(f->conn));
	assert_int_equal(conn_fd(f->conn), -1);
}

static void closed_connection_is_opened_again(void **state)
{
	struct fixture *f = *state;
	char byte;

	for (int i = 0; i < 3; i++) {
		connect_both(f);
		assert_true(conn_is_open(f->conn));
		assert_int_equal(conn_start(f->conn, &f->err), ERR_INVALID);
		assert_int_equal(send(f->peer, "x", 1, 0), 1);
		assert_int_equal(read_wait(f, &byte, 1), 1);
		conn_close(f->conn);
		assert_int_equal(conn_read(f->conn, &byte, 1, &f->err), ERR_CLOSED);
		close(f->peer);
		f->peer = -1;
	}
}

static void pieces_are_written_in_order(void **state)
{
	struct fixture *f = *state;
	struct iovec iov[] = {{(void *)"one ", 4}, {NULL, 0}, {(void *)"two ", 4}, {(void *)"three", 5}};
	char got[32] = "";

	connect_both(f);
	assert_int_equal(conn_writev(f->conn, iov, 4, &f->err), 13);
	assert_int_equal(recv(f->peer, got, 13, MSG_WAITALL), 13);
	assert_string_equal(got, "one two three");
}

static void more_pieces_than_the_kernel_takes_are_written_in_part(void **state)
{
	struct fixture *f = *state;
	static struct iovec iov[3000];

	connect_both(f);
	for (size_t i = 0; i < ARRAY_LEN(iov); i++)
		iov[i] = (struct iovec){(void *)"x", 1};
	assert_int_equal(conn_writev(f->conn, iov, ARRAY_LEN(iov), &f->err), 1024);
}

static void full_socket_asks_to_wait_for_room(void **state)
{
	struct fixture *f = *state;
	static char block[1 << 20];
	struct iovec iov = {block, sizeof(block)};
	ssize_t n, sent = 0, received = 0;

	connect_both(f);
	while ((n = conn_writev(f->conn, &iov, 1, &f->err)) > 0)
		sent += n;
	assert_int_equal(n, ERR_AGAIN);
	assert_int_equal(conn_wants(f->conn), POLLOUT);
	assert_int_equal(conn_wait(f->conn, POLLOUT, clock_now(), &f->err), ERR_TIMEOUT);
	while (received < sent) {
		n = recv(f->peer, block, sizeof(block), 0);
		assert_true(n > 0);
		received += n;
	}
	assert_int_equal(conn_wait(f->conn, POLLOUT, SOON, &f->err), 0);
	assert_true(conn_writev(f->conn, &iov, 1, &f->err) > 0);
}

static void silent_server_times_out(void **state)
{
	struct fixture *f = *state;
	char byte;

	connect_both(f);
	assert_int_equal(conn_read(f->conn, &byte, 1, &f->err), ERR_AGAIN);
	assert_int_equal(conn_wait(f->conn, conn_wants(f->conn), clock_now(), &f->err), ERR_TIMEOUT);
	assert_non_null(strstr(f->err.text, "127.0.0.1"));
}

static void end_of_stream_is_closed(void **state)
{
	struct fixture *f = *state;
	char got[8];

	connect_both(f);
	assert_int_equal(send(f->peer, "half", 4, 0), 4);
	close(f->peer);
	f->peer = -1;
	assert_int_equal(read_wait(f, got, sizeof(got)), 4);
	assert_int_equal(read_wait(f, got, sizeof(got)), ERR_CLOSED);
	assert_non_null(strstr(f->err.text, "closed"));
}

static void reset_is_closed_and_no_signal(void **state)
{
	struct fixture *f = *state;
	struct linger hard = {.l_onoff = 1, .l_linger = 0};
	struct iovec iov = {(void *)"x", 1};
	char got[8];
	ssize_t n;

	connect_both(f);
	assert_int_equal(setsockopt(f->peer, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard)), 0);
	close(f->peer);
	f->peer = -1;
	assert_int_equal(read_wait(f, got, sizeof(got)), ERR_CLOSED);
	n = conn_writev(f->conn, &iov, 1, &f->err); /* SIGPIPE would end the test here */
	assert_int_equal(n, ERR_CLOSED);
	assert_int_equal(conn_writev(f->conn, &iov, 1, NULL), ERR_CLOSED);
}

static void write_all_goes_on_while_the_peer_reads(void **state)
{
	struct fixture *f = *state;
	static char block[16 << 20];
	int status;
	pid_t pid;

	connect_both(f);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		size_t total = 0;
		ssize_t n;

		alarm(20);
		while (total < sizeof(block) && (n = recv(f->peer, block, sizeof(block), 0)) > 0)
			total += (size_t)n;
		_exit(total == sizeof(block) ? 0 : 1);
	}
	assert_int_equal(conn_write_all(f->conn, block, sizeof(block), SOON, &f->err), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void write_all_gives_up_at_the_deadline(void **state)
{
	struct fixture *f = *state;
	static char block[16 << 20];

	connect_both(f);
	assert_int_equal(conn_write_all(f->conn, block, sizeof(block), clock_now(), &f->err), ERR_TIMEOUT);
}

static void unix_socket_carries_bytes(void **state)
{
	struct fixture *f = *state;
	char got[8];

	connect_both(f);
	assert_string_equal(endpoint_name(f->endpoint), f->path);
	assert_int_equal(conn_write_all(f->conn, "ping", 4, SOON, &f->err), 0);
	assert_int_equal(recv(f->peer, got, 4, MSG_WAITALL), 4);
	assert_int_equal(send(f->peer, "pong", 4, 0), 4);
	assert_int_equal(read_wait(f, got, sizeof(got)), 4);
	assert_memory_equal(got, "pong", 4);
}

static void missing_unix_socket_is_named(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(conn_open_wait(f->conn, SOON, &f->err), ERR_CONNECT);
	assert_memory_equal(f->err.text, f->path, strlen(f->path));
	assert_non_null(strstr(f->err.text, "is the server running"));
}

static void dead_unix_socket_is_refused(void **state)
{
	struct fixture *f = *state;

	stop_listening(f);
	assert_int_equal(conn_open_wait(f->conn, SOON, &f->err), ERR_CONNECT);
	assert_non_null(strstr(f->err.text, "connection refused"));
}

/* A Unix listener without room tells no one when it has some again. */
static void busy_unix_listener_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct conn *waiting[8];
	size_t n = 0;
	int r = 0;

	while (r == 0 && n < ARRAY_LEN(waiting)) {
		assert_int_equal(conn_new(&waiting[n], f->endpoint, NULL), 0);
		r = conn_start(waiting[n++], &f->err);
	}
	assert_int_equal(r, ERR_AGAIN);
	assert_int_equal(conn_connect(waiting[n - 1], &f->err), ERR_AGAIN);
	f->peer = accept(f->listener, NULL, NULL);
	assert_int_equal(conn_connect(waiting[n - 1], &f->err), 0);
	while (n > 0)
		conn_free(waiting[--n]);
}

/* "localhost" is two addresses on most machines, and only one of them listens. */
static void other_addresses_are_tried(void **state)
{
	struct fixture *f = *state;
	struct endpoint *e;
	struct conn *c;

	assert_int_equal(endpoint_resolve(&e, "localhost", f->port, NULL, &f->err), 0);
	assert_int_equal(conn_new(&c, e, NULL), 0);
	assert_int_equal(conn_open_wait(c, SOON, &f->err), 0);
	conn_free(c);
	stop_listening(f);
	assert_int_equal(conn_new(&c, e, NULL), 0);
	assert_int_equal(conn_open_wait(c, SOON, &f->err), ERR_CONNECT);
	assert_non_null(strstr(f->err.text, "localhost:"));
	conn_free(c);
	endpoint_free(e);
}

static void connection_must_be_started_first(void **state)
{
	struct fixture *f = *state;
	struct iovec iov = {(void *)"x", 1};

	assert_int_equal(conn_connect(f->conn, &f->err), ERR_INVALID);
	assert_int_equal(conn_next_address(f->conn, &f->err), ERR_INVALID);
	assert_int_equal(conn_writev(f->conn, &iov, 1, &f->err), ERR_CLOSED);
	conn_close(f->conn);
	conn_free(NULL);
}

static void server_names_are_split(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} CASES[] = {
		{"h:1", "h", 1},
		{"h", "h", 7},
		{":65535", "localhost", 65535},
		{"127.0.0.1:80", "127.0.0.1", 80},
		{"[::1]:80", "::1", 80},
		{"[::1]", "::1", 7},
		{"::1", "::1", 7},
		{"fe80::1:2", "fe80::1:2", 7},
		{"", NULL, 0},
		{"h:", NULL, 0},
		{"h:0", NULL, 0},
		{"h:65536", NULL, 0},
		{"h:99999999999999999999", NULL, 0},
		{"h:x", NULL, 0},
		{"h:+1", NULL, 0},
		{"h:1 ", NULL, 0},
		{"[::1", NULL, 0},
		{"[]:1", NULL, 0},
		{"[::1]x", NULL, 0},
		{"[::1]:", NULL, 0},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct error err;
		char *host = NULL;
		uint16_t port = 0;
		int r = endpoint_parse(&host, &port, CASES[i].text, 7, &err);

		if (!CASES[i].host) {
			assert_int_equal(r, ERR_INVALID);
			assert_null(host);
			assert_int_equal(port, 0);
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(host, CASES[i].host);
		assert_int_equal(port, CASES[i].port);
		free(host);
	}
}

static void endpoints_have_names(void **state)
{
	struct endpoint *e = NULL;
	struct error err;
	char longer[200];

	(void)state;
	assert_int_equal(endpoint_resolve(&e, "::1", 80, NULL, &err), 0);
	assert_string_equal(endpoint_name(e), "[::1]:80");
	assert_string_equal(endpoint_host(e), "::1");
	assert_int_equal(endpoint_port(e), 80);
	endpoint_free(e);
	e = NULL;
	assert_int_equal(endpoint_resolve(&e, "no..host", 80, NULL, &err), ERR_CONNECT);
	assert_non_null(strstr(err.text, "no..host"));
	assert_int_equal(endpoint_resolve(&e, "", 80, NULL, &err), ERR_INVALID);
	assert_int_equal(endpoint_resolve(&e, "127.0.0.1", 0, NULL, &err), ERR_RANGE);
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(endpoint_resolve(&e, NULL, 0, longer, &err), ERR_RANGE);
	assert_null(e);
}

static void redials_back_off(void **state)
{
	struct backoff b, same;
	nsec_t base = 10 * NSEC_PER_MSEC;

	(void)state;
	backoff_init(&b, 7);
	backoff_init(&same, 7);
	for (int i = 0; i < 12; i++) {
		nsec_t delay = backoff_next(&b);

		assert_true(delay >= base && delay <= base + base / 4);
		assert_true(delay == backoff_next(&same));
		base = base * 2 > NSEC_PER_SEC ? NSEC_PER_SEC : base * 2;
	}
	backoff_reset(&b);
	assert_true(backoff_next(&b) <= 12500000);
}

static void password_comes_from_the_environment(void **state)
{
	struct conn_options o;

	(void)state;
	setenv("REDISCLI_AUTH", "hush", 1);
	conn_options_defaults(&o);
	assert_string_equal(o.password, "hush");
	assert_int_equal(o.timeout, 30 * NSEC_PER_SEC);
	setenv("REDISCLI_AUTH", "", 1);
	conn_options_defaults(&o);
	assert_null(o.password);
	unsetenv("REDISCLI_AUTH");
}

#define TCP(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
#define UNIX(t) cmocka_unit_test_setup_teardown(t, setup_unix, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TCP(refused_connection_asks_for_the_server),
		TCP(closed_connection_is_opened_again),
		TCP(pieces_are_written_in_order),
		TCP(more_pieces_than_the_kernel_takes_are_written_in_part),
		TCP(full_socket_asks_to_wait_for_room),
		TCP(silent_server_times_out),
		TCP(end_of_stream_is_closed),
		TCP(reset_is_closed_and_no_signal),
		TCP(write_all_goes_on_while_the_peer_reads),
		TCP(write_all_gives_up_at_the_deadline),
		UNIX(unix_socket_carries_bytes),
		UNIX(missing_unix_socket_is_named),
		UNIX(dead_unix_socket_is_refused),
		UNIX(busy_unix_listener_is_tried_again),
		TCP(other_addresses_are_tried),
		TCP(connection_must_be_started_first),
		cmocka_unit_test(server_names_are_split),
		cmocka_unit_test(endpoints_have_names),
		cmocka_unit_test(redials_back_off),
		cmocka_unit_test(password_comes_from_the_environment),
	};

	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
