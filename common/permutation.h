/*
 * permutation.h - a seeded order of the numbers 0 to n - 1, computed place by place: no memory in the size of n.
 *
 * For each pass another one. Rounds of steps that can each be undone (add a key, multiply by an odd number, xor the high
 * half into the low one) permute all numbers of as many bits as n needs; who lands beyond n goes on from there until it
 * lands below (cycle walking: Black and Rogaway, Ciphers with Arbitrary Finite Domains, 2002), less than twice on average.
 * With eight rounds a handful of numbers come everywhere equally often, too. For orders, not for secrets.
 */
#ifndef COMMON_PERMUTATION_H
#define COMMON_PERMUTATION_H

#include <stdint.h>

#define PERMUTATION_ROUNDS 8

struct permutation {
	uint64_t n, mask;
	unsigned shift;
	uint64_t keys[PERMUTATION_ROUNDS];
};

/* n > 0. */
void permutation_init(struct permutation *p, uint64_t n, uint64_t seed);
/* What comes at `place` (below n) of the pass. */
uint64_t permutation_at(const struct permutation *p, uint64_t pass, uint64_t place);

#endif
