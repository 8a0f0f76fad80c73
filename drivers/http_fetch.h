/*
 * http_fetch.h - one HTTP request that is waited for, by libcurl: health, metadata, metrics. Not for the measuring path.
 */
#ifndef DRIVERS_HTTP_FETCH_H
#define DRIVERS_HTTP_FETCH_H

#include "common/buf.h"
#include "net/conn.h"
#include "net/header.h"

struct http_fetch {
	const struct endpoint *server;
	const struct conn_options *conn; /* time-out, interrupt, TLS options */
	const char *path;
	const char *content_type; /* NULL: GET; else POST of body */
	const void *body;
	size_t size;
	const struct call_header *headers;
	size_t nheaders;
	size_t body_max; /* of the reply; 0: 16 MiB */
};

/* Any status is an answer: 0 with *ret_status and the body appended to ret. Else ERR_CONNECT, ERR_TIMEOUT, ERR_CLOSED,
 * ERR_PROTOCOL, ERR_TLS, ERR_RANGE, ERR_CANCELED, ERR_NOMEM with a line that names the server. */
int http_fetch(const struct http_fetch *f, int *ret_status, struct buf *ret, struct error *err) MUST_CHECK;

#endif
