/*
 * test_parse_float.c - decimal text becomes the very float32 that strtof makes of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/parse_float.h"
#include "common/rng.h"

static uint32_t bits_of(float value)
{
	uint32_t bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

/* Fails the test unless text is read whole, as strtof reads it. */
static void check_like_strtof(const char *text)
{
	const char *end = text + strlen(text);
	float value = -1.0f, expected = strtof(text, NULL);
	const char *stop = parse_float(&value, text, end);

	if (stop != end || bits_of(value) != bits_of(expected))
		fail_msg("\"%s\" became %a, strtof says %a", text, (double)value, (double)expected);
}

static void edge_cases_are_read_like_strtof(void **state)
{
	static const char *const texts[] = {
		"0",
		"-0",
		"+0",
		"0.0",
		"-0.000000000000000000000000",
		"1",
		"-1",
		"+1",
		"1.",
		".5",
		"-.5",
		"007",
		"1e5",
		"1E5",
		"1e+5",
		"1e-5",
		"1.5e0",
		"0e999999999999",
		"1e-999999999999",
		"1e999999999999",
		"16777216",
		"16777217",
		"16777218",
		"16777219",
		"9007199254740992",
		"9007199254740993",
		"18446744073709551615",
		"18446744073709551616",
		"9999999999999999999",
		"99999999999999999999",
		"0.1",
		"0.3",
		"2.5",
		"123456789",
		"1234567812345678",
		"12345678.12345678",
		"-1.35980713367380",
		"3.4028234663852886e38",
		"3.4028235677973366e38",
		"3.4028235677973367e38",
		"1e38",
		"1e39",
		"-1e39",
		"1.1754943508222875e-38",
		"1.1754942106924411e-38",
		"1.401298464324817e-45",
		"7.006492321624085e-46",
		"7.006492321624086e-46",
		"1e-45",
		"1e-46",
		"1e22",
		"1e23",
		"1e-22",
		"1e-23",
		"1.00000005960464477539062500",
		"1.00000005960464477539062501",
		"1.00000005960464477539062499",
		"1.000000059604644775",
		"1.000000178813934326171875",
		"0.00000000000000000000000000000000000000001",
		"100000000000000000000000000000000000000000000000000000e-30",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		check_like_strtof(texts[i]);
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const texts[] = {
		"",    "-",   "+",        ".",  "-.",  "e5",  "1e",  "1e+", "1e-", "inf", "-inf",
		"nan", "NaN", "Infinity", " 1", "--1", "+-1", "abc", "\t1", "-e1", ".e1",
	};
	float value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_null(parse_float(&value, texts[i], texts[i] + strlen(texts[i])));
}

static void reading_stops_at_what_is_no_part_of_the_number(void **state)
{
	static const char *const texts[] = {"1,5", "1\"", "0x10", "1.5.5", "1 ", "1e5e5", "12345678,12345678"};
	static const size_t lengths[] = {1, 1, 1, 3, 1, 3, 8};
	float value;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_ptr_equal(parse_float(&value, texts[i], texts[i] + strlen(texts[i])), texts[i] + lengths[i]);
}

/* Kaggle's style: 1 to 18 digits with a point somewhere. */
static void random_decimals_are_read_like_strtof(void **state)
{
	struct rng r;
	char text[64];

	(void)state;
	rng_init(&r, 1);
	for (int i = 0; i < 500000; i++) {
		uint64_t number = rng_next(&r) >> rng_below(&r, 64);
		int before = (int)rng_below(&r, 6);

		snprintf(text, sizeof(text), "%s%.*llu.%020llu", rng_next(&r) & 1 ? "-" : "", before + 1,
			 (unsigned long long)rng_below(&r, 100000), (unsigned long long)number);
		text[(size_t)before + 2 + rng_below(&r, 20)] = '\0';
		check_like_strtof(text);
	}
}

/* Any double's shortest and longer forms, with exponents. */
static void random_doubles_are_read_like_strtof(void **state)
{
	struct rng r;
	char text[64];

	(void)state;
	rng_init(&r, 2);
	for (int i = 0; i < 500000; i++) {
		double value = ldexp((double)(int64_t)rng_next(&r), (int)rng_below(&r, 300) - 213);

		snprintf(text, sizeof(text), "%.*e", (int)rng_below(&r, 22), value);
		check_like_strtof(text);
	}
}

/* The hard ones: midpoints of two neighbouring floats, and the decimals next to them. */
static void midpoints_are_rounded_like_strtof(void **state)
{
	struct rng r;
	char text[80];

	(void)state;
	rng_init(&r, 3);
	for (int i = 0; i < 150000; i++) {
		uint32_t bits = (uint32_t)rng_below(&r, 0x7f7fffff);
		float low, high;
		double middle;

		if (i % 2 == 0) /* magnitudes that the fast way takes */
			bits = 0x30000000 + bits % 0x20000000;
		memcpy(&low, &bits, sizeof(low));
		high = nextafterf(low, INFINITY);
		middle = ((double)low + (double)high) / 2;
		for (int digits = 14; digits <= 20; digits++) {
			snprintf(text, sizeof(text), "%.*e", digits, middle);
			check_like_strtof(text);
		}
		if (middle >= 1e-3 && middle < 1e6) {
			snprintf(text, sizeof(text), "%.*f", (int)rng_below(&r, 40), middle);
			check_like_strtof(text);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(edge_cases_are_read_like_strtof),
		cmocka_unit_test(what_is_no_number_is_refused),
		cmocka_unit_test(reading_stops_at_what_is_no_part_of_the_number),
		cmocka_unit_test(random_decimals_are_read_like_strtof),
		cmocka_unit_test(random_doubles_are_read_like_strtof),
		cmocka_unit_test(midpoints_are_rounded_like_strtof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
