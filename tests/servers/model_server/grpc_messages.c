/*
 * grpc_messages.c - PredictRequest and ModelInferRequest.
 */
#include "tests/servers/model_server/grpc_messages.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/inference.pb-c.h"
#include "proto/tensorflow_serving.pb-c.h"

#define RANK_MAX 20
#define TF_FLOAT 1

struct predict_input {
	Tensorflow__Serving__PredictRequest__InputsEntry entry;
	Tensorflow__TensorProto tensor;
	Tensorflow__TensorShapeProto shape;
	Tensorflow__TensorShapeProto__Dim dims[RANK_MAX], *dim_of[RANK_MAX];
};

static void fill_predict_input(struct predict_input *p, const struct message_input *in, bool typed)
{
	tensorflow__serving__predict_request__inputs_entry__init(&p->entry);
	tensorflow__tensor_proto__init(&p->tensor);
	tensorflow__tensor_shape_proto__init(&p->shape);
	for (size_t i = 0; i < in->rank; i++) {
		tensorflow__tensor_shape_proto__dim__init(&p->dims[i]);
		p->dims[i].size = in->shape[i];
		p->dim_of[i] = &p->dims[i];
	}
	p->shape.n_dim = in->rank;
	p->shape.dim = p->dim_of;
	p->tensor.dtype = in->dt;
	p->tensor.tensor_shape = &p->shape;
	if (!typed) {
		p->tensor.tensor_content = (ProtobufCBinaryData){in->size, (uint8_t *)(uintptr_t)in->data};
	} else if (in->dt == TF_FLOAT) {
		p->tensor.n_float_val = in->size / 4;
		p->tensor.float_val = (float *)(uintptr_t)in->data;
	} else {
		p->tensor.n_int_val = in->size / 4;
		p->tensor.int_val = (int32_t *)(uintptr_t)in->data;
	}
	p->entry.key = (char *)(uintptr_t)in->name;
	p->entry.value = &p->tensor;
}

unsigned char *message_predict(const struct message *m, size_t *ret_len)
{
	Tensorflow__Serving__PredictRequest request = TENSORFLOW__SERVING__PREDICT_REQUEST__INIT;
	Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
	Tensorflow__Serving__Int64Value version = TENSORFLOW__SERVING__INT64_VALUE__INIT;
	Tensorflow__Serving__PredictRequest__InputsEntry *entries[MESSAGE_INPUTS_MAX];
	struct predict_input *inputs = calloc(MESSAGE_INPUTS_MAX, sizeof(*inputs));
	char *filter[] = {(char *)(uintptr_t)m->output};
	unsigned char *packed;

	assert_non_null(inputs);
	spec.name = (char *)(uintptr_t)(m->model ? m->model : "");
	spec.signature_name = (char *)(uintptr_t)(m->signature ? m->signature : "");
	spec.version_label = (char *)(uintptr_t)(m->label ? m->label : "");
	version.value = m->version;
	spec.version = m->version ? &version : NULL;
	request.model_spec = &spec;
	for (size_t i = 0; i < m->ninputs; i++) {
		fill_predict_input(&inputs[i], &m->inputs[i], m->typed);
		entries[i] = &inputs[i].entry;
	}
	request.n_inputs = m->ninputs;
	request.inputs = entries;
	request.n_output_filter = m->output != NULL;
	request.output_filter = filter;
	*ret_len = tensorflow__serving__predict_request__get_packed_size(&request);
	packed = malloc(*ret_len + 1);
	assert_non_null(packed);
	tensorflow__serving__predict_request__pack(&request, packed);
	free(inputs);
	return packed;
}

/* A map of one entry. */
struct parameter {
	Inference__InferParameterEntry entry, *list[1];
	Inference__InferParameter value;
};

static Inference__InferParameterEntry **fill_parameter(struct parameter *p, const char *name)
{
	inference__infer_parameter_entry__init(&p->entry);
	inference__infer_parameter__init(&p->value);
	p->value.int64_param = 1;
	p->entry.key = (char *)(uintptr_t)name;
	p->entry.value = &p->value;
	p->list[0] = &p->entry;
	return p->list;
}

static void fill_infer_input(Inference__ModelInferRequest__InferInputTensor *t,
			     Inference__InferTensorContents *contents, const struct message_input *in, bool typed)
{
	inference__model_infer_request__infer_input_tensor__init(t);
	inference__infer_tensor_contents__init(contents);
	t->name = (char *)(uintptr_t)in->name;
	t->datatype = (char *)(uintptr_t)in->datatype;
	t->n_shape = in->rank;
	t->shape = (int64_t *)(uintptr_t)in->shape;
	if (!typed)
		return;
	t->contents = contents;
	if (in->dt == TF_FLOAT) {
		contents->n_fp32_contents = in->size / 4;
		contents->fp32_contents = (float *)(uintptr_t)in->data;
	} else {
		contents->n_int_contents = in->size / 4;
		contents->int_contents = (int32_t *)(uintptr_t)in->data;
	}
}

unsigned char *message_infer(const struct message *m, size_t *ret_len)
{
	Inference__ModelInferRequest request = INFERENCE__MODEL_INFER_REQUEST__INIT;
	Inference__ModelInferRequest__InferInputTensor inputs[MESSAGE_INPUTS_MAX], *input_of[MESSAGE_INPUTS_MAX];
	Inference__InferTensorContents contents[MESSAGE_INPUTS_MAX];
	Inference__ModelInferRequest__InferRequestedOutputTensor output, *outputs[] = {&output};
	ProtobufCBinaryData raw[MESSAGE_INPUTS_MAX];
	struct parameter input_parameter, output_parameter;
	char version[24] = "", id[] = "id 7";
	unsigned char *packed;

	if (m->version)
		snprintf(version, sizeof(version), "%lld", (long long)m->version);
	request.model_name = (char *)(uintptr_t)(m->model ? m->model : "");
	request.model_version = version;
	request.id = id;
	for (size_t i = 0; i < m->ninputs; i++) {
		fill_infer_input(&inputs[i], &contents[i], &m->inputs[i], m->typed);
		input_of[i] = &inputs[i];
		if (m->inputs[i].data && !m->typed)
			raw[request.n_raw_input_contents++] =
				(ProtobufCBinaryData){m->inputs[i].size, (uint8_t *)(uintptr_t)m->inputs[i].data};
	}
	if (m->input_parameter) {
		inputs[0].n_parameters = 1;
		inputs[0].parameters = fill_parameter(&input_parameter, m->input_parameter);
	}
	request.n_inputs = m->ninputs;
	request.inputs = input_of;
	request.raw_input_contents = raw;
	inference__model_infer_request__infer_requested_output_tensor__init(&output);
	output.name = (char *)(uintptr_t)m->output;
	output.n_parameters = m->output_parameter != NULL;
	output.parameters = fill_parameter(&output_parameter, m->output_parameter);
	request.n_outputs = m->output != NULL;
	request.outputs = outputs;
	*ret_len = inference__model_infer_request__get_packed_size(&request);
	packed = malloc(*ret_len + 1);
	assert_non_null(packed);
	inference__model_infer_request__pack(&request, packed);
	return packed;
}
