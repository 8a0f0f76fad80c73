/*
 * Random numbers: the published generators, bit for bit, and distributions that look like themselves. The vectors
 * come from an independent implementation of both generators.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/rng.h"

static void seed_goes_through_splitmix64(void **state)
{
	static const uint64_t WANT[4] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
					 UINT64_C(9817491932198370423), UINT64_C(4593380528125082431)};
	struct rng r;

	(void)state;
	rng_init(&r, 1234567);
	assert_memory_equal(r.s, WANT, sizeof(WANT));
}

static void numbers_are_those_of_xoshiro256_star_star(void **state)
{
	static const uint64_t WANT[] = {11520,
					0,
					1509978240,
					UINT64_C(1215971899390074240),
					UINT64_C(1216172134540287360),
					UINT64_C(607988272756665600),
					UINT64_C(16172922978634559625),
					UINT64_C(8476171486693032832),
					UINT64_C(10595114339597558777),
					UINT64_C(2904607092377533576)};
	struct rng r = {{1, 2, 3, 4}};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(WANT); i++)
		assert_true(rng_next(&r) == WANT[i]);
}

static void seeded_streams_are_known(void **state)
{
	static const struct {
		uint64_t seed, numbers[4];
	} CASES[] = {
		{0,
		 {UINT64_C(0x99ec5f36cb75f2b4), UINT64_C(0xbf6e1f784956452a), UINT64_C(0x1a5f849d4933e6e0),
		  UINT64_C(0x6aa594f1262d2d2c)}},
		{12345,
		 {UINT64_C(0xbe6a36374160d49b), UINT64_C(0x214aaa0637a688c6), UINT64_C(0xf69d16de9954d388),
		  UINT64_C(0x0c60048c4e96e033)}},
		{UINT64_MAX,
		 {UINT64_C(0x8f5520d52a7ead08), UINT64_C(0xc476a018caa1802d), UINT64_C(0x81de31c0d260469e),
		  UINT64_C(0xbf658d7e065f3c2f)}},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct rng r;

		rng_init(&r, CASES[i].seed);
		for (size_t j = 0; j < 4; j++)
			assert_true(rng_next(&r) == CASES[i].numbers[j]);
	}
}

/* A stream for an element must not be its neighbour's, shifted, nor that of a neighbouring seed. */
static void streams_of_neighbours_share_no_number(void **state)
{
	enum { STREAMS = 64, NUMBERS = 16 };
	static uint64_t seen[STREAMS * NUMBERS];
	size_t n = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 8; seed++) {
		for (uint64_t index = 0; index < STREAMS / 8; index++) {
			struct rng r;

			rng_init_at(&r, seed, index);
			for (size_t i = 0; i < NUMBERS; i++)
				seen[n++] = rng_next(&r);
		}
	}
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < i; j++)
			assert_true(seen[i] != seen[j]);
	}
}

static void same_seed_and_index_give_the_same_stream(void **state)
{
	struct rng a, b;

	(void)state;
	rng_init_at(&a, 7, 4711);
	rng_init_at(&b, 7, 4711);
	for (int i = 0; i < 100; i++)
		assert_true(rng_next(&a) == rng_next(&b));
}

static void below_is_uniform_and_below(void **state)
{
	enum { FACES = 7, EACH = 10000, THROWS = FACES * EACH };
	unsigned counts[FACES] = {0};
	double chi = 0;
	struct rng r;

	(void)state;
	rng_init(&r, 1);
	for (int i = 0; i < THROWS; i++) {
		uint64_t face = rng_below(&r, FACES);

		assert_true(face < FACES);
		counts[face]++;
	}
	for (int i = 0; i < FACES; i++)
		chi += pow((double)counts[i] - EACH, 2) / EACH;
	assert_true(chi < 22.5); /* six degrees of freedom: once in a thousand seeds */
	for (int i = 0; i < 100; i++)
		assert_true(rng_below(&r, 1) == 0);
	/* Of a range just over half of 2^64, careless reduction gives the lower part twice as often. */
	unsigned low = 0;
	const uint64_t n = (UINT64_C(1) << 63) + (UINT64_C(1) << 62);

	for (int i = 0; i < 30000; i++)
		low += rng_below(&r, n) < n / 3;
	assert_true(low > 9600 && low < 10400);
}

static void fractions_stay_under_one(void **state)
{
	double sum = 0, square = 0;
	struct rng r;

	(void)state;
	rng_init(&r, 2);
	for (int i = 0; i < 100000; i++) {
		double d = rng_double(&r);
		float f = rng_float(&r);

		assert_true(d >= 0 && d < 1);
		assert_true(f >= 0 && f < 1);
		sum += d;
		square += (double)f * (double)f;
	}
	assert_true(fabs(sum / 100000 - 0.5) < 0.005);
	assert_true(fabs(square / 100000 - 1.0 / 3) < 0.005);
}

static void normal_is_normal(void **state)
{
	enum { N = 100000 };
	double sum = 0, square = 0, fourth = 0;
	struct rng r;

	(void)state;
	rng_init(&r, 3);
	for (int i = 0; i < N; i++) {
		double x = rng_normal(&r);

		assert_true(isfinite(x));
		sum += x;
		square += x * x;
		fourth += x * x * x * x;
	}
	assert_true(fabs(sum / N) < 0.015);
	assert_true(fabs(square / N - 1) < 0.02);
	assert_true(fabs(fourth / N - 3) < 0.15);
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's distance, mean, variance and tail. */
static void exponential_is_exponential(void **state)
{
	enum { N = 1000000 };
	double *x = malloc(N * sizeof(*x)), distance = 0, sum = 0, squares = 0;
	unsigned large = 0;
	struct rng r;

	(void)state;
	assert_non_null(x);
	rng_init(&r, 4);
	for (int i = 0; i < N; i++) {
		x[i] = rng_exponential(&r);
		assert_true(x[i] >= 0);
		sum += x[i];
		squares += (x[i] - 1) * (x[i] - 1);
		large += x[i] > 7;
	}
	assert_true(fabs(sum / N - 1) < 4 / sqrt(N));
	assert_true(fabs(squares / N - 1) < 4 * sqrt(8.0 / N));
	/* exp(-7) of them */
	assert_true(fabs(large - N * exp(-7)) < 4 * sqrt(N * exp(-7)));
	qsort(x, N, sizeof(*x), ascending);
	for (int i = 0; i < N; i++)
		distance = fmax(distance, fabs(-expm1(-x[i]) - (i + 0.5) / N));
	/* 1.95/sqrt(N) is passed once in a thousand times */
	assert_true(distance < 1.95 / sqrt(N));
	free(x);
}

static uint64_t hash_of(struct rng *r, double (*draw)(struct rng *r), int n)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (int i = 0; i < n; i++) {
		double x = draw(r);
		unsigned char bytes[sizeof(x)];

		memcpy(bytes, &x, sizeof(x));
		for (size_t j = 0; j < sizeof(x); j++)
			hash = (hash ^ bytes[j]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

/* Every compiler and every CPU gives these bits. */
static void normal_and_exponential_numbers_have_known_bits(void **state)
{
	struct rng r;
	uint64_t hash;

	(void)state;
	rng_init(&r, 12345);
	hash = hash_of(&r, rng_normal, 10000);
	if (hash != UINT64_C(0xf25ea78aa605d090))
		fail_msg("normal: 0x%jx", (uintmax_t)hash);
	rng_init(&r, 12345);
	hash = hash_of(&r, rng_exponential, 10000);
	if (hash != UINT64_C(0x7fdf5b5c0abdc732))
		fail_msg("exponential: 0x%jx", (uintmax_t)hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seed_goes_through_splitmix64),
		cmocka_unit_test(numbers_are_those_of_xoshiro256_star_star),
		cmocka_unit_test(seeded_streams_are_known),
		cmocka_unit_test(streams_of_neighbours_share_no_number),
		cmocka_unit_test(same_seed_and_index_give_the_same_stream),
		cmocka_unit_test(below_is_uniform_and_below),
		cmocka_unit_test(fractions_stay_under_one),
		cmocka_unit_test(normal_is_normal),
		cmocka_unit_test(exponential_is_exponential),
		cmocka_unit_test(normal_and_exponential_numbers_have_known_bits),
	};

	return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
