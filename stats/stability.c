/*
 * stability.c - three windows within ten percent.
 */
#include "stats/stability.h"

#include <math.h>
#include <stdbool.h>

static bool at_rest(const double values[STABILITY_WINDOWS])
{
	double low = values[0], high = values[0];

	for (int i = 1; i < STABILITY_WINDOWS; i++) {
		low = fmin(low, values[i]);
		high = fmax(high, values[i]);
	}
	return low > 0 && high <= STABILITY_RATIO * low;
}

enum stability_state stability_add(struct stability *s, double throughput, double latency)
{
	s->throughput[s->windows % STABILITY_WINDOWS] = throughput;
	s->latency[s->windows % STABILITY_WINDOWS] = latency;
	s->windows++;
	if (s->windows >= STABILITY_WINDOWS && at_rest(s->throughput) && at_rest(s->latency))
		s->state = STABILITY_STABLE;
	else
		s->state = s->windows >= STABILITY_WINDOWS_MAX ? STABILITY_UNSTABLE : STABILITY_MEASURING;
	return s->state;
}
