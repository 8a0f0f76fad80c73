/*
 * shards.h - the servers of a load: one, or each shard of a cluster, found out by asking.
 */
#ifndef LOADERS_SHARDS_H
#define LOADERS_SHARDS_H

#include "net/redis_client.h"

/* Zero-initialise. */
struct shards {
	struct redis_cluster cluster;
	struct endpoint **endpoints;       /* of a cluster's shards; NULL: standalone */
	const struct endpoint *standalone; /* not owned */
};

/* Asks the server at e. A cluster that serves not all slots is an error. Where the user did not say that it is one
 * (must_tell false), a server that does not answer the question counts as standalone. */
int shards_find(struct shards *ret, const struct endpoint *e, const struct tls_config *tls,
		const struct conn_options *o, bool must_tell, struct error *err) MUST_CHECK;
void shards_release(struct shards *s);

unsigned shards_count(const struct shards *s);
const struct endpoint *shards_endpoint(const struct shards *s, unsigned shard);

#endif
