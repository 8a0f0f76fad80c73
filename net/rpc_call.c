/*
 * rpc_call.c - one gRPC call: its request cut into frames, its reply's message and status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/text.h"
#include "net/rpc_internal.h"

#define TEXT_MAX 2048

static const char *const status_names[] = {
	"OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
	"ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
	"DATA_LOSS", "UNAUTHENTICATED",
};

const char *rpc_status_name(int status)
{
	return status >= 0 && (size_t)status < ARRAY_LEN(status_names) ? status_names[status] : "UNKNOWN";
}

int rpc_call_new(struct rpc_call **ret, unsigned number, int views)
{
	struct rpc_call *c = calloc(1, sizeof(*c));

	if (!c)
		return ERR_NOMEM;
	c->body = calloc((size_t)views + 1, sizeof(*c->body));
	if (!c->body) {
		free(c);
		return ERR_NOMEM;
	}
	c->views = views;
	c->number = number;
	c->status = -1;
	*ret = c;
	return 0;
}

void rpc_call_free(struct rpc_call *c)
{
	if (!c)
		return;
	buf_release(&c->message);
	buf_release(&c->text);
	free(c->body);
	free(c);
}

unsigned rpc_call_number(const struct rpc_call *c)
{
	return c->number;
}

bool rpc_call_under_way(const struct rpc_call *c)
{
	return c->stream != 0;
}

void rpc_call_result(const struct rpc_call *c, struct rpc_result *ret)
{
	*ret = (struct rpc_result){
		.code = c->code,
		.status = c->status,
		.message = c->message.data && c->message.len > 0 ? c->message.data : "",
		.size = c->message.len,
		.text = c->text.data ? c->text.data : "",
	};
}

/* ---- the request ---- */

int rpc_call_begin(struct rpc_call *c, const struct iovec *body, int n, size_t size, size_t message_max)
{
	c->nbody = 0;
	c->left = 0;
	if (size > UINT32_MAX || n > c->views)
		return ERR_RANGE;
	for (int i = 0; i < n; i++) {
		if (body[i].iov_len == 0)
			continue;
		c->body[c->nbody++] = body[i];
		c->left += body[i].iov_len;
	}
	if (c->left != size)
		return ERR_INVALID;
	for (unsigned i = 0; i < 4; i++)
		c->prefix[1 + i] = (unsigned char)(size >> (24 - 8 * i));
	c->at_view = 0;
	c->at_byte = 0;
	c->left_prefix = RPC_PREFIX;
	c->message_max = message_max;
	c->nprefix = 0;
	c->whole = c->ended = false;
	c->wanted = 0;
	c->http_status = c->status = -1;
	c->code = 0;
	buf_clear(&c->message);
	buf_clear(&c->text);
	return 0;
}

size_t rpc_call_next(const struct rpc_call *c, size_t most, int views)
{
	size_t n = c->left_prefix, at_byte = c->at_byte;

	for (int i = c->at_view; i < c->nbody && views > 0 && n < most; i++, views--) {
		n += c->body[i].iov_len - at_byte;
		at_byte = 0;
	}
	return n < most ? n : most;
}

int rpc_call_take(struct rpc_call *c, size_t len, struct iovec *iov)
{
	int n = 0;

	if (c->left_prefix > 0) {
		size_t part = len < c->left_prefix ? len : c->left_prefix;

		iov[n++] = (struct iovec){.iov_base = c->prefix + RPC_PREFIX - c->left_prefix, .iov_len = part};
		c->left_prefix -= part;
		len -= part;
	}
	while (len > 0) {
		const struct iovec *v = &c->body[c->at_view];
		size_t part = v->iov_len - c->at_byte;

		if (part > len)
			part = len;
		if (part > 0)
			iov[n++] = (struct iovec){.iov_base = (char *)v->iov_base + c->at_byte, .iov_len = part};
		c->at_byte += part;
		c->left -= part;
		len -= part;
		if (c->at_byte == v->iov_len) {
			c->at_view++;
			c->at_byte = 0;
		}
	}
	return n;
}

/* ---- the reply ---- */

int rpc_call_fail(struct rpc_call *c, int code, const char *text)
{
	if (c->code)
		return c->code;
	c->code = code;
	buf_clear(&c->text);
	buf_append(&c->text, text, strlen(text));
	return code;
}

/* The five bytes before a message are there. */
static int prefix_read(struct rpc_call *c)
{
	const unsigned char *p = c->reply_prefix;
	char text[96];

	if (p[0] == 1)
		return rpc_call_fail(c, ERR_UNSUPPORTED, "the reply is compressed, which was not asked for");
	if (p[0] != 0)
		return rpc_call_fail(c, ERR_PROTOCOL, "the reply is no gRPC message");
	c->wanted = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
	if (c->wanted > c->message_max) {
		snprintf(text, sizeof(text), "the reply has %zu bytes, more than the limit of %zu", c->wanted,
			 c->message_max);
		return rpc_call_fail(c, ERR_RANGE, text);
	}
	if (buf_reserve(&c->message, c->wanted) < 0)
		return rpc_call_fail(c, ERR_NOMEM, "out of memory for the reply");
	c->whole = c->wanted == 0;
	return 0;
}

int rpc_call_data(struct rpc_call *c, const unsigned char *bytes, size_t len)
{
	if (c->http_status != 200) {
		/* Not gRPC: a proxy's page, of which the first words are told. */
		size_t room = c->text.len < TEXT_MAX ? TEXT_MAX - c->text.len : 0;

		buf_append(&c->text, bytes, len < room ? len : room);
		return 0;
	}
	while (len > 0 && c->code == 0) {
		size_t part;

		if (c->whole)
			return rpc_call_fail(c, ERR_PROTOCOL, "the server sent more than one message");
		if (c->nprefix < RPC_PREFIX) {
			c->reply_prefix[c->nprefix++] = *bytes++;
			len--;
			if (c->nprefix == RPC_PREFIX)
				prefix_read(c);
			continue;
		}
		part = c->wanted - c->message.len;
		if (part > len)
			part = len;
		if (buf_append(&c->message, bytes, part) < 0)
			return rpc_call_fail(c, ERR_NOMEM, "out of memory for the reply");
		bytes += part;
		len -= part;
		c->whole = c->message.len == c->wanted;
	}
	return c->code;
}

/* A small decimal number, or -1. */
static int small_number(const char *text, size_t len)
{
	int value = 0;

	if (len == 0 || len > 6)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(text[i]))
			return -1;
		value = value * 10 + (text[i] - '0');
	}
	return value;
}

/* grpc-message is percent-encoded; what is not a proper escape stands for itself. NUL would end our text. */
static void decode_message(struct buf *to, const char *text, size_t len)
{
	if (len > TEXT_MAX)
		len = TEXT_MAX;
	buf_clear(to);
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%' && i + 2 < len && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
			c = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
			i += 2;
		}
		if (c == '\0')
			c = ' ';
		buf_append(to, &c, 1);
	}
}

int rpc_call_header(struct rpc_call *c, const char *name, size_t name_len, const char *value, size_t len)
{
	if (c->code)
		return c->code;
	if (bytes_equal(name, name_len, ":status")) {
		c->http_status = small_number(value, len);
	} else if (bytes_equal(name, name_len, "grpc-status")) {
		c->status = small_number(value, len);
		if (c->status < 0)
			c->status = RPC_UNKNOWN;
	} else if (bytes_equal(name, name_len, "grpc-message")) {
		decode_message(&c->text, value, len);
	} else if (c->http_status == 200 && bytes_equal(name, name_len, "content-type") &&
		   (len < 16 || strncmp(value, "application/grpc", 16) != 0)) {
		return rpc_call_fail(c, ERR_PROTOCOL,
				     "the server does not speak gRPC there: its content type is another");
	}
	return 0;
}

/* gRPC's table "HTTP to gRPC Status Code Mapping". */
static int status_of_http(int http)
{
	switch (http) {
	case 400:
		return RPC_INTERNAL;
	case 401:
		return RPC_UNAUTHENTICATED;
	case 403:
		return RPC_PERMISSION_DENIED;
	case 404:
		return RPC_UNIMPLEMENTED;
	case 429:
	case 502:
	case 503:
	case 504:
		return RPC_UNAVAILABLE;
	default:
		return RPC_UNKNOWN;
	}
}

/* gRPC's table of HTTP/2 error codes. */
static int status_of_reset(uint32_t error_code)
{
	switch (error_code) {
	case NGHTTP2_REFUSED_STREAM:
		return RPC_UNAVAILABLE;
	case NGHTTP2_CANCEL:
		return RPC_CANCELLED;
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return RPC_RESOURCE_EXHAUSTED;
	case NGHTTP2_INADEQUATE_SECURITY:
		return RPC_PERMISSION_DENIED;
	default:
		return RPC_INTERNAL;
	}
}

static void end_without_status(struct rpc_call *c, uint32_t error_code)
{
	char text[TEXT_MAX + 64];

	if (c->http_status > 0 && c->http_status != 200) {
		snprintf(text, sizeof(text), "HTTP status %d%s%s", c->http_status, c->text.len ? ": " : "",
			 c->text.len ? c->text.data : "");
		c->status = status_of_http(c->http_status);
		rpc_call_fail(c, ERR_SERVER, text);
	} else if (error_code != NGHTTP2_NO_ERROR) {
		snprintf(text, sizeof(text), "the server reset the stream (%s)", nghttp2_http2_strerror(error_code));
		c->status = status_of_reset(error_code);
		rpc_call_fail(c, ERR_SERVER, text);
	} else {
		rpc_call_fail(c, ERR_PROTOCOL, "the server's reply has no grpc-status");
	}
}

void rpc_call_end(struct rpc_call *c, uint32_t error_code)
{
	if (c->code)
		return;
	if (c->status < 0 || (c->status == RPC_OK && !c->ended)) {
		c->status = -1;
		end_without_status(c, error_code);
	} else if (c->status != RPC_OK) {
		c->code = ERR_SERVER;
	} else if (c->nprefix == 0) {
		rpc_call_fail(c, ERR_PROTOCOL, "the server's reply has no message");
	} else if (!c->whole) {
		rpc_call_fail(c, ERR_PROTOCOL, "the server's message is not whole");
	}
}
