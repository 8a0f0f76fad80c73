/*
 * rng.c - splitmix64 for seeds, xoshiro256** for numbers, and the distributions made of them.
 *
 * The logarithm is our own: libm's may differ in the last bit between machines (it is chosen by the CPU's features),
 * and the compiler must not fuse multiplications with additions where the next machine would not.
 */
#include "common/rng.h"

#include <math.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#else
#pragma GCC optimize("fp-contract=off")
#endif

#define SPLITMIX_GAMMA UINT64_C(0x9e3779b97f4a7c15)

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t mix64(uint64_t z)
{
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Four different outputs of a bijection are never all zero, the one state that xoshiro must not have. */
void rng_init(struct rng *r, uint64_t seed)
{
	for (int i = 0; i < 4; i++) {
		seed += SPLITMIX_GAMMA;
		r->s[i] = mix64(seed);
	}
}

/* Two rounds of mixing keep neighbouring indices of neighbouring seeds apart: seed 1, index 0 is not seed 0, index 1. */
void rng_init_at(struct rng *r, uint64_t seed, uint64_t index)
{
	rng_init(r, mix64(mix64(seed + SPLITMIX_GAMMA) + index));
}

static inline uint64_t next(uint64_t s[4])
{
	uint64_t result = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t rng_next(struct rng *r)
{
	return next(r->s);
}

double rng_double(struct rng *r)
{
	return (double)(rng_next(r) >> 11) * 0x1p-53;
}

float rng_float(struct rng *r)
{
	return (float)(rng_next(r) >> 40) * 0x1p-24f;
}

/* The state stays in registers. */
void rng_floats(struct rng *r, float *dst, size_t n)
{
	struct rng state = *r;

	for (size_t i = 0; i < n; i++)
		dst[i] = (float)(next(state.s) >> 40) * 0x1p-24f;
	*r = state;
}

/* Lemire's multiplication: the high word is the number, the low word tells whether it is one of those that would be too
 * frequent. */
uint64_t rng_below(struct rng *r, uint64_t n)
{
	__extension__ typedef unsigned __int128 wide;
	wide m = (wide)rng_next(r) * n;

	if ((uint64_t)m < n) {
		uint64_t threshold = (0 - n) % n;

		while ((uint64_t)m < threshold)
			m = (wide)rng_next(r) * n;
	}
	return (uint64_t)(m >> 64);
}

/* Natural logarithm of a positive normal number: log(m 2^e) = e log 2 + 2 atanh((m-1)/(m+1)), m in [0.7, 1.42). The
 * series' twelfth term is under 1e-17. */
static double natural_log(double x)
{
	static const double LN2_HIGH = 0x1.62e42fefa38p-1, LN2_LOW = 0x1.ef35793c7673p-45;
	uint64_t bits;
	double m, s, s2, sum = 0;
	int e;

	memcpy(&bits, &x, sizeof(bits));
	e = (int)(bits >> 52) - 1023;
	bits = (bits & UINT64_C(0x000fffffffffffff)) | UINT64_C(0x3ff0000000000000);
	memcpy(&m, &bits, sizeof(m));
	if (m > 1.4142135623730951) {
		m *= 0.5;
		e++;
	}
	s = (m - 1) / (m + 1);
	s2 = s * s;
	for (int k = 23; k >= 3; k -= 2)
		sum = (sum + 1.0 / k) * s2;
	return e * LN2_HIGH + (2 * s * (1 + sum) + e * LN2_LOW);
}

double rng_normal(struct rng *r)
{
	double u, v, s;

	do {
		u = 2 * rng_double(r) - 1;
		v = 2 * rng_double(r) - 1;
		s = u * u + v * v;
	} while (s >= 1 || s <= 0);
	return u * sqrt(-2 * natural_log(s) / s);
}

/*
 * Knuth, The Art of Computer Programming, volume 2, 3.4.1, algorithm S, by Ahrens and Dieter: an exponential number is a
 * whole number of ln 2, geometric, and a rest below ln 2. The rest is uniform's own for most draws, and otherwise the
 * smallest of k, in units of ln 2, where sums[k - 1] <= u < sums[k]. No logarithm: two thirds of the draws are a shift and a
 * multiplication.
 */
double rng_exponential(struct rng *r)
{
	/* sums[k] = ln 2 / 1! + (ln 2)^2 / 2! + ... + (ln 2)^k / k! */
	static const double sums[] = {
		0,
		0x1.62e42fefa39efp-1,
		0x1.dde327edaeb53p-1,
		0x1.fa4e30c4b355fp-1,
		0x1.ff3adba0a1e99p-1,
		0x1.ffe99f9fde3ccp-1,
		0x1.fffdd0310dc39p-1,
		0x1.ffffcffd0a1c1p-1,
		0x1.fffffc550e636p-1,
		0x1.ffffffbf58dddp-1,
		0x1.fffffffbf2c80p-1,
		0x1.ffffffffc45d9p-1,
		0x1.fffffffffcd54p-1,
		0x1.ffffffffffd80p-1,
		0x1.fffffffffffe3p-1,
		0x1.fffffffffffffp-1,
		1,
	};
	static const double LN2 = 0x1.62e42fefa39efp-1;
	double whole = __builtin_clzll(rng_next(r) | 1), u = rng_double(r), smallest;

	if (u < LN2)
		return whole * LN2 + u;
	smallest = rng_double(r);
	for (int k = 2;; k++) {
		double next = rng_double(r);

		smallest = next < smallest ? next : smallest;
		if (u < sums[k])
			return (whole + smallest) * LN2;
	}
}
