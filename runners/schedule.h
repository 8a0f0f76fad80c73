/*
 * schedule.h - the offered rate over time: constant stretches and linear ramps, one after the other.
 *
 * N(t), the integral of the rate, is how many inferences are due by t. Its inverse makes a schedule of any process: a
 * deterministic one asks for inference n at N⁻¹(n), a Poisson process of changing rate for the next where N has grown by
 * an exponential number of mean 1 (time rescaling: Cinlar, Introduction to Stochastic Processes, 4.7). Positions on N are
 * integers, exact on constant stretches, so that nothing drifts however long a run is.
 */
#ifndef RUNNERS_SCHEDULE_H
#define RUNNERS_SCHEDULE_H

#include <stddef.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"

#define RATE_SEGMENTS_MAX 64

/* Rates outside of this are refused: the schedule counts in millionths of an inference a second. */
#define ARRIVAL_RATE_MIN 1e-6
#define ARRIVAL_RATE_MAX 1e9

/* Inferences a second, from the first to the last moment of it. */
struct rate_segment {
	double from, to;
	nsec_t duration; /* NSEC_NEVER: without end; the last segment only, and no ramp */
};

struct rate_schedule {
	unsigned n;
	struct rate_segment segments[RATE_SEGMENTS_MAX];
};

/* "100", "100:30s,200:30s", "100..1000:60s", and mixtures. ERR_USAGE with what is wrong. */
int rate_schedule_parse(struct rate_schedule *ret, const char *text, struct error *err) MUST_CHECK;
void rate_schedule_constant(struct rate_schedule *ret, double rate);
/* Writes it as rate_schedule_parse reads it; malloc'd, NULL when out of memory. */
char *rate_schedule_format(const struct rate_schedule *s);
/* ERR_RANGE: no stretch, a rate or a duration out of range, or one without end that is not the last or a ramp. */
int rate_schedule_check(const struct rate_schedule *s) MUST_CHECK;
/* The whole of it; NSEC_NEVER if the last segment has no end. */
nsec_t rate_schedule_duration(const struct rate_schedule *s);
double rate_schedule_peak(const struct rate_schedule *s);

/* A value of N in parts of an inference: the half of one due in a nanosecond at a millionth of an inference a second. */
__extension__ typedef unsigned __int128 rate_position;
#define RATE_PARTS 1000000
#define RATE_POSITION_PER_INFERENCE (2 * (uint64_t)NSEC_PER_SEC * RATE_PARTS)

/* A place on the schedule that only goes forward. */
struct rate_cursor {
	const struct rate_schedule *schedule; /* borrowed */
	unsigned segment;
	uint64_t from, to;         /* its rates, in parts */
	nsec_t begin, end;         /* since the start of the schedule */
	rate_position first, last; /* N at those two */
};

/* The schedule has passed rate_schedule_check. */
void rate_cursor_init(struct rate_cursor *c, const struct rate_schedule *s);
/* When N reaches p, since the start of the schedule, rounded down; NSEC_NEVER: it does not before the schedule ends. p is not
 * less than in the call before. */
nsec_t rate_cursor_time(struct rate_cursor *c, rate_position p);

#endif
