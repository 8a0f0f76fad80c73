/*
 * info.c - INFO MODULES: versions, configuration, backends, CPU time of the process and of the queues' threads.
 */
#include "servers/redisai/info.h"

#include <stdio.h>
#include <sys/resource.h>

#include "common/version.h"
#include "servers/redisai/module.h"

static void add_seconds(struct RedisModuleInfoCtx *info, const char *name, long long seconds, long long microseconds)
{
	char text[64];

	snprintf(text, sizeof(text), "%lld.%06lld", seconds, microseconds);
	RedisModule_InfoAddFieldCString(info, name, text);
}

static void add_usage(struct RedisModuleInfoCtx *info, int who, const char *sys, const char *user)
{
	struct rusage u;

	if (getrusage(who, &u) != 0)
		return;
	add_seconds(info, sys, u.ru_stime.tv_sec, u.ru_stime.tv_usec);
	add_seconds(info, user, u.ru_utime.tv_sec, u.ru_utime.tv_usec);
}

static void add_cpu(struct RedisModuleInfoCtx *info)
{
	RedisModule_InfoAddSection(info, "cpu");
	add_usage(info, RUSAGE_SELF, "self_used_cpu_sys", "self_used_cpu_user");
	add_usage(info, RUSAGE_CHILDREN, "children_used_cpu_sys", "children_used_cpu_user");
	add_usage(info, RUSAGE_THREAD, "main_thread_used_cpu_sys", "main_thread_used_cpu_user");
	for (size_t i = 0; i < redisai.devices.count; i++) {
		const struct device *d = &redisai.devices.list[i];

		for (unsigned t = 0; t < queue_threads(d->queue); t++) {
			nsec_t used = queue_cpu_time(d->queue, t);
			char name[80];

			snprintf(name, sizeof(name), "queue_%s_bthread_n%u_used_cpu_total", d->name, t + 1);
			add_seconds(info, name, used / NSEC_PER_SEC, used % NSEC_PER_SEC / NSEC_PER_USEC);
		}
	}
}

/* The names are RedisAI's, whatever runs behind them. */
static void add_backends(struct RedisModuleInfoCtx *info)
{
	static const char *const fields[BACKEND_COUNT] = {
		[BACKEND_TF] = "TensorFlow_version",
		[BACKEND_TFLITE] = "TensorFlowLite_version",
		[BACKEND_TORCH] = "Torch_version",
		[BACKEND_ONNX] = "onnxruntime_version",
	};

	for (unsigned b = 0; b < BACKEND_COUNT; b++) {
		if (redisai.backends.used[b])
			RedisModule_InfoAddFieldCString(info, fields[b], backend_version((enum backend)b));
	}
	if (!redisai.backends.used[BACKEND_ONNX])
		return;
	/* RedisAI counts memory where BACKEND_MEMORY_LIMIT is set; here that is reported but not enforced. */
	RedisModule_InfoAddFieldLongLong(info, "onnxruntime_memory", 0);
	RedisModule_InfoAddFieldLongLong(info, "onnxruntime_memory_access_num", 0);
	RedisModule_InfoAddFieldLongLong(info, "onnxruntime_maximum_run_sessions_number",
					 redisai.config.threads_per_queue * (long long)redisai.devices.count);
}

void info_sections(struct RedisModuleInfoCtx *info, int for_crash_report)
{
	const struct config *c = &redisai.config;

	RedisModule_InfoAddSection(info, "versions");
	RedisModule_InfoAddFieldCString(info, "RedisAI_version", MODULE_VERSION_TEXT);
	RedisModule_InfoAddFieldLongLong(info, "low_level_API_version", LOW_LEVEL_API_VERSION);
	RedisModule_InfoAddFieldLongLong(info, "rdb_version", RDB_ENCODING_VERSION);

	RedisModule_InfoAddSection(info, "git");
	RedisModule_InfoAddFieldCString(info, "git_sha", aibench_git_commit);

	RedisModule_InfoAddSection(info, "load_time_configs");
	RedisModule_InfoAddFieldLongLong(info, "threads_per_queue", c->threads_per_queue);
	RedisModule_InfoAddFieldLongLong(info, "inter_op_parallelism", c->inter_op_parallelism);
	RedisModule_InfoAddFieldLongLong(info, "intra_op_parallelism", c->intra_op_parallelism);
	RedisModule_InfoAddFieldLongLong(info, "model_execution_timeout", c->model_execution_timeout);
	RedisModule_InfoAddFieldLongLong(info, "backend_memory_limit", c->backend_memory_limit);

	RedisModule_InfoAddSection(info, "backends_info");
	add_backends(info);
	if (!for_crash_report)
		add_cpu(info);
}
