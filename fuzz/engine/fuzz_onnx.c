/* ONNX models: see fuzz_model.h. */
#include "fuzz/engine/fuzz_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_model(MODEL_ONNX, data, size);
}
