/*
 * buf.h - a growing byte buffer, for requests and texts that are built off the measuring path.
 */
#ifndef COMMON_BUF_H
#define COMMON_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Zero-initialise; data[len] is always NUL once something was added. After a failed append `failed` stays set, so
 * that a builder checks once at its end. */
struct buf {
	char *data;
	size_t len, cap;
	bool failed;
};

void buf_release(struct buf *b);
void buf_clear(struct buf *b); /* keeps the memory */
int buf_reserve(struct buf *b, size_t extra);
int buf_append(struct buf *b, const void *data, size_t len);
/* Without printf, for what is written often. */
int buf_text(struct buf *b, const char *text);
int buf_decimal(struct buf *b, int64_t value);
int buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
int buf_vprintf(struct buf *b, const char *fmt, va_list args) PRINTF_LIKE(2, 0);

#endif
