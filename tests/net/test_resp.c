/*
 * The Redis protocol: golden replies, whole and in pieces, and what must be refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "net/resp.h"

static const struct golden {
	const char *bytes;
	const char *shown; /* as show() writes the nodes */
} GOLDEN[] = {
	{"+OK\r\n", "0+OK"},
	{"+\r\n", "0+"},
	{"-ERR unknown command 'x'\r\n", "0-ERR unknown command 'x'"},
	{":0\r\n", "0:0"},
	{":-9223372036854775808\r\n", "0:-9223372036854775808"},
	{"$-1\r\n", "0_"},
	{"*-1\r\n", "0_"},
	{"$0\r\n\r\n", "0$"},
	{"$5\r\na\r\nb\n\r\n", "0$a\r\nb\n"},
	{"*0\r\n", "0*0"},
	{"*3\r\n+OK\r\n+OK\r\n$8\r\n12345678\r\n", "0*3 1+OK 1+OK 1$12345678"},
	{"*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n$-1\r\n", "0*2 1*2 2:1 2:2 1*1 2_"},
	{"*3\r\n*0\r\n-ERR a\r\n*1\r\n$1\r\nx\r\n", "0*3 1*0 1-ERR a 1*1 2$x"},
	{"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:7\r\n", "0*1 1*1 2*1 3*1 4*1 5*1 6:7"},
};

static void show(char *out, size_t size, const struct resp_node *nodes, size_t n)
{
	static const char SIGNS[] = {[RESP_STRING] = '$',  [RESP_STATUS] = '+', [RESP_ERROR] = '-',
				     [RESP_INTEGER] = ':', [RESP_NIL] = '_',    [RESP_ARRAY] = '*'};
	size_t at = 0;

	*out = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct resp_node *node = &nodes[i];

		at += (size_t)snprintf(out + at, size - at, "%s%u%c", i ? " " : "", node->depth, SIGNS[node->type]);
		if (node->type == RESP_INTEGER || node->type == RESP_ARRAY)
			at += (size_t)snprintf(out + at, size - at, "%jd", (intmax_t)node->integer);
		else if (node->type != RESP_NIL)
			at += (size_t)snprintf(out + at, size - at, "%.*s", (int)node->len, node->data);
		assert_true(at < size);
	}
}

static void assert_next(struct resp_reader *r, const char *shown)
{
	const struct resp_node *nodes;
	struct error err;
	char got[1000];
	size_t n;

	assert_int_equal(resp_reader_next(r, &nodes, &n, &err), 1);
	show(got, sizeof(got), nodes, n);
	assert_string_equal(got, shown);
}

static void assert_no_more(struct resp_reader *r)
{
	const struct resp_node *nodes = NULL;
	struct error err;
	size_t n = 77;

	assert_int_equal(resp_reader_next(r, &nodes, &n, &err), 0);
	assert_null(nodes);
	assert_int_equal(n, 77);
}

static int setup(void **state)
{
	return resp_reader_new((struct resp_reader **)state);
}

static int teardown(void **state)
{
	resp_reader_free(*state);
	return 0;
}

static void golden_replies_split_at_every_byte(void **state)
{
	struct resp_reader *r = *state;

	for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
		size_t len = strlen(GOLDEN[i].bytes);

		for (size_t cut = 0; cut < len; cut++) {
			/* A copy of the exact size, so that a sanitizer sees a byte too many. */
			char *first = malloc(cut + 1), *second = malloc(len - cut);

			memcpy(first, GOLDEN[i].bytes, cut);
			memcpy(second, GOLDEN[i].bytes + cut, len - cut);
			assert_int_equal(resp_reader_feed(r, first, cut), 0);
			assert_no_more(r);
			memset(first, '#', cut + 1);
			free(first);
			assert_int_equal(resp_reader_feed(r, second, len - cut), 0);
			assert_next(r, GOLDEN[i].shown);
			free(second);
			assert_no_more(r);
		}
	}
}

static void golden_replies_in_one_stream_of_single_bytes(void **state)
{
	struct resp_reader *r = *state;

	for (int round = 0; round < 20; round++) { /* more than the 1024 bytes after which hiredis moves its buffer */
		for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++) {
			const char *p = GOLDEN[i].bytes;

			for (; p[1]; p++) {
				assert_int_equal(resp_reader_feed(r, p, 1), 0);
				assert_no_more(r);
			}
			assert_int_equal(resp_reader_feed(r, p, 1), 0);
			assert_next(r, GOLDEN[i].shown);
		}
	}
}

static void pipelined_replies_come_one_by_one(void **state)
{
	struct resp_reader *r = *state;

	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++)
			assert_int_equal(resp_reader_feed(r, GOLDEN[i].bytes, strlen(GOLDEN[i].bytes)), 0);
	}
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < ARRAY_LEN(GOLDEN); i++)
			assert_next(r, GOLDEN[i].shown);
	}
	assert_no_more(r);
}

/* What came early must still be there when the rest of a large reply has arrived. */
static void large_reply_in_pieces_keeps_its_beginning(void **state)
{
	enum { LARGE = 300000, PIECE = 1000 };
	struct resp_reader *r = *state;
	const struct resp_node *nodes;
	struct buf b = {0};
	char *large = malloc(LARGE);
	struct error err;
	size_t n;

	for (size_t i = 0; i < LARGE; i++)
		large[i] = (char)(i * 7 + i / 256);
	buf_printf(&b, "*4\r\n$5\r\nfirst\r\n$%d\r\n", LARGE);
	buf_append(&b, large, LARGE);
	buf_printf(&b, "\r\n+middle\r\n$%d\r\n", LARGE);
	buf_append(&b, large, LARGE);
	buf_append(&b, "\r\n", 2);
	assert_false(b.failed);
	for (int round = 0; round < 3; round++) {
		for (size_t at = 0; at < b.len; at += PIECE) {
			size_t piece = b.len - at < PIECE ? b.len - at : PIECE;

			assert_no_more(r);
			assert_int_equal(resp_reader_feed(r, b.data + at, piece), 0);
		}
		assert_int_equal(resp_reader_next(r, &nodes, &n, &err), 1);
		assert_int_equal(resp_reader_feed(r, "*1\r\n", 4), 0); /* views outlive feeding */
		assert_int_equal(n, 5);
		assert_memory_equal(nodes[1].data, "first", 5);
		assert_int_equal(nodes[2].len, LARGE);
		assert_memory_equal(nodes[2].data, large, LARGE);
		assert_memory_equal(nodes[3].data, "middle", 6);
		assert_memory_equal(nodes[4].data, large, LARGE);
		assert_int_equal(resp_reader_feed(r, ":1\r\n", 4), 0);
		assert_next(r, "0*1 1:1");
	}
	buf_release(&b);
	free(large);
}

static void malformed_replies_are_refused(void **state)
{
	static const char *const BAD[] = {
		"HTTP/1.1 400 Bad Request\r\n",
		"\r\n",
		"\x15\x03\x01",
		"hello",
		":12x\r\n",
		":\r\n",
		":99999999999999999999\r\n",
		"$-2\r\n",
		"$x\r\n",
		"$\r\n",
		"$99999999999999999999\r\n",
		"*-2\r\n",
		"*x\r\n",
		"*2147483648\r\n",
		"*2\r\n:1\r\n!\r\n",
		"$3\r\nabcde\r\n",
		"$3\r\nabcd\r\n",
		"$3\r\nab\r\n\r\n",
		"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
	};
	struct resp_reader *r = *state;
	const struct resp_node *nodes;
	struct error err;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
		size_t len = strlen(BAD[i]);

		for (size_t cut = 0; cut < len; cut++) {
			int result;

			assert_int_equal(resp_reader_feed(r, BAD[i], cut), 0);
			result = resp_reader_next(r, &nodes, &n, &err);
			if (result == 0) {
				assert_int_equal(resp_reader_feed(r, BAD[i] + cut, len - cut), 0);
				result = resp_reader_next(r, &nodes, &n, &err);
			}
			if (result != ERR_PROTOCOL)
				fail_msg("%s gave %d", BAD[i], result);
			assert_memory_equal(err.text, "malformed reply: ", 17);
			/* It stays refused until a reset. */
			assert_int_equal(resp_reader_next(r, &nodes, &n, &err), ERR_PROTOCOL);
			resp_reader_reset(r);
			assert_no_more(r);
		}
	}
	assert_int_equal(resp_reader_feed(r, "+OK\r\n", 5), 0);
	assert_next(r, "0+OK");
}

static void reset_drops_half_a_reply(void **state)
{
	struct resp_reader *r = *state;

	assert_int_equal(resp_reader_feed(r, "*2\r\n$3\r\nabc\r\n$10\r\nab", 20), 0);
	assert_no_more(r);
	resp_reader_reset(r);
	assert_int_equal(resp_reader_feed(r, "+OK\r\n", 5), 0);
	assert_next(r, "0+OK");
}

/* A length is only a promise: neither takes memory, both wait for more. */
static void huge_declared_lengths_wait(void **state)
{
	struct resp_reader *r = *state;

	assert_int_equal(resp_reader_feed(r, "*2147483647\r\n$9223372036854775807\r\nabc", 38), 0);
	assert_no_more(r);
	resp_reader_reset(r);
	assert_int_equal(resp_reader_feed(r, "$536870912\r\nabc", 15), 0);
	assert_no_more(r);
}

static void line_without_end_is_refused(void **state)
{
	struct resp_reader *r = *state;
	const struct resp_node *nodes;
	static char block[10000];
	struct error err;
	size_t n, fed = 0;
	int result = 0;

	memset(block, 'x', sizeof(block));
	assert_int_equal(resp_reader_feed(r, "-", 1), 0);
	while (result == 0 && fed < 1000000) {
		assert_int_equal(resp_reader_feed(r, block, sizeof(block)), 0);
		fed += sizeof(block);
		result = resp_reader_next(r, &nodes, &n, &err);
	}
	assert_int_equal(result, ERR_PROTOCOL);
	assert_int_equal(resp_reader_feed(r, "\r\n", 2), 0);
	assert_int_equal(resp_reader_next(r, &nodes, &n, &err), ERR_PROTOCOL);
}

static void commands_are_built_to_the_byte(void **state)
{
	static const char WANT[] = "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\na\0\r\n\r\n*1\r\n$4\r\nPING\r\n";
	const char *set[] = {"SET", "", "a\0\r\n"}, *ping[] = {"PING"};
	const size_t lens[] = {3, 0, 4};
	struct buf b = {0};

	(void)state;
	assert_int_equal(resp_append_command(&b, 3, set, lens), 0);
	assert_int_equal(resp_append_command(&b, 1, ping, NULL), 0);
	assert_int_equal(b.len, sizeof(WANT) - 1);
	assert_memory_equal(b.data, WANT, b.len);
	buf_release(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(golden_replies_split_at_every_byte), TEST(golden_replies_in_one_stream_of_single_bytes),
		TEST(pipelined_replies_come_one_by_one),  TEST(large_reply_in_pieces_keeps_its_beginning),
		TEST(malformed_replies_are_refused),      TEST(reset_drops_half_a_reply),
		TEST(huge_declared_lengths_wait),         TEST(line_without_end_is_refused),
		TEST(commands_are_built_to_the_byte),
	};

	return cmocka_run_group_tests_name("resp", tests, NULL, NULL);
}
