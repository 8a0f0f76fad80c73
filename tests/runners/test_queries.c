/* Queries in simulated time: when the next one may start, when a stream ends, what a latency is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runners/queries.h"

#define START ((nsec_t)1000000)

static struct queries open_queries(const struct scenario_settings *s, unsigned batch)
{
	struct queries q = {0};

	assert_int_equal(queries_init(&q, s, batch, 100000, 1), 0);
	queries_start(&q, START);
	return q;
}

/* Sends one request at `now`, which may be sent. */
static nsec_t send(struct queries *q, nsec_t now)
{
	assert_true(queries_may_send(q));
	assert_false(queries_ended(q));
	return queries_sent(q, now, 0);
}

/* Queries of `latency`, one after the other, until the stream says that it is over; returns when the last began. */
static nsec_t run_stream(struct queries *q, nsec_t latency)
{
	nsec_t now = START, due = 0;

	while (!queries_ended(q)) {
		due = send(q, now);
		assert_int_equal(due, now);
		now += latency;
		queries_finished(q, due, now);
	}
	return due - START;
}

static void single_stream_sends_one_after_the_other(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_SINGLE_STREAM);
	struct queries q = open_queries(&s, 1);
	nsec_t due;

	(void)state;
	due = send(&q, START);
	assert_false(queries_may_send(&q));
	queries_finished(&q, due, START + 70);
	assert_true(queries_may_send(&q));
	assert_int_equal(q.latencies.n, 1);
	assert_int_equal(q.latencies.values[0], 70);
	queries_release(&q);
}

static void single_stream_stops_only_when_both_minima_are_met(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_SINGLE_STREAM);
	struct queries q;

	(void)state;
	s.min_duration = 1000;
	s.min_queries = 20;
	/* Slow: the queries take longer than the time does. */
	q = open_queries(&s, 1);
	assert_int_equal(run_stream(&q, 100), 1900);
	assert_int_equal(q.latencies.n, 20);
	queries_release(&q);
	/* Quick: enough queries long before the time is over; the last one is due when it is. */
	q = open_queries(&s, 1);
	assert_int_equal(run_stream(&q, 10), 1000);
	assert_int_equal(q.latencies.n, 101);
	assert_int_equal(q.last_due, START + 1000);
	assert_int_equal(q.last_done, START + 1010);
	queries_release(&q);
}

static void accuracy_stream_does_not_stop_by_itself(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_SINGLE_STREAM);
	struct queries q;

	(void)state;
	s.mode = SCENARIO_ACCURACY;
	s.min_duration = 0;
	s.min_queries = 1;
	q = open_queries(&s, 1);
	for (nsec_t now = START; now < START + 50; now++)
		queries_finished(&q, send(&q, now), now + 1);
	assert_false(queries_ended(&q));
	queries_release(&q);
}

static void multi_stream_takes_the_slowest_of_eight(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_MULTI_STREAM);
	struct queries q = open_queries(&s, 1);

	(void)state;
	assert_int_equal(queries_group(&s, 1), 8);
	for (int i = 0; i < 8; i++)
		assert_int_equal(send(&q, START + i), START); /* due when the query began */
	assert_false(queries_may_send(&q));
	for (int i = 0; i < 7; i++) {
		queries_finished(&q, START, i == 3 ? START + 900 : START + 100);
		assert_false(queries_may_send(&q));
		assert_int_equal(q.latencies.n, 0);
	}
	queries_finished(&q, START, START + 200);
	assert_int_equal(q.latencies.n, 1);
	assert_int_equal(q.latencies.values[0], 900);
	assert_true(queries_may_send(&q));
	queries_release(&q);
}

/* Answers that come before all eight were sent let none of the next query pass. */
static void multi_stream_never_mixes_two_queries(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_MULTI_STREAM);
	struct queries q;

	(void)state;
	s.min_queries = 3;
	s.min_duration = 0;
	q = open_queries(&s, 2);
	assert_int_equal(q.group, 4);
	for (int query = 0; query < 3; query++) {
		nsec_t begun = START + 100 * query;

		for (int i = 0; i < 4; i++) {
			assert_int_equal(send(&q, begun + i), begun);
			queries_finished(&q, begun, begun + i + 10);
		}
	}
	assert_true(queries_ended(&q));
	assert_false(queries_may_send(&q));
	assert_int_equal(q.latencies.n, 3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(q.latencies.values[i], 13);
	queries_release(&q);
}

static void batch_that_does_not_divide_a_query_makes_no_group(void **state)
{
	struct scenario_settings multi = scenario_rules(SCENARIO_MULTI_STREAM);
	struct scenario_settings offline = scenario_rules(SCENARIO_OFFLINE);

	(void)state;
	assert_int_equal(queries_group(&multi, 8), 1);
	assert_int_equal(queries_group(&multi, 3), 0);
	assert_int_equal(queries_group(&multi, 16), 0);
	assert_int_equal(queries_group(&offline, 3), 1);
}

static void server_counts_from_the_schedule(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_SERVER);
	struct queries q = open_queries(&s, 1);

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_true(queries_may_send(&q));
		assert_int_equal(queries_sent(&q, START + 1000, START + 10 * i), START + 10 * i);
	}
	/* They come back in another order than they were sent. */
	for (int i = 4; i >= 0; i--)
		queries_finished(&q, START + 10 * i, START + 1000 - i);
	assert_int_equal(q.latencies.n, 5);
	assert_int_equal(q.latencies.values[0], 956);
	assert_int_equal(q.latencies.values[4], 1000);
	assert_int_equal(q.last_due, START + 40);
	assert_int_equal(q.last_done, START + 996);
	assert_false(queries_ended(&q));
	queries_release(&q);
}

static void offline_samples_are_all_due_at_the_start(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_OFFLINE);
	struct queries q = open_queries(&s, 1);

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(queries_sent(&q, START + 100 * i, INT64_MIN), START);
		queries_finished(&q, START, START + 100 * (i + 1));
	}
	assert_int_equal(q.latencies.values[4], 500);
	assert_int_equal(q.last_done, START + 500);
	queries_release(&q);
}

static void stream_ends_when_there_is_no_room_for_another_latency(void **state)
{
	struct scenario_settings s = scenario_rules(SCENARIO_SINGLE_STREAM);
	struct queries q = {0};

	(void)state;
	assert_int_equal(queries_init(&q, &s, 1, 3, 1), 0);
	queries_start(&q, START);
	assert_int_equal(run_stream(&q, 5), 10);
	assert_int_equal(q.latencies.n, 3);
	queries_release(&q);
}

static void run_without_a_scenario_is_let_pass(void **state)
{
	struct queries q = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_true(queries_may_send(&q));
		assert_int_equal(queries_sent(&q, 5, 7), 7);
	}
	assert_false(queries_ended(&q));
	queries_finished(&q, 7, 9);
	assert_int_equal(q.latencies.n, 0);
	queries_release(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(single_stream_sends_one_after_the_other),
		cmocka_unit_test(single_stream_stops_only_when_both_minima_are_met),
		cmocka_unit_test(accuracy_stream_does_not_stop_by_itself),
		cmocka_unit_test(multi_stream_takes_the_slowest_of_eight),
		cmocka_unit_test(multi_stream_never_mixes_two_queries),
		cmocka_unit_test(batch_that_does_not_divide_a_query_makes_no_group),
		cmocka_unit_test(server_counts_from_the_schedule),
		cmocka_unit_test(offline_samples_are_all_due_at_the_start),
		cmocka_unit_test(stream_ends_when_there_is_no_room_for_another_latency),
		cmocka_unit_test(run_without_a_scenario_is_let_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
