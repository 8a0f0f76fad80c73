/*
 * rest.c - asks a plain REST server: POST /v2/predict with files `transaction` and `reference`, or `image`, or POST
 * /v1/predict with {"inputs":[…],"transaction":[[…]],"reference":[…]}. Both answer {"outputs":[[…]]}.
 */
#include "drivers/rest.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/json_answer.h"
#include "drivers/serving_driver.h"

struct rest {
	struct serving_driver base;
	struct rest_options options;
};

#define FIELD(f) offsetof(struct rest_options, f)

static const struct option option_table[] = {
	{"restapi-host", OPTION_STRING, FIELD(host),
	 "`host:port` of the server, or a comma list: workers take turns. The port is 8000 if left out.", 0, 0},
	{"restapi-request-uri", OPTION_STRING, FIELD(uri),
	 "`path` to post to: /v1/… as JSON, others as multipart/form-data.", 0, 0},
	{"metrics-uri", OPTION_STRING, FIELD(metrics_uri),
	 "`path` of the server's metrics in Prometheus' format, for the results; empty: they are not asked for.", 0, 0},
	SERVING_OPTIONS(struct rest_options),
	{0},
};

static void options_defaults(void *options)
{
	*(struct rest_options *)options = (struct rest_options){
		.serving = SERVING_OPTIONS_DEFAULTS,
		.host = "127.0.0.1",
		.uri = "/v2/predict",
		.metrics_uri = "",
	};
}

int rest_multipart(struct body_template *t, const struct workload_spec *spec, unsigned batch)
{
	t->batch = batch;
	for (unsigned i = 0; i < spec->ninputs; i++) {
		const char *name = spec->inputs[i].name;

		body_template_printf(t,
				     "%s--" REST_BOUNDARY "\r\n"
				     "Content-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
				     "Content-Type: application/octet-stream\r\n\r\n",
				     i ? "\r\n" : "", name, name);
		body_template_raw(t, i);
	}
	body_template_printf(t, "\r\n--" REST_BOUNDARY "--\r\n");
	return body_template_finish(t);
}

int rest_json(struct body_template *t, const struct workload_spec *spec, unsigned batch)
{
	t->batch = batch;
	body_template_printf(t, "{\"inputs\":[");
	for (unsigned i = 0; i < spec->ninputs; i++)
		body_template_printf(t, "%s\"%s\"", i ? "," : "", spec->inputs[i].name);
	body_template_printf(t, "]");
	for (unsigned i = 0; i < spec->ninputs; i++) {
		body_template_printf(t, ",\"%s\":", spec->inputs[i].name);
		body_template_json(t, spec, i, !spec->inputs[i].reference);
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

static bool is_json(const struct rest *d)
{
	return strncmp(d->options.uri, "/v1/", 4) == 0;
}

static int plan(struct serving_driver *base, struct serving_plan *ret, struct error *err)
{
	struct rest *d = (struct rest *)base;

	d->options = *(const struct rest_options *)base->config.options;
	*ret = (struct serving_plan){
		.protocol = CALL_HTTP,
		.host_option = "-restapi-host",
		.hosts = d->options.host,
		.port = "8000",
		.call = {.options = &d->options.serving,
			 .content_type =
				 is_json(d) ? "application/json" : "multipart/form-data; boundary=" REST_BOUNDARY,
			 .decode = decode,
			 .error_member = "error"},
	};
	return serving_check_name("-restapi-request-uri", d->options.uri, err);
}

static int make_request(struct serving_driver *d)
{
	const struct rest *r = (const struct rest *)d;

	snprintf(d->path, sizeof(d->path), "%s", r->options.uri);
	return is_json(r) ? rest_json(&d->body, d->config.spec, d->config.batch)
			  : rest_multipart(&d->body, d->config.spec, d->config.batch);
}

static int rest_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	static const struct serving_kind kind = {
		.ops = &driver_rest, .size = sizeof(struct rest), .plan = plan, .make_request = make_request};

	return serving_driver_open(ret, &kind, cfg, err);
}

static int rest_stats(struct driver *driver, server_stat_fn *fn, void *arg, struct error *err)
{
	struct rest *d = (struct rest *)driver;

	if (!*d->options.metrics_uri)
		return 0;
	return metrics_read(&d->base.servers, d->base.config.conn, d->options.metrics_uri, fn, arg, err);
}

const struct driver_ops driver_rest = {
	.name = "rest",
	.options = option_table,
	.options_size = sizeof(struct rest_options),
	.options_defaults = options_defaults,
	.open = rest_open,
	.submit = serving_driver_submit,
	.poll = serving_driver_poll,
	.server_stats = rest_stats,
	.ping_target = serving_driver_ping_target,
	.close = serving_driver_close,
};
