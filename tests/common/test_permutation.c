/* An order of numbers without a table: nothing is missing, nothing comes twice, and it looks like chance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/permutation.h"

static void check_bijection(uint64_t n, uint64_t seed, uint64_t pass)
{
	unsigned char *seen = calloc(n, 1);
	struct permutation p;

	assert_non_null(seen);
	permutation_init(&p, n, seed);
	for (uint64_t place = 0; place < n; place++) {
		uint64_t i = permutation_at(&p, pass, place);

		assert_true(i < n);
		assert_int_equal(seen[i]++, 0);
	}
	free(seen);
}

static void is_a_bijection_for_every_size(void **state)
{
	(void)state;
	for (uint64_t n = 1; n <= 300; n++)
		for (uint64_t pass = 0; pass < 3; pass++)
			check_bijection(n, n * 31, pass);
	check_bijection(65536, 1, 0);
	check_bijection(65537, 2, UINT64_MAX);
	check_bijection(1000003, UINT64_MAX, 7);
}

static void largest_sizes_stay_within(void **state)
{
	static const uint64_t sizes[] = {UINT64_MAX, (UINT64_C(1) << 63) + 1, UINT64_C(1) << 63, UINT64_C(1) << 40};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct permutation p;

		permutation_init(&p, sizes[i], 3);
		for (uint64_t place = 0; place < 1000; place++)
			assert_true(permutation_at(&p, 0, place) < sizes[i]);
	}
}

static unsigned same_places(const struct permutation *a, uint64_t pass_a, const struct permutation *b, uint64_t pass_b)
{
	unsigned same = 0;

	for (uint64_t place = 0; place < a->n; place++)
		same += permutation_at(a, pass_a, place) == permutation_at(b, pass_b, place);
	return same;
}

static void same_seed_same_order_and_another_in_each_pass(void **state)
{
	struct permutation p, same, other;

	(void)state;
	permutation_init(&p, 10000, 42);
	permutation_init(&same, 10000, 42);
	permutation_init(&other, 10000, 43);
	assert_int_equal(same_places(&p, 5, &same, 5), 10000);
	/* Of two orders by chance one place in all is the same on average; Poisson leaves 10 to one in ten million. */
	assert_true(same_places(&p, 0, &other, 0) < 10);
	for (uint64_t pass = 1; pass < 20; pass++)
		assert_true(same_places(&p, pass - 1, &p, pass) < 10);
}

/* Each of n numbers comes at each of n places in 1/n of the passes. */
static void check_places(uint64_t n, unsigned passes, double limit)
{
	unsigned *count = calloc(n * n, sizeof(*count));
	double expected = (double)passes / (double)n, chi_square = 0;
	struct permutation p;

	assert_non_null(count);
	permutation_init(&p, n, 9);
	for (unsigned pass = 0; pass < passes; pass++)
		for (uint64_t place = 0; place < n; place++)
			count[place * n + permutation_at(&p, pass, place)]++;
	for (uint64_t i = 0; i < n * n; i++)
		chi_square += (count[i] - expected) * (count[i] - expected) / expected;
	if (chi_square >= limit)
		fail_msg("n %ju: chi-square %g, not below %g", (uintmax_t)n, chi_square, limit);
	free(count);
}

static void every_number_comes_everywhere_equally_often(void **state)
{
	(void)state;
	/* (n - 1)^2 degrees of freedom d: d + 4 sqrt(2 d). */
	check_places(5, 20000, 16 + 4 * sqrt(32));
	check_places(10, 20000, 81 + 4 * sqrt(162));
	check_places(37, 40000, 1296 + 4 * sqrt(2592));
}

static void neighbours_come_apart(void **state)
{
	enum { N = 100000 };
	double sum = 0;
	struct permutation p;

	(void)state;
	permutation_init(&p, N, 4);
	for (uint64_t place = 1; place < N; place++) {
		double a = (double)permutation_at(&p, 0, place - 1) / N - 0.5,
		       b = (double)permutation_at(&p, 0, place) / N - 0.5;

		sum += a * b * 12;
	}
	assert_true(fabs(sum / N) < 4 / sqrt(N));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_a_bijection_for_every_size),
		cmocka_unit_test(largest_sizes_stay_within),
		cmocka_unit_test(same_seed_same_order_and_another_in_each_pass),
		cmocka_unit_test(every_number_comes_everywhere_equally_often),
		cmocka_unit_test(neighbours_come_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
