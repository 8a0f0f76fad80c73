/*
 * probe.c - counts of windows into a verdict.
 */
#include "runners/probe.h"

#include <math.h>
#include <string.h>

#include "stats/distribution.h"
#include "stats/early_stopping.h"

#define NORMAL_99 2.3263478740408408
/* Fewer windows than that say too little of neighbours taken together. */
#define LEVEL_WINDOWS_MIN 8

static void end_window(struct probe_level *l, unsigned objectives)
{
	double n = (double)l->n;

	l->windows++;
	l->squared_n += n * n;
	for (unsigned i = 0; i < objectives; i++) {
		l->squared_over[i] += (double)l->over[i] * (double)l->over[i];
		l->n_times_over[i] += n * (double)l->over[i];
	}
	l->parts = 0;
	l->n = 0;
	memset(l->over, 0, sizeof(l->over));
}

void probe_add(struct probe *p, uint64_t n, const uint64_t *over, const struct slo *slo)
{
	p->n += n;
	for (unsigned i = 0; i < slo->n; i++)
		p->over[i] += over[i];
	for (unsigned level = 0; level < PROBE_LEVELS; level++) {
		struct probe_level *l = &p->levels[level];

		l->n += n;
		for (unsigned i = 0; i < slo->n; i++)
			l->over[i] += over[i];
		if (++l->parts == 1U << level)
			end_window(l, slo->n);
	}
}

/* Of the windows of one level, around the share of all requests. Windows without requests say nothing and do no harm. */
static double level_effect(const struct probe_level *l, unsigned objective, double n, double share)
{
	double windows = (double)l->windows, variance, expected, t;

	variance =
		(l->squared_over[objective] - 2 * share * l->n_times_over[objective] + share * share * l->squared_n) /
		(windows - 1);
	expected = n / windows * share * (1 - share);
	if (variance <= expected)
		return 1;
	t = student_quantile(0.98, windows - 1); /* both sides of it: 0.99 below */
	return variance / expected * t * t / (NORMAL_99 * NORMAL_99);
}

double probe_design_effect(const struct probe *p, unsigned objective)
{
	double n = (double)p->n, share, effect = 1;

	if (p->over[objective] == 0 || p->over[objective] == p->n)
		return 1;
	share = (double)p->over[objective] / n;
	for (unsigned level = 0; level < PROBE_LEVELS; level++) {
		const struct probe_level *l = &p->levels[level];

		if (l->windows >= (level ? LEVEL_WINDOWS_MIN : 2))
			effect = fmax(effect, level_effect(l, objective, n, share));
	}
	return effect;
}

enum probe_verdict probe_judge(const struct probe *p, const struct slo *slo, double confidence)
{
	bool all = true;

	for (unsigned i = 0; i < slo->n; i++) {
		const struct objective *o = &slo->objectives[i];
		double effect = probe_design_effect(p, i);
		uint64_t n = (uint64_t)((double)p->n / effect), over = (uint64_t)ceil((double)p->over[i] / effect);

		if (early_stopping_shows_over(n, over, o->percentile / 100, confidence))
			return PROBE_FAIL;
		all = all && n > 0 && early_stopping_shows_within(n, over, o->percentile / 100, confidence);
	}
	return all ? PROBE_PASS : PROBE_UNDECIDED;
}
