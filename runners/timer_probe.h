/*
 * timer_probe.h - what this machine's clock and sleeps are worth: a bare loop of readings and one of sleeps, a few
 * milliseconds in all. A generator cannot be more punctual than this.
 */
#ifndef RUNNERS_TIMER_PROBE_H
#define RUNNERS_TIMER_PROBE_H

#include "stats/audit.h"

/* On the calling thread, under the timer slack that worker threads have. */
void timer_probe(struct timer_quality *ret);

#endif
