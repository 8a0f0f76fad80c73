/*
 * pool.c - blocks of 4 KiB, larger pieces in blocks of their own.
 */
#include "engine/pool.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

#define ALIGNMENT 64u
#define BLOCK_SIZE 4096u

struct pool_block {
	struct pool_block *next;
	size_t size; /* of data */
	_Alignas(ALIGNMENT) unsigned char data[];
};

static struct pool_block *block_new(size_t size)
{
	size_t total;

	if (!size_add(&total, size, sizeof(struct pool_block)))
		return NULL;
	struct pool_block *b = aligned_alloc(ALIGNMENT, total);
	if (b != NULL)
		b->size = size;
	return b;
}

void *pool_alloc(struct pool *p, size_t n, size_t size)
{
	size_t wanted;

	if (!size_mul(&wanted, n, size) || !size_add(&wanted, wanted, ALIGNMENT - 1))
		return NULL;
	wanted &= ~(size_t)(ALIGNMENT - 1);
	if (p->blocks == NULL || p->blocks->size - p->used < wanted) {
		struct pool_block *b = block_new(wanted > BLOCK_SIZE ? wanted : BLOCK_SIZE);
		if (b == NULL)
			return NULL;
		b->next = p->blocks;
		p->blocks = b;
		p->used = 0;
		p->bytes += b->size;
	}
	void *piece = p->blocks->data + p->used;
	p->used += wanted;
	return memset(piece, 0, wanted);
}

void pool_release(struct pool *p)
{
	while (p->blocks != NULL) {
		struct pool_block *b = p->blocks;
		p->blocks = b->next;
		free(b);
	}
	*p = (struct pool){0};
}
