/*
 * probe.c - counts of windows into a verdict.
 */
#include "runners/probe.h"

#include <math.h>

#include "stats/early_stopping.h"

void probe_add(struct probe *p, uint64_t n, const uint64_t *over, const struct slo *slo)
{
	if (n == 0)
		return;
	p->nwindows++;
	p->n += n;
	p->squared_n += (double)n * (double)n;
	for (unsigned i = 0; i < slo->n; i++) {
		p->over[i] += over[i];
		p->squared_over[i] += (double)over[i] * (double)over[i];
		p->n_times_over[i] += (double)n * (double)over[i];
	}
}

double probe_design_effect(const struct probe *p, unsigned objective)
{
	double windows = p->nwindows, n = (double)p->n, over = (double)p->over[objective];
	double share, variance, expected;

	if (p->nwindows < 2 || p->over[objective] == 0 || p->over[objective] == p->n)
		return 1;
	share = over / n;
	variance =
		(p->squared_over[objective] - 2 * share * p->n_times_over[objective] + share * share * p->squared_n) /
		(windows - 1);
	expected = n / windows * share * (1 - share);
	return fmax(1, variance / expected);
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
