/*
 * torchserve.h - the driver of TorchServe: POST /predictions/MODEL with JSON for transactions, the raw float32 values
 * for images.
 */
#ifndef DRIVERS_TORCHSERVE_H
#define DRIVERS_TORCHSERVE_H

#include "drivers/serving.h"

struct torchserve_options {
	struct serving_options serving;
	const char *host, *uri; /* host: comma list; uri NULL: by the use case */
	const char *metrics_host, *metrics_uri;
};

extern const struct driver_ops driver_torchserve;

/* The path as given, or by the use case. */
const char *torchserve_uri(const struct torchserve_options *o, const char *use_case);

/* Zero-initialised t becomes the body. */
int torchserve_body(struct body_template *t, const struct workload_spec *spec, unsigned batch) MUST_CHECK;

#endif
