/*
 * vision_ring.c - a bounded number of crops between the threads that make them and the one that writes them.
 *
 * No deadlock: photos are taken in order, so the thread with the lowest unfinished photo always has the turn to draw
 * and an empty slot to fill.
 */
#include <stdlib.h>
#include <time.h>

#include "common/clock.h"
#include "datagen/vision_internal.h"

#define WAIT (100 * NSEC_PER_MSEC)

int ring_init(struct ring *r, unsigned size, struct error *err)
{
	*r = (struct ring){.size = size};
	r->slots = calloc(size, sizeof(*r->slots));
	if (!r->slots)
		return error_set(err, ERR_NOMEM, "no memory for %u crops", size);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->filled, NULL);
	pthread_cond_init(&r->emptied, NULL);
	pthread_cond_init(&r->turned, NULL);
	return 0;
}

void ring_release(struct ring *r)
{
	if (!r->slots)
		return;
	pthread_cond_destroy(&r->turned);
	pthread_cond_destroy(&r->emptied);
	pthread_cond_destroy(&r->filled);
	pthread_mutex_destroy(&r->lock);
	free(r->slots);
	r->slots = NULL;
}

bool ring_wait_turn(struct ring *r, uint64_t photo)
{
	bool go;

	pthread_mutex_lock(&r->lock);
	while (r->turn != photo && !r->quit)
		pthread_cond_wait(&r->turned, &r->lock);
	go = !r->quit;
	pthread_mutex_unlock(&r->lock);
	return go;
}

void ring_pass_turn(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->turn++;
	pthread_cond_broadcast(&r->turned);
	pthread_mutex_unlock(&r->lock);
}

bool ring_wait_written(struct ring *r, uint64_t number)
{
	bool go;

	pthread_mutex_lock(&r->lock);
	while (r->written < number && !r->quit)
		pthread_cond_wait(&r->emptied, &r->lock);
	go = !r->quit;
	pthread_mutex_unlock(&r->lock);
	return go;
}

struct slot *ring_wait_empty(struct ring *r, uint64_t number)
{
	bool go = ring_wait_written(r, number < r->size ? 0 : number - r->size + 1);

	return go ? &r->slots[number % r->size] : NULL;
}

void ring_fill(struct ring *r, struct slot *slot, enum slot_state state, bool last)
{
	pthread_mutex_lock(&r->lock);
	slot->state = state;
	slot->last = last;
	pthread_cond_signal(&r->filled);
	pthread_mutex_unlock(&r->lock);
}

struct slot *ring_take(struct ring *r)
{
	nsec_t until = clock_now() + WAIT;
	struct timespec ts = {.tv_sec = until / NSEC_PER_SEC, .tv_nsec = until % NSEC_PER_SEC};
	struct slot *slot;
	int rc = 0;

	pthread_mutex_lock(&r->lock);
	slot = &r->slots[r->written % r->size];
	while (slot->state == SLOT_EMPTY && rc == 0)
		rc = pthread_cond_clockwait(&r->filled, &r->lock, CLOCK_MONOTONIC, &ts);
	if (slot->state == SLOT_EMPTY)
		slot = NULL;
	pthread_mutex_unlock(&r->lock);
	return slot;
}

void ring_empty(struct ring *r, struct slot *slot, uint64_t next)
{
	pthread_mutex_lock(&r->lock);
	slot->state = SLOT_EMPTY;
	r->written = next;
	pthread_cond_broadcast(&r->emptied);
	pthread_mutex_unlock(&r->lock);
}

void ring_quit(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	r->quit = true;
	pthread_cond_broadcast(&r->turned);
	pthread_cond_broadcast(&r->emptied);
	pthread_mutex_unlock(&r->lock);
}
