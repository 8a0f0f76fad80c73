/*
 * aibench_run_inference_triton - inferences on Triton and other servers of the Open Inference Protocol: ModelInfer
 * over gRPC, or HTTP.
 */
#include "cmd/common_serving.h"
#include "drivers/triton.h"

static const struct run_program program = {
	.name = "aibench_run_inference_triton",
	.synopsis = "Sends the rows of a dataset to Triton, checks the answers and reports the latencies.",
	.driver = &driver_triton,
	.use_case = "creditcard-fraud",
	.network = true,
	.describe = triton_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
