/*
 * mt19937.c - M. Matsumoto and T. Nishimura, "Mersenne Twister" (1998), with their initialisation of 2002.
 */
#include "datagen/mt19937.h"

#define SHIFT_WORDS 397
#define TWIST UINT32_C(0x9908b0df)
#define UPPER UINT32_C(0x80000000)

void mt19937_init(struct mt19937 *m, uint32_t seed)
{
	m->state[0] = seed;
	for (uint32_t i = 1; i < MT19937_WORDS; i++) {
		uint32_t before = m->state[i - 1];

		m->state[i] = UINT32_C(1812433253) * (before ^ before >> 30) + i;
	}
	m->next = MT19937_WORDS;
}

static void renew(uint32_t *state)
{
	for (unsigned i = 0; i < MT19937_WORDS; i++) {
		uint32_t y = (state[i] & UPPER) | (state[(i + 1) % MT19937_WORDS] & ~UPPER);

		state[i] = state[(i + SHIFT_WORDS) % MT19937_WORDS] ^ y >> 1 ^ (y & 1 ? TWIST : 0);
	}
}

uint32_t mt19937_next(struct mt19937 *m)
{
	uint32_t y;

	if (m->next == MT19937_WORDS) {
		renew(m->state);
		m->next = 0;
	}
	y = m->state[m->next++];
	y ^= y >> 11;
	y ^= y << 7 & UINT32_C(0x9d2c5680);
	y ^= y << 15 & UINT32_C(0xefc60000);
	return y ^ y >> 18;
}

uint32_t mt19937_below(struct mt19937 *m, uint32_t n)
{
	uint32_t max = n - 1, mask, value;

	if (max == 0)
		return 0;
	mask = UINT32_MAX >> __builtin_clz(max);
	do
		value = mt19937_next(m) & mask;
	while (value > max);
	return value;
}
