/*
 * pool.c - blocks of 4 KiB, larger pieces in blocks of their own.
 */
#include "engine/pool.h"

#include <stdint.h>
#include <string.h>

#include "common/arith.h"

#define ALIGNMENT 64u
#define BLOCK_SIZE 4096u

struct pool_block {
	struct pool_block *next;
	void *memory; /* what is freed: the block is somewhere in it */
	size_t size;  /* of data */
	_Alignas(ALIGNMENT) unsigned char data[];
};

void *aligned_new(const struct allocator *a, size_t size, void **ret_block)
{
	size_t total;
	unsigned char *block;

	if (!size_add(&total, size, ALIGNED_SLACK))
		return NULL;
	block = a->alloc(total);
	if (block == NULL)
		return NULL;
	*ret_block = block;
	return block + (-(uintptr_t)block & (ALIGNMENT - 1));
}

static const struct allocator *allocator_of(const struct pool *p)
{
	return p->allocator != NULL ? p->allocator : &allocator_libc;
}

static struct pool_block *block_new(struct pool *p, size_t size)
{
	struct pool_block *b;
	void *memory;
	size_t total;

	if (!size_add(&total, size, sizeof(struct pool_block)))
		return NULL;
	b = aligned_new(allocator_of(p), total, &memory);
	if (b == NULL)
		return NULL;
	b->memory = memory;
	b->size = size;
	p->bytes += allocator_size(allocator_of(p), memory, total + ALIGNED_SLACK);
	return b;
}

void *pool_alloc(struct pool *p, size_t n, size_t size)
{
	size_t wanted;

	if (!size_mul(&wanted, n, size) || !size_add(&wanted, wanted, ALIGNMENT - 1))
		return NULL;
	wanted &= ~(size_t)(ALIGNMENT - 1);
	if (p->blocks == NULL || p->blocks->size - p->used < wanted) {
		struct pool_block *b = block_new(p, wanted > BLOCK_SIZE ? wanted : BLOCK_SIZE);
		if (b == NULL)
			return NULL;
		b->next = p->blocks;
		p->blocks = b;
		p->used = 0;
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
		allocator_of(p)->free(b->memory);
	}
	*p = (struct pool){.allocator = p->allocator};
}
