/*
 * json_text.h - characters of any bytes as they stand in a JSON string (RFC 8259), for all that writes JSON.
 */
#ifndef COMMON_JSON_TEXT_H
#define COMMON_JSON_TEXT_H

#include <stddef.h>

#define JSON_CHARACTER_MAX 6

/* Length of the UTF-8 sequence that the len bytes at s begin with; 0 where they begin with none (overlong forms and
 * surrogates are none) or are cut short. */
size_t utf8_length(const char *s, size_t len);

/*
 * Writes the character that the len > 0 bytes at s begin with at dst, escaped where JSON wants it; a byte that begins
 * none becomes U+FFFD. Returns how many bytes were written, JSON_CHARACTER_MAX at the most; *ret_taken: how many were
 * read.
 */
size_t json_character(char *dst, const char *s, size_t len, size_t *ret_taken);

#endif
