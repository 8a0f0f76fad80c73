/*
 * rpc_internal.h - what rpc.c (the HTTP/2 session) and rpc_call.c (one call's message and status) share.
 */
#ifndef NET_RPC_INTERNAL_H
#define NET_RPC_INTERNAL_H

#include <nghttp2/nghttp2.h>

#include "common/buf.h"
#include "net/rpc.h"

#define RPC_PREFIX 5 /* of a message: compressed flag, length in four bytes, big endian */

struct rpc_call {
	unsigned number;
	int32_t stream;                 /* 0: not under way */
	struct rpc_call *next, *before; /* of the session's calls */
	/* The request: its prefix, then views; position in them of what is to be sent next. */
	unsigned char prefix[RPC_PREFIX];
	struct iovec *body;
	int nbody, views, at_view; /* views: room in body */
	size_t at_byte;            /* in view at_view, or in the prefix while left_prefix is not 0 */
	size_t left_prefix, left;
	/* The reply. */
	size_t message_max;
	unsigned char reply_prefix[RPC_PREFIX];
	unsigned nprefix;
	bool whole; /* the message is */
	size_t wanted;
	int http_status, status; /* -1: did not come */
	bool ended;              /* END_STREAM came */
	int code;                /* of what we found wrong; its text is in message_text */
	struct buf message, text;
};

/* Prepares for a call of `size` bytes in n views. ERR_RANGE. */
int rpc_call_begin(struct rpc_call *c, const struct iovec *body, int n, size_t size, size_t message_max);
/* How much of the request one DATA frame may carry: at most `most` bytes in at most `views` views. */
size_t rpc_call_next(const struct rpc_call *c, size_t most, int views);
/* Puts `len` bytes of the request into iov, which has room for all views that they touch: how many it took. */
int rpc_call_take(struct rpc_call *c, size_t len, struct iovec *iov);

/* Each returns 0, or the code with which the call is to be given up (kept in the call with its text). */
int rpc_call_data(struct rpc_call *c, const unsigned char *bytes, size_t len);
int rpc_call_header(struct rpc_call *c, const char *name, size_t name_len, const char *value, size_t len);
/* Settles the result: error_code is HTTP/2's. */
void rpc_call_end(struct rpc_call *c, uint32_t error_code);
int rpc_call_fail(struct rpc_call *c, int code, const char *text);

#endif
