/*
 * difference.c - from the figures of runs to a difference, its interval and what may be said of it.
 */
#include "stats/difference.h"

#include <math.h>
#include <stdlib.h>

#include "common/arith.h"
#include "stats/distribution.h"

/* Logarithms of a side's figures. */
struct sample {
	double *x; /* owned by who made it */
	size_t n;
	double mean, variance; /* 0 of fewer than two */
};

/* x: room for n. False: one of the figures has no logarithm. */
static bool sample_take(struct sample *s, double *x, const double *figures, size_t n)
{
	*s = (struct sample){.x = x, .n = n};
	for (size_t i = 0; i < n; i++) {
		if (!(figures[i] > 0) || !isfinite(figures[i]))
			return false;
		x[i] = log(figures[i]);
	}
	return n > 0;
}

static void sample_sum_up(struct sample *s)
{
	for (size_t i = 0; i < s->n; i++)
		s->mean += s->x[i] / (double)s->n;
	for (size_t i = 0; i < s->n && s->n > 1; i++)
		s->variance += (s->x[i] - s->mean) * (s->x[i] - s->mean) / (double)(s->n - 1);
}

static double percent_of(double log_ratio)
{
	return 100 * expm1(log_ratio);
}

static void welch(struct difference *d, const struct sample *a, const struct sample *b)
{
	double va = a->variance / (double)a->n, vb = b->variance / (double)b->n, scatter;

	if (a->n < 2 || b->n < 2)
		return;
	d->standard_error = sqrt(va + vb);
	scatter = va * va / (double)(a->n - 1) + vb * vb / (double)(b->n - 1);
	d->degrees = scatter > 0 ? (va + vb) * (va + vb) / scatter : (double)(a->n + b->n - 2);
}

/* The t test's p, where the permutations' is smaller. */
static void ask_t_test_too(struct difference *d)
{
	double t = fabs(d->log_ratio) / d->standard_error;

	if (d->degrees > 0 && !isnan(t)) /* no scatter at all: the permutations decide */
		d->p = fmax(d->p, student_two_sided(t, d->degrees));
}

static int test_sides(struct difference *d, const struct sample *a, const struct sample *b, uint64_t seed)
{
	welch(d, a, b);
	return permutation_test(&d->p, &d->exact, a->x, a->n, b->x, b->n, seed);
}

/* b's logarithms become the differences of the pairs. */
static void test_pairs(struct difference *d, const struct sample *a, struct sample *b, uint64_t seed)
{
	struct sample pairs = {.x = b->x, .n = b->n};

	for (size_t i = 0; i < b->n; i++)
		b->x[i] -= a->x[i];
	sample_sum_up(&pairs);
	if (pairs.n > 1) {
		d->standard_error = sqrt(pairs.variance / (double)pairs.n);
		d->degrees = (double)(pairs.n - 1);
	}
	sign_flip_test(&d->p, &d->exact, pairs.x, pairs.n, seed);
}

bool difference_interval(const struct difference *d, double confidence, double resolution, double *ret_low,
			 double *ret_high)
{
	double half;

	if (d->finding == FINDING_NO_FIGURE || !(d->degrees > 0))
		return false;
	half = student_quantile(confidence, d->degrees) * d->standard_error + resolution;
	*ret_low = percent_of(d->log_ratio - half);
	*ret_high = percent_of(d->log_ratio + half);
	return true;
}

static int find_one(struct difference *d, const struct figures *f, const struct difference_rules *rules)
{
	struct sample a, b;
	size_t n;
	double *x;
	int r = 0;

	*d = (struct difference){.na = f->na, .nb = f->nb, .finding = FINDING_NO_FIGURE, .exact = true};
	d->a = d->b = d->percent = d->low = d->high = NAN;
	d->p = d->adjusted_p = 1;
	x = size_add(&n, f->na, f->nb) ? calloc(n + 1, sizeof(*x)) : NULL;
	if (!x)
		return ERR_NOMEM;
	if (!sample_take(&a, x, f->a, f->na) || !sample_take(&b, x + f->na, f->b, f->nb))
		goto out;
	sample_sum_up(&a);
	sample_sum_up(&b);
	d->a = exp(a.mean);
	d->b = exp(b.mean);
	d->log_ratio = b.mean - a.mean;
	d->percent = percent_of(d->log_ratio);
	d->finding = FINDING_TOO_FEW;
	if (rules->paired)
		test_pairs(d, &a, &b, rules->seed);
	else
		r = test_sides(d, &a, &b, rules->seed);
	ask_t_test_too(d);
	if (!difference_interval(d, rules->confidence, f->resolution, &d->low, &d->high))
		d->low = d->high = NAN;
out:
	free(x);
	return r;
}

/* The smallest p that so many runs can give at all. */
static double smallest_p(size_t na, size_t nb, bool paired)
{
	double ways = 1;

	if (paired)
		return pow(2, 1 - (double)na);
	for (size_t i = 1; i <= na; i++)
		ways *= (double)(nb + i) / (double)i;
	return na == nb ? 2 / ways : 1 / ways;
}

/* figures: how many share the level. */
static enum finding judge(const struct difference *d, const struct figures *f, size_t figures,
			  const struct difference_rules *rules)
{
	double level = 1 - rules->confidence;

	if (d->finding == FINDING_NO_FIGURE)
		return FINDING_NO_FIGURE;
	if (f->na < DIFFERENCE_RUNS_MIN || f->nb < DIFFERENCE_RUNS_MIN ||
	    smallest_p(f->na, f->nb, rules->paired) * (double)figures > level)
		return FINDING_TOO_FEW;
	if (d->adjusted_p > level || fabs(d->log_ratio) <= f->resolution)
		return FINDING_NONE;
	return (d->log_ratio > 0) == f->higher_is_better ? FINDING_BETTER : FINDING_WORSE;
}

int differences_find(struct difference *ret, const struct figures *f, size_t n, const struct difference_rules *rules)
{
	double *p = calloc(2 * n + 1, sizeof(*p)), *adjusted = p + n;
	size_t figures = 0;
	int r = p ? 0 : ERR_NOMEM;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = rules->paired && f[i].na != f[i].nb ? ERR_INVALID : find_one(&ret[i], &f[i], rules);
		if (r == 0 && ret[i].finding != FINDING_NO_FIGURE)
			p[figures++] = ret[i].p;
	}
	if (r == 0)
		r = holm_adjust(adjusted, p, figures);
	for (size_t i = 0, k = 0; r == 0 && i < n; i++) {
		if (ret[i].finding != FINDING_NO_FIGURE)
			ret[i].adjusted_p = adjusted[k++];
		ret[i].finding = judge(&ret[i], &f[i], figures, rules);
	}
	free(p);
	return r;
}
