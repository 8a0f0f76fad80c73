/*
 * fake_server.c - a RedisAI server inside the test; see the header.
 */
#include "tests/drivers/fake_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define INPUT_MAX 65536

struct client {
	int fd;
	bool authenticated, doomed, mute;
	size_t len;
	char input[INPUT_MAX];
};

struct state {
	struct fake_server *server;
	struct client clients[CLIENTS_MAX];
	unsigned nclients;
};

static void die(const char *what)
{
	perror(what);
	abort();
}

static bool is(const struct fake_command *c, unsigned i, const char *text)
{
	return i < c->nargs && strcmp(c->args[i], text) == 0;
}

/* Reads the number of a "*3\r\n" or "$5\r\n" line; returns the bytes it took, 0 if it is not whole. */
static size_t read_line(const char *p, size_t len, char type, size_t *ret)
{
	const char *end = memchr(p, '\n', len);

	if (!end)
		return 0;
	if (*p != type)
		die("the driver sent no RESP command");
	*ret = strtoul(p + 1, NULL, 10);
	return (size_t)(end - p) + 1;
}

/* One command from the client's input: the bytes it took, 0 if it is not whole. */
static size_t read_command(const struct client *c, struct fake_command *ret)
{
	size_t n, at = read_line(c->input, c->len, '*', &n);

	if (at == 0)
		return 0;
	if (n > FAKE_ARGS_MAX)
		die("too many arguments");
	memset(ret, 0, sizeof(*ret));
	for (ret->nargs = 0; ret->nargs < n; ret->nargs++) {
		size_t size, used = at < c->len ? read_line(c->input + at, c->len - at, '$', &size) : 0;

		if (used == 0 || at + used + size + 2 > c->len)
			return 0;
		memcpy(ret->args[ret->nargs], c->input + at + used, size < 63 ? size : 63);
		at += used + size + 2;
	}
	return at;
}

static void model_meta(const struct fake_server *s, struct buf *reply)
{
	buf_printf(reply, "*16\r\n$7\r\nbackend\r\n$2\r\nTF\r\n$6\r\ndevice\r\n$3\r\nCPU\r\n$3\r\ntag\r\n$0\r\n\r\n"
			  "$9\r\nbatchsize\r\n:0\r\n$12\r\nminbatchsize\r\n:0\r\n$6\r\ninputs\r\n");
	buf_printf(reply, "*%u\r\n", s->model_inputs);
	for (unsigned i = 0; i < s->model_inputs; i++)
		buf_printf(reply, "$1\r\n%u\r\n", i);
	buf_printf(reply, "$7\r\noutputs\r\n*1\r\n$3\r\nout\r\n$15\r\nminbatchtimeout\r\n:0\r\n");
}

static void tensor(struct buf *reply)
{
	static const float answer[2] = {0.25F, 0.75F};

	buf_printf(reply, "$8\r\n");
	buf_append(reply, answer, sizeof(answer));
	buf_printf(reply, "\r\n");
}

static void bulk(struct buf *reply, const char *text)
{
	buf_printf(reply, "$%zu\r\n%s\r\n", strlen(text), text);
}

/* Everything but the inferences. */
static bool control(const struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	if (is(c, 0, "PING"))
		buf_printf(reply, "+PONG\r\n");
	else if (is(c, 0, "ASKING"))
		buf_printf(reply, "+OK\r\n");
	else if (is(c, 0, "AI.MODELGET"))
		model_meta(s, reply);
	else if (is(c, 0, "AI.TENSORGET") && is(c, 2, "META"))
		buf_printf(reply, "*4\r\n$5\r\ndtype\r\n$5\r\nFLOAT\r\n$5\r\nshape\r\n*2\r\n:1\r\n:256\r\n");
	else if (is(c, 0, "AI.INFO"))
		buf_printf(reply,
			   "*18\r\n$3\r\nkey\r\n$1\r\nm\r\n$4\r\ntype\r\n$5\r\nMODEL\r\n$7\r\nbackend\r\n$2\r\nTF\r\n"
			   "$6\r\ndevice\r\n$3\r\nCPU\r\n$3\r\ntag\r\n$0\r\n\r\n$8\r\nduration\r\n:900\r\n"
			   "$7\r\nsamples\r\n:7\r\n$5\r\ncalls\r\n:7\r\n$6\r\nerrors\r\n:1\r\n");
	else if (is(c, 0, "INFO") && is(c, 1, "COMMANDSTATS"))
		bulk(reply, "# Commandstats\r\ncmdstat_ai.dagrun:calls=7,usec=70,x=0.1\r\n\r\n");
	else if (is(c, 0, "INFO") && is(c, 1, "MEMORY"))
		bulk(reply, "# Memory\r\nused_memory:1234567\r\n\r\n");
	else if (is(c, 0, "INFO"))
		bulk(reply, "# Modules\r\nmodule:name=ai,ver=1\r\n\r\n# ai_git\r\nai_git_sha:1\r\n\r\n"
			    "# ai_cpu\r\nai_self_used_cpu_sys:0.25\r\n");
	else
		return false;
	return true;
}

/* The right answer to a part of an inference. */
static void answer(struct fake_server *s, const struct fake_command *c, struct buf *reply)
{
	if (is(c, 0, "AI.DAGRUN")) {
		atomic_fetch_add(&s->dagruns, 1);
		buf_printf(reply, "*3\r\n+OK\r\n+OK\r\n");
		tensor(reply);
	} else if (is(c, 0, "AI.TENSORGET")) {
		tensor(reply);
	} else if (is(c, 0, "AI.TENSORSET") || is(c, 0, "AI.MODELRUN") || is(c, 0, "SET")) {
		atomic_fetch_add(is(c, 0, "SET") ? &s->sets : &s->modelruns, is(c, 0, "AI.TENSORSET") ? 0 : 1);
		buf_printf(reply, "+OK\r\n");
	} else {
		buf_printf(reply, "-ERR unknown command '%s', with args beginning with: \r\n", c->args[0]);
	}
}

static enum fake_fault next_fault(struct fake_server *s)
{
	int left = atomic_load(&s->faults_left);

	if (left == 0)
		return FAULT_NONE;
	if (left > 0)
		atomic_fetch_sub(&s->faults_left, 1);
	return (enum fake_fault)atomic_load(&s->fault);
}

/* Appends the reply, or makes the fault. */
static void infer(struct fake_server *s, struct client *client, const struct fake_command *c, struct buf *reply)
{
	static const struct linger at_once = {.l_onoff = 1};
	size_t before = reply->len;

	switch (next_fault(s)) {
	case FAULT_NONE:
		answer(s, c, reply);
		break;
	case FAULT_RESET:
		setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		client->doomed = true;
		break;
	case FAULT_CLOSE:
		client->doomed = true;
		break;
	case FAULT_HALF:
		answer(s, c, reply);
		reply->len = before + (reply->len - before) / 2;
		client->doomed = true;
		break;
	case FAULT_GARBAGE:
		buf_printf(reply, "HTTP/1.1 400 Bad Request\r\n\r\n");
		break;
	case FAULT_SILENCE:
		client->mute = true;
		break;
	case FAULT_ERROR:
		buf_printf(reply, "-ERR the server's own words\r\n");
		break;
	case FAULT_ERROR_IN_DAG:
		buf_printf(reply, "*3\r\n+OK\r\n-ERR the model's own words\r\n+NA\r\n");
		break;
	case FAULT_TIMEDOUT:
		buf_printf(reply, "+TIMEDOUT\r\n");
		break;
	case FAULT_OTHER_REPLY:
		buf_printf(reply, ":42\r\n");
		break;
	case FAULT_TWICE:
		answer(s, c, reply);
		answer(s, c, reply);
		break;
	}
}

static void run_command(struct fake_server *s, struct client *client, const struct fake_command *c, struct buf *reply)
{
	if (client->mute || (s->handler && s->handler(s, c, reply)))
		return;
	if (is(c, 0, "AUTH")) {
		client->authenticated = s->password && is(c, c->nargs - 1, s->password);
		buf_printf(reply, client->authenticated ? "+OK\r\n" : "-WRONGPASS invalid username-password pair\r\n");
	} else if (s->password && !client->authenticated) {
		buf_printf(reply, "-NOAUTH Authentication required.\r\n");
	} else if (!control(s, c, reply)) {
		infer(s, client, c, reply);
	}
}

static void write_pieces(const struct fake_server *s, int fd, const struct buf *reply)
{
	for (size_t at = 0; at < reply->len;) {
		size_t left = reply->len - at;
		ssize_t n = send(fd, reply->data + at, s->piece && s->piece < left ? s->piece : left, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += (size_t)n;
	}
}

/* False: the connection is over. */
static bool serve(struct fake_server *s, struct client *client)
{
	ssize_t n = recv(client->fd, client->input + client->len, INPUT_MAX - client->len, 0);
	struct buf reply = {0};
	struct fake_command c;
	size_t used;

	if (n <= 0)
		return false;
	client->len += (size_t)n;
	while (!client->doomed && client->len > 0 && (used = read_command(client, &c)) > 0) {
		run_command(s, client, &c, &reply);
		client->len -= used;
		memmove(client->input, client->input + used, client->len);
	}
	write_pieces(s, client->fd, &reply);
	buf_release(&reply);
	return !client->doomed;
}

static void take_client(struct state *state)
{
	int one = 1, fd = accept(state->server->listener, NULL, NULL);

	if (fd < 0)
		return;
	if (atomic_load(&state->server->refuse) || state->nclients == CLIENTS_MAX) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	memset(&state->clients[state->nclients], 0, sizeof(state->clients[0]));
	state->clients[state->nclients++].fd = fd;
	atomic_fetch_add(&state->server->connections, 1);
}

static void *run(void *arg)
{
	struct state *state = calloc(1, sizeof(*state));
	struct pollfd fds[CLIENTS_MAX + 2];

	if (!state)
		die("calloc");
	state->server = arg;
	for (;;) {
		fds[0] = (struct pollfd){.fd = state->server->stop_fd, .events = POLLIN};
		fds[1] = (struct pollfd){.fd = state->server->listener, .events = POLLIN};
		for (unsigned i = 0; i < state->nclients; i++)
			fds[i + 2] = (struct pollfd){.fd = state->clients[i].fd, .events = POLLIN};
		if (poll(fds, state->nclients + 2, -1) < 0)
			die("poll");
		if (fds[0].revents)
			break;
		for (unsigned i = state->nclients; i-- > 0;) {
			if (!fds[i + 2].revents || serve(state->server, &state->clients[i]))
				continue;
			close(state->clients[i].fd);
			state->clients[i] = state->clients[--state->nclients];
		}
		if (fds[1].revents)
			take_client(state);
	}
	for (unsigned i = 0; i < state->nclients; i++)
		close(state->clients[i].fd);
	free(state);
	return NULL;
}

void fake_server_start(struct fake_server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);

	s->listener = socket(AF_INET, SOCK_STREAM, 0);
	s->stop_fd = eventfd(0, 0);
	if (bind(s->listener, (struct sockaddr *)&a, len) < 0 || listen(s->listener, CLIENTS_MAX) < 0 ||
	    getsockname(s->listener, (struct sockaddr *)&a, &len) < 0)
		die("the fake server cannot listen");
	s->port = ntohs(a.sin_port);
	snprintf(s->port_text, sizeof(s->port_text), "%u", s->port);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		die("pthread_create");
}

void fake_server_stop(struct fake_server *s)
{
	if (eventfd_write(s->stop_fd, 1) == 0)
		pthread_join(s->thread, NULL);
	close(s->listener);
	close(s->stop_fd);
}
