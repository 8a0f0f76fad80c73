/*
 * test_search.c - searches against servers that are simulated: the highest rate is known, and no clock is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "common/arith.h"
#include "common/rng.h"
#include "runners/probe.h"
#include "runners/search.h"

static const struct slo p99 = {.n = 1, .objectives = {{99, 20 * NSEC_PER_MSEC}}};

/* ---- what the state machine asks for ---- */

/* A server without noise: rates up to `limit` pass. Returns how many probes it took. */
static unsigned search_exact(struct search *s, const struct search_config *cfg, double limit)
{
	unsigned probes = 0;

	for (search_init(s, cfg); search_goes_on(s); probes++) {
		assert_true(s->rate >= cfg->lowest && s->rate <= cfg->highest);
		assert_true(probes < 100);
		search_tell(s, s->rate <= limit ? PROBE_PASS : PROBE_FAIL);
	}
	return probes;
}

static const struct search_config wide = {
	.start = 100, .lowest = 0.01, .highest = 1e9, .precision = 0.01, .confidence = 0.99};

static void the_highest_rate_is_found_from_below_and_above(void **state)
{
	static const double limits[] = {0.02, 3, 99, 100, 101, 4711, 1e6, 9e8};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct search s;
		unsigned probes = search_exact(&s, &wide, limits[i]);

		assert_int_equal(s.stage, SEARCH_FOUND);
		assert_true(s.rate <= limits[i] && s.rate * 1.0101 >= limits[i]);
		/* doublings to get there, 7 halvings of a factor of 2 to 1 %, one confirmation */
		assert_true(probes <= (unsigned)fabs(log2(limits[i] / 100)) + 1 + 1 + 7 + 1);
	}
}

static void a_search_stays_in_its_range(void **state)
{
	struct search_config cfg = wide;
	struct search s;

	(void)state;
	cfg.lowest = 50;
	cfg.highest = 500;
	search_exact(&s, &cfg, 1000);
	assert_int_equal(s.stage, SEARCH_FOUND);
	assert_true(s.rate == 500);
	search_exact(&s, &cfg, 20);
	assert_int_equal(s.stage, SEARCH_NONE);
	cfg.start = 9000;
	search_exact(&s, &cfg, 333);
	assert_int_equal(s.stage, SEARCH_FOUND);
	assert_true(s.rate <= 333 && s.rate > 329);
}

static void undecided_probes_go_on_and_then_fail(void **state)
{
	struct search s;

	(void)state;
	search_init(&s, &wide);
	for (unsigned i = 0; i <= SEARCH_EXTENSIONS_MAX; i++) {
		assert_int_equal(s.extension, i);
		assert_true(s.rate == 100);
		search_tell(&s, PROBE_UNDECIDED);
	}
	assert_int_equal(s.extension, 0);
	assert_true(s.rate == 50 && s.failed == 100);
}

static void confirmations_that_fail_step_down_and_ask_for_more(void **state)
{
	double confidence = 0, rate = INFINITY, error = 0;
	struct search_config cfg = wide;
	struct search s;

	(void)state;
	cfg.highest = 100;
	search_init(&s, &cfg);
	search_tell(&s, PROBE_PASS);
	assert_int_equal(s.stage, SEARCH_CONFIRMATION);
	while (search_goes_on(&s)) {
		assert_true(s.rate < rate && search_confidence(&s) > confidence);
		rate = s.rate;
		confidence = search_confidence(&s);
		error += 1 - confidence;
		search_tell(&s, PROBE_UNDECIDED);
	}
	assert_int_equal(s.stage, SEARCH_NONE);
	assert_int_equal(s.attempt, SEARCH_CONFIRMATIONS_MAX);
	assert_true(error <= 0.01);
	assert_true(rate > 20 && rate < 40);
}

/* ---- what a probe shows ---- */

static void add(struct probe *p, unsigned windows, uint64_t n, uint64_t over)
{
	for (unsigned i = 0; i < windows; i++)
		probe_add(p, n, &over, &p99);
}

static void a_probe_is_judged_as_early_stopping_does(void **state)
{
	struct probe p = {0};

	(void)state;
	assert_int_equal(probe_judge(&p, &p99, 0.99), PROBE_UNDECIDED);
	add(&p, 1, 458, 0);
	assert_int_equal(probe_judge(&p, &p99, 0.99), PROBE_UNDECIDED);
	add(&p, 1, 1, 0);
	assert_int_equal(probe_judge(&p, &p99, 0.99), PROBE_PASS);
	p = (struct probe){0};
	add(&p, 1, 2010, 10);
	assert_int_equal(probe_judge(&p, &p99, 0.99), PROBE_PASS);
	p = (struct probe){0};
	add(&p, 1, 1000, 10);
	assert_int_equal(probe_judge(&p, &p99, 0.99), PROBE_UNDECIDED);
	p = (struct probe){0};
	add(&p, 1, 1000, 30);
	assert_int_equal(probe_judge(&p, &p99, 0.99), PROBE_FAIL);
}

static void all_objectives_must_hold(void **state)
{
	const struct slo both = {.n = 2, .objectives = {{50, NSEC_PER_MSEC}, {99, 20 * NSEC_PER_MSEC}}};
	struct probe p = {0};

	(void)state;
	probe_add(&p, 2000, (const uint64_t[]){100, 0}, &both);
	assert_int_equal(probe_judge(&p, &both, 0.99), PROBE_PASS);
	p = (struct probe){0};
	probe_add(&p, 2000, (const uint64_t[]){100, 60}, &both);
	assert_int_equal(probe_judge(&p, &both, 0.99), PROBE_FAIL);
	p = (struct probe){0};
	probe_add(&p, 2000, (const uint64_t[]){1000, 0}, &both);
	assert_int_equal(probe_judge(&p, &both, 0.99), PROBE_UNDECIDED);
}

static void requests_that_are_late_together_count_for_less(void **state)
{
	struct probe even = {0}, bursts = {0};

	(void)state;
	add(&even, 20, 1000, 7);
	assert_true(probe_design_effect(&even, 0) == 1);
	assert_int_equal(probe_judge(&even, &p99, 0.99), PROBE_PASS);
	add(&bursts, 18, 1000, 0);
	add(&bursts, 2, 1000, 70);
	assert_int_equal(bursts.over[0], even.over[0]);
	/* By one, 18 windows are 7 off and two 63; the two are neighbours, so by two, 9 are 14 off and one 126: (9 * 196 +
	 * 15876) / 9 over 2000 * 0.007 * 0.993, raised by Student's 2.8214 for 9 over the normal 2.3263. */
	assert_true(fabs(probe_design_effect(&bursts, 0) - 1960 / 13.902 * pow(2.82144 / 2.32635, 2)) < 0.01);
	assert_int_equal(probe_judge(&bursts, &p99, 0.99), PROBE_UNDECIDED);
}

/* ---- whole searches against simulated servers ---- */

struct simulation {
	struct rng rng;
	double service_rate;
	double wait; /* of the M/M/1 server: what the next request finds to be done, seconds */
};

/* One window of `seconds` at `rate`: how many came, how many of them were late. */
typedef void window_fn(struct simulation *m, double rate, double seconds, uint64_t *n, uint64_t *over);

/* Independent requests; the share that is late is 1 % at a rate of 1000 and grows with its sixth power. */
static void independent_window(struct simulation *m, double rate, double seconds, uint64_t *n, uint64_t *over)
{
	double share = fmin(0.999, 0.01 * pow(rate / 1000, 6)), gap = -log1p(-share);

	*n = (uint64_t)(rate * seconds);
	*over = 0;
	/* from one late request to the next, which are few */
	for (double i = floor(rng_exponential(&m->rng) / gap); i < (double)*n; (*over)++)
		i += 1 + floor(rng_exponential(&m->rng) / gap);
}

/* Lindley's recursion: the next request waits for what is left of the work once its gap has passed. */
static void queue_window(struct simulation *m, double rate, double seconds, uint64_t *n, uint64_t *over)
{
	double now = 0;

	for (*n = *over = 0;; (*n)++) {
		double gap = rng_exponential(&m->rng) / rate, response;

		now += gap;
		if (now > seconds)
			return;
		m->wait = fmax(0, m->wait - gap);
		response = m->wait + rng_exponential(&m->rng) / m->service_rate;
		*over += response > 0.02;
		m->wait = response;
	}
}

/* A whole search as the program makes it, with probes of `seconds`. Returns the answer; 0: none. */
static double search_simulated(uint64_t seed, const struct search_config *cfg, window_fn *window, double seconds)
{
	struct simulation m = {.service_rate = 1000};
	struct probe p = {0};
	struct search s;

	rng_init(&m.rng, seed);
	for (search_init(&s, cfg); search_goes_on(&s);) {
		double length = seconds * (s.stage == SEARCH_CONFIRMATION ? 4 : s.extension > 1 ? 2 : 1);
		uint64_t n, over;

		if (s.extension == 0)
			p = (struct probe){0};
		m.wait = 0;
		window(&m, s.rate, length / 10, &n, &over); /* warm-up */
		for (unsigned i = 0; i < PROBE_WINDOWS; i++) {
			window(&m, s.rate, length / PROBE_WINDOWS, &n, &over);
			probe_add(&p, n, &over, &p99);
		}
		search_tell(&s, probe_judge(&p, &p99, search_confidence(&s)));
	}
	return s.stage == SEARCH_FOUND ? s.rate : 0;
}

static void answers_are_right_as_often_as_is_said(void **state)
{
	static const struct search_config cfg = {
		.start = 400, .lowest = 10, .highest = 1e6, .precision = 0.01, .confidence = 0.99};
	unsigned too_high = 0;
	double sum = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= 1000; seed++) {
		double found = search_simulated(seed, &cfg, independent_window, 10);

		too_high += found > 1000;
		sum += found;
		assert_true(found > 850);
	}
	/* at most 10 expected; 20 would be seen once in 300 times */
	assert_true(too_high <= 20);
	assert_true(sum / 1000 > 950);
}

/* P(response > 20 ms) = exp(-(1000 - rate) 0.02) in M/M/1, which is 1 % at 1000 - ln(100) / 0.02. */
static double queue_truth(void)
{
	return 1000 - log(100) / 0.02;
}

/* Mean of the answers of so many searches, as a share of the truth. */
static double search_queues(unsigned searches, double seconds, unsigned *ret_too_high)
{
	static const struct search_config cfg = {
		.start = 400, .lowest = 10, .highest = 1e6, .precision = 0.01, .confidence = 0.99};
	double sum = 0;

	*ret_too_high = 0;
	for (uint64_t seed = 1; seed <= searches; seed++) {
		double found = search_simulated(seed, &cfg, queue_window, seconds) / queue_truth();

		*ret_too_high += found > 1;
		sum += found;
		/* What the probes are too short to show is not claimed. */
		assert_true(found > 0.7 && found < 1.02);
	}
	return sum / searches;
}

static void the_highest_rate_of_a_queue_is_found(void **state)
{
	unsigned too_high;

	(void)state;
	assert_true(search_queues(100, 10, &too_high) > 0.86);
	assert_true(too_high <= 4);
}

static void longer_probes_come_closer(void **state)
{
	unsigned too_high;

	(void)state;
	assert_true(search_queues(10, 60, &too_high) > 0.92);
	assert_true(too_high <= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_highest_rate_is_found_from_below_and_above),
		cmocka_unit_test(a_search_stays_in_its_range),
		cmocka_unit_test(undecided_probes_go_on_and_then_fail),
		cmocka_unit_test(confirmations_that_fail_step_down_and_ask_for_more),
		cmocka_unit_test(a_probe_is_judged_as_early_stopping_does),
		cmocka_unit_test(all_objectives_must_hold),
		cmocka_unit_test(requests_that_are_late_together_count_for_less),
		cmocka_unit_test(answers_are_right_as_often_as_is_said),
		cmocka_unit_test(the_highest_rate_of_a_queue_is_found),
		cmocka_unit_test(longer_probes_come_closer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
