/*
 * redisai_decode.h - what a RedisAI server answered to one inference: the tensor, an error, or the way to another node.
 */
#ifndef DRIVERS_REDISAI_DECODE_H
#define DRIVERS_REDISAI_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "net/resp.h"
#include "workloads/workload.h"

/*
 * Judges the reply to an AI.DAGRUN of `steps` commands (dag), or reply `index` of as many pipelined commands. The last
 * of them is the tensor: then *ret is its bytes, a view of the node. ERR_SERVER: an error reply, also one inside of a
 * DAG's, in the server's words; ERR_PROTOCOL: no reply to these commands. err may be NULL.
 */
int redisai_decode(bool dag, unsigned steps, unsigned index, const struct resp_node *nodes, size_t n,
		   struct answer *ret, struct error *err);

/* A cluster node's "MOVED slot host:port" or "ASK slot host:port". */
struct redisai_redirect {
	bool ask; /* for this request alone, after ASKING */
	unsigned hash_slot;
	char host[256];
	uint16_t port;
};

/* False: the reply is no redirection, or a malformed one. */
bool redisai_redirect(struct redisai_redirect *ret, const struct resp_node *node);

#endif
