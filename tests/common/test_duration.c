/*
 * Durations, against the rules of Go's time.ParseDuration and Duration.String.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/options.h"

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define S INT64_C(1000000000)
#define M (60 * S)
#define H (60 * M)

static void texts_are_read_as_in_go(void **state)
{
	static const struct {
		const char *text;
		int64_t nsec;
	} CASES[] = {
		{"0", 0},
		{"-0", 0},
		{"+0", 0},
		{"0s", 0},
		{"5s", 5 * S},
		{"+5s", 5 * S},
		{"-5s", -5 * S},
		{"1478s", 1478 * S},
		{"5.0s", 5 * S},
		{"5.6s", 5 * S + 600 * MS},
		{"5.s", 5 * S},
		{".5s", 500 * MS},
		{"1.004s", S + 4 * MS},
		{"100.00100s", 100 * S + MS},
		{"10ns", 10},
		{"11us", 11 * US},
		{"12\xc2\xb5s", 12 * US},
		{"12\xce\xbcs", 12 * US},
		{"13ms", 13 * MS},
		{"15m", 15 * M},
		{"16h", 16 * H},
		{"3h30m", 3 * H + 30 * M},
		{"10.5s4m", 4 * M + 10 * S + 500 * MS},
		{"-2m3.4s", -(2 * M + 3 * S + 400 * MS)},
		{"1h2m3s4ms5us6ns", H + 2 * M + 3 * S + 4 * MS + 5 * US + 6},
		{"39h9m14.425s", 39 * H + 9 * M + 14 * S + 425 * MS},
		{"0.3333333333333333333h", 20 * M},
		{"0.9223372036854775807h", (int64_t)(0.9223372036854775807 * 3600e9)},
		{"9223372036854775807ns", INT64_MAX},
		{"-9223372036854775808ns", INT64_MIN},
		{"9223372036s854ms775us807ns", INT64_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		int64_t got = -1;

		if (duration_parse(&got, CASES[i].text) != 0 || got != CASES[i].nsec)
			fail_msg("\"%s\" gave %jd, not %jd", CASES[i].text, (intmax_t)got, (intmax_t)CASES[i].nsec);
	}
}

static void bad_texts_are_refused_and_change_nothing(void **state)
{
	static const struct {
		const char *text;
		int code;
	} CASES[] = {
		{"", ERR_INVALID},
		{"3", ERR_INVALID},
		{"-", ERR_INVALID},
		{"s", ERR_INVALID},
		{".", ERR_INVALID},
		{"-.", ERR_INVALID},
		{".s", ERR_INVALID},
		{"+.s", ERR_INVALID},
		{"1d", ERR_INVALID},
		{"1S", ERR_INVALID},
		{"1 s", ERR_INVALID},
		{" 1s", ERR_INVALID},
		{"1s ", ERR_INVALID},
		{"--1s", ERR_INVALID},
		{"1s-1s", ERR_INVALID},
		{"1e3s", ERR_INVALID},
		{"\x85\x85", ERR_INVALID},
		{"9223372036854775808ns", ERR_RANGE},
		{"-9223372036854775809ns", ERR_RANGE},
		{"9223372036854775810ns", ERR_RANGE},
		{"99999999999999999999ns", ERR_RANGE},
		{"9223372036854775.808us", ERR_RANGE},
		{"9223372036854ms775us808ns", ERR_RANGE},
		{"3000000h", ERR_RANGE},
		{"9223372036854775808ns9223372036854775808ns", ERR_RANGE},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		int64_t got = 42;
		int r = duration_parse(&got, CASES[i].text);

		if (r != CASES[i].code || got != 42)
			fail_msg("\"%s\" gave %d and %jd", CASES[i].text, r, (intmax_t)got);
	}
}

static void printed_as_go_prints(void **state)
{
	static const struct {
		int64_t nsec;
		const char *text;
	} CASES[] = {
		{0, "0s"},
		{1, "1ns"},
		{-1, "-1ns"},
		{999, "999ns"},
		{1100, "1.1\xc2\xb5s"},
		{500 * US, "500\xc2\xb5s"},
		{2200 * US, "2.2ms"},
		{300 * MS, "300ms"},
		{3300 * MS, "3.3s"},
		{30 * S, "30s"},
		{M + 30 * S, "1m30s"},
		{4 * M + 5 * S, "4m5s"},
		{4 * M + 5001 * MS, "4m5.001s"},
		{5 * H + 6 * M + 7001 * MS, "5h6m7.001s"},
		{H, "1h0m0s"},
		{8 * M + 1, "8m0.000000001s"},
		{INT64_MAX, "2562047h47m16.854775807s"},
		{INT64_MIN, "-2562047h47m16.854775808s"},
	};
	char text[64];
	int64_t back;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		assert_string_equal(duration_format(text, sizeof(text), CASES[i].nsec), CASES[i].text);
		assert_int_equal(duration_parse(&back, text), 0);
		assert_true(back == CASES[i].nsec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read_as_in_go),
		cmocka_unit_test(bad_texts_are_refused_and_change_nothing),
		cmocka_unit_test(printed_as_go_prints),
	};

	return cmocka_run_group_tests_name("duration", tests, NULL, NULL);
}
