/*
 * call_server_grpc.c - the gRPC of the test's server, on an nghttp2 server session; see call_server.h.
 */
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/drivers/call_server.h"

/* One stream: the request's bytes, then the answer's. */
struct stream {
	struct stream *next;
	struct buf body;
	char path[256];
	size_t sent, size;    /* of the answer */
	bool trailers, defer; /* behind it: trailers; nothing any more */
	enum call_fault fault;
};

struct session {
	struct call_client *client;
	nghttp2_session *h2;
	struct stream *streams;
	bool close; /* when all is written */
};

#define NV(n, v) \
	{ \
		(uint8_t *)(n), (uint8_t *)(v), sizeof(n) - 1, sizeof(v) - 1, NGHTTP2_NV_FLAG_NONE \
	}

static const nghttp2_nv headers[] = {NV(":status", "200"), NV("content-type", "application/grpc+proto")};
static const nghttp2_nv ok[] = {NV("grpc-status", "0")};
static const nghttp2_nv page[] = {NV(":status", "503"), NV("content-type", "text/html")};

static ssize_t write_bytes(nghttp2_session *h2, const uint8_t *data, size_t len, int flags, void *arg)
{
	(void)h2;
	(void)flags;
	return call_client_write(((struct session *)arg)->client, data, len) ? (ssize_t)len
									     : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t read_answer(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
			   nghttp2_data_source *source, void *arg)
{
	struct stream *s = source->ptr;
	size_t n = s->size - s->sent;

	(void)arg;
	if (n > length)
		n = length;
	if (n == 0 && s->defer)
		return NGHTTP2_ERR_DEFERRED;
	memcpy(buf, s->body.data + s->sent, n);
	s->sent += n;
	if (s->sent == s->size && !s->defer) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (s->trailers) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			nghttp2_submit_trailer(h2, id, ok, 1);
		}
	}
	return (ssize_t)n;
}

static void respond(struct session *ss, int32_t id, struct stream *s, const nghttp2_nv *nv, size_t n)
{
	const nghttp2_data_provider provider = {.source.ptr = s, .read_callback = read_answer};

	s->size = s->body.len;
	nghttp2_submit_response(ss->h2, id, nv, n, &provider);
}

/* The handler's answer in place of the request's body; its refusal is sent at once. True: that was it. */
static bool ask_handler(struct session *ss, int32_t id, struct stream *s)
{
	struct call_server *server = ss->client->server;
	struct call_answer a = {0};
	char code[12];

	if (s->body.len < 5)
		buf_append(&s->body, "\0\0\0\0", 5 - s->body.len);
	server->handler(server, s->path, s->body.data + 5, s->body.len - 5, &a);
	buf_clear(&s->body);
	if (a.status) {
		const nghttp2_nv status = NV(":status", "200");
		nghttp2_nv error[] = {status, NV("grpc-status", ""), NV("grpc-message", "")};

		snprintf(code, sizeof(code), "%d", a.status);
		error[1].value = (uint8_t *)code;
		error[1].valuelen = strlen(code);
		error[2].value = (uint8_t *)a.body.data;
		error[2].valuelen = a.body.len;
		nghttp2_submit_response(ss->h2, id, error, 3, NULL);
	} else {
		const char prefix[5] = {0, (char)(a.body.len >> 24), (char)(a.body.len >> 16), (char)(a.body.len >> 8),
					(char)a.body.len};

		buf_append(&s->body, prefix, 5);
		if (a.body.len > 0)
			buf_append(&s->body, a.body.data, a.body.len);
	}
	buf_release(&a.body);
	return a.status != 0;
}

static void refuse(struct session *ss, int32_t id)
{
	const nghttp2_nv error[] = {
		NV(":status", "200"),
		NV("content-type", "application/grpc"),
		NV("grpc-status", "5"),
		NV("grpc-message", "the server's own words: 50%25 %C3%BCber"),
	};

	nghttp2_submit_response(ss->h2, id, error, 4, NULL);
}

/* The whole request came: answers it, or makes the fault. */
static int answer(struct session *ss, int32_t id, struct stream *s)
{
	static const char words[] = "<html>no such host here</html>";
	char piece[4096];

	s->trailers = true;
	s->fault = call_server_next_fault(ss->client->server);
	switch (s->fault) {
	case CALL_FAULT_RESET:
		call_client_reset(ss->client);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	case CALL_FAULT_CLOSE:
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	case CALL_FAULT_GARBAGE:
		call_client_write(ss->client, "HTTP/1.1 400 Bad Request\r\n\r\n and more that is no frame", 55);
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	case CALL_FAULT_SILENCE:
		while (call_client_read(ss->client, piece, sizeof(piece)) > 0)
			;
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	case CALL_FAULT_HALF:
		s->defer = ss->close = true;
		s->body.len -= s->body.len / 2;
		break;
	case CALL_FAULT_ERROR:
		refuse(ss, id);
		return 0;
	case CALL_FAULT_LAST:
		nghttp2_submit_goaway(ss->h2, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR, NULL, 0);
		break;
	case CALL_FAULT_IDLE_CLOSE:
		ss->close = true;
		break;
	case CALL_FAULT_RESET_STREAM:
		return nghttp2_submit_rst_stream(ss->h2, NGHTTP2_FLAG_NONE, id, NGHTTP2_REFUSED_STREAM);
	case CALL_FAULT_GO_AWAY:
		ss->close = true;
		return nghttp2_submit_goaway(ss->h2, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
	case CALL_FAULT_PAGE:
		buf_clear(&s->body);
		buf_append(&s->body, words, strlen(words));
		s->trailers = false;
		respond(ss, id, s, page, 2);
		return 0;
	case CALL_FAULT_COMPRESSED:
		s->body.data[0] = 1;
		break;
	case CALL_FAULT_NO_STATUS:
		s->trailers = false;
		break;
	case CALL_FAULT_NO_MESSAGE:
		s->body.len = 0;
		break;
	case CALL_FAULT_TWO:
		buf_reserve(&s->body, s->body.len);
		buf_append(&s->body, s->body.data, s->body.len);
		break;
	default:
		if (ss->client->server->handler && ask_handler(ss, id, s))
			return 0;
		break;
	}
	respond(ss, id, s, headers, 2);
	return 0;
}

static int on_begin(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct session *ss = arg;
	struct stream *s = calloc(1, sizeof(*s));

	s->next = ss->streams;
	ss->streams = s;
	return nghttp2_session_set_stream_user_data(h2, frame->hd.stream_id, s);
}

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t len, uint8_t flags, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);

	(void)flags;
	(void)arg;
	if (s && name_len == 5 && memcmp(name, ":path", 5) == 0 && len < sizeof(s->path))
		memcpy(s->path, value, len);
	return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(h2, id);

	(void)flags;
	(void)arg;
	buf_append(&s->body, data, len);
	return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct stream *s = nghttp2_session_get_stream_user_data(h2, frame->hd.stream_id);

	if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	return answer(arg, frame->hd.stream_id, s);
}

static nghttp2_session *new_session(struct session *ss)
{
	const nghttp2_settings_entry windows[] = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
	nghttp2_session_callbacks *c;
	nghttp2_session *h2;

	nghttp2_session_callbacks_new(&c);
	nghttp2_session_callbacks_set_send_callback(c, write_bytes);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c, on_begin);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_server_new(&h2, c, ss);
	nghttp2_session_callbacks_del(c);
	nghttp2_submit_settings(h2, NGHTTP2_FLAG_NONE, windows, 1);
	return h2;
}

void call_server_grpc(struct call_client *c)
{
	struct session ss = {.client = c};
	char piece[65536];

	ss.h2 = new_session(&ss);
	while (nghttp2_session_send(ss.h2) == 0 && !ss.close) {
		long n = call_client_read(c, piece, sizeof(piece));

		if (n <= 0 || nghttp2_session_mem_recv(ss.h2, (const uint8_t *)piece, (size_t)n) < 0)
			break;
	}
	nghttp2_session_del(ss.h2);
	while (ss.streams) {
		struct stream *s = ss.streams;

		ss.streams = s->next;
		buf_release(&s->body);
		free(s);
	}
}
