/*
 * stability.c - three windows within ten percent.
 */
#include "stats/stability.h"

#include <math.h>
#include <stdbool.h>

#include "stats/json_writer.h"

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

void stability_write_text(FILE *out, const struct stability *s)
{
	if (s->state == STABILITY_NOT_ASKED)
		return;
	if (s->state == STABILITY_STABLE)
		fprintf(out,
			"Stable: the last %d of %u windows are within %.0f %% of each other; the figures are theirs\n",
			STABILITY_WINDOWS, s->windows, (STABILITY_RATIO - 1) * 100);
	else if (s->windows < STABILITY_WINDOWS_MAX)
		fprintf(out, "UNSTABLE: the run ended after %u windows, before %d in a row were within %.0f %%\n",
			s->windows, STABILITY_WINDOWS, (STABILITY_RATIO - 1) * 100);
	else
		fprintf(out, "UNSTABLE: throughput or latency of no %d windows of %u in a row were within %.0f %%\n",
			STABILITY_WINDOWS, s->windows, (STABILITY_RATIO - 1) * 100);
}

void stability_write_json(struct json_writer *w, const struct stability *s)
{
	if (s->state == STABILITY_NOT_ASKED) {
		json_string(w, "Stability", NULL);
		return;
	}
	json_begin(w, "Stability");
	json_bool(w, "Stable", s->state == STABILITY_STABLE);
	json_uint(w, "Windows", s->windows);
	json_end(w);
}
