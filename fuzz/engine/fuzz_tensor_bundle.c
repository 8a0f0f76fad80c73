/*
 * The index of a SavedModel's variables, and the Snappy streams that it may hold. Checksums would stop most inputs at
 * the door: the stream is therefore also decompressed on its own.
 */
#include <stdint.h>
#include <stdlib.h>

#include "engine/snappy.h"
#include "engine/tensor_bundle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tensor_bundle *b;
	unsigned char *out;
	struct error err;
	size_t len;

	if (tensor_bundle_parse(&b, data, size, &err) == 0)
		tensor_bundle_close(b);
	if (snappy_decompress(data, size, (size_t)1 << 20, &out, &len) == 0)
		free(out);
	return 0;
}
