/*
 * ping.h - how long the way to a server and back takes: round trips of the smallest request that any server of its kind
 * answers, whatever the answer, over a connection of its own (TCP or Unix socket, with TLS where the run has it).
 *
 *	Redis	PING			answered also by a server that wants a password first
 *	HTTP	GET /			a 404 is an answer
 *	gRPC	a call of no method	UNIMPLEMENTED is the answer. (HTTP/2's own PING counts as an attack after a few,
 *					and some servers keep their SETTINGS acknowledgements until they have more to say.)
 *	echo	64 bytes		to a thread of this process, where there is no server to ask
 */
#ifndef NET_PING_H
#define NET_PING_H

#include "net/conn.h"

enum ping_kind { PING_REDIS, PING_HTTP, PING_GRPC, PING_ECHO };

/* Whom to ask and how; borrowed. */
struct ping_target {
	const struct endpoint *endpoint;
	const struct tls_config *tls; /* NULL: plain */
	enum ping_kind kind;
};

struct ping_limits {
	unsigned round_trips;        /* at the most */
	nsec_t time;                 /* for all of them; what was begun is waited for */
	nsec_t timeout;              /* to connect, and for each answer */
	const atomic_int *interrupt; /* non-zero ends the waits; may be NULL */
};

/* "Redis PING", "HTTP GET /" */
const char *ping_name(enum ping_kind kind);

/*
 * Connects, makes one round trip that is not counted, then measures. Writes up to round_trips durations; returns how many
 * (> 0), or the error that let none be measured.
 */
int ping_measure(const struct ping_target *t, const struct ping_limits *l, nsec_t *ret_times,
		 struct error *err) MUST_CHECK;
/* The same with PING_ECHO over TCP on 127.0.0.1. */
int ping_measure_loopback(const struct ping_limits *l, nsec_t *ret_times, struct error *err) MUST_CHECK;

#endif
