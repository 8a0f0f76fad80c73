/*
 * reference.c - reference data from Redis; see the header.
 */
#include "drivers/reference.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/resp_template.h"
#include "drivers/servers.h"
#include "net/redis_client.h"

#define OPTION "-redis-host"
#define PORT "6379"
#define KEY_MAX 256
#define TLS_SCHEME "rediss://"

struct reference_slot {
	struct resp_scratch scratch;
	struct iovec iov;
	char *data; /* reference_size bytes: a call sends them while Redis' connection may already be another */
};

struct reference {
	const struct workload_spec *spec;
	struct conn_options conn; /* of Redis, not of the model server */
	struct servers servers;
	struct redis_transport *transport;
	struct resp_template get;
	struct reference_slot *slots;
	unsigned nslots, first_slot;
};

/* Loaded by whom, for messages. */
#define LOADER "load the dataset with aibench_load_data -set-blob"

/* A reply to GET that is no reference data. */
static int judge(const struct workload_spec *spec, const struct resp_node *reply, struct error *err)
{
	if (reply->type == RESP_ERROR)
		return error_set(err, ERR_SERVER, "Redis: %.*s", (int)(reply->len < 300 ? reply->len : 300),
				 reply->data);
	if (reply->type == RESP_NIL)
		return error_set(err, ERR_NOT_FOUND, "Redis has no reference data for the row: " LOADER);
	if (reply->type != RESP_STRING)
		return error_set(err, ERR_PROTOCOL, "Redis answered GET with something else than a string");
	if (reply->len != spec->reference_size)
		return error_set(err, ERR_INVALID,
				 "Redis has %zu bytes of reference data for the row, not %zu: " LOADER, reply->len,
				 spec->reference_size);
	return 0;
}

static int take_reply(void *arg, unsigned slot, unsigned index, const struct resp_node *nodes, size_t n,
		      struct error *err)
{
	struct reference *r = arg;
	int code = judge(r->spec, &nodes[0], err);

	(void)index;
	(void)n;
	if (code == 0)
		memcpy(r->slots[slot].data, nodes[0].data, r->spec->reference_size);
	return code;
}

static int check_first_row(const struct reference *r, const struct endpoint *e, uint64_t id, struct error *err)
{
	struct redis_client *c = NULL;
	const struct resp_node *nodes;
	struct error why;
	char key[KEY_MAX];
	const char *args[] = {"GET", key};
	size_t n;
	int code = redis_client_open(&c, e, r->servers.tls, &r->conn, &why);

	if (code < 0)
		return error_set(err, (enum error_code)code,
				 "the Redis of " OPTION ", which has the reference data: %s", why.text);

	snprintf(key, sizeof(key), "%s{%" PRIu64 "}", r->spec->reference_blob_prefix, id);
	code = redis_client_command(c, 2, args, NULL, &nodes, &n, err);
	if (code == 0 && nodes[0].type == RESP_ERROR)
		code = redis_client_refused(c, &nodes[0], err);
	else if (code == 0) {
		code = judge(r->spec, &nodes[0], &why);
		if (code < 0)
			error_set(err, (enum error_code)code, "%s: %s: %s", endpoint_name(e), key, why.text);
	}
	redis_client_close(c);
	return code;
}

static int make_slots(struct reference *r)
{
	char before[KEY_MAX];
	int code;

	snprintf(before, sizeof(before), "%s{", r->spec->reference_blob_prefix);
	resp_template_command(&r->get, 2);
	resp_template_arg(&r->get, "GET");
	resp_template_key(&r->get, before, "}");
	code = resp_template_finish(&r->get);
	r->slots = calloc(r->nslots, sizeof(*r->slots));
	if (code == 0 && !r->slots)
		code = ERR_NOMEM;
	for (unsigned i = 0; code == 0 && i < r->nslots; i++) {
		r->slots[i].scratch.text = malloc(r->get.text_max);
		r->slots[i].data = malloc(r->spec->reference_size);
		if (!r->slots[i].scratch.text || !r->slots[i].data)
			code = ERR_NOMEM;
	}
	return code;
}

static int connect_slots(struct reference *r, uint64_t seed, struct error *err)
{
	const struct redis_transport_config cfg = {
		.slots = r->nslots,
		.conn = &r->conn,
		.tls = r->servers.tls,
		.seed = seed + r->first_slot,
		.reply = take_reply,
		.arg = r,
	};
	int code = make_slots(r);

	if (code < 0)
		return error_set(err, (enum error_code)code, "out of memory for %u connections", r->nslots);
	code = redis_transport_new(&r->transport, &cfg, err);
	if (code < 0)
		return code;
	for (unsigned i = 0; code >= 0 && i < r->servers.n; i++)
		code = redis_transport_add(r->transport, r->servers.endpoints[i]);
	for (unsigned i = 0; code >= 0 && i < r->nslots; i++)
		code = redis_transport_dial(r->transport, i, servers_turn(&r->servers, r->first_slot + i));
	if (code < 0)
		return error_set(err, (enum error_code)code, "out of memory for %u connections", r->nslots);
	return redis_transport_connect(r->transport, err);
}

int reference_open(struct reference **ret, const struct driver_config *cfg, const char *hosts, struct error *err)
{
	struct reference *r = calloc(1, sizeof(*r));
	int code;

	if (!r)
		return error_set(err, ERR_NOMEM, "out of memory");
	r->spec = cfg->spec;
	r->nslots = cfg->slots;
	r->first_slot = cfg->first_slot;
	r->conn = *cfg->conn;
	r->conn.unix_socket = *hosts == '/' ? hosts : NULL;
	r->conn.tls = strncmp(hosts, TLS_SCHEME, strlen(TLS_SCHEME)) == 0;
	if (!r->conn.tls) {
		r->conn.ca_cert = r->conn.cert = r->conn.key = NULL;
		r->conn.insecure = false;
	}
	code = servers_open(
		&r->servers,
		&(struct servers_config){
			.hosts = hosts, .ports = PORT, .host_option = OPTION, .port_option = OPTION, .conn = &r->conn},
		err);
	for (unsigned i = 0; code == 0 && i < r->servers.n; i++)
		code = check_first_row(r, r->servers.endpoints[i], cfg->first_id, err);
	if (code == 0 && r->nslots > 0)
		code = connect_slots(r, cfg->seed, err);
	if (code < 0) {
		reference_close(r);
		return code;
	}
	*ret = r;
	return 0;
}

void reference_close(struct reference *r)
{
	if (!r)
		return;
	redis_transport_free(r->transport);
	for (unsigned i = 0; r->slots && i < r->nslots; i++) {
		free(r->slots[i].scratch.text);
		free(r->slots[i].data);
	}
	free(r->slots);
	resp_template_release(&r->get);
	servers_release(&r->servers);
	free(r);
}

int reference_fetch(struct reference *r, unsigned slot, uint64_t id, nsec_t sent)
{
	struct reference_slot *s = &r->slots[slot];
	struct redis_exchange x = {
		.slot = slot,
		.server = servers_turn(&r->servers, r->first_slot + slot),
		.iov = &s->iov,
		.nreplies = 1,
		.sent = sent,
	};

	x.iovcnt = resp_template_encode(&r->get, &s->scratch, id, NULL, 1, &s->iov);
	return redis_transport_send(r->transport, &x);
}

int reference_poll(struct reference *r, struct redis_finished *done, int max, struct error *err)
{
	return redis_transport_poll(r->transport, 0, done, max, err);
}

const void *reference_data(const struct reference *r, unsigned slot)
{
	return r->slots[slot].data;
}

const struct redis_transport *reference_transport(const struct reference *r)
{
	return r->transport;
}
