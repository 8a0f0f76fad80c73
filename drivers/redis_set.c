/*
 * redis_set.c - SET referenceBLOB:{id} <the row's reference data>, as aibench_load_data stores it. The answer handed
 * back is one that the workload accepts, as the null driver's.
 */
#include "drivers/redis_set.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/arith.h"
#include "drivers/redis_transport.h"
#include "drivers/resp_template.h"
#include "drivers/servers.h"
#include "net/redis_advice.h"

#define FINISHED_MAX 64
#define KEY_MAX 128

struct set_slot {
	struct request *request;
	nsec_t sent, encoded; /* encoded 0: stages are not told apart */
	struct resp_scratch scratch;
	struct iovec iov[3];
};

struct redis_set {
	struct driver base;
	struct driver_config config;
	struct servers servers;
	struct resp_template template;
	struct redis_transport *transport;
	struct set_slot *slots;
	struct answer answer;
	float *values;
};

static const struct option option_table[] = {
	{"host", OPTION_STRING, offsetof(struct redis_set_options, host),
	 "`host` of the server, or a comma list: workers take turns.", 0, 0},
	{"port", OPTION_STRING, offsetof(struct redis_set_options, port),
	 "`port` of the server, or a comma list, one for each host.", 0, 0},
	{0},
};

static void options_defaults(void *options)
{
	*(struct redis_set_options *)options = (struct redis_set_options){.host = "localhost", .port = "6379"};
}

static void set_close(struct driver *driver)
{
	struct redis_set *d = (struct redis_set *)driver;

	if (!d)
		return;
	redis_transport_free(d->transport);
	for (unsigned i = 0; d->slots && i < d->config.slots; i++)
		free(d->slots[i].scratch.text);
	free(d->slots);
	free(d->values);
	resp_template_release(&d->template);
	servers_release(&d->servers);
	free(d);
}

static int judge_reply(void *arg, unsigned slot, unsigned index, const struct resp_node *nodes, size_t n,
		       struct error *err)
{
	(void)arg;
	(void)slot;
	(void)index;
	if (n == 1 && nodes[0].type == RESP_STATUS)
		return 0;
	if (nodes[0].type == RESP_ERROR) {
		error_set(err, ERR_SERVER, "%.*s",
			  (int)(nodes[0].len < REDIS_REPLY_SHOWN ? nodes[0].len : REDIS_REPLY_SHOWN), nodes[0].data);
		redis_advice_append(err, nodes[0].data, nodes[0].len);
		return ERR_SERVER;
	}
	return error_set(err, ERR_PROTOCOL, "the server's reply is not that of SET");
}

static int make_template(struct redis_set *d)
{
	char before[KEY_MAX];

	snprintf(before, sizeof(before), "%s{", d->config.spec->reference_blob_prefix);
	resp_template_command(&d->template, 3);
	resp_template_arg(&d->template, "SET");
	resp_template_key(&d->template, before, "}");
	resp_template_payload(&d->template, d->config.spec->reference_size);
	return resp_template_finish(&d->template);
}

static int make_memory(struct redis_set *d)
{
	size_t n;
	int r = make_template(d);

	d->slots = calloc((size_t)d->config.slots + 1, sizeof(*d->slots));
	d->values = size_mul(&n, d->config.spec->output_values, d->config.batch) ? calloc(n, sizeof(float)) : NULL;
	if (r < 0 || !d->slots || !d->values)
		return ERR_NOMEM;
	for (unsigned i = 0; i < d->config.slots; i++) {
		d->slots[i].scratch.text = malloc(d->template.text_max);
		if (!d->slots[i].scratch.text)
			return ERR_NOMEM;
	}
	for (size_t i = 0; i < n; i += d->config.spec->output_values)
		d->values[i] = 1;
	d->answer = (struct answer){.type = ELEMENT_FLOAT32, .data = d->values, .size = n * sizeof(float)};
	return 0;
}

static int open_connections(struct redis_set *d, struct error *err)
{
	const struct redis_transport_config cfg = {
		.slots = d->config.slots,
		.conn = d->config.conn,
		.tls = d->servers.tls,
		.seed = d->config.seed + d->config.first_slot,
		.reply = judge_reply,
		.arg = d,
	};
	int r = redis_transport_new(&d->transport, &cfg, err);

	for (unsigned i = 0; r >= 0 && i < d->servers.n; i++)
		r = redis_transport_add(d->transport, d->servers.endpoints[i]);
	for (unsigned i = 0; r >= 0 && i < d->config.slots; i++)
		r = redis_transport_dial(d->transport, i, servers_turn(&d->servers, d->config.first_slot + i));
	if (r < 0)
		return error_set(err, (enum error_code)r, "out of memory for %u connections", d->config.slots);
	return redis_transport_connect(d->transport, err);
}

static int set_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	const struct redis_set_options *o = cfg->options;
	struct redis_set *d;
	int r;

	if (!cfg->spec->reference_blob_prefix || cfg->batch != 1)
		return error_set(err, ERR_UNSUPPORTED, "%s: rows with reference data and a batch of 1 are needed",
				 cfg->spec->name);
	d = calloc(1, sizeof(*d));
	if (!d)
		return error_set(err, ERR_NOMEM, "out of memory");
	d->base.ops = &driver_redis_set;
	d->base.stages = cfg->stages ? 1U << STAGE_ENCODE | 1U << STAGE_SERVICE : 0;
	d->config = *cfg;
	r = make_memory(d);
	if (r < 0)
		error_set(err, (enum error_code)r, "out of memory");
	else
		r = servers_open(&d->servers,
				 &(struct servers_config){o->host, o->port, "-host", "-port", NULL, cfg->conn}, err);
	if (r == 0)
		r = open_connections(d, err);
	if (r < 0) {
		set_close(&d->base);
		return r;
	}
	*ret = &d->base;
	return 0;
}

static int set_submit(struct driver *driver, unsigned slot, struct request *req, nsec_t now)
{
	struct redis_set *d = (struct redis_set *)driver;
	const struct workload_spec *spec = d->config.spec;
	struct set_slot *s = &d->slots[slot];
	const struct view payload = {
		.data = (const char *)req->rows + spec->reference_offset,
		.size = spec->reference_size,
		.stride = spec->reference_size,
	};
	struct redis_exchange x = {
		.slot = slot,
		.server = servers_turn(&d->servers, d->config.first_slot + slot),
		.iov = s->iov,
		.nreplies = 1,
		.sent = now,
	};

	s->request = req;
	s->sent = now;
	x.iovcnt = resp_template_encode(&d->template, &s->scratch, req->id, &payload, 1, s->iov);
	s->encoded = d->config.stages ? clock_now() : 0;
	return redis_transport_send(d->transport, &x);
}

static int set_poll(struct driver *driver, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	struct redis_set *d = (struct redis_set *)driver;
	struct redis_finished finished[FINISHED_MAX];
	int n = redis_transport_poll(d->transport, deadline, finished, max < FINISHED_MAX ? max : FINISHED_MAX, err);

	for (int i = 0; i < n; i++) {
		const struct redis_finished *f = &finished[i];
		const struct set_slot *s = &d->slots[f->slot];

		done[i] = (struct completion){
			.request = s->request,
			.slot = f->slot,
			.outcome = outcome_of_code(f->code),
			.stamps = redis_stamps(s->sent, s->encoded, f->received),
			.answer = d->answer,
			.text = f->text,
		};
	}
	d->base.reconnects = redis_transport_reconnects(d->transport);
	return n;
}

static void set_ping_target(const struct driver *driver, struct ping_target *ret)
{
	*ret = servers_ping_target(&((const struct redis_set *)driver)->servers, PING_REDIS);
}

const struct driver_ops driver_redis_set = {
	.name = "redis_set",
	.options = option_table,
	.options_size = sizeof(struct redis_set_options),
	.options_defaults = options_defaults,
	.open = set_open,
	.submit = set_submit,
	.poll = set_poll,
	.ping_target = set_ping_target,
	.close = set_close,
};
