/*
 * triton.h - the driver of Triton and other servers of the Open Inference Protocol: ModelInfer over gRPC, or HTTP with
 * the binary tensor extension.
 */
#ifndef DRIVERS_TRITON_H
#define DRIVERS_TRITON_H

#include "drivers/serving.h"

#define TRITON_VISION_MODEL "mobilenet_v1_100_224_NxHxWxC" /* AIBench's */

struct triton_options {
	struct serving_options serving;
	const char *host; /* comma list */
	const char *model, *version;
	const char *protocol, *input_name, *output_name; /* output_name NULL: the workload's; "": the first */
};

extern const struct driver_ops driver_triton;

#endif
