/*
 * compare.c - a thousand probabilities of an image are compared between two requests, so a block at a time.
 */
#include "workloads/compare.h"

#include <math.h>
#include <string.h>

#define LANES 8

static bool differs(double difference, float expected, const struct tolerance *t)
{
	/* Written so that a NaN does. */
	return !(difference <= t->absolute + t->relative * fabs((double)expected));
}

/* The whole blocks of n values. */
static bool blocks_agree(const char *got, const float *expected, size_t n, const struct tolerance *t, double *largest)
{
	float g[LANES], e[LANES];
	double most[LANES] = {0};
	int outside[LANES] = {0}, any = 0;

	for (size_t i = 0; i + LANES <= n; i += LANES) {
		memcpy(g, got + i * sizeof(*g), sizeof(g)); /* a reply's bytes are not aligned */
		memcpy(e, expected + i, sizeof(e));
		for (unsigned k = 0; k < LANES; k++) {
			double difference = fabs((double)g[k] - (double)e[k]);

			outside[k] |= differs(difference, e[k], t);
			most[k] = difference > most[k] ? difference : most[k];
		}
	}
	for (unsigned k = 0; k < LANES; k++) {
		any |= outside[k];
		*largest = most[k] > *largest ? most[k] : *largest;
	}
	return !any;
}

bool values_agree(const void *got, const float *expected, size_t n, const struct tolerance *t, double *largest)
{
	bool agree = n < LANES || blocks_agree(got, expected, n, t, largest);

	for (size_t i = n - n % LANES; i < n; i++) {
		double difference;
		float g;

		memcpy(&g, (const char *)got + i * sizeof(g), sizeof(g));
		difference = fabs((double)g - (double)expected[i]);
		agree = agree && !differs(difference, expected[i], t);
		*largest = difference > *largest ? difference : *largest;
	}
	return agree;
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
