/*
 * HTTP/1.1 without a socket: heads as they go out, replies whole and split at every byte, and what is no reply.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/http1.h"

#define LIMIT ((size_t)1 << 20)
#define WANTED "inference-header-content-length"

static struct http1_parser *new_parser(void)
{
	struct http1_parser *p;

	assert_int_equal(http1_parser_new(&p, WANTED, LIMIT), 0);
	return p;
}

/* Feeds text cut at `cut`: the code, with the bytes used of the whole. */
static int feed_cut(struct http1_parser *p, const char *text, size_t len, size_t cut, size_t *ret_used,
		    struct error *err)
{
	size_t used = 0;
	int r = http1_parser_feed(p, text, cut, &used, err);

	*ret_used = used;
	if (r != 0)
		return r;
	r = http1_parser_feed(p, text + cut, len - cut, &used, err);
	*ret_used = cut + used;
	return r;
}

static void head_has_the_length_at_its_end(void **state)
{
	const struct call_header header = {"x-a", "b c"};
	const struct http1_request q = {"POST", "127.0.0.1:1", "/v2/predict", "application/json", &header, 1};
	struct buf head = {0};
	size_t len;

	(void)state;
	assert_int_equal(http1_head_make(&head, &q, NULL), 0);
	len = head.len;
	assert_int_equal(buf_reserve(&head, HTTP1_HEAD_ROOM), 0);
	for (unsigned i = 0; i < 2; i++) {
		size_t n = http1_head_finish(head.data, len, i ? UINT64_MAX : 7);
		const char *wanted =
			i ? "POST /v2/predict HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUser-Agent: aibench\r\nAccept: */*\r\n"
			    "Content-Type: application/json\r\nx-a: b c\r\nContent-Length: 18446744073709551615\r\n\r\n"
			  : "POST /v2/predict HTTP/1.1\r\nHost: 127.0.0.1:1\r\nUser-Agent: aibench\r\nAccept: */*\r\n"
			    "Content-Type: application/json\r\nx-a: b c\r\nContent-Length: 7\r\n\r\n";

		assert_int_equal(n, strlen(wanted));
		assert_memory_equal(head.data, wanted, n);
	}
	buf_release(&head);
}

static void what_would_break_out_of_its_line_is_refused(void **state)
{
	static const struct call_header bad[] = {
		{"a", "b\r\nc: d"}, {"a:", "b"}, {"", "b"}, {"a b", "c"}, {"a\n", "b"}};
	struct http1_request q = {"POST", "h", "/a b", NULL, NULL, 0};
	struct buf head = {0};
	struct error err;

	(void)state;
	assert_int_equal(http1_head_make(&head, &q, &err), ERR_USAGE);
	q.path = "a";
	assert_int_equal(http1_head_make(&head, &q, &err), ERR_USAGE);
	q.path = "/";
	q.nheaders = 1;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		q.headers = &bad[i];
		assert_int_equal(http1_head_make(&head, &q, &err), ERR_USAGE);
	}
	buf_release(&head);
}

struct example {
	const char *text;
	int status;
	bool keep_alive;
	int64_t header;
	const char *body;
};

static const struct example examples[] = {
	{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nInference-Header-CONTENT-Length: 3 \r\n\r\nhello", 200, true, 3,
	 "hello"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n", 200,
	 true, -1, "helloabc"},
	{"HTTP/1.1 100 Continue\r\nInference-Header-Content-Length: 1\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: "
	 "1\r\n\r\nx",
	 200, true, -1, "x"},
	{"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno", 400, false, -1, "no"},
	{"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 200, false, -1, ""},
	{"HTTP/1.1 204 No Content\r\nInference-Header-Content-Length: 12x\r\n\r\n", 204, true, -1, ""},
	{"HTTP/1.1 200 OK\r\nInference-Header-Content-Length: 99999999999999999999\r\nContent-Length: 1\r\n\r\nx", 200,
	 true, -1, "x"},
	{"HTTP/1.1 200 OK\r\nInference-Header-Content-Lengt: 4\r\nInference-Header-Content-Lengthy: 5\r\n"
	 "Inference-Header-Content-Length: 6\r\nInference-Header-Content-Length: 7\r\nContent-Length: 1\r\n\r\nx",
	 200, true, 6, "x"},
};

static void replies_are_the_same_split_at_every_byte(void **state)
{
	struct http1_parser *p = new_parser();

	(void)state;
	for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
		const struct example *e = &examples[i];
		size_t len = strlen(e->text), used;
		char *bytes = malloc(len + 4);

		memcpy(bytes, e->text, len);
		memcpy(bytes + len, "next", 4);
		for (size_t cut = 0; cut < len; cut++) {
			const struct http1_reply *r = http1_parser_reply(p);
			struct error err;

			http1_parser_reset(p);
			assert_int_equal(feed_cut(p, bytes, len + 4, cut, &used, &err), 1);
			assert_int_equal(used, len);
			assert_int_equal(r->status, e->status);
			assert_int_equal(r->keep_alive, e->keep_alive);
			assert_int_equal(r->header, e->header);
			assert_string_equal(r->body, e->body);
			assert_int_equal(r->size, strlen(e->body));
		}
		free(bytes);
	}
	http1_parser_free(p);
}

static void reply_without_length_ends_with_the_connection(void **state)
{
	const char *text = "HTTP/1.1 500 Oops\r\n\r\nwords";
	struct http1_parser *p = new_parser();
	size_t used;

	(void)state;
	for (size_t cut = 0; cut <= strlen(text); cut++) {
		http1_parser_reset(p);
		assert_int_equal(feed_cut(p, text, strlen(text), cut, &used, NULL), 0);
		assert_int_equal(http1_parser_end(p, NULL), 1);
		assert_int_equal(http1_parser_reply(p)->status, 500);
		assert_string_equal(http1_parser_reply(p)->reason, "Oops");
		assert_string_equal(http1_parser_reply(p)->body, "words");
		assert_false(http1_parser_reply(p)->keep_alive);
	}
	http1_parser_free(p);
}

static void end_in_the_middle_is_told(void **state)
{
	const char *text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell";
	struct http1_parser *p = new_parser();
	size_t used;

	(void)state;
	for (size_t len = 0; len <= strlen(text); len++) {
		struct error err = {""};

		http1_parser_reset(p);
		assert_int_equal(http1_parser_feed(p, text, len, &used, &err), 0);
		assert_int_equal(http1_parser_end(p, &err), ERR_CLOSED);
		assert_non_null(strstr(err.text, len == 0 ? "without an answer" : "in the middle of its reply"));
	}
	http1_parser_free(p);
}

static void malformed_and_lying_replies_are_errors(void **state)
{
	static const char *const bad[] = {
		"\x16\x03\x01 garbage",
		"-ERR unknown command\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n",
	};
	struct http1_parser *p = new_parser();
	size_t used;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t cut = 0; cut < strlen(bad[i]); cut++) {
			struct error err = {""};

			http1_parser_reset(p);
			assert_int_equal(feed_cut(p, bad[i], strlen(bad[i]), cut, &used, &err), ERR_PROTOCOL);
			assert_string_not_equal(err.text, "");
		}
	}
	http1_parser_free(p);
}

static void header_floods_are_errors(void **state)
{
	struct http1_parser *p = new_parser();
	size_t used;
	int r = http1_parser_feed(p, "HTTP/1.1 200 OK\r\n", 17, &used, NULL);

	(void)state;
	for (unsigned i = 0; i < 100000 && r == 0; i++)
		r = http1_parser_feed(p, "a: b\r\n", 6, &used, NULL);
	assert_int_equal(r, ERR_PROTOCOL);
	http1_parser_free(p);
}

static void bodies_over_the_limit_are_refused(void **state)
{
	char *megabyte = calloc(1, LIMIT);
	struct http1_parser *p = new_parser();
	size_t used;

	(void)state;
	assert_int_equal(http1_parser_feed(p, "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", 44, &used, NULL),
			 ERR_RANGE);
	http1_parser_reset(p);
	assert_int_equal(http1_parser_feed(p, "HTTP/1.1 200 OK\r\n\r\n1", 20, &used, NULL), 0);
	assert_int_equal(http1_parser_feed(p, megabyte, LIMIT - 1, &used, NULL), 0);
	assert_int_equal(http1_parser_feed(p, "2", 1, &used, NULL), ERR_RANGE);
	http1_parser_free(p);
	free(megabyte);
}

static void large_bodies_are_read_in_place(void **state)
{
	struct http1_parser *p = new_parser();
	const char *start;
	size_t used, room;
	char *to;

	(void)state;
	assert_null(http1_parser_room(p, &room));
	assert_int_equal(http1_parser_feed(p, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nab", 45, &used, NULL),
			 0);
	to = http1_parser_room(p, &room);
	assert_non_null(to);
	start = to - 2;
	assert_int_equal(room, 99998);
	memset(to, 'x', 60000);
	assert_int_equal(http1_parser_feed(p, to, 60000, &used, NULL), 0);
	to = http1_parser_room(p, &room);
	assert_int_equal(room, 39998);
	memset(to, 'y', 39998);
	assert_int_equal(http1_parser_feed(p, to, 39998, &used, NULL), 1);
	assert_ptr_equal(http1_parser_reply(p)->body, start);
	assert_int_equal(strlen(start), 100000);
	assert_memory_equal(start + 60000, "xxyyyy", 6);
	http1_parser_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(head_has_the_length_at_its_end),
		cmocka_unit_test(what_would_break_out_of_its_line_is_refused),
		cmocka_unit_test(replies_are_the_same_split_at_every_byte),
		cmocka_unit_test(reply_without_length_ends_with_the_connection),
		cmocka_unit_test(end_in_the_middle_is_told),
		cmocka_unit_test(malformed_and_lying_replies_are_errors),
		cmocka_unit_test(header_floods_are_errors),
		cmocka_unit_test(bodies_over_the_limit_are_refused),
		cmocka_unit_test(large_bodies_are_read_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
