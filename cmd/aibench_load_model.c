/*
 * aibench_load_model - stores a model file in RedisAI, on every shard of a cluster.
 */
#include <inttypes.h>
#include <stdio.h>
#include <strings.h>

#include "cmd/common.h"
#include "cmd/load_options.h"
#include "common/arith.h"
#include "loaders/redis_model.h"
#include "loaders/redis_target.h"

#define PROGRAM "aibench_load_model"

struct config {
	const char *redis_host, *model, *model_file, *backend, *device, *tag, *inputs, *outputs;
	uint64_t batch_size, min_batch_size;
	int64_t min_batch_timeout, debug;
	bool cluster_mode;
	struct conn_options conn;
};

#define FIELD(f) offsetof(struct config, f)
#define BATCH_MAX 1e9

static const struct option table[] = {
	{"model", OPTION_STRING, FIELD(model), "Key `name` of the model (in a cluster: {t}name on every shard).", 0, 0},
	{"model-file", OPTION_PATH, FIELD(model_file), "Model `file`.", 0, 0},
	REDIS_HOST_OPTION(FIELD(redis_host)),
	{"backend", OPTION_STRING, FIELD(backend), "TF, TFLITE, TORCH or ONNX.", 0, 0},
	{"device", OPTION_STRING, FIELD(device), "CPU or GPU, with :number for one of several.", 0, 0},
	{"inputs", OPTION_STRING, FIELD(inputs), "`names` of the input nodes, separated by commas (TF).", 0, 0},
	{"outputs", OPTION_STRING, FIELD(outputs), "`names` of the output nodes, separated by commas (TF).", 0, 0},
	{"tag", OPTION_STRING, FIELD(tag), "Tag of the model.", 0, 0},
	{"batchsize", OPTION_UINT, FIELD(batch_size), "Requests the server may run as one batch; 0: each on its own.",
	 0, BATCH_MAX},
	{"batch-size", OPTION_UINT, FIELD(batch_size), "The same as -batchsize.", 0, BATCH_MAX},
	{"minbatchsize", OPTION_UINT, FIELD(min_batch_size), "Requests the server waits for.", 0, BATCH_MAX},
	{"minbatchtimeout", OPTION_DURATION, FIELD(min_batch_timeout), "How long it waits for them; 0: for ever.", 0,
	 OPTION_DAY},
	CLUSTER_MODE_OPTION(FIELD(cluster_mode)),
	{"debug", OPTION_INT, FIELD(debug), "Accepted for the scripts.", 0, 0},
	{0},
};

static int check(const struct config *c, struct error *err)
{
	static const char *const backends[] = {"TF", "TFLITE", "TORCH", "ONNX"};
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		known = known || strcasecmp(c->backend, backends[i]) == 0;
	if (!known)
		return error_set(err, ERR_USAGE, "-backend %s: must be TF, TFLITE, TORCH or ONNX", c->backend);
	if (!c->model[0])
		return error_set(err, ERR_USAGE, "-model: the key to store the model under is missing");
	if (!c->model_file[0])
		return error_set(err, ERR_USAGE, "-model-file: the file to store is missing");
	if (strcasecmp(c->backend, "TF") == 0 && (!c->inputs[0] || !c->outputs[0]))
		return error_set(
			err, ERR_USAGE,
			"a TensorFlow graph needs the names of its inputs and outputs: -inputs "
			"transaction,reference -outputs output for the generated fraud net, -inputs transaction "
			"-outputs out for the one without reference data");
	if (c->min_batch_size > 0 && c->batch_size == 0)
		return error_set(err, ERR_USAGE, "-minbatchsize needs -batchsize");
	if (c->min_batch_timeout > 0 && c->min_batch_size == 0)
		return error_set(err, ERR_USAGE, "-minbatchtimeout needs -minbatchsize");
	return 0;
}

static int store(void *config, struct error *err)
{
	const struct config *c = config;
	struct redis_target target = {0};
	struct redis_model_summary summary;
	int rc = check(c, err);

	if (rc == 0)
		rc = redis_target_open(&target, c->redis_host, &c->conn, err);
	if (rc < 0)
		return rc;
	target.conn.interrupt = catch_signals();
	rc = redis_model_store(&summary,
			       &(struct redis_model_config){
				       .endpoint = target.endpoint,
				       .tls = target.tls,
				       .conn = &target.conn,
				       .database = target.url.database,
				       .cluster_mode = c->cluster_mode,
				       .name = c->model,
				       .path = c->model_file,
				       .backend = c->backend,
				       .device = c->device,
				       .tag = c->tag,
				       .inputs = c->inputs,
				       .outputs = c->outputs,
				       .batch_size = c->batch_size,
				       .min_batch_size = c->min_batch_size,
				       .min_batch_timeout = (uint64_t)(c->min_batch_timeout / NSEC_PER_MSEC),
			       },
			       err);
	if (rc == 0 && summary.cluster)
		printf("Stored {t}%s on %u shards of the cluster of %s (%" PRIu64 " bytes)\n", c->model, summary.shards,
		       endpoint_name(target.endpoint), summary.bytes);
	else if (rc == 0)
		printf("Stored %s on %s (%" PRIu64 " bytes)\n", c->model, endpoint_name(target.endpoint),
		       summary.bytes);
	redis_target_close(&target);
	return rc;
}

int main(int argc, char **argv)
{
	struct config config = {
		.redis_host = REDIS_HOST_DEFAULT,
		.model = "",
		.model_file = "",
		.backend = "TF",
		.device = "CPU",
		.tag = "",
		.inputs = "",
		.outputs = "",
	};
	const struct option_set sets[] = {{table, &config}, {conn_option_table, &config.conn}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Stores a model file in RedisAI, on every shard of a cluster.",
		.sets = sets,
		.nsets = 2,
	};

	conn_options_defaults(&config.conn);
	return program_main(&options, argc, argv, store, &config);
}
