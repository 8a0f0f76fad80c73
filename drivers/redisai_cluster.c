/*
 * redisai_cluster.c - which server is asked: the shards of a Cluster, their tags, and redirections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/decimal.h"
#include "drivers/redisai_internal.h"

static int copy_shards(struct redisai *d, struct error *err)
{
	struct servers shards = {0};
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < d->cluster.nshards; i++)
		r = servers_add(&shards, d->cluster.shards[i].host, d->cluster.shards[i].port, NULL, err);
	if (r >= 0 && shards.n != d->cluster.nshards)
		r = error_set(err, ERR_PROTOCOL, "the Cluster lists one address for several shards");
	shards.tls = d->servers.tls;
	d->servers.tls = NULL;
	servers_release(&d->servers);
	d->servers = shards;
	return r < 0 ? r : 0;
}

int redisai_read_cluster(struct redisai *d, struct error *err)
{
	struct redis_client *c = NULL;
	int r = redis_client_open(&c, d->servers.endpoints[0], d->servers.tls, d->config.conn, err);

	if (r == 0)
		r = redis_cluster_read(&d->cluster, c, err);
	redis_client_close(c);
	if (r < 0)
		return r;
	if (d->cluster.enabled) {
		d->clustered = true;
		return copy_shards(d, err);
	}
	snprintf(d->note, sizeof(d->note), "-cluster-mode has no effect: %s is a standalone Redis",
		 endpoint_name(d->servers.endpoints[0]));
	d->base.note = d->note;
	return 0;
}

/* ---- nodes ---- */

/* How requests to a node look; tag NULL: a server that is no shard. */
static int describe(struct resp_template *t, const struct redisai *d, const char *model, const char *tag)
{
	const struct redisai_form form = {
		.spec = d->config.spec,
		.model = model,
		/* A DAG's own keys never reach the keyspace, and beside LOAD's they must not name another slot. */
		.tag = d->by_reference ? NULL : tag,
		.batch = d->config.batch,
		.dag = d->options.use_dag,
		.persist = d->options.persist_results,
	};

	return redisai_template(t, &form);
}

static char *model_key(const char *name, const char *tag)
{
	char *key = NULL;

	if (!tag)
		return strdup(name);
	return asprintf(&key, "{%s}%s", tag, name) < 0 ? NULL : key;
}

static void node_free(struct redisai_node *node)
{
	if (!node)
		return;
	resp_template_release(&node->template);
	free(node->model);
	free(node);
}

/* Adds the node of server number nnodes. */
static int add_node(struct redisai *d)
{
	const char *name = redisai_model(&d->options, d->config.spec->name, d->by_reference);
	struct redisai_node **nodes, *node;
	char tag[REDISAI_TAG_MAX];
	int r;

	if (d->clustered && (r = redis_shard_tag(&d->cluster, d->nnodes, tag, sizeof(tag))) < 0)
		return r;
	node = calloc(1, sizeof(*node));
	nodes = realloc(d->nodes, (d->nnodes + 1) * sizeof(*nodes));
	if (nodes)
		d->nodes = nodes;
	r = node && nodes ? 0 : ERR_NOMEM;
	if (r == 0) {
		node->server = d->nnodes;
		node->model = model_key(name, d->clustered ? tag : NULL);
		r = node->model ? describe(&node->template, d, node->model, d->clustered ? tag : NULL) : ERR_NOMEM;
	}
	if (r < 0)
		node_free(node);
	else
		d->nodes[d->nnodes++] = node;
	return r;
}

int redisai_nodes_make(struct redisai *d, struct error *err)
{
	while (d->nnodes < d->servers.n) {
		int r = add_node(d);

		if (r == ERR_NOT_FOUND)
			return error_set(err, ERR_NOT_FOUND, "%s: this shard of the Cluster serves no hash slots",
					 endpoint_name(d->servers.endpoints[d->nnodes]));
		if (r < 0)
			return error_set(err, (enum error_code)r, "cannot word a request: %s", error_message(r));
	}
	return 0;
}

void redisai_nodes_release(struct redisai *d)
{
	for (unsigned i = 0; i < d->nnodes; i++)
		node_free(d->nodes[i]);
	free(d->nodes);
}

int redisai_widest_template(struct resp_template *t, const struct redisai *d)
{
	char tag[REDISAI_TAG_MAX], *model;
	int r = ERR_NOMEM;

	memset(tag, '0', sizeof(tag) - 1);
	tag[sizeof(tag) - 1] = '\0';
	model = model_key(redisai_model(&d->options, d->config.spec->name, d->by_reference), tag);
	if (model)
		r = describe(t, d, model, tag);
	free(model);
	return r;
}

/* ---- routing ---- */

unsigned redisai_owner(const struct redisai *d, uint64_t id)
{
	char tag[DECIMAL_MAX];
	unsigned owner = d->cluster.slot_owner[redis_slot(tag, decimal_write(tag, id))];

	/* Nobody's slot: whoever is asked answers with the Cluster's error. */
	return owner < d->nnodes ? owner : 0;
}

bool redisai_owns_reference(const struct redisai *d, unsigned server, uint64_t id)
{
	return !d->clustered || redisai_owner(d, id) == server;
}

/* The number of the server that the redirection names, connected or not; ERR_… if it cannot be reached. */
static int target(struct redisai *d, const struct redisai_redirect *to, unsigned from)
{
	/* No host: the one that answered, on another port. */
	const char *host = *to->host ? to->host : endpoint_host(d->servers.endpoints[from]);
	unsigned known = d->servers.n;
	int server = servers_add(&d->servers, host, to->port, NULL, NULL);

	if (server == (int)known && redis_transport_add(d->transport, d->servers.endpoints[known]) != server)
		return ERR_NOMEM;
	return server;
}

/* Finds the node for a request that goes by its reference key; ERR_NOT_FOUND: the server holds no model we know of. */
static int reroute_by_key(struct redisai *d, const struct redisai_redirect *to, unsigned server)
{
	if (!to->ask)
		d->cluster.slot_owner[to->hash_slot] = (uint16_t)server;
	while (d->nnodes <= server) {
		int r = to->ask ? ERR_NOT_FOUND : add_node(d);

		if (r < 0)
			return r;
	}
	return 0;
}

bool redisai_follow(struct redisai *d, unsigned slot)
{
	struct redisai_slot *s = &d->slots[slot];
	int server = target(d, &s->redirect, d->nodes[s->node]->server);

	s->redirect_wanted = false;
	if (server < 0)
		return false;
	if (redisai_routes_by_key(d)) {
		if (reroute_by_key(d, &s->redirect, (unsigned)server) < 0)
			return false;
		s->node = (unsigned)server;
	} else if (!s->redirect.ask) {
		d->nodes[s->node]->server = (unsigned)server;
	}
	s->redirected = true;
	s->asking = s->redirect.ask;
	return redisai_send(d, slot, (unsigned)server) == 0;
}
