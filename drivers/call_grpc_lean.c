/*
 * call_grpc_lean.c - gRPC calls over connections of our own, on net/rpc.h: `streams` slots share one.
 *
 * A call that takes too long is given up alone, and the server asked for a sign of life (PING); if nothing came by the
 * time-out of a call that was sent after that, the connection is given up too.
 */
#include <stdlib.h>
#include <string.h>

#include "drivers/call_internal.h"
#include "drivers/links.h"
#include "net/rpc.h"

struct grpc_link {
	struct link base;
	struct rpc_session *session;
	struct rpc_config config;
	unsigned first_slot, nslots; /* that share it */
	unsigned nwaiting;           /* of them, calls to be submitted when it is ready */
	nsec_t doubted;              /* when the last PING went out that nothing followed; 0: it is alive */
	bool receiving;              /* output waits for the end of the input */
};

struct grpc_slot {
	struct rpc_call *call;
	struct grpc_link *link;
	bool waiting;   /* for the connection: body and size are to be submitted */
	bool submitted; /* call is this call's */
	struct iovec *views;
	int nbody;
	size_t size;
	nsec_t sent;
	struct error error;
};

struct grpc_lean {
	struct call_transport base;
	struct links links;
	struct call_config config;
	struct grpc_slot *slots;
	struct grpc_link *connections;
	unsigned nconnections;
};

static struct grpc_lean *of_links(struct links *ls)
{
	return (struct grpc_lean *)((char *)ls - offsetof(struct grpc_lean, links));
}

/* Writes what the session has to say. Nothing of the link may be touched after a loss. */
static void pump(struct grpc_lean *t, struct grpc_link *l)
{
	struct rpc_output *out;
	struct error err;
	int r;

	do {
		r = rpc_session_output(l->session, &out, &err);
		if (r < 0) {
			links_reject(&t->links, &l->base, r, err.text);
			return;
		}
	} while (out->n > 0 && links_write(&t->links, &l->base, &out->iov, &out->n) > 0);
}

/* GOAWAY takes effect when the calls that the server took are done; the next call makes a connection. */
static void retire_if_idle(struct grpc_lean *t, struct grpc_link *l)
{
	if (l->base.state == LINK_READY && rpc_session_going_away(l->session) && rpc_session_calls(l->session) == 0) {
		links_retire(&t->links, &l->base);
		links_wake(&t->links);
	}
}

/* A call of the session ended: what is said of it. */
static void call_done(void *arg, struct rpc_call *c)
{
	struct grpc_lean *t = arg;
	unsigned slot = rpc_call_number(c);
	struct grpc_slot *s = &t->slots[slot];
	const struct endpoint *e = s->link->base.endpoint;
	struct rpc_result r;

	rpc_call_result(c, &r);
	if (r.code == ERR_SERVER)
		call_refused_grpc(e, r.status, r.text, strlen(r.text), &s->error);
	else if (r.code == ERR_TIMEOUT || (r.code && strncmp(r.text, endpoint_name(e), strlen(endpoint_name(e))) == 0))
		error_set(&s->error, (enum error_code)r.code, "%s", r.text);
	else if (r.code)
		error_set(&s->error, (enum error_code)r.code, "%s: %s", endpoint_name(e), r.text);
	links_finish(&t->links, slot, r.code);
}

static void link_opened(struct links *ls, struct link *link)
{
	struct grpc_link *l = (struct grpc_link *)link;

	l->doubted = 0;
	if (rpc_session_start(l->session) < 0)
		links_reject(ls, link, ERR_NOMEM, "out of memory");
	else
		pump(of_links(ls), l);
}

static void submit(struct grpc_lean *t, struct grpc_slot *s)
{
	int r = rpc_session_submit(s->link->session, s->call, s->views, s->nbody, s->size);

	if (s->waiting) {
		s->waiting = false;
		s->link->nwaiting--;
	}
	s->submitted = r == 0;
	if (r < 0) {
		error_set(&s->error, (enum error_code)r, "%s: %s", endpoint_name(s->link->base.endpoint),
			  error_message(r));
		links_finish(&t->links, (unsigned)(s - t->slots), r);
	}
}

static void link_writable(struct links *ls, struct link *link)
{
	struct grpc_lean *t = of_links(ls);
	struct grpc_link *l = (struct grpc_link *)link;

	for (unsigned i = 0; link->state == LINK_READY && l->nwaiting > 0 && i < l->nslots; i++) {
		struct grpc_slot *s = &t->slots[l->first_slot + i];

		if (s->waiting)
			submit(t, s);
	}
	if (!l->receiving)
		pump(t, l);
}

static void link_received(struct links *ls, struct link *link, const char *bytes, size_t len)
{
	struct grpc_lean *t = of_links(ls);
	struct grpc_link *l = (struct grpc_link *)link;
	struct error err;
	int r;

	l->doubted = 0;
	r = rpc_session_receive(l->session, bytes, len, &err);
	if (r < 0) {
		links_reject(ls, link, r, err.text);
		return;
	}
	l->receiving = true;
	if (link->state == LINK_GREETING && rpc_session_greeted(l->session))
		links_ready(ls, link);
	l->receiving = false;
	pump(t, l);
	retire_if_idle(t, l);
}

static void link_lost(struct links *ls, struct link *link, int code, const struct error *err)
{
	struct grpc_lean *t = of_links(ls);
	struct grpc_link *l = (struct grpc_link *)link;
	bool idle = rpc_session_calls(l->session) == 0 && l->nwaiting == 0;

	rpc_session_end(l->session, code, err->text);
	for (unsigned i = 0; l->nwaiting > 0 && i < l->nslots; i++) {
		struct grpc_slot *s = &t->slots[l->first_slot + i];

		if (!s->waiting)
			continue;
		s->waiting = false;
		l->nwaiting--;
		s->error = *err;
		links_finish(ls, l->first_slot + i, code);
	}
	/* A server may end a connection that it has served: the next call makes another. */
	if (idle && code == ERR_CLOSED && link->before == LINK_READY)
		links_retire(ls, link);
}

/* The call's time is up. */
static void slot_expired(struct links *ls, unsigned slot)
{
	struct grpc_lean *t = of_links(ls);
	struct grpc_slot *s = &t->slots[slot];
	struct grpc_link *l = s->link;
	struct error err;

	links_timed_out(ls, &l->base, "no answer", &err);
	if (!rpc_call_under_way(s->call)) {
		s->waiting = false;
		l->nwaiting--;
		s->error = err;
		links_finish(ls, slot, ERR_TIMEOUT);
		return;
	}
	rpc_session_cancel(l->session, s->call, ERR_TIMEOUT, err.text);
	if (l->doubted != 0 && s->sent >= l->doubted) {
		links_lose(ls, &l->base, ERR_TIMEOUT, &err);
		return;
	}
	if (l->doubted == 0) {
		l->doubted = clock_now();
		rpc_session_ping(l->session);
	}
	pump(t, l);
	retire_if_idle(t, l);
}

static const struct links_ops link_ops = {
	.opened = link_opened,
	.writable = link_writable,
	.received = link_received,
	.lost = link_lost,
	.expired = slot_expired,
	.greeting = "no HTTP/2 greeting (is that a gRPC server?)",
};

/* ---- the interface ---- */

static void grpc_close(struct call_transport *transport)
{
	struct grpc_lean *t = (struct grpc_lean *)transport;

	if (!t)
		return;
	links_release(&t->links);
	for (unsigned i = 0; t->connections && i < t->nconnections; i++)
		rpc_session_free(t->connections[i].session);
	for (unsigned i = 0; t->slots && i < t->config.slots; i++) {
		rpc_call_free(t->slots[i].call);
		free(t->slots[i].views);
	}
	free(t->connections);
	free(t->slots);
	free(t);
}

static int open_connection(struct grpc_lean *t, unsigned number, unsigned streams, struct error *err)
{
	const struct endpoint *e = call_server(&t->config, number);
	struct grpc_link *l = &t->connections[number];
	int r;

	l->first_slot = number * streams;
	l->nslots = t->config.slots - l->first_slot < streams ? t->config.slots - l->first_slot : streams;
	l->config = (struct rpc_config){
		.scheme = t->config.tls ? "https" : "http",
		.authority = endpoint_port(e) ? endpoint_name(e) : endpoint_host(e),
		.path = t->config.path,
		.headers = t->config.headers,
		.nheaders = t->config.nheaders,
		.message_max = call_body_max(&t->config),
		.done = call_done,
		.arg = t,
	};
	r = rpc_session_new(&l->session, &l->config, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < l->nslots; i++) {
		struct grpc_slot *s = &t->slots[l->first_slot + i];

		s->link = l;
		s->views = calloc((size_t)t->config.views + 1, sizeof(*s->views));
		if (!s->views || rpc_call_new(&s->call, l->first_slot + i, t->config.views) < 0)
			return error_set(err, ERR_NOMEM, "out of memory");
	}
	r = links_add(&t->links, &l->base, e, number);
	return r < 0 ? error_set(err, (enum error_code)r, "out of memory") : 0;
}

static int grpc_open(struct call_transport **ret, const struct call_config *cfg, struct error *err)
{
	const struct links_config links = {.slots = cfg->slots, .conn = cfg->conn, .tls = cfg->tls, .seed = cfg->seed};
	unsigned streams = cfg->streams ? cfg->streams : 1;
	struct grpc_lean *t = calloc(1, sizeof(*t));
	int r;

	if (!t)
		return error_set(err, ERR_NOMEM, "out of memory");
	t->base.ops = &call_grpc_lean;
	t->config = *cfg;
	t->nconnections = (cfg->slots + streams - 1) / streams;
	t->slots = calloc((size_t)cfg->slots + 1, sizeof(*t->slots));
	t->connections = calloc((size_t)t->nconnections + 1, sizeof(*t->connections));
	r = links_init(&t->links, &link_ops, &links);
	if (r < 0 || !t->slots || !t->connections)
		r = error_set(err, ERR_NOMEM, "out of memory or of file descriptors for %u connections",
			      t->nconnections);
	for (unsigned i = 0; r == 0 && i < t->nconnections; i++)
		r = open_connection(t, i, streams, err);
	for (unsigned i = 0; r == 0 && i < t->nconnections; i++)
		links_dial(&t->links, &t->connections[i].base);
	if (r == 0)
		r = links_connect(&t->links, err);
	if (r < 0) {
		grpc_close(&t->base);
		return r;
	}
	*ret = &t->base;
	return 0;
}

static int grpc_send(struct call_transport *transport, const struct call *c)
{
	struct grpc_lean *t = (struct grpc_lean *)transport;
	struct grpc_slot *s = &t->slots[c->slot];
	struct grpc_link *l = s->link;
	enum link_state state = l->base.state;

	if (c->nbody > t->config.views)
		return ERR_RANGE;
	/* A connection that is being made for another slot's call takes this one along. */
	if (state == LINK_CLOSED || ((state == LINK_CONNECTING || state == LINK_GREETING) && l->nwaiting == 0) ||
	    (state == LINK_READY && rpc_session_going_away(l->session)))
		return ERR_AGAIN;
	if (c->nbody > 0)
		memcpy(s->views, c->body, (size_t)c->nbody * sizeof(*c->body));
	s->nbody = c->nbody;
	s->size = c->size;
	s->sent = c->sent;
	s->submitted = false;
	links_begin(&t->links, c->slot, c->sent);
	if (state == LINK_READY) {
		submit(t, s);
		pump(t, l);
		return 0;
	}
	s->waiting = true;
	l->nwaiting++;
	links_dial(&t->links, &l->base);
	return 0;
}

static int grpc_poll(struct call_transport *transport, nsec_t deadline, struct call_finished *done, int max,
		     struct error *err)
{
	struct grpc_lean *t = (struct grpc_lean *)transport;
	struct links_finished f;
	int n = 0, r = links_wait(&t->links, deadline, err);

	if (r < 0)
		return r;
	for (; n < max && links_take(&t->links, &f); n++) {
		const struct grpc_slot *s = &t->slots[f.slot];
		struct rpc_result result = {.status = -1, .message = ""};

		if (s->submitted)
			rpc_call_result(s->call, &result);
		done[n] = (struct call_finished){
			.slot = f.slot,
			.code = f.code,
			.status = result.status,
			.text = f.code ? s->error.text : NULL,
			.body = result.message,
			.size = result.size,
			.header = -1,
			.received = f.received,
		};
	}
	t->base.reconnects = t->links.reconnects;
	return n;
}

static int grpc_fd(const struct call_transport *transport)
{
	return ((const struct grpc_lean *)transport)->links.epoll;
}

static nsec_t grpc_next_deadline(const struct call_transport *transport)
{
	return links_next_deadline(&((const struct grpc_lean *)transport)->links);
}

const struct call_transport_ops call_grpc_lean = {
	.name = "lean",
	.open = grpc_open,
	.send = grpc_send,
	.poll = grpc_poll,
	.fd = grpc_fd,
	.next_deadline = grpc_next_deadline,
	.close = grpc_close,
};
