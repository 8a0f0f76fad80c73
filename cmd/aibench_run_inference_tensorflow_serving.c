/*
 * aibench_run_inference_tensorflow_serving - inferences on TensorFlow Serving: Predict over gRPC, or its REST API.
 */
#include "cmd/common_serving.h"
#include "drivers/tensorflow_serving.h"

static const struct run_program program = {
	.name = "aibench_run_inference_tensorflow_serving",
	.synopsis = "Sends the rows of a dataset to TensorFlow Serving, checks the answers and reports the latencies.",
	.driver = &driver_tensorflow_serving,
	.use_case = "creditcard-fraud",
	.network = true,
	.describe = tensorflow_serving_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
