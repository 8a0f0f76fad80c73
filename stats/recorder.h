/*
 * recorder.h - one writer thread's measurements: stamps of a finished request in, histograms out.
 *
 * The writer never waits, locks or allocates. A reader (the progress line) copies counts while the writer runs:
 * counts are relaxed atomics on both sides, so a snapshot is at most a few requests behind and never torn within a
 * count.
 */
#ifndef STATS_RECORDER_H
#define STATS_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/stamps.h"
#include "stats/histogram.h"

/* Counted per request; inferences = requests × tensor batch. */
struct totals {
	uint64_t requests[OUTCOME_MAX];
	uint64_t inferences[OUTCOME_MAX];
};

struct recorder {
	struct histogram service;  /* received − sent; OK, WRONG and TIMEOUT */
	struct histogram response; /* received − intended */
	struct histogram lag;      /* sent − intended: how late the generator was */
	bool open_loop;            /* false: response equals service and lag is 0, so only service is recorded */
	struct totals totals;
};

int recorder_init(struct recorder *r, bool open_loop) MUST_CHECK;
void recorder_release(struct recorder *r);
void recorder_reset(struct recorder *r);
/* In a batch of B inferences the latency is recorded B times (AIBench counts inferences). */
void recorder_record(struct recorder *r, const struct stamps *s, enum outcome o, unsigned inferences);
/* Reader's side: adds a consistent-enough copy of r to the accumulators, which have the same layout. */
void recorder_add_to(const struct recorder *r, struct recorder *sum);

#endif
