/*
 * Incomplete beta, binomial tails and Student's t, against closed forms, sums and published tables.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/arith.h"
#include "stats/distribution.h"

static void assert_relative(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance * fabs(want)))
		fail_msg("%.17g, not %.17g", got, want);
}

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.17g, not %.17g", got, want);
}

static void incomplete_beta_has_its_closed_forms(void **state)
{
	(void)state;
	for (double x = 0.01; x < 1; x += 0.01) {
		for (double a = 0.25; a < 2000; a *= 3) {
			assert_relative(incomplete_beta(a, 1, x), pow(x, a), 1e-11);
			assert_relative(incomplete_beta(1, a, x), -expm1(a * log1p(-x)), 1e-11);
		}
	}
	assert_true(incomplete_beta(3, 4, 0) == 0);
	assert_true(incomplete_beta(3, 4, 1) == 1);
}

static void incomplete_beta_of_the_other_side_is_the_rest(void **state)
{
	static const double values[] = {0.5, 1, 2.5, 17, 400, 1e6, 1e8, 1e10};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		for (size_t j = 0; j < ARRAY_LEN(values); j++) {
			double a = values[i], b = values[j], x = a / (a + b);

			if (a < 1e4 * b && b < 1e4 * a) /* beyond, 1 - x has lost its digits */
				assert_near(incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x), 1, 1e-9);
		}
		assert_relative(incomplete_beta(values[i], values[i], 0.5), 0.5, 1e-10);
	}
}

static double binomial(uint64_t k, uint64_t n, double p)
{
	long double c = 1;

	for (uint64_t i = 0; i < k; i++)
		c = c * (long double)(n - i) / (long double)(i + 1);
	return (double)(c * powl(p, (long double)k) * powl(1 - (long double)p, (long double)(n - k)));
}

static void binomial_tails_are_the_sums_of_their_terms(void **state)
{
	static const double shares[] = {0.001, 0.1, 0.5, 0.77, 0.99};

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(shares); s++) {
		for (uint64_t n = 1; n <= 60; n++) {
			double below = 0;

			for (uint64_t k = 0; k <= n; k++) {
				double above = 0;

				for (uint64_t i = k; i <= n; i++)
					above += binomial(i, n, shares[s]);
				below += binomial(k, n, shares[s]);
				assert_relative(binomial_at_most(k, n, shares[s]), below, 1e-11);
				assert_relative(binomial_at_least(k, n, shares[s]), above, 1e-10);
			}
		}
	}
	assert_true(binomial_at_least(4, 3, 0.5) == 0);
	assert_true(binomial_at_least(0, 3, 0.5) == 1);
	assert_true(binomial_at_most(3, 3, 0.5) == 1);
}

static void student_has_its_closed_forms_of_one_and_two_degrees(void **state)
{
	(void)state;
	for (double t = 0.01; t < 1000; t *= 1.3) {
		assert_relative(student_two_sided(t, 1), 2 / M_PI * atan(1 / t), 1e-11);
		assert_relative(student_two_sided(t, 2), 2 / (sqrt(2 + t * t) * (sqrt(2 + t * t) + t)), 1e-11);
		assert_true(student_two_sided(-t, 2) == student_two_sided(t, 2));
	}
	assert_relative(student_two_sided(0, 7), 1, 1e-12);
}

/* NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2, three decimals. */
static void student_quantiles_are_the_tables(void **state)
{
	static const struct {
		double df, t90, t95, t99;
	} table[] = {
		{1, 6.314, 12.706, 63.657}, {2, 2.920, 4.303, 9.925},   {3, 2.353, 3.182, 5.841},
		{4, 2.132, 2.776, 4.604},   {5, 2.015, 2.571, 4.032},   {8, 1.860, 2.306, 3.355},
		{9, 1.833, 2.262, 3.250},   {10, 1.812, 2.228, 3.169},  {18, 1.734, 2.101, 2.878},
		{30, 1.697, 2.042, 2.750},  {100, 1.660, 1.984, 2.626}, {1e9, 1.645, 1.960, 2.576},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		assert_near(student_quantile(0.90, table[i].df), table[i].t90, 0.0006);
		assert_near(student_quantile(0.95, table[i].df), table[i].t95, 0.0006);
		assert_near(student_quantile(0.99, table[i].df), table[i].t99, 0.0006);
	}
}

static void student_quantile_inverts_the_distribution(void **state)
{
	static const double confidences[] = {0.001, 0.5, 0.9, 0.99, 0.999999};

	(void)state;
	for (double df = 0.7; df < 1e5; df *= 2.1) {
		for (size_t i = 0; i < ARRAY_LEN(confidences); i++) {
			double t = student_quantile(confidences[i], df);

			assert_near(1 - student_two_sided(t, df), confidences[i], 1e-10);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incomplete_beta_has_its_closed_forms),
		cmocka_unit_test(incomplete_beta_of_the_other_side_is_the_rest),
		cmocka_unit_test(binomial_tails_are_the_sums_of_their_terms),
		cmocka_unit_test(student_has_its_closed_forms_of_one_and_two_degrees),
		cmocka_unit_test(student_quantiles_are_the_tables),
		cmocka_unit_test(student_quantile_inverts_the_distribution),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
