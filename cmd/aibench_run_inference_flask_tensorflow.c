/*
 * aibench_run_inference_flask_tensorflow - inferences on a plain REST server, as AIBench's Flask with TensorFlow
 * inside: multipart/form-data, or JSON.
 */
#include "cmd/common_serving.h"
#include "drivers/rest.h"

static const struct run_program program = {
	.name = "aibench_run_inference_flask_tensorflow",
	.synopsis = "Sends the rows of a dataset to a plain REST server, checks the answers and reports the latencies.",
	.driver = &driver_rest,
	.use_case = "creditcard-fraud",
	.network = true,
	.conn_aliases = restapi_timeout,
	.defaults = http_defaults,
	.describe = rest_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
