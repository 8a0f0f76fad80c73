/*
 * knee.c - the highest power of a list of loads.
 */
#include "stats/knee.h"

size_t knee_by_power(const double *throughput, const double *latency, size_t n)
{
	double best = 0;
	size_t knee = n;

	for (size_t i = 0; i < n; i++) {
		if (throughput[i] > 0 && latency[i] > 0 && throughput[i] / latency[i] > best) {
			best = throughput[i] / latency[i];
			knee = i;
		}
	}
	return knee;
}
