/* The way to a run's server: asked where it answers, else this program itself, and never the run's business. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/runners/run_fixture.h"
#include "tests/support/process.h"

/* A driver has no place for the test's endpoint: there is one test at a time. */
static struct endpoint *nobody;

static void point_to_nobody(const struct driver *d, struct ping_target *ret)
{
	(void)d;
	*ret = (struct ping_target){.endpoint = nobody, .kind = PING_REDIS};
}

static void a_server_that_takes_no_pings_is_no_error(void **state)
{
	struct fixture *f = *state;
	struct driver_ops ops = *f->cfg.driver;
	const struct network *n = &f->result.network;

	ops.ping_target = point_to_nobody;
	assert_int_equal(endpoint_resolve(&nobody, "127.0.0.1", free_port(), NULL, &f->err), 0);
	make_file(f, 20);
	f->cfg.driver = &ops;
	f->cfg.network_baseline = true;
	run(f);
	assert_int_equal(f->result.all.service.total, 20);
	assert_string_equal(n->server, endpoint_name(nobody));
	assert_string_equal(n->interface, "lo");
	assert_true(n->loopback);
	assert_true(n->to_itself);
	assert_string_equal(n->ping, "TCP echo");
	assert_non_null(strstr(n->why.text, "connection refused"));
	assert_true(n->round_trips > 0);
	assert_true(n->min > 0 && n->min <= n->q50 && n->q50 <= n->q99 && n->q99 <= n->max);
	endpoint_free(nobody);
}

static void without_a_server_the_program_asks_itself(void **state)
{
	struct fixture *f = *state;

	make_file(f, 20);
	f->cfg.network_baseline = true;
	run(f);
	assert_true(f->result.network.to_itself);
	assert_true(f->result.network.round_trips > 0);
	assert_string_equal(f->result.network.why.text, "");
	assert_string_equal(f->result.network.server, "");
}

static void nothing_is_measured_unasked(void **state)
{
	struct fixture *f = *state;

	make_file(f, 20);
	run(f);
	assert_int_equal(f->result.network.round_trips, 0);
	assert_string_equal(f->result.network.ping, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		RUN_TEST(a_server_that_takes_no_pings_is_no_error),
		RUN_TEST(without_a_server_the_program_asks_itself),
		RUN_TEST(nothing_is_measured_unasked),
	};

	return cmocka_run_group_tests_name("network_look", tests, NULL, NULL);
}
