/*
 * rest.h - the driver of plain REST servers, as AIBench's Flask with TensorFlow inside: multipart/form-data with a
 * tensor's bytes in each part, or JSON where the URI is /v1/….
 */
#ifndef DRIVERS_REST_H
#define DRIVERS_REST_H

#include "drivers/serving.h"

#define REST_BOUNDARY "aibench-4f1d7c62a0b94e3fb8c5"

struct rest_options {
	struct serving_options serving;
	const char *host, *uri; /* host: comma list */
	const char *metrics_uri;
};

extern const struct driver_ops driver_rest;

/* Zero-initialised t becomes the body, in parts or as JSON. */
int rest_multipart(struct body_template *t, const struct workload_spec *spec, unsigned batch) MUST_CHECK;
int rest_json(struct body_template *t, const struct workload_spec *spec, unsigned batch) MUST_CHECK;

#endif
