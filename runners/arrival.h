/*
 * arrival.h - when to ask: the schedule of one worker thread.
 *
 * Requests are numbered over the whole run. In an open loop (constant, Poisson) the time of arrival k is a function of
 * seed and rate schedule alone, and thread i of T takes those with k mod T = i: other thread counts, a replay and several
 * processes agree. Nothing here reads a clock or hears of completions, so a slow server cannot slow the schedule. In a
 * closed loop an arrival is due whenever a slot is free, and the threads draw their numbers from one shared counter, in
 * runs, so that they finish together.
 */
#ifndef RUNNERS_ARRIVAL_H
#define RUNNERS_ARRIVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/rng.h"
#include "runners/schedule.h"

enum arrival_process { ARRIVAL_CLOSED, ARRIVAL_CONSTANT, ARRIVAL_POISSON };

struct arrival_config {
	enum arrival_process process;
	/* Inferences a second; borrowed until the last arrival. Ignored in a closed loop. */
	const struct rate_schedule *schedule;
	unsigned batch;           /* inferences a request, >= 1 */
	uint64_t seed;            /* Poisson's gaps */
	unsigned thread, threads; /* i and T */
	nsec_t start;             /* arrival times are relative to it */
	_Atomic uint64_t *shared; /* closed loop: the numbers given out so far, by all threads */
};

/* Hot-path value; the fields are for arrival.c and the inline functions below. */
struct arrival {
	enum arrival_process process;
	uint64_t number;  /* of the next arrival of this thread */
	nsec_t intended;  /* its time; INT64_MIN in a closed loop */
	uint64_t run_end; /* closed: the numbers up to here are this thread's */
	_Atomic uint64_t *shared;
	uint64_t stride; /* T */
	nsec_t start;
	struct rate_cursor cursor;
	rate_position position; /* where on the schedule's integral the next arrival is */
	rate_position request;  /* how long one request is there; Poisson: on average */
	struct rng rng;
};

/* ERR_RANGE: the schedule; ERR_INVALID: no batch, no threads, or a thread beyond them. */
int arrival_init(struct arrival *a, const struct arrival_config *cfg) MUST_CHECK;

/* Before arrival_number: a closed loop draws up to `want` (>= 1) new numbers when its last ones are used up. */
static inline void arrival_prepare(struct arrival *a, uint64_t want)
{
	if (a->process == ARRIVAL_CLOSED && a->number == a->run_end) {
		a->number = atomic_fetch_add_explicit(a->shared, want, memory_order_relaxed);
		a->run_end = a->number + want;
	}
}

static inline uint64_t arrival_number(const struct arrival *a)
{
	return a->number;
}

/* When the next arrival is due; INT64_MIN: at once; NSEC_NEVER: the schedule has ended. */
static inline nsec_t arrival_next(const struct arrival *a)
{
	return a->intended;
}

/* All arrivals below `number` are some thread's already: the next one of this thread is none of them. */
static inline bool arrival_has_reached(const struct arrival *a, uint64_t number)
{
	if (a->process == ARRIVAL_CLOSED && a->number == a->run_end)
		return atomic_load_explicit(a->shared, memory_order_relaxed) >= number;
	return a->number >= number;
}

/* Goes on to the thread's next arrival. */
void arrival_advance_open(struct arrival *a);

static inline void arrival_advance(struct arrival *a)
{
	if (a->process == ARRIVAL_CLOSED)
		a->number++;
	else
		arrival_advance_open(a);
}

#endif
