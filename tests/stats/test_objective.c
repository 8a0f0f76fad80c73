/*
 * test_objective.c - objectives as they are written, and what a histogram says of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "stats/objective.h"

static void objectives_are_read(void **state)
{
	struct error err;
	struct slo s;
	char text[64];

	(void)state;
	assert_int_equal(slo_parse(&s, "p99<=5ms", &err), 0);
	assert_int_equal(s.n, 1);
	assert_true(s.objectives[0].percentile == 99 && s.objectives[0].bound == 5 * NSEC_PER_MSEC);
	assert_int_equal(slo_parse(&s, "p99.9<=800us,p50<1m", &err), 0);
	assert_int_equal(s.n, 2);
	assert_true(s.objectives[0].percentile == 99.9 && s.objectives[0].bound == 800 * NSEC_PER_USEC);
	assert_true(s.objectives[1].bound == 60 * NSEC_PER_SEC);
	assert_string_equal(objective_format(text, sizeof(text), &s.objectives[0]), "p99.9 <= 800µs");
}

static void what_is_no_objective_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"p99",
		"99<=5ms",
		"p99<=",
		"p99<=5",
		"p99<=-5ms",
		"p0<=5ms",
		"p100<=5ms",
		"pnan<=5ms",
		"p99<=5ms,",
		"p99==<=5ms",
		"p99<=0",
		"p99<=1h",
		"p<=1ms",
		"p99>=5ms",
		",p99<=5ms",
		"p99 <=5ms",
		"p99<= 5ms",
		"p99<=5msec",
		"p1<1s,p2<1s,p3<1s,p4<1s,p5<1s,p6<1s,p7<1s,p8<1s,p9<1s",
		"p99.000000000000000000000000000000000000000000000000000000000000000000000<=5ms",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct slo s = {.n = 77};
		struct error err = {""};

		assert_int_equal(slo_parse(&s, bad[i], &err), ERR_USAGE);
		assert_int_equal(s.n, 77);
		assert_non_null(strstr(err.text, "-slo"));
	}
}

static void values_over_the_bound_are_counted(void **state)
{
	struct objective o = {99, 5 * NSEC_PER_MSEC};
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_int_equal(objective_over(&o, &h), 0);
	histogram_record_n(&h, 100, 7);
	histogram_record_n(&h, 4990000, 5);
	assert_int_equal(objective_over(&o, &h), 0);
	histogram_record_n(&h, 5010000, 3);
	histogram_record_n(&h, HISTOGRAM_LATENCY_HIGHEST + 1, 2);
	assert_int_equal(objective_over(&o, &h), 5);
	/* A value of which the histogram does not know on which side it lies is over. */
	histogram_record_n(&h, histogram_lowest_equivalent(&h, o.bound), 11);
	assert_int_equal(objective_over(&o, &h), 16);
	histogram_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objectives_are_read),
		cmocka_unit_test(what_is_no_objective_is_refused),
		cmocka_unit_test(values_over_the_bound_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
