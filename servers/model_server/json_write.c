/*
 * json_write.c - tensors and texts as JSON.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/decimal.h"
#include "common/float_write.h"
#include "common/json_text.h"
#include "servers/model_server/json_tensor.h"

#define NUMBER_MAX 32 /* bytes of any number's text and the comma behind it */

static size_t write_words(char *to, const char *words)
{
	size_t len = strlen(words);

	memcpy(to, words, len);
	return len;
}

static size_t write_not_finite(char *to, bool nan, bool negative)
{
	return write_words(to, nan ? "NaN" : negative ? "-Infinity" : "Infinity");
}

/* The shortest of the forms that read back as the same number. */
static size_t write_double(char *to, double value)
{
	int len = 0;

	if (!isfinite(value))
		return write_not_finite(to, isnan(value), value < 0);
	for (int digits = 15; digits <= 17; digits++) {
		len = snprintf(to, NUMBER_MAX, "%.*g", digits, value);
		if (strtod(to, NULL) == value)
			break;
	}
	if (!strpbrk(to, ".e")) {
		memcpy(to + len, ".0", 2);
		len += 2;
	}
	return (size_t)len;
}

static size_t write_int(char *to, int64_t value)
{
	if (value >= 0)
		return decimal_write(to, (uint64_t)value);
	*to = '-';
	return 1 + decimal_write(to + 1, 0 - (uint64_t)value);
}

static size_t write_element(char *to, const struct tensor *t, size_t i)
{
	const void *data = t->data;

	switch (t->dtype) {
	case DTYPE_FLOAT: {
		float value = ((const float *)data)[i];

		return isfinite(value) ? float_write(to, value) : write_not_finite(to, isnan(value), value < 0);
	}
	case DTYPE_DOUBLE:
		return write_double(to, ((const double *)data)[i]);
	case DTYPE_INT8:
		return write_int(to, ((const int8_t *)data)[i]);
	case DTYPE_INT16:
		return write_int(to, ((const int16_t *)data)[i]);
	case DTYPE_INT32:
		return write_int(to, ((const int32_t *)data)[i]);
	case DTYPE_INT64:
		return write_int(to, ((const int64_t *)data)[i]);
	case DTYPE_UINT8:
		return decimal_write(to, ((const uint8_t *)data)[i]);
	case DTYPE_UINT16:
		return decimal_write(to, ((const uint16_t *)data)[i]);
	case DTYPE_BOOL:
		return write_words(to, ((const bool *)data)[i] ? "true" : "false");
	case DTYPE_STRING: /* no operator makes any */
	case DTYPE_COUNT:
		break;
	}
	return write_words(to, "null");
}

/* n elements from index on, with commas between them. */
static void write_elements(struct buf *b, const struct tensor *t, size_t index, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (buf_reserve(b, NUMBER_MAX) < 0)
			return;
		if (i > 0)
			b->data[b->len++] = ',';
		b->len += write_element(b->data + b->len, t, index + i);
	}
}

/* The part of t below `axis` axes that begins at element *at, which moves to its end. */
static void write_part(struct buf *b, const struct tensor *t, unsigned axis, size_t *at)
{
	size_t n;

	if (axis == t->rank) {
		write_elements(b, t, (*at)++, 1);
		return;
	}
	n = (size_t)t->dims[axis];
	buf_append(b, "[", 1);
	if (axis + 1 == t->rank) {
		write_elements(b, t, *at, n);
		*at += n;
	} else {
		for (size_t i = 0; i < n && !b->failed; i++) {
			if (i > 0)
				buf_append(b, ",", 1);
			write_part(b, t, axis + 1, at);
		}
	}
	buf_append(b, "]", 1);
}

void json_write_tensor(struct buf *b, const struct tensor *t)
{
	size_t at = 0;

	write_part(b, t, 0, &at);
}

void json_write_row(struct buf *b, const struct tensor *t, size_t row)
{
	size_t at = t->count / (size_t)t->dims[0] * row;

	write_part(b, t, 1, &at);
}

void json_write_flat(struct buf *b, const struct tensor *t)
{
	buf_append(b, "[", 1);
	write_elements(b, t, 0, t->count);
	buf_append(b, "]", 1);
}

void json_write_string(struct buf *b, const char *text, size_t len)
{
	size_t taken;

	buf_append(b, "\"", 1);
	for (; len > 0 && buf_reserve(b, JSON_CHARACTER_MAX) == 0; text += taken, len -= taken)
		b->len += json_character(b->data + b->len, text, len, &taken);
	buf_append(b, "\"", 1);
}
