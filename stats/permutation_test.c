/*
 * permutation_test.c - the two permutation tests of difference.h and Holm's adjustment.
 *
 * Both tests go through the ways depth first with running sums, so that a way costs a few additions, whatever the number
 * of runs. Equal ways differ in their last digits by the order of their additions: what is a rounding error below the
 * observed one counts as equal to it.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/rng.h"
#include "stats/difference.h"

#define ROUNDING 1e-9

/* One dealing out of all figures to two sides. */
struct dealing {
	const double *x; /* all figures, centred on their mean: first A's, then B's; or the differences of pairs */
	size_t n, na;
	double observed;       /* |sum of A's figures|: the difference of the means grows with it alone */
	uint64_t ways, as_far; /* tried; of them at least as far as the observed one */
};

static void count_way(struct dealing *d, double sum)
{
	d->ways++;
	d->as_far += fabs(sum) >= d->observed * (1 - ROUNDING);
}

/* Every choice of `wanted` figures from the i-th on for side A. */
static void deal_all(struct dealing *d, size_t i, size_t wanted, double sum)
{
	if (wanted == 0) {
		count_way(d, sum);
		return;
	}
	for (; d->n - i >= wanted; i++)
		deal_all(d, i + 1, wanted - 1, sum + d->x[i]);
}

/* x: d's, shuffled on the way. */
static void deal_drawn(struct dealing *d, double *x, uint64_t seed)
{
	struct rng rng;

	rng_init(&rng, seed);
	for (int draw = 0; draw < DIFFERENCE_DRAWS; draw++) {
		double sum = 0;

		for (size_t i = 0; i < d->na; i++) {
			size_t j = i + (size_t)rng_below(&rng, d->n - i);
			double dealt = x[j];

			x[j] = x[i];
			x[i] = dealt;
			sum += dealt;
		}
		count_way(d, sum);
	}
	d->ways++;
	d->as_far++;
}

/* C(n, k), or more than DIFFERENCE_EXACT_MAX for anything larger. */
static uint64_t choices(size_t n, size_t k)
{
	uint64_t c = 1;

	if (k > n - k)
		k = n - k;
	for (size_t i = 1; i <= k && c <= DIFFERENCE_EXACT_MAX; i++)
		c = c * (n - k + i) / i;
	return c;
}

int permutation_test(double *ret_p, bool *ret_exact, const double *a, size_t na, const double *b, size_t nb,
		     uint64_t seed)
{
	struct dealing d = {.n = na + nb, .na = na};
	double mean = 0, sum = 0, *x;

	*ret_p = 1;
	*ret_exact = true;
	if (na == 0 || nb == 0)
		return 0;
	x = calloc(d.n, sizeof(*x));
	if (!x)
		return ERR_NOMEM;
	memcpy(x, a, na * sizeof(*a));
	memcpy(x + na, b, nb * sizeof(*b));
	for (size_t i = 0; i < d.n; i++)
		mean += x[i] / (double)d.n;
	for (size_t i = 0; i < d.n; i++) {
		x[i] -= mean;
		sum += i < na ? x[i] : 0;
	}
	d.x = x;
	d.observed = fabs(sum);
	*ret_exact = choices(d.n, na) <= DIFFERENCE_EXACT_MAX;
	if (*ret_exact)
		deal_all(&d, 0, na, 0);
	else
		deal_drawn(&d, x, seed);
	*ret_p = (double)d.as_far / (double)d.ways;
	free(x);
	return 0;
}

/* Every choice of signs from the i-th on. */
static void flip_all(struct dealing *d, size_t i, double sum)
{
	if (i == d->n) {
		count_way(d, sum);
		return;
	}
	flip_all(d, i + 1, sum + d->x[i]);
	flip_all(d, i + 1, sum - d->x[i]);
}

static void flip_drawn(struct dealing *d, uint64_t seed)
{
	struct rng rng;

	rng_init(&rng, seed);
	for (int draw = 0; draw < DIFFERENCE_DRAWS; draw++) {
		uint64_t bits = 0;
		double sum = 0;

		for (size_t i = 0; i < d->n; i++) {
			bits = i % 64 ? bits >> 1 : rng_next(&rng);
			sum += bits & 1 ? d->x[i] : -d->x[i];
		}
		count_way(d, sum);
	}
	d->ways++;
	d->as_far++;
}

void sign_flip_test(double *ret_p, bool *ret_exact, const double *differences, size_t n, uint64_t seed)
{
	struct dealing d = {.x = differences, .n = n};
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += differences[i];
	d.observed = fabs(sum);
	*ret_exact = n < 64 && UINT64_C(1) << n <= DIFFERENCE_EXACT_MAX;
	if (*ret_exact)
		flip_all(&d, 0, 0);
	else
		flip_drawn(&d, seed);
	*ret_p = (double)d.as_far / (double)d.ways;
}

struct ranked {
	double p;
	size_t at;
};

static int by_p(const void *a, const void *b)
{
	double p = ((const struct ranked *)a)->p, q = ((const struct ranked *)b)->p;

	return (p > q) - (p < q);
}

int holm_adjust(double *ret, const double *p, size_t n)
{
	struct ranked *order = calloc(n ? n : 1, sizeof(*order));
	double least = 0;

	if (!order)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i++)
		order[i] = (struct ranked){p[i], i};
	qsort(order, n, sizeof(*order), by_p);
	for (size_t i = 0; i < n; i++) {
		least = fmax(least, fmin(1, order[i].p * (double)(n - i)));
		ret[order[i].at] = least;
	}
	free(order);
	return 0;
}
