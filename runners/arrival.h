/*
 * arrival.h - when to ask: the schedule of one worker thread.
 *
 * Requests are numbered over the whole run, and number k is also the dataset batch it sends. In an open loop (constant,
 * Poisson) the time of arrival k is a function of seed and rate alone, and thread i of T takes those with k mod T = i: other
 * thread counts, a replay and several processes agree. Nothing here reads a clock or hears of completions, so a slow
 * server cannot slow the schedule. In a closed loop an arrival is due whenever a slot is free, and the threads draw
 * their numbers from one shared counter, in runs, so that they finish together.
 */
#ifndef RUNNERS_ARRIVAL_H
#define RUNNERS_ARRIVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/rng.h"

enum arrival_process { ARRIVAL_CLOSED, ARRIVAL_CONSTANT, ARRIVAL_POISSON };

/* Rates outside of this are refused: the schedule counts in millionths of an inference a second. */
#define ARRIVAL_RATE_MIN 1e-6
#define ARRIVAL_RATE_MAX 1e9

struct arrival_config {
	enum arrival_process process;
	double rate;              /* inferences a second; ignored in a closed loop */
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
	/* Constant: `step` ns and `fraction`/`divisor` of one between this thread's arrivals, `carried` so far. */
	nsec_t step;
	uint64_t fraction, divisor, carried;
	/* Poisson: the sum of all threads' gaps so far, in 1/1024 ns. */
	struct rng rng;
	double mean_gap;
	uint64_t elapsed;
	nsec_t start;
};

/* ERR_RANGE: the rate; ERR_INVALID: no batch, no threads, or a thread beyond them. */
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

/* When the next arrival is due; INT64_MIN: at once. */
static inline nsec_t arrival_next(const struct arrival *a)
{
	return a->intended;
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
