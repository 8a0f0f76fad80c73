/*
 * aibench_run_inference_triton_vision - images to Triton and other servers of the Open Inference Protocol.
 * The same program as aibench_run_inference_triton, with -use-case vision by default.
 */
#include "cmd/common_serving.h"
#include "drivers/triton.h"

static const struct run_program program = {
	.name = "aibench_run_inference_triton_vision",
	.synopsis = "Sends images to Triton, checks the answers and reports the latencies.",
	.driver = &driver_triton,
	.use_case = "vision-image-classification",
	.network = true,
	.describe = triton_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
