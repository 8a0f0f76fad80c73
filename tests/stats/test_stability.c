/*
 * test_stability.c - when a run has come to rest, and where more load stops paying.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "common/arith.h"
#include "stats/knee.h"
#include "stats/stability.h"

struct window {
	double throughput, latency;
};

/* Adds windows until the state is decided. */
static struct stability feed(const struct window *w, size_t n)
{
	struct stability s = {0};

	for (size_t i = 0; i < n; i++) {
		enum stability_state state = stability_add(&s, w[i].throughput, w[i].latency);

		assert_int_equal(state, s.state);
		if (state != STABILITY_MEASURING)
			break;
	}
	return s;
}

static void three_windows_within_ten_percent_are_stable(void **state)
{
	static const struct window rest[] = {{100, 5}, {110, 5.5}, {105, 5.2}, {1, 1}};
	static const struct window warming[] = {{50, 9}, {90, 6}, {100, 5}, {101, 5.1}, {99, 5}, {1, 1}};
	struct stability s = feed(rest, ARRAY_LEN(rest));

	(void)state;
	assert_int_equal(s.state, STABILITY_STABLE);
	assert_int_equal(s.windows, 3);
	s = feed(warming, ARRAY_LEN(warming));
	assert_int_equal(s.state, STABILITY_STABLE);
	assert_int_equal(s.windows, 5);
}

static void either_figure_out_of_the_band_goes_on(void **state)
{
	static const struct window latency[] = {{100, 5}, {100, 5}, {100, 5.51}};
	static const struct window throughput[] = {{100, 5}, {111, 5}, {100, 5}};
	static const struct window nothing[] = {{0, 0}, {0, 0}, {0, 0}};

	(void)state;
	assert_int_equal(feed(latency, ARRAY_LEN(latency)).state, STABILITY_MEASURING);
	assert_int_equal(feed(throughput, ARRAY_LEN(throughput)).state, STABILITY_MEASURING);
	assert_int_equal(feed(nothing, ARRAY_LEN(nothing)).state, STABILITY_MEASURING);
}

static void ten_windows_without_rest_are_unstable(void **state)
{
	static const struct window swinging[] = {{100, 5}, {120, 5}, {100, 5}, {120, 5}, {100, 5}, {120, 5},
						 {100, 5}, {120, 5}, {100, 5}, {120, 5}, {120, 5}, {120, 5}};
	static const struct window late[] = {{1, 5},  {2, 5},  {4, 5},   {8, 5},   {16, 5},
					     {32, 5}, {64, 5}, {128, 5}, {128, 5}, {128, 5}};
	struct stability s = feed(swinging, ARRAY_LEN(swinging));

	(void)state;
	assert_int_equal(s.state, STABILITY_UNSTABLE);
	assert_int_equal(s.windows, STABILITY_WINDOWS_MAX);
	s = feed(late, ARRAY_LEN(late));
	assert_int_equal(s.state, STABILITY_STABLE);
	assert_int_equal(s.windows, 10);
}

static void the_knee_is_where_power_is_highest(void **state)
{
	/* One server behind a closed loop of 1, 2, 4, … without think time: latency doubles once it is full. */
	static const double throughput[] = {100, 190, 340, 400, 400, 400};
	static const double latency[] = {10, 10.5, 11.8, 20, 40, 80};

	(void)state;
	assert_int_equal(knee_by_power(throughput, latency, 6), 2);
	assert_int_equal(knee_by_power(throughput, latency, 1), 0);
	assert_int_equal(knee_by_power(throughput, latency, 0), 0);
}

static void the_knee_of_an_open_queue_is_at_half_its_capacity(void **state)
{
	double throughput[99], latency[99];

	(void)state;
	for (int i = 0; i < 99; i++) {
		throughput[i] = i + 1;
		latency[i] = 1 / (100.0 - throughput[i]); /* M/M/1 */
	}
	assert_int_equal(knee_by_power(throughput, latency, 99), 49);
}

static void loads_without_figures_are_no_knee(void **state)
{
	static const double throughput[] = {0, 5, NAN, 7, 7}, latency[] = {1, 0, 1, 2, 2};

	(void)state;
	assert_int_equal(knee_by_power(throughput, latency, 5), 3);
	assert_int_equal(knee_by_power(throughput, latency, 3), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_windows_within_ten_percent_are_stable),
		cmocka_unit_test(either_figure_out_of_the_band_goes_on),
		cmocka_unit_test(ten_windows_without_rest_are_unstable),
		cmocka_unit_test(the_knee_is_where_power_is_highest),
		cmocka_unit_test(the_knee_of_an_open_queue_is_at_half_its_capacity),
		cmocka_unit_test(loads_without_figures_are_no_knee),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
