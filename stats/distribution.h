/*
 * distribution.h - the probabilities that our statistics stand on: incomplete beta, binomial tails, Student's t.
 *
 * Everything follows from the regularised incomplete beta function. It is computed as a continued fraction (Numerical
 * Recipes 6.4) whose factor in front comes from Loader's saddle-point form ("Fast and accurate computation of binomial
 * probabilities", 2000): differences of lgamma would leave only a few digits at the ten thousand million queries that a
 * far percentile takes.
 */
#ifndef STATS_DISTRIBUTION_H
#define STATS_DISTRIBUTION_H

#include <stdint.h>

/* I_x(a, b) for a, b > 0 and 0 <= x <= 1: to 12 digits and better up to a, b of 1e10. */
double incomplete_beta(double a, double b, double x);

/* The probability of at most, and of at least, k successes in n trials of probability p, 0 <= p <= 1. */
double binomial_at_most(uint64_t k, uint64_t n, double p);
double binomial_at_least(uint64_t k, uint64_t n, double p);

/* Student's t with df > 0 degrees of freedom (any real number): P(|T| >= |t|). */
double student_two_sided(double t, double df);
/* The t with P(|T| <= t) = confidence, 0 < confidence < 1: half the width of an interval in standard errors. */
double student_quantile(double confidence, double df);

#endif
