/*
 * snappy.h - decompression of Snappy blocks, which the index of a tensor bundle may consist of.
 */
#ifndef ENGINE_SNAPPY_H
#define ENGINE_SNAPPY_H

#include <stddef.h>

#include "common/error.h"

/* *ret is malloc'd and the caller's. ERR_FORMAT; ERR_RANGE: more than max bytes; ERR_NOMEM. */
int snappy_decompress(const unsigned char *in, size_t len, size_t max, unsigned char **ret, size_t *ret_len) MUST_CHECK;

#endif
