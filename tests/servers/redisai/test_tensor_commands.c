/* Tensors beyond the rows of conformance_tensors.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/servers/redisai/harness.h"

static struct fixture f;

static int start(void **state)
{
	(void)state;
	fixture_start(&f, NULL, NULL);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	return 0;
}

static void every_type_goes_there_and_back_as_a_blob(void **state)
{
	static const struct {
		const char *name, *values, *shown;
	} types[] = {
		{"FLOAT", "-1.5 2", "[\"-1.5\" \"2\"]"},
		{"DOUBLE", "-1.5 2", "[\"-1.5\" \"2\"]"},
		{"INT8", "1 127", "[:1 :127]"},
		{"INT16", "-32768 32767", "[:-32768 :32767]"},
		{"INT32", "-2147483648 2147483647", "[:-2147483648 :2147483647]"},
		{"INT64", "-9223372036854775808 1", "[:-9223372036854775808 :1]"},
		{"UINT8", "0 255", "[:0 :255]"},
		{"UINT16", "0 65535", "[:0 :65535]"},
		{"BOOL", "0 1", "[:0 :1]"},
	};
	const struct resp_node *reply;
	const char *args[] = {"AI.TENSORGET", "t", "BLOB"};
	char line[128], copy[16];
	struct error err;
	size_t n;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		snprintf(line, sizeof(line), "AI.TENSORSET t %s 2 VALUES %s", types[i].name, types[i].values);
		expect(f.client, line, "+OK");
		expect(f.client, "AI.TENSORGET t VALUES", types[i].shown);
		assert_int_equal(redis_client_command(f.client, 3, args, NULL, &reply, &n, &err), 0);
		memcpy(copy, reply->data, reply->len);
		define("$COPY", copy, reply->len);
		snprintf(line, sizeof(line), "AI.TENSORSET u %s 2 BLOB $COPY", types[i].name);
		expect(f.client, line, "+OK");
		expect(f.client, "AI.TENSORGET u VALUES", types[i].shown);
	}
}

static void tensors_count_as_memory_and_can_be_copied(void **state)
{
	const struct resp_node *r;
	struct error err;
	size_t n;

	(void)state;
	expect(f.client, "AI.TENSORSET big FLOAT 1000 100", "+OK");
	assert_int_equal(redis_client_commandf(f.client, &r, &n, &err, "MEMORY USAGE big"), 0);
	assert_true(r->integer >= 400000 && r->integer <= 500000);
	expect(f.client, "COPY big copy", ":1");
	expect(f.client, "DEL big", ":1");
	expect(f.client, "AI.TENSORGET copy META", "[\"dtype\" \"FLOAT\" \"shape\" [:1000 :100]]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_goes_there_and_back_as_a_blob),
		cmocka_unit_test(tensors_count_as_memory_and_can_be_copied),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
