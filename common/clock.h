/*
 * clock.h - one time unit, nanoseconds, the two clocks that are read, and times in other units.
 *
 * Only worker loops and cmd/ read a clock; everything else takes `now` as an argument.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* A point of the monotonic clock, or a difference of two. Signed: send lag may be asked of the future. */
typedef int64_t nsec_t;

#define NSEC_PER_USEC INT64_C(1000)
#define NSEC_PER_MSEC INT64_C(1000000)
#define NSEC_PER_SEC INT64_C(1000000000)
#define NSEC_NEVER INT64_MAX

static inline nsec_t timespec_to_nsec(const struct timespec *ts)
{
	return (nsec_t)ts->tv_sec * NSEC_PER_SEC + ts->tv_nsec;
}

/* CLOCK_MONOTONIC: for every interval. */
static inline nsec_t clock_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return timespec_to_nsec(&ts);
}

/* CLOCK_REALTIME, nanoseconds since the epoch: for time stamps in reports only. */
static inline nsec_t clock_wall(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return timespec_to_nsec(&ts);
}

static inline nsec_t nsec_earlier(nsec_t a, nsec_t b)
{
	return a < b ? a : b;
}

static inline nsec_t nsec_later(nsec_t a, nsec_t b)
{
	return a > b ? a : b;
}

static inline double nsec_to_sec(nsec_t t)
{
	return (double)t / (double)NSEC_PER_SEC;
}

static inline double nsec_to_msec(nsec_t t)
{
	return (double)t / (double)NSEC_PER_MSEC;
}

static inline double nsec_to_usec(nsec_t t)
{
	return (double)t / (double)NSEC_PER_USEC;
}

/* For qsort. */
static inline int nsec_compare(const void *a, const void *b)
{
	nsec_t x = *(const nsec_t *)a, y = *(const nsec_t *)b;

	return (x > y) - (x < y);
}

/* How many a second n of them in this time are; 0 where no time went by. */
static inline double per_second(uint64_t n, nsec_t time)
{
	return time > 0 ? (double)n * (double)NSEC_PER_SEC / (double)time : 0;
}

#endif
