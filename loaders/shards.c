/*
 * shards.c - who is to be connected to.
 */
#include "loaders/shards.h"

#include <stdlib.h>

unsigned shards_count(const struct shards *s)
{
	return s->endpoints ? s->cluster.nshards : 1;
}

const struct endpoint *shards_endpoint(const struct shards *s, unsigned shard)
{
	return s->endpoints ? s->endpoints[shard] : s->standalone;
}

void shards_release(struct shards *s)
{
	for (unsigned i = 0; s->endpoints && i < s->cluster.nshards; i++)
		endpoint_free(s->endpoints[i]);
	free(s->endpoints);
	redis_cluster_release(&s->cluster);
	*s = (struct shards){0};
}

static int check_slots(const struct redis_cluster *k, const char *server, struct error *err)
{
	for (unsigned slot = 0; slot < REDIS_SLOTS; slot++) {
		if (k->slot_owner[slot] >= k->nshards)
			return error_set(err, ERR_SERVER, "%s: nobody in the cluster serves slot %u: is it complete?",
					 server, slot);
	}
	return 0;
}

static int resolve(struct shards *s, struct error *err)
{
	s->endpoints = calloc(s->cluster.nshards, sizeof(struct endpoint *));
	if (!s->endpoints)
		return error_set(err, ERR_NOMEM, "out of memory for the shards' addresses");
	for (unsigned i = 0; i < s->cluster.nshards; i++) {
		const struct redis_shard *shard = &s->cluster.shards[i];
		int rc = endpoint_resolve(&s->endpoints[i], shard->host, shard->port, NULL, err);

		if (rc < 0)
			return rc;
	}
	return 0;
}

int shards_find(struct shards *ret, const struct endpoint *e, const struct tls_config *tls,
		const struct conn_options *o, bool must_tell, struct error *err)
{
	struct shards s = {.standalone = e};
	struct redis_client *client;
	int rc = redis_client_open(&client, e, tls, o, err);

	if (rc < 0)
		return rc;
	rc = redis_cluster_read(&s.cluster, client, err);
	if (rc == ERR_SERVER && !must_tell)
		rc = 0;
	if (rc == 0 && s.cluster.enabled)
		rc = check_slots(&s.cluster, redis_client_name(client), err);
	if (rc == 0 && s.cluster.enabled)
		rc = resolve(&s, err);
	redis_client_close(client);
	if (rc < 0) {
		shards_release(&s);
		return rc;
	}
	*ret = s;
	return 0;
}
