/*
 * redis_transport.h - requests and replies between slots and Redis servers, many connections under one epoll.
 *
 * A slot has one exchange under way at the most: commands go out as they are given, with one sendmsg where the socket
 * takes them whole, and the exchange ends with its last reply, a failure of the connection or the time-out. Every slot
 * has a connection of its own to each server it talks to; lost ones are dialled again with growing delays. Nothing is
 * known here of what the commands mean.
 */
#ifndef DRIVERS_REDIS_TRANSPORT_H
#define DRIVERS_REDIS_TRANSPORT_H

#include <stdbool.h>
#include <sys/uio.h>

#include "common/clock.h"
#include "common/stamps.h"
#include "net/conn.h"
#include "net/resp.h"

/* Judges reply `index` (from 0) of the slot's exchange: 0, or the code and text that the exchange ends with once its
 * other replies are in. Texts of nodes live until the slot's next exchange if this is the last reply, else until return. */
typedef int redis_reply_fn(void *arg, unsigned slot, unsigned index, const struct resp_node *nodes, size_t n,
			   struct error *err);

struct redis_transport_config {
	unsigned slots;
	const struct conn_options *conn; /* AUTH and time-outs; borrowed */
	const struct tls_config *tls;    /* NULL: plain; borrowed */
	uint64_t seed;                   /* of the redial delays */
	redis_reply_fn *reply;
	void *arg;
};

struct redis_transport;

int redis_transport_new(struct redis_transport **ret, const struct redis_transport_config *cfg,
			struct error *err) MUST_CHECK;
void redis_transport_free(struct redis_transport *t);

/* Adds a server (borrowed) and returns its number, from 0, or ERR_NOMEM. */
int redis_transport_add(struct redis_transport *t, const struct endpoint *e) MUST_CHECK;
/* Starts the slot's connection to a server; it is kept up from now on. */
int redis_transport_dial(struct redis_transport *t, unsigned slot, unsigned server) MUST_CHECK;
/* Waits until every connection is ready; the first one that fails ends it with its message. */
int redis_transport_connect(struct redis_transport *t, struct error *err) MUST_CHECK;

/* A whole exchange: its bytes (iov is used up while they are written) and how many replies it waits for. */
struct redis_exchange {
	unsigned slot, server;
	struct iovec *iov;
	int iovcnt;
	unsigned nreplies;
	nsec_t sent;              /* its time-out counts from here */
	bool wait_for_connection; /* rather than refusing with ERR_AGAIN while the connection is not ready */
};

int redis_transport_send(struct redis_transport *t, const struct redis_exchange *x);

struct redis_finished {
	unsigned slot;
	int code; /* 0, ERR_TIMEOUT, what the reply function said, or what ended the connection */
	const char *text;
	nsec_t received;
};

/* As a driver's poll: returns how many exchanges were stored that finished. */
int redis_transport_poll(struct redis_transport *t, nsec_t deadline, struct redis_finished *done, int max,
			 struct error *err);

/* For a driver that waits on more than this transport: a descriptor that is readable when poll has something to do
 * before the next deadline, and that deadline. */
int redis_transport_fd(const struct redis_transport *t);
nsec_t redis_transport_next_deadline(const struct redis_transport *t);

/* Of an exchange that began when it was sent and whose encoding ended then; 0: stages are not told apart. Replies are decoded
 * while they come in, so decoding is no stage of its own. */
static inline struct stamps redis_stamps(nsec_t sent, nsec_t encoded, nsec_t received)
{
	return (struct stamps){
		.sent = sent,
		.received = received,
		.stage = {[STAGE_ENCODE] = encoded, [STAGE_SERVICE] = encoded ? received : 0},
	};
}

/* Connections that were lost and came back. */
uint64_t redis_transport_reconnects(const struct redis_transport *t);

#endif
