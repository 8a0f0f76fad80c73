/*
 * aibench_run_inference_redisai_vision - images to a classification model on RedisAI servers, several to a tensor if
 * asked to. The same program as aibench_run_inference_redisai, with AIBench's options and defaults for images.
 */
#include <stddef.h>

#include "cmd/common_redisai.h"
#include "cmd/common_run_options.h"
#include "drivers/redisai.h"

#define DIAL_READ_TIMEOUT (90 * NSEC_PER_SEC)

static const struct option run_aliases[] = {
	{"continue-on-error", OPTION_BOOL, offsetof(struct run_options, continue_on_error),
	 "Count error replies and go on, as long as there are other answers too; otherwise the first one ends the run.",
	 0, 0},
	{"verbose", OPTION_BOOL, offsetof(struct run_options, verbose), "Say on stderr what is about to run.", 0, 0},
	{0},
};

static const struct option conn_aliases[] = {
	{"dial-read-timeout", OPTION_DURATION, offsetof(struct conn_options, timeout), "The same as -timeout.", 1e6,
	 1e15},
	{0},
};

static void defaults(struct run_options *run, struct conn_options *conn, void *driver)
{
	struct redisai_options *o = driver;

	run->continue_on_error = true;
	conn->timeout = DIAL_READ_TIMEOUT;
	o->use_dag = false;
}

static const struct run_program program = {
	.name = "aibench_run_inference_redisai_vision",
	.synopsis = "Sends images to a model in RedisAI, -batch-size to a tensor, checks the answers and reports the "
		    "latencies.",
	.driver = &driver_redisai,
	.use_case = "vision-image-classification",
	.network = true,
	.run_aliases = run_aliases,
	.conn_aliases = conn_aliases,
	.v = "verbose",
	.defaults = defaults,
	.describe = redisai_describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
