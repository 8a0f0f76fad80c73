/*
 * http_rest.c - the plain REST server's endpoints, as AIBench's Flask application has them.
 *
 * POST /v2/predict, multipart/form-data with the parts transaction and, if the model is to use it, reference (float32
 * each), or image; POST /v1/predict, JSON with the members transaction and reference. The parts that are there say
 * which model is meant; a list "inputs" of the JSON names those that must be there. Both answer {"outputs": [[…]]}, or
 * with status 400 {"outputs": [], "error": …}.
 */
#include <string.h>

#include "servers/model_server/http_multipart.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/http_request.h"
#include "servers/model_server/http_server.h"

static void encode(struct http_request *rq)
{
	buf_text(&rq->reply, "{\"outputs\":");
	http_write_outputs(rq, false);
	buf_append(&rq->reply, "}", 1);
	http_answer_json(rq);
}

static void run_or_reject(struct http_request *rq, int r, const struct error *err)
{
	if (r < 0)
		http_reject(rq, r, err);
	else
		http_infer(rq, encode);
}

/* The bytes of one form field for the input of its name. */
static int take_part(struct http_request *rq, const char *name, const struct multipart_part *part, struct error *err)
{
	const struct served_model *m = rq->inference->model;
	int i = served_model_input(m, name, strlen(name));

	if (i < 0)
		return error_set(err, ERR_INVALID, "model %s has no input \"%s\"", m->name, name);
	return http_input_raw(rq, &m->inputs[i], part->data, part->len, err);
}

static int take_image(struct http_request *rq, const struct multipart_part *part, struct error *err)
{
	const struct served_model *m = rq->inference->model;

	if (m->ninputs != 1)
		return error_set(err, ERR_INVALID, "model %s has %zu inputs, an image is one", m->name, m->ninputs);
	return http_input_raw(rq, &m->inputs[0], part->data, part->len, err);
}

void rest_predict_form(struct http_request *rq)
{
	const struct multipart_part *image, *transaction, *reference;
	const struct http_rest_models *models = http_rest_models(rq);
	struct multipart form;
	struct error err = {0};
	int r = multipart_parse(&form, http_header(rq, "Content-Type"), rq->body.data, rq->body.len, &err);

	if (r < 0) {
		http_fail_code(rq, r, &err);
		return;
	}
	image = multipart_find(&form, "image");
	transaction = multipart_find(&form, "transaction");
	reference = multipart_find(&form, "reference");
	if (!image && !transaction) {
		http_fail(rq, 400, "the form has neither a part \"transaction\" nor \"image\"");
		return;
	}
	if (!http_begin_named(rq, image ? models->vision : reference ? models->reference : models->no_reference))
		return;
	if (image) {
		r = take_image(rq, image, &err);
	} else {
		r = take_part(rq, "transaction", transaction, &err);
		if (r == 0 && reference)
			r = take_part(rq, "reference", reference, &err);
	}
	run_or_reject(rq, r, &err);
}

/* The client lists what it means to send: without it, the model that does without it would answer. */
static int check_listed(struct json_reader listed, const char *name, bool there, struct error *err)
{
	struct json_string s;

	if (there || json_kind(&listed) != JSON_KIND_ARRAY)
		return 0;
	for (json_enter(&listed, JSON_KIND_ARRAY); json_next_element(&listed);) {
		if (json_kind(&listed) != JSON_KIND_STRING) {
			json_skip(&listed);
		} else if (json_read_string(&listed, &s) == 0 && json_string_is(&s, name)) {
			return error_set(err, ERR_INVALID, "\"inputs\" lists \"%s\", which is no member of the object",
					 name);
		}
	}
	return 0;
}

/* Which model is meant is known once all members are: their values are passed over, and read in a second pass. */
void rest_predict_json(struct http_request *rq)
{
	const struct http_rest_models *models = http_rest_models(rq);
	struct json_reader r, transaction = {0}, reference = {0}, inputs = {0};
	struct json_string name;
	struct error err = {0};
	int result;

	json_open(&r, rq->body.data, rq->body.len, &err);
	for (json_enter(&r, JSON_KIND_OBJECT); json_next_member(&r, &name);) {
		if (json_string_is(&name, "transaction"))
			transaction = r;
		else if (json_string_is(&name, "reference"))
			reference = r;
		else if (json_string_is(&name, "inputs"))
			inputs = r;
		json_skip(&r);
	}
	result = json_close(&r);
	if (result == 0 && !transaction.p)
		result = error_set(&err, ERR_INVALID, "the object has no member \"transaction\"");
	if (result == 0 && inputs.p)
		result = check_listed(inputs, "reference", reference.p != NULL, &err);
	if (result < 0) {
		http_fail_code(rq, result, &err);
		return;
	}
	if (!http_begin_named(rq, reference.p ? models->reference : models->no_reference))
		return;
	result = http_input_json(rq, "transaction", strlen("transaction"), &transaction, true, &err);
	if (result == 0 && reference.p)
		result = http_input_json(rq, "reference", strlen("reference"), &reference, true, &err);
	run_or_reject(rq, result, &err);
}
