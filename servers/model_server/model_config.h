/*
 * model_config.h - Triton's config.pbtxt: what of it matters here. The rest is skipped.
 *
 * The format is the text form of inference.ModelConfig (model_config.proto of triton-inference-server/common).
 */
#ifndef SERVERS_MODEL_SERVER_MODEL_CONFIG_H
#define SERVERS_MODEL_SERVER_MODEL_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "engine/tensor.h"

#define MODEL_CONFIG_NAME_MAX 255
#define MODEL_CONFIG_TENSORS_MAX 64

struct model_config_tensor {
	char name[MODEL_CONFIG_NAME_MAX + 1];
	bool typed;
	enum dtype dtype;
	unsigned rank;
	int64_t dims[TENSOR_MAX_RANK]; /* without the batch; -1: free */
};

struct model_config {
	char name[MODEL_CONFIG_NAME_MAX + 1];
	char platform[MODEL_CONFIG_NAME_MAX + 1], backend[MODEL_CONFIG_NAME_MAX + 1]; /* empty: not given */
	char file[MODEL_CONFIG_NAME_MAX + 1];                                         /* default_model_filename */
	uint64_t max_batch_size;
	struct model_config_tensor inputs[MODEL_CONFIG_TENSORS_MAX], outputs[MODEL_CONFIG_TENSORS_MAX];
	size_t ninputs, noutputs;
	bool dynamic_batching;
	uint64_t max_queue_delay_us;
	uint64_t preferred_min, preferred_max; /* of preferred_batch_size; 0: none given */
};

/* ERR_FORMAT or ERR_RANGE with the line's number. ret is large: not for a small stack. */
int model_config_parse(struct model_config *ret, const char *text, size_t len, struct error *err) MUST_CHECK;

#endif
