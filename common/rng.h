/*
 * rng.h - seeded random numbers, the same bytes on every machine.
 *
 * xoshiro256** by Blackman and Vigna, seeded through splitmix64 as its authors advise. For data and schedules, not
 * for secrets.
 */
#ifndef COMMON_RNG_H
#define COMMON_RNG_H

#include <stddef.h>
#include <stdint.h>

struct rng {
	uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
/*
 * An independent generator for element `index` of the stream `seed`: what row 4711 gets does not depend on which
 * process makes it. Costs a dozen multiplications.
 */
void rng_init_at(struct rng *r, uint64_t seed, uint64_t index);
uint64_t rng_next(struct rng *r);
/* Uniform in [0, 1): 53 bits for the double, 24 bits for the float. */
double rng_double(struct rng *r);
float rng_float(struct rng *r);
/* Fills dst with the numbers that n calls of rng_float would give, at a third of their cost. */
void rng_floats(struct rng *r, float *dst, size_t n);
/* Uniform in [0, n), without bias; n > 0. */
uint64_t rng_below(struct rng *r, uint64_t n);
/* Standard normal (polar method: no table, two logs at the most per pair; no state is kept between calls). */
double rng_normal(struct rng *r);
/* Exponential with mean 1. */
double rng_exponential(struct rng *r);

#endif
