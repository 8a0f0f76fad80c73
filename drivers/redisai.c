/*
 * redisai.c - asks RedisAI servers: options, set-up, and the way of a request from a slot to its answer.
 *
 * On several hosts, slots take turns. On a Cluster every shard holds the model under a name with a hash tag of its
 * own: requests with reference data go to the shard that has their row's, others to the slot's shard, with keys of
 * that shard's tag. redisai_cluster.c finds the tags and follows redirections.
 */
#include "drivers/redisai.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/redisai_internal.h"
#include "workloads/vision.h"

#define FINISHED_MAX 64
#define MODEL_DEFAULT "financialNet"
#define MODEL_DEFAULT_NO_REFERENCE "financialNet_NoReference"
#define MODEL_DEFAULT_VISION "mobilenet_v1_100_224_cpu"

static const struct option option_table[] = {
	{"host", OPTION_STRING, offsetof(struct redisai_options, host),
	 "`host` of the server, or a comma list: workers take turns.", 0, 0},
	{"port", OPTION_STRING, offsetof(struct redisai_options, port),
	 "`port` of the server, or a comma list, one for each host.", 0, 0},
	{"model", OPTION_STRING, offsetof(struct redisai_options, model),
	 "`key` of the model (default \"" MODEL_DEFAULT "\", \"" MODEL_DEFAULT_NO_REFERENCE
	 "\" without reference data, \"" MODEL_DEFAULT_VISION "\" for images).",
	 0, 0},
	{"use-dag", OPTION_BOOL, offsetof(struct redisai_options, use_dag),
	 "One AI.DAGRUN an inference; false: AI.TENSORSET, AI.MODELRUN and AI.TENSORGET in a pipeline.", 0, 0},
	{"persist-results", OPTION_BOOL, offsetof(struct redisai_options, persist_results),
	 "With -use-dag: keep the answer as a tensor in Redis, as it is kept without.", 0, 0},
	{"cluster-mode", OPTION_BOOL, offsetof(struct redisai_options, cluster_mode),
	 "Read the Cluster's slots and spread the inferences over its shards.", 0, 0},
	{"model-filename", OPTION_IGNORED, 0, "AIBench's; no effect: models are stored before a run.", 0, 0},
	{"pool-pipeline-window", OPTION_IGNORED, 0, "AIBench's; no effect: requests are sent at once.", 0, 0},
	{"pool-pipeline-concurrency", OPTION_IGNORED, 0, "AIBench's; no effect: each worker has its connection.", 0, 0},
	{0},
};

static void options_defaults(void *options)
{
	*(struct redisai_options *)options = (struct redisai_options){
		.host = "localhost",
		.port = "6379",
		.use_dag = true,
	};
}

const char *redisai_model(const struct redisai_options *o, const char *use_case, bool reference)
{
	if (o->model && *o->model)
		return o->model;
	if (strcmp(use_case, workload_vision.name) == 0)
		return MODEL_DEFAULT_VISION;
	return reference ? MODEL_DEFAULT : MODEL_DEFAULT_NO_REFERENCE;
}

/* ---- set-up ---- */

static int check_options(const struct redisai *d, struct error *err)
{
	if (d->by_reference && d->config.batch > 1)
		return error_set(err, ERR_UNSUPPORTED,
				 "reference data is fetched row by row: with it the tensor batch can only be 1");
	if (d->by_reference && d->options.cluster_mode && !d->options.use_dag)
		return error_set(
			err, ERR_UNSUPPORTED,
			"on a Cluster, reference data needs -use-dag: the rows lie on other shards' hash slots "
			"than a model's keys");
	return 0;
}

static int check_servers(struct redisai *d, struct error *err)
{
	const struct workload_spec *spec = d->config.spec;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < d->servers.n; i++) {
		struct redis_client *c = NULL;

		r = redis_client_open(&c, d->servers.endpoints[i], d->servers.tls, d->config.conn, err);
		if (r == 0)
			r = redisai_check_model(c, d->nodes[i]->model, spec->ninputs, d->clustered, err);
		if (r == 0 && d->by_reference && redisai_owns_reference(d, i, d->config.first_id))
			r = redisai_check_reference(c, spec, d->config.first_id, err);
		redis_client_close(c);
	}
	return r;
}

/* Memory that a slot needs for any node's requests. */
static int make_slots(struct redisai *d)
{
	struct resp_template widest = {0};
	int r = redisai_widest_template(&widest, d);
	size_t niov = resp_template_iovecs(&widest, d->config.batch) + 1;

	d->slots = calloc(d->config.slots, sizeof(*d->slots));
	if (r == 0 && !d->slots)
		r = ERR_NOMEM;
	for (unsigned i = 0; r == 0 && i < d->config.slots; i++) {
		struct redisai_slot *s = &d->slots[i];

		s->home = servers_turn(&d->servers, d->config.first_slot + i);
		s->scratch.text = malloc(widest.text_max);
		s->iov = calloc(niov, sizeof(*s->iov));
		if (!s->scratch.text || !s->iov)
			r = ERR_NOMEM;
	}
	resp_template_release(&widest);
	return r;
}

static int judge_reply(void *arg, unsigned slot, unsigned index, const struct resp_node *nodes, size_t n,
		       struct error *err)
{
	struct redisai *d = arg;
	struct redisai_slot *s = &d->slots[slot];
	int r;

	if (s->asking && index == 0)
		return 0; /* to ASKING: the command's own reply tells */
	r = redisai_decode(d->options.use_dag, d->steps, index - s->asking, nodes, n, &s->answer, err);
	if (r == ERR_SERVER && !s->redirected && redisai_redirect(&s->redirect, &nodes[0])) {
		s->redirect_wanted = d->clustered;
		if (!d->clustered)
			error_set(err, ERR_SERVER, "this server is part of a Redis Cluster, pass -cluster-mode: %.*s",
				  (int)(nodes[0].len < 300 ? nodes[0].len : 300), nodes[0].data);
	}
	return r;
}

static int open_connections(struct redisai *d, struct error *err)
{
	const struct redis_transport_config cfg = {
		.slots = d->config.slots,
		.conn = d->config.conn,
		.tls = d->servers.tls,
		.seed = d->config.seed + d->config.first_slot,
		.reply = judge_reply,
		.arg = d,
	};
	int r = make_slots(d);

	if (r < 0)
		return error_set(err, (enum error_code)r, "out of memory for %u connections", d->config.slots);
	r = redis_transport_new(&d->transport, &cfg, err);
	for (unsigned i = 0; r >= 0 && i < d->servers.n; i++)
		r = redis_transport_add(d->transport, d->servers.endpoints[i]);
	for (unsigned i = 0; r >= 0 && i < d->config.slots; i++) {
		for (unsigned j = 0; r >= 0 && j < d->servers.n; j++) {
			/* A request with reference data may have to go anywhere in a Cluster. */
			if (redisai_routes_by_key(d) || j == d->slots[i].home)
				r = redis_transport_dial(d->transport, i, j);
		}
	}
	if (r < 0)
		return error_set(err, (enum error_code)r, "out of memory for %u connections", d->config.slots);
	return redis_transport_connect(d->transport, err);
}

static void redisai_close(struct driver *driver)
{
	struct redisai *d = (struct redisai *)driver;

	if (!d)
		return;
	redis_transport_free(d->transport);
	for (unsigned i = 0; d->slots && i < d->config.slots; i++) {
		free(d->slots[i].scratch.text);
		free(d->slots[i].iov);
	}
	free(d->slots);
	for (unsigned i = 0; i < d->nclients; i++)
		redis_client_close(d->clients[i]);
	free(d->clients);
	redisai_nodes_release(d);
	redis_cluster_release(&d->cluster);
	servers_release(&d->servers);
	free(d);
}

static int redisai_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	struct redisai *d = calloc(1, sizeof(*d));
	int r;

	if (!d)
		return error_set(err, ERR_NOMEM, "out of memory");
	d->base.ops = &driver_redisai;
	d->base.stages = cfg->stages ? 1U << STAGE_ENCODE | 1U << STAGE_SERVICE : 0;
	d->config = *cfg;
	d->options = *(const struct redisai_options *)cfg->options;
	d->by_reference = redisai_references(cfg->spec) > 0;
	d->steps = REDISAI_STEPS(cfg->spec);
	r = check_options(d, err);
	if (r == 0)
		r = servers_open(
			&d->servers,
			&(struct servers_config){d->options.host, d->options.port, "-host", "-port", NULL, cfg->conn},
			err);
	if (r == 0 && d->options.cluster_mode)
		r = redisai_read_cluster(d, err);
	if (r == 0)
		r = redisai_nodes_make(d, err);
	if (r == 0)
		r = check_servers(d, err);
	if (r == 0 && cfg->slots > 0)
		r = open_connections(d, err);
	if (r < 0) {
		redisai_close(&d->base);
		return r;
	}
	*ret = &d->base;
	return 0;
}

/* ---- requests ---- */

int redisai_send(struct redisai *d, unsigned slot, unsigned server)
{
	static const char ASKING[] = "*1\r\n$6\r\nASKING\r\n";
	struct redisai_slot *s = &d->slots[slot];
	const struct resp_template *t = &d->nodes[s->node]->template;
	struct redis_exchange x = {
		.slot = slot,
		.server = server,
		.iov = s->iov + 1,
		.nreplies = t->ncommands,
		.sent = s->sent,
		.wait_for_connection = s->redirected,
	};

	x.iovcnt = resp_template_encode(t, &s->scratch,
					d->config.spec->anonymous ? d->config.first_slot + slot : s->request->id,
					s->request->inputs, d->config.batch, x.iov);
	s->encoded = d->config.stages ? clock_now() : 0;
	if (s->asking) {
		*--x.iov = (struct iovec){.iov_base = (char *)(uintptr_t)ASKING, .iov_len = sizeof(ASKING) - 1};
		x.iovcnt++;
		x.nreplies++;
	}
	return redis_transport_send(d->transport, &x);
}

static int redisai_submit(struct driver *driver, unsigned slot, struct request *req, nsec_t now)
{
	struct redisai *d = (struct redisai *)driver;
	struct redisai_slot *s = &d->slots[slot];

	s->request = req;
	s->sent = now;
	s->asking = s->redirected = s->redirect_wanted = false;
	s->node = redisai_routes_by_key(d) ? redisai_owner(d, req->id) : s->home;
	return redisai_send(d, slot, d->nodes[s->node]->server);
}

static int redisai_poll(struct driver *driver, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	struct redisai *d = (struct redisai *)driver;
	struct redis_finished finished[FINISHED_MAX];
	int n = redis_transport_poll(d->transport, deadline, finished, max < FINISHED_MAX ? max : FINISHED_MAX, err);
	int ndone = 0;

	for (int i = 0; i < n; i++) {
		const struct redis_finished *f = &finished[i];
		struct redisai_slot *s = &d->slots[f->slot];

		if (s->redirect_wanted && redisai_follow(d, f->slot))
			continue;
		done[ndone++] = (struct completion){
			.request = s->request,
			.slot = f->slot,
			.outcome = outcome_of_code(f->code),
			.stamps = redis_stamps(s->sent, s->encoded, f->received),
			.answer = s->answer,
			.text = f->text,
		};
	}
	d->base.reconnects = redis_transport_reconnects(d->transport);
	return n < 0 ? n : ndone;
}

static int redisai_server_stats(struct driver *driver, server_stat_fn *fn, void *arg, struct error *err)
{
	struct redisai *d = (struct redisai *)driver;
	int r = 0;

	if (!d->clients) {
		d->clients = calloc(d->servers.n, sizeof(struct redis_client *));
		if (!d->clients)
			return error_set(err, ERR_NOMEM, "out of memory");
		d->nclients = d->servers.n;
	}
	for (unsigned i = 0; r == 0 && i < d->nclients; i++) {
		if (!d->clients[i])
			r = redis_client_open(&d->clients[i], d->servers.endpoints[i], d->servers.tls, d->config.conn,
					      err);
		if (r == 0)
			r = redisai_stats(d->clients[i], d->nodes[i]->model, fn, arg, err);
		if (r < 0) { /* the next call dials again */
			redis_client_close(d->clients[i]);
			d->clients[i] = NULL;
		}
	}
	return r;
}

static void redisai_ping_target(const struct driver *driver, struct ping_target *ret)
{
	*ret = servers_ping_target(&((const struct redisai *)driver)->servers, PING_REDIS);
}

const struct driver_ops driver_redisai = {
	.name = "redisai",
	.options = option_table,
	.options_size = sizeof(struct redisai_options),
	.options_defaults = options_defaults,
	.open = redisai_open,
	.submit = redisai_submit,
	.poll = redisai_poll,
	.server_stats = redisai_server_stats,
	.ping_target = redisai_ping_target,
	.close = redisai_close,
};
