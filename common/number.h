/*
 * number.h - numbers as Go's strconv package reads them with base 0, which is how Go's flags read them.
 *
 * 0x, 0o, 0b and a leading 0 give the base; underscores may stand between digits and behind the base's prefix.
 */
#ifndef COMMON_NUMBER_H
#define COMMON_NUMBER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"

/* Each returns 0, ERR_INVALID for what is no such number, or ERR_RANGE for what does not fit. */
int number_parse_int(int64_t *ret, const char *text) MUST_CHECK;
int number_parse_uint(uint64_t *ret, const char *text) MUST_CHECK;
/* Decimal or hexadecimal. Unlike Go's, no "Inf" and no "NaN": no option of ours means anything with them. */
int number_parse_double(double *ret, const char *text) MUST_CHECK;
/* A part of a whole, as a share or in percent: "0.01" or "1%". Its bounds are the caller's. */
int number_parse_share(double *ret, const char *text) MUST_CHECK;
/* 1 0 t f T F true false TRUE FALSE True False. */
int number_parse_bool(bool *ret, const char *text) MUST_CHECK;

#endif
