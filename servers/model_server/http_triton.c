/*
 * http_triton.c - the Open Inference Protocol but for its inference: health, metadata, and what Triton adds:
 * configuration, index and statistics of its models.
 */
#include <inttypes.h>
#include <string.h>

#include "common/version.h"
#include "servers/model_server/dtypes.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/http_request.h"
#include "servers/model_server/json_tensor.h"

void triton_server(struct http_request *rq)
{
	buf_printf(&rq->reply, "{\"name\":\"aibench_model_server\",\"version\":\"" AIBENCH_VERSION "\","
			       "\"extensions\":[\"binary_tensor_data\",\"model_configuration\",\"statistics\"]}");
	http_answer_json(rq);
}

void triton_live(struct http_request *rq)
{
	http_answer(rq, 200, NULL);
}

void triton_ready(struct http_request *rq)
{
	if (repository_ready(http_repository(rq)))
		http_answer(rq, 200, NULL);
	else
		http_fail(rq, 400, "a model is not available");
}

static bool acquire_target(struct http_request *rq, struct served_model **ret)
{
	int64_t version;

	return http_target_version(rq, &version) &&
	       http_acquire(rq, ret, rq->target.model.text, rq->target.model.len, version);
}

void triton_model_ready(struct http_request *rq)
{
	struct served_model *m;

	if (!acquire_target(rq, &m))
		return;
	http_answer(rq, 200, NULL);
	served_model_unref(m);
}

/* That of the request, which may be an alias: it is the one that the client knows. */
static void write_name(struct http_request *rq)
{
	json_write_string(&rq->reply, rq->target.model.text, rq->target.model.len);
}

static void write_tensors(struct buf *b, const char *title, const struct model_tensor_info *infos, size_t n)
{
	buf_printf(b, ",\"%s\":[", title);
	for (size_t i = 0; i < n; i++) {
		buf_printf(b, "%s{\"name\":", i ? "," : "");
		json_write_string(b, infos[i].name, strlen(infos[i].name));
		buf_printf(b, ",\"datatype\":\"%s\",\"shape\":[", dtype_triton_name(infos[i].dtype));
		/* The protocol knows no shape of unknown rank: one free dimension stands for it. */
		if (infos[i].rank < 0)
			buf_printf(b, "-1");
		for (int d = 0; d < infos[i].rank; d++)
			buf_printf(b, "%s%" PRId64, d ? "," : "", infos[i].dims[d]);
		buf_printf(b, "]}");
	}
	buf_append(b, "]", 1);
}

static void write_versions(struct buf *b, const struct http_entries *list)
{
	size_t shown = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (list->entries[i].state == SERVED_AVAILABLE)
			buf_printf(b, "%s\"%" PRId64 "\"", shown++ ? "," : "", list->entries[i].version);
	}
}

void triton_model(struct http_request *rq)
{
	struct http_entries list;
	struct served_model *m;
	struct buf *b = &rq->reply;

	if (!acquire_target(rq, &m))
		return;
	if (http_list(rq, &list)) {
		buf_printf(b, "{\"name\":");
		write_name(rq);
		buf_printf(b, ",\"versions\":[");
		write_versions(b, &list);
		buf_printf(b, "],\"platform\":\"%s\"", m->platform);
		write_tensors(b, "inputs", m->inputs, m->ninputs);
		write_tensors(b, "outputs", m->outputs, m->noutputs);
		buf_append(b, "}", 1);
		http_answer_json(rq);
		repository_list_free(list.entries, list.n);
	}
	served_model_unref(m);
}

/* As config.pbtxt has them: without the batch where max_batch_size says that there is one in front. */
static void write_config_tensors(struct buf *b, const char *title, const struct served_model *m,
				 const struct model_tensor_info *infos, size_t n)
{
	buf_printf(b, ",\"%s\":[", title);
	for (size_t i = 0; i < n; i++) {
		int first = m->max_batch_size && infos[i].rank > 0;

		buf_printf(b, "%s{\"name\":", i ? "," : "");
		json_write_string(b, infos[i].name, strlen(infos[i].name));
		buf_printf(b, ",\"data_type\":\"%s\",\"dims\":[", dtype_triton_config_name(infos[i].dtype));
		if (infos[i].rank < 0)
			buf_printf(b, "-1");
		for (int d = first; d < infos[i].rank; d++)
			buf_printf(b, "%s%" PRId64, d > first ? "," : "", infos[i].dims[d]);
		buf_printf(b, "]}");
	}
	buf_append(b, "]", 1);
}

/* As it is in force: -batch-size comes before config.pbtxt, and a model that cannot be batched has none. */
static void write_batching(struct buf *b, const struct batching *batching)
{
	if (!batching->size)
		return;
	buf_printf(b, ",\"dynamic_batching\":{\"preferred_batch_size\":[");
	if (batching->min_size && batching->min_size < batching->size)
		buf_printf(b, "%" PRIu64 ",", batching->min_size);
	buf_printf(b, "%" PRIu64 "],\"max_queue_delay_microseconds\":%" PRId64 "}", batching->size,
		   batching->min_timeout / NSEC_PER_USEC);
}

void triton_config(struct http_request *rq)
{
	struct served_model *m;
	struct buf *b = &rq->reply;

	if (!acquire_target(rq, &m))
		return;
	buf_printf(b, "{\"name\":");
	write_name(rq);
	buf_printf(b, ",\"platform\":\"%s\",\"max_batch_size\":%" PRIu64, m->platform, m->max_batch_size);
	write_config_tensors(b, "input", m, m->inputs, m->ninputs);
	write_config_tensors(b, "output", m, m->outputs, m->noutputs);
	write_batching(b, &m->batching);
	buf_printf(b, ",\"instance_group\":[{\"count\":%u,\"kind\":\"KIND_CPU\"}]}", queue_threads(m->queue));
	http_answer_json(rq);
	served_model_unref(m);
}

/* The body may be left out. False: answered. */
static bool wants_ready_only(struct http_request *rq, bool *ret)
{
	struct json_string name;
	struct json_reader r;
	struct error err = {0};
	int result;

	*ret = false;
	if (rq->body.len == 0)
		return true;
	json_open(&r, rq->body.data, rq->body.len, &err);
	for (json_enter(&r, JSON_KIND_OBJECT); json_next_member(&r, &name);) {
		if (json_string_is(&name, "ready"))
			json_read_bool(&r, ret);
		else
			json_skip(&r);
	}
	result = json_close(&r);
	if (result < 0)
		http_fail_code(rq, result, &err);
	return result == 0;
}

void triton_index(struct http_request *rq)
{
	struct http_entries list;
	struct buf *b = &rq->reply;
	bool ready_only;
	size_t shown = 0;

	if (!wants_ready_only(rq, &ready_only) || !http_list(rq, &list))
		return;
	buf_append(b, "[", 1);
	for (size_t i = 0; i < list.n; i++) {
		const struct repository_entry *e = &list.entries[i];

		if (ready_only && e->state != SERVED_AVAILABLE)
			continue;
		buf_printf(b, "%s{\"name\":", shown++ ? "," : "");
		json_write_string(b, e->name, strlen(e->name));
		buf_printf(b, ",\"version\":\"%" PRId64 "\",\"state\":\"%s\",\"reason\":", e->version,
			   e->state == SERVED_AVAILABLE ? "READY" : "UNAVAILABLE");
		json_write_string(b, e->error.text, strlen(e->error.text));
		buf_append(b, "}", 1);
	}
	buf_append(b, "]", 1);
	http_answer_json(rq);
	repository_list_free(list.entries, list.n);
}

static void write_duration(struct buf *b, const char *name, struct duration_counter *d)
{
	buf_printf(b, "%s\"%s\":{\"count\":%llu,\"ns\":%llu}", name[0] == 's' ? "" : ",", name,
		   atomic_load_explicit(&d->count, memory_order_relaxed),
		   atomic_load_explicit(&d->ns, memory_order_relaxed));
}

static void write_statistics(struct http_request *rq, struct served_model *m)
{
	struct model_counters *c = &m->counters;
	struct buf *b = &rq->reply;

	buf_printf(b, "{\"name\":");
	if (rq->target.model.len)
		write_name(rq);
	else
		json_write_string(b, m->name, strlen(m->name));
	buf_printf(b,
		   ",\"version\":\"%" PRId64 "\",\"last_inference\":%llu,\"inference_count\":%llu,"
		   "\"execution_count\":%llu,\"inference_stats\":{",
		   m->version, atomic_load_explicit(&c->last_inference_ms, memory_order_relaxed),
		   atomic_load_explicit(&c->inference_count, memory_order_relaxed),
		   atomic_load_explicit(&c->execution_count, memory_order_relaxed));
	write_duration(b, "success", &c->success);
	write_duration(b, "fail", &c->fail);
	write_duration(b, "queue", &c->queue);
	write_duration(b, "compute_input", &c->compute_input);
	write_duration(b, "compute_infer", &c->compute_infer);
	write_duration(b, "compute_output", &c->compute_output);
	buf_printf(b, "},\"batch_stats\":[]}");
}

void triton_statistics(struct http_request *rq)
{
	struct http_entries list;
	int64_t version;
	struct served_model *m;
	size_t shown = 0;

	if (!http_target_version(rq, &version))
		return;
	/* Is there such a one? Told in the words of all other questions. */
	if (rq->target.model.len) {
		if (!http_acquire(rq, &m, rq->target.model.text, rq->target.model.len, version))
			return;
		served_model_unref(m);
	}
	if (!http_list(rq, &list))
		return;
	buf_printf(&rq->reply, "{\"model_stats\":[");
	for (size_t i = 0; i < list.n; i++) {
		if (!list.entries[i].model || (version && list.entries[i].version != version))
			continue;
		buf_append(&rq->reply, ",", shown++ > 0);
		write_statistics(rq, list.entries[i].model);
	}
	buf_printf(&rq->reply, "]}");
	http_answer_json(rq);
	repository_list_free(list.entries, list.n);
}
