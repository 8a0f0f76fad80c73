/*
 * faulty_server.c - a server that hands bytes to a real one until its time has come, and then misbehaves.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/e2e.h"

#define PAIRS_MAX 64
#define CARRY_MAX 64

/* One client and its connection to the upstream server (-1: none, or none any more). */
struct pair {
	int client, server;
	char carry[CARRY_MAX]; /* the end of what came before: a trigger may arrive in two pieces */
	size_t carried;
};

struct relay {
	const struct fault_plan *plan;
	unsigned seen;
	bool struck;
	struct pair pairs[PAIRS_MAX];
	size_t npairs;
};

static int listen_any(unsigned short *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 || listen(fd, 64) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) != 0)
		abort();
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static int connect_to(unsigned short port)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
		_exit(1);
	return fd;
}

static void send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		data += n;
		len -= (size_t)n;
	}
}

static void drop(struct relay *r, size_t i)
{
	close(r->pairs[i].client);
	if (r->pairs[i].server >= 0)
		close(r->pairs[i].server);
	r->pairs[i] = r->pairs[--r->npairs];
}

/* Nothing more comes from the server. */
static void cut_server(struct pair *p)
{
	if (p->server >= 0)
		close(p->server);
	p->server = -1;
}

/* The stream of the last HEADERS frame within these bytes of a client, which begin with a frame; 0: none. */
static unsigned last_stream(const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	unsigned stream = 0;

	while (len >= 9) {
		size_t frame = 9 + ((size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2]);

		if (p[3] == 1)
			stream = (unsigned)p[5] << 24 | (unsigned)p[6] << 16 | (unsigned)p[7] << 8 | p[8];
		if (frame > len)
			break;
		p += frame;
		len -= frame;
	}
	return stream;
}

static void reset_stream(int fd, unsigned stream)
{
	/* RST_STREAM, INTERNAL_ERROR */
	char frame[13] = {0, 0, 4, 3, 0};

	for (int i = 0; i < 4; i++)
		frame[5 + i] = (char)(stream >> (24 - 8 * i));
	frame[12] = 2;
	send_all(fd, frame, sizeof(frame));
}

/* True: the pair is gone. data: what the client said when its time had come. */
static bool strike(struct relay *r, size_t i, const char *data, size_t len)
{
	static const char garbage[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	static const char half[] = "*3\r\n+OK\r\n$";
	static const char error[] = "-ERR made up for a test\r\n";
	/* GOAWAY: every stream counts, NO_ERROR. */
	static const char going_away[] = "\0\0\x08\x07\0\0\0\0\0\x7f\xff\xff\xff\0\0\0";
	const struct linger reset = {.l_onoff = 1};
	int fd = r->pairs[i].client;

	r->struck = true;
	switch (r->plan->fault) {
	case FAULT_ERROR:
		send_all(fd, error, sizeof(error) - 1);
		return false;
	case FAULT_GARBAGE:
		send_all(fd, garbage, sizeof(garbage) - 1);
		return false;
	case FAULT_SILENCE:
		cut_server(&r->pairs[i]);
		return false;
	case FAULT_HALF_CLOSE:
		cut_server(&r->pairs[i]);
		shutdown(fd, SHUT_WR);
		return false;
	case FAULT_RESET_STREAM:
		reset_stream(fd, last_stream(data, len));
		send_all(r->pairs[i].server, data, len);
		return false;
	case FAULT_GOING_AWAY:
		send_all(fd, going_away, sizeof(going_away)); /* with its last zero */
		send_all(r->pairs[i].server, data, len);
		return false;
	case FAULT_REPLY:
		usleep(r->plan->delay_us);
		send_all(fd, r->plan->reply, r->plan->reply_len);
		if (!r->plan->closes)
			return false;
		break;
	case FAULT_HALF_REPLY:
		send_all(fd, half, sizeof(half) - 1);
		break;
	case FAULT_RESET:
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		break;
	case FAULT_CLOSE:
		break;
	}
	drop(r, i);
	return true;
}

/* How often the trigger ends within these new bytes. */
static unsigned count_trigger(struct relay *r, struct pair *p, const char *data, size_t len)
{
	const char *trigger = r->plan->trigger;
	size_t tlen = trigger ? strlen(trigger) : 0;
	static char all[CARRY_MAX + 65536];
	unsigned n = 0;
	const char *at = all, *end;

	if (!tlen)
		return 0;
	memcpy(all, p->carry, p->carried);
	memcpy(all + p->carried, data, len);
	end = all + p->carried + len;
	while ((at = memmem(at, (size_t)(end - at), trigger, tlen))) {
		n++;
		at += tlen;
	}
	p->carried = len < tlen - 1 ? len : tlen - 1;
	memcpy(p->carry, data + len - p->carried, p->carried);
	return n;
}

static bool due(struct relay *r, struct pair *p, const char *data, size_t len)
{
	unsigned before = r->seen;

	if (p->server < 0)
		return true;
	r->seen += count_trigger(r, p, data, len);
	if (r->seen == before || r->seen < r->plan->first)
		return false;
	return r->plan->always || !r->struck;
}

static void from_client(struct relay *r, size_t i)
{
	static char data[65536];
	ssize_t n = read(r->pairs[i].client, data, sizeof(data));

	if (n <= 0) {
		drop(r, i);
		return;
	}
	if (due(r, &r->pairs[i], data, (size_t)n))
		strike(r, i, data, (size_t)n);
	else
		send_all(r->pairs[i].server, data, (size_t)n);
}

static void from_server(struct relay *r, size_t i)
{
	static char data[65536];
	ssize_t n = read(r->pairs[i].server, data, sizeof(data));

	if (n <= 0)
		drop(r, i);
	else
		send_all(r->pairs[i].client, data, (size_t)n);
}

/* A request in two pieces would wait for a delayed acknowledgement between them. */
static void send_at_once(int fd)
{
	const int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void accept_one(struct relay *r, int listener)
{
	int fd = accept(listener, NULL, NULL);

	if (fd < 0 || r->npairs == PAIRS_MAX)
		_exit(1);
	r->pairs[r->npairs] =
		(struct pair){.client = fd, .server = r->plan->upstream ? connect_to(r->plan->upstream) : -1};
	send_at_once(fd);
	if (r->plan->upstream)
		send_at_once(r->pairs[r->npairs].server);
	r->npairs++;
}

static void serve(const struct fault_plan *plan, int listener)
{
	static struct relay r;
	struct pollfd fds[1 + 2 * PAIRS_MAX];

	r.plan = plan;
	for (;;) {
		fds[0] = (struct pollfd){.fd = listener, .events = POLLIN};
		for (size_t i = 0; i < r.npairs; i++) {
			fds[1 + 2 * i] = (struct pollfd){.fd = r.pairs[i].client, .events = POLLIN};
			fds[2 + 2 * i] = (struct pollfd){.fd = r.pairs[i].server, .events = POLLIN};
		}
		if (poll(fds, 1 + 2 * r.npairs, -1) < 0)
			_exit(1);
		/* One event a turn: a pair may go, and the others then move. */
		if (fds[0].revents) {
			accept_one(&r, listener);
			continue;
		}
		for (size_t i = 0; i < r.npairs; i++) {
			if (fds[1 + 2 * i].revents) {
				from_client(&r, i);
				break;
			}
			if (fds[2 + 2 * i].revents) {
				from_server(&r, i);
				break;
			}
		}
	}
}

void faulty_server_start(struct faulty_server *s, const struct fault_plan *plan)
{
	int listener = listen_any(&s->port);

	snprintf(s->port_text, sizeof(s->port_text), "%u", s->port);
	fflush(NULL);
	s->pid = fork();
	if (s->pid < 0)
		abort();
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(plan, listener);
	}
	close(listener);
}

void faulty_server_stop(struct faulty_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
}
