/*
 * http_torchserve.c - TorchServe's predictions and model descriptions.
 *
 * What a request to /predictions/MODEL holds is a matter of the model's handler. Here
 *	{"transaction": [30 numbers], "reference": [256 numbers]}
 * is an object of the inputs by name, each either with its batch dimension or, for a batch of one, without it, and is
 * answered {"outputs": [p0, p1]}, as AIBench's handler for the fraud net does. A model of one input also takes its
 * bytes as they are (any number of rows), and answers as TorchServe's base handler does with the plain list of values:
 * [v0, v1, …] for one row, a list of such lists for several. Either may be a form's part "data" or "body", the two names
 * that TorchServe's handlers ask their request for.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "common/arith.h"
#include "servers/model_server/http_multipart.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/http_request.h"
#include "servers/model_server/json_tensor.h"

/* A header's value is this media type, whatever its case and parameters. */
static bool is_type(const char *value, const char *type)
{
	size_t len = strlen(type);

	return !strncasecmp(value, type, len) && (!value[len] || strchr("; \t", value[len]));
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* An object's beginning. A brace alone is the first byte of one random float in 256: its first name, or its end, or nothing
 * at all follows it. */
static bool looks_like_json(const char *data, size_t len)
{
	const char *end = data + len, *p = skip_blanks(data, end);

	if (p == end || *p != '{')
		return false;
	p = skip_blanks(p + 1, end);
	return p == end || *p == '"' || *p == '}';
}

/* data[len] is NUL. */
static int read_json(struct http_request *rq, char *data, size_t len, struct error *err)
{
	const struct served_model *m = rq->inference->model;
	struct json_reader r;
	struct json_string name;
	int result = 0;

	json_open(&r, data, len, err);
	if (json_kind(&r) != JSON_KIND_OBJECT && m->ninputs == 1) {
		result = http_input_json(rq, m->inputs[0].name, strlen(m->inputs[0].name), &r, true, err);
	} else {
		for (json_enter(&r, JSON_KIND_OBJECT); result == 0 && json_next_member(&r, &name);)
			result = http_input_json(rq, name.text, name.len, &r, true, err);
	}
	return result < 0 ? result : json_close(&r);
}

static int read_raw(struct http_request *rq, const char *data, size_t len, struct error *err)
{
	const struct served_model *m = rq->inference->model;

	rq->state.raw = true;
	if (m->ninputs != 1)
		return error_set(err, ERR_INVALID, "the model has %zu inputs: send them as JSON", m->ninputs);
	return http_input_raw(rq, &m->inputs[0], data, len, err);
}

static int read_either(struct http_request *rq, char *data, size_t len, struct error *err)
{
	return looks_like_json(data, len) ? read_json(rq, data, len, err) : read_raw(rq, data, len, err);
}

/* What the part is its own headers say, if at all: curl writes application/octet-stream to whatever it is. */
static int read_form(struct http_request *rq, const char *type, struct error *err)
{
	const struct multipart_part *data, *body;
	struct multipart form;
	char *text;
	int r = multipart_parse(&form, type, rq->body.data, rq->body.len, err);

	if (r < 0)
		return r;
	data = multipart_find(&form, "data");
	body = multipart_find(&form, "body");
	if (data && body)
		return error_set(err, ERR_INVALID, "the form has both a part \"data\" and \"body\"");
	if (!data && !body)
		return error_set(err, ERR_INVALID, "the form has neither a part \"data\" nor \"body\"");
	if (!data)
		data = body;
	/* The delimiter behind it is not needed any more. */
	text = rq->body.data + (data->data - rq->body.data);
	text[data->len] = '\0';
	return read_either(rq, text, data->len, err);
}

static int read_body(struct http_request *rq, struct error *err)
{
	const char *type = http_header(rq, "Content-Type");
	char *data = rq->body.data;
	size_t len = rq->body.len;

	if (type && is_type(type, "application/json"))
		return read_json(rq, data, len, err);
	if (type && is_type(type, "application/octet-stream"))
		return read_raw(rq, data, len, err);
	if (type && is_type(type, "multipart/form-data"))
		return read_form(rq, type, err);
	/* curl -T sends no type, and curl -d and --data-binary that of a form's fields, whatever the bytes are. */
	return read_either(rq, data, len, err);
}

/* What its type promises can be read; else answered. */
static bool takes_type(struct http_request *rq)
{
	static const char *const types[] = {"application/json", "application/octet-stream", "multipart/form-data",
					    "application/x-www-form-urlencoded"};
	const char *type = http_header(rq, "Content-Type");

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (!type || is_type(type, types[i]))
			return true;
	}
	http_fail(rq, 415,
		  "Content-Type %s is not supported: JSON, application/octet-stream and multipart/form-data are", type);
	return false;
}

static void encode(struct http_request *rq)
{
	if (rq->state.raw) {
		http_write_outputs(rq, true);
	} else {
		buf_text(&rq->reply, "{\"outputs\":");
		http_write_outputs(rq, true);
		buf_append(&rq->reply, "}", 1);
	}
	http_answer_json(rq);
}

void torchserve_predict(struct http_request *rq)
{
	struct error err = {0};
	int r;

	if (!takes_type(rq) || !http_begin(rq))
		return;
	r = read_body(rq, &err);
	if (r < 0)
		http_reject(rq, r, &err);
	else
		http_infer(rq, encode);
}

void torchserve_ping(struct http_request *rq)
{
	buf_printf(&rq->reply, "{\"status\":\"Healthy\"}");
	http_answer_json(rq);
}

void torchserve_models(struct http_request *rq)
{
	struct http_entries list;
	const char *last = "";

	if (!http_list(rq, &list))
		return;
	buf_printf(&rq->reply, "{\"models\":[");
	for (size_t i = 0; i < list.n; i++) {
		if (!list.entries[i].model || !strcmp(list.entries[i].name, last))
			continue;
		buf_printf(&rq->reply, "%s{\"modelName\":", *last ? "," : "");
		last = list.entries[i].name;
		json_write_string(&rq->reply, last, strlen(last));
		buf_printf(&rq->reply, ",\"modelUrl\":");
		json_write_string(&rq->reply, last, strlen(last));
		buf_append(&rq->reply, "}", 1);
	}
	buf_text(&rq->reply, "]}");
	http_answer_json(rq);
	repository_list_free(list.entries, list.n);
}

static void write_description(struct buf *b, const struct served_model *m)
{
	time_t loaded = (time_t)(m->loaded / NSEC_PER_SEC);
	uint64_t batch = m->batching.size ? m->batching.size : 1;
	char start[32] = "";
	struct tm tm;

	if (gmtime_r(&loaded, &tm))
		strftime(start, sizeof(start), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
	buf_printf(b, "{\"modelName\":");
	json_write_string(b, m->name, strlen(m->name));
	buf_printf(b,
		   ",\"modelVersion\":\"%" PRId64 "\",\"modelUrl\":\"\",\"runtime\":\"%s\",\"minWorkers\":%u,"
		   "\"maxWorkers\":%u,\"batchSize\":%" PRIu64 ",\"maxBatchDelay\":%" PRId64
		   ",\"loadedAtStartup\":true,\"workers\":[{\"id\":\"0\",\"startTime\":\"%s\",\"status\":\"READY\","
		   "\"gpu\":false,\"pid\":%d}]}",
		   m->version, m->platform, queue_threads(m->queue), queue_threads(m->queue), batch,
		   m->batching.min_timeout / NSEC_PER_MSEC, start, (int)getpid());
}

/* A list: of the named version, of all where "all" is named, else of the one that answers. */
void torchserve_model(struct http_request *rq)
{
	const struct http_span *v = &rq->target.version;
	bool all = v->len == 3 && !memcmp(v->text, "all", 3);
	struct http_entries list;
	struct served_model *m;
	int64_t version = 0;
	size_t shown = 0;

	if ((!all && !http_target_version(rq, &version)) ||
	    !http_acquire(rq, &m, rq->target.model.text, rq->target.model.len, version))
		return;
	if (http_list(rq, &list)) {
		buf_append(&rq->reply, "[", 1);
		for (size_t i = 0; i < list.n; i++) {
			if (!list.entries[i].model || (!all && list.entries[i].version != m->version))
				continue;
			buf_append(&rq->reply, ",", shown++ > 0);
			write_description(&rq->reply, list.entries[i].model);
		}
		buf_append(&rq->reply, "]", 1);
		http_answer_json(rq);
		repository_list_free(list.entries, list.n);
	}
	served_model_unref(m);
}
