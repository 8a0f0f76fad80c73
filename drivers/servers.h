/*
 * servers.h - the servers of a run, as options list them: resolved, with their TLS settings.
 */
#ifndef DRIVERS_SERVERS_H
#define DRIVERS_SERVERS_H

#include "net/conn.h"
#include "net/ping.h"

/* Zero-initialise. */
struct servers {
	struct endpoint **endpoints; /* a server's number in the transport is its place here */
	unsigned n;
	struct tls_config *tls; /* NULL: plain */
};

struct servers_config {
	/* Comma lists: as many of both, or one of either for all. A host may carry its own port, and be written as
	 * redis://host:port or http://host:port; TLS is for the options to ask for. */
	const char *hosts, *ports;
	const char *host_option, *port_option; /* that the lists were given with, for messages: "-host" */
	const char *alpn;                      /* what TLS is to agree on, as tls_config_new takes it; NULL: nothing */
	const struct conn_options *conn;       /* its Unix socket wins over the lists */
};

/* Errors say which entry is wrong. */
int servers_open(struct servers *s, const struct servers_config *cfg, struct error *err) MUST_CHECK;
/* Adds a server that was learnt of; returns its number, or an error. One that is known is not added again. */
int servers_add(struct servers *s, const char *host, uint16_t port, const char *unix_socket,
		struct error *err) MUST_CHECK;
/* The server of a worker when they take turns. */
static inline unsigned servers_turn(const struct servers *s, unsigned worker)
{
	return s->n > 1 ? worker % s->n : 0;
}
/* The first server as one that answers pings of this kind. */
static inline struct ping_target servers_ping_target(const struct servers *s, enum ping_kind kind)
{
	return (struct ping_target){.endpoint = s->n ? s->endpoints[0] : NULL, .tls = s->tls, .kind = kind};
}
void servers_release(struct servers *s);

#endif
