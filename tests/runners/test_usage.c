/*
 * test_usage.c - what was used, and what was taken: the kernel's files as the test writes them, and this machine's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runners/timer_probe.h"
#include "runners/usage.h"
#include "tests/support/fake_root.h"

static int setup(void **state)
{
	struct fake_root *r = malloc(sizeof(*r));

	assert_non_null(r);
	fake_root_new(r);
	*state = r;
	return 0;
}

static int teardown(void **state)
{
	fake_root_release(*state);
	free(*state);
	return 0;
}

static void steal_is_a_share_of_all_cpu_time(void **state)
{
	const struct fake_root *r = *state;
	struct machine_mark from, to;
	struct machine_usage usage;

	fake_root_put(r, "/proc/stat", "cpu  100 10 100 1000 10 5 5 20 77 66\ncpu0 1 2 3 4 5 6 7 8 9 10\n");
	machine_usage_mark(&from, r->path);
	assert_int_equal(from.ticks, 1250); /* guests' time is in the users' */
	assert_int_equal(from.stolen, 20);
	fake_root_put(r, "/proc/stat", "cpu  180 10 100 1000 10 5 5 40 99 88\n");
	machine_usage_mark(&to, r->path);
	machine_usage_between(&usage, &from, &to);
	assert_true(usage.steal > 0.1999 && usage.steal < 0.2001);
	assert_int_equal(usage.throttled, 0);
	/* in no time nothing is stolen, and counters that went back stole nothing */
	machine_usage_between(&usage, &to, &to);
	assert_true(usage.steal >= 0 && usage.steal <= 0);
	machine_usage_between(&usage, &to, &from);
	assert_true(usage.steal >= 0 && usage.steal <= 0);
}

static void without_proc_stat_steal_is_unknown(void **state)
{
	const struct fake_root *r = *state;
	struct machine_mark from, to;
	struct machine_usage usage;

	machine_usage_mark(&from, r->path);
	fake_root_put(r, "/proc/stat", "intr 5\n");
	machine_usage_mark(&to, r->path);
	machine_usage_between(&usage, &from, &to);
	assert_true(usage.steal < 0);
}

static void throttling_is_that_of_the_cgroup_with_the_most(void **state)
{
	const struct fake_root *r = *state;
	struct machine_mark from, to;
	struct machine_usage usage;

	fake_root_put(r, "/proc/self/cgroup", "0::/outer/inner\n");
	fake_root_put(r, "/sys/fs/cgroup/outer/inner/cpu.stat",
		      "usage_usec 9\nnr_periods 9\nnr_throttled 2\nthrottled_usec 3000\n");
	fake_root_put(r, "/sys/fs/cgroup/outer/cpu.stat",
		      "usage_usec 9\nnr_periods 90\nnr_throttled 5\nthrottled_usec 50000\n");
	fake_root_put(r, "/sys/fs/cgroup/cpu.stat", "usage_usec 9\n");
	machine_usage_mark(&from, r->path);
	assert_int_equal(from.throttled, 50000000);
	assert_int_equal(from.throttled_periods, 5);
	fake_root_put(r, "/sys/fs/cgroup/outer/cpu.stat",
		      "usage_usec 9\nnr_periods 90\nnr_throttled 8\nthrottled_usec 62000\n");
	machine_usage_mark(&to, r->path);
	machine_usage_between(&usage, &from, &to);
	assert_int_equal(usage.throttled, 12000000);
	assert_int_equal(usage.throttled_periods, 3);
}

static void throttling_of_version_1_is_in_nanoseconds(void **state)
{
	const struct fake_root *r = *state;
	struct machine_mark mark;

	fake_root_put(r, "/proc/self/cgroup", "4:cpu,cpuacct:/box\n3:memory:/box\n");
	fake_root_put(r, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.stat",
		      "nr_periods 9\nnr_throttled 4\nthrottled_time 7000000\n");
	machine_usage_mark(&mark, r->path);
	assert_int_equal(mark.throttled, 7000000);
	assert_int_equal(mark.throttled_periods, 4);
}

static void a_threads_cpu_is_its_own(void **state)
{
	struct thread_mark mark;
	struct thread_usage usage;
	volatile unsigned sum = 0;
	struct timespec from, to;

	(void)state;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	thread_usage_begin(&mark);
	for (unsigned i = 0; i < 3000000; i++)
		sum += i;
	assert_true(sum > 0);
	thread_usage_end(&mark, &usage);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	assert_true(usage.cpu > 0);
	assert_true(usage.cpu <= (double)(timespec_to_nsec(&to) - timespec_to_nsec(&from)) / 1e9);
	assert_true(usage.wall > 0 && usage.waiting >= 0);
	assert_int_equal(usage.inferences, 0);
}

static void the_probe_finds_a_clock_that_works(void **state)
{
	struct timer_quality q;

	(void)state;
	timer_probe(&q);
	assert_true(q.resolution >= 1);
	assert_true(q.step >= 1);
	assert_true(q.late >= 0 && q.late <= q.late_max);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(steal_is_a_share_of_all_cpu_time, setup, teardown),
		cmocka_unit_test_setup_teardown(without_proc_stat_steal_is_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(throttling_is_that_of_the_cgroup_with_the_most, setup, teardown),
		cmocka_unit_test_setup_teardown(throttling_of_version_1_is_in_nanoseconds, setup, teardown),
		cmocka_unit_test(a_threads_cpu_is_its_own),
		cmocka_unit_test(the_probe_finds_a_clock_that_works),
	};

	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
