/*
 * grpc_fetch.h - one gRPC call that is waited for, over the lean transport: health, metadata, statistics. Not for the
 * measuring path.
 */
#ifndef DRIVERS_GRPC_FETCH_H
#define DRIVERS_GRPC_FETCH_H

#include "common/buf.h"
#include "drivers/call.h"

struct grpc_fetch {
	struct endpoint *server;
	const struct conn_options *conn; /* time-out, interrupt, TLS options */
	const char *path;                /* "/package.Service/Method" */
	const void *message;
	size_t size;
};

/* 0 with the reply appended to ret, or as a call ends: ERR_SERVER with *ret_status gRPC's code (-1: none came) and a line
 * with the server's words, ERR_CONNECT, ERR_TIMEOUT, ERR_CANCELED, … */
int grpc_fetch(const struct grpc_fetch *f, int *ret_status, struct buf *ret, struct error *err) MUST_CHECK;

#endif
