#include "cmd/common_serving.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/options.h"
#include "drivers/rest.h"
#include "drivers/tensorflow_serving.h"
#include "drivers/torchserve.h"
#include "drivers/triton.h"

#define READ_TIMEOUT_DEFAULT (5 * NSEC_PER_SEC)
#define READ_TIMEOUT(name) \
	{ \
		name, OPTION_DURATION, offsetof(struct conn_options, timeout), "The same as -timeout.", 1e6, 1e15 \
	}

const struct option restapi_timeout[] = {READ_TIMEOUT("restapi-read-timeout"), {0}};
const struct option torchserve_timeout[] = {READ_TIMEOUT("torchserve-read-timeout"), {0}};

void http_defaults(struct run_options *run, struct conn_options *conn, void *driver)
{
	(void)run;
	(void)driver;
	conn->timeout = READ_TIMEOUT_DEFAULT;
}

void serving_describe(struct run_description *ret, const char *what, const char *model,
		      const struct serving_options *options, const struct run_config *cfg)
{
	snprintf(ret->label, sizeof(ret->label), "%s Query%s%.160s", what, *model ? " - " : "", model);
	describe_setting(ret, "transport", options->transport);
	describe_setting(ret, "enable-reference-data-redis", cfg->what.reference ? "true" : "false");
	if (cfg->what.reference)
		describe_setting(ret, "redis-host", options->redis_host);
}

static const char *version_text(struct run_description *d, int64_t version)
{
	snprintf(d->version, sizeof(d->version), "%" PRId64, version);
	return d->version;
}

int tensorflow_serving_describe(struct run_description *ret, const void *options, const struct run_config *cfg,
				struct error *err)
{
	const struct tensorflow_serving_options *o = options;
	const char *model;

	if (o->model && !*o->model)
		return error_set(err, ERR_USAGE, "-model is empty: pass the name that the server has it under");
	model = serving_model(o->model, cfg->workload->name, cfg->what.reference, SERVING_VISION_MODEL);
	serving_describe(ret, "TensorFlow Serving", model, &o->serving, cfg);
	describe_setting(ret, "tensorflow-serving-host", o->host);
	describe_setting(ret, "model", model);
	describe_setting(ret, "model-version", version_text(ret, o->version));
	describe_setting(ret, "protocol", o->protocol);
	return 0;
}

int triton_describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err)
{
	const struct triton_options *o = options;
	const char *model;

	if (o->model && !*o->model)
		return error_set(err, ERR_USAGE, "-model is empty: pass the name that the server has it under");
	model = serving_model(o->model, cfg->workload->name, cfg->what.reference, TRITON_VISION_MODEL);
	serving_describe(ret, "Triton", model, &o->serving, cfg);
	describe_setting(ret, "host", o->host);
	describe_setting(ret, "model", model);
	describe_setting(ret, "model-version", o->version);
	describe_setting(ret, "protocol", o->protocol);
	return 0;
}

int torchserve_describe(struct run_description *ret, const void *options, const struct run_config *cfg,
			struct error *err)
{
	const struct torchserve_options *o = options;
	const char *uri = torchserve_uri(o, cfg->workload->name);

	(void)err;
	serving_describe(ret, "TorchServe", uri, &o->serving, cfg);
	describe_setting(ret, "torchserve-host", o->host);
	describe_setting(ret, "torchserve-request-uri", uri);
	return 0;
}

int rest_describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err)
{
	const struct rest_options *o = options;

	(void)err;
	serving_describe(ret, "REST API", o->uri, &o->serving, cfg);
	describe_setting(ret, "restapi-host", o->host);
	describe_setting(ret, "restapi-request-uri", o->uri);
	return 0;
}
