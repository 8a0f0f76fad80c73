/* AI.TENSORSET and AI.TENSORGET against a real redis-server. */
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

static void values_are_shown_in_every_format(void **state)
{
	static const struct exchange list[] = {
		{"AI.TENSORSET a FLOAT 1 2 VALUES 1.1 inf", "+OK"},
		{"AI.TENSORGET a",
		 "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"blob\" \"\\xcd\\xcc\\x8c?\\x00\\x00\\x80\\x7f\"]"},
		{"AI.TENSORGET a META", "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2]]"},
		{"AI.TENSORGET a VALUES", "[\"1.1000000238418579\" \"inf\"]"},
		{"AI.TENSORGET a values meta",
		 "[\"dtype\" \"FLOAT\" \"shape\" [:1 :2] \"values\" [\"1.1000000238418579\" \"inf\"]]"},
		{"AI.TENSORGET a BLOB", "\"\\xcd\\xcc\\x8c?\\x00\\x00\\x80\\x7f\""},
		{"AI.TENSORSET scalar float VALUES 3", "+OK"},
		{"AI.TENSORGET scalar META VALUES", "[\"dtype\" \"FLOAT\" \"shape\" [] \"values\" [\"3\"]]"},
		{"AI.TENSORSET zeros INT16 2", "+OK"},
		{"AI.TENSORGET zeros VALUES", "[:0 :0]"},
		{"AI.TENSORSET none STRING 2", "+OK"},
		{"AI.TENSORGET none BLOB", "\"\\x00\\x00\""},
		{"AI.TENSORSET s STRING 2 VALUES ab cde", "+OK"},
		{"AI.TENSORGET s VALUES", "[\"ab\" \"cde\"]"},
		{"AI.TENSORGET s BLOB", "\"ab\\x00cde\\x00\""},
		{"AI.TENSORSET d DOUBLE 2 VALUES 1e300 -0.5", "+OK"},
		{"AI.TENSORGET d VALUES", "[\"1.0000000000000001e+300\" \"-0.5\"]"},
		{"AI.TENSORSET b BOOL 2 VALUES 1 0", "+OK"},
		{"AI.TENSORGET b VALUES", "[:1 :0]"},
		{"TYPE a", "+AI_TENSOR"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
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
	define("$COPY", "\xff\x80", 2);
	expect(f.client, "AI.TENSORSET u INT8 2 BLOB $COPY", "+OK");
	expect(f.client, "AI.TENSORGET u VALUES", "[:-1 :-128]");
}

#define SHAPE "-ERR invalid or negative value found in tensor shape"
#define VALUE "-ERR invalid value"
#define COUNT "-ERR wrong number of values was given in 'AI.TENSORSET' command"
#define SINGLE "-ERR a single binary string should come after the BLOB argument in 'AI.TENSORSET' command"
#define WRONGTYPE "-WRONGTYPE Operation against a key holding the wrong kind of value"

static void tensorset_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"SET string value", "+OK"},
		{"AI.TENSORSET", "-ERR wrong number of arguments for 'AI.TENSORSET' command"},
		{"AI.TENSORSET k FLOAT", "-ERR wrong number of arguments for 'AI.TENSORSET' command"},
		{"AI.TENSORSET string NOTYPE x", WRONGTYPE},
		{"AI.TENSORSET k INT128 2 VALUES 2 3", "-ERR invalid data type"},
		{"AI.TENSORSET k INT32 -1 VALUES 2 3", SHAPE},
		{"AI.TENSORSET k INT32 0", SHAPE},
		{"AI.TENSORSET k INT32 2 unsupported 2 3", SHAPE},
		{"AI.TENSORSET k INT32 2x VALUES 2 3", SHAPE},
		{"AI.TENSORSET k INT32 99999999999999999999", SHAPE},
		{"AI.TENSORSET k INT32 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", SHAPE},
		{"AI.TENSORSET k INT64 9223372036854775807 9223372036854775807", SHAPE},
		{"AI.TENSORSET k INT64 4611686018427387904 4", SHAPE},
		{"AI.TENSORSET k FLOAT 1000000000000",
		 "-ERR a tensor without values may have 512 MB, this one has 3814697 MB"},
		{"AI.TENSORSET k FLOAT 2 VALUES 2 A", VALUE},
		{"AI.TENSORSET k FLOAT 2 VALUES 2 nan", VALUE},
		{"AI.TENSORSET k INT32 2 VALUES 2 A", VALUE},
		{"AI.TENSORSET k INT32 1 VALUES 2147483648", VALUE},
		{"AI.TENSORSET k UINT8 1 VALUES -1", VALUE},
		{"AI.TENSORSET k INT8 2 VALUES -1 -128", VALUE},
		{"AI.TENSORSET k BOOL 2 VALUES 1 2", VALUE},
		{"AI.TENSORSET k FLOAT 2 VALUES", COUNT},
		{"AI.TENSORSET k FLOAT 2 VALUES 1", COUNT},
		{"AI.TENSORSET k FLOAT 2 VALUES 1 2 3", COUNT},
		{"AI.TENSORSET k FLOAT 2 BLOB", SINGLE},
		{"AI.TENSORSET k FLOAT 2 BLOB x y", SINGLE},
		{"AI.TENSORSET k FLOAT 2 BLOB 1234567", "-ERR data length does not match tensor shape and type"},
		{"AI.TENSORSET k INT64 4611686018427387904 4 BLOB x",
		 "-ERR data length does not match tensor shape and type"},
		{"AI.TENSORSET k BOOL 2 BLOB ab", "-ERR BOOL tensor elements must be 0 or 1"},
		{"AI.TENSORSET k STRING 1 VALUES $NUL", "-ERR C-string value contains null character"},
		{"AI.TENSORSET k STRING 2 BLOB $NUL",
		 "-ERR Number of string elements in data blob does not match tensor length"},
		{"EXISTS k", ":0"},
	};

	(void)state;
	define("$NUL", "a\0b", 3);
	expect_all(f.client, list, ARRAY_LEN(list));
}

static void tensorget_errors_are_to_the_letter(void **state)
{
	static const struct exchange list[] = {
		{"SET string value", "+OK"},
		{"AI.TENSORSET t FLOAT 1", "+OK"},
		{"AI.TENSORGET", "-ERR wrong number of arguments for 'AI.TENSORGET' command"},
		{"AI.TENSORGET t META BLOB VALUES", "-ERR wrong number of arguments for 'AI.TENSORGET' command"},
		{"AI.TENSORGET nothing unsupported", "-ERR tensor key is empty or in a different shard"},
		{"AI.TENSORGET string unsupported", WRONGTYPE},
		{"AI.TENSORGET t unsupported", "-ERR unsupported data format"},
		{"AI.TENSORGET t BLOB VALUES", "-ERR both BLOB and VALUES specified"},
	};

	(void)state;
	expect_all(f.client, list, ARRAY_LEN(list));
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
	expect(f.client, "COMMAND GETKEYS AI.TENSORSET big FLOAT 1", "[\"big\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_shown_in_every_format),
		cmocka_unit_test(every_type_goes_there_and_back_as_a_blob),
		cmocka_unit_test(tensorset_errors_are_to_the_letter),
		cmocka_unit_test(tensorget_errors_are_to_the_letter),
		cmocka_unit_test(tensors_count_as_memory_and_can_be_copied),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
