/*
 * http_routes.h - which method and path means what: one table of all protocols' endpoints.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_ROUTES_H
#define SERVERS_MODEL_SERVER_HTTP_ROUTES_H

#include <stdbool.h>
#include <stddef.h>

struct http_request;

/* Whose endpoints: their errors have their form, /metrics counts them apart. */
enum http_protocol { HTTP_TENSORFLOW, HTTP_TRITON, HTTP_TORCHSERVE, HTTP_REST, HTTP_OPERATION, HTTP_PROTOCOL_COUNT };
const char *http_protocol_name(enum http_protocol p);

/* Text within the path; not NUL-terminated. */
struct http_span {
	const char *text;
	size_t len; /* 0: the path names none */
};

/* What the variable parts of the path are. */
struct http_target {
	struct http_span model, version, label;
	const char *method, *path; /* all of it */
};

struct http_route {
	enum http_protocol protocol;
	bool post; /* takes POST (and PUT where TorchServe does), else GET and HEAD */
	/* {m}: model, {v}: version, {l}: label: each to the next slash or colon. */
	const char *pattern;
	/* Leaves an answer in the request or begins an inference. */
	void (*handle)(struct http_request *rq);
};

/*
 * The route of a path (percent-decoded), ret_target pointing into it and to the method; NULL where there is none (below
 * /v1/models there always is: TensorFlow Serving answers all of that itself). *ret_known: the path is one, but not for
 * this method. *ret_protocol: of the route, or by the look of the path.
 */
const struct http_route *http_route_find(const char *method, const char *path, struct http_target *ret_target,
					 bool *ret_known, enum http_protocol *ret_protocol);

#endif
