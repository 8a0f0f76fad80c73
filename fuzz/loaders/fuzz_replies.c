/*
 * fuzz_replies.c - any bytes as replies to stores: cut into pieces or not, the verdict, the count and the text are the
 * same.
 */
#include <stdlib.h>
#include <string.h>

#include "loaders/replies.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct replies whole = {.len = 0}, pieces = {.len = 0};
	uint64_t whole_count = 0, pieces_count = 0;
	int whole_rc, pieces_rc = 0;
	size_t piece, len;

	if (size == 0)
		return 0;
	piece = data[0] % 16 + 1u;
	data++;
	size--;
	whole_rc = replies_feed(&whole, (const char *)data, size, &whole_count);
	for (size_t at = 0; at < size && pieces_rc == 0; at += len) {
		len = size - at < piece ? size - at : piece;
		pieces_rc = replies_feed(&pieces, (const char *)data + at, len, &pieces_count);
	}
	if (whole_rc != pieces_rc || whole_count != pieces_count || whole.len != pieces.len ||
	    memcmp(whole.line, pieces.line, whole.len) != 0)
		abort();
	return 0;
}
