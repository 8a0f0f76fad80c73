/*
 * aibench_run_inference_redisai - inferences on RedisAI servers, with or without reference data in Redis.
 */
#include "cmd/common_redisai.h"
#include "drivers/redisai.h"

static const struct run_program program = {
	.name = "aibench_run_inference_redisai",
	.synopsis = "Sends the rows of a dataset to a model in RedisAI, checks the answers and reports the latencies.",
	.driver = &driver_redisai,
	.use_case = "creditcard-fraud",
	.network = true,
	.describe = redisai_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
