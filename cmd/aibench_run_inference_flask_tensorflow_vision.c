/*
 * aibench_run_inference_flask_tensorflow_vision - images to a plain REST server, as AIBench's Flask with TensorFlow inside.
 * The same program as aibench_run_inference_flask_tensorflow, with -use-case vision by default.
 */
#include "cmd/common_serving.h"
#include "drivers/rest.h"

static const struct run_program program = {
	.name = "aibench_run_inference_flask_tensorflow_vision",
	.synopsis = "Sends images to a plain REST server, checks the answers and reports the latencies.",
	.driver = &driver_rest,
	.use_case = "vision-image-classification",
	.network = true,
	.conn_aliases = restapi_timeout,
	.describe = rest_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
