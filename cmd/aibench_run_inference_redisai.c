/*
 * aibench_run_inference_redisai - inferences on RedisAI servers, with or without reference data in Redis.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/common_run.h"
#include "drivers/redisai.h"

/* A port out of range is wrong usage, told before anything is looked up. */
static int check_ports(const char *ports, struct error *err)
{
	for (const char *p = ports;; p++) {
		size_t len = strcspn(p, ",");
		char *end;
		unsigned long port = strtoul(p, &end, 10);

		if (len == 0 || strspn(p, "0123456789") != len || port < 1 || port > UINT16_MAX)
			return error_set(err, ERR_USAGE, "-port %s: %.*s is no port from 1 to %d", ports, (int)len, p,
					 UINT16_MAX);
		p += len;
		if (!*p)
			return 0;
	}
}

static const char *truth(bool b)
{
	return b ? "true" : "false";
}

static int describe(struct run_description *ret, const void *options, bool reference, struct error *err)
{
	const struct redisai_options *o = options;
	const char *model = redisai_model(o, reference);
	int r = check_ports(o->port, err);

	if (r < 0)
		return r;
	if (o->model && !*o->model)
		return error_set(err, ERR_USAGE, "-model is empty: pass the key that the model is stored under");
	snprintf(ret->label, sizeof(ret->label), "RedisAI Query - %s :AI.%s", model,
		 o->use_dag ? "DAGRUN" : "MODELRUN");
	ret->config[0] = (struct key_value){"host", o->host};
	ret->config[1] = (struct key_value){"port", o->port};
	ret->config[2] = (struct key_value){"model", model};
	ret->config[3] = (struct key_value){"use-dag", truth(o->use_dag)};
	ret->config[4] = (struct key_value){"cluster-mode", truth(o->cluster_mode)};
	ret->config[5] = (struct key_value){"enable-reference-data-redis", truth(reference)};
	ret->nconfig = 6;
	return 0;
}

static const struct run_program program = {
	.name = "aibench_run_inference_redisai",
	.synopsis = "Sends the rows of a dataset to a model in RedisAI, checks the answers and reports the latencies.",
	.driver = &driver_redisai,
	.use_case = "creditcard-fraud",
	.network = true,
	.describe = describe,
};

int main(int argc, char **argv)
{
	return run_inference_main(&program, argc, argv);
}
