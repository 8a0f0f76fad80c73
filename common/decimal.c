/*
 * decimal.c - unsigned decimal text, two digits a division.
 */
#include "common/decimal.h"

#include <string.h>

static const char PAIRS[200] = "00010203040506070809"
			       "10111213141516171819"
			       "20212223242526272829"
			       "30313233343536373839"
			       "40414243444546474849"
			       "50515253545556575859"
			       "60616263646566676869"
			       "70717273747576777879"
			       "80818283848586878889"
			       "90919293949596979899";

size_t decimal_write(char *dst, uint64_t value)
{
	char digits[DECIMAL_MAX];
	size_t at = DECIMAL_MAX, len;

	while (value >= 100) {
		at -= 2;
		memcpy(digits + at, PAIRS + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		at -= 2;
		memcpy(digits + at, PAIRS + value * 2, 2);
	} else {
		digits[--at] = (char)('0' + value);
	}
	len = DECIMAL_MAX - at;
	memcpy(dst, digits + at, len);
	return len;
}
