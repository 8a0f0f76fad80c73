/*
 * redisai_internal.h - what the files of the RedisAI driver share.
 */
#ifndef DRIVERS_REDISAI_INTERNAL_H
#define DRIVERS_REDISAI_INTERNAL_H

#include "drivers/redis_transport.h"
#include "drivers/redisai.h"
#include "drivers/redisai_check.h"
#include "drivers/redisai_decode.h"
#include "drivers/redisai_encode.h"
#include "drivers/servers.h"
#include "net/redis_client.h"

#define REDISAI_TAG_MAX 24

/* One holder of the model: a server, or a shard of a Cluster. */
struct redisai_node {
	char *model; /* its key there */
	struct resp_template template;
	unsigned server; /* number in servers and transport; another than at first once the keys moved */
};

struct redisai_slot {
	struct request *request;
	nsec_t sent;
	nsec_t encoded; /* 0: stages are not told apart */
	unsigned home;  /* node of requests that could go anywhere */
	unsigned node;  /* of the request under way */
	bool asking, redirected, redirect_wanted;
	struct resp_scratch scratch;
	struct iovec *iov; /* the first is kept free for ASKING */
	struct answer answer;
	struct redisai_redirect redirect;
};

struct redisai {
	struct driver base;
	struct driver_config config;
	struct redisai_options options;
	bool by_reference; /* requests load their row's reference data */
	bool clustered;    /* the servers are shards of a Cluster */
	unsigned steps;    /* commands of an inference */
	struct servers servers;
	struct redis_cluster cluster;
	struct redisai_node **nodes; /* the first servers.n of them one a server, in the same order */
	unsigned nnodes;
	struct redisai_slot *slots;
	struct redis_transport *transport;
	struct redis_client **clients; /* of server_stats */
	unsigned nclients;
	char note[ERROR_TEXT_MAX];
};

/* Encodes the slot's request for its node and sends it to a server; ERR_AGAIN as submit. */
int redisai_send(struct redisai *d, unsigned slot, unsigned server);

/* Replaces the servers by the Cluster's shards; a standalone server stays, and base.note says so. */
int redisai_read_cluster(struct redisai *d, struct error *err) MUST_CHECK;
int redisai_nodes_make(struct redisai *d, struct error *err) MUST_CHECK;
void redisai_nodes_release(struct redisai *d);
/* A template as long as any node's can be. */
int redisai_widest_template(struct resp_template *t, const struct redisai *d) MUST_CHECK;

/* True where the row's id decides which node is asked. */
static inline bool redisai_routes_by_key(const struct redisai *d)
{
	return d->clustered && d->by_reference;
}

/* The node that has the reference data of row id. */
unsigned redisai_owner(const struct redisai *d, uint64_t id);
bool redisai_owns_reference(const struct redisai *d, unsigned server, uint64_t id);

/* Sends the slot's request where its redirection points. False: it cannot be followed, and the reply stands. */
bool redisai_follow(struct redisai *d, unsigned slot);

#endif
