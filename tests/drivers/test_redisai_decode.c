/*
 * test_redisai_decode.c - replies of RedisAI, whole and in pieces, and what is made of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/redisai_decode.h"

/* Feeds text in two pieces cut at `cut` and judges its replies as one request's. Returns the first code that is not 0,
 * or ERR_AGAIN if the replies are not whole. */
static int judge(const char *text, size_t len, size_t cut, bool dag, struct answer *ret, float values[2],
		 struct error *err)
{
	struct resp_reader *reader;
	const struct resp_node *nodes;
	unsigned index = 0, wanted = dag ? 1 : 3;
	int code = 0;
	size_t n;

	assert_int_equal(resp_reader_new(&reader), 0);
	for (unsigned half = 0; half < 2; half++) {
		const char *p = half ? text + cut : text;

		assert_int_equal(resp_reader_feed(reader, p, half ? len - cut : cut), 0);
		while (index < wanted && resp_reader_next(reader, &nodes, &n, err) == 1) {
			int r = redisai_decode(dag, 3, index++, nodes, n, ret, code ? NULL : err);

			code = code ? code : r;
		}
	}
	if (code == 0 && index == wanted && ret->size == 8)
		memcpy(values, ret->data, 8);
	resp_reader_free(reader);
	return index == wanted ? code : ERR_AGAIN;
}

static void assert_judged(const char *text, size_t len, bool dag, int code, const char *words)
{
	for (size_t cut = 0; cut <= len; cut++) {
		struct error err = {""};
		struct answer a = {0};
		float values[2] = {0};

		assert_int_equal(judge(text, len, cut, dag, &a, values, &err), code);
		if (words && !strstr(err.text, words))
			fail_msg("\"%s\" does not say \"%s\"", err.text, words);
		if (code)
			continue;
		assert_int_equal(a.type, ELEMENT_FLOAT32);
		assert_int_equal(a.size, 8);
		assert_true(values[0] == 0.25F && values[1] == 0.75F);
	}
}

#define JUDGE(text, dag, code, words) assert_judged(text, sizeof(text) - 1, dag, code, words)
/* 0.25 and 0.75 */
#define TENSOR "$8\r\n\0\0\x80\x3e\0\0\x40\x3f\r\n"

static void answers_are_the_tensors_bytes_wherever_they_are_cut(void **state)
{
	(void)state;
	JUDGE("*3\r\n+OK\r\n+OK\r\n" TENSOR, true, 0, NULL);
	JUDGE("+OK\r\n+OK\r\n" TENSOR, false, 0, NULL);
}

static void errors_are_told_in_the_servers_words(void **state)
{
	(void)state;
	JUDGE("-ERR DAG is empty\r\n", true, ERR_SERVER, "ERR DAG is empty");
	JUDGE("*3\r\n+OK\r\n-ERR model key is empty\r\n+NA\r\n", true, ERR_SERVER, "ERR model key is empty");
	JUDGE("-CLUSTERDOWN The cluster is down\r\n", true, ERR_SERVER, "down: is the Cluster whole?");
	JUDGE("*3\r\n-WRONGTYPE Operation\r\n+NA\r\n+NA\r\n", true, ERR_SERVER, "aibench_load_data");
	JUDGE("*3\r\n-ERR tensor key is empty or in a different shard\r\n+NA\r\n+NA\r\n", true, ERR_SERVER,
	      "different shard: is the reference data loaded? (aibench_load_data)");
	JUDGE("*3\r\n+NA\r\n+NA\r\n-ERR late\r\n", true, ERR_SERVER, "ERR late");
	JUDGE("*3\r\n+OK\r\n+OK\r\n+NA\r\n", true, ERR_SERVER, "NA");
	JUDGE("+TIMEDOUT\r\n", true, ERR_SERVER, "TIMEDOUT");
	JUDGE("-ERR one\r\n+OK\r\n" TENSOR, false, ERR_SERVER, "ERR one");
	JUDGE("+OK\r\n-ERR two\r\n-ERR three\r\n", false, ERR_SERVER, "ERR two");
	JUDGE("+OK\r\n+TIMEDOUT\r\n" TENSOR, false, ERR_SERVER, "TIMEDOUT");
	JUDGE("+OK\r\n+OK\r\n-ERR three\r\n", false, ERR_SERVER, "ERR three");
}

static void other_replies_are_violations(void **state)
{
	(void)state;
	JUDGE("+OK\r\n", true, ERR_PROTOCOL, NULL);
	JUDGE(":1\r\n", true, ERR_PROTOCOL, NULL);
	JUDGE("$-1\r\n", true, ERR_PROTOCOL, NULL);
	JUDGE("*0\r\n", true, ERR_PROTOCOL, NULL);
	JUDGE("*2\r\n+OK\r\n" TENSOR, true, ERR_PROTOCOL, NULL);
	JUDGE("*4\r\n+OK\r\n+OK\r\n+OK\r\n" TENSOR, true, ERR_PROTOCOL, NULL);
	JUDGE("*3\r\n+OK\r\n*1\r\n+OK\r\n" TENSOR, true, ERR_PROTOCOL, NULL);
	JUDGE("*3\r\n+OK\r\n+OK\r\n$-1\r\n", true, ERR_PROTOCOL, NULL);
	JUDGE("*3\r\n+OK\r\n:7\r\n" TENSOR, true, ERR_PROTOCOL, NULL);
	JUDGE("+OK\r\n+OK\r\n*1\r\n:1\r\n", false, ERR_PROTOCOL, NULL);
}

static bool redirect(struct redisai_redirect *ret, const char *text)
{
	struct resp_node node = {.type = RESP_ERROR, .data = text, .len = strlen(text)};

	return redisai_redirect(ret, &node);
}

static void redirections_are_read(void **state)
{
	struct redisai_redirect r;

	(void)state;
	assert_true(redirect(&r, "MOVED 3999 127.0.0.1:6381"));
	assert_false(r.ask);
	assert_int_equal(r.hash_slot, 3999);
	assert_string_equal(r.host, "127.0.0.1");
	assert_int_equal(r.port, 6381);
	assert_true(redirect(&r, "ASK 16383 ::1:7000"));
	assert_true(r.ask);
	assert_string_equal(r.host, "::1");
	assert_true(redirect(&r, "MOVED 0 :6381"));
	assert_string_equal(r.host, "");
}

static void malformed_redirections_are_plain_errors(void **state)
{
	static const char *const bad[] = {"",
					  "MOVED",
					  "MOVED ",
					  "MOVED 1",
					  "MOVED 1 ",
					  "MOVED 1 host",
					  "MOVED 1 host:",
					  "MOVED 16384 h:1",
					  "MOVED x h:1",
					  "MOVED 1 h:65536",
					  "MOVED 1 h:1x",
					  "ASK",
					  "ASK 1",
					  "ERR MOVED 1 h:1",
					  "MOVED 99999999999999999999 h:1"};
	struct redisai_redirect r;
	char longest[400] = "MOVED 1 ";

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(redirect(&r, bad[i]));
	memset(longest + 8, 'h', 300);
	strcpy(longest + 308, ":1");
	assert_false(redirect(&r, longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_tensors_bytes_wherever_they_are_cut),
		cmocka_unit_test(errors_are_told_in_the_servers_words),
		cmocka_unit_test(other_replies_are_violations),
		cmocka_unit_test(redirections_are_read),
		cmocka_unit_test(malformed_redirections_are_plain_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
