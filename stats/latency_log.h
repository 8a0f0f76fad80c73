/*
 * latency_log.h - every latency of a run, exactly, where a histogram's 0.1 % is too coarse: MLPerf's percentiles are those
 * of the sorted values.
 *
 * One writer thread a log. Its memory is reserved whole at the start, so that adding neither allocates nor moves
 * anything; 8 bytes a latency. Pages that were not `expected` come as the log reaches them.
 */
#ifndef STATS_LATENCY_LOG_H
#define STATS_LATENCY_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"

/* Zero-initialise. */
struct latency_log {
	nsec_t *values;
	uint64_t n, capacity;
};

/* Room for `capacity` latencies, the first `expected` of which (or all) are in memory before this returns. ERR_NOMEM. */
int latency_log_init(struct latency_log *l, uint64_t capacity, uint64_t expected) MUST_CHECK;
void latency_log_release(struct latency_log *l);

static inline bool latency_log_full(const struct latency_log *l)
{
	return l->n == l->capacity;
}

/* The log is not full. A latency below 0, of clocks that disagree, counts as 0. */
static inline void latency_log_add(struct latency_log *l, nsec_t latency)
{
	l->values[l->n++] = latency > 0 ? latency : 0;
}

/* Moves the latencies of all `from` (released) into *ret (zeroed before), sorted. Allocates. ERR_NOMEM. */
int latency_log_gather(struct latency_log *ret, struct latency_log *const *from, unsigned n) MUST_CHECK;

/* LoadGen's percentile: sorted[floor(n × share)], 0 <= share < 1; 0 of an empty log. */
nsec_t latency_log_percentile(const struct latency_log *sorted, double share);
/* How many are above the bound. */
uint64_t latency_log_over(const struct latency_log *sorted, nsec_t bound);

#endif
