/*
 * duration.c - durations as Go's time package reads and prints them.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "common/clock.h"
#include "common/options.h"
#include "common/text.h"

#define LARGEST ((uint64_t)1 << 63) /* the magnitude of the smallest duration */

static const struct unit {
	const char *name;
	uint64_t nsec;
} UNITS[] = {
	{"ns", 1},
	{"us", 1000},
	{"\xc2\xb5s", 1000}, /* U+00B5, micro sign */
	{"\xce\xbcs", 1000}, /* U+03BC, Greek letter mu */
	{"ms", 1000000},
	{"s", 1000000000},
	{"m", UINT64_C(60) * 1000000000},
	{"h", UINT64_C(3600) * 1000000000},
};

/* Reads the unit at *text, which goes on to the next digit or point. 0: there is none, or it is unknown. */
static uint64_t take_unit(const char **text)
{
	const char *end = *text;
	size_t len;

	while (*end && *end != '.' && !is_digit(*end))
		end++;
	len = (size_t)(end - *text);
	for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
		if (strlen(UNITS[i].name) == len && !memcmp(UNITS[i].name, *text, len)) {
			*text = end;
			return UNITS[i].nsec;
		}
	}
	return 0;
}

/* Digits of a fraction beyond what fits are read and dropped, as Go does. */
static const char *take_fraction(const char *p, uint64_t *ret, double *ret_scale)
{
	uint64_t value = 0;
	double scale = 1;
	bool full = false;

	for (; is_digit(*p); p++) {
		if (full || value > (LARGEST - 1) / 10) {
			full = true;
			continue;
		}
		value = value * 10 + (uint64_t)(*p - '0');
		scale *= 10;
	}
	*ret = value;
	*ret_scale = scale;
	return p;
}

/* One number with its unit, in nanoseconds. */
static int take_part(const char **text, uint64_t *ret)
{
	const char *p = *text, *start;
	uint64_t whole = 0, fraction = 0, unit;
	double scale = 1;
	bool digits;

	for (start = p; is_digit(*p); p++) {
		if (whole > LARGEST / 10)
			return ERR_RANGE;
		whole = whole * 10 + (uint64_t)(*p - '0');
		if (whole > LARGEST)
			return ERR_RANGE;
	}
	digits = p > start;
	if (*p == '.') {
		start = ++p;
		p = take_fraction(p, &fraction, &scale);
		digits = digits || p > start;
	}
	if (!digits)
		return ERR_INVALID;
	unit = take_unit(&p);
	if (!unit)
		return ERR_INVALID;
	if (whole > LARGEST / unit)
		return ERR_RANGE;
	whole *= unit;
	if (fraction > 0) {
		whole += (uint64_t)((double)fraction * ((double)unit / scale));
		if (whole > LARGEST)
			return ERR_RANGE;
	}
	*ret = whole;
	*text = p;
	return 0;
}

int duration_parse(int64_t *ret_nsec, const char *text)
{
	bool negative = *text == '-';
	uint64_t sum = 0, part;

	if (*text == '-' || *text == '+')
		text++;
	if (!strcmp(text, "0")) {
		*ret_nsec = 0;
		return 0;
	}
	if (!*text)
		return ERR_INVALID;
	while (*text) {
		int r = take_part(&text, &part);

		if (r < 0)
			return r;
		sum += part; /* both at most 2^63: only the sum of two such wraps, to 0 */
		if (sum > LARGEST || sum < part)
			return ERR_RANGE;
	}
	if (sum == LARGEST && !negative)
		return ERR_RANGE;
	*ret_nsec = negative ? (int64_t)(0 - sum) : (int64_t)sum;
	return 0;
}

/* value / unit with as many decimals as are not zero. */
static int print_decimal(char *buf, size_t size, const char *sign, uint64_t value, uint64_t unit, const char *name)
{
	uint64_t fraction = value % unit;
	int digits = 0;

	for (uint64_t u = unit; u > 1; u /= 10)
		digits++;
	while (fraction && fraction % 10 == 0) {
		fraction /= 10;
		digits--;
	}
	if (!fraction)
		return snprintf(buf, size, "%s%ju%s", sign, (uintmax_t)(value / unit), name);
	return snprintf(buf, size, "%s%ju.%0*ju%s", sign, (uintmax_t)(value / unit), digits, (uintmax_t)fraction, name);
}

const char *duration_format(char *buf, size_t size, int64_t nsec)
{
	const char *sign = nsec < 0 ? "-" : "";
	uint64_t v = nsec < 0 ? 0 - (uint64_t)nsec : (uint64_t)nsec, minutes;
	char seconds[32];

	if (v == 0) {
		snprintf(buf, size, "0s");
	} else if (v < 1000) {
		snprintf(buf, size, "%s%juns", sign, (uintmax_t)v);
	} else if (v < 1000000) {
		print_decimal(buf, size, sign, v, 1000, "\xc2\xb5s");
	} else if (v < 1000000000) {
		print_decimal(buf, size, sign, v, 1000000, "ms");
	} else {
		minutes = v / (UINT64_C(60) * 1000000000);
		print_decimal(seconds, sizeof(seconds), "", v % (UINT64_C(60) * 1000000000), 1000000000, "s");
		if (minutes >= 60)
			snprintf(buf, size, "%s%juh%jum%s", sign, (uintmax_t)(minutes / 60), (uintmax_t)(minutes % 60),
				 seconds);
		else if (minutes)
			snprintf(buf, size, "%s%jum%s", sign, (uintmax_t)minutes, seconds);
		else
			snprintf(buf, size, "%s%s", sign, seconds);
	}
	return buf;
}
