/*
 * test_vision_numbers.c - the Mersenne Twister draws NumPy's numbers. All of them were computed once with NumPy 1.24:
 * RandomState(seed).randint(0, 1 << 32, n, dtype=numpy.uint32) and numpy.random.randint(0, n).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/arith.h"
#include "datagen/mt19937.h"

static void raw_numbers_are_those_of_numpy(void **state)
{
	static const struct {
		uint32_t seed, first[4], number_2000;
	} known[] = {
		{12345, {0xedfb51e2, 0xe3e12de5, 0x50fdfd1d, 0x21760881}, 0xc92390a3},
		{0, {0x8c7f0aac, 0x97c4aa2f, 0xb716a675, 0xd821ccc0}, 0xe5e070b5},
		{4294967295, {0x18fe69a3, 0x1c924122, 0xe991ec0c, 0x900cac47}, 0x690a246d},
		{5489, {0xd091bb5c, 0x22ae9ef6, 0xe7e1faee, 0xd5c31f79}, 0xeb6335d3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct mt19937 m;
		uint32_t last = 0;

		mt19937_init(&m, known[i].seed);
		for (int k = 0; k < 2000; k++) {
			last = mt19937_next(&m);
			if (k < 4)
				assert_int_equal(last, known[i].first[k]);
		}
		assert_int_equal(last, known[i].number_2000);
	}
}

static void bounded_numbers_are_those_of_randint(void **state)
{
	static const uint32_t below[] = {32, 117, 85, 32, 160, 32, 1, 300, 33, 65, 128, 129};
	static const uint32_t expected[] = {2, 101, 29, 1, 126, 5, 0, 34, 29, 1, 118, 113};
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct mt19937 m;

	(void)state;
	mt19937_init(&m, 12345);
	for (size_t i = 0; i < ARRAY_LEN(below); i++)
		assert_int_equal(mt19937_below(&m, below[i]), expected[i]);
	/* A hundred thousand of them, of every range that a photo can have: FNV-1a over their two bytes. */
	mt19937_init(&m, 12345);
	for (uint32_t i = 0; i < 100000; i++) {
		uint32_t v = mt19937_below(&m, 32 + i % 1000);

		hash = (hash ^ (v & 0xff)) * UINT64_C(0x100000001b3);
		hash = (hash ^ v >> 8) * UINT64_C(0x100000001b3);
	}
	assert_int_equal(hash, UINT64_C(0xc5a7e1af77f3a434));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_numbers_are_those_of_numpy),
		cmocka_unit_test(bounded_numbers_are_those_of_randint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
