/*
 * tensorflow_serving.h - the driver of TensorFlow Serving: Predict over gRPC, or its REST API.
 */
#ifndef DRIVERS_TENSORFLOW_SERVING_H
#define DRIVERS_TENSORFLOW_SERVING_H

#include "drivers/serving.h"

struct tensorflow_serving_options {
	struct serving_options serving;
	const char *host; /* comma list */
	const char *model;
	int64_t version; /* 0: the latest */
	const char *protocol, *signature, *input_name, *output_name;
	const char *metrics_host, *metrics_uri;
};

extern const struct driver_ops driver_tensorflow_serving;

#endif
