/* Runs that are looked at in windows, and end when they have been seen enough of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runners/stable_run.h"
#include "tests/runners/run_fixture.h"

struct watcher {
	unsigned looks, enough;
	nsec_t last;
	uint64_t requests;
};

/* Time and counts only grow, and each window has as many requests as it must. */
static bool watch(void *arg, nsec_t now, const struct recorder *so_far)
{
	struct watcher *w = arg;
	uint64_t requests = totals_requests(&so_far->totals);

	assert_true(now > w->last && requests >= w->requests);
	if (w->looks > 0)
		assert_true(requests - w->requests >= 100);
	w->last = now;
	w->requests = requests;
	return ++w->looks == w->enough;
}

static struct watcher watched_run(struct fixture *f, unsigned enough)
{
	struct watcher w = {.enough = enough};

	f->cfg.windows = (struct run_windows){.requests = 100, .arg = &w, .ended = watch};
	run(f);
	return w;
}

static void a_run_ends_when_enough_was_seen(void **state)
{
	struct fixture *f = *state;
	struct watcher w;

	make_file(f, 1000);
	f->cfg.repeat = true; /* no other limit */
	f->cfg.burn_in = 10;
	w = watched_run(f, 4);
	assert_int_equal(w.looks, 4);
	assert_true(inferences(f, OUTCOME_OK) >= w.requests && w.requests >= 300);
	assert_int_equal(totals_inferences(&f->result.burned_in), 10);
	assert_false(f->result.stopped_by_error || f->result.interrupted);
	assert_int_equal(f->result.unanswered, 0);
}

static void a_run_that_ends_before_is_not_looked_at_again(void **state)
{
	struct fixture *f = *state;

	make_file(f, 50);
	assert_true(watched_run(f, 4).looks <= 1);
	assert_int_equal(inferences(f, OUTCOME_OK), 50);
}

static void a_stable_run_ends_decided(void **state)
{
	struct fixture *f = *state;
	struct stable_run stable = {0};

	make_file(f, 1000);
	f->cfg.repeat = true;
	f->cfg.windows = (struct run_windows){.length = 5 * NSEC_PER_MSEC, .arg = &stable, .ended = stable_run_look};
	run(f);
	assert_int_equal(stable_run_finish(&stable, &f->cfg, &f->result), 0);
	assert_true(f->result.stability.windows >= STABILITY_WINDOWS &&
		    f->result.stability.windows <= STABILITY_WINDOWS_MAX);
	assert_true(result_measured_time(&f->result) >= STABILITY_WINDOWS * 5 * NSEC_PER_MSEC);
	/* A snapshot may have an answer in the one and not yet in the other. */
	assert_true(f->result.all.service.total > 0 && inferences(f, OUTCOME_OK) > 0);
	stable_run_release(&stable);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_run_ends_when_enough_was_seen),
		RUN_TEST(a_run_that_ends_before_is_not_looked_at_again),
		RUN_TEST(a_stable_run_ends_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
