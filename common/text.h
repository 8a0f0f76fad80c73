/*
 * text.h - the small questions of everything that reads or writes text.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What n of them have at their end: "server%s". */
static inline const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* '0' to '9', of any char: isdigit() must not be asked about negative ones. */
static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* 0 to 15, letters of either case; -1: no hexadecimal digit. */
static inline int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether the len bytes at data, which no NUL ends, are just this text, or begin with it. */
static inline bool bytes_equal(const void *data, size_t len, const char *text)
{
	return len == strlen(text) && memcmp(data, text, len) == 0;
}

static inline bool bytes_begin(const void *data, size_t len, const char *text)
{
	size_t n = strlen(text);

	return len >= n && memcmp(data, text, n) == 0;
}

/* Copies what stands at *at up to one of the separators or the end to word, and moves *at there. False, with nothing
 * moved, where it does not fit. */
bool word_take(char *word, size_t size, const char **at, const char *separators);

#endif
