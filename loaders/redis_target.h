/*
 * redis_target.h - -redis-host and the connection options put together: whom a loader talks to, and how.
 */
#ifndef LOADERS_REDIS_TARGET_H
#define LOADERS_REDIS_TARGET_H

#include "loaders/redis_url.h"
#include "net/conn.h"

/* Zero-initialise. */
struct redis_target {
	struct redis_url url;
	struct conn_options conn; /* as the user gave it, the URL's user, password and TLS filled in */
	struct endpoint *endpoint;
	struct tls_config *tls; /* NULL: plain */
};

/* Credentials in the URL win over -user and -password. The options' strings must outlive the target. */
int redis_target_open(struct redis_target *ret, const char *host, const struct conn_options *o,
		      struct error *err) MUST_CHECK;
void redis_target_close(struct redis_target *t);

#endif
