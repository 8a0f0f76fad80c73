/*
 * Layout, percentiles, sums and differences of the HDR histogram, against brute force.
 */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/rng.h"
#include "stats/histogram.h"

static void assert_same(const struct histogram *a, const struct histogram *b)
{
	assert_int_equal(a->ncounts, b->ncounts);
	assert_int_equal(a->total, b->total);
	assert_int_equal(a->saturated, b->saturated);
	assert_int_equal(a->min, b->min);
	assert_int_equal(a->max, b->max);
	assert_memory_equal(a->counts, b->counts, a->ncounts * sizeof(*a->counts));
}

static void every_value_of_a_small_range_is_in_the_bucket_that_says_so(void **state)
{
	struct histogram h;
	int64_t before = -1;
	uint32_t index = 0;

	(void)state;
	assert_int_equal(histogram_init(&h, 1, 300000, 2), 0);
	for (int64_t v = 0; v <= 300000; v++) {
		uint32_t i = histogram_index(&h, v);

		assert_true(i < h.ncounts);
		assert_true(i == index || i == index + 1);
		assert_true(histogram_lowest_at(&h, i) <= v && v <= histogram_highest_at(&h, i));
		if (i != index)
			assert_int_equal(histogram_lowest_at(&h, i), v);
		assert_true(v > before);
		index = i;
		before = v;
	}
	histogram_release(&h);
}

static void buckets_join_without_gap_over_the_whole_range(void **state)
{
	static const struct {
		int64_t lowest, highest;
		int digits;
	} layouts[] = {{1, 2, 1},
		       {1, 3600000000, 3},
		       {1, INT64_C(3600000000000), 3},
		       {1000, INT64_C(3600000000000), 3},
		       {1, INT64_MAX, 3},
		       {7, 1000000, 4},
		       {1, INT64_MAX, 5},
		       {INT64_C(1) << 40, INT64_MAX, 2}};

	(void)state;
	for (size_t l = 0; l < sizeof(layouts) / sizeof(layouts[0]); l++) {
		struct histogram h;

		assert_int_equal(histogram_init(&h, layouts[l].lowest, layouts[l].highest, layouts[l].digits), 0);
		assert_int_equal(histogram_lowest_at(&h, 0), 0);
		for (uint32_t i = 0; i < h.ncounts; i++) {
			int64_t lowest = histogram_lowest_at(&h, i), highest = histogram_highest_at(&h, i);

			assert_int_equal(histogram_index(&h, lowest), i);
			assert_int_equal(histogram_index(&h, highest), i);
			assert_true(lowest <= histogram_middle_at(&h, i) && histogram_middle_at(&h, i) <= highest);
			if (i + 1 < h.ncounts)
				assert_int_equal(histogram_lowest_at(&h, i + 1), highest + 1);
		}
		assert_true(histogram_highest_at(&h, h.ncounts - 1) >= h.highest);
		histogram_release(&h);
	}
}

static void width_of_a_bucket_is_within_the_precision(void **state)
{
	(void)state;
	for (int digits = 1; digits <= 5; digits++) {
		struct histogram h;
		double precision = pow(10, -digits);

		assert_int_equal(histogram_init(&h, 1, INT64_C(1) << 50, digits), 0);
		for (uint32_t i = 1; i < h.ncounts; i++) {
			double lowest = (double)histogram_lowest_at(&h, i);
			double width = (double)(histogram_highest_at(&h, i) - histogram_lowest_at(&h, i) + 1);

			assert_true(width == 1 || width / lowest <= precision);
		}
		histogram_release(&h);
	}
}

static void latency_of_a_microsecond_is_told_to_the_nanosecond(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_int_equal(histogram_lowest_equivalent(&h, 1000), 1000);
	assert_int_equal(histogram_highest_equivalent(&h, 1000), 1000);
	assert_true(histogram_highest_equivalent(&h, 20000) - histogram_lowest_equivalent(&h, 20000) < 20);
	histogram_release(&h);
}

static void layouts_that_cannot_be_are_refused(void **state)
{
	struct histogram h = {.digits = 99};

	(void)state;
	assert_int_equal(histogram_init(&h, 0, 1000, 3), ERR_INVALID);
	assert_int_equal(histogram_init(&h, -5, 1000, 3), ERR_INVALID);
	assert_int_equal(histogram_init(&h, 10, 19, 3), ERR_INVALID);
	assert_int_equal(histogram_init(&h, 1, 1000, 0), ERR_INVALID);
	assert_int_equal(histogram_init(&h, 1, 1000, 6), ERR_INVALID);
	assert_int_equal(histogram_init(&h, INT64_C(1) << 60, INT64_MAX, 3), ERR_INVALID);
	assert_int_equal(histogram_init(&h, INT64_MAX, INT64_MAX, 1), ERR_INVALID);
	assert_int_equal(h.digits, 99);
}

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* The definition, on the sorted values themselves. */
static int64_t sorted_percentile(const struct histogram *h, const int64_t *sorted, size_t n, double p)
{
	double rank = ceil(nextafter(p, 0) * (double)n / 100);
	int64_t value;

	if (p <= 0)
		return sorted[0];
	if (p >= 100)
		return sorted[n - 1];
	value = histogram_highest_equivalent(h, sorted[rank < 1 ? 0 : (size_t)rank - 1]);
	return value > sorted[n - 1] ? sorted[n - 1] : value;
}

static void percentiles_are_those_of_the_sorted_values(void **state)
{
	static const double percentiles[] = {-1, 0, 1e-9, 1, 5, 25, 50, 75, 90, 95, 99, 99.9, 99.99, 99.999, 100, 101};
	static const size_t sizes[] = {1, 2, 3, 10, 100, 1000, 20000};
	struct rng rng;

	(void)state;
	rng_init(&rng, 42);
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		size_t n = sizes[s];
		int64_t *values = calloc(n, sizeof(*values));
		struct histogram h;

		assert_non_null(values);
		assert_int_equal(histogram_init_latency(&h), 0);
		for (size_t i = 0; i < n; i++) {
			values[i] = (int64_t)(exp(rng_double(&rng) * 25));
			histogram_record(&h, values[i]);
		}
		qsort(values, n, sizeof(*values), compare);
		for (size_t p = 0; p < sizeof(percentiles) / sizeof(percentiles[0]); p++)
			assert_int_equal(histogram_percentile(&h, percentiles[p]),
					 sorted_percentile(&h, values, n, percentiles[p]));
		assert_int_equal(h.min, values[0]);
		assert_int_equal(h.max, values[n - 1]);
		histogram_release(&h);
		free(values);
	}
}

static void percentile_of_a_whole_rank_does_not_reach_the_next_value(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init(&h, 1, 1000, 3), 0);
	for (int64_t v = 1; v <= 10; v++)
		histogram_record(&h, v);
	for (int i = 1; i <= 10; i++)
		assert_int_equal(histogram_percentile(&h, 10 * i), i);
	assert_int_equal(histogram_percentile(&h, 10.001), 2);
	assert_int_equal(histogram_percentile(&h, NAN), 1);
	histogram_release(&h);
}

static void mean_and_deviation_are_those_of_the_values_within_the_precision(void **state)
{
	struct histogram h;
	struct rng rng;
	double sum = 0, squares = 0, mean, deviation;
	const int n = 50000;

	(void)state;
	rng_init(&rng, 7);
	assert_int_equal(histogram_init_latency(&h), 0);
	for (int i = 0; i < n; i++) {
		int64_t v = (int64_t)(1000000 * rng_exponential(&rng));

		histogram_record(&h, v);
		sum += (double)v;
		squares += (double)v * (double)v;
	}
	mean = sum / n;
	deviation = sqrt(squares / n - mean * mean);
	assert_true(fabs(histogram_mean(&h) - mean) < mean * 0.0005);
	assert_true(fabs(histogram_stddev(&h) - deviation) < deviation * 0.001);
	histogram_release(&h);
}

static void empty_histogram_answers_zero(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_int_equal(histogram_percentile(&h, 50), 0);
	assert_int_equal(histogram_percentile(&h, 0), 0);
	assert_true(histogram_mean(&h) == 0);
	assert_true(histogram_stddev(&h) == 0);
	assert_int_equal(h.min, INT64_MAX);
	assert_int_equal(h.max, 0);
	histogram_release(&h);
}

static void value_over_the_top_is_counted_as_saturated(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init(&h, 1, 100000, 3), 0);
	histogram_record(&h, 100000);
	assert_int_equal(h.saturated, 0);
	histogram_record_n(&h, 100001, 3);
	histogram_record(&h, INT64_MAX);
	assert_int_equal(h.saturated, 4);
	assert_int_equal(h.total, 5);
	assert_int_equal(h.counts[histogram_index(&h, 100000)], 5);
	assert_int_equal(h.max, 100000);
	histogram_release(&h);
}

static void negative_value_counts_as_zero_and_no_value_as_nothing(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init(&h, 1, 100000, 3), 0);
	histogram_record_n(&h, 5, 0);
	assert_int_equal(h.total, 0);
	assert_int_equal(h.min, INT64_MAX);
	histogram_record(&h, -1);
	histogram_record(&h, INT64_MIN);
	assert_int_equal(h.counts[0], 2);
	assert_int_equal(h.min, 0);
	assert_int_equal(h.max, 0);
	histogram_release(&h);
}

static void record_random(struct histogram *h, struct histogram *also, uint64_t seed, int n)
{
	struct rng rng;

	rng_init(&rng, seed);
	for (int i = 0; i < n; i++) {
		int64_t v = (int64_t)exp(rng_double(&rng) * 30);

		histogram_record(h, v);
		if (also)
			histogram_record(also, v);
	}
}

static void merge_of_equal_layouts_is_exact(void **state)
{
	struct histogram a, b, both;

	(void)state;
	assert_int_equal(histogram_init_latency(&a), 0);
	assert_int_equal(histogram_init_latency(&b), 0);
	assert_int_equal(histogram_init_latency(&both), 0);
	record_random(&a, &both, 1, 5000);
	record_random(&b, &both, 2, 7000);
	assert_true(both.saturated > 0);
	assert_int_equal(histogram_merge(&a, &b), 0);
	assert_same(&a, &both);
	histogram_reset(&b);
	assert_int_equal(histogram_merge(&a, &b), 0);
	assert_same(&a, &both);
	histogram_release(&a);
	histogram_release(&b);
	histogram_release(&both);
}

static void merge_into_another_layout_moves_every_count(void **state)
{
	struct histogram from, to;

	(void)state;
	assert_int_equal(histogram_init(&from, 1, 10000000, 3), 0);
	assert_int_equal(histogram_init(&to, 1, 1000000, 2), 0);
	histogram_record_n(&from, 7, 3);
	histogram_record_n(&from, 123456, 5);
	histogram_record_n(&from, 999999, 2);
	assert_int_equal(histogram_merge(&to, &from), 0);
	assert_int_equal(to.total, 10);
	assert_int_equal(to.counts[histogram_index(&to, 7)], 3);
	assert_int_equal(to.counts[histogram_index(&to, 123456)], 5);
	assert_int_equal(to.counts[histogram_index(&to, 999999)], 2);
	assert_int_equal(to.min, 7);
	assert_int_equal(to.max, 999999);
	histogram_record_n(&from, 5000000, 4);
	assert_int_equal(histogram_merge(&to, &from), ERR_RANGE);
	assert_int_equal(to.total, 24);
	assert_int_equal(to.saturated, 4);
	assert_int_equal(to.max, 1000000);
	histogram_release(&from);
	histogram_release(&to);
}

static void nanoseconds_become_whole_microseconds(void **state)
{
	struct histogram ns, us;

	(void)state;
	assert_int_equal(histogram_init_latency(&ns), 0);
	assert_int_equal(histogram_init(&us, 1, 3600000000, 3), 0);
	histogram_record(&ns, 999);
	histogram_record(&ns, 1000);
	histogram_record(&ns, 1999);
	histogram_record(&ns, 25400);
	assert_int_equal(histogram_merge_scaled(&us, &ns, 1000), 0);
	assert_int_equal(us.counts[0], 1);
	assert_int_equal(us.counts[1], 2);
	assert_int_equal(us.counts[25], 1);
	assert_int_equal(us.min, 0);
	assert_int_equal(us.max, 25);
	assert_int_equal(histogram_merge_scaled(&us, &ns, 0), ERR_INVALID);
	histogram_release(&ns);
	histogram_release(&us);
}

static void difference_of_two_snapshots_is_what_came_between(void **state)
{
	struct histogram now, before, between;

	(void)state;
	assert_int_equal(histogram_init_latency(&now), 0);
	assert_int_equal(histogram_init_latency(&before), 0);
	assert_int_equal(histogram_init_latency(&between), 0);
	record_random(&now, NULL, 1, 5000);
	assert_int_equal(histogram_copy(&before, &now), 0);
	assert_same(&before, &now);
	histogram_record_n(&now, 40000, 3);
	histogram_record_n(&now, 90000, 2);
	histogram_record(&between, 40000);
	assert_int_equal(histogram_copy(&between, &now), 0);
	assert_int_equal(histogram_subtract(&between, &before), 0);
	assert_int_equal(between.total, 5);
	assert_int_equal(between.saturated, 0);
	assert_int_equal(between.min, histogram_lowest_equivalent(&between, 40000));
	assert_int_equal(between.max, histogram_highest_equivalent(&between, 90000));
	assert_int_equal(histogram_subtract(&before, &now), ERR_RANGE);
	assert_int_equal(before.total, 5000);
	assert_int_equal(histogram_subtract(&now, &now), 0);
	assert_int_equal(now.total, 0);
	assert_int_equal(now.min, INT64_MAX);
	histogram_release(&now);
	histogram_release(&before);
	histogram_release(&between);
}

static void copy_and_difference_want_the_same_layout(void **state)
{
	struct histogram a, b;

	(void)state;
	assert_int_equal(histogram_init(&a, 1, 1000, 3), 0);
	assert_int_equal(histogram_init(&b, 1, 1000, 2), 0);
	assert_int_equal(histogram_copy(&a, &b), ERR_INVALID);
	assert_int_equal(histogram_subtract(&a, &b), ERR_INVALID);
	histogram_release(&a);
	histogram_release(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_of_a_small_range_is_in_the_bucket_that_says_so),
		cmocka_unit_test(buckets_join_without_gap_over_the_whole_range),
		cmocka_unit_test(width_of_a_bucket_is_within_the_precision),
		cmocka_unit_test(latency_of_a_microsecond_is_told_to_the_nanosecond),
		cmocka_unit_test(layouts_that_cannot_be_are_refused),
		cmocka_unit_test(percentiles_are_those_of_the_sorted_values),
		cmocka_unit_test(percentile_of_a_whole_rank_does_not_reach_the_next_value),
		cmocka_unit_test(mean_and_deviation_are_those_of_the_values_within_the_precision),
		cmocka_unit_test(empty_histogram_answers_zero),
		cmocka_unit_test(value_over_the_top_is_counted_as_saturated),
		cmocka_unit_test(negative_value_counts_as_zero_and_no_value_as_nothing),
		cmocka_unit_test(merge_of_equal_layouts_is_exact),
		cmocka_unit_test(merge_into_another_layout_moves_every_count),
		cmocka_unit_test(nanoseconds_become_whole_microseconds),
		cmocka_unit_test(difference_of_two_snapshots_is_what_came_between),
		cmocka_unit_test(copy_and_difference_want_the_same_layout),
	};

	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
