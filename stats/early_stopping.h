/*
 * early_stopping.h - how many requests show, with a stated confidence, that a percentile lies below a bound.
 *
 * The rule of MLPerf LoadGen (early_stopping.cc; MLPerf inference rules, appendix "Early stopping"): with t of the
 * requests over the bound, at least h(t) must have stayed under it, h(t) being the smallest h with
 *	sum over x = 0 … t of C(h + t, x) p^(h + t - x) (1 - p)^x  <  1 - confidence,
 * that is: were the share under the bound only p, so few requests over it would be seen with a probability of less
 * than 1 - confidence. The sum is the incomplete beta function I_p(h, t + 1). LoadGen's tolerance d is 0 in all its
 * scenarios; who wants one passes p - d as p.
 *
 * A test that is made again and again on a growing run until it passes is no longer of that confidence: make it once.
 *
 * p: the percentile as a share (0.99), 0 < p < 1; 0 < confidence < 1; counts up to 2^53. Each costs some
 * microseconds, tens of them for millions over the bound.
 */
#ifndef STATS_EARLY_STOPPING_H
#define STATS_EARLY_STOPPING_H

#include <stdbool.h>
#include <stdint.h>

/* h(t). p99 at 0.99: h(0) = 459, h(1) = 661. */
uint64_t early_stopping_under(uint64_t over, double p, double confidence);
/* The fewest requests of which `over` may be over the bound: over + h(over). */
uint64_t early_stopping_requests(uint64_t over, double p, double confidence);
/* The most requests of n that may be over the bound. False if n are too few to show anything: fewer than h(0). */
bool early_stopping_most_over(uint64_t *ret, uint64_t n, double p, double confidence);

/* over of n requests over the bound show that the percentile is within it: n >= over + h(over). */
bool early_stopping_shows_within(uint64_t n, uint64_t over, double p, double confidence);
/* The opposite: were the share under the bound p, so many over it would be seen with a probability of less than
 * 1 - confidence. Between the two lies what more requests have to decide. */
bool early_stopping_shows_over(uint64_t n, uint64_t over, double p, double confidence);

#endif
