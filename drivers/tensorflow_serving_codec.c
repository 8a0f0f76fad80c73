/*
 * tensorflow_serving_codec.c - TensorFlow Serving's requests; its replies are in tensorflow_serving_decode.c.
 */
#include "drivers/tensorflow_serving_codec.h"

#include "common/arith.h"
#include "common/protobuf_writer.h"

#define DT_FLOAT 1

/* PredictRequest, ModelSpec, map entry, TensorProto, TensorShapeProto */
enum { PREDICT_MODEL_SPEC = 1, PREDICT_INPUTS = 2, PREDICT_OUTPUT_FILTER = 3 };
enum { SPEC_NAME = 1, SPEC_VERSION = 2, SPEC_SIGNATURE = 3 };
enum { ENTRY_KEY = 1, ENTRY_VALUE = 2 };
enum { TENSOR_DTYPE = 1, TENSOR_SHAPE = 2, TENSOR_CONTENT = 4 };

static void add_model_spec(struct buf *b, const char *model, int64_t version, const char *signature)
{
	struct buf spec = {0}, number = {0};

	pbw_text(&spec, SPEC_NAME, model);
	if (version) {
		pbw_int(&number, 1, version);
		pbw_message(&spec, SPEC_VERSION, &number);
	}
	if (signature)
		pbw_text(&spec, SPEC_SIGNATURE, signature);
	pbw_message(b, PREDICT_MODEL_SPEC, &spec);
}

/* Reference data are a vector, as AIBench sends them; all else has the batch in its first dimension. */
static void add_shape(struct buf *tensor, const struct workload_input *input, unsigned batch)
{
	struct buf shape = {0};

	for (unsigned d = input->reference ? 1 : 0; d < input->ndims; d++) {
		struct buf dim = {0};

		pbw_int(&dim, 1, d == 0 ? input->dims[0] * batch : input->dims[d]);
		pbw_message(&shape, 2, &dim);
	}
	pbw_message(tensor, TENSOR_SHAPE, &shape);
}

/* All of input number i up to its bytes; lengths count those. */
static void add_input(struct buf *b, const struct tensorflow_serving_form *form, unsigned i, size_t size)
{
	struct buf entry = {0}, tensor = {0};

	pbw_int(&tensor, TENSOR_DTYPE, DT_FLOAT);
	add_shape(&tensor, &form->spec->inputs[i], form->batch);
	pbw_begin_bytes(&tensor, TENSOR_CONTENT, size);
	pbw_text(&entry, ENTRY_KEY, body_input_name(form->spec, i, form->input_name));
	pbw_begin_bytes(&entry, ENTRY_VALUE, tensor.len + size);
	buf_append(&entry, tensor.data, tensor.len);
	pbw_begin_bytes(b, PREDICT_INPUTS, entry.len + size);
	buf_append(b, entry.data, entry.len);
	b->failed |= tensor.failed || entry.failed;
	buf_release(&tensor);
	buf_release(&entry);
}

int tensorflow_serving_predict(struct body_template *t, const struct tensorflow_serving_form *form)
{
	struct buf text = {0};
	int r = 0;

	t->batch = form->batch;
	add_model_spec(&text, form->model, form->version, form->signature);
	if (form->output)
		pbw_text(&text, PREDICT_OUTPUT_FILTER, form->output);
	for (unsigned i = 0; r == 0 && i < form->spec->ninputs; i++) {
		size_t size;

		if (!size_mul(&size, form->spec->inputs[i].size, form->batch) || size > CALL_MESSAGE_MAX) {
			r = ERR_RANGE;
			break;
		}
		add_input(&text, form, i, size);
		if (text.failed)
			r = ERR_NOMEM;
		else
			body_template_text(t, text.data, text.len);
		buf_clear(&text);
		body_template_raw(t, i);
	}
	buf_release(&text);
	return r < 0 ? r : body_template_finish(t);
}

int tensorflow_serving_rest(struct body_template *t, const struct tensorflow_serving_form *form)
{
	t->batch = form->batch;
	body_template_printf(t, "{\"signature_name\":\"%s\",\"inputs\":{", form->signature);
	for (unsigned i = 0; i < form->spec->ninputs; i++) {
		body_template_printf(t, "%s\"%s\":", i ? "," : "", body_input_name(form->spec, i, form->input_name));
		body_template_json(t, form->spec, i, !form->spec->inputs[i].reference);
	}
	body_template_printf(t, "}}");
	return body_template_finish(t);
}

int tensorflow_serving_status_request(struct buf *ret, const char *model, int64_t version)
{
	add_model_spec(ret, model, version, NULL); /* GetModelStatusRequest has it in field 1 too */
	return ret->failed ? ERR_NOMEM : 0;
}
