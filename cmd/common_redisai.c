#include "cmd/common_redisai.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/redisai.h"
#include "workloads/vision.h"

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

/* The second histogram's heading, as AIBench words it: of its own vision models the device is left out, and a DAG says
 * whether it persists. */
static void word_label(struct run_description *ret, const struct redisai_options *o, const char *model, bool vision)
{
	size_t len = strlen(model);
	const char *how = !o->use_dag          ? "MODELRUN"
			  : o->persist_results ? "DAGRUN with persistency ON"
			  : vision             ? "DAGRUN with persistency OFF"
					       : "DAGRUN";

	if (vision && len > 4 && (strcmp(model + len - 4, "_cpu") == 0 || strcmp(model + len - 4, "_gpu") == 0))
		len -= 4;
	snprintf(ret->label, sizeof(ret->label), "RedisAI Query - %.*s :AI.%s", (int)(len < 160 ? len : 160), model,
		 how);
}

int redisai_describe(struct run_description *ret, const void *options, const struct run_config *cfg, struct error *err)
{
	const struct redisai_options *o = options;
	const char *use_case = cfg->workload->name, *model = redisai_model(o, use_case, cfg->what.reference);
	int r = check_ports(o->port, err);

	if (r < 0)
		return r;
	if (o->model && !*o->model)
		return error_set(err, ERR_USAGE, "-model is empty: pass the key that the model is stored under");
	word_label(ret, o, model, strcmp(use_case, workload_vision.name) == 0);
	describe_setting(ret, "host", o->host);
	describe_setting(ret, "port", o->port);
	describe_setting(ret, "model", model);
	describe_setting(ret, "use-dag", truth(o->use_dag));
	describe_setting(ret, "cluster-mode", truth(o->cluster_mode));
	describe_setting(ret, "enable-reference-data-redis", truth(cfg->what.reference));
	describe_setting(ret, "persist-results", truth(o->persist_results));
	return 0;
}
