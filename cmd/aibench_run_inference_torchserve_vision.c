/*
 * aibench_run_inference_torchserve_vision - images to TorchServe.
 * The same program as aibench_run_inference_torchserve, with -use-case vision by default.
 */
#include "cmd/common_serving.h"
#include "drivers/torchserve.h"

static const struct run_program program = {
	.name = "aibench_run_inference_torchserve_vision",
	.synopsis = "Sends images to TorchServe, checks the answers and reports the latencies.",
	.driver = &driver_torchserve,
	.use_case = "vision-image-classification",
	.network = true,
	.conn_aliases = torchserve_timeout,
	.describe = torchserve_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
