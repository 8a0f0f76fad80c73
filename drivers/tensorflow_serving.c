/*
 * tensorflow_serving.c - asks TensorFlow Serving: options, set-up and counters.
 */
#include "drivers/tensorflow_serving.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/json_answer.h"
#include "drivers/serving_driver.h"
#include "drivers/tensorflow_serving_codec.h"

#define PREDICT "/tensorflow.serving.PredictionService/Predict"
#define GET_MODEL_STATUS "/tensorflow.serving.ModelService/GetModelStatus"
#define REST_PORT 8501

struct tensorflow_serving {
	struct serving_driver base;
	struct tensorflow_serving_options options;
	struct tensorflow_serving_form form;
	bool metrics_checked;
};

#define FIELD(f) offsetof(struct tensorflow_serving_options, f)

static const struct option option_table[] = {
	{"tensorflow-serving-host", OPTION_STRING, FIELD(host),
	 "`host:port` of the server, or a comma list: workers take turns. The port is 8500, for REST 8501, if left "
	 "out.",
	 0, 0},
	{"model", OPTION_STRING, FIELD(model),
	 "`name` of the model (default \"financialNet\", \"financialNet_NoReference\" without reference data, "
	 "\"" SERVING_VISION_MODEL "\" for images).",
	 0, 0},
	{"model-version", OPTION_INT, FIELD(version), "`version` of the model; 0: the latest that the server has.", 0,
	 1e15},
	{"protocol", OPTION_STRING, FIELD(protocol), "`grpc` (Predict) or rest (POST …:predict, JSON).", 0, 0},
	{"signature-name", OPTION_STRING, FIELD(signature), "`name` of the model's signature.", 0, 0},
	{"input-name", OPTION_STRING, FIELD(input_name), "`name` of the input that takes images.", 0, 0},
	{"output-name", OPTION_STRING, FIELD(output_name), "`name` of the output; empty: the model's first.", 0, 0},
	{"metrics-host", OPTION_STRING, FIELD(metrics_host),
	 "`host:port` of the server's metrics, or a comma list; empty: the server's host, port 8501, or with "
	 "-protocol rest the port that is asked.",
	 0, 0},
	{"metrics-uri", OPTION_STRING, FIELD(metrics_uri),
	 "`path` of the server's metrics, for the results; empty: they are not asked for.", 0, 0},
	SERVING_OPTIONS(struct tensorflow_serving_options),
	{0},
};

static void options_defaults(void *options)
{
	*(struct tensorflow_serving_options *)options = (struct tensorflow_serving_options){
		.serving = SERVING_OPTIONS_DEFAULTS,
		.host = "127.0.0.1",
		.version = 1,
		.protocol = "grpc",
		.signature = "serving_default",
		.input_name = "input",
		.output_name = "",
		.metrics_host = "",
		.metrics_uri = "/monitoring/prometheus/metrics",
	};
}

/* "/v1/models/NAME[/versions/V]" and what follows. */
static void model_path(const struct tensorflow_serving *d, char path[SERVING_PATH_MAX], const char *rest)
{
	char version[40] = "";

	if (d->form.version)
		snprintf(version, sizeof(version), "/versions/%" PRId64, d->form.version);
	snprintf(path, SERVING_PATH_MAX, "/v1/models/%s%s%s", d->form.model, version, rest);
}

static int check_names(const struct tensorflow_serving *d, struct error *err)
{
	int r = serving_check_name("-model", d->form.model, err);

	if (r == 0)
		r = serving_check_name("-signature-name", d->form.signature, err);
	if (r == 0)
		r = serving_check_name("-input-name", d->form.input_name, err);
	return r;
}

/* ---- is the model there? ---- */

static int missing(const struct tensorflow_serving *d, const struct endpoint *e, const char *why, struct error *err)
{
	char version[24];

	snprintf(version, sizeof(version), "%" PRId64, d->form.version);
	return serving_model_missing(e, d->form.model, d->form.version ? version : NULL, why, err);
}

static int check_grpc(const struct tensorflow_serving *d, struct endpoint *e, struct error *err)
{
	const struct tensorflow_serving_form *form = &d->form;
	struct buf request = {0}, reply = {0};
	struct error why;
	int status = -1, r;

	r = tensorflow_serving_status_request(&request, form->model, form->version);
	if (r < 0)
		error_set(err, ERR_NOMEM, "out of memory");
	else
		r = serving_ask_grpc(&d->base, e, GET_MODEL_STATUS, &request, &status, &reply, err);
	if (r == ERR_SERVER && status == GRPC_STATUS_NOT_FOUND) {
		why = *err;
		r = missing(d, e, why.text, err);
	} else if (r == ERR_SERVER && status == GRPC_STATUS_UNIMPLEMENTED) {
		r = 0; /* a server that has Predict alone */
	} else if (r == 0) {
		r = tensorflow_serving_status(reply.data ? reply.data : "", reply.len, form->version, &why);
		if (r < 0)
			r = missing(d, e, why.text, err);
	}
	buf_release(&request);
	buf_release(&reply);
	return r;
}

static int check_rest(const struct tensorflow_serving *d, struct endpoint *e, struct error *err)
{
	char path[SERVING_PATH_MAX], words[ERROR_TEXT_MAX];
	struct buf body = {0};
	struct error why;
	int status, r;

	snprintf(path, sizeof(path), "/v1/models/%s", d->form.model);
	r = serving_ask_http(&d->base, e, path, &status, &body, err);
	if (r == 0 && status != 200) {
		if (!body.data || !json_words(words, sizeof(words), body.data, body.len, "error"))
			snprintf(words, sizeof(words), "HTTP status %d", status);
		r = missing(d, e, words, err);
	} else if (r == 0) {
		r = tensorflow_serving_status_json(body.data ? body.data : "", body.len, d->form.version, &why);
		if (r < 0)
			r = missing(d, e, why.text, err);
	}
	buf_release(&body);
	return r;
}

static int check(const struct serving_driver *base, struct endpoint *e, struct error *err)
{
	const struct tensorflow_serving *d = (const struct tensorflow_serving *)base;

	return base->protocol == CALL_GRPC ? check_grpc(d, e, err) : check_rest(d, e, err);
}

/* ---- the driver ---- */

static int decode_grpc(const void *arg, const struct call_finished *f, float *values, size_t nvalues,
		       struct answer *ret, struct error *err)
{
	return tensorflow_serving_decode(arg, f->body, f->size, values, nvalues, ret, err);
}

static int decode_rest(const void *arg, const struct call_finished *f, float *values, size_t nvalues,
		       struct answer *ret, struct error *err)
{
	const struct tensorflow_serving_form *form = arg;

	return json_answer(f->body, f->size, form->output, values, nvalues, ret, err);
}

static int make_request(struct serving_driver *base)
{
	const struct tensorflow_serving_form *form = &((struct tensorflow_serving *)base)->form;

	if (base->protocol == CALL_GRPC) {
		snprintf(base->path, sizeof(base->path), "%s", PREDICT);
		return tensorflow_serving_predict(&base->body, form);
	}
	model_path((const struct tensorflow_serving *)base, base->path, ":predict");
	return tensorflow_serving_rest(&base->body, form);
}

static int plan(struct serving_driver *base, struct serving_plan *ret, struct error *err)
{
	struct tensorflow_serving *d = (struct tensorflow_serving *)base;
	struct tensorflow_serving_options *o = &d->options;
	const struct driver_config *cfg = &base->config;
	int r;

	*o = *(const struct tensorflow_serving_options *)cfg->options;
	d->form = (struct tensorflow_serving_form){
		.spec = cfg->spec,
		.batch = cfg->batch,
		.model = serving_model(o->model, cfg->spec->name, cfg->reference, SERVING_VISION_MODEL),
		.signature = o->signature,
		.version = o->version,
		.input_name = o->input_name,
		.output = *o->output_name ? o->output_name : NULL,
	};
	r = serving_protocol(&ret->protocol, o->protocol, "rest", err);
	if (r < 0)
		return r;
	ret->host_option = "-tensorflow-serving-host";
	ret->hosts = o->host;
	ret->port = ret->protocol == CALL_GRPC ? "8500" : "8501";
	ret->metrics_hosts = *o->metrics_uri ? o->metrics_host : NULL;
	ret->metrics_port = ret->protocol == CALL_GRPC ? REST_PORT : 0;
	ret->call = (struct serving_config){.options = &o->serving, .arg = &d->form, .decode = decode_grpc};
	if (ret->protocol == CALL_HTTP) {
		ret->call.decode = decode_rest;
		ret->call.content_type = "application/json";
		ret->call.error_member = "error";
	}
	return check_names(d, err);
}

static int tensorflow_serving_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	static const struct serving_kind kind = {.ops = &driver_tensorflow_serving,
						 .size = sizeof(struct tensorflow_serving),
						 .plan = plan,
						 .check = check,
						 .make_request = make_request};

	return serving_driver_open(ret, &kind, cfg, err);
}

/* TensorFlow Serving has its metrics at its REST port: where that was guessed, whatever listens there must have the model,
 * or its counters are of another server. */
static int check_metrics(struct tensorflow_serving *d, struct error *err)
{
	char path[SERVING_PATH_MAX];
	int status, r = 0;

	if (!d->base.metrics_guessed || d->metrics_checked)
		return 0;
	model_path(d, path, "");
	for (unsigned i = 0; r == 0 && i < d->base.metrics.n; i++) {
		const struct endpoint *e = d->base.metrics.endpoints[i];
		struct buf body = {0};

		r = serving_ask_http(&d->base, e, path, &status, &body, err);
		if (r == 0 && status != 200)
			r = error_set(err, ERR_NOT_FOUND,
				      "%s is another server: it has no %s (HTTP status %d): pass -metrics-host",
				      endpoint_name(e), path, status);
		buf_release(&body);
	}
	d->metrics_checked = r == 0;
	return r;
}

static int tensorflow_serving_stats(struct driver *driver, server_stat_fn *fn, void *arg, struct error *err)
{
	struct tensorflow_serving *d = (struct tensorflow_serving *)driver;

	int r = check_metrics(d, err);

	return r == 0 ? serving_metrics(&d->base, d->options.metrics_uri, fn, arg, err) : r;
}

const struct driver_ops driver_tensorflow_serving = {
	.name = "tensorflow_serving",
	.options = option_table,
	.options_size = sizeof(struct tensorflow_serving_options),
	.options_defaults = options_defaults,
	.open = tensorflow_serving_open,
	.submit = serving_driver_submit,
	.poll = serving_driver_poll,
	.server_stats = tensorflow_serving_stats,
	.ping_target = serving_driver_ping_target,
	.close = serving_driver_close,
};
