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
	struct histogram response; /* received − intended; open loop only, else never allocated */
	struct histogram lag;      /* sent − intended: how late the generator was; as response */
	struct histogram own_lag; /* sent − max(intended, ready): the part of it without which the lag is the workers'
				    * wait for answers; as response */
	uint64_t waited;          /* inferences whose arrival found no idle worker */
	bool open_loop;           /* false: response equals service and lag is 0, so only service is recorded */
	unsigned stages;          /* bit s: stage[s] is recorded; others are never allocated */
	struct histogram stage[STAGE_MAX]; /* how long each took: from the end of the one before, or from sent */
	struct totals totals;
	char apart[64]; /* keeps the neighbour's counters in an array off this one's cache line */
};

int recorder_init(struct recorder *r, bool open_loop) MUST_CHECK;
/* Records these stages from now on (bit s: stage s); before the first record, or after a reset. ERR_NOMEM. */
int recorder_add_stages(struct recorder *r, unsigned stages) MUST_CHECK;
/* An empty one that records what `like` does. */
int recorder_init_like(struct recorder *r, const struct recorder *like) MUST_CHECK;
void recorder_release(struct recorder *r);
/* By the writer, or while there is none. */
void recorder_reset(struct recorder *r);
/* In a batch of B inferences the latency is recorded B times (AIBench counts inferences). */
void recorder_record(struct recorder *r, const struct stamps *s, enum outcome o, unsigned inferences);
/* Reader's side: sum += r, while r's writer goes on. sum was initialised with the same open_loop and stages. */
void recorder_add_to(const struct recorder *r, struct recorder *sum);
/* ret = now - before, then before = now: what was measured since the last call. All three were initialised alike; now has
 * no writer. */
int recorder_difference(struct recorder *ret, struct recorder *before, const struct recorder *now) MUST_CHECK;

const char *stage_name(enum stage s); /* as result files spell it: "ReferenceFetch" */

uint64_t totals_requests(const struct totals *t);   /* of all outcomes */
uint64_t totals_inferences(const struct totals *t); /* of all outcomes */
uint64_t totals_answered(const struct totals *t);   /* inferences that were answered, right or wrong */

#endif
