/*
 * triton_statistics.c - Triton's counters of a model, over gRPC and HTTP (extension_statistics.md, grpc_service.proto).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "drivers/json_reader.h"
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

static int add_json_size(struct json_reader *r, uint64_t *sum)
{
	size_t value;

	if (json_read_size(r, &value) < 0)
		return ERR_FORMAT;
	*sum += value;
	return 0;
}

static int add_json_duration(struct json_reader *r, struct statistics *s, size_t stage)
{
	struct json_string name;
	int more, e = 0;

	if (!json_take(r, '{'))
		return ERR_FORMAT;
	for (bool first = true; e == 0 && (more = json_next_member(r, first, &name)) != 0; first = false) {
		if (more < 0)
			return more;
		if (json_equals(&name, "count"))
			e = add_json_size(r, &s->stages[stage].count);
		else if (json_equals(&name, "ns"))
			e = add_json_size(r, &s->stages[stage].ns);
		else
			e = json_skip(r);
	}
	return e;
}

static int add_json_inference_stats(struct json_reader *r, struct statistics *s)
{
	struct json_string name;
	int more, e = 0;

	if (!json_take(r, '{'))
		return ERR_FORMAT;
	for (bool first = true; e == 0 && (more = json_next_member(r, first, &name)) != 0; first = false) {
		size_t stage = 0;

		if (more < 0)
			return more;
		while (stage < ARRAY_LEN(STAGES) && !json_equals(&name, STAGES[stage]))
			stage++;
		e = stage < ARRAY_LEN(STAGES) ? add_json_duration(r, s, stage) : json_skip(r);
	}
	return e;
}

static int add_json_model(struct json_reader *r, struct statistics *s)
{
	struct json_string name;
	int more, e = 0;

	if (!json_take(r, '{'))
		return ERR_FORMAT;
	for (bool first = true; e == 0 && (more = json_next_member(r, first, &name)) != 0; first = false) {
		if (more < 0)
			return more;
		if (json_equals(&name, "inference_count"))
			e = add_json_size(r, &s->inferences);
		else if (json_equals(&name, "execution_count"))
			e = add_json_size(r, &s->executions);
		else if (json_equals(&name, "inference_stats"))
			e = add_json_inference_stats(r, s);
		else
			e = json_skip(r);
	}
	return e;
}

int triton_statistics_http(const char *body, size_t size, const char *server, server_stat_fn *fn, void *arg)
{
	struct json_reader r = json_begin_reading(body, size);
	struct statistics s = {0};
	int more;

	if (json_find(&r, "model_stats") != 1 || !json_take(&r, '['))
		return ERR_PROTOCOL;
	for (bool first = true; (more = json_next_element(&r, first)) > 0; first = false) {
		if (add_json_model(&r, &s) < 0)
			return ERR_PROTOCOL;
	}
	if (more < 0)
		return ERR_PROTOCOL;
	report(&s, server, fn, arg);
	return 0;
}
