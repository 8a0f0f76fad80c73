/*
 * http_triton_infer.c - the Open Inference Protocol's inference, its tensors as JSON or as binary data behind it.
 *
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_binary_data.md
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "servers/model_server/dtypes.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/http_request.h"
#include "servers/model_server/http_triton_json.h"
#include "servers/model_server/json_tensor.h"

/* How many bytes of the body are JSON; 0: it is the bytes of a tensor. */
static int json_length(const struct http_request *rq, size_t *ret, struct error *err)
{
	const char *text = http_header(rq, HTTP_HEADER_JSON_LENGTH);
	size_t value = 0;

	if (!text) {
		*ret = rq->body.len;
		return 0;
	}
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || !size_mul(&value, value, 10) ||
		    !size_add(&value, value, (size_t)(*p - '0')))
			return error_set(err, ERR_INVALID, HTTP_HEADER_JSON_LENGTH " is no number");
	}
	if (value > rq->body.len)
		return error_set(err, ERR_INVALID, HTTP_HEADER_JSON_LENGTH " is %zu of a body of %zu bytes", value,
				 rq->body.len);
	*ret = value;
	return 0;
}

/* An input's values from the JSON text. */
static int take_json_input(struct http_request *rq, struct triton_input *in, struct error *err)
{
	struct json_tensor j = {0};
	struct tensor *t = NULL;
	int r = json_tensor_start(&j, in->dtype);

	if (r == 0)
		r = json_tensor_read(&j, &in->data);
	if (r == 0)
		r = json_tensor_finish(&j, &t, in->dims, in->rank, err);
	json_tensor_release(&j);
	return r < 0 ? r : http_input_tensor(rq, in->name.text, in->name.len, t, err);
}

static int take_json_inputs(struct http_request *rq, struct triton_inputs *inputs, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < inputs->n; i++) {
		if (!inputs->list[i].binary)
			r = take_json_input(rq, &inputs->list[i], err);
	}
	return r;
}

/* The binary ones, whose bytes follow each other in the order of the inputs, to the end of the body. */
static int take_binary_inputs(struct http_request *rq, const struct triton_inputs *inputs, const char *data,
			      size_t left, struct error *err)
{
	for (size_t i = 0; i < inputs->n; i++) {
		const struct triton_input *in = &inputs->list[i];
		int r;

		if (!in->binary)
			continue;
		if (in->binary_size > left)
			return error_set(err, ERR_INVALID,
					 "input '%.*s' has %" PRIu64 " bytes of binary data, the body %zu",
					 (int)in->name.len, in->name.text, in->binary_size, left);
		r = http_input_bytes(rq, in->name.text, in->name.len, in->dtype, in->dims, in->rank, data,
				     in->binary_size, err);
		if (r < 0)
			return r;
		data += in->binary_size;
		left -= in->binary_size;
	}
	return left == 0 ? 0 : error_set(err, ERR_INVALID, "%zu bytes of binary data that belong to no input", left);
}

static int find_outputs(struct http_request *rq, const struct triton_outputs *outputs, struct error *err)
{
	struct triton_request *wanted = &rq->state.triton;
	const struct served_model *m = rq->inference->model;

	for (size_t i = 0; i < outputs->n; i++) {
		const struct json_string *name = &outputs->list[i].name;
		int index = served_model_output(m, name->text, name->len);

		if (index < 0)
			return error_set(err, ERR_INVALID, "unexpected inference output '%.*s' for model '%s'",
					 (int)name->len, name->text, m->name);
		wanted->outputs[i] = (struct triton_output){
			(size_t)index, outputs->list[i].says_binary ? outputs->list[i].binary : wanted->binary};
	}
	wanted->noutputs = outputs->n;
	return 0;
}

/* The bytes of the only input, whose shape and type are the declared ones; all outputs come as bytes, too. */
static int read_raw(struct http_request *rq, struct error *err)
{
	const struct served_model *m = rq->inference->model;

	rq->state.triton = (struct triton_request){.binary = true};
	if (m->ninputs != 1)
		return error_set(
			err, ERR_INVALID,
			"Raw request must only have 1 input (found 1) to be deduced but got %zu inputs in '%s' model "
			"configuration",
			m->ninputs, m->name);
	return http_input_raw(rq, &m->inputs[0], rq->body.data, rq->body.len, err);
}

static int read_request(struct http_request *rq, struct triton_json *json, struct error *err)
{
	size_t len;
	char behind;
	int r = json_length(rq, &len, err);

	if (r < 0)
		return r;
	if (len == 0 && http_header(rq, HTTP_HEADER_JSON_LENGTH))
		return read_raw(rq, err);
	/* The text ends in NUL while it is read. */
	behind = rq->body.data[len];
	rq->body.data[len] = '\0';
	r = triton_json_read(json, rq->body.data, len, err);
	if (r == 0)
		r = take_json_inputs(rq, &json->inputs, err);
	rq->body.data[len] = behind;
	if (r == 0)
		r = take_binary_inputs(rq, &json->inputs, rq->body.data + len, rq->body.len - len, err);
	rq->state.triton.id = json->id;
	rq->state.triton.binary = json->binary_output;
	return r < 0 ? r : find_outputs(rq, &json->outputs, err);
}

static void write_output(struct buf *b, const char *name, const struct tensor *t, bool binary)
{
	buf_text(b, "{\"name\":");
	json_write_string(b, name, strlen(name));
	buf_text(b, ",\"datatype\":\"");
	buf_text(b, dtype_triton_name(t->dtype));
	buf_text(b, "\",\"shape\":[");
	for (unsigned d = 0; d < t->rank; d++) {
		buf_append(b, ",", d > 0);
		buf_decimal(b, t->dims[d]);
	}
	if (binary) {
		buf_text(b, "],\"parameters\":{\"binary_data_size\":");
		buf_decimal(b, (int64_t)t->size);
		buf_text(b, "}}");
	} else {
		buf_text(b, "],\"data\":");
		json_write_flat(b, t);
		buf_append(b, "}", 1);
	}
}

/* The i-th output of the answer. */
static struct triton_output output_at(const struct triton_request *wanted, size_t i)
{
	return wanted->noutputs ? wanted->outputs[i] : (struct triton_output){i, wanted->binary};
}

static void encode(struct http_request *rq)
{
	const struct triton_request *wanted = &rq->state.triton;
	const struct inference *inf = rq->inference;
	const struct served_model *m = inf->model;
	size_t n = wanted->noutputs ? wanted->noutputs : m->noutputs, nbinary = 0;
	struct buf *b = &rq->reply;

	buf_text(b, "{\"model_name\":");
	json_write_string(b, rq->target.model.text, rq->target.model.len);
	buf_text(b, ",\"model_version\":\"");
	buf_decimal(b, m->version);
	buf_text(b, "\"");
	if (wanted->id.text) {
		buf_text(b, ",\"id\":");
		json_write_string(b, wanted->id.text, wanted->id.len);
	}
	buf_text(b, ",\"outputs\":[");
	for (size_t i = 0; i < n; i++) {
		struct triton_output o = output_at(wanted, i);

		buf_append(b, ",", i > 0);
		write_output(b, m->outputs[o.index].name, inf->out[o.index], o.binary);
		nbinary += o.binary;
	}
	buf_text(b, "]}");
	if (nbinary)
		rq->json_len = b->len;
	for (size_t i = 0; nbinary && i < n; i++) {
		struct triton_output o = output_at(wanted, i);

		if (o.binary)
			buf_append(b, inf->out[o.index]->data, inf->out[o.index]->size);
	}
	http_answer(rq, 200, nbinary ? "application/octet-stream" : "application/json");
}

void triton_infer(struct http_request *rq)
{
	struct triton_json *json;
	struct error err = {0};
	int r;

	if (!http_begin(rq))
		return;
	json = malloc(sizeof(*json));
	r = json ? read_request(rq, json, &err) : error_set(&err, ERR_NOMEM, "out of memory");
	free(json);
	if (r < 0)
		http_reject(rq, r, &err);
	else
		http_infer(rq, encode);
}
