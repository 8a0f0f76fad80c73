/*
 * http_body.h - a request's body, gathered from the pieces in which it comes.
 *
 * Its memory can be laid so that a given byte of it is aligned for a tensor, which then needs no copy.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_BODY_H
#define SERVERS_MODEL_SERVER_HTTP_BODY_H

#include <stddef.h>

#include "common/error.h"

#define HTTP_BODY_ALIGNMENT 64

/* Zero-initialise; data[len] is NUL once anything was added or http_body_end was called. */
struct http_body {
	char *data;
	size_t len;
	/* Set before the first byte: */
	size_t expected;       /* what the client said; 0: it did not */
	size_t aligned_offset; /* the byte that is aligned */
	/* private: */
	char *memory;
	size_t cap; /* bytes from data on, without the NUL */
};

int http_body_add(struct http_body *b, const char *data, size_t len) MUST_CHECK;
/* Makes an empty body a text of no bytes. */
int http_body_end(struct http_body *b) MUST_CHECK;
void http_body_release(struct http_body *b);

#endif
