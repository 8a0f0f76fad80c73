/*
 * aibench_run_inference_torchserve - inferences on TorchServe: JSON, images as they are.
 */
#include "cmd/common_serving.h"
#include "drivers/torchserve.h"

static const struct run_program program = {
	.name = "aibench_run_inference_torchserve",
	.synopsis = "Sends the rows of a dataset to TorchServe, checks the answers and reports the latencies.",
	.driver = &driver_torchserve,
	.use_case = "creditcard-fraud",
	.network = true,
	.conn_aliases = torchserve_timeout,
	.defaults = http_defaults,
	.describe = torchserve_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
