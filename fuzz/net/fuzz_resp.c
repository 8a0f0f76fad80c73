/*
 * RESP replies: the same bytes at once and in pieces give the same replies, every node is where its depth and its
 * parent's count say, and CLUSTER SLOTS makes what it can of each.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/redis_client.h"
#include "net/resp.h"

#define SIZE_MAX_FUZZED 60000
#define DEPTHS 16

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

static uint64_t check_reply(uint64_t hash, const struct resp_node *nodes, size_t n, const struct endpoint *asked)
{
	int64_t left[DEPTHS] = {1};
	struct redis_cluster k;
	unsigned deepest = 0;

	require(n > 0);
	for (size_t i = 0; i < n; i++) {
		const struct resp_node *node = &nodes[i];

		require(node->depth <= deepest && left[node->depth]-- > 0);
		for (unsigned d = node->depth + 1; d <= deepest; d++)
			require(left[d] == 0);
		deepest = node->depth;
		hash = mix(mix(hash, node->type), node->depth);
		if (node->type == RESP_ARRAY && node->integer > 0) {
			deepest++;
			require(deepest < DEPTHS);
			left[deepest] = node->integer;
		}
		if (node->type == RESP_ARRAY || node->type == RESP_INTEGER)
			hash = mix(hash, (uint64_t)node->integer);
		if (node->type <= RESP_ERROR) {
			hash = mix(hash, node->len);
			for (size_t j = 0; j < node->len; j++)
				hash = mix(hash, (unsigned char)node->data[j]);
		}
	}
	for (unsigned d = 0; d <= deepest; d++)
		require(left[d] == 0);
	if (redis_cluster_parse(&k, nodes, n, asked) == 0)
		redis_cluster_release(&k);
	return hash;
}

/* Feeds pieces of the given size and hashes all that comes out. */
static uint64_t read_all(const uint8_t *data, size_t size, size_t piece, const struct endpoint *asked)
{
	struct resp_reader *r;
	const struct resp_node *nodes;
	struct error err;
	uint64_t hash = 0;
	int result = 0;
	size_t n;

	if (resp_reader_new(&r) < 0)
		return 0;
	for (size_t at = 0; at < size && result >= 0; at += piece) {
		require(resp_reader_feed(r, data + at, size - at < piece ? size - at : piece) == 0);
		while ((result = resp_reader_next(r, &nodes, &n, &err)) > 0)
			hash = check_reply(hash, nodes, n, asked);
	}
	resp_reader_free(r);
	return mix(hash, (uint64_t)(result < 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint *asked;
	struct error err;
	uint64_t whole;

	if (size > SIZE_MAX_FUZZED || endpoint_resolve(&asked, "127.0.0.1", 6379, "s", &err) < 0)
		return 0;
	whole = read_all(data, size, size ? size : 1, asked);
	require(read_all(data, size, 1, asked) == whole);
	require(read_all(data, size, 7, asked) == whole);
	endpoint_free(asked);
	return 0;
}
