/*
 * early_stopping.c - h(t) and its inversions: bisections over the binomial distribution's tails.
 */
#include "stats/early_stopping.h"

#include <assert.h>

#include "stats/distribution.h"

#define MOST_REQUESTS (UINT64_C(1) << 53)

bool early_stopping_shows_within(uint64_t n, uint64_t over, double p, double confidence)
{
	assert(p > 0 && p < 1 && confidence > 0 && confidence < 1);
	return over < n && incomplete_beta((double)(n - over), (double)over + 1, p) < 1 - confidence;
}

bool early_stopping_shows_over(uint64_t n, uint64_t over, double p, double confidence)
{
	assert(p > 0 && p < 1 && confidence > 0 && confidence < 1);
	return over > 0 && over <= n && binomial_at_least(over, n, 1 - p) < 1 - confidence;
}

uint64_t early_stopping_under(uint64_t over, double p, double confidence)
{
	uint64_t low = 0, high = 1; /* low is not enough, high is */

	while (high < MOST_REQUESTS && !early_stopping_shows_within(over + high, over, p, confidence)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (early_stopping_shows_within(over + middle, over, p, confidence))
			high = middle;
		else
			low = middle;
	}
	return high;
}

uint64_t early_stopping_requests(uint64_t over, double p, double confidence)
{
	return over + early_stopping_under(over, p, confidence);
}

bool early_stopping_most_over(uint64_t *ret, uint64_t n, double p, double confidence)
{
	uint64_t low = 0, high = n; /* low may be over, high may not */

	if (!early_stopping_shows_within(n, 0, p, confidence))
		return false;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (early_stopping_shows_within(n, middle, p, confidence))
			low = middle;
		else
			high = middle;
	}
	*ret = low;
	return true;
}
