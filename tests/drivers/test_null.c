/*
 * test_null.c - the null driver, and the list of drivers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "drivers/null.h"
#include "drivers/redis_set.h"
#include "drivers/redisai.h"
#include "tests/drivers/client.h"

static void registry_finds_drivers_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(driver_find("null"), &driver_null);
	assert_ptr_equal(driver_find("redisai"), &driver_redisai);
	assert_ptr_equal(driver_find("redis_set"), &driver_redis_set);
	assert_null(driver_find("rediss"));
}

static void every_answer_is_right(void **state)
{
	const struct client_config cfg = {.ops = &driver_null, .slots = 7, .batch = 3};
	struct client c;
	struct tally t;

	(void)state;
	assert_int_equal(client_open(&c, &cfg, NULL), 0);
	client_run(&c, 0, 100, &t);
	assert_int_equal(t.outcomes[OUTCOME_OK], 100);
	client_close(&c);
}

static void poll_hands_back_in_order_of_submission(void **state)
{
	const struct client_config cfg = {.ops = &driver_null, .slots = 4};
	static const unsigned order[] = {2, 0, 3, 1};
	struct completion done[4];
	struct client c;

	(void)state;
	assert_int_equal(client_open(&c, &cfg, NULL), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 4; i++)
			client_submit(&c, order[i], i);
		assert_int_equal(driver_null.poll(c.driver, 0, done, 3, NULL), 3);
		assert_int_equal(driver_null.poll(c.driver, 0, done + 3, 3, NULL), 1);
		for (unsigned i = 0; i < 4; i++)
			assert_int_equal(done[i].slot, order[i]);
	}
	client_close(&c);
}

static void idle_poll_waits_for_the_deadline(void **state)
{
	const struct client_config cfg = {.ops = &driver_null, .slots = 1};
	nsec_t deadline = clock_now() + NSEC_PER_MSEC;
	struct completion done;
	struct client c;

	(void)state;
	assert_int_equal(client_open(&c, &cfg, NULL), 0);
	assert_int_equal(driver_null.poll(c.driver, deadline, &done, 1, NULL), 0);
	assert_true(clock_now() >= deadline);
	assert_int_equal(driver_null.poll(c.driver, 0, &done, 1, NULL), 0);
	client_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registry_finds_drivers_by_name),
		cmocka_unit_test(every_answer_is_right),
		cmocka_unit_test(poll_hands_back_in_order_of_submission),
		cmocka_unit_test(idle_poll_waits_for_the_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
