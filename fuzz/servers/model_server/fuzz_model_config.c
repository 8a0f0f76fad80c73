/*
 * fuzz_model_config.c - Triton's config.pbtxt.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "servers/model_server/model_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct model_config config; /* large */
	struct error err = {""};
	int r = model_config_parse(&config, (const char *)data, size, &err);

	if ((r < 0) != (err.text[0] != '\0') || config.ninputs > MODEL_CONFIG_TENSORS_MAX)
		abort();
	return 0;
}
