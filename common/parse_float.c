/*
 * parse_float.c - decimal text to float32: eight digits a step, one multiplication, strtof for the rare rest.
 */
#include "common/parse_float.h"

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

#define DIGITS_MAX 19      /* that always fit 64 bits */
#define EXACT_POWER_MAX 22 /* 10^22 is the last power of ten that a double holds exactly */

/* A number as it was written: (-1)^negative × digits × 10^exponent. */
struct decimal {
	uint64_t digits;
	int64_t exponent;
	int ndigits; /* leading zeros not counted; above DIGITS_MAX `digits` has overflowed */
	bool negative;
};

static const double powers_of_ten[EXACT_POWER_MAX + 1] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/*
 * How many of eight bytes are '0'…'9' before the first that is not, the lowest byte coming first. A byte below '0' or
 * above '9' sets its bit 7 in one of the sums ('9' + 0x46 is the last without it); only bytes behind it see a carry.
 */
static unsigned count_digits(uint64_t bytes)
{
	uint64_t above = bytes + 0x4646464646464646u;
	uint64_t below = bytes - 0x3030303030303030u;
	uint64_t others = (above | below) & 0x8080808080808080u;

	return others ? (unsigned)__builtin_ctzll(others) / 8 : 8;
}

/* The first digit is the lowest byte. Neighbours are joined to 4 pairs, 2 quadruples, 1 number. */
static uint64_t eight_digits_value(uint64_t bytes)
{
	bytes -= 0x3030303030303030u;
	bytes = (bytes * 10 + (bytes >> 8)) & 0x00ff00ff00ff00ffu;
	bytes = (bytes * 100 + (bytes >> 16)) & 0x0000ffff0000ffffu;
	return (bytes * 10000 + (bytes >> 32)) & 0xffffffffu;
}

/* The same of the first n < 8 bytes, n > 0: they move up behind zeros. */
static uint64_t few_digits_value(uint64_t bytes, unsigned n)
{
	return eight_digits_value(bytes << (64 - 8 * n) | 0x3030303030303030u >> 8 * n);
}

/* All digits from p on; *value is joined by them. */
static const char *join_digits(uint64_t *value, const char *p, const char *end)
{
	static const uint32_t POWERS[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

	while (end - p >= 8) {
		uint64_t bytes;
		unsigned n;

		memcpy(&bytes, p, sizeof(bytes));
		bytes = le64toh(bytes);
		n = count_digits(bytes);
		if (n == 8) {
			*value = *value * 100000000u + eight_digits_value(bytes);
			p += 8;
			continue;
		}
		if (n > 0)
			*value = *value * POWERS[n] + few_digits_value(bytes, n);
		return p + n;
	}
	for (; is_digit(*p); p++)
		*value = *value * 10 + (uint64_t)(*p - '0');
	return p;
}

static const char *scan_digits(struct decimal *d, const char *p, const char *end)
{
	const char *first;

	if (d->digits == 0) {
		for (; *p == '0'; p++)
			;
	}
	first = p;
	p = join_digits(&d->digits, p, end);
	/* An overflowed product may be zero by chance, so the count decides, and it only grows. */
	if (p - first > DIGITS_MAX - d->ndigits)
		d->ndigits = DIGITS_MAX + 1;
	else
		d->ndigits += (int)(p - first);
	return p;
}

static const char *scan_exponent(struct decimal *d, const char *p)
{
	bool negative = false;
	int64_t value = 0;

	if (*p == '+' || *p == '-')
		negative = *p++ == '-';
	if (!is_digit(*p))
		return NULL;
	for (; is_digit(*p); p++) {
		if (value < 1000000)
			value = value * 10 + (*p - '0');
	}
	d->exponent += negative ? -value : value;
	return p;
}

static const char *scan_decimal(struct decimal *d, const char *p, const char *end)
{
	const char *first, *last;

	*d = (struct decimal){0};
	if (*p == '+' || *p == '-')
		d->negative = *p++ == '-';
	first = p;
	last = p = scan_digits(d, p, end);
	if (*p == '.') {
		last = scan_digits(d, p + 1, end);
		d->exponent = -(last - (p + 1));
		if (last == p + 1 && p == first)
			return NULL;
	} else if (p == first) {
		return NULL;
	}
	if (*last == 'e' || *last == 'E')
		return scan_exponent(d, last + 1);
	return last;
}

/*
 * digits × 10^exponent in double has at most two roundings, the digits' and the product's: it is less than 2.1 units
 * in the last place (of the double) off. Rounding it to float32 gives the right answer unless the exact value may lie
 * on the other side of the midpoint of two neighbouring floats, that is unless the double is within 4 units of one;
 * midpoints are the doubles whose 29 low bits are 1 followed by zeros. Those few (1 in 2^26), denormals and long or
 * large numbers are left to strtof.
 */
static bool round_fast(float *ret, const struct decimal *d)
{
	uint64_t bits, low;
	double x;

	if (d->ndigits > DIGITS_MAX || d->exponent < -EXACT_POWER_MAX || d->exponent > EXACT_POWER_MAX)
		return false;
	x = (double)d->digits;
	if (d->exponent < 0)
		x /= powers_of_ten[-d->exponent];
	else
		x *= powers_of_ten[d->exponent];
	if (x != 0.0 && !(x >= 0x1p-126 && x < 0x1p127))
		return false;
	memcpy(&bits, &x, sizeof(bits));
	low = bits & ((UINT64_C(1) << 29) - 1);
	if (low - ((UINT64_C(1) << 28) - 4) <= 8)
		return false;
	*ret = (float)(d->negative ? -x : x);
	return true;
}

const char *parse_float(float *ret, const char *text, const char *end)
{
	struct decimal d;
	const char *p = scan_decimal(&d, text, end);

	if (p && !round_fast(ret, &d))
		*ret = strtof(text, NULL);
	return p;
}
