/*
 * call_http_lean.c - HTTP/1.1 calls over connections of our own: a slot has one, a call is a sendmsg and a read.
 *
 * A reply that ends its connection (Connection: close), or a server that closes an idle one, retires the link: the
 * slot's next call dials, and that is part of its time. A connection that breaks under a call is an error.
 */
#include <stdlib.h>
#include <string.h>

#include "drivers/call_internal.h"
#include "drivers/links.h"
#include "net/http1.h"

struct http_link {
	struct link base;
	struct http1_parser *parser;
	char *head;
	bool busy, whole; /* whole: the parser holds the slot's reply */
	unsigned slot;
	struct iovec *views; /* room for a call's, with the head before them */
	struct iovec *iov;   /* what is left to write */
	int iovcnt;
	struct error error;
};

struct http_lean {
	struct call_transport base;
	struct links links;
	struct call_config config;
	struct http_link *slots;
	size_t head_len; /* without the length */
};

static struct http_lean *of_links(struct links *ls)
{
	return (struct http_lean *)((char *)ls - offsetof(struct http_lean, links));
}

static void finish(struct http_lean *t, struct http_link *l, int code)
{
	l->busy = false;
	links_finish(&t->links, l->slot, code);
}

/* The parser has the whole reply; false: the connection ends with it. */
static bool take_reply(struct http_lean *t, struct http_link *l)
{
	const struct http1_reply *r = http1_parser_reply(l->parser);

	l->whole = true;
	finish(t, l, call_judge_http(l->base.endpoint, r->status, r->reason, r->body, r->size, &l->error));
	/* A reply to half a request leaves the other half on the way. */
	return r->keep_alive && l->iovcnt == 0;
}

static void link_opened(struct links *ls, struct link *link)
{
	links_ready(ls, link);
}

static void link_writable(struct links *ls, struct link *link)
{
	struct http_link *l = (struct http_link *)link;

	if (l->busy)
		links_write(ls, link, &l->iov, &l->iovcnt);
}

static char *link_room(struct links *ls, struct link *link, size_t *ret_size)
{
	struct http_link *l = (struct http_link *)link;

	(void)ls;
	return l->busy ? http1_parser_room(l->parser, ret_size) : NULL;
}

static void link_received(struct links *ls, struct link *link, const char *bytes, size_t len)
{
	struct http_link *l = (struct http_link *)link;
	struct error err;
	size_t used = 0;
	int r;

	if (!l->busy) {
		links_reject(ls, link, ERR_PROTOCOL, "the server sent a reply to no request");
		return;
	}
	r = http1_parser_feed(l->parser, bytes, len, &used, &err);
	if (r < 0)
		links_reject(ls, link, r, err.text);
	else if (r == 1 && !take_reply(of_links(ls), l))
		links_retire(ls, link);
	else if (r == 1 && used < len)
		links_reject(ls, link, ERR_PROTOCOL, "the server sent more than one reply");
}

static void link_lost(struct links *ls, struct link *link, int code, const struct error *err)
{
	struct http_lean *t = of_links(ls);
	struct http_link *l = (struct http_link *)link;
	bool ended = code == ERR_CLOSED && link->before == LINK_READY;
	struct error end;

	if (!l->busy) {
		/* A server may end a connection that it has served: the next call makes another. */
		if (ended)
			links_retire(ls, link);
		return;
	}
	if (ended && http1_parser_end(l->parser, &end) == 1) {
		take_reply(t, l);
		links_retire(ls, link);
		return;
	}
	if (ended)
		error_set(&l->error, ERR_CLOSED, "%s: %s", endpoint_name(link->endpoint), end.text);
	else
		l->error = *err;
	finish(t, l, code);
}

static void slot_expired(struct links *ls, unsigned slot)
{
	struct link *link = &of_links(ls)->slots[slot].base;
	struct error err;

	links_timed_out(ls, link, "no answer", &err);
	links_lose(ls, link, ERR_TIMEOUT, &err);
}

static const struct links_ops link_ops = {
	.opened = link_opened,
	.writable = link_writable,
	.room = link_room,
	.received = link_received,
	.lost = link_lost,
	.expired = slot_expired,
	.greeting = "no connection",
};

/* ---- the interface ---- */

static void http_close(struct call_transport *transport)
{
	struct http_lean *t = (struct http_lean *)transport;

	if (!t)
		return;
	links_release(&t->links);
	for (unsigned i = 0; t->slots && i < t->config.slots; i++) {
		http1_parser_free(t->slots[i].parser);
		free(t->slots[i].head);
		free(t->slots[i].views);
	}
	free(t->slots);
	free(t);
}

static int open_slot(struct http_lean *t, unsigned slot, struct error *err)
{
	const struct endpoint *e = call_server(&t->config, slot);
	struct http_link *l = &t->slots[slot];
	const struct http1_request q = {
		.method = "POST",
		.host = endpoint_port(e) ? endpoint_name(e) : endpoint_host(e),
		.path = t->config.path,
		.content_type = t->config.content_type,
		.headers = t->config.headers,
		.nheaders = t->config.nheaders,
	};
	struct buf head = {0};
	int r = http1_head_make(&head, &q, err);

	if (r == 0)
		r = buf_reserve(&head, HTTP1_HEAD_ROOM);
	if (r == 0)
		r = http1_parser_new(&l->parser, t->config.wanted_header, call_body_max(&t->config));
	l->views = calloc((size_t)t->config.views + 1, sizeof(*l->views));
	if (r == 0)
		r = l->views ? links_add(&t->links, &l->base, e, slot) : ERR_NOMEM;
	l->slot = slot;
	l->head = head.data;
	t->head_len = head.len;
	return r == ERR_NOMEM ? error_set(err, ERR_NOMEM, "out of memory") : r;
}

static int http_open(struct call_transport **ret, const struct call_config *cfg, struct error *err)
{
	const struct links_config links = {.slots = cfg->slots, .conn = cfg->conn, .tls = cfg->tls, .seed = cfg->seed};
	struct http_lean *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, ERR_NOMEM, "out of memory");
	t->base.ops = &call_http_lean;
	t->config = *cfg;
	t->slots = calloc((size_t)cfg->slots + 1, sizeof(*t->slots));
	r = links_init(&t->links, &link_ops, &links);
	if (r < 0 || !t->slots)
		r = error_set(err, ERR_NOMEM, "out of memory or of file descriptors for %u connections", cfg->slots);
	for (unsigned i = 0; r == 0 && i < cfg->slots; i++)
		r = open_slot(t, i, err);
	for (unsigned i = 0; r == 0 && i < cfg->slots; i++)
		links_dial(&t->links, &t->slots[i].base);
	if (r == 0)
		r = links_connect(&t->links, err);
	if (r < 0) {
		http_close(&t->base);
		return r;
	}
	*ret = &t->base;
	return 0;
}

static int http_send(struct call_transport *transport, const struct call *c)
{
	struct http_lean *t = (struct http_lean *)transport;
	struct http_link *l = &t->slots[c->slot];

	if (c->nbody > t->config.views)
		return ERR_RANGE;
	if (l->base.state != LINK_READY && l->base.state != LINK_IDLE)
		return ERR_AGAIN;
	http1_parser_reset(l->parser);
	l->iov = l->views;
	l->iov[0] = (struct iovec){.iov_base = l->head, .iov_len = http1_head_finish(l->head, t->head_len, c->size)};
	for (int i = 0; i < c->nbody; i++)
		l->iov[i + 1] = c->body[i];
	l->iovcnt = c->nbody + 1;
	l->busy = true;
	l->whole = false;
	links_begin(&t->links, c->slot, c->sent);
	if (l->base.state == LINK_READY)
		links_write(&t->links, &l->base, &l->iov, &l->iovcnt);
	else
		links_dial(&t->links, &l->base);
	return 0;
}

static void describe(const struct http_link *l, const struct links_finished *f, struct call_finished *ret)
{
	*ret = (struct call_finished){
		.slot = f->slot,
		.code = f->code,
		.status = -1,
		.text = f->code ? l->error.text : NULL,
		.body = "",
		.header = -1,
		.received = f->received,
	};
	if (l->whole) {
		const struct http1_reply *r = http1_parser_reply(l->parser);

		ret->status = r->status;
		ret->body = r->body;
		ret->size = r->size;
		ret->header = r->header;
	}
}

static int http_poll(struct call_transport *transport, nsec_t deadline, struct call_finished *done, int max,
		     struct error *err)
{
	struct http_lean *t = (struct http_lean *)transport;
	struct links_finished f;
	int n = 0, r = links_wait(&t->links, deadline, err);

	if (r < 0)
		return r;
	for (; n < max && links_take(&t->links, &f); n++)
		describe(&t->slots[f.slot], &f, &done[n]);
	t->base.reconnects = t->links.reconnects;
	return n;
}

static int http_fd(const struct call_transport *transport)
{
	return ((const struct http_lean *)transport)->links.epoll;
}

static nsec_t http_next_deadline(const struct call_transport *transport)
{
	return links_next_deadline(&((const struct http_lean *)transport)->links);
}

const struct call_transport_ops call_http_lean = {
	.name = "lean",
	.open = http_open,
	.send = http_send,
	.poll = http_poll,
	.fd = http_fd,
	.next_deadline = http_next_deadline,
	.close = http_close,
};
