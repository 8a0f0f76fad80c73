/*
 * Shares: as a part of one and in percent. The other numbers are read in test_options.c, by options.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/number.h"

static void shares_are_read_in_both_forms(void **state)
{
	static const struct {
		const char *text;
		double share;
	} CASES[] = {{"0.01", 0.01}, {"1%", 0.01}, {"100%", 1}, {"0", 0}, {"2", 2}, {"-5%", -0.05}, {"12.5%", 0.125}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		double share = 9;

		assert_int_equal(number_parse_share(&share, CASES[i].text), 0);
		assert_true(share == CASES[i].share);
	}
}

static void what_is_no_share_is_refused(void **state)
{
	static const char *const CASES[] = {
		"",    "%",      "1%%",   "% 1",
		"one", "0.01 %", "1e999", "0.000000000000000000000000000000000000000000000000000000000000001%"};
	double share = 9;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		assert_true(number_parse_share(&share, CASES[i]) < 0);
	assert_true(share == 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_read_in_both_forms),
		cmocka_unit_test(what_is_no_share_is_refused),
	};

	return cmocka_run_group_tests_name("number", tests, NULL, NULL);
}
