/*
 * http_listen.h - a listening TCP socket.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_LISTEN_H
#define SERVERS_MODEL_SERVER_HTTP_LISTEN_H

#include "common/error.h"

/* address: a name or an address, NULL: 127.0.0.1. port 0: a free one, to *ret_port as any other. */
int http_listen(int *ret_fd, const char *address, unsigned short port, unsigned short *ret_port,
		struct error *err) MUST_CHECK;

#endif
