/*
 * h(t) of MLPerf's early stopping: its published values, brute force for small ones, numbers of any size.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/arith.h"
#include "stats/early_stopping.h"

static void published_values(void **state)
{
	static const struct {
		uint64_t over, p90, p99;
	} table[] = {{0, 44, 459}, {1, 63, 661}, {2, 79, 836}, {5, 122, 1302}, {10, 187, 2000}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_int_equal(early_stopping_under(table[i].over, 0.90, 0.99), table[i].p90);
		assert_int_equal(early_stopping_under(table[i].over, 0.99, 0.99), table[i].p99);
		assert_int_equal(early_stopping_requests(table[i].over, 0.99, 0.99), table[i].p99 + table[i].over);
	}
}

/* sum over x = 0 … over of C(n, x) p^(n - x) (1 - p)^x */
static long double at_most_over(uint64_t over, uint64_t n, long double p)
{
	long double term = powl(p, (long double)n), sum = term;

	for (uint64_t x = 1; x <= over; x++) {
		term *= (long double)(n - x + 1) / (long double)x * (1 - p) / p;
		sum += term;
	}
	return sum;
}

static void the_smallest_number_that_meets_the_definition(void **state)
{
	static const double shares[] = {0.5, 0.9, 0.95, 0.99}, confidences[] = {0.8, 0.95, 0.99};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shares); s++) {
		for (size_t c = 0; c < ARRAY_LEN(confidences); c++) {
			uint64_t h = 1;

			for (uint64_t over = 0; over <= 40; over++) {
				while (at_most_over(over, h + over, shares[s]) >= 1 - confidences[c])
					h++;
				assert_int_equal(early_stopping_under(over, shares[s], confidences[c]), h);
			}
		}
	}
}

/* Computed with 50 digits. */
static void exact_for_a_million_over_the_bound(void **state)
{
	(void)state;
	assert_int_equal(early_stopping_under(1000000, 0.5, 0.99), 1003294);
	assert_int_equal(early_stopping_under(1000000, 0.99, 0.99), 99231715);
	assert_int_equal(early_stopping_under(10000, 0.9999, 0.99), 102341043);
	assert_int_equal(early_stopping_under(1000000, 0.9999, 0.99), UINT64_C(10022287032));
}

static void most_over_is_the_inverse(void **state)
{
	uint64_t most = 77;

	(void)state;
	assert_false(early_stopping_most_over(&most, 458, 0.99, 0.99));
	assert_false(early_stopping_most_over(&most, 0, 0.99, 0.99));
	assert_int_equal(most, 77);
	for (uint64_t over = 0; over < 3000; over = over * 2 + 1) {
		uint64_t n = early_stopping_requests(over, 0.99, 0.99);

		assert_true(early_stopping_most_over(&most, n, 0.99, 0.99));
		assert_int_equal(most, over);
		if (over > 0) {
			assert_true(early_stopping_most_over(&most, n - 1, 0.99, 0.99));
			assert_int_equal(most, over - 1);
		}
	}
}

static void shown_within_and_shown_over_exclude_each_other(void **state)
{
	uint64_t within = 0, undecided = 0, over = 0;

	(void)state;
	for (uint64_t t = 0; t <= 2000; t++) {
		bool w = early_stopping_shows_within(2000, t, 0.99, 0.99);
		bool o = early_stopping_shows_over(2000, t, 0.99, 0.99);

		assert_false(w && o);
		assert_int_equal(w, 2000 >= t + early_stopping_under(t, 0.99, 0.99));
		within += w;
		over += o;
		undecided += !w && !o;
	}
	/* 20 are expected over the bound: in the order within, undecided, over. */
	assert_true(within > 0 && within < 20);
	assert_true(within + undecided > 20 && within + undecided < 40);
	assert_int_equal(within + undecided + over, 2001);
	assert_true(early_stopping_shows_over(2000, within + undecided, 0.99, 0.99));
	assert_false(early_stopping_shows_over(2000, within + undecided - 1, 0.99, 0.99));
	assert_false(early_stopping_shows_over(0, 0, 0.99, 0.99));
	assert_false(early_stopping_shows_over(1, 2, 0.99, 0.99));
	assert_true(early_stopping_shows_over(1, 1, 0.999, 0.99));
}

/* P(X >= t) by the sum of the other terms. */
static void shown_over_is_the_opposite_tail(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 400; n += 7) {
		for (uint64_t t = 1; t <= n && t < 40; t++) {
			bool want = 1 - at_most_over(t - 1, n, 0.95L) < 0.01L;

			assert_int_equal(early_stopping_shows_over(n, t, 0.95, 0.99), want);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_values),
		cmocka_unit_test(the_smallest_number_that_meets_the_definition),
		cmocka_unit_test(exact_for_a_million_over_the_bound),
		cmocka_unit_test(most_over_is_the_inverse),
		cmocka_unit_test(shown_within_and_shown_over_exclude_each_other),
		cmocka_unit_test(shown_over_is_the_opposite_tail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
