/*
 * redis_servers.h - the Redis servers of a run, as -host and -port list them: resolved, with their TLS settings.
 */
#ifndef DRIVERS_REDIS_SERVERS_H
#define DRIVERS_REDIS_SERVERS_H

#include "net/conn.h"

/* Zero-initialise. */
struct redis_servers {
	struct endpoint **endpoints; /* a server's number in the transport is its place here */
	unsigned n;
	struct tls_config *tls; /* NULL: plain */
};

/*
 * hosts and ports are comma lists: as many of both, or one of either for all. A host may carry its own port, and be
 * written redis://host:port. Errors say which entry is wrong.
 */
int redis_servers_open(struct redis_servers *s, const char *hosts, const char *ports, const struct conn_options *conn,
		       struct error *err) MUST_CHECK;
/* Adds a server that was learnt of; returns its number, or an error. One that is known is not added again. */
int redis_servers_add(struct redis_servers *s, const char *host, uint16_t port, const char *unix_socket,
		      struct error *err) MUST_CHECK;
/* The server of a worker when they take turns. */
static inline unsigned redis_servers_turn(const struct redis_servers *s, unsigned worker)
{
	return s->n > 1 ? worker % s->n : 0;
}
void redis_servers_release(struct redis_servers *s);

#endif
