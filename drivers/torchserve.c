/*
 * torchserve.c - asks TorchServe: the fraud handler {"transaction":[30],"reference":[256]} and gets {"outputs":[p0,p1]};
 * an image model gets the bytes of its tensor.
 */
#include "drivers/torchserve.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/json_answer.h"
#include "drivers/serving_driver.h"
#include "workloads/vision.h"

#define METRICS_PORT 8082
#define PREDICTIONS "/predictions/"

struct torchserve {
	struct serving_driver base;
	struct torchserve_options options;
};

#define FIELD(f) offsetof(struct torchserve_options, f)

static const struct option option_table[] = {
	{"torchserve-host", OPTION_STRING, FIELD(host),
	 "`host:port` of the server, or a comma list: workers take turns. The port is 8080 if left out.", 0, 0},
	{"torchserve-request-uri", OPTION_STRING, FIELD(uri),
	 "`path` to post to (default \"" PREDICTIONS "financial\", \"" PREDICTIONS SERVING_VISION_MODEL
	 "\" for images).",
	 0, 0},
	{"metrics-host", OPTION_STRING, FIELD(metrics_host),
	 "`host:port` of the server's metrics, or a comma list; empty: the server's host, port 8082.", 0, 0},
	{"metrics-uri", OPTION_STRING, FIELD(metrics_uri),
	 "`path` of the server's metrics, for the results; empty: they are not asked for.", 0, 0},
	SERVING_OPTIONS(struct torchserve_options),
	{0},
};

static void options_defaults(void *options)
{
	*(struct torchserve_options *)options = (struct torchserve_options){
		.serving = SERVING_OPTIONS_DEFAULTS,
		.host = "127.0.0.1",
		.metrics_host = "",
		.metrics_uri = "/metrics",
	};
}

const char *torchserve_uri(const struct torchserve_options *o, const char *use_case)
{
	if (o->uri)
		return o->uri;
	return strcmp(use_case, workload_vision.name) == 0 ? PREDICTIONS SERVING_VISION_MODEL : PREDICTIONS "financial";
}

int torchserve_body(struct body_template *t, const struct workload_spec *spec, unsigned batch)
{
	t->batch = batch;
	if (spec->inputs[0].ndims > 2) {
		body_template_raw(t, 0);
		return body_template_finish(t);
	}
	if (batch > 1)
		return ERR_UNSUPPORTED;
	for (unsigned i = 0; i < spec->ninputs; i++) {
		body_template_printf(t, "%c\"%s\":", i ? ',' : '{', spec->inputs[i].name);
		body_template_json(t, spec, i, false);
	}
	body_template_printf(t, "}");
	return body_template_finish(t);
}

static int decode(const void *arg, const struct call_finished *f, float *values, size_t nvalues, struct answer *ret,
		  struct error *err)
{
	(void)arg;
	return json_answer(f->body, f->size, NULL, values, nvalues, ret, err);
}

static int check(const struct serving_driver *d, struct endpoint *e, struct error *err)
{
	struct buf body = {0};
	int status, r = serving_ask_http(d, e, "/ping", &status, &body, err);

	if (r == 0 && status != 200)
		r = error_set(err, ERR_UNSUPPORTED,
			      "%s: HTTP status %d to GET /ping: is it TorchServe's inference port, and healthy?",
			      endpoint_name(e), status);
	buf_release(&body);
	return r;
}

static int plan(struct serving_driver *base, struct serving_plan *ret, struct error *err)
{
	struct torchserve *d = (struct torchserve *)base;
	bool vision = serving_is_vision(&base->config);

	d->options = *(const struct torchserve_options *)base->config.options;
	*ret = (struct serving_plan){
		.protocol = CALL_HTTP,
		.host_option = "-torchserve-host",
		.hosts = d->options.host,
		.port = "8080",
		.metrics_hosts = *d->options.metrics_uri ? d->options.metrics_host : NULL,
		.metrics_port = METRICS_PORT,
		.call = {.options = &d->options.serving,
			 .content_type = vision ? "application/octet-stream" : "application/json",
			 .decode = decode,
			 .error_member = "message"},
	};
	if (!vision && base->config.batch > 1)
		return error_set(err, ERR_UNSUPPORTED,
				 "a request of TorchServe's fraud handler is one row: pass -batch-size 1");
	return serving_check_name("-torchserve-request-uri", torchserve_uri(&d->options, base->config.spec->name), err);
}

static int make_request(struct serving_driver *d)
{
	const struct torchserve *t = (const struct torchserve *)d;

	snprintf(d->path, sizeof(d->path), "%s", torchserve_uri(&t->options, d->config.spec->name));
	return torchserve_body(&d->body, d->config.spec, d->config.batch);
}

static int torchserve_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	static const struct serving_kind kind = {.ops = &driver_torchserve,
						 .size = sizeof(struct torchserve),
						 .plan = plan,
						 .check = check,
						 .make_request = make_request};

	return serving_driver_open(ret, &kind, cfg, err);
}

static int torchserve_stats(struct driver *driver, server_stat_fn *fn, void *arg, struct error *err)
{
	struct torchserve *d = (struct torchserve *)driver;

	return serving_metrics(&d->base, d->options.metrics_uri, fn, arg, err);
}

const struct driver_ops driver_torchserve = {
	.name = "torchserve",
	.options = option_table,
	.options_size = sizeof(struct torchserve_options),
	.options_defaults = options_defaults,
	.open = torchserve_open,
	.submit = serving_driver_submit,
	.poll = serving_driver_poll,
	.server_stats = torchserve_stats,
	.ping_target = serving_driver_ping_target,
	.close = serving_driver_close,
};
