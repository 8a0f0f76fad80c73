/*
 * arena.h - lays buffers with overlapping lifetimes out in one block, reusing what is free again.
 */
#ifndef ENGINE_ARENA_H
#define ENGINE_ARENA_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define ARENA_ALIGN 64u

struct arena_gap {
	size_t start, size;
};

/* Zero-initialise. size: of the block that holds everything placed so far. */
struct arena {
	struct arena_gap *gaps; /* by start; none touches another */
	size_t ngaps, cap;
	size_t size;
};

/* The offset of `bytes`, in the smallest gap that holds them. ERR_RANGE: over limit; ERR_NOMEM. */
int arena_place(struct arena *a, size_t bytes, size_t limit, size_t *ret) MUST_CHECK;
/* Gives back what arena_place gave. */
int arena_give_back(struct arena *a, size_t start, size_t bytes) MUST_CHECK;
void arena_release(struct arena *a);

#endif
