/*
 * json_reader.h - reads a JSON text (RFC 8259) in one pass, value by value, without building it up in memory.
 *
 * The caller asks for what it expects; the first thing that is not so ends the reading: that call and all after it
 * fail, and the error says what was wrong and at which byte. Nesting is limited to JSON_DEPTH_MAX. Beyond the RFC the
 * words NaN, Infinity and -Infinity are numbers, as TensorFlow Serving and Triton have it.
 *
 *	json_open(&r, text, len, &err);
 *	json_enter(&r, JSON_KIND_OBJECT);
 *	while (json_next_member(&r, &name))
 *		…read or json_skip one value…
 *	return json_close(&r);
 */
#ifndef COMMON_JSON_READER_H
#define COMMON_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define JSON_DEPTH_MAX 32

/* JSON_KIND_BAD: no value begins here, or reading has failed before. */
enum json_kind {
	JSON_KIND_BAD,
	JSON_KIND_OBJECT,
	JSON_KIND_ARRAY,
	JSON_KIND_STRING,
	JSON_KIND_NUMBER,
	JSON_KIND_BOOL,
	JSON_KIND_NULL
};

/* A copy made between two values reads on from there: for members that can be understood only after later ones. */
struct json_reader {
	char *p;
	char *start, *end; /* private, as all else */
	struct error *err;
	unsigned depth;
	bool fresh; /* just inside of a container: no comma yet */
	int result;
};

/* A string's bytes within the text; it may hold NUL bytes. */
struct json_string {
	const char *text;
	size_t len;
};

/*
 * text[len] must be a NUL byte. Strings with escapes are decoded in place when they are read (not when skipped), so
 * that a string can be read only once.
 */
void json_open(struct json_reader *r, char *text, size_t len, struct error *err);
/* What comes next, a value of which kind; consumes nothing but white space. */
enum json_kind json_kind(struct json_reader *r);
/* Into an object or array. */
int json_enter(struct json_reader *r, enum json_kind container);
/* Whether there is another one; if not, the container has been left, or reading has failed. */
bool json_next_member(struct json_reader *r, struct json_string *ret_name);
bool json_next_element(struct json_reader *r);

/* Into the object that comes next, to the value of its member of this name; fails where it has none. */
int json_find(struct json_reader *r, const char *name);

int json_read_string(struct json_reader *r, struct json_string *ret);
int json_read_bool(struct json_reader *r, bool *ret);
int json_read_int(struct json_reader *r, int64_t *ret); /* no fraction, no exponent */
int json_read_uint(struct json_reader *r, uint64_t *ret);
int json_read_float(struct json_reader *r, float *ret); /* the nearest; ERR_RANGE beyond float32 */
/*
 * Numbers of a list, from an element that json_next_element has announced on, up to max of them; returns how many.
 * *ret_more: there is another element.
 */
size_t json_read_floats(struct json_reader *r, float *ret, size_t max, bool *ret_more);
int json_read_double(struct json_reader *r, double *ret);
int json_skip(struct json_reader *r); /* one value of any kind, checked all the same */

/* To end reading from without: sets the error and returns the code. ERR_INVALID: the text is right, but says what cannot
 * be; others come with the place. */
int json_fail(struct json_reader *r, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* After the outermost value: 0 where nothing but white space is left, or what reading failed with. */
int json_close(struct json_reader *r) MUST_CHECK;

bool json_string_is(const struct json_string *s, const char *word);

#endif
