/*
 * arrival.c - schedules of threads: which positions on the rate's integral their arrivals have.
 */
#include "runners/arrival.h"

static rate_position poisson_gap(struct arrival *a)
{
	return (rate_position)(rng_exponential(&a->rng) * (double)a->request);
}

/* Goes `arrivals` of the whole schedule ahead. In a Poisson process every thread draws the gaps of all of them and keeps
 * its own: the price of one schedule whatever T is. */
static void skip(struct arrival *a, uint64_t arrivals)
{
	nsec_t t;

	if (a->process == ARRIVAL_CONSTANT) {
		a->position += a->request * arrivals;
	} else {
		for (uint64_t i = 0; i < arrivals; i++)
			a->position += poisson_gap(a);
	}
	t = rate_cursor_time(&a->cursor, a->position);
	a->intended = t < NSEC_NEVER - a->start ? a->start + t : NSEC_NEVER;
}

int arrival_init(struct arrival *a, const struct arrival_config *cfg)
{
	if (cfg->batch == 0 || cfg->thread >= cfg->threads)
		return ERR_INVALID;
	if (cfg->process != ARRIVAL_CLOSED && rate_schedule_check(cfg->schedule) < 0)
		return ERR_RANGE;
	*a = (struct arrival){
		.process = cfg->process,
		.intended = INT64_MIN,
		.shared = cfg->shared,
		.stride = cfg->threads,
		.start = cfg->start,
		.request = (rate_position)cfg->batch * RATE_POSITION_PER_INFERENCE,
	};
	if (cfg->process == ARRIVAL_CLOSED)
		return 0;
	a->number = cfg->thread;
	rate_cursor_init(&a->cursor, cfg->schedule);
	rng_init(&a->rng, cfg->seed);
	/* A constant schedule begins with an arrival, a Poisson one with a gap. */
	skip(a, cfg->process == ARRIVAL_POISSON ? (uint64_t)cfg->thread + 1 : cfg->thread);
	return 0;
}

void arrival_advance_open(struct arrival *a)
{
	a->number += a->stride;
	skip(a, a->stride);
}
