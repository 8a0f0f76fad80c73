/*
 * counters.h - a server's counters from one reading to the next: counters become differences, gauges and texts stay.
 *
 * The server's counters are never reset: its own totals stay whole for whoever reads them after the run.
 */
#ifndef RUNNERS_COUNTERS_H
#define RUNNERS_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define COUNTER_TEXT_MAX 1024

/*
 * Writes what `key` did between two readings: integers and decimals of AI.INFO ("ai_info.…") and of the ai_cpu section
 * ("…used_cpu…") are subtracted, INFO COMMANDSTATS ("cmdstat_…": "calls=2,usec=10,usec_per_call=5.00,…") field by field
 * with usec_per_call made anew. Of the other model servers, Triton's statistics ("triton.…") and Prometheus' counters
 * ("…_total", "…_count", "…_sum", "Requests…") are subtracted. All else is `now` as it is. A counter that went down was
 * reset: its value counts since then. before NULL: the counter is new, all of it is the difference.
 */
void counter_difference(char *ret, size_t size, const char *key, const char *before, const char *now);

struct counter {
	char *server, *key, *value; /* owned */
};

/* The last reading. Zero-initialise. */
struct counters {
	struct counter *items;
	size_t n, capacity;
	size_t cursor; /* readings come in the same order: the next one is expected here */
};

void counters_release(struct counters *c);
/* Whether there was any reading of this server. */
bool counters_know(const struct counters *c, const char *server);
/* Remembers a reading and writes its difference from the last one. ERR_NOMEM. */
int counters_update(struct counters *c, const char *server, const char *key, const char *value, char *ret_difference,
		    size_t size) MUST_CHECK;

#endif
