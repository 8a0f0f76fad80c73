/*
 * json_reader.c - JSON text, value by value; see the header.
 */
#include "drivers/json_reader.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "common/arith.h"
#include "common/parse_float.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The NUL behind the text ends every loop over a kind of byte. */
char json_peek(struct json_reader *r)
{
	while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
		r->at++;
	return r->at < r->end ? *r->at : '\0';
}

bool json_take(struct json_reader *r, char c)
{
	if (json_peek(r) != c || r->at == r->end)
		return false;
	r->at++;
	return true;
}

/* Where the number at p ends; NULL: it is none. */
static const char *number_end(const char *p)
{
	p += *p == '-';
	if (!is_digit(*p))
		return NULL;
	if (*p == '0')
		p++;
	else
		while (is_digit(*p))
			p++;
	if (*p == '.') {
		if (!is_digit(*++p))
			return NULL;
		while (is_digit(*p))
			p++;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '-' || *p == '+';
		if (!is_digit(*p))
			return NULL;
		while (is_digit(*p))
			p++;
	}
	return p;
}

int json_read_float(struct json_reader *r, float *ret)
{
	const char *end;
	float value;

	json_peek(r);
	end = number_end(r->at);
	if (!end || end > r->end || parse_float(&value, r->at, r->end) != end || !isfinite(value))
		return ERR_FORMAT;
	r->at = end;
	*ret = value;
	return 0;
}

int json_read_size(struct json_reader *r, size_t *ret)
{
	const char *p, *end;
	size_t value = 0;

	json_peek(r);
	end = number_end(r->at);
	if (!end || end > r->end)
		return ERR_FORMAT;
	for (p = r->at; is_digit(*p); p++) {
		if (!size_mul(&value, value, 10) || !size_add(&value, value, (size_t)(*p - '0')))
			return ERR_FORMAT;
	}
	if (p != end)
		return ERR_FORMAT;
	r->at = end;
	*ret = value;
	return 0;
}

/* The length of the escape behind a backslash; 0: it is none. */
static size_t escape_length(const char *p)
{
	if (*p != 'u')
		return *p && strchr("\"\\/bfnrt", *p) ? 1 : 0;
	for (unsigned i = 1; i <= 4; i++) {
		if (!isxdigit((unsigned char)p[i]))
			return 0;
	}
	return 5;
}

int json_read_string(struct json_reader *r, struct json_string *ret)
{
	const char *p;

	if (!json_take(r, '"'))
		return ERR_FORMAT;
	for (p = r->at; *p != '"'; p++) {
		if ((unsigned char)*p < ' ') /* also the NUL behind the text */
			return ERR_FORMAT;
		if (*p == '\\') {
			size_t len = escape_length(p + 1);

			if (len == 0)
				return ERR_FORMAT;
			p += len;
		}
	}
	if (p >= r->end)
		return ERR_FORMAT;
	*ret = (struct json_string){r->at, (size_t)(p - r->at)};
	r->at = p + 1;
	return 0;
}

static int skip_scalar(struct json_reader *r)
{
	static const char *const WORDS[] = {"true", "false", "null"};
	struct json_string s;
	const char *end;

	if (json_peek(r) == '"')
		return json_read_string(r, &s);
	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
		size_t len = strlen(WORDS[i]);

		if ((size_t)(r->end - r->at) >= len && memcmp(r->at, WORDS[i], len) == 0) {
			r->at += len;
			return 0;
		}
	}
	end = number_end(r->at);
	if (!end || end > r->end)
		return ERR_FORMAT;
	r->at = end;
	return 0;
}

int json_skip(struct json_reader *r)
{
	char open[JSON_DEPTH_MAX]; /* the brackets around what comes next */
	unsigned depth = 0;
	bool first = false;

	do {
		int more = 1;

		if (depth > 0) {
			struct json_string name;

			more = open[depth - 1] == '{' ? json_next_member(r, first, &name) : json_next_element(r, first);
			if (more < 0)
				return more;
		}
		first = false;
		if (more == 0) {
			depth--;
		} else if (json_peek(r) == '{' || json_peek(r) == '[') {
			if (depth == JSON_DEPTH_MAX)
				return ERR_FORMAT;
			open[depth++] = *r->at++;
			first = true;
		} else if (skip_scalar(r) < 0) {
			return ERR_FORMAT;
		}
	} while (depth > 0);
	return 0;
}

int json_next_member(struct json_reader *r, bool first, struct json_string *ret_name)
{
	if (json_take(r, '}'))
		return 0;
	if ((!first && !json_take(r, ',')) || json_read_string(r, ret_name) < 0 || !json_take(r, ':'))
		return ERR_FORMAT;
	return 1;
}

int json_next_element(struct json_reader *r, bool first)
{
	if (json_take(r, ']'))
		return 0;
	return first || json_take(r, ',') ? 1 : ERR_FORMAT;
}

int json_find(struct json_reader *r, const char *name)
{
	struct json_string member;
	int more;

	if (!json_take(r, '{'))
		return ERR_FORMAT;
	for (bool first = true; (more = json_next_member(r, first, &member)) > 0; first = false) {
		if (json_equals(&member, name))
			return 1;
		if (json_skip(r) < 0)
			return ERR_FORMAT;
	}
	return more;
}

bool json_equals(const struct json_string *s, const char *text)
{
	return s->size == strlen(text) && memcmp(s->data, text, s->size) == 0;
}

void json_line(char *dst, size_t size, const struct json_string *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->size && n + 1 < size; i++) {
		char c = s->data[i];

		if (c == '\\' && i + 1 < s->size && s->data[i + 1] != 'u') {
			c = s->data[++i];
			if (strchr("bfnrt", c))
				c = ' ';
		}
		dst[n++] = c;
	}
	dst[n] = '\0';
}
