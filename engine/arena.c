/*
 * arena.c - best fit over a sorted list of gaps.
 */
#include "engine/arena.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

static int round_up(size_t bytes, size_t *ret)
{
	if (!size_add(ret, bytes, ARENA_ALIGN - 1))
		return ERR_RANGE;
	*ret &= ~(size_t)(ARENA_ALIGN - 1);
	/* Nothing has no place of its own, but must not be anywhere beyond the block either. */
	if (*ret == 0)
		*ret = ARENA_ALIGN;
	return 0;
}

int arena_place(struct arena *a, size_t bytes, size_t limit, size_t *ret)
{
	size_t best = a->ngaps, end;
	int r = round_up(bytes, &bytes);

	if (r < 0)
		return r;
	for (size_t i = 0; i < a->ngaps; i++) {
		if (a->gaps[i].size >= bytes && (best == a->ngaps || a->gaps[i].size < a->gaps[best].size))
			best = i;
	}
	if (best == a->ngaps) {
		/* Grow the block, from its last gap if that reaches the end. */
		size_t start = a->size;
		if (a->ngaps > 0 && a->gaps[a->ngaps - 1].start + a->gaps[a->ngaps - 1].size == a->size)
			start = a->gaps[a->ngaps - 1].start;
		if (!size_add(&end, start, bytes) || end > limit)
			return ERR_RANGE;
		if (start < a->size)
			a->ngaps--;
		a->size = end;
		*ret = start;
		return 0;
	}
	struct arena_gap *gap = &a->gaps[best];
	*ret = gap->start;
	gap->start += bytes;
	gap->size -= bytes;
	if (gap->size == 0) {
		memmove(gap, gap + 1, (a->ngaps - best - 1) * sizeof(*gap));
		a->ngaps--;
	}
	return 0;
}

static int insert_gap(struct arena *a, size_t at, struct arena_gap gap)
{
	if (a->ngaps == a->cap) {
		size_t cap = a->cap * 2 + 16;
		struct arena_gap *gaps = realloc(a->gaps, cap * sizeof(*gaps));
		if (gaps == NULL)
			return ERR_NOMEM;
		a->gaps = gaps;
		a->cap = cap;
	}
	memmove(a->gaps + at + 1, a->gaps + at, (a->ngaps - at) * sizeof(*a->gaps));
	a->gaps[at] = gap;
	a->ngaps++;
	return 0;
}

int arena_give_back(struct arena *a, size_t start, size_t bytes)
{
	size_t at = 0;
	int r = round_up(bytes, &bytes);

	if (r < 0)
		return r;
	while (at < a->ngaps && a->gaps[at].start < start)
		at++;
	struct arena_gap *before = at > 0 ? &a->gaps[at - 1] : NULL;
	struct arena_gap *after = at < a->ngaps ? &a->gaps[at] : NULL;
	bool joins_before = before != NULL && before->start + before->size == start;
	bool joins_after = after != NULL && start + bytes == after->start;
	if (joins_before && joins_after) {
		before->size += bytes + after->size;
		memmove(after, after + 1, (a->ngaps - at - 1) * sizeof(*after));
		a->ngaps--;
	} else if (joins_before) {
		before->size += bytes;
	} else if (joins_after) {
		after->start = start;
		after->size += bytes;
	} else {
		return insert_gap(a, at, (struct arena_gap){start, bytes});
	}
	return 0;
}

void arena_release(struct arena *a)
{
	free(a->gaps);
	*a = (struct arena){0};
}
