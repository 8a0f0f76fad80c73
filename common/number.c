/*
 * number.c - numbers as Go reads them.
 */
#include "common/number.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/buf.h"

#define NOT_A_DIGIT 255u

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c = lower(c);
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : NOT_A_DIGIT;
}

/* The base that a prefix names and where the digits begin; a prefix counts as a digit for an underscore behind it. */
static const char *take_prefix(const char *p, unsigned *ret_base)
{
	*ret_base = 10;
	if (p[0] != '0' || !p[1])
		return p;
	*ret_base = 8;
	if (!p[2])
		return p + 1;
	switch (lower(p[1])) {
	case 'x':
		*ret_base = 16;
		return p + 2;
	case 'o':
		return p + 2;
	case 'b':
		*ret_base = 2;
		return p + 2;
	default:
		return p + 1;
	}
}

/* An unsigned number without a sign, to the end of the text. */
static int parse_magnitude(uint64_t *ret, const char *text)
{
	unsigned base;
	const char *p = take_prefix(text, &base);
	bool after_digit = p > text, any = after_digit && base == 8 && lower(text[1]) != 'o', overflow = false;
	uint64_t value = 0;

	for (; *p; p++) {
		unsigned d = digit_value(*p);

		if (*p == '_' && after_digit) {
			after_digit = false;
			continue;
		}
		if (d >= base)
			return ERR_INVALID;
		after_digit = any = true;
		if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, d, &value))
			overflow = true;
	}
	if (!any || !after_digit)
		return ERR_INVALID;
	if (overflow)
		return ERR_RANGE;
	*ret = value;
	return 0;
}

int number_parse_uint(uint64_t *ret, const char *text)
{
	return parse_magnitude(ret, text);
}

int number_parse_int(int64_t *ret, const char *text)
{
	bool negative = *text == '-';
	uint64_t magnitude;
	int r;

	if (*text == '-' || *text == '+')
		text++;
	r = parse_magnitude(&magnitude, text);
	if (r < 0)
		return r;
	if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
		return ERR_RANGE;
	*ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return 0;
}

/*
 * strtod knows the numbers; this holds it to Go's grammar, which has no white space, "inf" or "nan", wants a binary
 * exponent with hexadecimal digits and knows underscores, which are left out of the copy in plain.
 */
static int check_double(char *plain, size_t size, const char *text)
{
	const char *p = text + (*text == '-' || *text == '+');
	bool hex = p[0] == '0' && lower(p[1]) == 'x', exponent = false, digits = false, point = false;
	bool after_digit = hex;
	size_t n = 0;

	if (strlen(text) >= size)
		return ERR_INVALID;
	for (const char *s = text; s < p + (hex ? 2 : 0); s++)
		plain[n++] = *s;
	for (p += hex ? 2 : 0; *p; p++) {
		char c = lower(*p);

		if (c == '_') {
			if (!after_digit || (digit_value(p[1]) >= 10 && !(hex && !exponent && digit_value(p[1]) < 16)))
				return ERR_INVALID;
			after_digit = false;
			continue;
		}
		after_digit = false;
		if (!exponent && c == (hex ? 'p' : 'e') && digits) {
			exponent = true;
			digits = false;
			if (p[1] == '-' || p[1] == '+')
				plain[n++] = *p++;
		} else if (c == '.' && !point && !exponent) {
			point = true;
		} else if (digit_value(c) < (hex && !exponent ? 16 : 10)) {
			digits = after_digit = true;
		} else {
			return ERR_INVALID;
		}
		plain[n++] = *p;
	}
	plain[n] = '\0';
	return digits && (exponent || !hex) ? 0 : ERR_INVALID;
}

int number_parse_double(double *ret, const char *text)
{
	char plain[1024];
	double value;
	int r = check_double(plain, sizeof(plain), text);

	if (r < 0)
		return r;
	value = strtod(plain, NULL);
	if (!isfinite(value))
		return ERR_RANGE;
	*ret = value;
	return 0;
}

int number_parse_share(double *ret, const char *text)
{
	size_t len = strlen(text);
	bool percent = len > 0 && text[len - 1] == '%';
	char number[64];
	double value;
	int r;

	len -= percent;
	if (len >= sizeof(number))
		return ERR_INVALID;
	memcpy(number, text, len);
	number[len] = '\0';
	r = number_parse_double(&value, number);
	if (r == 0)
		*ret = percent ? value / 100 : value;
	return r;
}

int number_parse_bool(bool *ret, const char *text)
{
	static const char *const TRUE_WORDS[] = {"1", "t", "T", "true", "TRUE", "True"};
	static const char *const FALSE_WORDS[] = {"0", "f", "F", "false", "FALSE", "False"};

	for (size_t i = 0; i < ARRAY_LEN(TRUE_WORDS); i++) {
		if (!strcmp(text, TRUE_WORDS[i]) || !strcmp(text, FALSE_WORDS[i])) {
			*ret = !strcmp(text, TRUE_WORDS[i]);
			return 0;
		}
	}
	return ERR_INVALID;
}
