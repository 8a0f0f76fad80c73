/*
 * What a finished request adds to which histogram, and a reader beside the writer (worth running under TSan).
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "stats/recorder.h"

static struct stamps stamps(nsec_t intended, nsec_t sent, nsec_t received)
{
	return (struct stamps){.intended = intended, .sent = sent, .received = received};
}

static void open_loop_tells_service_response_and_lag_apart(void **state)
{
	struct recorder r;
	struct stamps s = stamps(1000, 1300, 2000);

	(void)state;
	assert_int_equal(recorder_init(&r, true), 0);
	recorder_record(&r, &s, OUTCOME_OK, 1);
	assert_int_equal(r.service.max, 700);
	assert_int_equal(r.response.max, 1000);
	assert_int_equal(r.lag.max, 300);
	assert_int_equal(r.service.total, 1);
	assert_int_equal(r.response.total, 1);
	assert_int_equal(r.lag.total, 1);
	recorder_release(&r);
}

static void lag_without_an_idle_worker_is_not_the_generators_own(void **state)
{
	struct stamps in_time = stamps(1000, 1300, 2000), waited = stamps(1000, 1300, 2000);
	struct recorder r, sum;

	(void)state;
	in_time.ready = 900;
	waited.ready = 1250;
	assert_int_equal(recorder_init(&r, true), 0);
	assert_int_equal(recorder_init(&sum, true), 0);
	recorder_record(&r, &in_time, OUTCOME_OK, 2);
	assert_int_equal(r.own_lag.max, 300);
	assert_int_equal(r.waited, 0);
	recorder_record(&r, &waited, OUTCOME_OK, 3);
	assert_int_equal(r.own_lag.min, 50);
	assert_int_equal(r.own_lag.total, 5);
	assert_int_equal(r.waited, 3);
	recorder_add_to(&r, &sum);
	recorder_add_to(&r, &sum);
	assert_int_equal(sum.waited, 6);
	assert_int_equal(sum.own_lag.total, 10);
	recorder_reset(&r);
	assert_int_equal(r.waited, 0);
	assert_int_equal(r.own_lag.total, 0);
	recorder_release(&r);
	recorder_release(&sum);
}

static void closed_loop_records_only_the_service_time(void **state)
{
	struct recorder r;
	struct stamps s = stamps(1300, 1300, 2000);

	(void)state;
	assert_int_equal(recorder_init(&r, false), 0);
	recorder_record(&r, &s, OUTCOME_OK, 1);
	assert_int_equal(r.service.total, 1);
	assert_null(r.response.counts);
	assert_null(r.lag.counts);
	recorder_release(&r);
}

static void errors_are_counted_but_have_no_latency(void **state)
{
	struct recorder r;
	struct stamps s = stamps(1000, 1000, 2000);

	(void)state;
	assert_int_equal(recorder_init(&r, true), 0);
	recorder_record(&r, &s, OUTCOME_OK, 1);
	recorder_record(&r, &s, OUTCOME_WRONG, 1);
	recorder_record(&r, &s, OUTCOME_TIMEOUT, 1);
	recorder_record(&r, &s, OUTCOME_ERROR, 1);
	recorder_record(&r, &s, OUTCOME_ERROR, 1);
	assert_int_equal(r.service.total, 3);
	assert_int_equal(r.response.total, 3);
	assert_int_equal(r.totals.requests[OUTCOME_OK], 1);
	assert_int_equal(r.totals.requests[OUTCOME_WRONG], 1);
	assert_int_equal(r.totals.requests[OUTCOME_TIMEOUT], 1);
	assert_int_equal(r.totals.requests[OUTCOME_ERROR], 2);
	assert_int_equal(totals_requests(&r.totals), 5);
	recorder_release(&r);
}

static void batch_counts_once_for_each_of_its_inferences(void **state)
{
	struct recorder r;
	struct stamps s = stamps(0, 0, 5000);

	(void)state;
	assert_int_equal(recorder_init(&r, false), 0);
	recorder_record(&r, &s, OUTCOME_OK, 10);
	recorder_record(&r, &s, OUTCOME_ERROR, 10);
	assert_int_equal(r.service.total, 10);
	assert_int_equal(r.totals.requests[OUTCOME_OK], 1);
	assert_int_equal(r.totals.inferences[OUTCOME_OK], 10);
	assert_int_equal(totals_inferences(&r.totals), 20);
	recorder_release(&r);
}

static void stages_count_from_the_end_of_the_one_before(void **state)
{
	const unsigned both = 1U << STAGE_REFERENCE | 1U << STAGE_SERVICE;
	struct recorder r, sum;
	struct stamps s = stamps(1000, 1000, 2000), early = stamps(5000, 5000, 5400);

	(void)state;
	assert_int_equal(recorder_init(&r, false), 0);
	assert_int_equal(recorder_init(&sum, false), 0);
	assert_int_equal(recorder_add_stages(&r, both), 0);
	assert_int_equal(recorder_add_stages(&sum, both), 0);
	s.stage[STAGE_REFERENCE] = 1300;
	s.stage[STAGE_SERVICE] = 2000;
	recorder_record(&r, &s, OUTCOME_OK, 2);
	recorder_record(&r, &early, OUTCOME_TIMEOUT, 1); /* it reached neither */
	s.stage[STAGE_REFERENCE] = 0;
	recorder_record(&r, &s, OUTCOME_ERROR, 1);
	assert_int_equal(r.stage[STAGE_REFERENCE].total, 2);
	assert_int_equal(r.stage[STAGE_REFERENCE].max, 300);
	assert_int_equal(r.stage[STAGE_SERVICE].total, 2);
	assert_int_equal(r.stage[STAGE_SERVICE].max, 700);
	assert_null(r.stage[STAGE_ENCODE].counts);
	recorder_add_to(&r, &sum);
	recorder_add_to(&r, &sum);
	assert_int_equal(sum.stage[STAGE_REFERENCE].total, 4);
	recorder_reset(&r);
	assert_int_equal(r.stage[STAGE_SERVICE].total, 0);
	recorder_release(&r);
	recorder_release(&sum);
}

static void reset_forgets_everything(void **state)
{
	struct recorder r;
	struct stamps s = stamps(1, 2, 3);

	(void)state;
	assert_int_equal(recorder_init(&r, true), 0);
	recorder_record(&r, &s, OUTCOME_OK, 3);
	recorder_record(&r, &s, OUTCOME_ERROR, 3);
	recorder_reset(&r);
	assert_int_equal(totals_requests(&r.totals), 0);
	assert_int_equal(totals_inferences(&r.totals), 0);
	assert_int_equal(r.service.total, 0);
	assert_int_equal(r.service.counts[1], 0);
	assert_int_equal(r.response.total, 0);
	assert_int_equal(r.lag.max, 0);
	recorder_release(&r);
}

static void sum_of_recorders_has_all_of_both(void **state)
{
	struct recorder a, b, sum;
	struct stamps fast = stamps(0, 10, 1000), slow = stamps(0, 20, 90000);

	(void)state;
	assert_int_equal(recorder_init(&a, true), 0);
	assert_int_equal(recorder_init(&b, true), 0);
	assert_int_equal(recorder_init(&sum, true), 0);
	recorder_record(&a, &fast, OUTCOME_OK, 2);
	recorder_record(&b, &slow, OUTCOME_TIMEOUT, 1);
	recorder_add_to(&a, &sum);
	recorder_add_to(&b, &sum);
	assert_int_equal(sum.service.total, 3);
	assert_int_equal(sum.service.min, 990);
	assert_int_equal(sum.service.max, 89980);
	assert_int_equal(sum.response.max, 90000);
	assert_int_equal(sum.lag.min, 10);
	assert_int_equal(sum.lag.max, 20);
	assert_int_equal(sum.totals.requests[OUTCOME_OK], 1);
	assert_int_equal(sum.totals.inferences[OUTCOME_OK], 2);
	assert_int_equal(sum.totals.requests[OUTCOME_TIMEOUT], 1);
	recorder_release(&a);
	recorder_release(&b);
	recorder_release(&sum);
}

#define WRITTEN 200000

static void *write_all(void *arg)
{
	struct recorder *r = arg;

	for (int i = 0; i < WRITTEN; i++) {
		struct stamps s = stamps(i, i + 5, i + 2000 + i % 1000 * 7);

		recorder_record(r, &s, i % 100 ? OUTCOME_OK : OUTCOME_ERROR, 1);
	}
	return NULL;
}

static uint64_t sum_of_counts(const struct histogram *h)
{
	uint64_t n = 0;

	for (uint32_t i = 0; i < h->ncounts; i++)
		n += h->counts[i];
	return n;
}

static void snapshots_beside_the_writer_agree_with_themselves_and_only_grow(void **state)
{
	struct recorder r, sum, before;
	uint64_t last = 0;
	pthread_t writer;

	(void)state;
	assert_int_equal(recorder_init(&r, true), 0);
	assert_int_equal(recorder_init(&sum, true), 0);
	assert_int_equal(recorder_init(&before, true), 0);
	assert_int_equal(pthread_create(&writer, NULL, write_all, &r), 0);
	do {
		recorder_reset(&sum);
		recorder_add_to(&r, &sum);
		assert_int_equal(sum.service.total, sum_of_counts(&sum.service));
		assert_int_equal(sum.response.total, sum_of_counts(&sum.response));
		assert_true(sum.service.total >= last);
		if (sum.service.total) {
			assert_true(sum.service.min >= 1995 && sum.service.max <= 1995 + 999 * 7);
			assert_true(sum.service.min <= histogram_percentile(&sum.service, 50));
			assert_true(sum.service.max >= histogram_percentile(&sum.service, 99));
		}
		last = sum.service.total;
		assert_int_equal(histogram_subtract(&sum.service, &before.service), 0);
		assert_int_equal(histogram_merge(&before.service, &sum.service), 0);
	} while (last < WRITTEN / 100 * 99);
	pthread_join(writer, NULL);
	recorder_reset(&sum);
	recorder_add_to(&r, &sum);
	assert_int_equal(sum.service.total, WRITTEN / 100 * 99);
	assert_int_equal(sum.totals.requests[OUTCOME_OK], WRITTEN / 100 * 99);
	assert_int_equal(sum.totals.requests[OUTCOME_ERROR], WRITTEN / 100);
	assert_int_equal(sum.service.max, r.service.max);
	recorder_release(&r);
	recorder_release(&sum);
	recorder_release(&before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(open_loop_tells_service_response_and_lag_apart),
		cmocka_unit_test(lag_without_an_idle_worker_is_not_the_generators_own),
		cmocka_unit_test(closed_loop_records_only_the_service_time),
		cmocka_unit_test(errors_are_counted_but_have_no_latency),
		cmocka_unit_test(batch_counts_once_for_each_of_its_inferences),
		cmocka_unit_test(stages_count_from_the_end_of_the_one_before),
		cmocka_unit_test(reset_forgets_everything),
		cmocka_unit_test(sum_of_recorders_has_all_of_both),
		cmocka_unit_test(snapshots_beside_the_writer_agree_with_themselves_and_only_grow),
	};

	return cmocka_run_group_tests_name("recorder", tests, NULL, NULL);
}
