/*
 * float_write.c - the shortest decimal text of a float32, in integer arithmetic.
 *
 * The numbers that read back as the value are those between the midpoints to its neighbours. Scaled by the power of
 * ten that leaves between one and ten integers in that interval, the answer is one of two integers, or a multiple of
 * ten where one is inside.
 */
#include "common/float_write.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/decimal.h"

#define FRACTION_BITS 23
#define EXPONENT_BIAS 150 /* of the fraction read as an integer */
#define POWER_MIN (-31)
#define POWER_MAX 45
/* The decimal point is written out for 0.0000d… to dddddddddd.0, else there is an exponent. */
#define PLAIN_MIN (-4)
#define PLAIN_MAX 10

__extension__ typedef unsigned __int128 uint128;

/* 10^(POWER_MIN + i), rounded up to 64 significant bits. */
static const uint64_t POWERS[POWER_MAX - POWER_MIN + 1] = {
	0x81ceb32c4b43fcf5, 0xa2425ff75e14fc32, 0xcad2f7f5359a3b3f, 0xfd87b5f28300ca0e, 0x9e74d1b791e07e49,
	0xc612062576589ddb, 0xf79687aed3eec552, 0x9abe14cd44753b53, 0xc16d9a0095928a28, 0xf1c90080baf72cb2,
	0x971da05074da7bef, 0xbce5086492111aeb, 0xec1e4a7db69561a6, 0x9392ee8e921d5d08, 0xb877aa3236a4b44a,
	0xe69594bec44de15c, 0x901d7cf73ab0acda, 0xb424dc35095cd810, 0xe12e13424bb40e14, 0x8cbccc096f5088cc,
	0xafebff0bcb24aaff, 0xdbe6fecebdedd5bf, 0x89705f4136b4a598, 0xabcc77118461cefd, 0xd6bf94d5e57a42bd,
	0x8637bd05af6c69b6, 0xa7c5ac471b478424, 0xd1b71758e219652c, 0x83126e978d4fdf3c, 0xa3d70a3d70a3d70b,
	0xcccccccccccccccd, 0x8000000000000000, 0xa000000000000000, 0xc800000000000000, 0xfa00000000000000,
	0x9c40000000000000, 0xc350000000000000, 0xf424000000000000, 0x9896800000000000, 0xbebc200000000000,
	0xee6b280000000000, 0x9502f90000000000, 0xba43b74000000000, 0xe8d4a51000000000, 0x9184e72a00000000,
	0xb5e620f480000000, 0xe35fa931a0000000, 0x8e1bc9bf04000000, 0xb1a2bc2ec5000000, 0xde0b6b3a76400000,
	0x8ac7230489e80000, 0xad78ebc5ac620000, 0xd8d726b7177a8000, 0x878678326eac9000, 0xa968163f0a57b400,
	0xd3c21bcecceda100, 0x84595161401484a0, 0xa56fa5b99019a5c8, 0xcecb8f27f4200f3a, 0x813f3978f8940985,
	0xa18f07d736b90be6, 0xc9f2c9cd04674edf, 0xfc6f7c4045812297, 0x9dc5ada82b70b59e, 0xc5371912364ce306,
	0xf684df56c3e01bc7, 0x9a130b963a6c115d, 0xc097ce7bc90715b4, 0xf0bdc21abb48db21, 0x96769950b50d88f5,
	0xbc143fa4e250eb32, 0xeb194f8e1ae525fe, 0x92efd1b8d0cf37bf, 0xb7abc627050305ae, 0xe596b7b0c643c71a,
	0x8f7e32ce7bea5c70, 0xb35dbf821ae4f38c,
};

/* digits × 10^exponent */
struct decimal {
	uint32_t digits;
	int exponent;
};

/* floor(log2(10^e)) for |e| ≤ 1233 */
static int log2_of_power(int e)
{
	return (e * 1741647) >> 19;
}

/* The product of power and x without its 64 lowest bits and the next 32, whose loss is kept in the last bit. */
static uint32_t scale(uint64_t power, uint32_t x)
{
	uint128 product = (uint128)power * x;
	uint32_t dropped = (uint32_t)(product >> 32);

	return (uint32_t)(product >> 64) | (dropped > 1);
}

/* The shortest decimal of fraction × 2^exponent; `uneven`: the neighbour below is at half the distance of the one above. */
static struct decimal shortest(uint32_t fraction, int exponent, bool uneven)
{
	bool odd = fraction & 1;
	int k = (exponent * 1262611 - (uneven ? 524031 : 0)) >> 22; /* floor(log10(2^exponent [× 3/4])) */
	int shift = exponent + log2_of_power(-k) + 1;
	uint64_t power = POWERS[-k - POWER_MIN];
	uint32_t value = scale(power, 4 * fraction << shift);
	uint32_t low = scale(power, (4 * fraction - (uneven ? 1 : 2)) << shift) + odd;
	uint32_t high = scale(power, (4 * fraction + 2) << shift) - odd;
	uint32_t down = value / 4;
	bool down_fits, up_fits;

	if (down >= 10) {
		uint32_t tens = down / 10;

		down_fits = low <= 40 * tens;
		up_fits = 40 * tens + 40 <= high;
		if (down_fits != up_fits)
			return (struct decimal){tens + up_fits, k + 1};
	}
	down_fits = low <= 4 * down;
	up_fits = 4 * down + 4 <= high;
	if (down_fits == up_fits)
		up_fits = value > 4 * down + 2 || (value == 4 * down + 2 && (down & 1));
	return (struct decimal){down + up_fits, k};
}

static struct decimal to_decimal(uint32_t bits)
{
	uint32_t fraction = bits & ((1u << FRACTION_BITS) - 1);
	int exponent = (int)(bits >> FRACTION_BITS & 0xff);

	if (exponent == 0)
		return shortest(fraction, 1 - EXPONENT_BIAS, false);
	return shortest(fraction | 1u << FRACTION_BITS, exponent - EXPONENT_BIAS, fraction == 0 && exponent > 1);
}

static char *put_zeros(char *p, int n)
{
	memset(p, '0', (size_t)n);
	return p + n;
}

static char *put_exponent(char *p, int exponent)
{
	*p++ = 'e';
	if (exponent < 0)
		*p++ = '-';
	return p + decimal_write(p, (uint64_t)(exponent < 0 ? -exponent : exponent));
}

/* point: how many of the digits stand before the decimal point, negative for zeros behind it. */
static char *put_number(char *p, const char *digits, int n, int point)
{
	bool plain = point >= PLAIN_MIN && point <= PLAIN_MAX;
	int before = plain ? point : 1;

	if (before <= 0) {
		*p++ = '0';
		*p++ = '.';
		p = put_zeros(p, -before);
		memcpy(p, digits, (size_t)n);
		return p + n;
	}
	if (before >= n) {
		memcpy(p, digits, (size_t)n);
		p = put_zeros(p + n, before - n);
		*p++ = '.';
		*p++ = '0';
	} else {
		memcpy(p, digits, (size_t)before);
		p += before;
		*p++ = '.';
		memcpy(p, digits + before, (size_t)(n - before));
		p += n - before;
	}
	return plain ? p : put_exponent(p, point - 1);
}

size_t float_write(char *dst, float value)
{
	char digits[DECIMAL_MAX];
	char *p = dst;
	struct decimal d;
	uint32_t bits;
	int n;

	memcpy(&bits, &value, sizeof(bits));
	if (bits >> 31)
		*p++ = '-';
	bits &= 0x7fffffffu;
	if (bits == 0) {
		memcpy(p, "0.0", 3);
		return (size_t)(p + 3 - dst);
	}
	d = to_decimal(bits);
	n = (int)decimal_write(digits, d.digits);
	d.exponent += n;
	while (digits[n - 1] == '0')
		n--;
	return (size_t)(put_number(p, digits, n, d.exponent) - dst);
}
