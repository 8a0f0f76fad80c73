/*
 * replies.h - counts the OKs that come back from a pipeline of stores; anything else ends the load.
 */
#ifndef LOADERS_REPLIES_H
#define LOADERS_REPLIES_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define REPLY_LINE_MAX 400

/* Zero-initialise. Holds the beginning of a line whose end has not come. */
struct replies {
	char line[REPLY_LINE_MAX + 1];
	size_t len;
};

/*
 * Reads bytes as they arrive, cut anywhere. Adds the OKs to *count. ERR_SERVER: an error reply, its text (without the
 * dash) in r->line; ERR_PROTOCOL: no reply to a store, its first line in r->line. Nothing more may be fed then.
 */
int replies_feed(struct replies *r, const char *bytes, size_t len, uint64_t *count) MUST_CHECK;

#endif
