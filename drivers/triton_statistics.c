/*
 * triton_statistics.c - Triton's counters of a model, over gRPC and HTTP (extension_statistics.md, grpc_service.proto).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "common/json_reader.h"
#include "drivers/protobuf_reader.h"
#include "drivers/triton_codec.h"

/* InferStatistics' fields 1 to 6, and their names in JSON. */
static const char *const STAGES[] = {"success", "fail", "queue", "compute_input", "compute_infer", "compute_output"};

struct statistics {
	struct {
		uint64_t count, ns;
	} stages[ARRAY_LEN(STAGES)];
	uint64_t inferences, executions;
};

static void report(const struct statistics *s, const char *server, server_stat_fn *fn, void *arg)
{
	char key[64], value[24];

	snprintf(value, sizeof(value), "%" PRIu64, s->inferences);
	fn(arg, server, "triton.inference.count", value);
	snprintf(value, sizeof(value), "%" PRIu64, s->executions);
	fn(arg, server, "triton.execution.count", value);
	for (size_t i = 0; i < ARRAY_LEN(STAGES); i++) {
		snprintf(key, sizeof(key), "triton.%s.count", STAGES[i]);
		snprintf(value, sizeof(value), "%" PRIu64, s->stages[i].count);
		fn(arg, server, key, value);
		snprintf(key, sizeof(key), "triton.%s.ns", STAGES[i]);
		snprintf(value, sizeof(value), "%" PRIu64, s->stages[i].ns);
		fn(arg, server, key, value);
	}
}

/* ---- gRPC ---- */

/* StatisticDuration{count=1, ns=2} */
static int add_duration(struct statistics *s, size_t stage, const struct protobuf_field *duration)
{
	struct protobuf_reader r = protobuf_begin(duration->data, duration->size);
	struct protobuf_field f;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (protobuf_is(&f, 1, PROTOBUF_VARINT))
			s->stages[stage].count += f.value;
		else if (protobuf_is(&f, 2, PROTOBUF_VARINT))
			s->stages[stage].ns += f.value;
	}
	return more;
}

static int add_inference_stats(struct statistics *s, const struct protobuf_field *stats)
{
	struct protobuf_reader r = protobuf_begin(stats->data, stats->size);
	struct protobuf_field f;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (f.wire == PROTOBUF_BYTES && f.number >= 1 && f.number <= ARRAY_LEN(STAGES) &&
		    add_duration(s, f.number - 1, &f) < 0)
			return ERR_FORMAT;
	}
	return more;
}

/* ModelStatistics{name=1, version=2, last_inference=3, inference_count=4, execution_count=5, inference_stats=6} */
static int add_model(struct statistics *s, const struct protobuf_field *model)
{
	struct protobuf_reader r = protobuf_begin(model->data, model->size);
	struct protobuf_field f;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (protobuf_is(&f, 4, PROTOBUF_VARINT))
			s->inferences += f.value;
		else if (protobuf_is(&f, 5, PROTOBUF_VARINT))
			s->executions += f.value;
		else if (protobuf_is(&f, 6, PROTOBUF_BYTES) && add_inference_stats(s, &f) < 0)
			return ERR_FORMAT;
	}
	return more;
}

int triton_statistics(const char *message, size_t size, const char *server, server_stat_fn *fn, void *arg)
{
	struct protobuf_reader r = protobuf_begin(message, size);
	struct statistics s = {0};
	struct protobuf_field f;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		if (protobuf_is(&f, 1, PROTOBUF_BYTES) && add_model(&s, &f) < 0)
			return ERR_PROTOCOL;
	}
	if (more < 0)
		return ERR_PROTOCOL;
	report(&s, server, fn, arg);
	return 0;
}

/* ---- HTTP ---- */

static int add_json_number(struct json_reader *r, uint64_t *sum)
{
	uint64_t value = 0;

	json_read_uint(r, &value);
	*sum += value;
	return r->result;
}

static int add_json_duration(struct json_reader *r, struct statistics *s, size_t stage)
{
	struct json_string name;

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		if (json_string_is(&name, "count"))
			add_json_number(r, &s->stages[stage].count);
		else if (json_string_is(&name, "ns"))
			add_json_number(r, &s->stages[stage].ns);
		else
			json_skip(r);
	}
	return r->result;
}

static int add_json_inference_stats(struct json_reader *r, struct statistics *s)
{
	struct json_string name;

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		size_t stage = 0;

		while (stage < ARRAY_LEN(STAGES) && !json_string_is(&name, STAGES[stage]))
			stage++;
		if (stage < ARRAY_LEN(STAGES))
			add_json_duration(r, s, stage);
		else
			json_skip(r);
	}
	return r->result;
}

static int add_json_model(struct json_reader *r, struct statistics *s)
{
	struct json_string name;

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		if (json_string_is(&name, "inference_count"))
			add_json_number(r, &s->inferences);
		else if (json_string_is(&name, "execution_count"))
			add_json_number(r, &s->executions);
		else if (json_string_is(&name, "inference_stats"))
			add_json_inference_stats(r, s);
		else
			json_skip(r);
	}
	return r->result;
}

int triton_statistics_http(char *body, size_t size, const char *server, server_stat_fn *fn, void *arg)
{
	struct statistics s = {0};
	struct json_reader r;

	json_open(&r, body, size, NULL);
	json_find(&r, "model_stats");
	for (json_enter(&r, JSON_KIND_ARRAY); json_next_element(&r);)
		add_json_model(&r, &s);
	if (r.result < 0)
		return ERR_PROTOCOL;
	report(&s, server, fn, arg);
	return 0;
}
