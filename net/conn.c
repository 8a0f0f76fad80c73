/*
 * conn.c - a non-blocking byte stream: sockets, the addresses of a server in turn, and waiting.
 */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "net/conn_internal.h"

#define INTERRUPT_SLICE (100 * NSEC_PER_MSEC) /* the longest sleep with an eye on the interrupt */

enum conn_state {
	CONN_CLOSED,
	CONN_CONNECTING,
	CONN_BACKLOG_FULL, /* a Unix socket whose listener has no room now: connect(2) again */
	CONN_HANDSHAKE,
	CONN_OPEN,
};

struct conn {
	int fd;
	enum conn_state state;
	short wants;
	struct tls_session *session; /* NULL: plain */
	const struct endpoint *endpoint;
	const struct tls_config *tls;
	unsigned next_address;
	const atomic_int *interrupt; /* ends the blocking helpers; may be NULL */
};

int conn_new(struct conn **ret, const struct endpoint *e, const struct tls_config *tls)
{
	struct conn *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->fd = -1;
	c->endpoint = e;
	c->tls = tls;
	*ret = c;
	return 0;
}

void conn_free(struct conn *c)
{
	if (!c)
		return;
	conn_close(c);
	free(c);
}

static void drop_socket(struct conn *c)
{
	tls_session_free(c->session);
	c->session = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

void conn_close(struct conn *c)
{
	drop_socket(c);
	c->state = CONN_CLOSED;
	c->wants = 0;
}

int conn_fd(const struct conn *c)
{
	return c->fd;
}

short conn_wants(const struct conn *c)
{
	return c->wants;
}

bool conn_is_open(const struct conn *c)
{
	return c->state == CONN_OPEN;
}

static int again(struct conn *c, enum conn_state state, short wants)
{
	c->state = state;
	c->wants = wants;
	return ERR_AGAIN;
}

/* What every address answered last. */
static int cannot_connect(const struct endpoint *e, int errnum, struct error *err)
{
	switch (errnum) {
	case ECONNREFUSED:
		return error_set(err, ERR_CONNECT, "%s: connection refused: is the server running?", e->name);
	case ENOENT:
		return error_set(err, ERR_CONNECT,
				 "%s: no such Unix socket: is the server running, does it listen there?", e->name);
	case ETIMEDOUT:
		return error_set(err, ERR_CONNECT,
				 "%s: no answer: is the host right, does a firewall drop the packets?", e->name);
	case EHOSTUNREACH:
	case ENETUNREACH:
		return error_set_errno(err, ERR_CONNECT, errnum, "%s: cannot reach this host", e->name);
	case EMFILE:
	case ENFILE:
		return error_set_errno(err, ERR_CONNECT, errnum,
				       "%s: cannot open another socket (raise it with ulimit -n)", e->name);
	default:
		return error_set_errno(err, ERR_CONNECT, errnum, "%s: cannot connect", e->name);
	}
}

int closed_by_server(const struct endpoint *e, struct error *err)
{
	return error_set(err, ERR_CLOSED, "%s: the server closed the connection", e->name);
}

int socket_error(const struct endpoint *e, int errnum, struct error *err)
{
	if (errnum == ECONNRESET || errnum == EPIPE)
		return error_set_errno(err, ERR_CLOSED, errnum, "%s: the server dropped the connection", e->name);
	return error_set_errno(err, ERR_IO, errnum, "%s", e->name);
}

/*
 * A client that dials a free local port of the ephemeral range may be given that port itself and then be connected to
 * itself.
 */
static bool is_connected_to_itself(int fd)
{
	struct sockaddr_storage local = {0}, peer = {0};
	socklen_t local_len = sizeof(local), peer_len = sizeof(peer);

	return getsockname(fd, (struct sockaddr *)&local, &local_len) == 0 && local.ss_family != AF_UNIX &&
	       getpeername(fd, (struct sockaddr *)&peer, &peer_len) == 0 && local_len == peer_len &&
	       !memcmp(&local, &peer, local_len);
}

static int finish_handshake(struct conn *c, struct error *err)
{
	int r = tls_handshake(c->session, &c->wants, err);

	if (r == 0)
		c->state = CONN_OPEN;
	else if (r != ERR_AGAIN)
		conn_close(c);
	return r;
}

/* The socket is connected: opens the connection, or starts TLS. */
static int socket_connected(struct conn *c, struct error *err)
{
	int r;

	c->wants = 0;
	if (!c->tls) {
		c->state = CONN_OPEN;
		return 0;
	}
	r = tls_session_new(&c->session, c->tls, c->endpoint, c->fd, err);
	if (r < 0) {
		conn_close(c);
		return r;
	}
	c->state = CONN_HANDSHAKE;
	return finish_handshake(c, err);
}

/* Starts on one address: 0, ERR_AGAIN, or ERR_CONNECT with errno. */
static int dial(struct conn *c, const struct address *a)
{
	int one = 1;

	c->fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return ERR_CONNECT;
	if (a->sa.ss_family != AF_UNIX)
		setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(c->fd, (const struct sockaddr *)&a->sa, a->len) == 0) {
		if (!is_connected_to_itself(c->fd))
			return 0;
		errno = ECONNREFUSED;
		return ERR_CONNECT;
	}
	if (errno == EINPROGRESS || errno == EINTR)
		return again(c, CONN_CONNECTING, POLLOUT);
	if (errno == EAGAIN && a->sa.ss_family == AF_UNIX)
		return again(c, CONN_BACKLOG_FULL, POLLOUT);
	return ERR_CONNECT;
}

/* Goes through the addresses that are left; errnum is what the one before failed with. */
static int dial_next(struct conn *c, int errnum, struct error *err)
{
	while (c->next_address < c->endpoint->naddresses) {
		int r;

		drop_socket(c);
		r = dial(c, &c->endpoint->addresses[c->next_address++]);
		if (r == 0)
			return socket_connected(c, err);
		if (r == ERR_AGAIN)
			return r;
		errnum = errno;
	}
	conn_close(c);
	return cannot_connect(c->endpoint, errnum, err);
}

int conn_start(struct conn *c, struct error *err)
{
	if (c->state != CONN_CLOSED)
		return error_set(err, ERR_INVALID, "%s: the connection was started already", c->endpoint->name);
	c->next_address = 0;
	return dial_next(c, 0, err);
}

static int check_connecting(struct conn *c, struct error *err)
{
	struct pollfd p = {.fd = c->fd, .events = POLLOUT};
	int errnum = 0;
	socklen_t len = sizeof(errnum);

	if (poll(&p, 1, 0) <= 0)
		return again(c, CONN_CONNECTING, POLLOUT);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &errnum, &len) < 0)
		errnum = errno;
	if (errnum == 0 && is_connected_to_itself(c->fd))
		errnum = ECONNREFUSED;
	return errnum == 0 ? socket_connected(c, err) : dial_next(c, errnum, err);
}

int conn_connect(struct conn *c, struct error *err)
{
	switch (c->state) {
	case CONN_OPEN:
		return 0;
	case CONN_CONNECTING:
		return check_connecting(c, err);
	case CONN_BACKLOG_FULL:
		c->next_address--;
		return dial_next(c, 0, err);
	case CONN_HANDSHAKE:
		return finish_handshake(c, err);
	case CONN_CLOSED:
		break;
	}
	return error_set(err, ERR_INVALID, "%s: the connection was not started", c->endpoint->name);
}

int conn_next_address(struct conn *c, struct error *err)
{
	if (c->state == CONN_CLOSED || c->state == CONN_OPEN)
		return error_set(err, ERR_INVALID, "%s: the connection is not being made", c->endpoint->name);
	return dial_next(c, ETIMEDOUT, err);
}

static ssize_t failed_io(struct conn *c, short wants, struct error *err)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		c->wants = wants;
		return ERR_AGAIN;
	}
	return socket_error(c->endpoint, errno, err);
}

static ssize_t not_open(const struct conn *c, struct error *err)
{
	return error_set(err, ERR_CLOSED, "%s: the connection is not open", c->endpoint->name);
}

ssize_t conn_writev(struct conn *c, const struct iovec *iov, int iovcnt, struct error *err)
{
	ssize_t n;

	if (c->state != CONN_OPEN)
		return not_open(c, err);
	if (c->session)
		return tls_writev(c->session, iov, iovcnt, &c->wants, err);
	do {
		if (iovcnt == 1) {
			n = send(c->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL);
		} else {
			/* Linux never writes through msg_iov here. */
			struct msghdr m = {.msg_iov = (struct iovec *)iov,
					   .msg_iovlen = (size_t)(iovcnt > IOV_MAX ? IOV_MAX : iovcnt)};

			n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
		}
	} while (n < 0 && errno == EINTR);
	return n < 0 ? failed_io(c, POLLOUT, err) : n;
}

ssize_t conn_read(struct conn *c, void *buf, size_t len, struct error *err)
{
	ssize_t n;

	if (c->state != CONN_OPEN)
		return not_open(c, err);
	if (c->session)
		return tls_read(c->session, buf, len, &c->wants, err);
	do
		n = recv(c->fd, buf, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return failed_io(c, POLLIN, err);
	return n == 0 ? closed_by_server(c->endpoint, err) : n;
}

bool conn_pending(const struct conn *c)
{
	return c->session && tls_pending(c->session);
}

static int timed_out(const struct conn *c, struct error *err)
{
	const char *name = c->endpoint->name;

	switch (c->state) {
	case CONN_OPEN:
		return error_set(err, ERR_TIMEOUT,
				 "%s: the server did not answer in time: is it busy (-timeout waits longer), is it "
				 "another kind of server?",
				 name);
	case CONN_HANDSHAKE:
		return error_set(err, ERR_TIMEOUT,
				 "%s: the TLS handshake did not finish in time: does the server speak TLS there?",
				 name);
	default:
		return error_set(err, ERR_TIMEOUT,
				 "%s: no answer in time: is the host right, does a firewall drop the packets?", name);
	}
}

void conn_set_interrupt(struct conn *c, const atomic_int *interrupt)
{
	c->interrupt = interrupt;
}

int conn_wait(struct conn *c, short events, nsec_t deadline, struct error *err)
{
	for (;;) {
		struct pollfd p = {.fd = c->fd, .events = events};
		nsec_t left = deadline == NSEC_NEVER ? NSEC_NEVER : deadline - clock_now();
		struct timespec ts = {0};
		bool last = true;
		int n;

		if (c->interrupt && atomic_load(c->interrupt))
			return error_set(err, ERR_CANCELED, "%s: interrupted while waiting for the server",
					 c->endpoint->name);
		/* A signal that came before the sleep, or to another thread, does not end it. */
		if (c->interrupt && left > INTERRUPT_SLICE) {
			left = INTERRUPT_SLICE;
			last = false;
		}
		if (left > 0)
			ts = (struct timespec){.tv_sec = (time_t)(left / NSEC_PER_SEC),
					       .tv_nsec = (long)(left % NSEC_PER_SEC)};
		n = ppoll(&p, 1, left == NSEC_NEVER ? NULL : &ts, NULL);
		if (n > 0)
			return 0;
		if (n == 0 && last)
			return timed_out(c, err);
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, ERR_IO, errno, "%s: cannot wait", c->endpoint->name);
	}
}

int conn_open_wait(struct conn *c, nsec_t deadline, struct error *err)
{
	int r = conn_start(c, err);

	while (r == ERR_AGAIN) {
		nsec_t limit = deadline;
		unsigned left = c->endpoint->naddresses - c->next_address;

		/* An address that never answers must leave time for the others. */
		if (left > 0 && c->state == CONN_CONNECTING && deadline != NSEC_NEVER) {
			nsec_t now = clock_now();

			limit = now + (deadline - now) / (left + 1);
		}
		r = conn_wait(c, c->wants, limit, err);
		if (r == 0)
			r = conn_connect(c, err);
		else if (r == ERR_TIMEOUT && left > 0 && c->state == CONN_CONNECTING)
			r = conn_next_address(c, err);
	}
	if (r < 0)
		conn_close(c);
	return r;
}

int conn_write_all(struct conn *c, const void *buf, size_t len, nsec_t deadline, struct error *err)
{
	const char *p = buf;

	while (len > 0) {
		struct iovec iov = {.iov_base = (void *)p, .iov_len = len};
		ssize_t n = conn_writev(c, &iov, 1, err);

		if (n == ERR_AGAIN) {
			int r = conn_wait(c, c->wants, deadline, err);

			if (r < 0)
				return r;
			continue;
		}
		if (n < 0)
			return (int)n;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
