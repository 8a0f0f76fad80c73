/*
 * arena.c and pool.c: where a plan's memory comes from.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/rng.h"
#include "engine/arena.h"
#include "engine/pool.h"

#define PIECES 40

struct piece {
	size_t start, bytes;
	bool live;
};

static void live_pieces_never_overlap(void **state)
{
	struct arena a = {0};
	struct piece pieces[PIECES] = {{0}};
	struct rng rng;
	size_t most = 0, live = 0;

	(void)state;
	rng_init(&rng, 1);
	for (int round = 0; round < 4000; round++) {
		struct piece *p = &pieces[rng_below(&rng, PIECES)];
		if (p->live) {
			assert_int_equal(arena_give_back(&a, p->start, p->bytes), 0);
			live -= p->bytes;
			p->live = false;
			continue;
		}
		p->bytes = rng_below(&rng, 1000);
		assert_int_equal(arena_place(&a, p->bytes, SIZE_MAX, &p->start), 0);
		p->live = true;
		live += p->bytes;
		most = live > most ? live : most;
		assert_int_equal(p->start % ARENA_ALIGN, 0);
		assert_true(p->start + p->bytes <= a.size);
		for (size_t i = 0; i < PIECES; i++) {
			const struct piece *o = &pieces[i];
			if (o != p && o->live)
				assert_true(o->start + o->bytes <= p->start || p->start + p->bytes <= o->start);
		}
	}
	/* Reuse: far less than all that was ever placed, little more than what lived at once. */
	assert_true(a.size < 2 * most + PIECES * ARENA_ALIGN);
	for (size_t i = 0; i < PIECES; i++) {
		if (pieces[i].live)
			assert_int_equal(arena_give_back(&a, pieces[i].start, pieces[i].bytes), 0);
	}
	/* All gaps have joined to one. */
	assert_int_equal(a.ngaps, 1);
	assert_int_equal(a.gaps[0].size, a.size);
	arena_release(&a);
}

static void a_piece_over_the_limit_is_refused(void **state)
{
	struct arena a = {0};
	size_t at = 77;

	(void)state;
	assert_int_equal(arena_place(&a, 1000, 1024, &at), 0);
	assert_int_equal(at, 0);
	at = 77;
	assert_int_equal(arena_place(&a, 1, 1024, &at), ERR_RANGE);
	assert_int_equal(arena_place(&a, SIZE_MAX - 3, SIZE_MAX, &at), ERR_RANGE);
	assert_int_equal(at, 77);
	arena_release(&a);
}

static void pool_pieces_are_aligned_zeroed_and_apart(void **state)
{
	struct pool p = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 2);
	for (int round = 0; round < 300; round++) {
		size_t n = rng_below(&rng, round % 10 == 0 ? 20000 : 300);
		unsigned char *piece = pool_alloc(&p, n, 1);
		assert_non_null(piece);
		assert_int_equal((uintptr_t)piece % 64, 0);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(piece[i], 0);
		memset(piece, 0xff, n);
	}
	assert_null(pool_alloc(&p, SIZE_MAX / 2, 4));
	assert_null(pool_alloc(&p, SIZE_MAX - 8, 1));
	pool_release(&p);
	pool_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(live_pieces_never_overlap),
		cmocka_unit_test(a_piece_over_the_limit_is_refused),
		cmocka_unit_test(pool_pieces_are_aligned_zeroed_and_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
