/*
 * HTTP/1.1 replies: the same bytes at once and in pieces give the same replies, bodies stay within their limit, and
 * what is read in place is what would have been copied.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/http1.h"

#define BODY_MAX ((size_t)100000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

static uint64_t hash_reply(uint64_t hash, const struct http1_reply *r)
{
	require(r->status >= 0 && r->size <= BODY_MAX && r->body[r->size] == '\0' && r->header >= -1);
	hash = mix(mix(mix(hash, (uint64_t)r->status), (uint64_t)r->header), r->keep_alive);
	for (size_t i = 0; i < r->size; i++)
		hash = mix(hash, (unsigned char)r->body[i]);
	return mix(hash, strlen(r->reason));
}

/* Feeds pieces of the given size, in place where the parser has room, and hashes all that comes out. */
static uint64_t read_all(const char *data, size_t size, size_t piece)
{
	struct http1_parser *p;
	struct error err;
	uint64_t hash = 0;
	size_t at = 0;
	int r = 0;

	require(http1_parser_new(&p, "inference-header-content-length", BODY_MAX) == 0);
	while (at < size && r >= 0) {
		size_t n = size - at < piece ? size - at : piece, used = n, room;
		char *to = http1_parser_room(p, &room);

		if (to) {
			n = used = n < room ? n : room;
			memcpy(to, data + at, n);
		}
		r = http1_parser_feed(p, to ? to : data + at, n, &used, &err);
		require(used <= n);
		at += used;
		if (r == 1) {
			hash = hash_reply(hash, http1_parser_reply(p));
			http1_parser_reset(p);
		}
	}
	if (r >= 0)
		r = http1_parser_end(p, &err);
	if (r == 1)
		hash = hash_reply(hash, http1_parser_reply(p));
	require(r > 0 || err.text[0] != '\0');
	http1_parser_free(p);
	return mix(hash, (uint64_t)(uint32_t)r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	uint64_t whole = read_all(text, size, size ? size : 1);

	require(read_all(text, size, 1) == whole);
	require(read_all(text, size, 7) == whole);
	return 0;
}
