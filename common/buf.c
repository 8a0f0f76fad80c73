/*
 * buf.c - the growing byte buffer.
 */
#include "common/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/decimal.h"

#define BUF_FIRST_CAP 64

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
	if (b->data)
		b->data[0] = '\0';
}

/* Room for `extra` bytes and the NUL behind them. */
int buf_reserve(struct buf *b, size_t extra)
{
	size_t need, cap;
	char *data;

	if (b->failed)
		return ERR_NOMEM;
	if (!size_add(&need, b->len, extra) || !size_add(&need, need, 1))
		goto fail;
	if (need <= b->cap)
		return 0;
	if (!size_mul(&cap, b->cap, 2) || cap < need)
		cap = need;
	if (cap < BUF_FIRST_CAP)
		cap = BUF_FIRST_CAP;
	data = realloc(b->data, cap);
	if (!data)
		goto fail;
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
fail:
	b->failed = true;
	return ERR_NOMEM;
}

int buf_append(struct buf *b, const void *data, size_t len)
{
	int r = buf_reserve(b, len);

	if (r < 0)
		return r;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_text(struct buf *b, const char *text)
{
	return buf_append(b, text, strlen(text));
}

int buf_decimal(struct buf *b, int64_t value)
{
	char text[1 + DECIMAL_MAX] = "-";
	size_t sign = value < 0;

	return buf_append(b, text + !sign,
			  sign + decimal_write(text + 1, sign ? 0 - (uint64_t)value : (uint64_t)value));
}

/* Most texts fit the memory that is there, and are formatted once. */
int buf_vprintf(struct buf *b, const char *fmt, va_list args)
{
	size_t room = b->cap - b->len;
	va_list again;
	int len, r;

	if (b->failed)
		return ERR_NOMEM;
	va_copy(again, args);
	len = vsnprintf(b->data ? b->data + b->len : NULL, room, fmt, again);
	va_end(again);
	if (len < 0) {
		b->failed = true;
		return ERR_INVALID;
	}
	if ((size_t)len >= room) {
		r = buf_reserve(b, (size_t)len);
		if (r < 0) {
			if (b->data)
				b->data[b->len] = '\0';
			return r;
		}
		vsnprintf(b->data + b->len, (size_t)len + 1, fmt, args);
	}
	b->len += (size_t)len;
	return 0;
}

int buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	int r;

	va_start(args, fmt);
	r = buf_vprintf(b, fmt, args);
	va_end(args);
	return r;
}
