/*
 * fingerprint.h - enough of a file to tell later whether it is the same one, at the cost of reading its beginning.
 */
#ifndef STATS_FINGERPRINT_H
#define STATS_FINGERPRINT_H

#include <stdbool.h>
#include <stdint.h>

#define FINGERPRINT_HEAD ((size_t)1 << 20)

struct fingerprint {
	bool known; /* false: no regular file, or it cannot be read */
	uint64_t bytes;
	uint32_t head_crc32; /* CRC-32 (zlib's) of the first FINGERPRINT_HEAD bytes */
};

void fingerprint_take(struct fingerprint *ret, const char *path);

#endif
