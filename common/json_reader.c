/*
 * json_reader.c - one pass over a JSON text. The NUL byte at its end stops every loop, as no token contains one.
 */
#include "common/json_reader.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_text.h"
#include "common/parse_float.h"
#include "common/text.h"

void json_open(struct json_reader *r, char *text, size_t len, struct error *err)
{
	*r = (struct json_reader){.p = text, .start = text, .end = text + len, .err = err};
}

int json_fail(struct json_reader *r, int code, const char *fmt, ...)
{
	struct error text;
	va_list args;

	if (r->result < 0)
		return r->result;
	va_start(args, fmt);
	error_vwrite(&text, fmt, args);
	va_end(args);
	if (code == ERR_INVALID)
		r->result = error_set(r->err, code, "%s", text.text);
	else
		r->result = error_set(r->err, code, "JSON, byte %zu: %s", (size_t)(r->p - r->start) + 1, text.text);
	return r->result;
}

static int fail(struct json_reader *r, const char *what)
{
	if (r->p == r->end)
		return json_fail(r, ERR_FORMAT, "the text ends within a value");
	return json_fail(r, ERR_FORMAT, "%s", what);
}

static void skip_space(struct json_reader *r)
{
	while (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t')
		r->p++;
}

enum json_kind json_kind(struct json_reader *r)
{
	if (r->result < 0)
		return JSON_KIND_BAD;
	skip_space(r);
	switch (*r->p) {
	case '{':
		return JSON_KIND_OBJECT;
	case '[':
		return JSON_KIND_ARRAY;
	case '"':
		return JSON_KIND_STRING;
	case 't':
	case 'f':
		return JSON_KIND_BOOL;
	case 'n':
		return JSON_KIND_NULL;
	case '-':
	case 'N':
	case 'I':
		return JSON_KIND_NUMBER;
	default:
		return is_digit(*r->p) ? JSON_KIND_NUMBER : JSON_KIND_BAD;
	}
}

/* Fails unless the value that comes next is of this kind. */
static int want(struct json_reader *r, enum json_kind kind)
{
	static const char *const EXPECTED[] = {
		[JSON_KIND_BAD] = "a value expected",     [JSON_KIND_OBJECT] = "an object expected",
		[JSON_KIND_ARRAY] = "a list expected",    [JSON_KIND_STRING] = "a string expected",
		[JSON_KIND_NUMBER] = "a number expected", [JSON_KIND_BOOL] = "true or false expected",
		[JSON_KIND_NULL] = "null expected",
	};

	if (r->result < 0)
		return r->result;
	return json_kind(r) == kind ? 0 : fail(r, EXPECTED[kind]);
}

int json_enter(struct json_reader *r, enum json_kind container)
{
	if (want(r, container) < 0)
		return r->result;
	if (r->depth == JSON_DEPTH_MAX)
		return json_fail(r, ERR_RANGE, "more than %d levels of nesting", JSON_DEPTH_MAX);
	r->depth++;
	r->p++;
	r->fresh = true;
	return 0;
}

/* At a comma (taken) or at the start: true. At the closing bracket (taken): false. */
static bool next(struct json_reader *r, char closing)
{
	if (r->result < 0)
		return false;
	skip_space(r);
	if (*r->p == closing) {
		r->p++;
		r->depth--;
		r->fresh = false;
		return false;
	}
	if (r->fresh) {
		r->fresh = false;
		return true;
	}
	if (*r->p != ',') {
		fail(r, closing == ']' ? "a comma or the end of the list expected"
				       : "a comma or the end of the object expected");
		return false;
	}
	r->p++;
	return true;
}

bool json_next_element(struct json_reader *r)
{
	return next(r, ']');
}

bool json_next_member(struct json_reader *r, struct json_string *ret_name)
{
	if (!next(r, '}') || json_read_string(r, ret_name) < 0)
		return false;
	skip_space(r);
	if (*r->p != ':') {
		fail(r, "a colon expected");
		return false;
	}
	r->p++;
	return true;
}

int json_find(struct json_reader *r, const char *name)
{
	struct json_string member = {"", 0};

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &member); json_skip(r)) {
		if (json_string_is(&member, name))
			return 0;
	}
	return json_fail(r, ERR_INVALID, "no member \"%s\"", name);
}

/* The four hexadecimal digits behind \u; -1 where there are none. */
static int32_t code_unit(const char *p)
{
	int32_t value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = hex_value(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static char *put_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

/* A character given as \uXXXX, or as two of them. Surrogates come in pairs or not at all. */
static int unicode_escape(struct json_reader *r, uint32_t *ret)
{
	int32_t unit = code_unit(r->p), low;

	if (unit < 0)
		return fail(r, "four hexadecimal digits expected");
	r->p += 4;
	*ret = (uint32_t)unit;
	if (unit < 0xd800 || unit > 0xdfff)
		return 0;
	low = unit < 0xdc00 && r->p[0] == '\\' && r->p[1] == 'u' ? code_unit(r->p + 2) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(r, "half of a surrogate pair");
	r->p += 6;
	*ret = 0x10000 + (((uint32_t)unit - 0xd800) << 10) + ((uint32_t)low - 0xdc00);
	return 0;
}

/* Behind a backslash. */
static int escape(struct json_reader *r, uint32_t *ret)
{
	static const char LETTERS[] = "\"\\/bfnrt", MEANINGS[] = "\"\\/\b\f\n\r\t";
	const char *letter = *r->p ? strchr(LETTERS, *r->p) : NULL;

	if (letter) {
		*ret = (unsigned char)MEANINGS[letter - LETTERS];
		r->p++;
		return 0;
	}
	if (*r->p != 'u')
		return fail(r, "an unknown escape");
	r->p++;
	return unicode_escape(r, ret);
}

/* A string to its end; with `keep` the escapes are decoded in place and *ret is set. */
static int take_string(struct json_reader *r, bool keep, struct json_string *ret)
{
	char *to, *first;

	if (want(r, JSON_KIND_STRING) < 0)
		return r->result;
	first = to = ++r->p;
	while (*r->p != '"') {
		uint32_t c = 0;
		size_t n;

		if (*r->p == '\\') {
			r->p++;
			if (escape(r, &c) < 0)
				return r->result;
			if (keep)
				to = put_utf8(to, c);
			continue;
		}
		if ((unsigned char)*r->p < 0x80)
			n = (unsigned char)*r->p >= 0x20;
		else
			n = utf8_length(r->p, (size_t)(r->end - r->p));
		if (n == 0)
			return fail(r, "a string with a control character, or not in UTF-8");
		if (keep && to != r->p)
			memmove(to, r->p, n);
		to += n;
		r->p += n;
	}
	r->p++;
	if (keep)
		*ret = (struct json_string){first, (size_t)(to - first)};
	return 0;
}

int json_read_string(struct json_reader *r, struct json_string *ret)
{
	return take_string(r, true, ret);
}

/* true, false, null or a name of a number: the word, with no letter behind it. */
static bool take_word(struct json_reader *r, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(r->p, word, len) != 0 || isalnum((unsigned char)r->p[len]))
		return false;
	r->p += len;
	return true;
}

int json_read_bool(struct json_reader *r, bool *ret)
{
	bool value;

	if (want(r, JSON_KIND_BOOL) < 0)
		return r->result;
	value = take_word(r, "true");
	if (!value && !take_word(r, "false"))
		return fail(r, "true or false expected");
	*ret = value;
	return 0;
}

static int take_null(struct json_reader *r)
{
	return take_word(r, "null") ? 0 : fail(r, "null expected");
}

/*
 * Holds a number's beginning to JSON's grammar, where that is narrower than what the C functions read: no plus sign,
 * no leading zeros, digits on both sides of the point. Where they stop is checked by whoever reads on. *ret_end: the
 * end of the integer part.
 */
static int check_number(struct json_reader *r, const char **ret_end)
{
	const char *p = r->p + (*r->p == '-');

	if (!is_digit(*p))
		return fail(r, "a number expected");
	if (*p == '0')
		p++;
	else
		while (is_digit(*p))
			p++;
	if (is_digit(*p) || (*p == '.' && !is_digit(p[1])))
		return fail(r, "a number that is not written as JSON's are");
	*ret_end = p;
	return 0;
}

static bool take_special(struct json_reader *r, float *ret)
{
	bool negative = *r->p == '-';

	if (negative && r->p[1] != 'I')
		return false;
	if (take_word(r, negative ? "-Infinity" : "Infinity"))
		*ret = negative ? -INFINITY : INFINITY;
	else if (take_word(r, "NaN"))
		*ret = NAN;
	else
		return false;
	return true;
}

int json_read_float(struct json_reader *r, float *ret)
{
	const char *end = r->p;
	float value;

	if (want(r, JSON_KIND_NUMBER) < 0)
		return r->result;
	if (!is_digit(*r->p) && take_special(r, ret))
		return 0;
	if (check_number(r, &end) < 0)
		return r->result;
	end = parse_float(&value, r->p, r->end);
	if (!end)
		return fail(r, "a number that is not written as JSON's are");
	if (isinf(value))
		return json_fail(r, ERR_RANGE, "a number beyond the range of float32");
	r->p += end - r->p;
	*ret = value;
	return 0;
}

size_t json_read_floats(struct json_reader *r, float *ret, size_t max, bool *ret_more)
{
	size_t n = 0;
	bool more = true;

	while (more && n < max && json_read_float(r, &ret[n]) == 0) {
		n++;
		more = next(r, ']');
	}
	*ret_more = more && r->result == 0;
	return n;
}

int json_read_double(struct json_reader *r, double *ret)
{
	const char *end = r->p;
	char *stop;
	double value;
	float special;

	if (want(r, JSON_KIND_NUMBER) < 0)
		return r->result;
	if (!is_digit(*r->p) && take_special(r, &special)) {
		*ret = (double)special;
		return 0;
	}
	if (check_number(r, &end) < 0)
		return r->result;
	/* strtod would also read hexadecimal: "0x" ends here after the 0. */
	if (*end != '.' && *end != 'e' && *end != 'E' && end - r->p <= 15) {
		int64_t integer = strtoll(r->p, NULL, 10);

		value = *r->p == '-' && integer == 0 ? -0.0 : (double)integer;
		stop = r->p + (end - r->p);
	} else {
		value = strtod(r->p, &stop);
	}
	if (isinf(value))
		return json_fail(r, ERR_RANGE, "a number beyond the range of float64");
	if ((*stop | 0x20) == 'e')
		return fail(r, "a number that is not written as JSON's are");
	r->p = stop;
	*ret = value;
	return 0;
}

/* The digits of an integer as an unsigned magnitude. */
static int take_magnitude(struct json_reader *r, uint64_t *ret, bool *ret_negative)
{
	const char *end = r->p;
	uint64_t value = 0;

	if (want(r, JSON_KIND_NUMBER) < 0 || check_number(r, &end) < 0)
		return r->result;
	if (*end == '.' || *end == 'e' || *end == 'E')
		return fail(r, "an integer expected");
	*ret_negative = *r->p == '-';
	for (const char *p = r->p + *ret_negative; p < end; p++) {
		if (__builtin_mul_overflow(value, 10u, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value))
			return json_fail(r, ERR_RANGE, "an integer of more than 64 bits");
	}
	r->p += end - r->p;
	*ret = value;
	return 0;
}

int json_read_int(struct json_reader *r, int64_t *ret)
{
	uint64_t magnitude = 0;
	bool negative = false;

	if (take_magnitude(r, &magnitude, &negative) < 0)
		return r->result;
	if (magnitude > (uint64_t)INT64_MAX + negative)
		return json_fail(r, ERR_RANGE, "an integer of more than 64 bits");
	*ret = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return 0;
}

int json_read_uint(struct json_reader *r, uint64_t *ret)
{
	uint64_t magnitude = 0;
	bool negative = false;

	if (take_magnitude(r, &magnitude, &negative) < 0)
		return r->result;
	if (negative && magnitude)
		return json_fail(r, ERR_RANGE, "a number from 0 expected");
	*ret = magnitude;
	return 0;
}

static int skip_number(struct json_reader *r)
{
	const char *p = r->p;
	float special;

	if (!is_digit(*r->p) && take_special(r, &special))
		return 0;
	if (check_number(r, &p) < 0)
		return r->result;
	if (*p == '.') {
		for (p++; is_digit(*p); p++)
			;
	}
	if (*p == 'e' || *p == 'E') {
		p += p[1] == '+' || p[1] == '-' ? 2 : 1;
		if (!is_digit(*p))
			return fail(r, "a number that is not written as JSON's are");
		for (; is_digit(*p); p++)
			;
	}
	r->p += p - r->p;
	return 0;
}

/* Nesting is limited, so the recursion is. */
int json_skip(struct json_reader *r)
{
	struct json_string name;
	bool flag;

	switch (json_kind(r)) {
	case JSON_KIND_OBJECT:
		for (json_enter(r, JSON_KIND_OBJECT); next(r, '}');) {
			if (take_string(r, false, &name) < 0)
				return r->result;
			skip_space(r);
			if (*r->p != ':')
				return fail(r, "a colon expected");
			r->p++;
			json_skip(r);
		}
		return r->result;
	case JSON_KIND_ARRAY:
		for (json_enter(r, JSON_KIND_ARRAY); next(r, ']');)
			json_skip(r);
		return r->result;
	case JSON_KIND_STRING:
		return take_string(r, false, &name);
	case JSON_KIND_NUMBER:
		return skip_number(r);
	case JSON_KIND_BOOL:
		return json_read_bool(r, &flag);
	case JSON_KIND_NULL:
		return take_null(r);
	case JSON_KIND_BAD:
		break;
	}
	return fail(r, "a value expected");
}

int json_close(struct json_reader *r)
{
	if (r->result < 0)
		return r->result;
	skip_space(r);
	return r->p == r->end ? 0 : json_fail(r, ERR_FORMAT, "nothing more expected");
}

bool json_string_is(const struct json_string *s, const char *word)
{
	return bytes_equal(s->text, s->len, word);
}
