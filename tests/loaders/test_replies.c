/*
 * test_replies.c - OKs are counted however they are cut; the first reply that is none ends the count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "loaders/replies.h"

static int feed_in_two(const char *text, size_t len, size_t cut, struct replies *r, uint64_t *count)
{
	int rc = replies_feed(r, text, cut, count);

	return rc < 0 ? rc : replies_feed(r, text + cut, len - cut, count);
}

static void oks_are_counted_when_cut_at_every_byte(void **state)
{
	static const char text[] = "+OK\r\n+OK\r\n+OK\r\n";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text); cut++) {
		struct replies r = {.len = 0};
		uint64_t count = 0;

		assert_int_equal(feed_in_two(text, sizeof(text) - 1, cut, &r, &count), 0);
		assert_int_equal(count, 3);
		assert_int_equal(r.len, 0);
	}
}

static void an_error_is_kept_whole_when_cut_at_every_byte(void **state)
{
	static const char text[] = "+OK\r\n+OK\r\n-OOM command not allowed\r\n+OK\r\n";

	(void)state;
	for (size_t cut = 0; cut < sizeof(text) - 6; cut++) {
		struct replies r = {.len = 0};
		uint64_t count = 0;

		assert_int_equal(feed_in_two(text, sizeof(text) - 1, cut, &r, &count), ERR_SERVER);
		assert_int_equal(count, 2);
		assert_string_equal(r.line, "OOM command not allowed");
	}
}

static void other_replies_and_garbage_are_protocol_errors(void **state)
{
	static const char *const texts[] = {":1\r\n",  "$-1\r\n",     "*0\r\n",    "HTTP/1.1 400 Bad Request\r\n",
					    "\r\n",    "+QUEUED\r\n", "+OKAY\r\n", "+O\r\n",
					    "+OK\rx\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct replies r = {.len = 0};
		uint64_t count = 0;

		assert_int_equal(replies_feed(&r, texts[i], strlen(texts[i]), &count), ERR_PROTOCOL);
		assert_int_equal(count, 0);
	}
}

static void an_endless_line_is_cut_and_judged(void **state)
{
	struct replies r = {.len = 0};
	uint64_t count = 0;
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[0] = '-';
	assert_int_equal(replies_feed(&r, text, sizeof(text), &count), ERR_SERVER);
	assert_int_equal(strlen(r.line), REPLY_LINE_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oks_are_counted_when_cut_at_every_byte),
		cmocka_unit_test(an_error_is_kept_whole_when_cut_at_every_byte),
		cmocka_unit_test(other_replies_and_garbage_are_protocol_errors),
		cmocka_unit_test(an_endless_line_is_cut_and_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
