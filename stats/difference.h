/*
 * difference.h - whether a figure differs between two set-ups, by a few runs of each: permutation test, t interval.
 *
 * The unit is the run, or the pair of interleaved runs: the thousands of requests within one share its cache, its
 * neighbours and its luck, and say little about the next run. Figures are compared as ratios, so everything is done
 * on their logarithms and told in percent: A against B is then the same as B against A with the sign turned.
 *
 * - p is the larger one of two tests', both two-sided, so that a difference is claimed where both show it. The exact
 *   permutation test: of all ways to deal the same figures out to A and B (for pairs: to swap them within each pair),
 *   the share whose means differ at least as much; it assumes nothing of how runs scatter, but that both sides do it
 *   alike. With more than DIFFERENCE_EXACT_MAX ways, DIFFERENCE_DRAWS are drawn by a seed and the observed one is
 *   counted with them (Phipson and Smyth 2010), which keeps the level. And Welch's t test, for pairs Student's, which
 *   holds where one side scatters more than the other.
 * - The interval is that of the t test.
 * - Several figures at once are several chances to be wrong: Holm's method adjusts their p together, so that among
 *   figures of two equal set-ups any is called different with a probability of 1 - confidence at the most. Each
 *   interval is its own.
 * - Fewer than DIFFERENCE_RUNS_MIN a side are too few to tell, whatever they show; so are as many as could not reach
 *   the level if they differed as clearly as can be (5 pairs: p is 2 / 2^5 at best).
 */
#ifndef STATS_DIFFERENCE_H
#define STATS_DIFFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define DIFFERENCE_RUNS_MIN 5
#define DIFFERENCE_EXACT_MAX 200000 /* 10 runs a side are 184,756 ways */
#define DIFFERENCE_DRAWS 99999

enum finding {
	FINDING_TOO_FEW, /* repetitions to tell */
	FINDING_NONE,    /* no difference shown */
	FINDING_BETTER,  /* B is better than A */
	FINDING_WORSE,
	FINDING_NO_FIGURE, /* a run has none, or none above 0: nothing is compared */
};

struct difference_rules {
	double confidence; /* 0.95: 0 < confidence < 1 */
	bool paired;       /* a[i] and b[i] belong together; as many on both sides */
	uint64_t seed;     /* of the draws where there are too many ways */
};

/* One figure of every run. */
struct figures {
	const double *a, *b;
	size_t na, nb;
	bool higher_is_better;
	/* Relative width of the steps the figures come in (0.001 of a histogram of 3 digits; 0: none). Intervals are wider by
	 * it on both sides, and no smaller difference is ever called one. */
	double resolution;
};

struct difference {
	size_t na, nb;
	double a, b;                    /* geometric means */
	double percent;                 /* of B against A: +5 is 5 % more */
	double log_ratio;               /* log(b / a) */
	double standard_error, degrees; /* of log_ratio; degrees of freedom 0: too few for an interval */
	double low, high;               /* the interval in percent, as wide as rules.confidence; NAN without one */
	double p, adjusted_p;           /* 1 where nothing is claimed */
	bool exact;                     /* every way was tried */
	enum finding finding;
};

/* Compares n figures of the same runs, with Holm's adjustment over all of them. ERR_NOMEM; ERR_INVALID: paired, with more
 * runs on one side. */
int differences_find(struct difference *ret, const struct figures *f, size_t n,
		     const struct difference_rules *rules) MUST_CHECK;

/* The interval of another confidence, in percent; false and untouched without one. */
bool difference_interval(const struct difference *d, double confidence, double resolution, double *ret_low,
			 double *ret_high);

/* The parts, on logarithms. *ret_exact: every way was tried. Two-sided p; ERR_NOMEM. */
int permutation_test(double *ret_p, bool *ret_exact, const double *a, size_t na, const double *b, size_t nb,
		     uint64_t seed) MUST_CHECK;
/* d: the difference of each pair. */
void sign_flip_test(double *ret_p, bool *ret_exact, const double *d, size_t n, uint64_t seed);
/* Holm 1979: ret[i] is p[i] adjusted for all n. ERR_NOMEM. */
int holm_adjust(double *ret, const double *p, size_t n) MUST_CHECK;

#endif
