/*
 * gRPC without a socket, against nghttp2's server: requests as views, replies split at every byte, ends of every kind.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "common/arith.h"
#include "common/buf.h"
#include "net/rpc.h"

#define MESSAGE_MAX ((size_t)1 << 20)

/* ---- the server: answers the first stream from `reply`, keeps what it sent and got ---- */

struct server {
	nghttp2_session *h2;
	struct buf got;  /* of the request's body */
	struct buf sent; /* bytes to the client */
	const char *reply;
	size_t reply_size, at;
	const char *status, *message; /* of the trailers; NULL: none */
	unsigned frames;              /* of DATA that came */
	bool ended;
};

static int server_data(nghttp2_session *h2, uint8_t flags, int32_t id, const uint8_t *data, size_t len, void *arg)
{
	(void)h2;
	(void)flags;
	(void)id;
	return buf_append(&((struct server *)arg)->got, data, len);
}

static int server_frame(nghttp2_session *h2, const nghttp2_frame *frame, void *arg)
{
	struct server *s = arg;

	(void)h2;
	s->frames += frame->hd.type == NGHTTP2_DATA;
	if (frame->hd.type == NGHTTP2_DATA && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		s->ended = true;
	return 0;
}

static ssize_t server_read(nghttp2_session *h2, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
			   nghttp2_data_source *source, void *arg)
{
	struct server *s = arg;
	size_t n = s->reply_size - s->at < length ? s->reply_size - s->at : length;

	(void)source;
	memcpy(buf, s->reply + s->at, n);
	s->at += n;
	if (s->at == s->reply_size) {
		nghttp2_nv trailers[] = {{(uint8_t *)"grpc-status", (uint8_t *)s->status, 11, 0, 0},
					 {(uint8_t *)"grpc-message", (uint8_t *)s->message, 12, 0, 0}};

		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (s->status) {
			trailers[0].valuelen = strlen(s->status);
			trailers[1].valuelen = s->message ? strlen(s->message) : 0;
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			nghttp2_submit_trailer(h2, id, trailers, s->message ? 2 : 1);
		}
	}
	return (ssize_t)n;
}

static void server_new(struct server *s)
{
	nghttp2_session_callbacks *c;

	memset(s, 0, sizeof(*s));
	nghttp2_session_callbacks_new(&c);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, server_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, server_frame);
	assert_int_equal(nghttp2_session_server_new(&s->h2, c, s), 0);
	nghttp2_session_callbacks_del(c);
	nghttp2_submit_settings(s->h2, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void server_free(struct server *s)
{
	nghttp2_session_del(s->h2);
	buf_release(&s->got);
	buf_release(&s->sent);
}

/* Moves what the server has to say behind s->sent. */
static void server_collect(struct server *s)
{
	const uint8_t *data;
	ssize_t n;

	while ((n = nghttp2_session_mem_send(s->h2, &data)) > 0)
		buf_append(&s->sent, data, (size_t)n);
}

static void server_answer(struct server *s, const char *http_status, const void *reply, size_t size, const char *status,
			  const char *message)
{
	const nghttp2_nv headers[] = {
		{(uint8_t *)":status", (uint8_t *)http_status, 7, strlen(http_status), 0},
		{(uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0},
	};
	const nghttp2_data_provider provider = {.read_callback = server_read};

	s->reply = reply;
	s->reply_size = size;
	s->status = status;
	s->message = message;
	assert_int_equal(nghttp2_submit_response(s->h2, 1, headers, 2, &provider), 0);
}

/* ---- the client ---- */

struct client {
	struct rpc_config config;
	struct rpc_session *session;
	struct rpc_call *call;
	unsigned ended;
	struct rpc_result result;
};

static void call_done(void *arg, struct rpc_call *call)
{
	struct client *c = arg;

	c->ended++;
	rpc_call_result(call, &c->result);
}

static void client_new(struct client *c)
{
	memset(c, 0, sizeof(*c));
	c->config = (struct rpc_config){.scheme = "http",
					.authority = "localhost:1",
					.path = "/p.S/M",
					.message_max = MESSAGE_MAX,
					.done = call_done,
					.arg = c};
	assert_int_equal(rpc_session_new(&c->session, &c->config, NULL), 0);
	assert_int_equal(rpc_call_new(&c->call, 7, 1), 0);
	assert_int_equal(rpc_call_number(c->call), 7);
}

static void client_free(struct client *c)
{
	rpc_session_free(c->session);
	rpc_call_free(c->call);
}

/* Writes at most `piece` bytes at a time to the server. */
static void client_write(struct client *c, struct server *s, size_t piece)
{
	struct rpc_output *out;

	while (rpc_session_output(c->session, &out, NULL) == 0 && out->n > 0) {
		size_t n = out->iov->iov_len < piece ? out->iov->iov_len : piece;

		if (s)
			assert_int_equal(nghttp2_session_mem_recv(s->h2, out->iov->iov_base, n), n);
		out->iov->iov_base = (char *)out->iov->iov_base + n;
		out->iov->iov_len -= n;
		if (out->iov->iov_len == 0) {
			out->iov++;
			out->n--;
		}
	}
}

static void client_submit(struct client *c, const char *body, size_t size)
{
	const struct iovec view = {.iov_base = (void *)body, .iov_len = size};

	assert_int_equal(rpc_session_submit(c->session, c->call, &view, 1, size), 0);
}

static const char hello[] = "\0\0\0\0\5hello";

/* What a server sends for one call of "x", with its answer made by `answer`. */
static void record(struct server *s, void (*answer)(struct server *s))
{
	struct client c;

	client_new(&c);
	server_new(s);
	client_submit(&c, "x", 1);
	client_write(&c, s, 1000000);
	assert_true(s->ended);
	assert_int_equal(s->got.len, 6);
	assert_memory_equal(s->got.data, "\0\0\0\0\1x", 6);
	answer(s);
	server_collect(s);
	client_free(&c);
}

/* Plays it to a client, cut at `cut`. */
static void play(struct client *c, const struct server *s, size_t cut)
{
	client_new(c);
	client_submit(c, "x", 1);
	client_write(c, NULL, 1000000);
	assert_int_equal(rpc_session_receive(c->session, s->sent.data, cut, NULL), 0);
	client_write(c, NULL, 1000000);
	assert_int_equal(rpc_session_receive(c->session, s->sent.data + cut, s->sent.len - cut, NULL), 0);
	client_write(c, NULL, 1000000);
}

static void answer_hello(struct server *s)
{
	server_answer(s, "200", hello, 10, "0", NULL);
}

static void replies_are_the_same_split_at_every_byte(void **state)
{
	struct server s;
	struct client c;

	(void)state;
	record(&s, answer_hello);
	for (size_t cut = 0; cut <= s.sent.len; cut++) {
		play(&c, &s, cut);
		assert_int_equal(c.ended, 1);
		assert_int_equal(c.result.code, 0);
		assert_int_equal(c.result.status, 0);
		assert_int_equal(c.result.size, 5);
		assert_string_equal(c.result.message, "hello");
		assert_true(rpc_session_greeted(c.session));
		assert_int_equal(rpc_session_calls(c.session), 0);
		client_free(&c);
	}
	server_free(&s);
}

static void answer_refused(struct server *s)
{
	const nghttp2_nv headers[] = {
		{(uint8_t *)":status", (uint8_t *)"200", 7, 3, 0},
		{(uint8_t *)"content-type", (uint8_t *)"application/grpc", 12, 16, 0},
		{(uint8_t *)"grpc-status", (uint8_t *)"3", 11, 1, 0},
		{(uint8_t *)"grpc-message", (uint8_t *)"50%25 %zz%C3%BC%", 12, 16, 0},
	};

	nghttp2_submit_response(s->h2, 1, headers, 4, NULL);
}

static void answer_late_status(struct server *s)
{
	server_answer(s, "200", hello, 10, "13", "broke");
}

static void answer_page(struct server *s)
{
	server_answer(s, "404", "no page", 7, NULL, NULL);
}

static void answer_reset(struct server *s)
{
	nghttp2_submit_rst_stream(s->h2, NGHTTP2_FLAG_NONE, 1, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void answer_without_status(struct server *s)
{
	server_answer(s, "200", hello, 10, NULL, NULL);
}

static void answer_compressed(struct server *s)
{
	server_answer(s, "200", "\1\0\0\0\5hello", 10, "0", NULL);
}

static void answer_half(struct server *s)
{
	server_answer(s, "200", hello, 8, "0", NULL);
}

static void answer_twice(struct server *s)
{
	server_answer(s, "200", "\0\0\0\0\5hello\0\0\0\0\5hello", 20, "0", NULL);
}

static void answer_nothing(struct server *s)
{
	server_answer(s, "200", "", 0, "0", NULL);
}

static void answer_too_large(struct server *s)
{
	server_answer(s, "200", "\0\x7f\xff\xff\xff", 5, "0", NULL);
}

static void answer_no_grpc(struct server *s)
{
	server_answer(s, "200", "\7\0\0\0\5hello", 10, "0", NULL);
}

static void answer_odd_status(struct server *s)
{
	server_answer(s, "200", hello, 10, "abc", NULL);
}

static void answer_going_away(struct server *s)
{
	nghttp2_submit_goaway(s->h2, NGHTTP2_FLAG_NONE, 0, NGHTTP2_NO_ERROR, NULL, 0);
}

static void every_bad_end_has_its_code_and_words(void **state)
{
	static const struct {
		void (*answer)(struct server *s);
		int code, status;
		const char *words;
	} cases[] = {
		{answer_refused, ERR_SERVER, RPC_INVALID_ARGUMENT, "50% %zzü%"},
		{answer_late_status, ERR_SERVER, RPC_INTERNAL, "broke"},
		{answer_page, ERR_SERVER, RPC_UNIMPLEMENTED, "HTTP status 404: no page"},
		{answer_reset, ERR_SERVER, RPC_RESOURCE_EXHAUSTED, "ENHANCE_YOUR_CALM"},
		{answer_without_status, ERR_PROTOCOL, -1, "no grpc-status"},
		{answer_compressed, ERR_UNSUPPORTED, -1, "compressed"},
		{answer_half, ERR_PROTOCOL, 0, "not whole"},
		{answer_twice, ERR_PROTOCOL, -1, "more than one message"},
		{answer_nothing, ERR_PROTOCOL, 0, "no message"},
		{answer_too_large, ERR_RANGE, -1, "more than the limit"},
		{answer_no_grpc, ERR_PROTOCOL, -1, "no gRPC message"},
		{answer_odd_status, ERR_SERVER, RPC_UNKNOWN, ""},
		{answer_going_away, ERR_CLOSED, -1, "GOAWAY"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct server s;
		struct client c;

		record(&s, cases[i].answer);
		for (size_t cut = 0; cut <= s.sent.len; cut++) {
			play(&c, &s, cut);
			assert_int_equal(c.ended, 1);
			if (c.result.code != cases[i].code || c.result.status != cases[i].status ||
			    !strstr(c.result.text, cases[i].words))
				fail_msg("case %zu, cut %zu: code %d, status %d: %s", i, cut, c.result.code,
					 c.result.status, c.result.text);
			client_free(&c);
		}
		server_free(&s);
	}
}

/* Room for a whole large request, in frames of frame_max: flow control has a test of its own. */
static void server_gives_room(struct server *s, struct client *c, uint32_t frame_max)
{
	const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1 << 20},
						   {NGHTTP2_SETTINGS_MAX_FRAME_SIZE, frame_max}};

	nghttp2_session_set_local_window_size(s->h2, NGHTTP2_FLAG_NONE, 0, 1 << 20);
	nghttp2_submit_settings(s->h2, NGHTTP2_FLAG_NONE, settings, ARRAY_LEN(settings));
	server_collect(s);
	assert_int_equal(rpc_session_receive(c->session, s->sent.data, s->sent.len, NULL), 0);
}

static void large_requests_are_views_of_the_callers_memory(void **state)
{
	size_t size = 602112, views = 0;
	char *body = malloc(size);
	struct rpc_output *out;
	struct client c;
	struct server s;

	(void)state;
	for (size_t i = 0; i < size; i++)
		body[i] = (char)(i * 2654435761U >> 11);
	client_new(&c);
	server_new(&s);
	server_gives_room(&s, &c, 16 << 10);
	client_submit(&c, body, size);
	while (rpc_session_output(c.session, &out, NULL) == 0 && out->n > 0) {
		for (; out->n > 0; out->iov++, out->n--) {
			const char *at = out->iov->iov_base;

			if (at >= body && at < body + size)
				views += out->iov->iov_len;
			assert_int_equal(nghttp2_session_mem_recv(s.h2, out->iov->iov_base, out->iov->iov_len),
					 out->iov->iov_len);
		}
	}
	assert_true(s.ended);
	assert_true(views > size - 1000);
	assert_int_equal(s.got.len, size + 5);
	assert_memory_equal(s.got.data + 5, body, size);
	client_free(&c);
	server_free(&s);
	free(body);
}

static void frames_are_larger_where_the_server_takes_them(void **state)
{
	static const struct {
		uint32_t frame_max;
		unsigned frames;
	} servers[] = {{16 << 10, 37}, {40000, 16}, {1 << 20, 10}};
	size_t size = 602112;
	char *body = calloc(1, size);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
		struct client c;
		struct server s;

		client_new(&c);
		server_new(&s);
		server_gives_room(&s, &c, servers[i].frame_max);
		client_submit(&c, body, size);
		client_write(&c, &s, 1000000);
		assert_true(s.ended);
		assert_int_equal(s.got.len, size + 5);
		assert_int_equal(s.frames, servers[i].frames);
		client_free(&c);
		server_free(&s);
	}
	free(body);
}

static void flow_control_is_kept_to(void **state)
{
	size_t size = 300000, rounds = 0;
	char *body = calloc(1, size);
	struct client c;
	struct server s;

	(void)state;
	client_new(&c);
	server_new(&s);
	client_submit(&c, body, size);
	while (!s.ended) {
		assert_true(++rounds < 1000);
		client_write(&c, &s, 777);
		s.sent.len = 0;
		server_collect(&s);
		if (s.sent.len > 0)
			assert_int_equal(rpc_session_receive(c.session, s.sent.data, s.sent.len, NULL), 0);
	}
	assert_true(rounds > 2);
	assert_int_equal(s.got.len, size + 5);
	client_free(&c);
	server_free(&s);
	free(body);
}

static void call_that_is_given_up_leaves_its_memory(void **state)
{
	size_t size = 602112;
	char *body = malloc(size);
	struct rpc_output *out;
	struct client c;
	struct server s;

	(void)state;
	memset(body, 'x', size);
	client_new(&c);
	server_new(&s);
	server_gives_room(&s, &c, 1 << 20);
	client_submit(&c, body, size);
	assert_int_equal(rpc_session_output(c.session, &out, NULL), 0);
	assert_true(out->n > 1);
	rpc_session_cancel(c.session, c.call, ERR_TIMEOUT, "late");
	free(body);
	assert_int_equal(c.ended, 1);
	assert_int_equal(c.result.code, ERR_TIMEOUT);
	assert_string_equal(c.result.text, "late");
	assert_false(rpc_call_under_way(c.call));
	for (int i = 0; i < out->n; i++) {
		for (size_t j = 0; j < out->iov[i].iov_len; j++)
			assert_int_not_equal(((const char *)out->iov[i].iov_base)[j], 'x');
	}
	client_write(&c, NULL, 1000000);
	client_free(&c);
	server_free(&s);
}

static void what_is_no_http2_ends_the_connection(void **state)
{
	static const char http1[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	struct rpc_output *out;
	struct client c;

	(void)state;
	for (size_t cut = 0; cut < sizeof(http1); cut++) {
		struct error err = {""};
		int r;

		client_new(&c);
		client_submit(&c, "x", 1);
		client_write(&c, NULL, 1000000);
		r = rpc_session_receive(c.session, http1, cut, &err);
		if (r == 0)
			r = rpc_session_receive(c.session, http1 + cut, sizeof(http1) - 1 - cut, &err);
		if (r == 0)
			r = rpc_session_output(c.session, &out, &err);
		assert_int_equal(r, ERR_PROTOCOL);
		assert_non_null(strstr(err.text, "HTTP/2"));
		rpc_session_end(c.session, ERR_PROTOCOL, "over");
		assert_int_equal(c.ended, 1);
		client_free(&c);
	}
}

static void new_connection_starts_afresh(void **state)
{
	struct server s;
	struct client c;

	(void)state;
	record(&s, answer_going_away);
	play(&c, &s, 5);
	assert_true(rpc_session_going_away(c.session));
	assert_int_equal(rpc_session_submit(c.session, c.call, NULL, 0, 0), ERR_CLOSED);
	server_free(&s);
	record(&s, answer_hello);
	assert_int_equal(rpc_session_start(c.session), 0);
	assert_false(rpc_session_going_away(c.session) || rpc_session_greeted(c.session));
	client_submit(&c, "x", 1);
	client_write(&c, NULL, 1000000);
	assert_int_equal(rpc_session_receive(c.session, s.sent.data, s.sent.len, NULL), 0);
	assert_int_equal(c.ended, 2);
	assert_string_equal(c.result.message, "hello");
	client_free(&c);
	server_free(&s);
}

static void headers_that_cannot_be_sent_are_refused(void **state)
{
	static const struct call_header bad[] = {{"Upper", "x"}, {"a b", "x"}, {"x", "a\r\nb"}, {"", "x"}};
	struct rpc_config cfg = {.scheme = "http", .authority = "h", .path = "/", .nheaders = 1};
	struct rpc_session *s;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cfg.headers = &bad[i];
		assert_int_equal(rpc_session_new(&s, &cfg, &err), ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replies_are_the_same_split_at_every_byte),
		cmocka_unit_test(every_bad_end_has_its_code_and_words),
		cmocka_unit_test(large_requests_are_views_of_the_callers_memory),
		cmocka_unit_test(frames_are_larger_where_the_server_takes_them),
		cmocka_unit_test(flow_control_is_kept_to),
		cmocka_unit_test(call_that_is_given_up_leaves_its_memory),
		cmocka_unit_test(what_is_no_http2_ends_the_connection),
		cmocka_unit_test(new_connection_starts_afresh),
		cmocka_unit_test(headers_that_cannot_be_sent_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
