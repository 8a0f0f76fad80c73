/*
 * http_metrics.c - what belongs to no protocol: the server's name, and /metrics in Prometheus' text format (version
 * 0.0.4), requests by model and stage, the process.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/version.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/http_request.h"

static void write_head(struct buf *b, const char *name, const char *type, const char *help)
{
	buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void write_label(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			buf_append(b, "\\", 1);
		if (*text == '\n')
			buf_append(b, "\\n", 2);
		else
			buf_append(b, text, 1);
	}
}

static void write_model_labels(struct buf *b, const char *metric, const struct served_model *m)
{
	buf_printf(b, "%s{model=\"", metric);
	write_label(b, m->name);
	buf_printf(b, "\",version=\"%" PRId64 "\"", m->version);
}

static unsigned long long value_of(atomic_ullong *a)
{
	return atomic_load_explicit(a, memory_order_relaxed);
}

/* One metric, of a counter at this place of struct model_counters, for each model. */
static void write_counter(struct buf *b, const struct http_entries *list, const char *name, const char *help,
			  size_t offset)
{
	write_head(b, name, "counter", help);
	for (size_t i = 0; i < list->n; i++) {
		struct served_model *m = list->entries[i].model;

		if (!m)
			continue;
		write_model_labels(b, name, m);
		buf_printf(b, "} %llu\n", value_of((atomic_ullong *)((char *)&m->counters + offset)));
	}
}

static void write_stages(struct buf *b, const struct http_entries *list)
{
	static const struct {
		const char *name;
		size_t offset;
	} stages[] = {
		{"queue", offsetof(struct model_counters, queue)},
		{"compute_input", offsetof(struct model_counters, compute_input)},
		{"compute_infer", offsetof(struct model_counters, compute_infer)},
		{"compute_output", offsetof(struct model_counters, compute_output)},
		{"request", offsetof(struct model_counters, success)},
	};

	write_head(b, "aibench_stage_seconds", "summary",
		   "Time that answered requests spent, by stage; request: in all.");
	for (size_t i = 0; i < list->n; i++) {
		struct served_model *m = list->entries[i].model;

		for (size_t s = 0; m && s < ARRAY_LEN(stages); s++) {
			struct duration_counter *d =
				(struct duration_counter *)((char *)&m->counters + stages[s].offset);

			write_model_labels(b, "aibench_stage_seconds_sum", m);
			buf_printf(b, ",stage=\"%s\"} %.9f\n", stages[s].name, (double)value_of(&d->ns) / 1e9);
			write_model_labels(b, "aibench_stage_seconds_count", m);
			buf_printf(b, ",stage=\"%s\"} %llu\n", stages[s].name, value_of(&d->count));
		}
	}
}

static void write_models(struct buf *b, const struct http_entries *list)
{
	write_counter(b, list, "aibench_requests_total", "Requests that were answered.",
		      offsetof(struct model_counters, success.count));
	write_counter(b, list, "aibench_request_failures_total", "Requests that failed.",
		      offsetof(struct model_counters, fail.count));
	write_counter(b, list, "aibench_inferences_total", "Rows that were computed.",
		      offsetof(struct model_counters, inference_count));
	write_counter(b, list, "aibench_executions_total", "Runs of the model; a batch is one.",
		      offsetof(struct model_counters, execution_count));
	write_stages(b, list);
	write_head(b, "aibench_in_flight", "gauge", "Requests begun and not answered.");
	for (size_t i = 0; i < list->n; i++) {
		struct served_model *m = list->entries[i].model;

		if (!m)
			continue;
		write_model_labels(b, "aibench_in_flight", m);
		buf_printf(b, "} %lld\n", atomic_load_explicit(&m->counters.in_flight, memory_order_relaxed));
	}
	write_head(b, "aibench_model_state", "gauge", "TensorFlow Serving's state of each version; 30: available.");
	for (size_t i = 0; i < list->n; i++) {
		buf_printf(b, "aibench_model_state{model=\"");
		write_label(b, list->entries[i].name);
		buf_printf(b, "\",version=\"%" PRId64 "\"} %d\n", list->entries[i].version,
			   (int)list->entries[i].state);
	}
}

static void write_http(struct buf *b, const struct http_counters *c)
{
	write_head(b, "aibench_http_requests_total", "counter", "HTTP requests that were answered, errors included.");
	for (int p = 0; p < HTTP_PROTOCOL_COUNT; p++)
		buf_printf(b, "aibench_http_requests_total{protocol=\"%s\"} %llu\n",
			   http_protocol_name((enum http_protocol)p),
			   atomic_load_explicit(&c->requests[p], memory_order_relaxed));
	write_head(b, "aibench_http_errors_total", "counter",
		   "HTTP requests that were answered with a status from 400.");
	for (int p = 0; p < HTTP_PROTOCOL_COUNT; p++)
		buf_printf(b, "aibench_http_errors_total{protocol=\"%s\"} %llu\n",
			   http_protocol_name((enum http_protocol)p),
			   atomic_load_explicit(&c->failures[p], memory_order_relaxed));
}

/* Pages: all that is mapped, all that is in memory. False without /proc. */
static bool read_statm(unsigned long long *ret_virtual, unsigned long long *ret_resident)
{
	FILE *f = fopen("/proc/self/statm", "re");
	bool ok;

	if (!f)
		return false;
	ok = fscanf(f, "%llu %llu", ret_virtual, ret_resident) == 2;
	fclose(f);
	return ok;
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

/* By the names that Prometheus' client libraries use. */
static void write_process(struct buf *b)
{
	unsigned long long mapped, resident, page = (unsigned long long)sysconf(_SC_PAGESIZE);
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) == 0) {
		write_head(b, "process_cpu_seconds_total", "counter", "User and system CPU time in seconds.");
		buf_printf(b, "process_cpu_seconds_total %.6f\n", seconds(&u.ru_utime) + seconds(&u.ru_stime));
	}
	if (read_statm(&mapped, &resident)) {
		write_head(b, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.");
		buf_printf(b, "process_resident_memory_bytes %llu\n", resident * page);
		write_head(b, "process_virtual_memory_bytes", "gauge", "Virtual memory size in bytes.");
		buf_printf(b, "process_virtual_memory_bytes %llu\n", mapped * page);
	}
	write_head(b, "aibench_build_info", "gauge", "1, labelled with the version of the server.");
	buf_printf(b, "aibench_build_info{version=\"" AIBENCH_VERSION "\",commit=\"%s\"} 1\n", aibench_git_commit);
}

void metrics_text(struct http_request *rq)
{
	struct http_entries list;

	if (!http_list(rq, &list))
		return;
	write_models(&rq->reply, &list);
	write_http(&rq->reply, http_counters(rq));
	write_process(&rq->reply);
	http_answer(rq, 200, "text/plain; version=0.0.4; charset=utf-8");
	repository_list_free(list.entries, list.n);
}

void server_name(struct http_request *rq)
{
	buf_text(&rq->reply, "aibench_model_server " AIBENCH_VERSION "\n");
	http_answer(rq, 200, "text/plain; charset=utf-8");
}
