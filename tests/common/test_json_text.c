/*
 * test_json_text.c - any bytes become a valid JSON string.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <string.h>

#include "common/arith.h"
#include "common/json_text.h"

static size_t quote(char *dst, const char *s, size_t len)
{
	size_t n = 0, taken;

	dst[n++] = '"';
	for (; len > 0; s += taken, len -= taken)
		n += json_character(dst + n, s, len, &taken);
	dst[n++] = '"';
	dst[n] = '\0';
	return n;
}

static void characters_are_escaped_where_json_wants_it(void **state)
{
	static const struct {
		const char *text, *json;
	} known[] = {
		{"plain", "\"plain\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"line\nbreak\ttab", "\"line\\nbreak\\u0009tab\""},
		{"\x7f", "\"\\u007f\""},
		{"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
		{"\xc3", "\"\\ufffd\""},
		{"\xc0\xaf", "\"\\ufffd\\ufffd\""},
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""},
	};
	char json[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		quote(json, known[i].text, strlen(known[i].text));
		assert_string_equal(json, known[i].json);
	}
}

/* Every pair of bytes, with another reader's judgement. */
static void any_two_bytes_make_a_string_that_jansson_reads(void **state)
{
	(void)state;
	for (unsigned pair = 0; pair < 1u << 16; pair++) {
		char bytes[2] = {(char)(pair >> 8), (char)pair}, json[32];
		size_t n = quote(json, bytes, 2);
		json_t *read = json_loadb(json, n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

		if (!read)
			fail_msg("bytes %02x %02x became %s", pair >> 8, pair & 0xff, json);
		json_decref(read);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(characters_are_escaped_where_json_wants_it),
		cmocka_unit_test(any_two_bytes_make_a_string_that_jansson_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
