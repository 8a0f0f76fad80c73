/*
 * test_float_write.c - every float32 becomes the shortest text that reads back to its bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/float_write.h"
#include "common/rng.h"

#define RANDOM_VALUES 200000

static const char *text_of(char *text, float value)
{
	size_t len;

	memset(text, 'x', FLOAT_TEXT_MAX + 1);
	len = float_write(text, value);
	assert_in_range(len, 1, FLOAT_TEXT_MAX);
	assert_int_equal(text[len], 'x');
	text[len] = '\0';
	return text;
}

static void known_values_have_known_texts(void **state)
{
	static const struct {
		float value;
		const char *text;
	} known[] = {
		{0.0f, "0.0"},
		{-0.0f, "-0.0"},
		{1.0f, "1.0"},
		{-2.5f, "-2.5"},
		{0.1f, "0.1"},
		{0.3f, "0.3"},
		{100.0f, "100.0"},
		{16777216.0f, "16777216.0"},
		{33554432.0f, "33554432.0"},
		{1e9f, "1000000000.0"},
		{1e10f, "1.0e10"},
		{1.5e20f, "1.5e20"},
		{0.00001f, "0.00001"},
		{0.000001f, "1.0e-6"},
		{0.99940854f, "0.99940854"},
		{FLT_MAX, "3.4028235e38"},
		{FLT_MIN, "1.1754944e-38"},
		{FLT_TRUE_MIN, "1.0e-45"},
	};
	char text[FLOAT_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		assert_string_equal(text_of(text, known[i].value), known[i].text);
}

/* The digits of a text without sign, point, exponent and the zeros around them. */
static size_t significant_digits(const char *text)
{
	size_t n = 0, zeros = 0;

	for (; *text && *text != 'e'; text++) {
		if (*text < '0' || *text > '9' || (*text == '0' && n == 0))
			continue;
		n++;
		zeros = *text == '0' ? zeros + 1 : 0;
	}
	return n - zeros;
}

static void check(uint32_t bits)
{
	char text[FLOAT_TEXT_MAX + 1], shorter[32];
	float value, back;
	size_t digits;

	memcpy(&value, &bits, sizeof(value));
	if (!isfinite(value))
		return;
	text_of(text, value);
	back = strtof(text, NULL);
	if (memcmp(&back, &value, sizeof(value)) != 0)
		fail_msg("%a became \"%s\", which reads back as %a", (double)value, text, (double)back);
	digits = significant_digits(text);
	if (digits < 2)
		return;
	snprintf(shorter, sizeof(shorter), "%.*e", (int)digits - 2, (double)value);
	back = strtof(shorter, NULL);
	if (memcmp(&back, &value, sizeof(value)) == 0)
		fail_msg("%a became \"%s\", but %s would do", (double)value, text, shorter);
}

static void any_value_reads_back_and_none_is_shorter(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 20);
	for (unsigned i = 0; i < RANDOM_VALUES; i++)
		check((uint32_t)rng_next(&rng));
}

/* Powers of two have neighbours at unlike distances; denormals have fewer digits. */
static void powers_of_two_and_their_neighbours_read_back(void **state)
{
	(void)state;
	for (uint32_t exponent = 0; exponent < 255; exponent++) {
		check(exponent << 23);
		check((exponent << 23) + 1);
		check((exponent << 23) + 0x7fffff);
	}
	for (uint32_t bit = 1; bit < 1u << 23; bit <<= 1) {
		check(bit);
		check(bit - 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_values_have_known_texts),
		cmocka_unit_test(any_value_reads_back_and_none_is_shorter),
		cmocka_unit_test(powers_of_two_and_their_neighbours_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
