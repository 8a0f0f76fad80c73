/*
 * knee.h - which load of several gives the most throughput for its latency.
 */
#ifndef STATS_KNEE_H
#define STATS_KNEE_H

#include <stddef.h>

/*
 * The load with the highest power, throughput ÷ mean response time (Kleinrock, "Power and deterministic rules of thumb for
 * probabilistic problems in computer communications", ICC 1979): more load costs latency faster than it gains throughput.
 * Chosen over fitting curves (Kneedle and the like) since it needs no smoothing, no scale and no even spacing of the
 * loads, and is the same in any units. In a closed loop it is where the server has no waiting requests left to gain from:
 * before it throughput grows by more than latency, behind it by less.
 *
 * Returns the index; n if no load has both numbers above 0. Of equals the first, so sort by load.
 */
size_t knee_by_power(const double *throughput, const double *latency, size_t n);

#endif
