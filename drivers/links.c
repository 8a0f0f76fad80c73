/*
 * links.c - connections under one epoll and the time-outs of slots; see the header.
 */
#include "drivers/links.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "drivers/wait.h"

#define READ_SIZE ((size_t)64 << 10)
#define NOBODY UINT32_MAX
#define INTERRUPT_SLICE (100 * NSEC_PER_MSEC) /* the longest sleep in links_connect */

/* ---- slots under way, oldest first: all time-outs are equally long, so their deadlines are in order ---- */

void links_begin(struct links *ls, unsigned slot, nsec_t sent)
{
	struct links_slot *s = &ls->slots[slot];

	s->deadline = sent + ls->config.conn->timeout;
	s->before = ls->newest;
	s->after = NOBODY;
	if (ls->newest != NOBODY)
		ls->slots[ls->newest].after = slot;
	else
		ls->oldest = slot;
	ls->newest = slot;
}

static void list_remove(struct links *ls, unsigned slot)
{
	struct links_slot *s = &ls->slots[slot];

	if (s->before != NOBODY)
		ls->slots[s->before].after = s->after;
	else
		ls->oldest = s->after;
	if (s->after != NOBODY)
		ls->slots[s->after].before = s->before;
	else
		ls->newest = s->before;
}

void links_finish(struct links *ls, unsigned slot, int code)
{
	unsigned place = ls->first_finished + ls->nfinished;

	if (place >= ls->config.slots)
		place -= ls->config.slots;
	ls->finished[place] = (struct links_finished){.slot = slot, .code = code, .received = clock_now()};
	ls->nfinished++;
	list_remove(ls, slot);
}

bool links_take(struct links *ls, struct links_finished *ret)
{
	if (ls->nfinished == 0)
		return false;
	*ret = ls->finished[ls->first_finished];
	if (++ls->first_finished == ls->config.slots)
		ls->first_finished = 0;
	ls->nfinished--;
	return true;
}

/* ---- connections ---- */

static void set_when(struct links *ls, struct link *l, nsec_t when)
{
	l->when = when;
	if (when < ls->next_when)
		ls->next_when = when;
}

void links_lose(struct links *ls, struct link *l, int code, const struct error *err)
{
	conn_close(l->conn);
	l->unwritten = false;
	if (l->state == LINK_READY) {
		l->lost = true;
		ls->nunready++;
	}
	l->before = l->state;
	l->state = LINK_CLOSED;
	set_when(ls, l, clock_now() + backoff_next(&l->backoff));
	if (ls->connecting && !ls->connect_code) {
		ls->woken = true;
		ls->connect_code = code;
		ls->connect_error = *err;
	}
	ls->ops->lost(ls, l, code, err);
}

void links_reject(struct links *ls, struct link *l, int code, const char *text)
{
	struct error err;

	error_set(&err, (enum error_code)code, "%s: %s", endpoint_name(l->endpoint), text);
	links_lose(ls, l, code, &err);
}

void links_retire(struct links *ls, struct link *l)
{
	conn_close(l->conn);
	l->unwritten = false;
	if (l->state == LINK_READY)
		l->lost = true;
	else
		ls->nunready--;
	l->state = LINK_IDLE;
}

int links_write(struct links *ls, struct link *l, struct iovec **iov, int *iovcnt)
{
	struct error err;

	l->unwritten = true;
	while (*iovcnt > 0) {
		ssize_t n = conn_writev(l->conn, *iov, *iovcnt, &err);

		if (n == ERR_AGAIN)
			return 0;
		if (n < 0) {
			links_lose(ls, l, (int)n, &err);
			return (int)n;
		}
		for (; *iovcnt > 0 && (size_t)n >= (*iov)->iov_len; ++*iov, --*iovcnt)
			n -= (ssize_t)(*iov)->iov_len;
		if (*iovcnt > 0 && n > 0) {
			(*iov)->iov_base = (char *)(*iov)->iov_base + n;
			(*iov)->iov_len -= (size_t)n;
			/* A plain socket that stops within a view is full: its next edge tells of room. */
			if (!ls->config.tls)
				return 0;
		}
	}
	l->unwritten = false;
	return 1;
}

void links_ready(struct links *ls, struct link *l)
{
	l->state = LINK_READY;
	ls->nunready--;
	ls->woken = true;
	ls->reconnects += l->lost;
	l->lost = false;
	backoff_reset(&l->backoff);
	ls->ops->writable(ls, l);
}

/* Goes on with what conn_start or conn_connect returned. */
static void connect_step(struct links *ls, struct link *l, int r, struct error *err)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = l};

	if (r < 0 && r != ERR_AGAIN) {
		links_lose(ls, l, r, err);
		return;
	}
	/* Each address that is tried has another socket; the one before left epoll when it was closed. */
	if (epoll_ctl(ls->epoll, EPOLL_CTL_ADD, conn_fd(l->conn), &ev) < 0 && errno != EEXIST) {
		links_lose(ls, l, error_set_errno(err, ERR_NOMEM, errno, "cannot watch a connection"), err);
	} else if (r == 0) {
		l->state = LINK_GREETING;
		ls->ops->opened(ls, l);
	}
}

static void dial(struct links *ls, struct link *l)
{
	struct error err;

	l->state = LINK_CONNECTING;
	set_when(ls, l, clock_now() + ls->config.conn->timeout);
	connect_step(ls, l, conn_start(l->conn, &err), &err);
}

void links_dial(struct links *ls, struct link *l)
{
	if (l->state != LINK_IDLE)
		return;
	ls->nunready++;
	dial(ls, l);
}

static bool is_open(const struct link *l)
{
	return l->state == LINK_READY || l->state == LINK_GREETING;
}

static void read_link(struct links *ls, struct link *l, bool to_the_end)
{
	while (is_open(l)) {
		size_t size = READ_SIZE;
		char *to = ls->ops->room ? ls->ops->room(ls, l, &size) : NULL;
		struct error err;
		ssize_t n;

		if (!to) {
			to = ls->buffer;
			size = READ_SIZE;
		}
		n = conn_read(l->conn, to, size, &err);
		if (n == ERR_AGAIN)
			return;
		if (n < 0) {
			links_lose(ls, l, (int)n, &err);
			return;
		}
		ls->ops->received(ls, l, to, (size_t)n);
		/* A short read has drained a plain socket; TLS returns record by record. */
		if ((size_t)n < size && !to_the_end && !ls->config.tls)
			return;
	}
}

static void handle(struct links *ls, struct link *l, uint32_t events)
{
	if (l->state == LINK_CONNECTING) {
		struct error err;

		connect_step(ls, l, conn_connect(l->conn, &err), &err);
		return;
	}
	if (l->unwritten && is_open(l))
		ls->ops->writable(ls, l);
	if (events & ~(uint32_t)EPOLLOUT)
		read_link(ls, l, (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) || ls->config.tls);
}

/* ---- time ---- */

int links_timed_out(const struct links *ls, const struct link *l, const char *what, struct error *err)
{
	char limit[32];

	return error_set(err, ERR_TIMEOUT, "%s: timed out: %s within %s", endpoint_name(l->endpoint), what,
			 duration_format(limit, sizeof(limit), ls->config.conn->timeout));
}

static void give_up(struct links *ls, struct link *l, const char *what)
{
	struct error err;

	links_timed_out(ls, l, what, &err);
	links_lose(ls, l, ERR_TIMEOUT, &err);
}

/* An address that did not answer may have others behind it, each with a time-out of its own. */
static void try_next_address(struct links *ls, struct link *l, nsec_t now)
{
	struct error err;
	int r = conn_next_address(l->conn, &err);

	if (r < 0 && r != ERR_AGAIN) {
		give_up(ls, l, "no connection");
		return;
	}
	set_when(ls, l, now + ls->config.conn->timeout);
	connect_step(ls, l, r, &err);
}

static void look_after_links(struct links *ls, nsec_t now)
{
	ls->next_when = NSEC_NEVER;
	for (struct link *l = ls->first; l; l = l->next) {
		if (l->state == LINK_IDLE || l->state == LINK_READY)
			continue;
		if (l->when > now)
			set_when(ls, l, l->when);
		else if (l->state == LINK_CLOSED)
			dial(ls, l);
		else if (l->state == LINK_CONNECTING)
			try_next_address(ls, l, now);
		else
			give_up(ls, l, ls->ops->greeting);
	}
}

static void run_timers(struct links *ls, nsec_t now)
{
	while (ls->oldest != NOBODY && ls->slots[ls->oldest].deadline <= now)
		ls->ops->expired(ls, ls->oldest);
	if (ls->nunready > 0 && ls->next_when <= now)
		look_after_links(ls, now);
}

nsec_t links_next_deadline(const struct links *ls)
{
	nsec_t until = NSEC_NEVER;

	if (ls->nfinished > 0 || ls->woken)
		return 0;
	if (ls->oldest != NOBODY)
		until = ls->slots[ls->oldest].deadline;
	if (ls->nunready > 0 && ls->next_when < until)
		until = ls->next_when;
	return until;
}

int links_wait(struct links *ls, nsec_t deadline, struct error *err)
{
	while (ls->nfinished == 0) {
		nsec_t now = clock_now(), own;
		int n;

		run_timers(ls, now);
		if (ls->nfinished > 0 || ls->woken)
			break;
		own = links_next_deadline(ls);
		n = wait_for_events(ls->epoll, ls->events, LINKS_EVENTS_MAX, now, own < deadline ? own : deadline);
		if (n < 0 && errno != EINTR)
			return error_set_errno(err, ERR_IO, errno, "cannot wait for the server's answers");
		for (int i = 0; i < n; i++)
			handle(ls, ls->events[i].data.ptr, ls->events[i].events);
		if (n < 0 || ls->woken || (n == 0 && clock_now() >= deadline))
			break;
	}
	ls->woken = false;
	return 0;
}

int links_connect(struct links *ls, struct error *err)
{
	const atomic_int *interrupt = ls->config.conn->interrupt;
	int r = 0;

	while (r == 0 && ls->nunready > 0 && ls->connect_code == 0) {
		if (interrupt && atomic_load(interrupt))
			return error_set(err, ERR_CANCELED, "interrupted while connecting to the server");
		r = links_wait(ls, interrupt ? clock_now() + INTERRUPT_SLICE : NSEC_NEVER, err);
	}
	ls->connecting = false;
	if (ls->connect_code) {
		if (err)
			*err = ls->connect_error;
		return ls->connect_code;
	}
	return r;
}

/* ---- the beginning and the end ---- */

int links_add(struct links *ls, struct link *l, const struct endpoint *e, uint64_t number)
{
	int r = conn_new(&l->conn, e, ls->config.tls);

	if (r < 0)
		return r;
	l->endpoint = e;
	l->next = ls->first;
	ls->first = l;
	backoff_init(&l->backoff, ls->config.seed + number);
	return 0;
}

int links_init(struct links *ls, const struct links_ops *ops, const struct links_config *cfg)
{
	size_t n = cfg->slots ? cfg->slots : 1;

	ls->ops = ops;
	ls->config = *cfg;
	ls->oldest = ls->newest = NOBODY;
	ls->next_when = NSEC_NEVER;
	ls->connecting = true;
	ls->slots = calloc(n, sizeof(*ls->slots));
	ls->finished = calloc(n, sizeof(*ls->finished));
	ls->buffer = malloc(READ_SIZE);
	ls->epoll = epoll_create1(EPOLL_CLOEXEC);
	return ls->slots && ls->finished && ls->buffer && ls->epoll >= 0 ? 0 : ERR_NOMEM;
}

void links_release(struct links *ls)
{
	if (!ls->ops)
		return;
	for (struct link *l = ls->first; l; l = l->next)
		conn_free(l->conn);
	if (ls->epoll >= 0)
		close(ls->epoll);
	free(ls->slots);
	free(ls->finished);
	free(ls->buffer);
}
