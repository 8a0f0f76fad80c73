/*
 * http2_bytes.c - frames, and headers as literals that enter no table.
 */
#include "tests/servers/model_server/http2_bytes.h"

#include <string.h>

static const char PREFACE[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

static void put_frame_head(struct buf *b, enum http2_type type, unsigned flags, uint32_t stream, size_t len)
{
	const unsigned char head[9] = {
		(unsigned char)(len >> 16),    (unsigned char)(len >> 8),    (unsigned char)len,
		(unsigned char)type,           (unsigned char)flags,         (unsigned char)(stream >> 24),
		(unsigned char)(stream >> 16), (unsigned char)(stream >> 8), (unsigned char)stream};

	buf_append(b, head, sizeof(head));
}

void http2_put_preface(struct buf *b)
{
	buf_append(b, PREFACE, sizeof(PREFACE) - 1);
	http2_put_frame(b, HTTP2_SETTINGS, 0, 0, "", 0);
}

void http2_put_frame(struct buf *b, enum http2_type type, unsigned flags, uint32_t stream, const void *data, size_t len)
{
	put_frame_head(b, type, flags, stream, len);
	buf_append(b, data, len);
}

/* "Literal Header Field without Indexing": neither name nor value is longer than 126 bytes. */
static void put_header(struct buf *b, const char *name, const char *value)
{
	const unsigned char literal = 0, name_len = (unsigned char)strlen(name),
			    value_len = (unsigned char)strlen(value);

	buf_append(b, &literal, 1);
	buf_append(b, &name_len, 1);
	buf_append(b, name, name_len);
	buf_append(b, &value_len, 1);
	buf_append(b, value, value_len);
}

void http2_put_call(struct buf *b, uint32_t stream, const char *method)
{
	struct buf headers = {0};

	put_header(&headers, ":method", "POST");
	put_header(&headers, ":scheme", "http");
	put_header(&headers, ":path", method);
	put_header(&headers, ":authority", "localhost");
	put_header(&headers, "te", "trailers");
	put_header(&headers, "content-type", "application/grpc");
	http2_put_frame(b, HTTP2_HEADERS, HTTP2_END_HEADERS, stream, headers.data, headers.len);
	buf_release(&headers);
}

void http2_put_message(struct buf *b, uint32_t stream, const void *message, size_t len, bool last)
{
	const unsigned char prefix[5] = {0, (unsigned char)(len >> 24), (unsigned char)(len >> 16),
					 (unsigned char)(len >> 8), (unsigned char)len};

	put_frame_head(b, HTTP2_DATA, last ? HTTP2_END_STREAM : 0, stream, sizeof(prefix) + len);
	buf_append(b, prefix, sizeof(prefix));
	buf_append(b, message, len);
}
