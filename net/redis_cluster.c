/*
 * redis_cluster.c - who serves which hash slot.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/redis_client.h"

#define NOBODY UINT16_MAX
#define TAGS_TRIED 10000000u

/* CRC16 with polynomial 0x1021, start 0, not reflected (XMODEM). */
static unsigned crc16(const char *data, size_t len)
{
	unsigned crc = 0;

	for (size_t i = 0; i < len; i++) {
		crc ^= (unsigned)(unsigned char)data[i] << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return crc;
}

unsigned redis_slot(const char *key, size_t len)
{
	const char *open = memchr(key, '{', len);

	if (open) {
		const char *tag = open + 1, *close = memchr(tag, '}', len - (size_t)(tag - key));

		if (close && close > tag)
			return crc16(tag, (size_t)(close - tag)) % REDIS_SLOTS;
	}
	return crc16(key, len) % REDIS_SLOTS;
}

int redis_shard_tag(const struct redis_cluster *k, unsigned shard, char *ret, size_t size)
{
	char text[16];

	for (unsigned i = 0; i < TAGS_TRIED; i++) {
		int len = snprintf(text, sizeof(text), "%u", i);

		if (k->slot_owner[redis_slot(text, (size_t)len)] == shard) {
			if ((size_t)len >= size)
				return ERR_RANGE;
			memcpy(ret, text, (size_t)len + 1);
			return 0;
		}
	}
	return ERR_NOT_FOUND; /* the shard owns no slot, or hardly any */
}

void redis_cluster_release(struct redis_cluster *k)
{
	free(k->shards);
	*k = (struct redis_cluster){0};
}

/* The index of host:port, which is added if it is new. */
static int shard_index(struct redis_cluster *k, const char *host, size_t host_len, uint16_t port)
{
	struct redis_shard *shards;

	if (host_len >= sizeof(shards->host) || memchr(host, '\0', host_len))
		return ERR_RANGE;
	for (unsigned i = 0; i < k->nshards; i++) {
		const struct redis_shard *s = &k->shards[i];

		if (s->port == port && strlen(s->host) == host_len && !memcmp(s->host, host, host_len))
			return (int)i;
	}
	if (k->nshards >= REDIS_SLOTS)
		return ERR_RANGE;
	shards = realloc(k->shards, (k->nshards + 1) * sizeof(*shards));
	if (!shards)
		return ERR_NOMEM;
	k->shards = shards;
	shards[k->nshards] = (struct redis_shard){.port = port};
	memcpy(shards[k->nshards].host, host, host_len);
	return (int)k->nshards++;
}

/* Where the element behind node ends. */
static const struct resp_node *next_sibling(const struct resp_node *node, const struct resp_node *end)
{
	unsigned depth = node->depth;

	for (node++; node < end && node->depth > depth; node++)
		;
	return node;
}

/* One range: [first slot, last slot, [host, port, …], replicas…]. */
static int read_range(struct redis_cluster *k, const struct resp_node *range, const struct resp_node *end,
		      const struct endpoint *asked)
{
	const struct resp_node *first = range + 1, *last = range + 2, *node = range + 3, *host = range + 4,
			       *port = range + 5;
	const char *name;
	size_t len;
	int shard;

	if (range->type != RESP_ARRAY || range->integer < 3 || end - range < 6 || first->type != RESP_INTEGER ||
	    last->type != RESP_INTEGER || node->type != RESP_ARRAY || node->integer < 2 || port->type != RESP_INTEGER ||
	    (host->type != RESP_STRING && host->type != RESP_NIL))
		return ERR_PROTOCOL;
	if (first->integer < 0 || last->integer < first->integer || last->integer >= REDIS_SLOTS || port->integer < 1 ||
	    port->integer > UINT16_MAX)
		return ERR_PROTOCOL;
	name = host->type == RESP_STRING ? host->data : "";
	len = host->type == RESP_STRING ? host->len : 0;
	/* A node that does not know its own name leaves it out: it is the one that was asked. */
	if (len == 0 || (len == 1 && *name == '?')) {
		name = endpoint_host(asked);
		len = strlen(name);
	}
	shard = shard_index(k, name, len, (uint16_t)port->integer);
	if (shard < 0)
		return shard;
	for (int64_t slot = first->integer; slot <= last->integer; slot++)
		k->slot_owner[slot] = (uint16_t)shard;
	return 0;
}

static int read_standalone(struct redis_cluster *k, const struct endpoint *asked)
{
	const char *host = endpoint_host(asked);
	int shard = shard_index(k, host, strlen(host), endpoint_port(asked));

	if (shard < 0)
		return shard;
	for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
		k->slot_owner[slot] = (uint16_t)shard;
	return 0;
}

static bool says_standalone(const struct resp_node *reply)
{
	static const char TEXT[] = "ERR This instance has cluster support disabled";

	return reply->type == RESP_ERROR && reply->len >= sizeof(TEXT) - 1 &&
	       !memcmp(reply->data, TEXT, sizeof(TEXT) - 1);
}

int redis_cluster_parse(struct redis_cluster *ret, const struct resp_node *reply, size_t n,
			const struct endpoint *asked)
{
	struct redis_cluster k = {.enabled = true};
	const struct resp_node *end = reply + n;
	int r = 0;

	for (unsigned slot = 0; slot < REDIS_SLOTS; slot++)
		k.slot_owner[slot] = NOBODY;
	if (says_standalone(reply)) {
		k.enabled = false;
		r = read_standalone(&k, asked);
	} else if (reply->type != RESP_ARRAY) {
		r = ERR_PROTOCOL;
	} else {
		for (const struct resp_node *range = reply + 1; r == 0 && range < end; range = next_sibling(range, end))
			r = read_range(&k, range, end, asked);
	}
	if (r == 0 && k.nshards == 0)
		r = ERR_NOT_FOUND;
	if (r < 0) {
		redis_cluster_release(&k);
		return r;
	}
	*ret = k;
	return 0;
}

int redis_cluster_read(struct redis_cluster *ret, struct redis_client *c, struct error *err)
{
	static const char *const ARGS[] = {"CLUSTER", "SLOTS"};
	const char *name = redis_client_name(c);
	const struct resp_node *reply;
	size_t n;
	int r = redis_client_command(c, 2, ARGS, NULL, &reply, &n, err);

	if (r < 0)
		return r;
	if (reply->type == RESP_ERROR && !says_standalone(reply))
		return redis_client_refused(c, reply, err);
	r = redis_cluster_parse(ret, reply, n, redis_client_endpoint(c));
	if (r == ERR_NOT_FOUND)
		return error_set(err, ERR_SERVER,
				 "%s: no server of this cluster has slots: is it set up (redis-cli --cluster create)?",
				 name);
	if (r < 0)
		return error_set(err, r, "%s: cannot read its answer to CLUSTER SLOTS: %s", name,
				 r == ERR_PROTOCOL ? "is it another kind of server?" : error_message(r));
	return 0;
}
