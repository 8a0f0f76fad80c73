/*
 * http_tensorflow.c - TensorFlow Serving's REST API: predict in row and column form, model status and metadata.
 *
 * Row form: {"instances": [row, …]}, each row an object of values by input name, or the value itself where the model
 * has one input; answered {"predictions": [row, …]}. Column form: {"inputs": …}, an object of whole tensors by input
 * name, or the tensor; answered {"outputs": …}.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "servers/model_server/dtypes.h"
#include "servers/model_server/http_protocols.h"
#include "servers/model_server/http_request.h"
#include "servers/model_server/json_tensor.h"

/* The tensors of a row-form request while their rows are read; one for each of the model's inputs. */
struct rows {
	const struct served_model *model;
	struct json_tensor *inputs;
	size_t nrows;
};

static int rows_init(struct rows *rows, const struct served_model *model, struct error *err)
{
	*rows = (struct rows){.model = model};
	rows->inputs = calloc(model->ninputs, sizeof(*rows->inputs));
	if (!rows->inputs)
		return error_set(err, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < model->ninputs; i++) {
		int r = json_tensor_start(&rows->inputs[i], model->inputs[i].dtype);

		if (r < 0)
			return error_set(err, r, "input \"%s\" takes strings", model->inputs[i].name);
	}
	return 0;
}

static void rows_release(struct rows *rows)
{
	for (size_t i = 0; rows->inputs && i < rows->model->ninputs; i++)
		json_tensor_release(&rows->inputs[i]);
	free(rows->inputs);
}

/* Each input exactly once: after row n each has n. */
static int read_object_row(struct rows *rows, struct json_reader *r)
{
	struct json_string name;

	for (json_enter(r, JSON_KIND_OBJECT); json_next_member(r, &name);) {
		int i = served_model_input(rows->model, name.text, name.len);

		if (i < 0)
			return json_fail(r, ERR_INVALID, "the model has no input \"%.*s\"", (int)name.len, name.text);
		if (rows->inputs[i].rows == rows->nrows)
			return json_fail(r, ERR_INVALID, "input \"%.*s\" twice in a row", (int)name.len, name.text);
		json_tensor_read_row(&rows->inputs[i], r);
	}
	for (size_t i = 0; r->result == 0 && i < rows->model->ninputs; i++) {
		if (rows->inputs[i].rows != rows->nrows)
			return json_fail(r, ERR_INVALID, "row %zu lacks input \"%s\"", rows->nrows,
					 rows->model->inputs[i].name);
	}
	return r->result;
}

static int read_row(struct rows *rows, struct json_reader *r)
{
	rows->nrows++;
	if (json_kind(r) == JSON_KIND_OBJECT)
		return read_object_row(rows, r);
	if (rows->model->ninputs != 1)
		return json_fail(r, ERR_INVALID, "the model has %zu inputs: each row must be an object of them",
				 rows->model->ninputs);
	return json_tensor_read_row(&rows->inputs[0], r);
}

static int read_instances(struct http_request *rq, struct json_reader *r, struct error *err)
{
	const struct served_model *m = rq->inference->model;
	struct rows rows;
	int result = rows_init(&rows, m, err);

	if (result == 0) {
		for (json_enter(r, JSON_KIND_ARRAY); json_next_element(r);)
			read_row(&rows, r);
		result = r->result;
	}
	if (result == 0 && rows.nrows == 0)
		result = json_fail(r, ERR_INVALID, "\"instances\" has no rows");
	for (size_t i = 0; result == 0 && i < m->ninputs; i++) {
		struct tensor *t = NULL;

		result = json_tensor_finish(&rows.inputs[i], &t, NULL, 0, err);
		if (result == 0)
			result = http_input_tensor(rq, m->inputs[i].name, strlen(m->inputs[i].name), t, err);
	}
	rows_release(&rows);
	return result;
}

static int read_inputs(struct http_request *rq, struct json_reader *r, struct error *err)
{
	const struct served_model *m = rq->inference->model;
	struct json_string name;
	int result = 0;

	if (json_kind(r) != JSON_KIND_OBJECT) {
		if (m->ninputs != 1)
			return json_fail(r, ERR_INVALID,
					 "the model has %zu inputs: \"inputs\" must be an object of them", m->ninputs);
		return http_input_json(rq, m->inputs[0].name, strlen(m->inputs[0].name), r, false, err);
	}
	for (json_enter(r, JSON_KIND_OBJECT); result == 0 && json_next_member(r, &name);)
		result = http_input_json(rq, name.text, name.len, r, false, err);
	return result < 0 ? result : r->result;
}

static int read_signature(struct json_reader *r)
{
	struct json_string name;

	if (json_read_string(r, &name) == 0 && name.len && !json_string_is(&name, SIGNATURE_NAME))
		json_fail(r, ERR_INVALID, "Serving signature name: \"%.*s\" not found in signature def", (int)name.len,
			  name.text);
	return r->result;
}

static int read_request(struct http_request *rq, struct error *err)
{
	struct json_reader r;
	struct json_string name;
	bool found = false;
	int result = 0;

	json_open(&r, rq->body.data, rq->body.len, err);
	for (json_enter(&r, JSON_KIND_OBJECT); result == 0 && json_next_member(&r, &name);) {
		bool rows = json_string_is(&name, "instances");

		if (json_string_is(&name, "signature_name")) {
			result = read_signature(&r);
		} else if (!rows && !json_string_is(&name, "inputs")) {
			result = json_skip(&r);
		} else if (found) {
			result = json_fail(&r, ERR_INVALID, "more than one of \"instances\" and \"inputs\"");
		} else {
			found = true;
			rq->state.rows = rows;
			result = rows ? read_instances(rq, &r, err) : read_inputs(rq, &r, err);
		}
	}
	if (result == 0)
		result = json_close(&r);
	if (result == 0 && !found)
		result = error_set(err, ERR_INVALID, "Missing 'inputs' or 'instances' key");
	return result;
}

static void write_row(struct buf *b, const struct inference *inf, size_t row)
{
	const struct served_model *m = inf->model;

	if (m->noutputs == 1) {
		json_write_row(b, inf->out[0], row);
		return;
	}
	for (size_t i = 0; i < m->noutputs; i++) {
		buf_append(b, i > 0 ? "," : "{", 1);
		json_write_string(b, m->outputs[i].name, strlen(m->outputs[i].name));
		buf_append(b, ":", 1);
		json_write_row(b, inf->out[i], row);
	}
	buf_append(b, "}", 1);
}

/* All outputs must have as many rows as the first. */
static bool have_rows(const struct inference *inf, size_t *ret)
{
	for (size_t i = 0; i < inf->model->noutputs; i++) {
		const struct tensor *t = inf->out[i];

		if (t->rank == 0 || t->dims[0] != inf->out[0]->dims[0])
			return false;
	}
	*ret = inf->model->noutputs ? (size_t)inf->out[0]->dims[0] : 0;
	return true;
}

static void encode(struct http_request *rq)
{
	const struct inference *inf = rq->inference;
	size_t nrows;

	if (!rq->state.rows) {
		buf_text(&rq->reply, "{\"outputs\":");
		http_write_outputs(rq, false);
		buf_append(&rq->reply, "}", 1);
		http_answer_json(rq);
		return;
	}
	if (!have_rows(inf, &nrows)) {
		http_fail(rq, 400, "the outputs are no rows of a batch: send \"inputs\" in place of \"instances\"");
		return;
	}
	buf_text(&rq->reply, "{\"predictions\":[");
	for (size_t i = 0; i < nrows && !rq->reply.failed; i++) {
		buf_append(&rq->reply, ",", i > 0);
		write_row(&rq->reply, inf, i);
	}
	buf_text(&rq->reply, "]}");
	http_answer_json(rq);
}

void tensorflow_predict(struct http_request *rq)
{
	struct error err = {0};
	int r;

	if (!http_begin(rq))
		return;
	r = read_request(rq, &err);
	if (r < 0)
		http_reject(rq, r, &err);
	else
		http_infer(rq, encode);
}

/* tensorflow.error.Code's names of what keeps a version from being served. */
static const char *status_code(const struct repository_entry *e)
{
	return e->error.text[0] ? "UNKNOWN" : "OK";
}

static void write_status(struct buf *b, const struct repository_entry *e, bool first)
{
	buf_printf(b,
		   "%s{\"version\":\"%" PRId64 "\",\"state\":\"%s\",\"status\":{\"error_code\":\"%s\","
		   "\"error_message\":",
		   first ? "" : ",", e->version, served_state_name(e->state), status_code(e));
	json_write_string(b, e->error.text, strlen(e->error.text));
	buf_printf(b, "}}");
}

void tensorflow_status(struct http_request *rq)
{
	struct http_entries list;
	int64_t version;
	size_t shown = 0;

	if (!http_target_version(rq, &version) || !http_list(rq, &list))
		return;
	buf_printf(&rq->reply, "{\"model_version_status\":[");
	/* The highest version comes first, as from the real server. */
	for (size_t i = list.n; i-- > 0;) {
		if (version == 0 || list.entries[i].version == version)
			write_status(&rq->reply, &list.entries[i], shown++ == 0);
	}
	buf_text(&rq->reply, "]}");
	if (shown)
		http_answer_json(rq);
	else if (version)
		http_fail(rq, 404, "Could not find version %" PRId64 " of model %.*s", version,
			  (int)rq->target.model.len, rq->target.model.text);
	else
		http_fail(rq, 404, "Could not find any versions of model %.*s", (int)rq->target.model.len,
			  rq->target.model.text);
	repository_list_free(list.entries, list.n);
}

static void write_tensor_infos(struct buf *b, const char *title, const struct model_tensor_info *infos, size_t n)
{
	buf_printf(b, "\"%s\":{", title);
	for (size_t i = 0; i < n; i++) {
		buf_append(b, ",", i > 0);
		json_write_string(b, infos[i].name, strlen(infos[i].name));
		buf_printf(b, ":{\"dtype\":\"%s\",\"tensor_shape\":{\"dim\":[", dtype_tensorflow_name(infos[i].dtype));
		for (int d = 0; d < infos[i].rank; d++)
			buf_printf(b, "%s{\"size\":\"%" PRId64 "\",\"name\":\"\"}", d ? "," : "", infos[i].dims[d]);
		buf_printf(b, "],\"unknown_rank\":%s},\"name\":", infos[i].rank < 0 ? "true" : "false");
		json_write_string(b, infos[i].name, strlen(infos[i].name));
		buf_append(b, "}", 1);
	}
	buf_append(b, "}", 1);
}

void tensorflow_metadata(struct http_request *rq)
{
	struct served_model *m;
	struct buf *b = &rq->reply;
	int64_t version;

	if (!http_target_version(rq, &version) ||
	    !http_acquire(rq, &m, rq->target.model.text, rq->target.model.len, version))
		return;
	buf_printf(b, "{\"model_spec\":{\"name\":");
	json_write_string(b, rq->target.model.text, rq->target.model.len);
	buf_printf(b,
		   ",\"signature_name\":\"\",\"version\":\"%" PRId64 "\"},\"metadata\":{\"signature_def\":"
		   "{\"signature_def\":{\"" SIGNATURE_NAME "\":{",
		   m->version);
	write_tensor_infos(b, "inputs", m->inputs, m->ninputs);
	buf_append(b, ",", 1);
	write_tensor_infos(b, "outputs", m->outputs, m->noutputs);
	buf_printf(b, ",\"method_name\":\"tensorflow/serving/predict\"}}}}}");
	http_answer_json(rq);
	served_model_unref(m);
}

void tensorflow_malformed(struct http_request *rq)
{
	http_fail(rq, 400, "Malformed request: %s %s", rq->target.method, rq->target.path);
}
