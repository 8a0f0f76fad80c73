/*
 * measure.h - what the benchmarks measure with: CPU time, a median, a core to themselves.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"

/* CPU time of the calling thread. */
static inline nsec_t cpu_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return timespec_to_nsec(&ts);
}

static inline int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of an odd number of values, which are sorted. */
static inline double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare_doubles);
	return values[n / 2];
}

#define SERVER_CORE 0

/* The one beside the server's; the same where there is no other. */
static inline size_t client_core(void)
{
	return sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SERVER_CORE + 1 : SERVER_CORE;
}

/* Where it is not allowed, client and server share what there is, and figures mean less. */
static inline void use_core(size_t core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(core, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

#endif
