/*
 * aibench_run_inference_redis_set - SET of each row's reference data in place of an inference: what the same client
 * and server reach when there is no model between them.
 */
#include <stdio.h>

#include "cmd/common_run.h"
#include "drivers/redis_set.h"

static int describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err)
{
	const struct redis_set_options *o = options;

	(void)cfg;
	(void)err;
	snprintf(ret->label, sizeof(ret->label), "Redis Query - SET");
	describe_setting(ret, "host", o->host);
	describe_setting(ret, "port", o->port);
	return 0;
}

static const struct run_program program = {
	.name = "aibench_run_inference_redis_set",
	.synopsis = "Stores the reference data of a dataset's rows with SET, to set an inference's rate beside.",
	.driver = &driver_redis_set,
	.use_case = "creditcard-fraud",
	.network = true,
	.describe = describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
