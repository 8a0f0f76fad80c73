/*
 * resp.h - the Redis protocol (RESP2) without a socket: build commands, read replies.
 *
 * Reading is hiredis' reader with reply functions of our own that build nothing: the replies of one request are
 * flattened into a caller's array of nodes in document order, so nothing is allocated once the buffers have grown
 * to the largest reply.
 */
#ifndef NET_RESP_H
#define NET_RESP_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"

enum resp_type { RESP_STRING, RESP_STATUS, RESP_ERROR, RESP_INTEGER, RESP_NIL, RESP_ARRAY };

/* One element of a reply, depth first: an array is followed by its elements. */
struct resp_node {
	enum resp_type type;
	unsigned depth;   /* 0: the reply itself */
	int64_t integer;  /* INTEGER: the value; ARRAY: number of elements */
	const char *data; /* STRING, STATUS, ERROR: bytes, a view valid until the next resp_reader_next or _reset */
	size_t len;
};

struct resp_reader;

int resp_reader_new(struct resp_reader **ret) MUST_CHECK;
void resp_reader_free(struct resp_reader *r);
/* After a reconnect: drops all that was fed. */
void resp_reader_reset(struct resp_reader *r);
/* ERR_NOMEM; ERR_RANGE for more than 1 GiB unread; ERR_PROTOCOL after a malformed reply, until a reset. */
int resp_reader_feed(struct resp_reader *r, const void *bytes, size_t len) MUST_CHECK;
/*
 * Reads the next whole reply: 1 with *ret and *ret_n set to its nodes, 0 when more bytes are needed, ERR_PROTOCOL with
 * the reason for garbage (arrays nested deeper than 7 are), ERR_NOMEM. Views are valid until the next call of this
 * function or of resp_reader_reset; feeding leaves them alone.
 */
int resp_reader_next(struct resp_reader *r, const struct resp_node **ret, size_t *ret_n, struct error *err) MUST_CHECK;

/* Command building off the measuring path: *N header, then arguments. */
int resp_append_header(struct buf *b, size_t nargs);
int resp_append_arg(struct buf *b, const void *data, size_t len);
int resp_append_command(struct buf *b, size_t nargs, const char *const *args,
			const size_t *lens); /* lens NULL: strlen */

#endif
