/*
 * probe.h - what was seen of one rate, window by window, and whether it shows that an objective holds there.
 *
 * The test is the binomial one of stats/early_stopping.h. It takes requests as independent, and those of a queue are not: in
 * one bad moment many are late together. So the counts are first divided by the design effect (Kish, Survey Sampling, 1965),
 * how much more the windows' counts vary than independent requests' would: with 20,000 requests and an effect of 10 there
 * are the grounds of 2,000.
 *
 * A window that is short against the time in which the server forgets shows less of it than there is. So the effect is the
 * largest of those of windows and of 2, 4 and 8 neighbours taken together, each raised to the upper side of what so few
 * windows can tell: by (t / z)^2, quantiles 0.99 of Student's t and of the normal distribution.
 */
#ifndef RUNNERS_PROBE_H
#define RUNNERS_PROBE_H

#include <stdint.h>

#include "runners/search.h"
#include "stats/objective.h"

/* So many windows make one run of a probe. */
#define PROBE_WINDOWS 80
#define PROBE_LEVELS 4

/* Windows of 2^level windows each. */
struct probe_level {
	uint64_t windows;
	/* Sums over them, for the design effect: */
	double squared_n, squared_over[SLO_MAX], n_times_over[SLO_MAX];
	/* Of the one that is not whole yet: */
	unsigned parts;
	uint64_t n, over[SLO_MAX];
};

/* Zero-initialise. */
struct probe {
	uint64_t n;             /* requests */
	uint64_t over[SLO_MAX]; /* of which over the bound of objective i */
	struct probe_level levels[PROBE_LEVELS];
};

/* One window: over[i] of n requests were over objective i's bound. */
void probe_add(struct probe *p, uint64_t n, const uint64_t *over, const struct slo *slo);
/* At least 1; 1 where nothing was over the bound or there are fewer than two windows. */
double probe_design_effect(const struct probe *p, unsigned objective);
/* Pass: all objectives are shown to hold. Fail: one is shown not to. */
enum probe_verdict probe_judge(const struct probe *p, const struct slo *slo, double confidence);

#endif
