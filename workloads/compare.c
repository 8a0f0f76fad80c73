/*
 * compare.c - a thousand probabilities of an image are compared between two requests, so a block at a time.
 */
#include "workloads/compare.h"

#include <math.h>
#include <string.h>

#define LANES 8

bool values_agree(const void *got, const float *expected, size_t n, const struct tolerance *t, double *largest)
{
	float g[LANES] = {0}, e[LANES] = {0};
	double most[LANES] = {0};
	int outside[LANES] = {0}, any = 0;

	for (size_t i = 0; i < n; i += LANES) {
		size_t take = n - i < LANES ? n - i : LANES;

		if (take < LANES) {
			memset(g, 0, sizeof(g));
			memset(e, 0, sizeof(e));
		}
		memcpy(g, (const char *)got + i * sizeof(*g), take * sizeof(*g)); /* a reply's bytes are not aligned */
		memcpy(e, expected + i, take * sizeof(*e));
		for (unsigned k = 0; k < LANES; k++) {
			double difference = fabs((double)g[k] - (double)e[k]);

			/* Written so that a NaN is outside. */
			outside[k] |= !(difference <= t->absolute + t->relative * fabs((double)e[k]));
			most[k] = difference > most[k] ? difference : most[k];
		}
	}
	for (unsigned k = 0; k < LANES; k++) {
		any |= outside[k];
		*largest = most[k] > *largest ? most[k] : *largest;
	}
	return !any;
}

void values_find_worst(struct value_difference *ret, const void *got, const float *expected, size_t n)
{
	double most = -1;

	for (size_t i = 0; i < n; i++) {
		double difference;
		float g;

		memcpy(&g, (const char *)got + i * sizeof(g), sizeof(g));
		difference = fabs((double)g - (double)expected[i]);
		if (isnan(difference))
			difference = INFINITY;
		if (difference > most) {
			most = difference;
			*ret = (struct value_difference){i, g, expected[i]};
		}
	}
}

size_t values_largest(const void *values, size_t n)
{
	float largest = -INFINITY;
	size_t ret = 0;

	for (size_t i = 0; i < n; i++) {
		float v;

		memcpy(&v, (const char *)values + i * sizeof(v), sizeof(v));
		if (v > largest) {
			largest = v;
			ret = i;
		}
	}
	return ret;
}
