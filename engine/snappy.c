/*
 * snappy.c - a length, then literals and copies from what was already produced.
 */
#include "engine/snappy.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct decoder {
	const unsigned char *in, *end;
	unsigned char *out;
	size_t done, len;
};

/* n little-endian bytes */
static bool take(struct decoder *d, unsigned n, size_t *ret)
{
	size_t value = 0;

	if ((size_t)(d->end - d->in) < n)
		return false;
	for (unsigned i = 0; i < n; i++)
		value |= (size_t)*d->in++ << (8 * i);
	*ret = value;
	return true;
}

static bool literal(struct decoder *d, unsigned char tag)
{
	size_t len = tag >> 2;

	/* 60 to 63: the length is in the 1 to 4 bytes that follow. */
	if (len >= 60 && !take(d, (unsigned)len - 59, &len))
		return false;
	len++;
	if ((size_t)(d->end - d->in) < len || d->len - d->done < len)
		return false;
	memcpy(d->out + d->done, d->in, len);
	d->in += len;
	d->done += len;
	return true;
}

static bool copy(struct decoder *d, unsigned char tag)
{
	size_t len = (size_t)(tag >> 2) + 1, offset;

	if ((tag & 3) == 1) {
		if (!take(d, 1, &offset))
			return false;
		len = (size_t)(tag >> 2 & 7) + 4;
		offset |= (size_t)(tag >> 5) << 8;
	} else if (!take(d, (tag & 3) == 2 ? 2 : 4, &offset)) {
		return false;
	}
	if (offset == 0 || offset > d->done || d->len - d->done < len)
		return false;
	/* Byte by byte: source and destination may overlap, which repeats. */
	for (size_t i = 0; i < len; i++, d->done++)
		d->out[d->done] = d->out[d->done - offset];
	return true;
}

static bool read_length(struct decoder *d, size_t *ret)
{
	size_t value = 0;

	for (unsigned shift = 0; shift < 32 && d->in < d->end; shift += 7) {
		unsigned char byte = *d->in++;
		value |= (size_t)(byte & 127) << shift;
		if (byte < 128) {
			*ret = value;
			return true;
		}
	}
	return false;
}

int snappy_decompress(const unsigned char *in, size_t len, size_t max, unsigned char **ret, size_t *ret_len)
{
	struct decoder d = {.in = in, .end = in + len};

	if (!read_length(&d, &d.len))
		return ERR_FORMAT;
	if (d.len > max)
		return ERR_RANGE;
	d.out = malloc(d.len + 1);
	if (d.out == NULL)
		return ERR_NOMEM;
	bool sound = true;
	while (sound && d.in < d.end) {
		unsigned char tag = *d.in++;
		sound = (tag & 3) == 0 ? literal(&d, tag) : copy(&d, tag);
	}
	if (!sound || d.done != d.len) {
		free(d.out);
		return ERR_FORMAT;
	}
	*ret = d.out;
	*ret_len = d.len;
	return 0;
}
