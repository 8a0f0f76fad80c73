/*
 * permutation.c - bits are mixed in steps that can be undone, so that no two numbers meet.
 */
#include "common/permutation.h"

#include "common/rng.h"

/* Apart from the numbers that others draw from the same seed. */
#define STREAM UINT64_C(0x6f726465725f6f66)

void permutation_init(struct permutation *p, uint64_t n, uint64_t seed)
{
	unsigned bits = n > 1 ? 64 - (unsigned)__builtin_clzll(n - 1) : 0;
	struct rng rng;

	*p = (struct permutation){
		.n = n,
		.mask = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1,
		.shift = bits > 1 ? bits / 2 : 1,
	};
	rng_init(&rng, seed ^ STREAM);
	for (int i = 0; i < PERMUTATION_ROUNDS; i++)
		p->keys[i] = rng_next(&rng);
}

/* Each step is a bijection of the numbers up to the mask. */
static uint64_t mix(const struct permutation *p, const uint64_t keys[PERMUTATION_ROUNDS], uint64_t x)
{
	for (int i = 0; i < PERMUTATION_ROUNDS; i++) {
		/* the key's high half, made odd, as the factor: another one in each pass too */
		x = (x + keys[i]) * (keys[i] >> 32 | 1) & p->mask;
		x ^= x >> p->shift;
	}
	return x;
}

uint64_t permutation_at(const struct permutation *p, uint64_t pass, uint64_t place)
{
	uint64_t keys[PERMUTATION_ROUNDS], x = place;

	/* A pass turns each key by a hash of itself: neighbours share nothing. */
	for (int i = 0; i < PERMUTATION_ROUNDS; i++) {
		uint64_t z = pass + p->keys[i];

		z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
		keys[i] = z ^ (z >> 31);
	}
	do
		x = mix(p, keys, x);
	while (x >= p->n);
	return x;
}
