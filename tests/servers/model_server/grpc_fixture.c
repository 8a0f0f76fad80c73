/*
 * grpc_fixture.c - questions to the server and what must come back.
 */
#include "tests/servers/model_server/grpc_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/inference.pb-c.h"
#include "proto/tensorflow_serving.pb-c.h"

void grpc_fixture_start(struct grpc_fixture *f, const char *more_models, unsigned threads)
{
	const unsigned short any = 0;
	struct grpc_server_config config = {.ports = &any, .nports = 1, .threads = threads, .message_max = MESSAGE_MAX};
	struct error err = {0};

	memset(f, 0, sizeof(*f));
	setenv("GRPC_VERBOSITY", "NONE", 0);
	http_fixture_start(&f->models, more_models, 0, 0);
	config.repository = f->models.repository;
	if (grpc_service_start(&f->service, &config, &f->port, &err) < 0)
		fail_msg("%s", err.text);
	f->client = grpc_client_new(f->port);
	fill_transaction(f->transaction, 4, 1);
	fill_reference(f->reference, 1);
}

void grpc_fixture_stop(struct grpc_fixture *f)
{
	grpc_reply_release(&f->reply);
	grpc_client_free(f->client);
	grpc_service_stop(f->service, clock_now() + 10 * NSEC_PER_SEC);
	http_fixture_stop(&f->models);
}

struct message fraud_message(struct grpc_fixture *f, const char *model, int64_t rows)
{
	static const int64_t shapes[][2] = {
		{0, TRANSACTION}, {1, TRANSACTION}, {2, TRANSACTION}, {3, TRANSACTION}, {4, TRANSACTION}};

	return (struct message){
		.model = model,
		.inputs = {{"transaction", 1, "FP32", shapes[rows], 2, f->transaction, (size_t)rows * TRANSACTION * 4}},
		.ninputs = 1,
	};
}

void ask_predict(struct grpc_fixture *f, const struct message *m)
{
	size_t len;
	unsigned char *data = message_predict(m, &len);

	grpc_reply_release(&f->reply);
	grpc_ask(f->client, PREDICTION "Predict", data, len, &f->reply);
	free(data);
}

void ask_infer(struct grpc_fixture *f, const struct message *m)
{
	size_t len;
	unsigned char *data = message_infer(m, &len);

	grpc_reply_release(&f->reply);
	grpc_ask(f->client, TRITON "ModelInfer", data, len, &f->reply);
	free(data);
}

void expect_status(const struct grpc_fixture *f, int status, const char *text)
{
	if (f->reply.status != status || !strstr(f->reply.details, text))
		fail_msg("status %d '%s' in place of %d with '%s'", f->reply.status, f->reply.details, status, text);
}

void expect_prediction(const struct grpc_fixture *f, const char *output, const struct tensor *want)
{
	Tensorflow__Serving__PredictResponse *p;
	const Tensorflow__TensorProto *t;

	expect_status(f, OK, "");
	p = tensorflow__serving__predict_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_int_equal(p->n_outputs, 1);
	assert_string_equal(p->outputs[0]->key, output);
	t = p->outputs[0]->value;
	assert_int_equal(t->dtype, 1);
	assert_int_equal(t->tensor_shape->n_dim, want->rank);
	for (unsigned i = 0; i < want->rank; i++)
		assert_int_equal(t->tensor_shape->dim[i]->size, want->dims[i]);
	assert_int_equal(t->n_float_val, want->count);
	assert_memory_equal(t->float_val, want->data, want->size);
	tensorflow__serving__predict_response__free_unpacked(p, NULL);
}

void expect_inference(const struct grpc_fixture *f, const char *output, const struct tensor *want)
{
	Inference__ModelInferResponse *p;

	expect_status(f, OK, "");
	p = inference__model_infer_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_string_equal(p->id, "id 7");
	assert_int_equal(p->n_outputs, 1);
	assert_string_equal(p->outputs[0]->name, output);
	assert_string_equal(p->outputs[0]->datatype, "FP32");
	assert_int_equal(p->outputs[0]->n_shape, want->rank);
	assert_memory_equal(p->outputs[0]->shape, want->dims, want->rank * sizeof(int64_t));
	assert_int_equal(p->n_raw_output_contents, 1);
	assert_int_equal(p->raw_output_contents[0].len, want->size);
	assert_memory_equal(p->raw_output_contents[0].data, want->data, want->size);
	inference__model_infer_response__free_unpacked(p, NULL);
}
