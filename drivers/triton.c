/*
 * triton.c - asks Triton: options, set-up and counters.
 */
#include "drivers/triton.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "drivers/json_answer.h"
#include "drivers/serving_driver.h"
#include "drivers/triton_codec.h"

#define SERVICE "/inference.GRPCInferenceService/"
#define JSON_SIZE_HEADER "inference-header-content-length"

struct triton {
	struct serving_driver base;
	struct triton_options options;
	struct triton_form form;
	struct call_header header;
	char json_size[24];
};

#define FIELD(f) offsetof(struct triton_options, f)

static const struct option option_table[] = {
	{"host", OPTION_STRING, FIELD(host),
	 "`host:port` of the server, or a comma list: workers take turns. The port is 8001, for HTTP 8000, if left "
	 "out.",
	 0, 0},
	{"model", OPTION_STRING, FIELD(model),
	 "`name` of the model (default \"" TRITON_VISION_MODEL "\" for images, \"financialNet\", "
	 "\"financialNet_NoReference\" without reference data).",
	 0, 0},
	{"model-version", OPTION_STRING, FIELD(version), "`version` of the model; empty: the server's choice.", 0, 0},
	{"protocol", OPTION_STRING, FIELD(protocol), "`grpc` (ModelInfer) or http (the binary tensor extension).", 0,
	 0},
	{"input-name", OPTION_STRING, FIELD(input_name), "`name` of the input that takes images.", 0, 0},
	{"output-name", OPTION_STRING, FIELD(output_name),
	 "`name` of the output (default: of AIBench's models); empty: the model's first.", 0, 0},
	SERVING_OPTIONS(struct triton_options),
	{0},
};

static void options_defaults(void *options)
{
	*(struct triton_options *)options = (struct triton_options){
		.serving = SERVING_OPTIONS_DEFAULTS,
		.host = "127.0.0.1",
		.version = "",
		.protocol = "grpc",
		.input_name = "input",
	};
}

/* "/v2/models/NAME[/versions/V]" and what follows. */
static void model_path(const struct triton *d, char path[SERVING_PATH_MAX], const char *rest)
{
	bool has_version = d->form.version != NULL;

	snprintf(path, SERVING_PATH_MAX, "/v2/models/%s%s%s%s", d->form.model, has_version ? "/versions/" : "",
		 has_version ? d->form.version : "", rest);
}

/* ---- is the model there? ---- */

static int check_grpc(const struct triton *d, struct endpoint *e, struct error *err)
{
	const struct triton_form *form = &d->form;
	struct buf request = {0}, reply = {0};
	bool ready = false;
	int status = -1, r;

	r = triton_model_request(&request, form->model, form->version);
	if (r < 0)
		error_set(err, ERR_NOMEM, "out of memory");
	else
		r = serving_ask_grpc(&d->base, e, SERVICE "ModelReady", &request, &status, &reply, err);
	if (r == ERR_SERVER && status == GRPC_STATUS_NOT_FOUND) {
		struct error why = *err;

		r = serving_model_missing(e, form->model, form->version, why.text, err);
	} else if (r == 0 && triton_ready(reply.data ? reply.data : "", reply.len, &ready) < 0) {
		r = error_set(err, ERR_PROTOCOL, "%s: its answer to ModelReady is no ModelReadyResponse",
			      endpoint_name(e));
	} else if (r == 0 && !ready) {
		r = serving_model_missing(e, form->model, form->version, "it is not ready", err);
	}
	buf_release(&request);
	buf_release(&reply);
	return r;
}

static int check_http(const struct triton *d, struct endpoint *e, struct error *err)
{
	char path[SERVING_PATH_MAX], words[ERROR_TEXT_MAX];
	struct buf body = {0};
	int status, r;

	model_path(d, path, "/ready");
	r = serving_ask_http(&d->base, e, path, &status, &body, err);
	if (r == 0 && status != 200) {
		if (!body.data || !json_words(words, sizeof(words), body.data, body.len, "error"))
			snprintf(words, sizeof(words), "HTTP status %d", status);
		r = serving_model_missing(e, d->form.model, d->form.version, words, err);
	}
	buf_release(&body);
	return r;
}

static int check(const struct serving_driver *base, struct endpoint *e, struct error *err)
{
	const struct triton *d = (const struct triton *)base;

	return base->protocol == CALL_GRPC ? check_grpc(d, e, err) : check_http(d, e, err);
}

/* ---- the driver ---- */

static int decode_grpc(const void *arg, const struct call_finished *f, float *values, size_t nvalues,
		       struct answer *ret, struct error *err)
{
	return triton_decode(arg, f->body, f->size, values, nvalues, ret, err);
}

static int decode_http(const void *arg, const struct call_finished *f, float *values, size_t nvalues,
		       struct answer *ret, struct error *err)
{
	return triton_decode_http(arg, f->body, f->size, f->header, values, nvalues, ret, err);
}

static int make_request(struct serving_driver *base)
{
	struct triton *d = (struct triton *)base;
	size_t json_size = 0;
	int r;

	if (base->protocol == CALL_GRPC) {
		snprintf(base->path, sizeof(base->path), "%s", SERVICE "ModelInfer");
		return triton_infer(&base->body, &d->form);
	}
	model_path(d, base->path, "/infer");
	r = triton_http(&base->body, &d->form, &json_size);
	snprintf(d->json_size, sizeof(d->json_size), "%zu", json_size);
	d->header = (struct call_header){JSON_SIZE_HEADER, d->json_size};
	return r;
}

static int check_names(const struct triton *d, struct error *err)
{
	int r = serving_check_name("-model", d->form.model, err);

	if (r == 0 && d->form.version)
		r = serving_check_name("-model-version", d->form.version, err);
	if (r == 0)
		r = serving_check_name("-input-name", d->form.input_name, err);
	if (r == 0 && d->form.output)
		r = serving_check_name("-output-name", d->form.output, err);
	return r;
}

static int plan(struct serving_driver *base, struct serving_plan *ret, struct error *err)
{
	struct triton *d = (struct triton *)base;
	struct triton_options *o = &d->options;
	const struct driver_config *cfg = &base->config;
	const char *output;
	int r;

	*o = *(const struct triton_options *)cfg->options;
	output = o->output_name ? o->output_name : cfg->spec->output;
	d->form = (struct triton_form){
		.spec = cfg->spec,
		.batch = cfg->batch,
		.model = serving_model(o->model, cfg->spec->name, cfg->reference, TRITON_VISION_MODEL),
		.version = *o->version ? o->version : NULL,
		.input_name = o->input_name,
		.output = *output ? output : NULL,
	};
	r = serving_protocol(&ret->protocol, o->protocol, "http", err);
	if (r < 0)
		return r;
	ret->host_option = "-host";
	ret->hosts = o->host;
	ret->port = ret->protocol == CALL_GRPC ? "8001" : "8000";
	ret->call = (struct serving_config){.options = &o->serving, .arg = &d->form, .decode = decode_grpc};
	if (ret->protocol == CALL_HTTP) {
		ret->call.decode = decode_http;
		ret->call.content_type = "application/octet-stream";
		ret->call.headers = &d->header;
		ret->call.nheaders = 1;
		ret->call.wanted_header = JSON_SIZE_HEADER;
		ret->call.error_member = "error";
	}
	return check_names(d, err);
}

static int triton_open(struct driver **ret, const struct driver_config *cfg, struct error *err)
{
	static const struct serving_kind kind = {.ops = &driver_triton,
						 .size = sizeof(struct triton),
						 .plan = plan,
						 .check = check,
						 .make_request = make_request};

	return serving_driver_open(ret, &kind, cfg, err);
}

static int stats_grpc(struct triton *d, struct endpoint *e, server_stat_fn *fn, void *arg, struct error *err)
{
	struct buf request = {0}, reply = {0};
	int status, r = triton_model_request(&request, d->form.model, d->form.version);

	if (r < 0)
		error_set(err, ERR_NOMEM, "out of memory");
	else
		r = serving_ask_grpc(&d->base, e, SERVICE "ModelStatistics", &request, &status, &reply, err);
	if (r == 0) {
		r = triton_statistics(reply.data ? reply.data : "", reply.len, endpoint_name(e), fn, arg);
		if (r < 0)
			error_set(err, (enum error_code)r, "%s: its statistics are no ModelStatisticsResponse",
				  endpoint_name(e));
	}
	buf_release(&request);
	buf_release(&reply);
	return r;
}

static int stats_http(struct triton *d, struct endpoint *e, server_stat_fn *fn, void *arg, struct error *err)
{
	char path[SERVING_PATH_MAX];
	struct buf body = {0};
	int status, r;

	model_path(d, path, "/stats");
	r = serving_ask_http(&d->base, e, path, &status, &body, err);
	if (r == 0 && status != 200)
		r = error_set(err, ERR_NOT_FOUND, "%s: no statistics at %s (HTTP status %d)", endpoint_name(e), path,
			      status);
	if (r == 0) {
		r = triton_statistics_http(body.data ? body.data : "", body.len, endpoint_name(e), fn, arg);
		if (r < 0)
			error_set(err, (enum error_code)r, "%s: its statistics are not as Triton gives them",
				  endpoint_name(e));
	}
	buf_release(&body);
	return r;
}

static int triton_stats(struct driver *driver, server_stat_fn *fn, void *arg, struct error *err)
{
	struct triton *d = (struct triton *)driver;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < d->base.servers.n; i++) {
		struct endpoint *e = d->base.servers.endpoints[i];

		r = d->base.protocol == CALL_GRPC ? stats_grpc(d, e, fn, arg, err) : stats_http(d, e, fn, arg, err);
	}
	return r;
}

const struct driver_ops driver_triton = {
	.name = "triton",
	.options = option_table,
	.options_size = sizeof(struct triton_options),
	.options_defaults = options_defaults,
	.open = triton_open,
	.submit = serving_driver_submit,
	.poll = serving_driver_poll,
	.server_stats = triton_stats,
	.ping_target = serving_driver_ping_target,
	.close = serving_driver_close,
};
