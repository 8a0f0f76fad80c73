#include "tests/loaders/fake_redis.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/resp.h"

static void die(const char *what)
{
	perror(what);
	abort();
}

static void answer(int fd, const char *text)
{
	size_t len = strlen(text);

	if (send(fd, text, len, MSG_NOSIGNAL) != (ssize_t)len)
		return; /* the client has gone away, which is its right */
}

static bool is(const struct resp_node *word, const char *text)
{
	return word->len == strlen(text) && memcmp(word->data, text, word->len) == 0;
}

static void hang_up(struct fake_redis *f, struct fake_connection *c)
{
	if (f->reset_then)
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	close(c->fd);
	c->fd = -1;
}

static void handle(struct fake_redis *f, struct fake_connection *c, const struct resp_node *words)
{
	if (is(&words[1], "PING"))
		answer(c->fd, "+PONG\r\n");
	else if (is(&words[1], "CLUSTER"))
		answer(c->fd, "-ERR This instance has cluster support disabled\r\n");
	else if (is(&words[1], "AUTH") || is(&words[1], "SELECT"))
		answer(c->fd, "+OK\r\n");
	else if (++f->stores == f->after || (f->after > 0 && f->stores > f->after && !*f->answer)) {
		answer(c->fd, f->answer);
		if (f->close_then || f->reset_then)
			hang_up(f, c);
	} else
		answer(c->fd, "+OK\r\n");
}

static void serve(struct fake_redis *f, struct fake_connection *c)
{
	const struct resp_node *words;
	char in[65536];
	ssize_t n = recv(c->fd, in, sizeof(in), 0);
	size_t nwords;

	if (n <= 0) {
		close(c->fd);
		c->fd = -1;
		return;
	}
	c->bytes = realloc(c->bytes, c->len + (size_t)n);
	if (!c->bytes)
		die("realloc");
	memcpy(c->bytes + c->len, in, (size_t)n);
	c->len += (size_t)n;
	if (resp_reader_feed(c->reader, in, (size_t)n) < 0)
		die("resp_reader_feed");
	while (c->fd >= 0 && resp_reader_next(c->reader, &words, &nwords, NULL) > 0)
		handle(f, c, words);
}

static void *run(void *arg)
{
	struct fake_redis *f = arg;

	for (;;) {
		struct pollfd fds[2 + FAKE_CONNECTIONS_MAX] = {{.fd = f->stop_pipe[0], .events = POLLIN},
							       {.fd = f->listen_fd, .events = POLLIN}};
		unsigned n = f->nconnections;

		for (unsigned i = 0; i < n; i++)
			fds[2 + i] = (struct pollfd){.fd = f->connections[i].fd, .events = POLLIN};
		if (poll(fds, 2 + n, -1) < 0)
			die("poll");
		if (fds[0].revents)
			return NULL;
		for (unsigned i = 0; i < n; i++) {
			if (fds[2 + i].revents)
				serve(f, &f->connections[i]);
		}
		if (fds[1].revents && n < FAKE_CONNECTIONS_MAX) {
			struct fake_connection *c = &f->connections[f->nconnections++];

			c->fd = accept(f->listen_fd, NULL, NULL);
			if (c->fd < 0 || resp_reader_new(&c->reader) < 0)
				die("accept");
		}
	}
}

void fake_redis_start(struct fake_redis *f)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	f->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (f->listen_fd < 0 || bind(f->listen_fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    listen(f->listen_fd, FAKE_CONNECTIONS_MAX) < 0 ||
	    getsockname(f->listen_fd, (struct sockaddr *)&a, &len) < 0 || pipe(f->stop_pipe) < 0)
		die("fake server");
	f->port = ntohs(a.sin_port);
	if (pthread_create(&f->thread, NULL, run, f) != 0)
		die("pthread_create");
}

void fake_redis_stop(struct fake_redis *f)
{
	if (write(f->stop_pipe[1], "x", 1) != 1)
		die("write");
	pthread_join(f->thread, NULL);
	for (unsigned i = 0; i < f->nconnections; i++) {
		if (f->connections[i].fd >= 0)
			close(f->connections[i].fd);
	}
	close(f->listen_fd);
	close(f->stop_pipe[0]);
	close(f->stop_pipe[1]);
}

void fake_redis_release(struct fake_redis *f)
{
	for (unsigned i = 0; i < f->nconnections; i++) {
		resp_reader_free(f->connections[i].reader);
		free(f->connections[i].bytes);
	}
}
