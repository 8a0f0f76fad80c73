/*
 * test_accuracy.c - are the reported percentiles the server's? A server whose delays are known, asked on a real schedule
 * in simulated time; the truth is every response time, sorted.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runners/arrival.h"
#include "stats/recorder.h"

#define US NSEC_PER_USEC
#define MS NSEC_PER_MSEC
#define REQUESTS 60000
#define RATE 2000.0
#define ABOVE_ALL_STALLS 1024

/* When request k, received then, is answered. */
typedef nsec_t law_fn(uint64_t k, nsec_t received);

static nsec_t constant(uint64_t k, nsec_t received)
{
	(void)k;
	return received + MS;
}

static nsec_t two_valued(uint64_t k, nsec_t received)
{
	return received + (k % 50 == 7 ? 20 * MS : MS);
}

/* Every two seconds no answer leaves for 200 ms. */
static nsec_t stalling(uint64_t k, nsec_t received)
{
	nsec_t ready = received + MS + (nsec_t)(k % 97) * 5 * US, into = ready % (2 * NSEC_PER_SEC);

	return into < 200 * MS ? ready - into + 200 * MS : ready;
}

struct simulation {
	struct recorder recorder;
	nsec_t *responses; /* sorted */
	uint64_t waited;
};

static int compare(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return (x > y) - (x < y);
}

/* The idle worker that has been so for the longest. */
static unsigned first_idle(const nsec_t *idle_since, unsigned workers)
{
	unsigned first = 0;

	for (unsigned i = 1; i < workers; i++)
		first = idle_since[i] < idle_since[first] ? i : first;
	return first;
}

static void simulate(struct simulation *s, law_fn *law, enum arrival_process process, unsigned workers)
{
	struct rate_schedule schedule;
	struct arrival_config cfg = {
		.process = process,
		.schedule = &schedule,
		.batch = 1,
		.seed = 4,
		.threads = 1,
		.start = NSEC_PER_SEC,
	};
	nsec_t *idle_since = calloc(workers, sizeof(*idle_since));
	struct arrival a;

	rate_schedule_constant(&schedule, RATE);
	assert_int_equal(arrival_init(&a, &cfg), 0);
	assert_int_equal(recorder_init(&s->recorder, true), 0);
	s->responses = malloc(REQUESTS * sizeof(*s->responses));
	s->waited = 0;
	assert_true(s->responses && idle_since);
	for (uint64_t k = 0; k < REQUESTS; k++) {
		unsigned worker = first_idle(idle_since, workers);
		struct stamps t = {.intended = arrival_next(&a), .ready = idle_since[worker]};

		t.sent = t.ready > t.intended ? t.ready : t.intended;
		t.received = law(k, t.sent);
		idle_since[worker] = t.received;
		recorder_record(&s->recorder, &t, OUTCOME_OK, 1);
		s->responses[k] = t.received - t.intended;
		s->waited += t.sent > t.intended;
		arrival_advance(&a);
	}
	qsort(s->responses, REQUESTS, sizeof(*s->responses), compare);
	free(idle_since);
}

static void simulation_release(struct simulation *s)
{
	recorder_release(&s->recorder);
	free(s->responses);
}

static nsec_t truth(const struct simulation *s, double percentile)
{
	return s->responses[(uint64_t)ceil(nextafter(percentile, 0) * REQUESTS / 100) - 1];
}

static bool close_to(nsec_t reported, nsec_t true_value)
{
	nsec_t off = reported > true_value ? reported - true_value : true_value - reported;

	return off <= 20 * US || off <= true_value / 100;
}

static const double percentiles[] = {50, 90, 95, 99, 99.9, 99.99};

static void check_response_times(const struct simulation *s)
{
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++) {
		nsec_t reported = histogram_percentile(&s->recorder.response, percentiles[i]);

		if (!close_to(reported, truth(s, percentiles[i])))
			fail_msg("q%g: %jd, not %jd", percentiles[i], (intmax_t)reported,
				 (intmax_t)truth(s, percentiles[i]));
	}
	assert_int_equal(s->recorder.response.max, s->responses[REQUESTS - 1]);
	assert_int_equal(s->recorder.waited, s->waited);
	assert_int_equal(s->recorder.own_lag.max, 0);
}

static void constant_and_two_valued_delays_are_reported_as_they_are(void **state)
{
	static law_fn *const laws[] = {constant, two_valued};
	static const enum arrival_process processes[] = {ARRIVAL_CONSTANT, ARRIVAL_POISSON};
	struct simulation s;

	(void)state;
	for (int i = 0; i < 4; i++) {
		simulate(&s, laws[i / 2], processes[i % 2], ABOVE_ALL_STALLS);
		check_response_times(&s);
		assert_int_equal(s.waited, 0);
		simulation_release(&s);
	}
}

/* A tenth of the time is stalled: 10 % of the arrivals. The window of 8 hides all but 8 a stall from the service time. */
static void stalls_show_in_the_response_time_and_hide_in_the_service_time(void **state)
{
	struct simulation s;

	(void)state;
	for (int poisson = 0; poisson < 2; poisson++) {
		simulate(&s, stalling, poisson ? ARRIVAL_POISSON : ARRIVAL_CONSTANT, 8);
		check_response_times(&s);
		assert_true(truth(&s, 99) > 150 * MS);
		assert_true(histogram_percentile(&s.recorder.service, 99) < 5 * MS);
		assert_true(s.waited > REQUESTS / 20);
		simulation_release(&s);
	}
}

/* With a worker for every request that a stall holds up the two agree. */
static void a_window_without_end_hides_nothing(void **state)
{
	struct simulation s;

	(void)state;
	simulate(&s, stalling, ARRIVAL_CONSTANT, ABOVE_ALL_STALLS);
	check_response_times(&s);
	assert_int_equal(s.waited, 0);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		assert_int_equal(histogram_percentile(&s.recorder.service, percentiles[i]),
				 histogram_percentile(&s.recorder.response, percentiles[i]));
	simulation_release(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(constant_and_two_valued_delays_are_reported_as_they_are),
		cmocka_unit_test(stalls_show_in_the_response_time_and_hide_in_the_service_time),
		cmocka_unit_test(a_window_without_end_hides_nothing),
	};

	return cmocka_run_group_tests_name("accuracy", tests, NULL, NULL);
}
