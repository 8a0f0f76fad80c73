/*
 * redis_client.h - a blocking Redis client over conn.h for control planes and loaders: connect, AUTH, commands,
 * pipelines. Not for the measuring path.
 */
#ifndef NET_REDIS_CLIENT_H
#define NET_REDIS_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "net/conn.h"
#include "net/resp.h"

struct redis_client;

/*
 * Connects, sends AUTH where options carry a password, and PING, so that what is no Redis or refuses us is told at
 * once. The message of a refusal says what to pass. e and tls must outlive the client, options need not. After a
 * timeout or a broken connection every call fails with ERR_CLOSED: close it and open another.
 */
int redis_client_open(struct redis_client **ret, const struct endpoint *e, const struct tls_config *tls,
		      const struct conn_options *o, struct error *err) MUST_CHECK;
void redis_client_close(struct redis_client *c);

/* Sends one command and waits for its reply; nodes are views valid until the next call. An error reply is returned as a
 * node, not as a failure. */
int redis_client_command(struct redis_client *c, size_t nargs, const char *const *args, const size_t *lens,
			 const struct resp_node **ret, size_t *ret_n, struct error *err) MUST_CHECK;
/* printf-like words without spaces inside arguments, e.g. "CONFIG GET %s". An error reply is ERR_SERVER. */
int redis_client_commandf(struct redis_client *c, const struct resp_node **ret, size_t *ret_n, struct error *err,
			  const char *fmt, ...) PRINTF_LIKE(5, 6) MUST_CHECK;

/* Pipelining: append bytes of whole commands, send, then read as many replies as commands were sent. */
struct buf *redis_client_out(struct redis_client *c);
int redis_client_send(struct redis_client *c, struct error *err) MUST_CHECK;
int redis_client_receive(struct redis_client *c, const struct resp_node **ret, size_t *ret_n,
			 struct error *err) MUST_CHECK;

const char *redis_client_name(const struct redis_client *c); /* "127.0.0.1:6379" */
const struct endpoint *redis_client_endpoint(const struct redis_client *c);
/* ERR_SERVER with a line for an error reply; known refusals say what to do (net/redis_advice.h). */
int redis_client_refused(const struct redis_client *c, const struct resp_node *reply, struct error *err);

/* Cluster: who serves which of the 16384 hash slots. */
#define REDIS_SLOTS 16384
struct redis_shard {
	char host[256];
	uint16_t port;
};
struct redis_cluster {
	struct redis_shard *shards;
	unsigned nshards;
	uint16_t slot_owner[REDIS_SLOTS]; /* index into shards; UINT16_MAX: nobody */
	bool enabled;                     /* false: a standalone server (one shard, all slots) */
};
/* CLUSTER SLOTS, asked through c. A standalone server yields enabled = false and itself as the only shard. */
int redis_cluster_read(struct redis_cluster *ret, struct redis_client *c, struct error *err) MUST_CHECK;
/* The same from a reply: ERR_PROTOCOL for what is no answer to CLUSTER SLOTS, ERR_NOT_FOUND if nobody has slots. asked:
 * who answered, for shards that leave their name out. */
int redis_cluster_parse(struct redis_cluster *ret, const struct resp_node *reply, size_t n,
			const struct endpoint *asked) MUST_CHECK;
void redis_cluster_release(struct redis_cluster *k);

/* CRC16 (XMODEM) of the hash tag, or of the whole key, mod 16384. */
unsigned redis_slot(const char *key, size_t len);
/* "t" such that {t} hashes to a slot owned by the given shard: the lowest decimal number that does. */
int redis_shard_tag(const struct redis_cluster *k, unsigned shard, char *ret, size_t size) MUST_CHECK;

#endif
