/*
 * backoff.c - redial delays.
 */
#include "common/rng.h"
#include "net/conn.h"

#define FIRST_DELAY (10 * NSEC_PER_MSEC)
#define LAST_DELAY NSEC_PER_SEC
#define JITTER 0.25

void backoff_init(struct backoff *b, uint64_t seed)
{
	*b = (struct backoff){.delay = FIRST_DELAY, .seed = seed};
}

nsec_t backoff_next(struct backoff *b)
{
	nsec_t delay = b->delay;
	struct rng r;

	rng_init(&r, b->seed++);
	b->delay = delay >= LAST_DELAY / 2 ? LAST_DELAY : delay * 2;
	return delay + (nsec_t)((double)delay * JITTER * rng_double(&r));
}

void backoff_reset(struct backoff *b)
{
	b->delay = FIRST_DELAY;
}
