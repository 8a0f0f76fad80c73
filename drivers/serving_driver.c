/*
 * serving_driver.c - what the drivers over drivers/serving.h share; see the header.
 */
#include "drivers/serving_driver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/vision.h"

#define ALPN_HTTP "\x08http/1.1"

int serving_driver_submit(struct driver *driver, unsigned slot, struct request *req, nsec_t now)
{
	return serving_submit(((struct serving_driver *)driver)->serving, slot, req, now);
}

int serving_driver_poll(struct driver *driver, nsec_t deadline, struct completion *done, int max, struct error *err)
{
	struct serving_driver *d = (struct serving_driver *)driver;
	int n = serving_poll(d->serving, deadline, done, max, err);

	d->base.reconnects = serving_reconnects(d->serving);
	return n;
}

void serving_driver_ping_target(const struct driver *driver, struct ping_target *ret)
{
	const struct serving_driver *d = (const struct serving_driver *)driver;

	*ret = servers_ping_target(&d->servers, d->protocol == CALL_GRPC ? PING_GRPC : PING_HTTP);
}

void serving_driver_close(struct driver *driver)
{
	struct serving_driver *d = (struct serving_driver *)driver;

	if (!d)
		return;
	serving_close(d->serving);
	body_template_release(&d->body);
	servers_release(&d->servers);
	servers_release(&d->metrics);
	free(d);
}

/* ---- an open, step by step ---- */

static int find_servers(struct serving_driver *d, const struct serving_plan *plan, struct error *err)
{
	const struct servers_config cfg = {
		.hosts = plan->hosts,
		.ports = plan->port,
		.host_option = plan->host_option,
		.port_option = plan->host_option,
		.alpn = d->protocol == CALL_GRPC ? ALPN_HTTP2 : ALPN_HTTP,
		.conn = d->config.conn,
	};

	return servers_open(&d->servers, &cfg, err);
}

static int find_metrics(struct serving_driver *d, const struct serving_plan *plan, struct error *err)
{
	const struct servers_config cfg = {
		.hosts = plan->metrics_hosts,
		.ports = "8080",
		.host_option = "-metrics-host",
		.port_option = "-metrics-host",
		.conn = d->config.conn,
	};
	const char *unix_socket = d->config.conn->unix_socket;
	bool at_default = true; /* the server is, so that its metrics will be, too */
	int r = 0;

	if (!plan->metrics_hosts)
		return 0;
	if (*plan->metrics_hosts)
		return servers_open(&d->metrics, &cfg, err);
	for (unsigned i = 0; r >= 0 && i < d->servers.n; i++) {
		const struct endpoint *e = d->servers.endpoints[i];

		r = servers_add(&d->metrics, endpoint_host(e),
				plan->metrics_port ? plan->metrics_port : endpoint_port(e), unix_socket, err);
		at_default = at_default && (unix_socket || endpoint_port(e) == strtoul(plan->port, NULL, 10));
	}
	d->metrics_guessed = plan->metrics_port != 0 && !unix_socket;
	if (r >= 0 && d->metrics_guessed && !at_default)
		snprintf(d->metrics_note, sizeof(d->metrics_note),
			 "the server statistics are those of %s%s: where that is another server, pass -metrics-host",
			 endpoint_name(d->metrics.endpoints[0]), d->metrics.n > 1 ? " and others" : "");
	return r < 0 ? r : 0;
}

static int connect_slots(struct serving_driver *d, struct serving_config *call, struct error *err)
{
	if (d->config.slots == 0)
		return 0;
	call->driver = &d->config;
	call->transport = d->transport;
	call->servers = &d->servers;
	call->protocol = d->protocol;
	call->path = d->path;
	call->body = &d->body;
	return serving_open(&d->serving, call, err);
}

static int set_up(struct serving_driver *d, const struct serving_kind *kind, struct error *err)
{
	struct serving_plan plan = {0};
	int r = kind->plan(d, &plan, err);

	if (r == 0)
		r = serving_check_config(&d->config, err);
	d->protocol = plan.protocol;
	if (r == 0)
		r = call_transport_find(&d->transport, plan.protocol, plan.call.options->transport, err);
	if (r == 0)
		r = find_servers(d, &plan, err);
	if (r == 0)
		r = find_metrics(d, &plan, err);
	for (unsigned i = 0; r == 0 && kind->check && i < d->servers.n; i++)
		r = kind->check(d, d->servers.endpoints[i], err);
	if (r < 0)
		return r;
	r = kind->make_request(d);
	if (r < 0)
		return error_set(err, (enum error_code)r, "cannot make requests of %u rows: %s", d->config.batch,
				 error_message(r));
	return connect_slots(d, &plan.call, err);
}

int serving_driver_open(struct driver **ret, const struct serving_kind *kind, const struct driver_config *cfg,
			struct error *err)
{
	struct serving_driver *d = calloc(1, kind->size);
	int r;

	if (!d)
		return error_set(err, ERR_NOMEM, "out of memory");
	d->base.ops = kind->ops;
	d->base.stages = (cfg->reference ? 1U << STAGE_REFERENCE | 1U << STAGE_SERVICE : 0) |
			 (cfg->stages ? 1U << STAGE_ENCODE | 1U << STAGE_SERVICE | 1U << STAGE_DECODE : 0);
	d->config = *cfg;
	r = set_up(d, kind, err);
	if (r < 0)
		serving_driver_close(&d->base);
	else
		*ret = &d->base;
	return r;
}

/* ---- what options say, and questions to servers ---- */

int serving_protocol(enum call_protocol *ret, const char *given, const char *http, struct error *err)
{
	if (strcmp(given, http) != 0 && strcmp(given, "grpc") != 0)
		return error_set(err, ERR_USAGE, "-protocol %s: must be grpc or %s", given, http);
	*ret = strcmp(given, http) == 0 ? CALL_HTTP : CALL_GRPC;
	return 0;
}

int serving_check_name(const char *option, const char *name, struct error *err)
{
	if (!*name)
		return error_set(err, ERR_USAGE, "%s is empty", option);
	for (const char *p = name; *p; p++) {
		if ((unsigned char)*p <= ' ' || strchr("\"\\\x7f", *p))
			return error_set(err, ERR_USAGE, "%s %s: a blank, a quote or a backslash is no part of a name",
					 option, name);
	}
	if (strlen(name) > SERVING_PATH_MAX / 2)
		return error_set(err, ERR_USAGE, "%s: a name of %zu bytes is too long", option, strlen(name));
	return 0;
}

bool serving_is_vision(const struct driver_config *cfg)
{
	return strcmp(cfg->spec->name, workload_vision.name) == 0;
}

const char *serving_model(const char *given, const char *use_case, bool reference, const char *vision_default)
{
	if (given && *given)
		return given;
	if (strcmp(use_case, workload_vision.name) == 0)
		return vision_default;
	return reference ? "financialNet" : "financialNet_NoReference";
}

int serving_metrics(struct serving_driver *d, const char *path, server_stat_fn *fn, void *arg, struct error *err)
{
	int r = metrics_read(&d->metrics, d->config.conn, path, fn, arg, err);

	if (r == 0 && d->metrics.n > 0 && d->metrics_note[0])
		d->base.stats_note = d->metrics_note;
	return r;
}

int serving_model_missing(const struct endpoint *e, const char *model, const char *version, const char *why,
			  struct error *err)
{
	if (version)
		return error_set(err, ERR_NOT_FOUND,
				 "%s: no model \"%s\" in version %s to ask: %s: deploy it, or name another with -model "
				 "or -model-version",
				 endpoint_name(e), model, version, why);
	return error_set(err, ERR_NOT_FOUND, "%s: no model \"%s\" to ask: %s: deploy it, or name another with -model",
			 endpoint_name(e), model, why);
}

int serving_ask_grpc(const struct serving_driver *d, struct endpoint *e, const char *path, const struct buf *message,
		     int *ret_status, struct buf *ret, struct error *err)
{
	const struct grpc_fetch fetch = {
		.server = e,
		.conn = d->config.conn,
		.path = path,
		.message = message->data,
		.size = message->len,
	};

	return grpc_fetch(&fetch, ret_status, ret, err);
}

int serving_ask_http(const struct serving_driver *d, const struct endpoint *e, const char *path, int *ret_status,
		     struct buf *ret, struct error *err)
{
	const struct http_fetch fetch = {.server = e, .conn = d->config.conn, .path = path};

	return http_fetch(&fetch, ret_status, ret, err);
}
