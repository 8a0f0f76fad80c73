/*
 * decimal.h - unsigned decimal text without printf, for the measuring path.
 */
#ifndef COMMON_DECIMAL_H
#define COMMON_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

#define DECIMAL_MAX 20 /* digits of UINT64_MAX */

/* Writes value at dst (no NUL) and returns how many digits it took, DECIMAL_MAX at the most. */
size_t decimal_write(char *dst, uint64_t value);

#endif
