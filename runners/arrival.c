/*
 * arrival.c - the arithmetic of schedules. Constant rates are exact fractions carried from arrival to arrival, so that
 * one that divides nothing (997/s) is as late after a day as after a second: by less than a nanosecond.
 */
#include "runners/arrival.h"

#include <math.h>

/* A rate is counted in these parts of an inference a second. */
#define RATE_PARTS 1000000
#define POISSON_PARTS 1024

__extension__ typedef unsigned __int128 wide;

static wide interval_parts(const struct arrival_config *cfg, uint64_t arrivals)
{
	return (wide)arrivals * cfg->batch * ((uint64_t)NSEC_PER_SEC * RATE_PARTS);
}

static void constant_init(struct arrival *a, const struct arrival_config *cfg)
{
	wide first = interval_parts(cfg, cfg->thread);
	wide step = interval_parts(cfg, cfg->threads);

	a->divisor = (uint64_t)llround(cfg->rate * RATE_PARTS);
	a->step = (nsec_t)(step / a->divisor);
	a->fraction = (uint64_t)(step % a->divisor);
	a->carried = (uint64_t)(first % a->divisor);
	a->intended = a->start + (nsec_t)(first / a->divisor);
}

static void poisson_gap(struct arrival *a)
{
	a->elapsed += (uint64_t)(rng_exponential(&a->rng) * a->mean_gap * POISSON_PARTS + 0.5);
}

/* Every thread draws the gaps of all of them and keeps its own: the price of one schedule whatever T is. */
static void poisson_skip(struct arrival *a, uint64_t gaps)
{
	for (uint64_t i = 0; i < gaps; i++)
		poisson_gap(a);
	a->intended = a->start + (nsec_t)(a->elapsed / POISSON_PARTS);
}

static void poisson_init(struct arrival *a, const struct arrival_config *cfg)
{
	rng_init(&a->rng, cfg->seed);
	a->mean_gap = (double)cfg->batch * (double)NSEC_PER_SEC / cfg->rate;
	poisson_skip(a, (uint64_t)cfg->thread + 1);
}

int arrival_init(struct arrival *a, const struct arrival_config *cfg)
{
	if (cfg->batch == 0 || cfg->thread >= cfg->threads)
		return ERR_INVALID;
	if (cfg->process != ARRIVAL_CLOSED && !(cfg->rate >= ARRIVAL_RATE_MIN && cfg->rate <= ARRIVAL_RATE_MAX))
		return ERR_RANGE;
	*a = (struct arrival){
		.process = cfg->process,
		.start = cfg->start,
		.stride = cfg->threads,
		.shared = cfg->shared,
	};
	switch (cfg->process) {
	case ARRIVAL_CLOSED:
		a->intended = INT64_MIN;
		break;
	case ARRIVAL_CONSTANT:
		a->number = cfg->thread;
		constant_init(a, cfg);
		break;
	case ARRIVAL_POISSON:
		a->number = cfg->thread;
		poisson_init(a, cfg);
		break;
	}
	return 0;
}

void arrival_advance_open(struct arrival *a)
{
	a->number += a->stride;
	if (a->process == ARRIVAL_POISSON) {
		poisson_skip(a, a->stride);
		return;
	}
	a->intended += a->step;
	a->carried += a->fraction;
	if (a->carried >= a->divisor) {
		a->carried -= a->divisor;
		a->intended++;
	}
}
