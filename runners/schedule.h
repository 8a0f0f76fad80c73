/*
 * schedule.h - the offered rate over time: constant stretches and linear ramps, one after the other.
 */
#ifndef RUNNERS_SCHEDULE_H
#define RUNNERS_SCHEDULE_H

#include "common/clock.h"
#include "common/error.h"

#define RATE_SEGMENTS_MAX 64

/* Inferences a second, from the first to the last moment of it. */
struct rate_segment {
	double from, to;
	nsec_t duration; /* NSEC_NEVER: without end; the last segment only */
};

struct rate_schedule {
	unsigned n;
	struct rate_segment segments[RATE_SEGMENTS_MAX];
};

/* "100", "100:30s,200:30s", "100..1000:60s", and mixtures. ERR_USAGE with what is wrong. */
int rate_schedule_parse(struct rate_schedule *ret, const char *text, struct error *err) MUST_CHECK;
void rate_schedule_constant(struct rate_schedule *ret, double rate);
/* The whole of it; NSEC_NEVER if the last segment has no end. */
nsec_t rate_schedule_duration(const struct rate_schedule *s);

#endif
