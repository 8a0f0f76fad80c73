/*
 * wait.h - waits until a point of the monotonic clock, to the nanosecond.
 *
 * System calls take a span of time, which is computed just before each: a deadline stays where it is however often it is
 * waited for, and lateness does not add up. A timerfd would do the same for two system calls more.
 */
#ifndef DRIVERS_WAIT_H
#define DRIVERS_WAIT_H

#include <sys/epoll.h>
#include <time.h>

#include "common/clock.h"

/* From now until then; returns ts, or NULL if that is NSEC_NEVER. What is past is no time. */
const struct timespec *wait_left(struct timespec *ts, nsec_t now, nsec_t until);

/* epoll_wait with a deadline: the number of events, or -1 and errno (EINTR too). Also on kernels before 5.11 and under
 * emulators, which have no epoll_pwait2. */
int wait_for_events(int epoll, struct epoll_event *events, int max, nsec_t now, nsec_t until);

#endif
