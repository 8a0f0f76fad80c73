/*
 * objective.h - service level objectives ("p99<=5ms"), and how many latencies of a histogram break one.
 */
#ifndef STATS_OBJECTIVE_H
#define STATS_OBJECTIVE_H

#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/error.h"
#include "stats/histogram.h"

#define SLO_MAX 8

/* A percentile of the response time must not be over a bound. */
struct objective {
	double percentile; /* 0 < percentile < 100 */
	nsec_t bound;      /* under HISTOGRAM_LATENCY_HIGHEST */
};

/* All of them must hold. */
struct slo {
	unsigned n;
	struct objective objectives[SLO_MAX];
};

/* "p99<=5ms", "p99.9<=800us,p50<=1ms": Go's durations. ERR_USAGE with what is wrong. */
int slo_parse(struct slo *ret, const char *text, struct error *err) MUST_CHECK;
/* "p99.9 <= 800µs"; returns buf. */
const char *objective_format(char *buf, size_t size, const struct objective *o);

/*
 * Values of h, which counts latencies (histogram_init_latency), that may be over the bound: a bucket that the bound splits
 * counts as a whole.
 */
uint64_t objective_over(const struct objective *o, const struct histogram *h);

#endif
