/*
 * http_client.h - a blocking HTTP/1.1 client for tests that shows every byte: what is sent is what the test wrote.
 *
 * Whatever is not received within 20 s fails the test.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_HTTP_CLIENT_H
#define TESTS_SERVERS_MODEL_SERVER_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

struct http_reply {
	unsigned status;
	struct buf head;   /* status line and headers, NUL-terminated */
	struct buf body;   /* NUL-terminated */
	char problem[160]; /* of http_try_receive: what was wrong; empty: nothing, or a clean end */
};

/* A connection to 127.0.0.1. */
int http_connect(unsigned short port);
/* False: the server has closed, or took nothing within 20 s. */
bool http_send(int fd, const void *data, size_t len);
/* One reply (of a GET or POST); false: the server closed before its first byte. Zero-initialise the reply the first
 * time; http_reply_release in the end. */
bool http_receive(int fd, struct http_reply *ret);
/* The same without a test to fail, for threads: false with a problem, too. */
bool http_try_receive(int fd, struct http_reply *ret);
void http_reply_release(struct http_reply *r);
/* A header's value, copied to ret; "" if it is not there. */
const char *http_reply_header(const struct http_reply *r, const char *name, char *ret, size_t size);

/* The text of a request. headers: lines that end in CRLF, or NULL; Content-Length is added. */
void http_request_text(struct buf *ret, const char *method, const char *path, const char *headers, const void *body,
		       size_t len);
/* A request on a connection of its own. */
void http_ask(unsigned short port, const char *method, const char *path, const char *headers, const void *body,
	      size_t len, struct http_reply *ret);

#endif
