/*
 * aibench_run_inference_null - inferences that cost nothing: the ceiling of the tool itself, reports included.
 */
#include <stdio.h>

#include "cmd/common_run.h"
#include "drivers/null.h"

static int describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err)
{
	(void)options;
	(void)cfg;
	(void)err;
	snprintf(ret->label, sizeof(ret->label), "Null driver");
	return 0;
}

static const struct run_program program = {
	.name = "aibench_run_inference_null",
	.synopsis = "Sends inferences nowhere and answers them at once, to measure aibench itself.",
	.driver = &driver_null,
	.use_case = "creditcard-fraud",
	.describe = describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
