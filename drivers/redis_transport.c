/*
 * redis_transport.c - exchanges of slots with Redis servers under one epoll; see the header.
 *
 * A link is one slot's connection to one server. It is registered with epoll once, edge-triggered for both directions,
 * so a request costs a sendmsg, a read and its share of an epoll_wait: a read that returns less than it had room for
 * has drained the socket, and the next edge tells of more.
 *
 *	IDLE ─dial─▶ CONNECTING ──▶ AUTH ──▶ READY ─lost─▶ CLOSED ─delay─▶ CONNECTING …
 */
#include "drivers/redis_transport.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/arith.h"

#define EVENTS_MAX 256
#define READ_SIZE ((size_t)64 << 10)
#define NOBODY UINT32_MAX
#define INTERRUPT_SLICE (100 * NSEC_PER_MSEC) /* the longest sleep in redis_transport_connect */

enum link_state { LINK_IDLE, LINK_CONNECTING, LINK_AUTH, LINK_READY, LINK_CLOSED };

struct link {
	const struct endpoint *endpoint; /* of its server, borrowed */
	struct conn *conn;
	struct resp_reader *reader;
	enum link_state state;
	bool busy; /* the slot's exchange goes over this link */
	bool lost; /* was ready before: coming back counts as a reconnect */
	unsigned slot;
	nsec_t when; /* CLOSED: dial again; CONNECTING, AUTH: give up */
	struct backoff backoff;
};

struct server {
	const struct endpoint *endpoint;
	struct link *links; /* one a slot */
};

struct slot {
	struct link *link; /* of the exchange under way; NULL: none */
	struct iovec *iov; /* what is left to write */
	int iovcnt;
	unsigned nreplies, got;
	int code; /* of the first reply that was no good */
	nsec_t deadline;
	uint32_t before, after; /* the slots under way, in the order of their deadlines */
	struct error error;
};

struct finished {
	uint32_t slot;
	int code;
	nsec_t received;
};

struct redis_transport {
	struct redis_transport_config config;
	int epoll;
	struct server *servers;
	unsigned nservers;
	struct slot *slots;
	uint32_t oldest, newest;   /* ends of the list of slots under way */
	struct finished *finished; /* a ring of `slots` places */
	unsigned first_finished, nfinished;
	unsigned nunready; /* links with a `when` to look after */
	nsec_t next_when;  /* the earliest of them, or earlier */
	bool woken;        /* poll is to return: a link is ready, or was not to be opened */
	bool connecting;   /* redis_transport_connect waits: the first failure counts */
	int connect_code;
	struct error connect_error;
	uint64_t reconnects;
	struct buf auth; /* the AUTH command; empty: none */
	char *buffer;    /* READ_SIZE */
	struct epoll_event events[EVENTS_MAX];
};

/* ---- slots under way, oldest first: all time-outs are equally long, so their deadlines are in order ---- */

static void list_append(struct redis_transport *t, uint32_t i)
{
	struct slot *s = &t->slots[i];

	s->before = t->newest;
	s->after = NOBODY;
	if (t->newest != NOBODY)
		t->slots[t->newest].after = i;
	else
		t->oldest = i;
	t->newest = i;
}

static void list_remove(struct redis_transport *t, uint32_t i)
{
	struct slot *s = &t->slots[i];

	if (s->before != NOBODY)
		t->slots[s->before].after = s->after;
	else
		t->oldest = s->after;
	if (s->after != NOBODY)
		t->slots[s->after].before = s->before;
	else
		t->newest = s->before;
}

/* The exchange of link's slot is over; its text, if any, is in the slot's error. */
static void finish(struct redis_transport *t, struct link *l, int code)
{
	unsigned place = t->first_finished + t->nfinished;

	if (place >= t->config.slots)
		place -= t->config.slots;
	t->finished[place] = (struct finished){.slot = l->slot, .code = code, .received = clock_now()};
	t->nfinished++;
	list_remove(t, l->slot);
	t->slots[l->slot].link = NULL;
	l->busy = false;
}

/* ---- connections ---- */

static void set_when(struct redis_transport *t, struct link *l, nsec_t when)
{
	l->when = when;
	if (when < t->next_when)
		t->next_when = when;
}

/* Ends the connection with the text in err, and with it the exchange; the link is dialled again later. */
static void lose(struct redis_transport *t, struct link *l, int code, const struct error *err)
{
	conn_close(l->conn);
	if (l->state == LINK_READY) {
		l->lost = true;
		t->nunready++;
	}
	l->state = LINK_CLOSED;
	set_when(t, l, clock_now() + backoff_next(&l->backoff));
	if (t->connecting && !t->connect_code) {
		t->woken = true;
		t->connect_code = code;
		t->connect_error = *err;
	}
	if (l->busy) {
		struct slot *s = &t->slots[l->slot];

		/* What the server said before tells more than that it said no more. */
		if (s->code == 0)
			s->error = *err;
		finish(t, l, s->code && code != ERR_TIMEOUT ? s->code : code);
	}
}

/* As lose, for what the connection itself did not find. */
static void reject(struct redis_transport *t, struct link *l, int code, const char *text)
{
	struct error err;

	error_set(&err, (enum error_code)code, "%s: %s", endpoint_name(l->endpoint), text);
	lose(t, l, code, &err);
}

static void write_rest(struct redis_transport *t, struct link *l)
{
	struct slot *s = &t->slots[l->slot];
	struct error err;

	while (s->iovcnt > 0) {
		ssize_t n = conn_writev(l->conn, s->iov, s->iovcnt, &err);

		if (n == ERR_AGAIN)
			return;
		if (n < 0) {
			lose(t, l, (int)n, &err);
			return;
		}
		for (; s->iovcnt > 0 && (size_t)n >= s->iov->iov_len; s->iov++, s->iovcnt--)
			n -= (ssize_t)s->iov->iov_len;
		if (s->iovcnt > 0 && n > 0) {
			s->iov->iov_base = (char *)s->iov->iov_base + n;
			s->iov->iov_len -= (size_t)n;
			/* A plain socket that stops within a view is full: its next edge tells of room. */
			if (!t->config.tls)
				return;
		}
	}
}

static void become_ready(struct redis_transport *t, struct link *l)
{
	l->state = LINK_READY;
	t->nunready--;
	t->woken = true;
	t->reconnects += l->lost;
	l->lost = false;
	backoff_reset(&l->backoff);
	if (l->busy)
		write_rest(t, l);
}

static void opened(struct redis_transport *t, struct link *l)
{
	struct iovec iov = {.iov_base = t->auth.data, .iov_len = t->auth.len};
	struct error err;
	ssize_t n;

	if (t->auth.len == 0) {
		become_ready(t, l);
		return;
	}
	l->state = LINK_AUTH;
	n = conn_writev(l->conn, &iov, 1, &err);
	if (n == (ssize_t)t->auth.len)
		return;
	if (n >= 0 || n == ERR_AGAIN)
		reject(t, l, ERR_IO, "the new connection does not take the AUTH command");
	else
		lose(t, l, (int)n, &err);
}

/* Goes on with what conn_start or conn_connect returned. */
static void connect_step(struct redis_transport *t, struct link *l, int r, struct error *err)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = l};

	if (r < 0 && r != ERR_AGAIN) {
		lose(t, l, r, err);
		return;
	}
	/* Each address that is tried has another socket; the one before left epoll when it was closed. */
	if (epoll_ctl(t->epoll, EPOLL_CTL_ADD, conn_fd(l->conn), &ev) < 0 && errno != EEXIST)
		lose(t, l, error_set_errno(err, ERR_NOMEM, errno, "cannot watch a connection"), err);
	else if (r == 0)
		opened(t, l);
}

static void dial(struct redis_transport *t, struct link *l)
{
	struct error err;

	resp_reader_reset(l->reader);
	l->state = LINK_CONNECTING;
	set_when(t, l, clock_now() + t->config.conn->timeout);
	connect_step(t, l, conn_start(l->conn, &err), &err);
}

/* ---- replies ---- */

static void take_auth_reply(struct redis_transport *t, struct link *l)
{
	const struct resp_node *nodes;
	struct error err;
	size_t n;
	int r = resp_reader_next(l->reader, &nodes, &n, &err);

	if (r == 0)
		return;
	if (r > 0 && nodes[0].type == RESP_STATUS) {
		become_ready(t, l);
		return;
	}
	if (r > 0)
		r = error_set(&err, ERR_SERVER, "AUTH was refused, check -user and -password: %.*s",
			      nodes[0].type == RESP_ERROR ? (int)nodes[0].len : 0, nodes[0].data ? nodes[0].data : "");
	reject(t, l, r, err.text);
}

/* Reads replies until the exchange has all of its own. */
static void take_replies(struct redis_transport *t, struct link *l)
{
	struct slot *s = &t->slots[l->slot];
	const struct resp_node *nodes;
	bool fits = true;
	struct error err;
	size_t n;

	while (fits && s->got < s->nreplies) {
		int r = resp_reader_next(l->reader, &nodes, &n, &err);

		if (r == 0)
			return;
		if (r < 0) {
			reject(t, l, r, err.text);
			return;
		}
		r = t->config.reply(t->config.arg, l->slot, s->got++, nodes, n, s->code ? NULL : &s->error);
		if (s->code == 0)
			s->code = r;
		fits = r != ERR_PROTOCOL;
	}
	finish(t, l, s->code);
	/* After a reply that does not fit, or to half a command, what comes next is anybody's guess. */
	if (!fits || s->iovcnt > 0)
		reject(t, l, ERR_PROTOCOL, "the server's replies do not fit the commands");
}

/* False: the link was lost. */
static bool take_bytes(struct redis_transport *t, struct link *l, size_t len)
{
	int r = resp_reader_feed(l->reader, t->buffer, len);

	if (r < 0)
		reject(t, l, r, error_message(r));
	else if (l->state == LINK_AUTH)
		take_auth_reply(t, l);
	else if (l->busy)
		take_replies(t, l);
	else
		reject(t, l, ERR_PROTOCOL, "the server sent a reply to no command");
	return l->state == LINK_READY || l->state == LINK_AUTH;
}

static void read_link(struct redis_transport *t, struct link *l, bool to_the_end)
{
	for (;;) {
		struct error err;
		ssize_t n = conn_read(l->conn, t->buffer, READ_SIZE, &err);

		if (n == ERR_AGAIN)
			return;
		if (n < 0) {
			lose(t, l, (int)n, &err);
			return;
		}
		if (!take_bytes(t, l, (size_t)n))
			return;
		/* A short read has drained a plain socket; TLS returns record by record. */
		if ((size_t)n < READ_SIZE && !to_the_end && !t->config.tls)
			return;
	}
}

static void handle(struct redis_transport *t, struct link *l, uint32_t events)
{
	if (l->state == LINK_CONNECTING) {
		struct error err;

		connect_step(t, l, conn_connect(l->conn, &err), &err);
		return;
	}
	if (l->state == LINK_READY && l->busy && t->slots[l->slot].iovcnt > 0)
		write_rest(t, l);
	if ((l->state == LINK_READY || l->state == LINK_AUTH) && (events & ~(uint32_t)EPOLLOUT))
		read_link(t, l, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) || t->config.tls);
}

/* ---- time ---- */

static void give_up(struct redis_transport *t, struct link *l, const char *what)
{
	char text[96], limit[32];

	snprintf(text, sizeof(text), "timed out: %s within %s", what,
		 duration_format(limit, sizeof(limit), t->config.conn->timeout));
	reject(t, l, ERR_TIMEOUT, text);
}

/* An address that did not answer may have others behind it, each with a time-out of its own. */
static void try_next_address(struct redis_transport *t, struct link *l, nsec_t now)
{
	struct error err;
	int r = conn_next_address(l->conn, &err);

	if (r < 0 && r != ERR_AGAIN) {
		give_up(t, l, "no connection");
		return;
	}
	set_when(t, l, now + t->config.conn->timeout);
	connect_step(t, l, r, &err);
}

static void look_after_links(struct redis_transport *t, nsec_t now)
{
	t->next_when = NSEC_NEVER;
	for (unsigned i = 0; i < t->nservers; i++) {
		for (unsigned j = 0; j < t->config.slots; j++) {
			struct link *l = &t->servers[i].links[j];

			if (l->state == LINK_IDLE || l->state == LINK_READY)
				continue;
			if (l->when > now)
				set_when(t, l, l->when);
			else if (l->state == LINK_CLOSED)
				dial(t, l);
			else if (l->state == LINK_CONNECTING)
				try_next_address(t, l, now);
			else
				give_up(t, l, "no answer to AUTH");
		}
	}
}

static void run_timers(struct redis_transport *t, nsec_t now)
{
	while (t->oldest != NOBODY && t->slots[t->oldest].deadline <= now)
		give_up(t, t->slots[t->oldest].link, "no answer");
	if (t->nunready > 0 && t->next_when <= now)
		look_after_links(t, now);
}

static int wait_for_events(struct redis_transport *t, nsec_t now, nsec_t until)
{
	struct timespec ts = {0};

	if (t->oldest != NOBODY && t->slots[t->oldest].deadline < until)
		until = t->slots[t->oldest].deadline;
	if (t->nunready > 0 && t->next_when < until)
		until = t->next_when;
	if (until > now)
		ts = (struct timespec){.tv_sec = (until - now) / NSEC_PER_SEC, .tv_nsec = (until - now) % NSEC_PER_SEC};
	return epoll_pwait2(t->epoll, t->events, EVENTS_MAX, until == NSEC_NEVER ? NULL : &ts, NULL);
}

static int hand_out(struct redis_transport *t, struct redis_finished *done, int max)
{
	int n = 0;

	for (; n < max && t->nfinished > 0; n++) {
		const struct finished *f = &t->finished[t->first_finished];

		done[n] = (struct redis_finished){.slot = f->slot,
						  .code = f->code,
						  .text = f->code ? t->slots[f->slot].error.text : NULL,
						  .received = f->received};
		if (++t->first_finished == t->config.slots)
			t->first_finished = 0;
		t->nfinished--;
	}
	return n;
}

int redis_transport_poll(struct redis_transport *t, nsec_t deadline, struct redis_finished *done, int max,
			 struct error *err)
{
	while (t->nfinished == 0) {
		nsec_t now = clock_now();
		int n;

		run_timers(t, now);
		if (t->nfinished > 0 || t->woken)
			break;
		n = wait_for_events(t, now, deadline);
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, ERR_IO, errno, "cannot wait for the server's answers");
		for (int i = 0; i < n; i++)
			handle(t, t->events[i].data.ptr, t->events[i].events);
		if (n < 0 || t->woken || (n == 0 && clock_now() >= deadline))
			break;
	}
	t->woken = false;
	return hand_out(t, done, max);
}

/* ---- the rest of the interface ---- */

int redis_transport_send(struct redis_transport *t, const struct redis_exchange *x)
{
	struct link *l = &t->servers[x->server].links[x->slot];
	struct slot *s = &t->slots[x->slot];
	const struct resp_node *nodes;
	struct error err;
	size_t n;
	int r;

	if (l->state != LINK_READY && !x->wait_for_connection)
		return ERR_AGAIN;
	if (l->state == LINK_IDLE && (r = redis_transport_dial(t, x->slot, x->server)) < 0)
		return r;
	/* The last answer's views end here. What else came with it was not asked for. */
	if (l->state == LINK_READY && resp_reader_next(l->reader, &nodes, &n, &err) != 0) {
		reject(t, l, ERR_PROTOCOL, "the server sent more replies than commands");
		return ERR_AGAIN;
	}
	s->link = l;
	s->iov = x->iov;
	s->iovcnt = x->iovcnt;
	s->nreplies = x->nreplies;
	s->got = 0;
	s->code = 0;
	s->deadline = x->sent + t->config.conn->timeout;
	list_append(t, x->slot);
	l->busy = true;
	if (l->state == LINK_READY)
		write_rest(t, l);
	return 0;
}

int redis_transport_dial(struct redis_transport *t, unsigned slot, unsigned server)
{
	struct link *l = &t->servers[server].links[slot];
	int r;

	if (l->state != LINK_IDLE)
		return 0;
	if (!l->conn && (r = conn_new(&l->conn, t->servers[server].endpoint, t->config.tls)) < 0)
		return r;
	if (!l->reader && (r = resp_reader_new(&l->reader)) < 0)
		return r;
	l->slot = slot;
	l->endpoint = t->servers[server].endpoint;
	backoff_init(&l->backoff, t->config.seed + (uint64_t)server * t->config.slots + slot);
	t->nunready++;
	dial(t, l);
	return 0;
}

int redis_transport_connect(struct redis_transport *t, struct error *err)
{
	const atomic_int *interrupt = t->config.conn->interrupt;
	struct redis_finished none;
	int r = 0;

	while (r == 0 && t->nunready > 0 && t->connect_code == 0) {
		if (interrupt && atomic_load(interrupt))
			return error_set(err, ERR_CANCELED, "interrupted while connecting to the server");
		r = redis_transport_poll(t, interrupt ? clock_now() + INTERRUPT_SLICE : NSEC_NEVER, &none, 1, err);
	}
	t->connecting = false;
	if (t->connect_code) {
		if (err)
			*err = t->connect_error;
		return t->connect_code;
	}
	return r < 0 ? r : 0;
}

int redis_transport_add(struct redis_transport *t, const struct endpoint *e)
{
	struct link *links = calloc(t->config.slots ? t->config.slots : 1, sizeof(*links));
	struct server *servers = realloc(t->servers, (t->nservers + 1) * sizeof(*servers));

	if (servers)
		t->servers = servers;
	if (!links || !servers) {
		free(links);
		return ERR_NOMEM;
	}
	t->servers[t->nservers] = (struct server){.endpoint = e, .links = links};
	return (int)t->nservers++;
}

static int make_auth(struct buf *auth, const struct conn_options *o)
{
	const char *args[3] = {"AUTH", o->user, o->password};

	if (!o->password)
		return 0;
	if (o->user && *o->user)
		return resp_append_command(auth, 3, args, NULL);
	args[1] = o->password;
	return resp_append_command(auth, 2, args, NULL);
}

int redis_transport_new(struct redis_transport **ret, const struct redis_transport_config *cfg, struct error *err)
{
	struct redis_transport *t = calloc(1, sizeof(*t));
	size_t n = cfg->slots ? cfg->slots : 1;

	if (!t)
		return error_set(err, ERR_NOMEM, "out of memory");
	t->config = *cfg;
	t->oldest = t->newest = NOBODY;
	t->next_when = NSEC_NEVER;
	t->connecting = true;
	t->slots = calloc(n, sizeof(*t->slots));
	t->finished = calloc(n, sizeof(*t->finished));
	t->buffer = malloc(READ_SIZE);
	t->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!t->slots || !t->finished || !t->buffer || t->epoll < 0 || make_auth(&t->auth, cfg->conn) < 0) {
		redis_transport_free(t);
		return error_set(err, ERR_NOMEM, "out of memory or of file descriptors for %zu connections", n);
	}
	*ret = t;
	return 0;
}

void redis_transport_free(struct redis_transport *t)
{
	if (!t)
		return;
	for (unsigned i = 0; i < t->nservers; i++) {
		for (unsigned j = 0; j < t->config.slots; j++) {
			conn_free(t->servers[i].links[j].conn);
			resp_reader_free(t->servers[i].links[j].reader);
		}
		free(t->servers[i].links);
	}
	if (t->epoll >= 0)
		close(t->epoll);
	buf_release(&t->auth);
	free(t->servers);
	free(t->slots);
	free(t->finished);
	free(t->buffer);
	free(t);
}

uint64_t redis_transport_reconnects(const struct redis_transport *t)
{
	return t->reconnects;
}
