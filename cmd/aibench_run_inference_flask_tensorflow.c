/*
 * aibench_run_inference_flask_tensorflow - inferences on a plain REST server, as AIBench's Flask with TensorFlow inside: multipart/form-data, or JSON.
 */
#include "cmd/common_run_options.h"
#include "cmd/common_serving.h"
#include "drivers/rest.h"

#define READ_TIMEOUT (5 * NSEC_PER_SEC) /* AIBench's default */

static void defaults(struct run_options *run, struct conn_options *conn, void *driver)
{
	(void)run;
	(void)driver;
	conn->timeout = READ_TIMEOUT;
}

static const struct run_program program = {
	.name = "aibench_run_inference_flask_tensorflow",
	.synopsis = "Sends the rows of a dataset to a plain REST server, checks the answers and reports the latencies.",
	.driver = &driver_rest,
	.use_case = "creditcard-fraud",
	.network = true,
	.conn_aliases = restapi_timeout,
	.defaults = defaults,
	.describe = rest_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
