/*
 * parse_float.h - decimal text to the nearest float32, bit for bit what strtof answers, several times as fast.
 */
#ifndef COMMON_PARSE_FLOAT_H
#define COMMON_PARSE_FLOAT_H

/*
 * Reads [+-]digits[.digits][e[+-]digits] from text and returns where it ends, or NULL where text is no such number
 * (inf, nan, hexadecimal and leading spaces are none). *end must be readable and no part of a number: a delimiter or
 * NUL. A magnitude beyond float32 yields an infinity, as strtof's: the caller rejects it.
 */
const char *parse_float(float *ret, const char *text, const char *end);

#endif
