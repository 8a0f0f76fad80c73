/*
 * ping_loopback.c - the other end of a ping where there is no server: a thread that sends back what it gets.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/ping.h"

/* Ends when the other side closes, or when the listener is shut down before anybody came. */
static void *echo(void *arg)
{
	const int *listener = arg;
	char bytes[4096];
	int fd = accept4(*listener, NULL, NULL, SOCK_CLOEXEC), one = 1;
	ssize_t n;

	if (fd < 0)
		return NULL;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while ((n = recv(fd, bytes, sizeof(bytes), 0)) > 0) {
		/* A few bytes of one who waits for them: the socket has room. */
		if (send(fd, bytes, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	}
	close(fd);
	return NULL;
}

static int listen_on_loopback(uint16_t *ret_port, struct error *err)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_set_errno(err, ERR_IO, errno, "cannot open a socket");
	if (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&sin, &len) < 0) {
		error_set_errno(err, ERR_IO, errno, "cannot listen on 127.0.0.1");
		close(fd);
		return ERR_IO;
	}
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

/* Signals are the caller's thread's. */
static int start_echo(pthread_t *ret, int *listener, struct error *err)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, NULL, echo, listener);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? error_set_errno(err, ERR_NOMEM, r, "cannot start a thread") : 0;
}

int ping_measure_loopback(const struct ping_limits *l, nsec_t *ret_times, struct error *err)
{
	struct endpoint *e = NULL;
	uint16_t port;
	pthread_t thread;
	int listener = listen_on_loopback(&port, err), r;

	if (listener < 0)
		return listener;
	r = endpoint_resolve(&e, "127.0.0.1", port, NULL, err);
	if (r == 0)
		r = start_echo(&thread, &listener, err);
	if (r == 0) {
		r = ping_measure(&(struct ping_target){.endpoint = e, .kind = PING_ECHO}, l, ret_times, err);
		shutdown(listener, SHUT_RDWR);
		pthread_join(thread, NULL);
	}
	endpoint_free(e);
	close(listener);
	return r;
}
