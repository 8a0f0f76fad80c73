/*
 * run_estimate.c - the moving average of a model's quick runs.
 */
#include "engine/run_estimate.h"

bool run_estimate_is_quick(const struct run_estimate *e, size_t elements, nsec_t *ret_run_time)
{
	if (elements > atomic_load_explicit(&e->elements, memory_order_relaxed))
		return false;
	*ret_run_time = atomic_load_explicit(&e->run_time, memory_order_relaxed);
	return true;
}

void run_estimate_add(struct run_estimate *e, size_t elements, nsec_t run_time)
{
	nsec_t average = atomic_load_explicit(&e->run_time, memory_order_relaxed);
	size_t known = atomic_load_explicit(&e->elements, memory_order_relaxed);

	if (elements > known) {
		if (run_time > RUN_QUICK_MAX)
			return;
		atomic_store_explicit(&e->elements, elements, memory_order_relaxed);
		if (run_time > average)
			atomic_store_explicit(&e->run_time, run_time, memory_order_relaxed);
		return;
	}
	/* One run that was preempted says little about the model. */
	if (run_time > 4 * RUN_QUICK_MAX)
		run_time = 4 * RUN_QUICK_MAX;
	average += (run_time - average) / 8;
	if (average > RUN_QUICK_MAX) {
		average = 0;
		atomic_store_explicit(&e->elements, 0, memory_order_relaxed);
	}
	atomic_store_explicit(&e->run_time, average, memory_order_relaxed);
}
