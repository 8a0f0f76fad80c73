/*
 * redis_url.h - what -redis-host accepts: redis://[[user]:password@]host[:port][/database], rediss:// for TLS, or plain
 * host[:port].
 */
#ifndef LOADERS_REDIS_URL_H
#define LOADERS_REDIS_URL_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

#define REDIS_PORT 6379

/* Zero-initialise. */
struct redis_url {
	char *host;
	uint16_t port;
	char *user, *password; /* NULL: none given. Percent-encoding is undone. */
	unsigned database;
	bool tls;
};

/* ERR_USAGE with a line that does not repeat the password. */
int redis_url_parse(struct redis_url *ret, const char *text, struct error *err) MUST_CHECK;
void redis_url_release(struct redis_url *u);

#endif
