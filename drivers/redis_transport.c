/*
 * redis_transport.c - exchanges of slots with Redis servers over drivers/links.h; see the header.
 *
 * A link is one slot's connection to one server; its greeting is AUTH, where there is a password.
 */
#include "drivers/redis_transport.h"

#include <stdlib.h>

#include "drivers/links.h"

struct redis_link {
	struct link base;
	struct resp_reader *reader;
	bool busy; /* the slot's exchange goes over this link */
	unsigned slot;
};

struct server {
	const struct endpoint *endpoint;
	struct redis_link *links; /* one a slot */
};

struct slot {
	struct redis_link *link; /* of the exchange under way; NULL: none */
	struct iovec *iov;       /* what is left to write */
	int iovcnt;
	unsigned nreplies, got;
	int code; /* of the first reply that was no good */
	struct error error;
};

struct redis_transport {
	struct links links;
	struct redis_transport_config config;
	struct server *servers;
	unsigned nservers;
	struct slot *slots;
	struct buf auth; /* the AUTH command; empty: none */
};

/* The exchange of l's slot is over; its text, if any, is in the slot's error. */
static void finish(struct redis_transport *t, struct redis_link *l, int code)
{
	t->slots[l->slot].link = NULL;
	l->busy = false;
	links_finish(&t->links, l->slot, code);
}

static void link_lost(struct links *ls, struct link *link, int code, const struct error *err)
{
	struct redis_transport *t = (struct redis_transport *)ls;
	struct redis_link *l = (struct redis_link *)link;
	struct slot *s = &t->slots[l->slot];

	if (!l->busy)
		return;
	/* What the server said before tells more than that it said no more. */
	if (s->code == 0)
		s->error = *err;
	finish(t, l, s->code && code != ERR_TIMEOUT ? s->code : code);
}

static void link_writable(struct links *ls, struct link *link)
{
	struct redis_transport *t = (struct redis_transport *)ls;
	struct redis_link *l = (struct redis_link *)link;

	if (l->busy)
		links_write(ls, link, &t->slots[l->slot].iov, &t->slots[l->slot].iovcnt);
}

static void link_opened(struct links *ls, struct link *link)
{
	struct redis_transport *t = (struct redis_transport *)ls;
	struct iovec iov = {.iov_base = t->auth.data, .iov_len = t->auth.len}, *left = &iov;
	int n = 1;

	/* Not at the loss: views of the last answer may still be looked at. */
	resp_reader_reset(((struct redis_link *)link)->reader);
	if (t->auth.len == 0)
		links_ready(ls, link);
	else if (links_write(ls, link, &left, &n) == 0)
		links_reject(ls, link, ERR_IO, "the new connection does not take the AUTH command");
}

static void slot_expired(struct links *ls, unsigned slot)
{
	struct redis_transport *t = (struct redis_transport *)ls;
	struct link *link = &t->slots[slot].link->base;
	struct error err;

	links_timed_out(ls, link, "no answer", &err);
	links_lose(ls, link, ERR_TIMEOUT, &err);
}

/* ---- replies ---- */

static void take_auth_reply(struct redis_transport *t, struct redis_link *l)
{
	const struct resp_node *nodes;
	struct error err;
	size_t n;
	int r = resp_reader_next(l->reader, &nodes, &n, &err);

	if (r == 0)
		return;
	if (r > 0 && nodes[0].type == RESP_STATUS) {
		links_ready(&t->links, &l->base);
		return;
	}
	if (r > 0)
		r = error_set(&err, ERR_SERVER, "AUTH was refused, check -user and -password: %.*s",
			      nodes[0].type == RESP_ERROR ? (int)nodes[0].len : 0, nodes[0].data ? nodes[0].data : "");
	links_reject(&t->links, &l->base, r, err.text);
}

/* Reads replies until the exchange has all of its own. */
static void take_replies(struct redis_transport *t, struct redis_link *l)
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
			links_reject(&t->links, &l->base, r, err.text);
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
		links_reject(&t->links, &l->base, ERR_PROTOCOL, "the server's replies do not fit the commands");
}

static void link_received(struct links *ls, struct link *link, const char *bytes, size_t len)
{
	struct redis_transport *t = (struct redis_transport *)ls;
	struct redis_link *l = (struct redis_link *)link;
	int r = resp_reader_feed(l->reader, bytes, len);

	if (r < 0)
		links_reject(ls, link, r, error_message(r));
	else if (link->state == LINK_GREETING)
		take_auth_reply(t, l);
	else if (l->busy)
		take_replies(t, l);
	else
		links_reject(ls, link, ERR_PROTOCOL, "the server sent a reply to no command");
}

static const struct links_ops link_ops = {
	.opened = link_opened,
	.writable = link_writable,
	.received = link_received,
	.lost = link_lost,
	.expired = slot_expired,
	.greeting = "no answer to AUTH",
};

/* ---- the interface ---- */

int redis_transport_poll(struct redis_transport *t, nsec_t deadline, struct redis_finished *done, int max,
			 struct error *err)
{
	struct links_finished f;
	int n = 0, r = links_wait(&t->links, deadline, err);

	if (r < 0)
		return r;
	for (; n < max && links_take(&t->links, &f); n++) {
		done[n] = (struct redis_finished){.slot = f.slot,
						  .code = f.code,
						  .text = f.code ? t->slots[f.slot].error.text : NULL,
						  .received = f.received};
	}
	return n;
}

int redis_transport_send(struct redis_transport *t, const struct redis_exchange *x)
{
	struct redis_link *l = &t->servers[x->server].links[x->slot];
	struct slot *s = &t->slots[x->slot];
	const struct resp_node *nodes;
	struct error err;
	size_t n;
	int r;

	if (l->base.state != LINK_READY && !x->wait_for_connection)
		return ERR_AGAIN;
	if (l->base.state == LINK_IDLE && (r = redis_transport_dial(t, x->slot, x->server)) < 0)
		return r;
	/* The last answer's views end here. What else came with it was not asked for. */
	if (l->base.state == LINK_READY && resp_reader_next(l->reader, &nodes, &n, &err) != 0) {
		links_reject(&t->links, &l->base, ERR_PROTOCOL, "the server sent more replies than commands");
		return ERR_AGAIN;
	}
	s->link = l;
	s->iov = x->iov;
	s->iovcnt = x->iovcnt;
	s->nreplies = x->nreplies;
	s->got = 0;
	s->code = 0;
	links_begin(&t->links, x->slot, x->sent);
	l->busy = true;
	if (l->base.state == LINK_READY)
		links_write(&t->links, &l->base, &s->iov, &s->iovcnt);
	return 0;
}

int redis_transport_dial(struct redis_transport *t, unsigned slot, unsigned server)
{
	struct redis_link *l = &t->servers[server].links[slot];
	int r;

	if (!l->reader && (r = resp_reader_new(&l->reader)) < 0)
		return r;
	l->slot = slot;
	if (!l->base.conn && (r = links_add(&t->links, &l->base, t->servers[server].endpoint,
					    (uint64_t)server * t->config.slots + slot)) < 0)
		return r;
	links_dial(&t->links, &l->base);
	return 0;
}

int redis_transport_connect(struct redis_transport *t, struct error *err)
{
	return links_connect(&t->links, err);
}

int redis_transport_add(struct redis_transport *t, const struct endpoint *e)
{
	struct redis_link *links = calloc(t->config.slots ? t->config.slots : 1, sizeof(*links));
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
	const struct links_config links = {.slots = cfg->slots, .conn = cfg->conn, .tls = cfg->tls, .seed = cfg->seed};
	struct redis_transport *t = calloc(1, sizeof(*t));
	size_t n = cfg->slots ? cfg->slots : 1;

	if (!t)
		return error_set(err, ERR_NOMEM, "out of memory");
	t->config = *cfg;
	t->slots = calloc(n, sizeof(*t->slots));
	if (links_init(&t->links, &link_ops, &links) < 0 || !t->slots || make_auth(&t->auth, cfg->conn) < 0) {
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
	links_release(&t->links);
	for (unsigned i = 0; i < t->nservers; i++) {
		for (unsigned j = 0; j < t->config.slots; j++)
			resp_reader_free(t->servers[i].links[j].reader);
		free(t->servers[i].links);
	}
	buf_release(&t->auth);
	free(t->servers);
	free(t->slots);
	free(t);
}

int redis_transport_fd(const struct redis_transport *t)
{
	return t->links.epoll;
}

nsec_t redis_transport_next_deadline(const struct redis_transport *t)
{
	return links_next_deadline(&t->links);
}

uint64_t redis_transport_reconnects(const struct redis_transport *t)
{
	return t->links.reconnects;
}
