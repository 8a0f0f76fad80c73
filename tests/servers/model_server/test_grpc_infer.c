/*
 * test_grpc_infer.c - inferences over both gRPC protocols: answers bit for bit the engine's, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "proto/tensorflow_serving.pb-c.h"
#include "tests/servers/model_server/grpc_fixture.h"

static int setup(void **state)
{
	struct grpc_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	grpc_fixture_start(f, NULL, 1);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	grpc_fixture_stop(*state);
	free(*state);
	return 0;
}

/* Often enough that the model runs on its queue first and in line later. */
static void answers_are_the_engines(void **state)
{
	struct grpc_fixture *f = *state;

	for (int i = 0; i < 50; i++) {
		int64_t rows = 1 + i % 4;
		struct message m = fraud_message(f, "financialNet_NoReference", rows);
		struct tensor *want;

		fill_transaction(f->transaction, 4, (unsigned)i);
		want = http_fixture_run(&f->models, MODEL_NO_REFERENCE_2, (size_t)rows, f->transaction, NULL);
		m.typed = i % 3 == 0;
		ask_predict(f, &m);
		expect_prediction(f, "out", want);
		ask_infer(f, &m);
		expect_inference(f, "out", want);
		tensor_unref(want);
	}
}

static void reference_data_comes_with_or_without_a_batch_dimension(void **state)
{
	static const int64_t vector[] = {REFERENCE}, row[] = {1, REFERENCE};
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "financial", 1);

	m.ninputs = 2;
	m.inputs[1] = (struct message_input){"reference", 1, "FP32", vector, 1, f->reference, sizeof(f->reference)};
	ask_predict(f, &m);
	expect_status(f, OK, "");
	m.inputs[1].shape = row;
	m.inputs[1].rank = 2;
	ask_predict(f, &m);
	expect_status(f, OK, "");
	ask_infer(f, &m);
	expect_status(f, OK, "");
}

static void large_tensors_come_through_whole(void **state)
{
	static const int64_t shape[] = {3, 224, 224, 3};
	struct grpc_fixture *f = *state;
	float *image = malloc(3 * IMAGE * sizeof(float));
	struct message m = {.model = "mobilenet_v1_100_224_cpu", .ninputs = 1};
	struct tensor *want;

	assert_non_null(image);
	fill_image(image, 3, 5);
	want = http_fixture_run(&f->models, MODEL_VISION, 3, image, NULL);
	m.inputs[0] = (struct message_input){"input", 1, "FP32", shape, 4, image, 3 * IMAGE * sizeof(float)};
	ask_predict(f, &m);
	expect_prediction(f, "MobilenetV1/Predictions/Reshape_1", want);
	ask_infer(f, &m);
	expect_inference(f, "MobilenetV1/Predictions/Reshape_1", want);
	tensor_unref(want);
	free(image);
}

static void version_and_label_choose_the_version(void **state)
{
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "financialNet_NoReference", 1);
	struct tensor *first = http_fixture_run(&f->models, MODEL_NO_REFERENCE_1, 1, f->transaction, NULL);
	struct tensor *second = http_fixture_run(&f->models, MODEL_NO_REFERENCE_2, 1, f->transaction, NULL);

	assert_memory_not_equal(first->data, second->data, first->size);
	m.version = 1;
	ask_predict(f, &m);
	expect_prediction(f, "out", first);
	ask_infer(f, &m);
	expect_inference(f, "out", first);
	m.version = 2;
	ask_infer(f, &m);
	expect_inference(f, "out", second);
	m.version = 0;
	m.label = "stable";
	ask_predict(f, &m);
	expect_prediction(f, "out", first);
	m.label = "canary";
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "Unrecognized servable version label: canary");
	tensor_unref(first);
	tensor_unref(second);
}

static void wrong_models_and_signatures_are_told(void **state)
{
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "nothing", 1);

	ask_predict(f, &m);
	expect_status(f, NOT_FOUND, "Servable not found for request: Latest(nothing)");
	ask_infer(f, &m);
	expect_status(f, NOT_FOUND, "Request for unknown model: 'nothing' is not found");
	m.model = "financialNet_NoReference";
	m.version = 7;
	ask_predict(f, &m);
	expect_status(f, NOT_FOUND, "Servable not found for request: Specific(financialNet_NoReference, 7)");
	ask_infer(f, &m);
	expect_status(f, NOT_FOUND, "version 7");
	m.version = 0;
	m.signature = "classify";
	ask_predict(f, &m);
	expect_status(f, FAILED_PRECONDITION, "\"classify\" not found in signature def");
	m.signature = "serving_default";
	ask_predict(f, &m);
	expect_status(f, OK, "");
	m.model = NULL;
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "Missing ModelSpec");
}

static void wrong_inputs_are_told(void **state)
{
	static const int64_t narrow[] = {1, 29}, huge[] = {1 << 30, 30};
	struct grpc_fixture *f = *state;
	const struct message good = fraud_message(f, "financialNet_NoReference", 1);
	struct message m = good;

	m.inputs[0].name = "amount";
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT,
		      "input tensor alias not found in signature: amount. Inputs expected to be in "
		      "the set {transaction}.");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "unexpected inference input 'amount' for model 'financialNet_NoReference'");
	m = good;
	m.ninputs = 0;
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "input size does not match signature: 0!=1");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "expected 1 inputs but got 0 inputs");
	m = good;
	m.ninputs = 2;
	m.inputs[1] = m.inputs[0];
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "given twice");
	m = good;
	m.inputs[0].dt = 3;
	m.inputs[0].datatype = "INT32";
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "to be float but int32 is provided");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "data-type is 'INT32'");
	m.inputs[0].dt = 8; /* complex64 */
	m.inputs[0].datatype = "FP16";
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "data type 8 is not supported");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "'FP16' is not supported");
	m = good;
	m.inputs[0].shape = narrow;
	m.inputs[0].size -= 4;
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "Expected [-1,30], got [1,29]");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "Expected [-1,30], got [1,29]");
	m = good;
	m.inputs[0].size -= 4;
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "shape does not suit its content");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "unexpected total byte size");
	m = good;
	m.inputs[0].shape = huge;
	m.typed = true; /* one float fills any shape: it must not be made */
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "larger than a message");
	m = good;
	m.output = "in";
	ask_predict(f, &m);
	expect_status(f, INVALID_ARGUMENT, "output tensor alias not found in signature: in");
	ask_infer(f, &m);
	expect_status(f, INVALID_ARGUMENT, "unexpected inference output 'in'");
	m.output = "out";
	ask_predict(f, &m);
	expect_status(f, OK, "");
	ask_infer(f, &m);
	expect_status(f, OK, "");
}

static void one_value_fills_a_tensorflow_tensor(void **state)
{
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "financialNet_NoReference", 1);
	struct tensor *want;

	for (int i = 0; i < TRANSACTION; i++)
		f->transaction[i] = 0.25f;
	want = http_fixture_run(&f->models, MODEL_NO_REFERENCE_2, 1, f->transaction, NULL);
	m.typed = true;
	m.inputs[0].size = 4;
	ask_predict(f, &m);
	expect_prediction(f, "out", want);
	tensor_unref(want);
}

/* A cut message is either another message or an error, and the next request is answered. */
static void truncated_messages_harm_nobody(void **state)
{
	struct grpc_fixture *f = *state;
	const struct message m = fraud_message(f, "financialNet_NoReference", 1);
	size_t len[2];
	unsigned char *data[] = {message_predict(&m, &len[0]), message_infer(&m, &len[1])};
	const char *const methods[] = {PREDICTION "Predict", TRITON "ModelInfer"};

	for (int k = 0; k < 2; k++) {
		for (size_t i = 0; i < len[k]; i++) {
			grpc_reply_release(&f->reply);
			grpc_ask(f->client, methods[k], data[k], i, &f->reply);
			assert_true(f->reply.status == INVALID_ARGUMENT || f->reply.status == NOT_FOUND);
		}
		grpc_reply_release(&f->reply);
		grpc_ask(f->client, methods[k], data[k], len[k], &f->reply);
		expect_status(f, OK, "");
		free(data[k]);
	}
}

static void messages_over_the_limit_are_refused(void **state)
{
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "financialNet_NoReference", 1);
	unsigned char *data = calloc(1, MESSAGE_MAX + 1);

	assert_non_null(data);
	grpc_reply_release(&f->reply);
	grpc_ask(f->client, TRITON "ModelInfer", data, MESSAGE_MAX + 1, &f->reply);
	expect_status(f, RESOURCE_EXHAUSTED, "");
	free(data);
	ask_infer(f, &m);
	expect_status(f, OK, "");
}

static void unknown_methods_are_unimplemented(void **state)
{
	struct grpc_fixture *f = *state;

	grpc_reply_release(&f->reply);
	grpc_ask(f->client, PREDICTION "Classify", "", 0, &f->reply);
	expect_status(f, UNIMPLEMENTED, "no such method");
}

/* The run before it takes the only worker for longer than the deadline. */
static void deadlines_end_calls_that_wait(void **state)
{
	static const int64_t shape[] = {10, 224, 224, 3};
	struct grpc_fixture *f = *state;
	size_t size = 10 * IMAGE * sizeof(float), len;
	float *images = calloc(1, size);
	struct message m = {.model = "mobilenet_v1_100_224_cpu", .ninputs = 1};
	unsigned char *data;
	struct grpc_pending *first, *second;
	struct grpc_reply reply;

	m.inputs[0] = (struct message_input){"input", 1, "FP32", shape, 4, images, size};
	data = message_infer(&m, &len);
	first = grpc_begin(f->client, TRITON "ModelInfer", data, len, 0);
	second = grpc_begin(f->client, TRITON "ModelInfer", data, len, 1);
	grpc_finish(second, &reply);
	assert_int_equal(reply.status, DEADLINE_EXCEEDED);
	grpc_reply_release(&reply);
	grpc_finish(first, &reply);
	assert_int_equal(reply.status, OK);
	grpc_reply_release(&reply);
	free(data);
	free(images);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_the_engines),
		cmocka_unit_test(reference_data_comes_with_or_without_a_batch_dimension),
		cmocka_unit_test(large_tensors_come_through_whole),
		cmocka_unit_test(version_and_label_choose_the_version),
		cmocka_unit_test(wrong_models_and_signatures_are_told),
		cmocka_unit_test(wrong_inputs_are_told),
		cmocka_unit_test(one_value_fills_a_tensorflow_tensor),
		cmocka_unit_test(truncated_messages_harm_nobody),
		cmocka_unit_test(messages_over_the_limit_are_refused),
		cmocka_unit_test(unknown_methods_are_unimplemented),
		cmocka_unit_test(deadlines_end_calls_that_wait),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
