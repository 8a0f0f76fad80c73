/*
 * json_reader.h - JSON text from a server, value by value, from bytes that nobody has checked.
 *
 * Strict (RFC 8259), allocates nothing and does not recurse. There is a NUL behind the text, or behind other bytes that
 * follow it, which are never taken for part of it. Each function takes white space before what it reads.
 */
#ifndef DRIVERS_JSON_READER_H
#define DRIVERS_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

#define JSON_DEPTH_MAX 64

struct json_reader {
	const char *at, *end;
};

/* The bytes between the quotes of a string, escapes as they are written. */
struct json_string {
	const char *data;
	size_t size;
};

static inline struct json_reader json_begin_reading(const char *text, size_t size)
{
	return (struct json_reader){text, text + size};
}

/* The first byte of what comes next; NUL at the end. */
char json_peek(struct json_reader *r);
/* Takes the byte c if it comes next. */
bool json_take(struct json_reader *r, char c);
/* Each takes one value: 0 or ERR_FORMAT. A number beyond float32 is ERR_FORMAT too. */
int json_read_float(struct json_reader *r, float *ret) MUST_CHECK;
int json_read_size(struct json_reader *r, size_t *ret) MUST_CHECK; /* a whole number */
int json_read_string(struct json_reader *r, struct json_string *ret) MUST_CHECK;
int json_skip(struct json_reader *r) MUST_CHECK;

/* Behind "{": 1 and the reader at the member's value; 0 behind "}"; ERR_FORMAT. first: no member was read yet. */
int json_next_member(struct json_reader *r, bool first, struct json_string *ret_name) MUST_CHECK;
/* Behind "[": 1 and the reader at the element; 0 behind "]"; ERR_FORMAT. */
int json_next_element(struct json_reader *r, bool first) MUST_CHECK;

/* Finds a member of the object at the reader, which then is at its value: 1; 0: there is none, the object was read;
 * ERR_FORMAT: no object. */
int json_find(struct json_reader *r, const char *name) MUST_CHECK;

bool json_equals(const struct json_string *s, const char *text);
/* The string as one line for the user, in dst with a NUL; what does not fit is cut, escapes of control characters become
 * spaces, \u escapes stay as they are. */
void json_line(char *dst, size_t size, const struct json_string *s);

#endif
