/*
 * links.h - the connections of one driver instance kept up under one epoll, and the time-outs of its slots.
 *
 * What every lean transport needs, whatever it speaks: dialling, redialling with growing delays, giving up after the
 * time-out, and a ring of finished slots. The transport's own struct starts with a struct links, its connections with a
 * struct link, and links_ops tells it what happened. One thread uses it.
 *
 *	IDLE ─dial─▶ CONNECTING ──▶ GREETING ──▶ READY ─lost─▶ CLOSED ─delay─▶ CONNECTING …
 *	  ▲                                        └─retired─▶ IDLE
 *
 * A link is registered with epoll once, edge-triggered for both directions, so a request costs a sendmsg, a read and
 * its share of an epoll_wait: a read that returns less than it had room for has drained the socket, and the next edge
 * tells of more.
 */
#ifndef DRIVERS_LINKS_H
#define DRIVERS_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include "common/clock.h"
#include "net/conn.h"

#define LINKS_EVENTS_MAX 256

enum link_state { LINK_IDLE, LINK_CONNECTING, LINK_GREETING, LINK_READY, LINK_CLOSED };

struct link {
	struct conn *conn;
	const struct endpoint *endpoint; /* borrowed */
	enum link_state state;
	enum link_state before; /* CLOSED: what it was when it was lost */
	bool unwritten;         /* the socket did not take all: ops->writable is called when it may */
	bool lost;              /* was ready before: coming back counts as a reconnect */
	nsec_t when;            /* CLOSED: dial again; CONNECTING, GREETING: give up */
	struct backoff backoff;
	struct link *next; /* of all links */
};

struct links;

struct links_ops {
	/* The connection is open: calls links_ready, or says the protocol's first words and calls it at their answer. */
	void (*opened)(struct links *ls, struct link *l);
	/* The link became ready, or the socket that was full has room: writes what waits. */
	void (*writable)(struct links *ls, struct link *l);
	/* Where to read to, other than the shared buffer; NULL: there. Optional. */
	char *(*room)(struct links *ls, struct link *l, size_t *ret_size);
	/* Takes bytes of a GREETING or READY link. */
	void (*received)(struct links *ls, struct link *l, const char *bytes, size_t len);
	/* The connection is gone (CLOSED): the requests on it are to be ended with links_finish. It may be retired. */
	void (*lost)(struct links *ls, struct link *l, int code, const struct error *err);
	/* The slot's time is up: it is to be ended, with or without its link. */
	void (*expired)(struct links *ls, unsigned slot);
	const char *greeting; /* what GREETING waits for, e.g. "no answer to AUTH" */
};

struct links_config {
	unsigned slots;
	const struct conn_options *conn; /* time-outs and interrupt; borrowed */
	const struct tls_config *tls;    /* NULL: plain; borrowed */
	uint64_t seed;                   /* of the redial delays */
};

struct links_slot {
	nsec_t deadline;
	uint32_t before, after; /* the slots under way, in the order of their deadlines */
};

struct links_finished {
	unsigned slot;
	int code;
	nsec_t received;
};

struct links {
	const struct links_ops *ops;
	struct links_config config;
	uint64_t reconnects; /* links that were lost or retired, and came back */
	/* The rest is private. */
	int epoll;
	struct link *first;
	struct links_slot *slots;
	uint32_t oldest, newest;         /* ends of the list of slots under way */
	struct links_finished *finished; /* a ring of `slots` places */
	unsigned first_finished, nfinished;
	unsigned nunready; /* links with a `when` to look after */
	nsec_t next_when;  /* the earliest of them, or earlier */
	bool woken;        /* links_wait is to return: a link is ready, or was not to be opened */
	bool connecting;   /* links_connect waits: the first failure counts */
	int connect_code;
	struct error connect_error;
	char *buffer;
	struct epoll_event events[LINKS_EVENTS_MAX];
};

/* ERR_NOMEM. links_release works on a zeroed struct and after a failed init; it does not free the links themselves. */
int links_init(struct links *ls, const struct links_ops *ops, const struct links_config *cfg) MUST_CHECK;
void links_release(struct links *ls);

/* Adds a link (zeroed by the caller, which keeps owning it) to a server; number varies its redial delays. */
int links_add(struct links *ls, struct link *l, const struct endpoint *e, uint64_t number) MUST_CHECK;
void links_dial(struct links *ls, struct link *l); /* an IDLE one; others are left alone */
void links_ready(struct links *ls, struct link *l);
/* Ends the connection with the text in err; it is dialled again after its delay. */
void links_lose(struct links *ls, struct link *l, int code, const struct error *err);
/* As links_lose, with the server's name put before text. */
void links_reject(struct links *ls, struct link *l, int code, const char *text);
/* The server asked for its end: closed without a word, IDLE until it is dialled. It has no requests under way. */
void links_retire(struct links *ls, struct link *l);
/* Writes; *iov and *iovcnt are what is left. 1: nothing; 0: the socket is full; negative: the link was lost. */
int links_write(struct links *ls, struct link *l, struct iovec **iov, int *iovcnt);
/* Makes links_wait return, so that a slot that was refused tries again. */
static inline void links_wake(struct links *ls)
{
	ls->woken = true;
}

/* A slot's request begins and ends; all time-outs are equally long. */
void links_begin(struct links *ls, unsigned slot, nsec_t sent);
void links_finish(struct links *ls, unsigned slot, int code);
/* "host:port: timed out: no answer within 10s". Returns ERR_TIMEOUT. */
int links_timed_out(const struct links *ls, const struct link *l, const char *what, struct error *err);

/* Waits until every dialled link is ready; the first that fails ends it with its message. */
int links_connect(struct links *ls, struct error *err) MUST_CHECK;
/* Waits until a slot finished, a link became ready, a signal came or the deadline passed. */
int links_wait(struct links *ls, nsec_t deadline, struct error *err) MUST_CHECK;
bool links_take(struct links *ls, struct links_finished *ret); /* the next finished slot */
nsec_t links_next_deadline(const struct links *ls);

#endif
