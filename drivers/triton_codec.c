/*
 * triton_codec.c - the Open Inference Protocol's requests; its replies are in triton_decode.c.
 */
#include "drivers/triton_codec.h"

#include <inttypes.h>

#include "common/arith.h"
#include "common/protobuf_writer.h"

/* ModelInferRequest, InferInputTensor */
enum { INFER_MODEL = 1, INFER_VERSION = 2, INFER_INPUTS = 5, INFER_OUTPUTS = 6, INFER_RAW = 7 };
enum { INPUT_NAME = 1, INPUT_DATATYPE = 2, INPUT_SHAPE = 3 };

static int64_t dimension(const struct triton_form *form, unsigned i, unsigned d)
{
	int64_t value = form->spec->inputs[i].dims[d];

	return d == 0 ? value * form->batch : value;
}

static int input_size(const struct triton_form *form, unsigned i, size_t *ret)
{
	return size_mul(ret, form->spec->inputs[i].size, form->batch) && *ret <= CALL_MESSAGE_MAX ? 0 : ERR_RANGE;
}

static void describe_inputs(struct buf *b, const struct triton_form *form)
{
	for (unsigned i = 0; i < form->spec->ninputs; i++) {
		struct buf input = {0};

		pbw_text(&input, INPUT_NAME, body_input_name(form->spec, i, form->input_name));
		pbw_text(&input, INPUT_DATATYPE, "FP32");
		for (unsigned d = 0; d < form->spec->inputs[i].ndims; d++)
			pbw_int(&input, INPUT_SHAPE, dimension(form, i, d));
		pbw_message(b, INFER_INPUTS, &input);
	}
	if (form->output) {
		struct buf output = {0};

		pbw_text(&output, 1, form->output);
		pbw_message(b, INFER_OUTPUTS, &output);
	}
}

int triton_infer(struct body_template *t, const struct triton_form *form)
{
	struct buf text = {0};
	int r = 0;

	t->batch = form->batch;
	pbw_text(&text, INFER_MODEL, form->model);
	if (form->version)
		pbw_text(&text, INFER_VERSION, form->version);
	describe_inputs(&text, form);
	for (unsigned i = 0; r == 0 && i < form->spec->ninputs; i++) {
		size_t size;

		r = input_size(form, i, &size);
		if (r < 0)
			break;
		pbw_begin_bytes(&text, INFER_RAW, size);
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

int triton_http(struct body_template *t, const struct triton_form *form, size_t *ret_json_size)
{
	t->batch = form->batch;
	body_template_printf(t, "{\"inputs\":[");
	for (unsigned i = 0; i < form->spec->ninputs; i++) {
		size_t size;
		int r = input_size(form, i, &size);

		if (r < 0)
			return r;
		body_template_printf(t, "%s{\"name\":\"%s\",\"shape\":[", i ? "," : "",
				     body_input_name(form->spec, i, form->input_name));
		for (unsigned d = 0; d < form->spec->inputs[i].ndims; d++)
			body_template_printf(t, "%s%" PRId64, d ? "," : "", dimension(form, i, d));
		body_template_printf(t, "],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":%zu}}", size);
	}
	body_template_printf(t, "],");
	if (form->output)
		body_template_printf(t, "\"outputs\":[{\"name\":\"%s\",\"parameters\":{\"binary_data\":true}}]}",
				     form->output);
	else
		body_template_printf(t, "\"parameters\":{\"binary_data_output\":true}}");
	*ret_json_size = t->text.len;
	for (unsigned i = 0; i < form->spec->ninputs; i++)
		body_template_raw(t, i);
	return body_template_finish(t);
}

int triton_model_request(struct buf *ret, const char *model, const char *version)
{
	pbw_text(ret, 1, model);
	if (version)
		pbw_text(ret, 2, version);
	return ret->failed ? ERR_NOMEM : 0;
}
