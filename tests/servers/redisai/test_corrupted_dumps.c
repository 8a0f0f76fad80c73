/*
 * Dumps that were damaged: RESTORE refuses them or makes a value like any other, and takes no more memory than they do.
 *
 * Each is a good dump with some bytes changed by a seeded generator, signed anew so that it gets past the checksum.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/rng.h"
#include "tests/servers/redisai/harness.h"
#include "tests/servers/redisai/rdb_writer.h"

#define MUTATIONS 20000
#define HUGE_LENGTH (2ull << 30) /* that could be had */
#define MEMORY_MAX (256ull << 20)
/* Redis itself asks for a string's length before it reads the string, so only what it touches is told in general. */
#define ASKED_FOR "VmPeak:"
#define TOUCHED "VmHWM:"

static struct fixture f;

/* Good values; dumped by the server itself. */
static const struct {
	const char *make;
	const char *type, *get;
} values[] = {
	{"AI.TENSORSET k FLOAT 2 3 VALUES 1 2 3 4 5 6", "+AI_TENSOR", "AI.TENSORGET k META VALUES"},
	{"AI.TENSORSET k INT64 1 1 1 1 2 VALUES 7 8", "+AI_TENSOR", "AI.TENSORGET k META VALUES"},
	{"AI.TENSORSET k DOUBLE VALUES 1.5", "+AI_TENSOR", "AI.TENSORGET k META VALUES"},
	{"AI.TENSORSET k BOOL 4 VALUES 1 0 1 0", "+AI_TENSOR", "AI.TENSORGET k META VALUES"},
	{"AI.TENSORSET k STRING 3 VALUES ab  cde", "+AI_TENSOR", "AI.TENSORGET k META VALUES"},
	{"AI.MODELSTORE k TF CPU TAG v:1 INPUTS 2 a b OUTPUTS 1 mul BLOB $MUL", "+AI__MODEL", "AI.MODELGET k"},
	{"AI.MODELSTORE k TF CPU:1 BATCHSIZE 4 MINBATCHSIZE 2 MINBATCHTIMEOUT 5 INPUTS 1 x OUTPUTS 1 sum BLOB $SUM",
	 "+AI__MODEL", "AI.MODELGET k"},
	{NULL, "+AI_SCRIPT", "AI.SCRIPTGET k"},
};
static struct buf dumps[ARRAY_LEN(values)];

static void write_script(struct buf *dump)
{
	struct buf value = {0};

	rdb_begin(&value, "AI_SCRIPT", 4);
	rdb_text_nul(&value, "CPU");
	rdb_text(&value, "v:1");
	rdb_text_nul(&value, "def f(tensors, keys, args): pass");
	rdb_uint(&value, 1);
	rdb_text_nul(&value, "f");
	rdb_end(&value);
	rdb_dump(dump, &value);
	buf_release(&value);
}

static int start(void **state)
{
	const struct resp_node *nodes;
	struct error err;
	size_t n;

	(void)state;
	graphs_define();
	/* A length that nobody has is to fail under the sanitizer as it does without. */
	setenv("ASAN_OPTIONS", "allocator_may_return_null=1:max_allocation_size_mb=1024", 1);
	fixture_start(&f, NULL, (const char *const[]){"--rdbcompression", "no", NULL});
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (!values[i].make) {
			write_script(&dumps[i]);
			continue;
		}
		expect(f.client, values[i].make, "+OK");
		if (redis_client_commandf(f.client, &nodes, &n, &err, "DUMP k") < 0)
			fail_msg("%s", err.text);
		buf_append(&dumps[i], nodes[0].data, nodes[0].len);
		expect(f.client, "DEL k", ":1");
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	fixture_stop(&f);
	graphs_release();
	for (size_t i = 0; i < ARRAY_LEN(dumps); i++)
		buf_release(&dumps[i]);
	return 0;
}

/* Replaces dump[at, at + n) with other bytes. */
static void splice(struct buf *dump, size_t at, size_t n, const void *bytes, size_t len)
{
	assert_int_equal(buf_reserve(dump, len), 0);
	memmove(dump->data + at + len, dump->data + at + n, dump->len - at - n);
	memcpy(dump->data + at, bytes, len);
	dump->len = dump->len - n + len;
}

/* One change of the pieces between the module's id and the footer. */
static void damage(struct buf *dump, struct rng *rng)
{
	static const unsigned char lengths[][9] = {
		{0x7f, 0xff},
		{0x80, 0, 0, 0, 0},
		{0x80, 0xff, 0xff, 0xff, 0xff},
		{0x80, 0x40, 0, 0, 0},
		{0x81, 0, 0, 1},
		{0x81, 0x7f, 0xff, 0xff, 0xff, 0xff},
		{0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	};
	static const size_t sizes[] = {2, 5, 5, 5, 9, 9, 9};
	const size_t room = dump->len - RDB_DUMP_HEAD - RDB_DUMP_FOOT;
	const size_t at = RDB_DUMP_HEAD + rng_below(rng, room), left = dump->len - RDB_DUMP_FOOT - at;
	const size_t kind = rng_below(rng, ARRAY_LEN(lengths));
	const unsigned char byte = (unsigned char)rng_below(rng, 256), small = (unsigned char)rng_below(rng, 8);

	switch (rng_below(rng, 7)) {
	case 0: /* a bit flips */
		dump->data[at] = (char)(dump->data[at] ^ 1 << rng_below(rng, 8));
		break;
	case 1: /* another byte, another tag or count */
		splice(dump, at, 1, rng_below(rng, 2) ? &byte : &small, 1);
		break;
	case 2: /* the rest is missing */
		if (at > RDB_DUMP_HEAD)
			splice(dump, at, left, "", 0);
		break;
	case 3: /* some is missing */
		if (left > 1)
			splice(dump, at, 1 + rng_below(rng, left - 1), "", 0);
		break;
	case 4: /* something is too much */
		splice(dump, at, 0, &byte, 1);
		break;
	case 5: /* a length is another one */
		splice(dump, at, 1, lengths[kind], sizes[kind]);
		break;
	default: /* the encoding's version is another one */
		dump->data[RDB_DUMP_HEAD - 1] = (char)rng_below(rng, 8);
		break;
	}
}

/* A peak of the server's memory as the system knows it: INFO's misses what was given back at once. */
static unsigned long long memory_peak(const char *field)
{
	char path[64], line[256];
	unsigned long long kib;
	FILE *status;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)f.server.process.pid);
	status = fopen(path, "r");
	assert_non_null(status);
	while (fgets(line, sizeof(line), status) && strncmp(line, field, strlen(field)) != 0)
		continue;
	kib = strtoull(line + strlen(field), NULL, 10);
	fclose(status);
	assert_true(kib > 0);
	return kib << 10;
}

static void restore_and_use(size_t kind, const char *line)
{
	const char *answer = ask(f.client, line);

	if (answer[0] == '-') {
		assert_string_equal(answer, "-ERR Bad data format");
		return;
	}
	expect(f.client, "TYPE k", values[kind].type);
	answer = ask(f.client, values[kind].get);
	if (answer[0] == '-')
		fail_msg("a value that loaded answers %s", answer);
	answer = ask(f.client, "MEMORY USAGE k");
	if (answer[0] != ':')
		fail_msg("a value that loaded answers %s", answer);
	answer = ask(f.client, "AI.MODELRUN k INPUTS k OUTPUTS y");
	assert_int_equal(answer[0], '-');
}

static void lengths_without_bytes_take_no_memory(void **state)
{
	const unsigned long long before = memory_peak(ASKED_FOR);
	struct buf value = {0}, dump = {0};

	(void)state;
	rdb_begin(&value, "AI_TENSOR", 4);
	rdb_uint(&value, 2);
	rdb_uint(&value, 32);
	rdb_uint(&value, 2);
	rdb_uint(&value, HUGE_LENGTH >> 12);
	rdb_uint(&value, 1u << 10);
	rdb_text(&value, "abcd");
	rdb_end(&value);
	rdb_dump(&dump, &value);
	define("$DUMP", dump.data, dump.len);
	expect(f.client, "RESTORE k 0 $DUMP", "-ERR Bad data format");
	rdb_begin(&value, "AI__MODEL", 4);
	rdb_uint(&value, 0);
	rdb_text_nul(&value, "CPU");
	rdb_text(&value, "");
	for (int i = 0; i < 5; i++) /* batching, no inputs, no outputs */
		rdb_uint(&value, 0);
	rdb_uint(&value, HUGE_LENGTH);
	rdb_uint(&value, 1ull << 40);
	rdb_text(&value, "abcd");
	rdb_end(&value);
	rdb_dump(&dump, &value);
	define("$DUMP", dump.data, dump.len);
	expect(f.client, "RESTORE k 0 $DUMP", "-ERR Bad data format");
	assert_true(memory_peak(ASKED_FOR) < before + HUGE_LENGTH);
	buf_release(&value);
	buf_release(&dump);
}

static void damaged_dumps_are_refused_or_harmless(void **state)
{
	const unsigned long long before = memory_peak(TOUCHED);
	struct buf dump = {0};
	struct rng rng;
	size_t loaded = 0;

	(void)state;
	rng_init(&rng, 20240517);
	for (size_t i = 0; i < MUTATIONS; i++) {
		size_t kind = i % ARRAY_LEN(values);

		buf_clear(&dump);
		buf_append(&dump, dumps[kind].data, dumps[kind].len);
		for (uint64_t n = 1 + rng_below(&rng, 3); n > 0; n--)
			damage(&dump, &rng);
		rdb_dump_sign(&dump);
		define("$DUMP", dump.data, dump.len);
		restore_and_use(kind, "RESTORE k 0 $DUMP REPLACE");
		loaded += strcmp(ask(f.client, "DEL k"), ":1") == 0;
	}
	/* Both do happen, or this shows nothing. */
	assert_in_range(loaded, MUTATIONS / 100, MUTATIONS / 2);
	assert_true(memory_peak(TOUCHED) < before + MEMORY_MAX);
	expect(f.client, "DBSIZE", ":0");
	expect(f.client, "PING", "+PONG");
	buf_release(&dump);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_without_bytes_take_no_memory),
		cmocka_unit_test(damaged_dumps_are_refused_or_harmless),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
