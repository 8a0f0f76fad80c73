/* What a run shows of its measurements while it goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/runners/run_fixture.h"

struct seen {
	unsigned n;
	uint64_t total;
	nsec_t wall;
};

static void keep_snapshot(void *arg, const struct period *p, const struct recorder *so_far)
{
	struct seen *seen = arg;

	assert_true(so_far->service.total >= seen->total);
	assert_true(p->wall >= seen->wall);
	seen->n++;
	seen->total = so_far->service.total;
	seen->wall = p->wall;
}

static void observe(struct fixture *f, struct seen *seen)
{
	*seen = (struct seen){0};
	f->cfg.observer = (struct run_observer){.arg = seen, .snapshot = keep_snapshot};
}

static void the_last_snapshot_has_all_that_was_measured(void **state)
{
	struct fixture *f = *state;
	struct seen seen;

	make_file(f, 200);
	observe(f, &seen);
	f->server->delay = NSEC_PER_MSEC / 5;
	f->cfg.workers = f->cfg.threads = 1;
	f->cfg.burn_in = 50;
	f->cfg.reporting_period = 3 * NSEC_PER_MSEC;
	run(f);
	assert_true(seen.n >= 2); /* the run takes 40 ms at the least */
	assert_int_equal(seen.total, 150);
	assert_int_equal(f->result.all.service.total, 150);
}

static void without_periods_there_is_one_snapshot(void **state)
{
	struct fixture *f = *state;
	struct seen seen;

	make_file(f, 200);
	observe(f, &seen);
	run(f);
	assert_int_equal(seen.n, 1);
	assert_int_equal(seen.total, 200);
	assert_int_equal(f->result.nperiods, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(the_last_snapshot_has_all_that_was_measured),
		RUN_TEST(without_periods_there_is_one_snapshot),
	};

	return cmocka_run_group_tests_name("snapshots", tests, NULL, NULL);
}
