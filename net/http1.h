/*
 * http1.h - HTTP/1.1 (RFC 9112) as a client speaks it, without a socket: request heads and replies.
 *
 * A head is built once; what differs between requests, the digits of Content-Length, stands at its end and is written
 * over. Replies are parsed by Debian's http-parser, which keeps nothing; the body is gathered here.
 */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "net/header.h"

struct http1_request {
	const char *method, *host, *path; /* "POST", "127.0.0.1:8501", "/v1/models/m:predict" */
	const char *content_type;         /* NULL: none */
	const struct call_header *headers;
	size_t nheaders;
};

/* Room that a head needs behind the text of http1_head_make. */
#define HTTP1_HEAD_ROOM 24

/* Appends all but the length. ERR_NOMEM, or ERR_USAGE for names, values or a path that would break out of their line. */
int http1_head_make(struct buf *head, const struct http1_request *q, struct error *err) MUST_CHECK;
/* Ends a head of which the first len bytes are http1_head_make's: the length of the whole. */
size_t http1_head_finish(char *head, size_t len, uint64_t body_size);

struct http1_reply {
	int status;
	const char *reason; /* of the status line, cut where very long, NUL-terminated */
	bool keep_alive;    /* false: the connection ends with this reply */
	int64_t header;     /* number in the wanted header; -1: there was none */
	char *body;         /* with a NUL behind it, the reader's to alter */
	size_t size;
};

struct http1_parser;

/* wanted (borrowed, may be NULL): a header whose number is handed back. Larger bodies than body_max are refused. */
int http1_parser_new(struct http1_parser **ret, const char *wanted, size_t body_max) MUST_CHECK;
void http1_parser_free(struct http1_parser *p);
/* Before each reply; the views of the one before end here. */
void http1_parser_reset(struct http1_parser *p);

/*
 * Feeds bytes of a reply: 1 when it is whole, with *ret_used bytes taken; 0 when more are needed; ERR_PROTOCOL for what
 * is no such reply, ERR_RANGE for one that is larger than allowed, ERR_NOMEM. After anything but 0: reset first.
 * Interim replies (100 Continue) are skipped.
 */
int http1_parser_feed(struct http1_parser *p, const char *bytes, size_t len, size_t *ret_used,
		      struct error *err) MUST_CHECK;
/* The connection ended: 1 when that ends a reply without a length, else ERR_CLOSED with what is missing. */
int http1_parser_end(struct http1_parser *p, struct error *err) MUST_CHECK;
/* Where the next bytes of a body of known length may be read to, to be fed from there without a copy; NULL: anywhere. */
char *http1_parser_room(struct http1_parser *p, size_t *ret_size);
/* Valid once the reply is whole. */
const struct http1_reply *http1_parser_reply(const struct http1_parser *p);

#endif
