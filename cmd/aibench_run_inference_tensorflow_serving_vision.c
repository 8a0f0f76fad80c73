/*
 * aibench_run_inference_tensorflow_serving_vision - images to TensorFlow Serving.
 * The same program as aibench_run_inference_tensorflow_serving, with -use-case vision by default.
 */
#include "cmd/common_serving.h"
#include "drivers/tensorflow_serving.h"

static const struct run_program program = {
	.name = "aibench_run_inference_tensorflow_serving_vision",
	.synopsis = "Sends images to TensorFlow Serving, checks the answers and reports the latencies.",
	.driver = &driver_tensorflow_serving,
	.use_case = "vision-image-classification",
	.network = true,
	.describe = tensorflow_serving_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
