/*
 * test_windows.c - when windows end, and what a run that comes to rest reports; without a clock.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/arith.h"
#include "runners/stable_run.h"
#include "runners/windows.h"

static bool never(void *arg, nsec_t now, const struct recorder *so_far)
{
	(void)arg;
	(void)now;
	(void)so_far;
	return false;
}

static void windows_of_time_follow_the_burn_in(void **state)
{
	const struct run_windows cfg = {.length = NSEC_PER_SEC, .ended = never};
	struct windows w;

	(void)state;
	windows_init(&w, &cfg);
	assert_int_equal(windows_deadline(&w, 7), 7 + WINDOWS_GRAIN);
	assert_false(windows_end(&w, 100, 0, true));
	assert_true(windows_end(&w, 200, 1, false)); /* begins */
	assert_int_equal(windows_deadline(&w, 300), 200 + NSEC_PER_SEC);
	assert_false(windows_end(&w, 199 + NSEC_PER_SEC, 5, false));
	assert_true(windows_end(&w, 250 + NSEC_PER_SEC, 5, false));
	assert_int_equal(windows_deadline(&w, 300),
			 250 + 2 * NSEC_PER_SEC); /* as long as it says, from where it began */
	w.over = true;
	assert_int_equal(windows_deadline(&w, 300), NSEC_NEVER);
	assert_false(windows_end(&w, 9 * NSEC_PER_SEC, 50, false));
}

static void windows_of_requests_take_as_long_as_they_need(void **state)
{
	const struct run_windows cfg = {.requests = 50, .length = NSEC_PER_SEC, .ended = never};
	struct windows w;

	(void)state;
	windows_init(&w, &cfg);
	assert_true(windows_end(&w, 0, 3, false));
	assert_false(windows_end(&w, 99 * NSEC_PER_SEC, 52, false));
	assert_int_equal(windows_deadline(&w, 1000), 1000 + WINDOWS_GRAIN);
	assert_true(windows_end(&w, 100 * NSEC_PER_SEC, 60, false));
	assert_false(windows_end(&w, 101 * NSEC_PER_SEC, 109, false));
	assert_true(windows_end(&w, 101 * NSEC_PER_SEC, 110, false));
}

static void a_run_without_windows_is_not_looked_at(void **state)
{
	const struct run_windows cfg = {.length = NSEC_PER_SEC};
	struct windows w;

	(void)state;
	windows_init(&w, &cfg);
	assert_int_equal(windows_deadline(&w, 7), NSEC_NEVER);
	assert_false(windows_end(&w, 7, 7, false));
}

struct simulated {
	struct recorder recorder;
	nsec_t now;
	struct stable_run run;
	struct run_config cfg;
};

/* n answers of `latency` each, then the window's end a second later. */
static bool window(struct simulated *m, unsigned n, nsec_t latency)
{
	for (unsigned i = 0; i < n; i++) {
		struct stamps s = {.intended = m->now, .sent = m->now + 10, .received = m->now + latency};

		recorder_record(&m->recorder, &s, OUTCOME_OK, 1);
	}
	m->now += NSEC_PER_SEC;
	return stable_run_look(&m->run, m->now, &m->recorder);
}

static void begin(struct simulated *m, struct result *r, bool open_loop)
{
	*m = (struct simulated){.now = 1000, .cfg.what.batch = 1};
	*r = (struct result){.start = 1000};
	if (open_loop) { /* 10/s for two seconds, then as many as are answered in the windows */
		m->cfg.arrival = ARRIVAL_CONSTANT;
		assert_int_equal(rate_schedule_parse(&m->cfg.schedule, "10:2s,102:10s", NULL), 0);
		r->offered = (struct offered){.schedule = strdup("10:2s,102:10s"), .batch = 1, .requests = 999};
	}
	assert_int_equal(recorder_init(&m->recorder, open_loop), 0);
	assert_int_equal(recorder_init(&r->all, open_loop), 0);
	assert_false(stable_run_look(&m->run, m->now, &m->recorder));
}

static void finish(struct simulated *m, struct result *r)
{
	r->end = m->now + NSEC_PER_SEC;
	recorder_add_to(&m->recorder, &r->all);
	assert_int_equal(stable_run_finish(&m->run, &m->cfg, r), 0);
}

static void end(struct simulated *m, struct result *r)
{
	stable_run_release(&m->run);
	recorder_release(&m->recorder);
	result_release(r);
}

static void a_stable_run_reports_its_last_three_windows(void **state)
{
	struct simulated m;
	struct result r;

	(void)state;
	for (int open_loop = 0; open_loop < 2; open_loop++) {
		begin(&m, &r, open_loop);
		assert_false(window(&m, 10, 9000));
		assert_false(window(&m, 90, 6000));
		assert_false(window(&m, 100, 5000));
		assert_false(window(&m, 104, 5010));
		assert_true(window(&m, 102, 5020));
		finish(&m, &r);
		assert_int_equal(r.stability.state, STABILITY_STABLE);
		assert_int_equal(r.stability.windows, 5);
		assert_int_equal(result_measured(&r), 306);
		assert_int_equal(result_inferences(&r), 406);
		assert_int_equal(r.all.service.total, 306);
		assert_int_equal(r.burn_in_end, 1000 + 2 * NSEC_PER_SEC);
		assert_true(result_rate(&r) == 102);
		assert_true(r.all.service.max < 5100);
		assert_int_equal(r.all.response.total, open_loop ? 306 : 0);
		assert_int_equal(r.offered.requests, open_loop ? 306 : 0);
		assert_true(offered_rate(&r.offered) == (open_loop ? 102 : 0));
		end(&m, &r);
	}
}

static void a_run_that_swings_is_unstable_after_ten_windows(void **state)
{
	struct simulated m;
	struct result r;

	(void)state;
	begin(&m, &r, false);
	for (unsigned i = 0; i < 9; i++)
		assert_false(window(&m, i % 2 ? 100 : 120, 5000));
	assert_true(window(&m, 100, 5000));
	finish(&m, &r);
	assert_int_equal(r.stability.state, STABILITY_UNSTABLE);
	assert_int_equal(result_measured(&r), 320);
	end(&m, &r);
}

static void a_run_that_ends_early_is_unstable_and_reported_whole(void **state)
{
	struct simulated m;
	struct result r;

	(void)state;
	begin(&m, &r, true);
	assert_false(window(&m, 100, 5000));
	assert_false(window(&m, 100, 5000));
	finish(&m, &r);
	assert_int_equal(r.stability.state, STABILITY_UNSTABLE);
	assert_int_equal(r.stability.windows, 2);
	assert_int_equal(result_measured(&r), 200);
	end(&m, &r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(windows_of_time_follow_the_burn_in),
		cmocka_unit_test(windows_of_requests_take_as_long_as_they_need),
		cmocka_unit_test(a_run_without_windows_is_not_looked_at),
		cmocka_unit_test(a_stable_run_reports_its_last_three_windows),
		cmocka_unit_test(a_run_that_swings_is_unstable_after_ten_windows),
		cmocka_unit_test(a_run_that_ends_early_is_unstable_and_reported_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
