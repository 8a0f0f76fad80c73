/*
 * run_estimate.h - how long a model's runs take, to decide which are quick enough for the thread that reads requests.
 *
 * A run of RUN_QUICK_MAX or less is not worth two thread switches. A size counts as known after such a run in a worker;
 * runs of known sizes form a moving average, and once that is over the limit the model starts again from the queue.
 */
#ifndef ENGINE_RUN_ESTIMATE_H
#define ENGINE_RUN_ESTIMATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/clock.h"

#define RUN_QUICK_MAX (20 * NSEC_PER_USEC)

/* Of one model, zero-initialised; read and written by any thread. */
struct run_estimate {
	atomic_llong run_time;  /* moving average of runs with up to `elements` input elements */
	atomic_size_t elements; /* 0: no quick run is known */
};

/* Whether a run with so many elements in its inputs may be expected to be quick, and how long it will take. */
bool run_estimate_is_quick(const struct run_estimate *e, size_t elements, nsec_t *ret_run_time);
void run_estimate_add(struct run_estimate *e, size_t elements, nsec_t run_time);

#endif
