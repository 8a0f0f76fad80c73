/*
 * aibench_load_data - stores the reference data of a dataset in Redis, as strings and as tensors.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/common.h"
#include "cmd/load_options.h"
#include "common/text.h"
#include "loaders/redis_data.h"
#include "loaders/redis_target.h"
#include "workloads/fraud.h"

#define PROGRAM "aibench_load_data"

struct config {
	const char *use_case, *file, *redis_host;
	uint64_t workers, pipeline, max_inserts;
	int64_t reporting_period, debug;
	bool set_blob, set_tensor, cluster_mode;
	struct conn_options conn;
};

static const struct option table[] = {
	{"file", OPTION_PATH, offsetof(struct config, file), "Dataset `file`; none: standard input.", 0, 0},
	REDIS_HOST_OPTION(offsetof(struct config, redis_host)),
	{"workers", OPTION_UINT, offsetof(struct config, workers), "Connections (in a cluster: to every shard).", 1,
	 4096},
	{"pipeline", OPTION_UINT, offsetof(struct config, pipeline), "Commands on their way on each connection.", 1,
	 100000},
	{"max-inserts", OPTION_UINT, offsetof(struct config, max_inserts), "Rows to load; 0: all.", 0, 0},
	{"set-blob", OPTION_BOOL, offsetof(struct config, set_blob), "Store plain strings: SET referenceBLOB:{id}.", 0,
	 0},
	{"set-tensor", OPTION_BOOL, offsetof(struct config, set_tensor),
	 "Store tensors: AI.TENSORSET referenceTensor:{id}.", 0, 0},
	CLUSTER_MODE_OPTION(offsetof(struct config, cluster_mode)),
	{"reporting-period", OPTION_DURATION, offsetof(struct config, reporting_period),
	 "Time between two progress lines; 0: none.", 0, OPTION_DAY},
	{"use-case", OPTION_STRING, offsetof(struct config, use_case), "Use case of the dataset.", 0, 0},
	{"use-redis", OPTION_IGNORED_BOOL, 0, "Accepted for AIBench's scripts: Redis is what is loaded.", 0, 0},
	{"debug", OPTION_INT, offsetof(struct config, debug), "Accepted for AIBench's scripts.", 0, 0},
	{0},
};

/* The header comes with the first line below it, so that a load that never begins prints none. */
static void print_header(bool *printed)
{
	if (!*printed)
		printf("time (ns),total commands,instantaneous commands/s,overall commands/s\n");
	*printed = true;
}

static void print_progress(void *arg, const struct load_progress *p)
{
	double since_last = nsec_to_sec(p->since_last);
	double since_start = nsec_to_sec(p->since_start);

	print_header(arg);
	printf("%" PRId64 ",%" PRIu64 ",%.2f,%.2f\n", p->wall, p->commands,
	       (double)(p->commands - p->commands_before) / since_last, (double)p->commands / since_start);
	fflush(stdout);
}

static void print_summary(const struct redis_data_summary *s, bool interrupted)
{
	double took = nsec_to_sec(s->took);

	printf("Load %s after %" PRIu64 " commands to %u server%s (%.2f commands/s)\n",
	       interrupted ? "interrupted" : "complete", s->commands, s->shards, plural(s->shards),
	       (double)s->commands / took);
	printf("Took: %8.3f sec\n", took);
}

/* A mapped file that shrinks under us ends the process; this says why. */
static void on_sigbus(int signo)
{
	static const char text[] = PROGRAM ": the dataset was cut short while it was read\n";

	(void)signo;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		_exit(EXIT_FAILED + 1);
	_exit(EXIT_FAILED);
}

static int load(void *config, struct error *err)
{
	const struct config *c = config;
	struct redis_target target = {0};
	struct redis_data_summary summary = {0};
	bool header_printed = false;
	struct redis_data_config cfg = {
		.path = c->file,
		.max_inserts = c->max_inserts,
		.workers = (unsigned)c->workers,
		.pipeline = (unsigned)c->pipeline,
		.set_blob = c->set_blob,
		.set_tensor = c->set_tensor,
		.cluster_mode = c->cluster_mode,
		.reporting_period = c->reporting_period,
		.report = print_progress,
		.arg = &header_printed,
	};
	const struct workload_ops *ops = workload_find(c->use_case);
	struct workload *workload = NULL;
	int rc;

	if (!ops)
		return error_set(err, ERR_USAGE, "-use-case %s: must be creditcard-fraud", c->use_case);
	if (!c->set_blob && !c->set_tensor)
		return error_set(err, ERR_USAGE, "-set-blob=false and -set-tensor=false leave nothing to load");
	rc = ops->open(&workload, &(struct workload_config){.reference = true, .batch = 1}, err);
	if (rc == 0)
		rc = redis_target_open(&target, c->redis_host, &c->conn, err);
	if (rc < 0)
		goto out;
	cfg.spec = ops->spec(workload);
	cfg.endpoint = target.endpoint;
	cfg.tls = target.tls;
	cfg.conn = &target.conn;
	cfg.database = target.url.database;
	cfg.stop = target.conn.interrupt = catch_signals();
	signal(SIGBUS, on_sigbus);
	rc = redis_data_load(&summary, &cfg, err);
	/* An interrupt before the first command leaves nothing to sum up. */
	if (summary.shards > 0) {
		if (c->cluster_mode && !summary.cluster)
			fprintf(stderr, PROGRAM ": note: -cluster-mode: %s is no cluster, loaded as one server\n",
				endpoint_name(target.endpoint));
		print_header(&header_printed);
		print_summary(&summary, rc == ERR_CANCELED);
	}
out:
	redis_target_close(&target);
	if (workload)
		ops->close(workload);
	return rc;
}

int main(int argc, char **argv)
{
	struct config config = {
		.use_case = "creditcard-fraud",
		.redis_host = REDIS_HOST_DEFAULT,
		.workers = 1,
		.pipeline = 1,
		.set_blob = true,
		.set_tensor = true,
		.reporting_period = NSEC_PER_SEC,
	};
	const struct option_set sets[] = {{table, &config}, {conn_option_table, &config.conn}};
	struct options options = {
		.program = PROGRAM,
		.synopsis = "Stores the reference data of a dataset in Redis.",
		.sets = sets,
		.nsets = 2,
	};

	conn_options_defaults(&config.conn);
	return program_main(&options, argc, argv, load, &config);
}
