/*
 * mt19937.h - the Mersenne Twister as NumPy's legacy generator (np.random.seed, np.random.randint) uses it, so that a
 * seed makes the same crops as AIBench's Python script. For everything else there is common/rng.h.
 */
#ifndef DATAGEN_MT19937_H
#define DATAGEN_MT19937_H

#include <stdint.h>

#define MT19937_WORDS 624

struct mt19937 {
	uint32_t state[MT19937_WORDS];
	unsigned next; /* word of the state that comes next; MT19937_WORDS: make new ones first */
};

/* As np.random.seed(seed). */
void mt19937_init(struct mt19937 *m, uint32_t seed);
uint32_t mt19937_next(struct mt19937 *m);
/* As np.random.randint(0, n), n > 0: masked rejection. n == 1 draws nothing, as in NumPy. */
uint32_t mt19937_below(struct mt19937 *m, uint32_t n);

#endif
