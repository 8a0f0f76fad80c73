/* Schedules are arithmetic: no test here reads a clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runners/arrival.h"

static struct rate_schedule schedule;

/* At `rate`, which stays in `schedule`. */
static struct arrival_config constant(double rate, unsigned thread, unsigned threads)
{
	rate_schedule_constant(&schedule, rate);
	return (struct arrival_config){
		.process = ARRIVAL_CONSTANT,
		.schedule = &schedule,
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

/* Of this schedule; in a Poisson process of this seed. */
static void start(struct arrival *a, enum arrival_process process, const char *text, uint64_t seed)
{
	struct arrival_config cfg = {
		.process = process, .schedule = &schedule, .batch = 1, .seed = seed, .threads = 1, .start = 0};
	struct error err;

	assert_int_equal(rate_schedule_parse(&schedule, text, &err), 0);
	assert_int_equal(arrival_init(a, &cfg), 0);
}

static void steps_and_ramps_are_shared_by_threads_too(void **state)
{
	struct arrival_config cfg = constant(1, 0, 1);
	struct error err;

	(void)state;
	assert_int_equal(rate_schedule_parse(&schedule, "101:10s,997..3:20s,3..5000:10s,12345", &err), 0);
	for (unsigned threads = 2; threads <= 7; threads++)
		check_union_of_threads(cfg, threads);
	cfg.process = ARRIVAL_POISSON;
	cfg.seed = 3;
	for (unsigned threads = 2; threads <= 7; threads++)
		check_union_of_threads(cfg, threads);
}

/* The first arrival at or after t. */
static uint64_t count_until(struct arrival *a, nsec_t t)
{
	while (arrival_next(a) < t)
		arrival_advance(a);
	return arrival_number(a);
}

static void stretches_have_the_arrivals_of_their_area(void **state)
{
	static const struct {
		const char *text;
		nsec_t seconds[4];
		double inferences[4]; /* up to there */
	} cases[] = {
		{"100:30s,200:30s", {30, 60}, {3000, 9000}},
		{"100..1000:60s", {15, 30, 60}, {3187.5, 9750, 33000}},
		{"1000..100:60s,100", {60, 70}, {33000, 34000}},
		{"101:7s,101..997:13s,997..0.5:10s,12345.678:5s", {7, 20, 30, 35}, {707, 7844, 12831.5, 74559.89}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct arrival a;

		start(&a, ARRIVAL_CONSTANT, cases[i].text, 0);
		for (int j = 0; j < 4 && cases[i].seconds[j]; j++) {
			uint64_t n = count_until(&a, cases[i].seconds[j] * NSEC_PER_SEC);

			/* arrival 0 is due at once: there is one for each whole inference begun */
			if (n != (uint64_t)ceil(cases[i].inferences[j]))
				fail_msg("%s: %ju arrivals by %jd s, not %g", cases[i].text, (uintmax_t)n,
					 (intmax_t)cases[i].seconds[j], cases[i].inferences[j]);
		}
	}
}

/* N(t) of a ramp in long double, against which its inverse is held. */
static void arrivals_on_a_ramp_are_where_its_integral_is_whole(void **state)
{
	static const struct {
		double from, to, seconds;
	} ramps[] = {{100, 1000, 60}, {1000, 100, 60}, {1e-6, 50000, 10}, {50000, 1e-6, 10}, {3, 3.000001, 100000}};

	(void)state;
	for (size_t i = 0; i < sizeof(ramps) / sizeof(ramps[0]); i++) {
		long double from = ramps[i].from, to = ramps[i].to, d = ramps[i].seconds;
		struct arrival a;
		char text[64];
		nsec_t last = 0;

		snprintf(text, sizeof(text), "%.9f..%.9f:%.0fs", ramps[i].from, ramps[i].to, ramps[i].seconds);
		start(&a, ARRIVAL_CONSTANT, text, 0);
		for (; arrival_next(&a) != NSEC_NEVER; arrival_advance(&a)) {
			long double t = (long double)arrival_next(&a) / 1e9L, next = t + 1e-9L;
			long double k = (long double)arrival_number(&a);

			assert_true(arrival_next(&a) >= last);
			last = arrival_next(&a);
			/* rounded down to a nanosecond, give or take the double's last bits */
			assert_true((double)(from * t + (to - from) * t * t / (2 * d)) <= (double)k + 1e-6);
			assert_true((double)(from * next + (to - from) * next * next / (2 * d)) >= (double)k - 1e-6);
		}
		assert_true((long double)arrival_number(&a) >= (from + to) * d / 2 - 1e-6L);
	}
}

static void schedule_that_ends_has_no_arrivals_after_it(void **state)
{
	struct arrival a;

	(void)state;
	start(&a, ARRIVAL_CONSTANT, "10:1s,20:500ms", 0);
	for (unsigned k = 0; k < 20; k++, arrival_advance(&a))
		assert_true(arrival_next(&a) < 1500 * NSEC_PER_MSEC);
	for (unsigned k = 0; k < 5; k++, arrival_advance(&a))
		assert_int_equal(arrival_next(&a), NSEC_NEVER);
	start(&a, ARRIVAL_POISSON, "1000:1s", 5);
	while (arrival_next(&a) < NSEC_PER_SEC)
		arrival_advance(&a);
	assert_int_equal(arrival_next(&a), NSEC_NEVER);
}

static void a_day_of_odd_rates_ends_at_its_exact_nanosecond(void **state)
{
	static const uint64_t rates[] = {101, 997, 12345};

	(void)state;
	for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
		/* The last thread of very many comes in steps of a thousand seconds. */
		unsigned threads = (unsigned)rates[r] * 1000 + 1;
		struct arrival_config cfg = constant((double)rates[r], threads - 1, threads);
		struct arrival a;

		assert_int_equal(arrival_init(&a, &cfg), 0);
		for (unsigned i = 0; i < 86; i++, arrival_advance(&a))
			assert_int_equal(arrival_next(&a), 1000 + arrival_number(&a) * UINT64_C(1000000000) / rates[r]);
	}
}

static void times_beyond_centuries_are_never(void **state)
{
	struct arrival_config cfg = constant(1e-6, 0, 1);
	struct arrival a;

	(void)state;
	cfg.batch = 65536;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	arrival_advance(&a);
	assert_int_equal(arrival_next(&a), NSEC_NEVER);
	cfg.process = ARRIVAL_POISSON;
	assert_int_equal(arrival_init(&a, &cfg), 0);
	for (unsigned i = 0; i < 100; i++)
		arrival_advance(&a);
	assert_int_equal(arrival_next(&a), NSEC_NEVER);
}

static void poisson_schedule_is_its_seed(void **state)
{
	enum { N = 10000 };
	struct arrival a, same, other;
	unsigned differ = 0;

	(void)state;
	start(&a, ARRIVAL_POISSON, "997", 7);
	start(&same, ARRIVAL_POISSON, "997", 7);
	start(&other, ARRIVAL_POISSON, "997", 8);
	for (unsigned k = 0; k < N; k++) {
		assert_int_equal(arrival_next(&a), arrival_next(&same));
		differ += arrival_next(&a) != arrival_next(&other);
		arrival_advance(&a);
		arrival_advance(&same);
		arrival_advance(&other);
	}
	assert_true(differ > N - 10);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Kolmogorov and Smirnov: the largest distance of the empirical distribution of gaps from 1 - exp(-x). */
static double distance_from_exponential(double *gaps, size_t n)
{
	double largest = 0;

	qsort(gaps, n, sizeof(*gaps), ascending);
	for (size_t i = 0; i < n; i++) {
		double p = -expm1(-gaps[i]);

		largest = fmax(largest, fmax(fabs(p - (double)i / (double)n), fabs((double)(i + 1) / (double)n - p)));
	}
	return largest;
}

static void poisson_gaps_are_exponential(void **state)
{
	enum { N = 100000 };
	static const uint64_t seeds[] = {1, 7, 42, 1u << 31};
	double *gaps = calloc(N, sizeof(*gaps));

	(void)state;
	assert_non_null(gaps);
	for (size_t s = 0; s < sizeof(seeds) / sizeof(seeds[0]); s++) {
		double sum = 0, squares = 0, neighbours = 0, last = 1;
		nsec_t before = 0;
		struct arrival a;

		start(&a, ARRIVAL_POISSON, "997", seeds[s]);
		for (unsigned k = 0; k < N; k++, arrival_advance(&a)) {
			gaps[k] = (double)(arrival_next(&a) - before) * 997e-9;
			assert_true(gaps[k] >= 0);
			before = arrival_next(&a);
			sum += gaps[k];
			squares += (gaps[k] - 1) * (gaps[k] - 1);
			neighbours += (gaps[k] - 1) * (last - 1);
			last = gaps[k];
		}
		/* Mean 1 with a standard error of 1/sqrt(N), variance 1 with one of sqrt(8/N), no correlation of neighbours
		 * with one of 1/sqrt(N); four of each. */
		assert_true(fabs(sum / N - 1) < 4 / sqrt(N));
		assert_true(fabs(squares / N - 1) < 4 * sqrt(8.0 / N));
		assert_true(fabs(neighbours / N) < 4 / sqrt(N));
		/* 1.95/sqrt(N) is passed once in a thousand times. */
		assert_true(distance_from_exponential(gaps, N) < 1.95 / sqrt(N));
	}
	free(gaps);
}

/* Counts of a Poisson process vary as much as they are large. */
static void poisson_counts_follow_the_rate(void **state)
{
	static const struct {
		nsec_t until;
		double expected;
	} parts[] = {{10, 10000}, {20, 15000}, {30, 30000}, {40, 45000}};
	double chi_square = 0;
	struct arrival a;
	uint64_t before = 0;

	(void)state;
	start(&a, ARRIVAL_POISSON, "1000:10s,1000..2000:10s,3000:10s,5000..4000:10s", 11);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint64_t n = count_until(&a, parts[i].until * NSEC_PER_SEC);
		double difference = (double)(n - before) - parts[i].expected;

		chi_square += difference * difference / parts[i].expected;
		before = n;
	}
	/* Four degrees of freedom: 18.5 is passed once in a thousand times. */
	assert_true(chi_square < 18.5);
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
	static const double rates[] = {0, -1, 1e-7, 1e10, NAN, INFINITY};
	struct arrival_config cfg;
	struct arrival a;

	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		cfg = constant(rates[i], 0, 1);
		assert_int_equal(arrival_init(&a, &cfg), ERR_RANGE);
	}
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
		cmocka_unit_test(steps_and_ramps_are_shared_by_threads_too),
		cmocka_unit_test(stretches_have_the_arrivals_of_their_area),
		cmocka_unit_test(arrivals_on_a_ramp_are_where_its_integral_is_whole),
		cmocka_unit_test(schedule_that_ends_has_no_arrivals_after_it),
		cmocka_unit_test(a_day_of_odd_rates_ends_at_its_exact_nanosecond),
		cmocka_unit_test(times_beyond_centuries_are_never),
		cmocka_unit_test(poisson_schedule_is_its_seed),
		cmocka_unit_test(poisson_gaps_are_exponential),
		cmocka_unit_test(poisson_counts_follow_the_rate),
		cmocka_unit_test(closed_loop_draws_runs_of_numbers_and_is_always_due),
		cmocka_unit_test(refuses_rates_and_threads_out_of_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
