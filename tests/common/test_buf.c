/*
 * The growing buffer and decimal text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/buf.h"
#include "common/decimal.h"

static void grows_and_stays_terminated(void **state)
{
	struct buf b = {0};

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_append(&b, "0123456789", 10), 0);
	assert_int_equal(b.len, 10000);
	assert_int_equal(strlen(b.data), 10000);
	assert_int_equal(buf_append(&b, NULL, 0), 0);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_string_equal(b.data, "");
	assert_true(b.cap > 10000);
	buf_release(&b);
	assert_null(b.data);
}

static void prints_texts_longer_than_its_room(void **state)
{
	struct buf b = {0};
	char text[500];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(buf_printf(&b, "<%s|%d>", text, 42), 0);
	assert_int_equal(b.len, sizeof(text) - 1 + 5);
	assert_string_equal(b.data + b.len - 4, "|42>");
	buf_release(&b);
}

static void text_and_decimals_are_appended(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_text(&b, "a"), 0);
	assert_int_equal(buf_decimal(&b, 0), 0);
	assert_int_equal(buf_text(&b, ""), 0);
	assert_int_equal(buf_decimal(&b, INT64_MIN), 0);
	assert_int_equal(buf_text(&b, ","), 0);
	assert_int_equal(buf_decimal(&b, INT64_MAX), 0);
	assert_string_equal(b.data, "a0-9223372036854775808,9223372036854775807");
	buf_release(&b);
}

static void failure_stays_until_cleared(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(buf_append(&b, "a", 1), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), ERR_NOMEM);
	assert_int_equal(buf_append(&b, "b", 1), ERR_NOMEM);
	assert_true(b.failed);
	assert_string_equal(b.data, "a");
	buf_clear(&b);
	assert_int_equal(buf_append(&b, "b", 1), 0);
	buf_release(&b);
}

static void decimal_is_what_printf_writes(void **state)
{
	static const uint64_t EDGES[] = {0, 9, 10, 11, 99, 100, 101, 999, 1000, 4294967295, 4294967296, UINT64_MAX};
	uint64_t power = 1;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(EDGES) + 60; i++) {
		uint64_t value = i < ARRAY_LEN(EDGES) ? EDGES[i] : power - (i & 1);
		char got[DECIMAL_MAX + 1], want[32];
		size_t len;

		if (i >= ARRAY_LEN(EDGES) && (i & 1))
			power *= 10;
		memset(got, '#', sizeof(got));
		len = decimal_write(got, value);
		assert_int_equal(snprintf(want, sizeof(want), "%ju", (uintmax_t)value), len);
		assert_memory_equal(got, want, len);
		assert_int_equal(got[len], '#');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_stays_terminated),     cmocka_unit_test(prints_texts_longer_than_its_room),
		cmocka_unit_test(text_and_decimals_are_appended), cmocka_unit_test(failure_stays_until_cleared),
		cmocka_unit_test(decimal_is_what_printf_writes),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
