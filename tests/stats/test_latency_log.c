/* Exact latencies: order, percentiles, and what lies above a bound, against brute force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/rng.h"
#include "stats/latency_log.h"

static int compare(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return (x > y) - (x < y);
}

static void fill(struct latency_log *l, uint64_t n, uint64_t below, struct rng *rng)
{
	assert_int_equal(latency_log_init(l, n ? n : 1, n / 2), 0);
	for (uint64_t i = 0; i < n; i++)
		latency_log_add(l, (nsec_t)rng_below(rng, below));
}

static void sorts_like_qsort_whatever_the_range(void **state)
{
	static const uint64_t ranges[] = {1, 2, 1 << 16, 1000000, (uint64_t)1 << 33, (uint64_t)1 << 62};
	struct rng rng;

	(void)state;
	rng_init(&rng, 1);
	for (size_t r = 0; r < ARRAY_LEN(ranges); r++) {
		struct latency_log parts[3] = {0}, all = {0};
		struct latency_log *const from[] = {&parts[0], &parts[1], &parts[2]};
		nsec_t *expected = calloc(3000, sizeof(*expected));
		uint64_t n = 0;

		assert_non_null(expected);
		for (int i = 0; i < 3; i++) {
			fill(&parts[i], 500 * (uint64_t)i, ranges[r], &rng);
			if (parts[i].n)
				memcpy(expected + n, parts[i].values, parts[i].n * sizeof(*expected));
			n += parts[i].n;
		}
		qsort(expected, n, sizeof(*expected), compare);
		assert_int_equal(latency_log_gather(&all, from, 3), 0);
		assert_int_equal(all.n, n);
		assert_memory_equal(all.values, expected, n * sizeof(*expected));
		for (int i = 0; i < 3; i++)
			assert_null(parts[i].values);
		latency_log_release(&all);
		free(expected);
	}
}

static void one_log_is_sorted_in_its_place(void **state)
{
	struct latency_log log = {0}, all = {0};
	struct latency_log *const from[] = {&log};

	(void)state;
	assert_int_equal(latency_log_init(&log, 4, 0), 0);
	latency_log_add(&log, 70000);
	latency_log_add(&log, -5);
	latency_log_add(&log, 3);
	assert_false(latency_log_full(&log));
	latency_log_add(&log, 2);
	assert_true(latency_log_full(&log));
	assert_int_equal(latency_log_gather(&all, from, 1), 0);
	assert_int_equal(all.values[0], 0); /* clocks that disagree */
	assert_int_equal(all.values[1], 2);
	assert_int_equal(all.values[2], 3);
	assert_int_equal(all.values[3], 70000);
	latency_log_release(&all);
}

/* sorted[floor(n x p)], as LoadGen has it: not the nearest rank. */
static void percentile_is_the_sorted_value_at_floor_of_n_times_p(void **state)
{
	static const struct {
		uint64_t n;
		double share;
		nsec_t value;
	} cases[] = {
		{0, 0.5, 0},    {1, 0.999, 0},   {2, 0.5, 1},       {10, 0.9, 9},
		{100, 0.9, 90}, {100, 0.99, 99}, {1000, 0.99, 990}, {999, 0.999, 998},
	};

	(void)state;
	for (size_t c = 0; c < ARRAY_LEN(cases); c++) {
		struct latency_log log = {0};

		assert_int_equal(latency_log_init(&log, 1000, 0), 0);
		for (uint64_t i = 0; i < cases[c].n; i++)
			latency_log_add(&log, (nsec_t)i);
		assert_int_equal(latency_log_percentile(&log, cases[c].share), cases[c].value);
		latency_log_release(&log);
	}
}

static void what_equals_the_bound_is_not_over_it(void **state)
{
	static const nsec_t values[] = {1, 5, 5, 5, 9};
	static const uint64_t over[] = {5, 4, 4, 4, 4, 1, 1, 1, 1, 0, 0};
	struct latency_log log = {0};

	(void)state;
	assert_int_equal(latency_log_init(&log, 8, 8), 0);
	assert_int_equal(latency_log_over(&log, 0), 0);
	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		latency_log_add(&log, values[i]);
	for (nsec_t bound = 0; bound <= 10; bound++)
		assert_int_equal(latency_log_over(&log, bound), over[bound]);
	latency_log_release(&log);
}

static void sizes_that_do_not_fit_are_refused(void **state)
{
	struct latency_log log = {0};

	(void)state;
	assert_int_equal(latency_log_init(&log, 0, 0), ERR_NOMEM);
	assert_int_equal(latency_log_init(&log, UINT64_MAX, 0), ERR_NOMEM);
	assert_int_equal(latency_log_init(&log, UINT64_MAX / 8, 0), ERR_NOMEM);
	assert_null(log.values);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorts_like_qsort_whatever_the_range),
		cmocka_unit_test(one_log_is_sorted_in_its_place),
		cmocka_unit_test(percentile_is_the_sorted_value_at_floor_of_n_times_p),
		cmocka_unit_test(what_equals_the_bound_is_not_over_it),
		cmocka_unit_test(sizes_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
