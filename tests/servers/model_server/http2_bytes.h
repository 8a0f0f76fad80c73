/*
 * http2_bytes.h - HTTP/2 as a gRPC client writes it, byte for byte, for clients that misbehave (RFC 9113, RFC 7541).
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_HTTP2_BYTES_H
#define TESTS_SERVERS_MODEL_SERVER_HTTP2_BYTES_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum http2_type {
	HTTP2_DATA = 0,
	HTTP2_HEADERS = 1,
	HTTP2_RST_STREAM = 3,
	HTTP2_SETTINGS = 4,
	HTTP2_PING = 6,
	HTTP2_GOAWAY = 7,
	HTTP2_WINDOW_UPDATE = 8
};

#define HTTP2_END_STREAM 1
#define HTTP2_END_HEADERS 4

/* The preface and empty SETTINGS: the beginning of every connection. */
void http2_put_preface(struct buf *b);
void http2_put_frame(struct buf *b, enum http2_type type, unsigned flags, uint32_t stream, const void *data,
		     size_t len);
/* The headers of a call of this method. */
void http2_put_call(struct buf *b, uint32_t stream, const char *method);
/* A whole message with its prefix, in one DATA frame; the end of the stream if `last`. */
void http2_put_message(struct buf *b, uint32_t stream, const void *message, size_t len, bool last);

#endif
