/*
 * test_sweep.c - sweeps as they are written, and the points that they mean.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <math.h>

#include "common/arith.h"
#include "runners/sweep.h"

static void check_values(const char *text, enum sweep_variable v, size_t n, const double *values)
{
	struct error err = {""};
	struct sweep s;

	if (sweep_parse(&s, text, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(s.naxes, 1);
	assert_int_equal(s.axes[0].variable, v);
	assert_int_equal(s.axes[0].n, n);
	assert_int_equal(s.points, n);
	for (size_t i = 0; i < n; i++)
		assert_true(s.axes[0].values[i] == values[i]);
}

#define CHECK_VALUES(text, variable, ...) \
	check_values(text, variable, ARRAY_LEN(((const double[]){__VA_ARGS__})), (const double[]){__VA_ARGS__})

static void lists_and_ranges_are_read(void **state)
{
	(void)state;
	CHECK_VALUES("workers=7", SWEEP_WORKERS, 7);
	CHECK_VALUES("workers=1,2,4..64", SWEEP_WORKERS, 1, 2, 4, 8, 16, 32, 64);
	CHECK_VALUES("rate=100,200..1600", SWEEP_RATE, 100, 200, 400, 800, 1600);
	CHECK_VALUES("rate=0.5..3", SWEEP_RATE, 0.5, 1, 2, 3);
	CHECK_VALUES("batch=10..50+10", SWEEP_BATCH, 10, 20, 30, 40, 50);
	CHECK_VALUES("batch=10..45+10,100", SWEEP_BATCH, 10, 20, 30, 40, 45, 100);
	CHECK_VALUES("rate=0.1..0.3+0.1", SWEEP_RATE, 0.1, 0.2, 0.3);
	CHECK_VALUES("rate=1e3..2e3+5e2", SWEEP_RATE, 1000, 1500, 2000);
	CHECK_VALUES(" server-batch=0,10,20; ", SWEEP_SERVER_BATCH, 0, 10, 20);
}

static void several_variables_make_a_grid(void **state)
{
	struct sweep_point p;
	struct error err;
	struct sweep s;
	char name[128];

	(void)state;
	assert_int_equal(sweep_parse(&s, "workers=1..4;batch=1,8", &err), 0);
	assert_int_equal(s.points, 6);
	sweep_point_at(&p, &s, 0);
	assert_true(p.values[SWEEP_WORKERS] == 1 && p.values[SWEEP_BATCH] == 1 && isnan(p.values[SWEEP_RATE]));
	assert_string_equal(sweep_point_name(name, sizeof(name), &p), "workers_1_batch_1");
	sweep_point_at(&p, &s, 3);
	assert_string_equal(sweep_point_name(name, sizeof(name), &p), "workers_2_batch_8");
	sweep_point_at(&p, &s, 5);
	assert_string_equal(sweep_point_name(name, sizeof(name), &p), "workers_4_batch_8");
	assert_int_equal(sweep_parse(&s, "rate=0.5 server-batch=20", &err), 0);
	sweep_point_at(&p, &s, 0);
	assert_string_equal(sweep_point_name(name, sizeof(name), &p), "rate_0.5_server-batch_20");
	assert_int_equal(strlen(sweep_point_name(name, 6, &p)), 5);
}

static void what_is_no_sweep_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		";",
		"workers",
		"workers=",
		"workers=1,",
		"=1",
		"workers=0",
		"workers=1.5",
		"workers=65537",
		"workers=-1",
		"workers=x",
		"workers=inf",
		"workers=nan",
		"worker=1",
		"workersx=1",
		"workers=4..1",
		"workers=4..4",
		"workers=1..",
		"workers=..4",
		"workers=1..4+0",
		"workers=1..4+-1",
		"workers=1..4+0.5",
		"workers=1..4+",
		"workers=1...4",
		"workers=1,1",
		"workers=1..4,2",
		"workers=1;workers=2",
		"workers=1;batch",
		"server-batch=0..8",
		"rate=0",
		"rate=1..1000+1",
		"rate=1..100+1;workers=1..100+1",
		"workers=00000000000000000000000000000000000000000000000000000000000000000000001",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct sweep s = {.naxes = 77};
		struct error err = {""};

		if (sweep_parse(&s, bad[i], &err) != ERR_USAGE)
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(s.naxes, 77);
		assert_non_null(strstr(err.text, "-sweep"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_and_ranges_are_read),
		cmocka_unit_test(several_variables_make_a_grid),
		cmocka_unit_test(what_is_no_sweep_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
