/*
 * Permutation tests against brute force and published examples, intervals against published ones, Holm; and in seeded
 * simulations: equal set-ups are called different no more often than stated, real differences are found.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/rng.h"
#include "stats/difference.h"

#define RUNS 32
#define FIGURES 6
#define TRIALS 2000
/* Of 2,000 trials of probability 0.05 more than this many succeed with a probability of less than 0.001. */
#define MOST_OF_5_PERCENT 130

static void assert_near(double got, double want, double tolerance)
{
	if (!(fabs(got - want) <= tolerance))
		fail_msg("%.17g, not %.17g", got, want);
}

/* The statistic by its definition. */
static double apart(const double *a, size_t na, const double *b, size_t nb)
{
	double difference = 0;

	for (size_t i = 0; i < na; i++)
		difference += a[i] / (double)na;
	for (size_t i = 0; i < nb; i++)
		difference -= b[i] / (double)nb;
	return fabs(difference);
}

static double brute_force(const double *a, size_t na, const double *b, size_t nb)
{
	double all[16], x[16], y[16], observed = apart(a, na, b, nb);
	unsigned ways = 0, as_far = 0;

	memcpy(all, a, na * sizeof(*a));
	memcpy(all + na, b, nb * sizeof(*b));
	for (unsigned set = 0; set < 1U << (na + nb); set++) {
		size_t nx = 0, ny = 0;

		if ((size_t)__builtin_popcount(set) != na)
			continue;
		for (size_t i = 0; i < na + nb; i++) {
			if (set & 1U << i)
				x[nx++] = all[i];
			else
				y[ny++] = all[i];
		}
		ways++;
		as_far += apart(x, nx, y, ny) >= observed * (1 - 1e-9);
	}
	return (double)as_far / ways;
}

static void permutation_p_is_that_of_brute_force(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 6);
	for (size_t na = 2; na <= 6; na++) {
		for (size_t nb = 2; nb <= 7; nb++) {
			double a[8], b[8], p;
			bool exact;

			for (size_t i = 0; i < 8; i++) {
				a[i] = rng_normal(&rng);
				b[i] = rng_normal(&rng) * 2 + 1;
			}
			assert_int_equal(permutation_test(&p, &exact, a, na, b, nb, 1), 0);
			assert_true(exact);
			assert_near(p, brute_force(a, na, b, nb), 1e-12);
		}
	}
}

static void ties_and_mirrors_count_as_equally_far(void **state)
{
	static const double a[] = {1, 2, 2, 3}, b[] = {2, 3, 3, 4}, same[] = {7, 7, 7, 7};
	double far[5], near[5], p;
	bool exact;

	(void)state;
	assert_int_equal(permutation_test(&p, &exact, a, 4, b, 4, 1), 0);
	assert_near(p, brute_force(a, 4, b, 4), 1e-12);
	assert_int_equal(permutation_test(&p, &exact, same, 4, same, 3, 1), 0);
	assert_true(p == 1);
	/* Wide apart with a scatter that is near the rounding error: still one of 252, and its mirror. */
	for (int i = 0; i < 5; i++) {
		near[i] = 1 + i * 1e-9;
		far[i] = 2 + i * 1e-9;
	}
	assert_int_equal(permutation_test(&p, &exact, near, 5, far, 5, 1), 0);
	assert_near(p, 2.0 / 252, 1e-12);
	assert_int_equal(permutation_test(&p, &exact, near, 0, far, 5, 1), 0);
	assert_true(p == 1);
}

static void more_ways_than_can_be_tried_are_drawn(void **state)
{
	double a[12], b[12], p, again, other;
	struct rng rng;
	bool exact;

	(void)state;
	rng_init(&rng, 3);
	for (int i = 0; i < 12; i++) {
		a[i] = rng_normal(&rng);
		b[i] = rng_normal(&rng) + 0.7;
	}
	assert_int_equal(permutation_test(&p, &exact, a, 12, b, 12, 1), 0);
	assert_false(exact);
	assert_int_equal(permutation_test(&again, &exact, a, 12, b, 12, 1), 0);
	assert_true(again == p);
	assert_int_equal(permutation_test(&other, &exact, a, 12, b, 12, 2), 0);
	assert_near(other, p, 0.006);
	/* Ten a side still are tried one by one; the drawn p of the same would be close to it. */
	assert_int_equal(permutation_test(&p, &exact, a, 10, b, 10, 1), 0);
	assert_true(exact);
	/* Never 0: the observed one is among the ways. */
	for (int i = 0; i < 12; i++)
		b[i] += 1000;
	assert_int_equal(permutation_test(&p, &exact, a, 12, b, 12, 1), 0);
	assert_true(p >= 1.0 / (DIFFERENCE_DRAWS + 1) && p < 0.001);
}

/* Fisher, The Design of Experiments (1935), 21: Darwin's maize; 863 of 32,768 in each tail. */
static void sign_flips_are_fishers_of_darwins_maize(void **state)
{
	static const double maize[] = {49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48};
	double p;
	bool exact;

	(void)state;
	sign_flip_test(&p, &exact, maize, ARRAY_LEN(maize), 1);
	assert_true(exact);
	assert_near(p, 2 * 863.0 / 32768, 1e-12);
}

static void more_flips_than_can_be_tried_are_drawn(void **state)
{
	static const int values[20] = {9, -7, 3, 3, 8, -1, 12, 5, -6, 2, 7, -9, 4, 10, -3, 6, 1, -2, 8, -5};
	double d[20], p;
	unsigned as_far = 0;
	int observed = 0;
	bool exact;

	(void)state;
	for (int i = 0; i < 20; i++) {
		d[i] = values[i];
		observed += values[i];
	}
	for (unsigned signs = 0; signs < 1U << 20; signs++) {
		int sum = 0;

		for (int i = 0; i < 20; i++)
			sum += signs & 1U << i ? values[i] : -values[i];
		as_far += sum >= observed || sum <= -observed;
	}
	sign_flip_test(&p, &exact, d, 20, 1);
	assert_false(exact);
	assert_near(p, as_far / 1048576.0, 0.004);
}

/* Student's sleep data; the figures are R's t.test of them. */
static const double sleep_a[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
static const double sleep_b[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

static void intervals_are_those_of_students_sleep(void **state)
{
	struct difference_rules rules = {.confidence = 0.95};
	double a[10], b[10], low = 0, high = 0;
	struct figures f = {.a = a, .b = b, .na = 10, .nb = 10};
	struct difference d;

	(void)state;
	for (int i = 0; i < 10; i++) {
		a[i] = exp(sleep_a[i]);
		b[i] = exp(sleep_b[i]);
	}
	assert_int_equal(differences_find(&d, &f, 1, &rules), 0);
	assert_near(d.log_ratio, 1.58, 1e-9);
	assert_near(d.a, exp(0.75), 1e-9);
	assert_near(d.percent, 100 * (exp(1.58) - 1), 1e-6);
	assert_near(d.degrees, 17.776, 0.001);
	assert_near(d.log_ratio / d.standard_error, 1.8608, 0.0001);
	assert_near(log1p(d.low / 100), -0.2054832, 1e-6);
	assert_near(log1p(d.high / 100), 3.3654832, 1e-6);
	assert_int_equal(d.finding, FINDING_NONE);
	rules.paired = true;
	assert_int_equal(differences_find(&d, &f, 1, &rules), 0);
	assert_near(d.degrees, 9, 0);
	assert_near(log1p(d.low / 100), 0.7001142, 1e-6);
	assert_near(log1p(d.high / 100), 2.4598858, 1e-6);
	assert_int_equal(d.finding, FINDING_WORSE);
	assert_true(difference_interval(&d, 0.95, 0.1, &low, &high));
	assert_near(log1p(low / 100), 0.6001142, 1e-6);
	assert_true(difference_interval(&d, 0.99, 0, &low, &high) && low < d.low && high > d.high);
}

/* Holm 1979 by hand: 4 * 0.005, 3 * 0.01, 2 * 0.03, and no less than that. */
static void holm_steps_down(void **state)
{
	static const double p[] = {0.01, 0.04, 0.03, 0.005}, want[] = {0.03, 0.06, 0.06, 0.02};
	double adjusted[4];

	(void)state;
	assert_int_equal(holm_adjust(adjusted, p, 4), 0);
	for (int i = 0; i < 4; i++)
		assert_near(adjusted[i], want[i], 1e-12);
	assert_int_equal(holm_adjust(adjusted, (const double[]){0.6, 0.9}, 2), 0);
	assert_true(adjusted[0] == 1 && adjusted[1] == 1);
	assert_int_equal(holm_adjust(adjusted, p, 0), 0);
}

static enum finding find(const double *a, size_t na, const double *b, size_t nb, bool paired, double confidence)
{
	struct difference_rules rules = {.confidence = confidence, .paired = paired};
	struct figures f = {.a = a, .b = b, .na = na, .nb = nb};
	struct difference d;

	assert_int_equal(differences_find(&d, &f, 1, &rules), 0);
	if (d.finding != FINDING_NO_FIGURE)
		assert_near(d.percent, 100 * (d.b / d.a - 1), 1e-9);
	return d.finding;
}

static void too_few_runs_claim_nothing(void **state)
{
	double a[8], b[8];

	(void)state;
	for (int i = 0; i < 8; i++) {
		a[i] = 100 + i;
		b[i] = 200 + i * 1.5;
	}
	assert_int_equal(find(a, 1, b, 1, false, 0.95), FINDING_TOO_FEW);
	assert_int_equal(find(a, 4, b, 8, false, 0.95), FINDING_TOO_FEW);
	assert_int_equal(find(a, 8, b, 4, false, 0.95), FINDING_TOO_FEW);
	assert_int_equal(find(a, 5, b, 5, false, 0.95), FINDING_WORSE);
	/* 2 of 252 ways at best, 2 of 32 and 2 of 64 flips. */
	assert_int_equal(find(a, 5, b, 5, false, 0.995), FINDING_TOO_FEW);
	assert_int_equal(find(a, 5, b, 5, true, 0.95), FINDING_TOO_FEW);
	assert_int_equal(find(a, 6, b, 6, true, 0.95), FINDING_WORSE);
}

static void figures_that_are_not_above_zero_are_not_compared(void **state)
{
	static const double good[] = {1, 2, 3, 4, 5}, zero[] = {1, 0, 3, 4, 5}, nan[] = {1, 2, NAN, 4, 5};

	(void)state;
	assert_int_equal(find(good, 5, zero, 5, false, 0.95), FINDING_NO_FIGURE);
	assert_int_equal(find(nan, 5, good, 5, true, 0.95), FINDING_NO_FIGURE);
	assert_int_equal(find(good, 0, good, 5, false, 0.95), FINDING_NO_FIGURE);
}

static void direction_of_better_is_the_figures(void **state)
{
	static const double low[] = {10, 10.1, 10.2, 10.3, 10.4}, high[] = {20, 20.1, 20.2, 20.3, 20.4};
	struct difference_rules rules = {.confidence = 0.95};
	struct figures f[] = {{.a = low, .b = high, .na = 5, .nb = 5, .higher_is_better = true},
			      {.a = low, .b = high, .na = 5, .nb = 5},
			      {.a = high, .b = low, .na = 5, .nb = 5, .higher_is_better = true},
			      {.a = high, .b = low, .na = 5, .nb = 5}};
	struct difference d[4];

	(void)state;
	assert_int_equal(differences_find(d, f, 4, &rules), 0);
	assert_int_equal(d[0].finding, FINDING_BETTER);
	assert_int_equal(d[1].finding, FINDING_WORSE);
	assert_int_equal(d[2].finding, FINDING_WORSE);
	assert_int_equal(d[3].finding, FINDING_BETTER);
	/* Turned around, the same to the digit. */
	assert_near(d[0].log_ratio, -d[2].log_ratio, 1e-12);
	assert_near(d[0].p, d[2].p, 0);
	assert_near((1 + d[0].low / 100) * (1 + d[2].high / 100), 1, 1e-12);
	f[0].nb = 4;
	rules.paired = true;
	assert_int_equal(differences_find(d, f, 4, &rules), ERR_INVALID);
}

static void no_difference_below_the_steps_of_the_figures(void **state)
{
	static const double a[] = {1000, 1000, 1000, 1000, 1000}, b[] = {1001, 1001, 1001, 1001, 1001};
	struct difference_rules rules = {.confidence = 0.95};
	struct figures f[] = {{.a = a, .b = b, .na = 5, .nb = 5, .resolution = 0.001},
			      {.a = a, .b = b, .na = 5, .nb = 5}};
	struct difference d[2];

	(void)state;
	assert_int_equal(differences_find(d, f, 2, &rules), 0);
	assert_int_equal(d[0].finding, FINDING_NONE);
	assert_true(d[0].low < 0.0001 && d[0].high > 0.19);
	assert_int_equal(d[1].finding, FINDING_WORSE);
}

/* Runs of one set-up: what figures share (the day's luck) and what they do not. */
static void simulate(struct rng *rng, double runs[FIGURES][RUNS], size_t n, double factor, double scatter)
{
	for (size_t i = 0; i < n; i++) {
		double luck = rng_normal(rng);

		for (size_t k = 0; k < FIGURES; k++)
			runs[k][i] = 100 * factor * exp(scatter * (0.6 * luck + 0.8 * rng_normal(rng)));
	}
}

struct simulation {
	size_t na, nb;
	double factor, scatter_a, scatter_b, drift;
	bool paired;
};

struct tally {
	unsigned any, first; /* trials in which any figure, and the first one, was called different */
	unsigned covered;    /* in which the first one's interval held the truth */
};

static struct tally try_often(const struct simulation *s, uint64_t seed)
{
	struct difference_rules rules = {.confidence = 0.95, .paired = s->paired};
	double a[FIGURES][RUNS], b[FIGURES][RUNS];
	struct tally tally = {0};
	struct rng rng;

	rng_init(&rng, seed);
	for (int trial = 0; trial < TRIALS; trial++) {
		struct difference d[FIGURES];
		struct figures f[FIGURES];
		unsigned different = 0;

		simulate(&rng, a, s->na, 1, s->scatter_a);
		simulate(&rng, b, s->nb, s->factor, s->scatter_b);
		for (size_t k = 0; k < FIGURES; k++) {
			for (size_t i = 0; i < s->na && s->drift > 0; i++) {
				a[k][i] *= 1 + s->drift * (double)i;
				b[k][i] *= 1 + s->drift * (double)i;
			}
			f[k] = (struct figures){.a = a[k], .b = b[k], .na = s->na, .nb = s->nb};
		}
		assert_int_equal(differences_find(d, f, FIGURES, &rules), 0);
		for (size_t k = 0; k < FIGURES; k++)
			different += d[k].finding == FINDING_BETTER || d[k].finding == FINDING_WORSE;
		tally.any += different > 0;
		tally.first += d[0].finding == FINDING_WORSE;
		tally.covered += d[0].low <= 100 * (s->factor - 1) && d[0].high >= 100 * (s->factor - 1);
	}
	return tally;
}

static void equal_set_ups_are_called_different_at_most_as_often_as_stated(void **state)
{
	static const struct simulation equal[] = {
		{.na = 5, .nb = 5, .factor = 1, .scatter_a = 0.05, .scatter_b = 0.05},
		{.na = 7, .nb = 6, .factor = 1, .scatter_a = 0.3, .scatter_b = 0.3},
		/* The few scatter more than the many: where permutations alone would cry wolf. */
		{.na = 9, .nb = 5, .factor = 1, .scatter_a = 0.02, .scatter_b = 0.05},
		{.na = 8, .nb = 8, .factor = 1, .scatter_a = 0.1, .scatter_b = 0.1, .paired = true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(equal); i++) {
		struct tally t = try_often(&equal[i], 1000 + i);

		if (t.any > MOST_OF_5_PERCENT)
			fail_msg("simulation %zu: %u of %d called different", i, t.any, TRIALS);
		if (t.covered < TRIALS - MOST_OF_5_PERCENT)
			fail_msg("simulation %zu: %u of %d intervals hold the truth", i, t.covered, TRIALS);
	}
}

static void real_differences_are_found(void **state)
{
	/* 10 % at a scatter of 2 %; 3 % at 1 % while the machine warms up by 2 % a pair, seen in pairs alone. */
	static const struct simulation clear = {.na = 5, .nb = 5, .factor = 1.1, .scatter_a = 0.02, .scatter_b = 0.02};
	static const struct simulation drifting = {.na = 10,
						   .nb = 10,
						   .factor = 1.03,
						   .scatter_a = 0.01,
						   .scatter_b = 0.01,
						   .drift = 0.02,
						   .paired = true};
	struct simulation unpaired = drifting;
	struct tally t = try_often(&clear, 1);

	(void)state;
	assert_true(t.first > TRIALS * 9 / 10);
	assert_true(t.covered > TRIALS - MOST_OF_5_PERCENT);
	t = try_often(&drifting, 2);
	assert_true(t.first > TRIALS * 9 / 10);
	assert_true(t.covered > TRIALS - MOST_OF_5_PERCENT);
	unpaired.paired = false;
	unpaired.na = unpaired.nb = 6; /* fewer ways to go through */
	assert_true(try_often(&unpaired, 3).first < TRIALS / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(permutation_p_is_that_of_brute_force),
		cmocka_unit_test(ties_and_mirrors_count_as_equally_far),
		cmocka_unit_test(more_ways_than_can_be_tried_are_drawn),
		cmocka_unit_test(sign_flips_are_fishers_of_darwins_maize),
		cmocka_unit_test(more_flips_than_can_be_tried_are_drawn),
		cmocka_unit_test(intervals_are_those_of_students_sleep),
		cmocka_unit_test(holm_steps_down),
		cmocka_unit_test(too_few_runs_claim_nothing),
		cmocka_unit_test(figures_that_are_not_above_zero_are_not_compared),
		cmocka_unit_test(direction_of_better_is_the_figures),
		cmocka_unit_test(no_difference_below_the_steps_of_the_figures),
		cmocka_unit_test(equal_set_ups_are_called_different_at_most_as_often_as_stated),
		cmocka_unit_test(real_differences_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
