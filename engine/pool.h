/*
 * pool.h - memory that is given back all at once: the many small pieces of a plan.
 */
#ifndef ENGINE_POOL_H
#define ENGINE_POOL_H

#include <stddef.h>

struct pool_block;

/* Zero-initialise. bytes: what the pool took so far. */
struct pool {
	struct pool_block *blocks;
	size_t used, bytes;
};

/* n elements of the given size, zeroed, aligned to 64 bytes; NULL when out of memory or where n * size overflows. */
void *pool_alloc(struct pool *p, size_t n, size_t size);
void pool_release(struct pool *p);

#endif
