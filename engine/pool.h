/*
 * pool.h - memory that is given back all at once: the many small pieces of a plan.
 */
#ifndef ENGINE_POOL_H
#define ENGINE_POOL_H

#include <stddef.h>

#include "engine/tensor.h"

struct pool_block;

/* Zero-initialise, but for the allocator. bytes: what the pool took so far. */
struct pool {
	const struct allocator *allocator; /* NULL: libc */
	struct pool_block *blocks;
	size_t used, bytes;
};

/* n elements of the given size, zeroed, aligned to 64 bytes; NULL when out of memory or where n * size overflows. */
void *pool_alloc(struct pool *p, size_t n, size_t size);
void pool_release(struct pool *p); /* may be used again */

/* Memory aligned to 64 bytes, whatever the allocator gives. NULL when out of memory; else *ret_block is what it is to free. */
void *aligned_new(const struct allocator *a, size_t size, void **ret_block);
/* Bytes that aligned_new asks for beside those of its caller. */
#define ALIGNED_SLACK 63u

#endif
