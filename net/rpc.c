/*
 * rpc.c - a gRPC connection on nghttp2; see the header.
 *
 * Output is gathered into a list of views: frame headers and whatever is short are copied to a small arena behind one
 * another, long parts of messages stay where they are (NGHTTP2_DATA_FLAG_NO_COPY). A call that ends while parts of it
 * wait to be written leaves its memory: they become zeros, for a stream that nobody reads any more.
 */
#include "net/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/rpc_internal.h"

#define OUT_VIEWS 256
#define OUT_BYTES ((size_t)48 << 10)
#define OUT_BYTES_FREE ((size_t)20 << 10) /* what one frame other than DATA may take */
#define DATA_FRAME_MAX ((size_t)64 << 10) /* where the server takes such frames; 16 KiB are what all take */
#define COPY_MAX 256                      /* bytes that are cheaper to copy than to hand to sendmsg apart */
#define HEADERS_MAX ((size_t)8 << 10)
#define WINDOW_MAX INT32_MAX
#define FRAME_SIZE (256U << 10) /* that we take */
#define FIXED_HEADERS 7

struct rpc_session {
	const struct rpc_config *config;
	nghttp2_session *h2;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	nghttp2_nv *headers;
	size_t nheaders;
	struct rpc_call *calls; /* under way */
	unsigned ncalls;
	bool greeted, going_away, broken;
	struct error reason; /* what nghttp2 found wrong */
	struct rpc_output out;
	size_t nbytes;
	struct rpc_call *owners[OUT_VIEWS]; /* whose memory; NULL: bytes */
	struct iovec iov[OUT_VIEWS];
	unsigned char bytes[OUT_BYTES];
};

static const unsigned char zeros[DATA_FRAME_MAX];

/* ---- calls ---- */

/* The call is over: nothing of the session points to it any more. */
static void finish(struct rpc_session *s, struct rpc_call *c)
{
	for (int i = 0; i < s->out.n; i++) {
		if (s->owners[&s->out.iov[i] - s->iov] == c)
			s->out.iov[i].iov_base = (void *)zeros;
	}
	if (c->before)
		c->before->next = c->next;
	else
		s->calls = c->next;
	if (c->next)
		c->next->before = c->before;
	c->stream = 0;
	s->ncalls--;
	s->config->done(s->config->arg, c);
}

static struct rpc_call *call_of(struct rpc_session *s, int32_t stream)
{
	struct rpc_call *c = nghttp2_session_get_stream_user_data(s->h2, stream);

	return c && c->stream == stream ? c : NULL;
}

void rpc_session_cancel(struct rpc_session *s, struct rpc_call *c, int code, const char *why)
{
	rpc_call_fail(c, code, why);
	nghttp2_submit_rst_stream(s->h2, NGHTTP2_FLAG_NONE, c->stream, NGHTTP2_CANCEL);
	nghttp2_session_set_stream_user_data(s->h2, c->stream, NULL);
	finish(s, c);
}

void rpc_session_end(struct rpc_session *s, int code, const char *why)
{
	s->out.n = 0;
	while (s->calls) {
		rpc_call_fail(s->calls, code, why);
		finish(s, s->calls);
	}
}

/* ---- what nghttp2 tells ---- */

static int on_header(nghttp2_session *h2, const nghttp2_frame *frame, const uint8_t *name, size_t name_len,
		     const uint8_t *value, size_t len, uint8_t flags, void *arg)
{
	struct rpc_call *c = call_of(arg, frame->hd.stream_id);

	(void)h2;
	(void)flags;
	if (c && rpc_call_header(c, (const char *)name, name_len, (const char *)value, len) < 0)
		rpc_session_cancel(arg, c, ERR_PROTOCOL, "");
	return 0;
}

static int on_data(nghttp2_session *h2, uint8_t flags, int32_t stream, const uint8_t *bytes, size_t len, void *arg)
{
	struct rpc_call *c = call_of(arg, stream);

	(void)h2;
	(void)flags;
	if (c && rpc_call_data(c, bytes, len) < 0)
		rpc_session_cancel(arg, c, ERR_PROTOCOL, "");
	return 0;
}

static int on_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct rpc_session *s = arg;
	struct rpc_call *c;

	if (frame->hd.type == NGHTTP2_SETTINGS)
		s->greeted = true;
	else if (frame->hd.type == NGHTTP2_GOAWAY)
		s->going_away = true;
	if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) ||
	    !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	c = call_of(s, frame->hd.stream_id);
	if (!c)
		return 0;
	c->ended = true;
	/* Answered before it was asked: the rest of the request is of no use. */
	if (c->left_prefix + c->left > 0)
		nghttp2_submit_rst_stream(h2, NGHTTP2_FLAG_NONE, c->stream, NGHTTP2_NO_ERROR);
	return 0;
}

static int on_stream_close(nghttp2_session *h2, int32_t stream, uint32_t error_code, void *arg)
{
	struct rpc_session *s = arg;
	struct rpc_call *c = call_of(s, stream);

	(void)h2;
	if (!c)
		return 0;
	if (s->going_away && error_code == NGHTTP2_REFUSED_STREAM)
		rpc_call_fail(c, ERR_CLOSED, "the server is going away (GOAWAY) and did not take the request");
	rpc_call_end(c, error_code);
	finish(s, c);
	return 0;
}

/* We send GOAWAY only where nghttp2 found the server at fault. */
static int on_frame_sent(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	(void)h2;
	if (frame->hd.type == NGHTTP2_GOAWAY)
		((struct rpc_session *)arg)->broken = true;
	return 0;
}

static int on_error(nghttp2_session *h2, int code, const char *text, size_t len, void *arg)
{
	struct rpc_session *s = arg;

	(void)h2;
	(void)code;
	if (!s->reason.text[0])
		error_set(&s->reason, ERR_PROTOCOL, "%.*s", (int)(len < 200 ? len : 200), text);
	return 0;
}

/* ---- output ---- */

static void put_bytes(struct rpc_session *s, const void *data, size_t len)
{
	struct iovec *last = s->out.n > 0 ? &s->iov[s->out.n - 1] : NULL;
	unsigned char *to = s->bytes + s->nbytes;

	memcpy(to, data, len);
	s->nbytes += len;
	if (last && !s->owners[s->out.n - 1] && (unsigned char *)last->iov_base + last->iov_len == to) {
		last->iov_len += len;
		return;
	}
	s->owners[s->out.n] = NULL;
	s->iov[s->out.n++] = (struct iovec){.iov_base = to, .iov_len = len};
}

/* What a DATA frame may carry, if flow control and the server's largest frame let it: nghttp2 would take 16 KiB. */
static ssize_t data_frame_max(nghttp2_session *h2, uint8_t type, int32_t stream, int32_t session_window,
			      int32_t stream_window, uint32_t frame_max, void *arg)
{
	(void)h2;
	(void)type;
	(void)stream;
	(void)session_window;
	(void)stream_window;
	(void)frame_max;
	(void)arg;
	return DATA_FRAME_MAX;
}

/* How much goes into the next DATA frame: the whole list of views would do for it. */
static ssize_t read_request(nghttp2_session *h2, int32_t stream, uint8_t *buf, size_t length, uint32_t *flags,
			    nghttp2_data_source *source, void *arg)
{
	struct rpc_call *c = call_of(arg, stream);
	size_t n;

	(void)h2;
	(void)buf;
	(void)source;
	if (!c)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	n = rpc_call_next(c, length < DATA_FRAME_MAX ? length : DATA_FRAME_MAX, OUT_VIEWS / 2);
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n == c->left_prefix + c->left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static int send_data(nghttp2_session *h2, nghttp2_frame *frame, const uint8_t *framehd, size_t length,
		     nghttp2_data_source *source, void *arg)
{
	struct rpc_session *s = arg;
	struct rpc_call *c = call_of(s, frame->hd.stream_id);
	struct iovec views[OUT_VIEWS / 2 + 1];
	int n;

	(void)h2;
	(void)source;
	if (!c)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	if (OUT_VIEWS - s->out.n < OUT_VIEWS / 2 + 2 || OUT_BYTES - s->nbytes < OUT_BYTES_FREE)
		return NGHTTP2_ERR_WOULDBLOCK;
	put_bytes(s, framehd, 9);
	n = rpc_call_take(c, length, views);
	for (int i = 0; i < n; i++) {
		if (views[i].iov_len <= COPY_MAX && OUT_BYTES - s->nbytes > COPY_MAX) {
			put_bytes(s, views[i].iov_base, views[i].iov_len);
			continue;
		}
		s->owners[s->out.n] = c;
		s->iov[s->out.n++] = views[i];
	}
	return 0;
}

int rpc_session_output(struct rpc_session *s, struct rpc_output **ret, struct error *err)
{
	*ret = &s->out;
	if (s->out.n > 0)
		return 0;
	s->out.iov = s->iov;
	s->nbytes = 0;
	while (OUT_BYTES - s->nbytes >= OUT_BYTES_FREE && OUT_VIEWS - s->out.n > 1) {
		const uint8_t *data;
		ssize_t n = nghttp2_session_mem_send(s->h2, &data);

		if (n < 0 || (size_t)n > OUT_BYTES - s->nbytes)
			return error_set(err, n == NGHTTP2_ERR_NOMEM ? ERR_NOMEM : ERR_PROTOCOL, "HTTP/2: %s",
					 n < 0 ? nghttp2_strerror((int)n) : "a frame is too large");
		if (n == 0)
			break;
		put_bytes(s, data, (size_t)n);
	}
	if (s->broken)
		return error_set(err, ERR_PROTOCOL, "the server does not keep to HTTP/2%s%s",
				 s->reason.text[0] ? ": " : "", s->reason.text);
	return 0;
}

/* ---- the rest of the interface ---- */

int rpc_session_receive(struct rpc_session *s, const char *bytes, size_t len, struct error *err)
{
	ssize_t n = nghttp2_session_mem_recv(s->h2, (const uint8_t *)bytes, len);

	if (n == NGHTTP2_ERR_NOMEM)
		return error_set(err, ERR_NOMEM, "out of memory for the server's reply");
	if (n < 0)
		return error_set(err, ERR_PROTOCOL, "the server does not keep to HTTP/2: %s", nghttp2_strerror((int)n));
	return 0;
}

int rpc_session_submit(struct rpc_session *s, struct rpc_call *c, const struct iovec *body, int nbody, size_t size)
{
	const nghttp2_data_provider provider = {.source.ptr = NULL, .read_callback = read_request};
	int r;

	if (rpc_session_going_away(s))
		return ERR_CLOSED;
	r = rpc_call_begin(c, body, nbody, size, s->config->message_max);
	if (r < 0)
		return r;
	r = nghttp2_submit_request(s->h2, NULL, s->headers, s->nheaders, &provider, c);
	if (r < 0)
		return r == NGHTTP2_ERR_NOMEM ? ERR_NOMEM : ERR_CLOSED;
	c->stream = r;
	c->before = NULL;
	c->next = s->calls;
	if (s->calls)
		s->calls->before = c;
	s->calls = c;
	s->ncalls++;
	return 0;
}

int rpc_session_ping(struct rpc_session *s)
{
	return nghttp2_submit_ping(s->h2, NGHTTP2_FLAG_NONE, NULL) < 0 ? ERR_NOMEM : 0;
}

bool rpc_session_greeted(const struct rpc_session *s)
{
	return s->greeted;
}

bool rpc_session_going_away(const struct rpc_session *s)
{
	return s->going_away || !nghttp2_session_check_request_allowed(s->h2);
}

unsigned rpc_session_calls(const struct rpc_session *s)
{
	return s->ncalls;
}

/* ---- the beginning and the end ---- */

int rpc_session_start(struct rpc_session *s)
{
	const size_t message = s->config->message_max + RPC_PREFIX;
	const nghttp2_settings_entry settings[] = {
		{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
		{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, message < WINDOW_MAX ? (uint32_t)message : WINDOW_MAX},
		{NGHTTP2_SETTINGS_MAX_FRAME_SIZE, FRAME_SIZE},
	};

	rpc_session_end(s, ERR_CLOSED, "the connection was lost");
	nghttp2_session_del(s->h2);
	s->h2 = NULL;
	s->greeted = s->going_away = s->broken = false;
	s->reason.text[0] = '\0';
	if (nghttp2_session_client_new2(&s->h2, s->callbacks, s, s->option) < 0 ||
	    nghttp2_submit_settings(s->h2, NGHTTP2_FLAG_NONE, settings, sizeof(settings) / sizeof(settings[0])) < 0 ||
	    nghttp2_session_set_local_window_size(s->h2, NGHTTP2_FLAG_NONE, 0, WINDOW_MAX) < 0)
		return ERR_NOMEM;
	return 0;
}

static void set_callbacks(nghttp2_session_callbacks *c)
{
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_stream_close);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_frame_sent);
	nghttp2_session_callbacks_set_error_callback2(c, on_error);
	nghttp2_session_callbacks_set_data_source_read_length_callback(c, data_frame_max);
	nghttp2_session_callbacks_set_send_data_callback(c, send_data);
}

/* Names and values are the caller's: nghttp2 need not copy them for each request. */
static void add_header(struct rpc_session *s, const char *name, const char *value)
{
	s->headers[s->nheaders++] = (nghttp2_nv){
		.name = (uint8_t *)name,
		.value = (uint8_t *)value,
		.namelen = strlen(name),
		.valuelen = strlen(value),
		.flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE,
	};
}

static int make_headers(struct rpc_session *s, struct error *err)
{
	const struct rpc_config *cfg = s->config;
	size_t size = 0;

	add_header(s, ":method", "POST");
	add_header(s, ":scheme", cfg->scheme);
	add_header(s, ":path", cfg->path);
	add_header(s, ":authority", cfg->authority);
	add_header(s, "te", "trailers");
	add_header(s, "content-type", "application/grpc");
	add_header(s, "user-agent", "aibench");
	for (size_t i = 0; i < cfg->nheaders; i++)
		add_header(s, cfg->headers[i].name, cfg->headers[i].value);
	for (size_t i = 0; i < s->nheaders; i++) {
		const nghttp2_nv *h = &s->headers[i];

		size += h->namelen + h->valuelen + 32;
		if ((i >= FIXED_HEADERS && !nghttp2_check_header_name(h->name, h->namelen)) ||
		    !nghttp2_check_header_value(h->value, h->valuelen) || size > HEADERS_MAX)
			return error_set(err, ERR_USAGE, "\"%.100s: %.100s\" cannot be sent as a header", h->name,
					 h->value);
	}
	return 0;
}

int rpc_session_new(struct rpc_session **ret, const struct rpc_config *cfg, struct error *err)
{
	struct rpc_session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, ERR_NOMEM, "out of memory");
	s->config = cfg;
	s->headers = calloc(cfg->nheaders + FIXED_HEADERS, sizeof(*s->headers));
	if (!s->headers || nghttp2_session_callbacks_new(&s->callbacks) < 0 || nghttp2_option_new(&s->option) < 0) {
		r = error_set(err, ERR_NOMEM, "out of memory");
		goto fail;
	}
	set_callbacks(s->callbacks);
	nghttp2_option_set_no_closed_streams(s->option, 1);
	r = make_headers(s, err);
	if (r < 0)
		goto fail;
	if (rpc_session_start(s) < 0) {
		r = error_set(err, ERR_NOMEM, "out of memory");
		goto fail;
	}
	*ret = s;
	return 0;
fail:
	rpc_session_free(s);
	return r;
}

void rpc_session_free(struct rpc_session *s)
{
	if (!s)
		return;
	for (struct rpc_call *c = s->calls; c; c = c->next)
		c->stream = 0;
	nghttp2_session_del(s->h2);
	nghttp2_session_callbacks_del(s->callbacks);
	nghttp2_option_del(s->option);
	free(s->headers);
	free(s);
}
