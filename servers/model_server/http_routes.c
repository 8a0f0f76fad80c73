/*
 * http_routes.c - the table of endpoints and its search.
 */
#include "servers/model_server/http_routes.h"

#include <string.h>

#include "common/arith.h"
#include "servers/model_server/http_protocols.h"

/* The ones asked most come first; a fixed word comes before the variable that would match it. */
static const struct http_route ROUTES[] = {
	{HTTP_TENSORFLOW, true, "/v1/models/{m}:predict", tensorflow_predict},
	{HTTP_TENSORFLOW, true, "/v1/models/{m}/versions/{v}:predict", tensorflow_predict},
	{HTTP_TENSORFLOW, true, "/v1/models/{m}/labels/{l}:predict", tensorflow_predict},
	{HTTP_TRITON, true, "/v2/models/{m}/infer", triton_infer},
	{HTTP_TRITON, true, "/v2/models/{m}/versions/{v}/infer", triton_infer},
	{HTTP_TORCHSERVE, true, "/predictions/{m}", torchserve_predict},
	{HTTP_TORCHSERVE, true, "/predictions/{m}/{v}", torchserve_predict},
	{HTTP_REST, true, "/v2/predict", rest_predict_form},
	{HTTP_REST, true, "/v1/predict", rest_predict_json},

	{HTTP_TENSORFLOW, false, "/v1/models/{m}", tensorflow_status},
	{HTTP_TENSORFLOW, false, "/v1/models/{m}/versions/{v}", tensorflow_status},
	{HTTP_TENSORFLOW, false, "/v1/models/{m}/labels/{l}", tensorflow_status},
	{HTTP_TENSORFLOW, false, "/v1/models/{m}/metadata", tensorflow_metadata},
	{HTTP_TENSORFLOW, false, "/v1/models/{m}/versions/{v}/metadata", tensorflow_metadata},
	{HTTP_TENSORFLOW, false, "/v1/models/{m}/labels/{l}/metadata", tensorflow_metadata},

	{HTTP_TRITON, false, "/v2", triton_server},
	{HTTP_TRITON, false, "/v2/health/live", triton_live},
	{HTTP_TRITON, false, "/v2/health/ready", triton_ready},
	{HTTP_TRITON, false, "/v2/models/stats", triton_statistics},
	{HTTP_TRITON, false, "/v2/models/{m}", triton_model},
	{HTTP_TRITON, false, "/v2/models/{m}/versions/{v}", triton_model},
	{HTTP_TRITON, false, "/v2/models/{m}/ready", triton_model_ready},
	{HTTP_TRITON, false, "/v2/models/{m}/versions/{v}/ready", triton_model_ready},
	{HTTP_TRITON, false, "/v2/models/{m}/config", triton_config},
	{HTTP_TRITON, false, "/v2/models/{m}/versions/{v}/config", triton_config},
	{HTTP_TRITON, true, "/v2/repository/index", triton_index},
	{HTTP_TRITON, false, "/v2/models/{m}/stats", triton_statistics},
	{HTTP_TRITON, false, "/v2/models/{m}/versions/{v}/stats", triton_statistics},

	{HTTP_TORCHSERVE, false, "/ping", torchserve_ping},
	{HTTP_TORCHSERVE, false, "/models", torchserve_models},
	{HTTP_TORCHSERVE, false, "/models/{m}", torchserve_model},
	{HTTP_TORCHSERVE, false, "/models/{m}/{v}", torchserve_model},

	{HTTP_OPERATION, false, "/", server_name},
	{HTTP_OPERATION, false, "/metrics", metrics_text},
	{HTTP_OPERATION, false, "/monitoring/prometheus/metrics", metrics_text},
};

/* What TensorFlow Serving has no endpoint for is a wrong request there, not an unknown path or method. */
#define TENSORFLOW_PATHS "/v1/models"
static const struct http_route MALFORMED = {HTTP_TENSORFLOW, false, TENSORFLOW_PATHS, tensorflow_malformed};

const char *http_protocol_name(enum http_protocol p)
{
	static const char *const NAMES[HTTP_PROTOCOL_COUNT] = {
		[HTTP_TENSORFLOW] = "tensorflow", [HTTP_TRITON] = "triton",
		[HTTP_TORCHSERVE] = "torchserve", [HTTP_REST] = "rest",
		[HTTP_OPERATION] = "operation",
	};

	return NAMES[p];
}

static struct http_span *variable(struct http_target *t, char letter)
{
	return letter == 'm' ? &t->model : letter == 'v' ? &t->version : &t->label;
}

static bool matches(const char *pattern, const char *path, struct http_target *ret)
{
	while (*pattern) {
		struct http_span *v;
		size_t len;

		if (*pattern != '{') {
			if (*pattern++ != *path++)
				return false;
			continue;
		}
		v = variable(ret, pattern[1]);
		pattern += strlen("{m}");
		len = strcspn(path, "/:");
		if (len == 0)
			return false;
		*v = (struct http_span){path, len};
		path += len;
	}
	return *path == '\0';
}

static bool takes_method(const struct http_route *r, const char *method)
{
	if (!r->post)
		return !strcmp(method, "GET") || !strcmp(method, "HEAD");
	return !strcmp(method, "POST") || (r->protocol == HTTP_TORCHSERVE && !strcmp(method, "PUT"));
}

/* Whose words an unknown path is answered in. */
static enum http_protocol protocol_of(const char *path)
{
	if (!strncmp(path, "/v2/models", 10) || !strncmp(path, "/v2/health", 10) ||
	    !strncmp(path, "/v2/repository", 14))
		return HTTP_TRITON;
	if (!strncmp(path, "/predictions", 12) || !strncmp(path, "/models", 7))
		return HTTP_TORCHSERVE;
	return HTTP_TENSORFLOW;
}

const struct http_route *http_route_find(const char *method, const char *path, struct http_target *ret_target,
					 bool *ret_known, enum http_protocol *ret_protocol)
{
	*ret_known = false;
	*ret_protocol = protocol_of(path);
	for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
		struct http_target target = {.method = method, .path = path};

		if (!matches(ROUTES[i].pattern, path, &target))
			continue;
		*ret_protocol = ROUTES[i].protocol;
		*ret_known = true;
		if (takes_method(&ROUTES[i], method)) {
			*ret_target = target;
			return &ROUTES[i];
		}
	}
	if (strncmp(path, TENSORFLOW_PATHS, strlen(TENSORFLOW_PATHS)) != 0)
		return NULL;
	*ret_target = (struct http_target){.method = method, .path = path};
	return &MALFORMED;
}
