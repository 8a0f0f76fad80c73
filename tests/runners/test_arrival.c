/* Schedules are arithmetic: no test here reads a clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runners/arrival.h"

static struct arrival_config constant(double rate, unsigned thread, unsigned threads)
{
	return (struct arrival_config){
		.process = ARRIVAL_CONSTANT,
		.rate = rate,
		.batch = 1,
		.thread = thread,
		.threads = threads,
		.start = 1000,
	};
}

static void rates_that_divide_nothing_do_not_drift(void **state)
{
	static const uint64_t rates[] = {1, 3, 7, 101, 997, 12345, 1000003, 30000001};

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		struct arrival_config cfg = constant((double)rates[r], 0, 1);
		struct arrival a;

		assert_int_equal(arrival_init(&a, &cfg), 0);
		for (uint64_t k = 0; k < 200000; k++) {
			/* k * 10^9 fits: the exact time, rounded down */
			uint64_t exact = 1000 + k * UINT64_C(1000000000) / rates[r];

			if (arrival_number(&a) != k || arrival_next(&a) != (nsec_t)exact)
				fail_msg("rate %ju arrival %ju: %jd instead of %ju", (uintmax_t)rates[r], (uintmax_t)k,
					 (intmax_t)arrival_next(&a), (uintmax_t)exact);
			arrival_advance(&a);
		}
	}
}

static void fractional_rate_is_exact_to_a_millionth(void **state)
{
	struct arrival_config cfg = constant(0.000003, 0, 1);
	struct arrival a;

	(void)state;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	arrival_advance(&a);
	arrival_advance(&a);
	arrival_advance(&a);
	/* 3 arrivals at 3 in a million seconds */
	assert_int_equal(arrival_next(&a), 1000 + INT64_C(1000000) * 1000000000);
}

static void batch_divides_the_rate_of_requests(void **state)
{
	struct arrival_config cfg = constant(1000, 0, 1);
	struct arrival a;

	(void)state;
	cfg.batch = 8;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	arrival_advance(&a);
	assert_int_equal(arrival_next(&a), 1000 + 8000000);
}

static void check_union_of_threads(struct arrival_config cfg, unsigned threads)
{
	enum { N = 20000 };
	struct arrival one, many[7];
	unsigned char *seen = calloc(N, 1);
	nsec_t *times = calloc(N, sizeof(*times));

	assert_non_null(seen);
	assert_non_null(times);
	cfg.thread = 0;
	cfg.threads = 1;
	assert_int_equal(arrival_init(&one, &cfg), 0);
	for (unsigned k = 0; k < N; k++, arrival_advance(&one))
		times[k] = arrival_next(&one);
	cfg.threads = threads;
	for (unsigned i = 0; i < threads; i++) {
		cfg.thread = i;
		assert_int_equal(arrival_init(&many[i], &cfg), 0);
		for (; arrival_number(&many[i]) < N; arrival_advance(&many[i])) {
			uint64_t k = arrival_number(&many[i]);

			assert_int_equal(k % threads, i);
			assert_int_equal(arrival_next(&many[i]), times[k]);
			seen[k]++;
		}
	}
	for (unsigned k = 0; k < N; k++)
		assert_int_equal(seen[k], 1);
	free(times);
	free(seen);
}

static void threads_share_one_schedule_whatever_their_number(void **state)
{
	struct arrival_config cfg = constant(12345, 0, 1);

	(void)state;
	for (unsigned threads = 1; threads <= 7; threads++)
		check_union_of_threads(cfg, threads);
	cfg.process = ARRIVAL_POISSON;
	cfg.seed = 42;
	for (unsigned threads = 1; threads <= 7; threads++)
		check_union_of_threads(cfg, threads);
}

static void poisson_is_its_seed_and_has_its_rate(void **state)
{
	enum { N = 200000 };
	struct arrival_config cfg = {
		.process = ARRIVAL_POISSON, .rate = 997, .batch = 1, .seed = 7, .threads = 1, .start = 0};
	struct arrival a, same, other;
	double mean_gap = 1e9 / 997, squares = 0;
	nsec_t last = 0;
	unsigned differ = 0;

	(void)state;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	assert_int_equal(arrival_init(&same, &cfg), 0);
	cfg.seed = 8;
	assert_int_equal(arrival_init(&other, &cfg), 0);
	for (unsigned k = 0; k < N; k++) {
		double gap = (double)(arrival_next(&a) - last);

		assert_int_equal(arrival_next(&a), arrival_next(&same));
		differ += arrival_next(&a) != arrival_next(&other);
		assert_true(gap >= 0);
		squares += (gap - mean_gap) * (gap - mean_gap);
		last = arrival_next(&a);
		arrival_advance(&a);
		arrival_advance(&same);
		arrival_advance(&other);
	}
	assert_true(differ > N - 100);
	/* The mean of N exponential gaps is within 1 % of 1/rate, their variance within 5 % of its square: over four
	 * standard deviations away for a fixed seed. */
	assert_true((double)last / N > mean_gap * 0.99 && (double)last / N < mean_gap * 1.01);
	assert_true(squares / N > mean_gap * mean_gap * 0.95 && squares / N < mean_gap * mean_gap * 1.05);
}

static void closed_loop_draws_runs_of_numbers_and_is_always_due(void **state)
{
	_Atomic uint64_t shared = 0;
	struct arrival_config cfg = {.process = ARRIVAL_CLOSED, .batch = 1, .threads = 2, .shared = &shared};
	struct arrival a, b;

	(void)state;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	cfg.thread = 1;
	assert_int_equal(arrival_init(&b, &cfg), 0);
	arrival_prepare(&a, 3);
	arrival_prepare(&b, 2);
	assert_int_equal(arrival_number(&a), 0);
	assert_int_equal(arrival_number(&b), 3);
	arrival_advance(&a);
	arrival_prepare(&a, 3);
	assert_int_equal(arrival_number(&a), 1);
	arrival_advance(&a);
	arrival_advance(&a);
	arrival_prepare(&a, 4);
	assert_int_equal(arrival_number(&a), 5);
	assert_int_equal(atomic_load(&shared), 9);
	assert_true(arrival_next(&a) < 0);
}

static void refuses_rates_and_threads_out_of_range(void **state)
{
	struct arrival_config cfg = constant(0, 0, 1);
	struct arrival a;

	(void)state;
	assert_int_equal(arrival_init(&a, &cfg), ERR_RANGE);
	cfg.rate = -1;
	assert_int_equal(arrival_init(&a, &cfg), ERR_RANGE);
	cfg.rate = 1e10;
	assert_int_equal(arrival_init(&a, &cfg), ERR_RANGE);
	cfg.rate = NAN;
	assert_int_equal(arrival_init(&a, &cfg), ERR_RANGE);
	cfg = constant(10, 1, 1);
	assert_int_equal(arrival_init(&a, &cfg), ERR_INVALID);
	cfg = constant(10, 0, 1);
	cfg.batch = 0;
	assert_int_equal(arrival_init(&a, &cfg), ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rates_that_divide_nothing_do_not_drift),
		cmocka_unit_test(fractional_rate_is_exact_to_a_millionth),
		cmocka_unit_test(batch_divides_the_rate_of_requests),
		cmocka_unit_test(threads_share_one_schedule_whatever_their_number),
		cmocka_unit_test(poisson_is_its_seed_and_has_its_rate),
		cmocka_unit_test(closed_loop_draws_runs_of_numbers_and_is_always_due),
		cmocka_unit_test(refuses_rates_and_threads_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
