/*
 * aibench_run_inference_torchserve - inferences on TorchServe: JSON, images as they are.
 */
#include "cmd/common_run_options.h"
#include "cmd/common_serving.h"
#include "drivers/torchserve.h"

#define READ_TIMEOUT (5 * NSEC_PER_SEC) /* AIBench's default */

static void defaults(struct run_options *run, struct conn_options *conn, void *driver)
{
	(void)run;
	(void)driver;
	conn->timeout = READ_TIMEOUT;
}

static const struct run_program program = {
	.name = "aibench_run_inference_torchserve",
	.synopsis = "Sends the rows of a dataset to TorchServe, checks the answers and reports the latencies.",
	.driver = &driver_torchserve,
	.use_case = "creditcard-fraud",
	.network = true,
	.conn_aliases = torchserve_timeout,
	.defaults = defaults,
	.describe = torchserve_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
