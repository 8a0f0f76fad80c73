/*
 * test_grpc_service.c - what gRPC clients ask beside inferences, and the server among many of them and at its end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/file.h"
#include "proto/inference.pb-c.h"
#include "proto/tensorflow_serving.pb-c.h"
#include "tests/servers/model_server/grpc_fixture.h"
#include "tests/servers/model_server/http2_bytes.h"
#include "tests/support/process.h"

#define METADATA PREDICTION "GetModelMetadata"
#define STATUS "/tensorflow.serving.ModelService/GetModelStatus"

static void ask(struct grpc_fixture *f, const char *method, const void *data, size_t len)
{
	grpc_reply_release(&f->reply);
	grpc_ask(f->client, method, data, len, &f->reply);
}

static void ask_model(struct grpc_fixture *f, const char *method, const char *name, const char *version)
{
	Inference__ModelRequest request = INFERENCE__MODEL_REQUEST__INIT;
	unsigned char data[256];

	request.name = (char *)(uintptr_t)name;
	request.version = (char *)(uintptr_t)version;
	ask(f, method, data, inference__model_request__pack(&request, data));
}

static bool says_ready(struct grpc_fixture *f)
{
	Inference__ServerReadyResponse *p;
	bool ready;

	expect_status(f, OK, "");
	p = inference__server_ready_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	ready = p->ready;
	inference__server_ready_response__free_unpacked(p, NULL);
	return ready;
}

static void health_is_told(void **state)
{
	struct grpc_fixture *f = *state;

	ask(f, TRITON "ServerLive", "", 0);
	assert_true(says_ready(f));
	ask(f, TRITON "ServerReady", "", 0);
	assert_true(says_ready(f));
	ask_model(f, TRITON "ModelReady", "financial", "");
	assert_true(says_ready(f));
	ask_model(f, TRITON "ModelReady", "financial", "9");
	assert_false(says_ready(f));
	ask_model(f, TRITON "ModelReady", "nothing", "");
	assert_false(says_ready(f));
	ask_model(f, TRITON "ModelReady", "financial", "newest");
	expect_status(f, INVALID_ARGUMENT, "'newest'");
}

/* The message has one field of text, or none. */
static void ask_probe(struct grpc_fixture *f, const char *service)
{
	char data[256];
	int len = service[0] ? snprintf(data, sizeof(data), "\n%c%s", (char)strlen(service), service) : 0;

	ask(f, "/grpc.health.v1.Health/Check", data, (size_t)len);
}

static void expect_serving(struct grpc_fixture *f, bool serving)
{
	const unsigned char want[] = {0x08, serving ? 1 : 2};

	expect_status(f, OK, "");
	assert_int_equal(f->reply.len, sizeof(want));
	assert_memory_equal(f->reply.data, want, sizeof(want));
}

static void probes_of_grpc_are_answered(void **state)
{
	static const char *const names[] = {"", "inference.GRPCInferenceService", "tensorflow.serving.ModelService",
					    "grpc.health.v1.Health"};
	static const char *const unknown[] = {"inference", "inference.GRPCInferenceService/", "nothing"};
	struct grpc_fixture *f = calloc(1, sizeof(*f));
	char broken[300], path[256];

	(void)state;
	assert_non_null(f);
	temp_folder_new(path, sizeof(path));
	snprintf(broken, sizeof(broken), "broken=%s/broken.tflite", path);
	assert_int_equal(file_write(broken + strlen("broken="), "no model", 8, NULL), 0);
	for (int bad = 0; bad <= 1; bad++) {
		grpc_fixture_start(f, bad ? broken : NULL, 1);
		for (size_t i = 0; i < ARRAY_LEN(names); i++) {
			ask_probe(f, names[i]);
			expect_serving(f, !bad);
		}
		for (size_t i = 0; i < ARRAY_LEN(unknown); i++) {
			ask_probe(f, unknown[i]);
			expect_status(f, NOT_FOUND, unknown[i]);
		}
		ask_probe(f, "financial");
		expect_serving(f, true);
		ask_probe(f, "financialNet_NoReference");
		expect_serving(f, true);
		ask_probe(f, "broken");
		if (bad)
			expect_serving(f, false);
		else
			expect_status(f, NOT_FOUND, "broken");
		/* A name that goes on behind the end of a method's. */
		ask(f, "/grpc.health.v1.Health/Check", "\n\x28grpc.health.v1.Health/Check\0............", 42);
		expect_status(f, NOT_FOUND, "grpc.health.v1.Health/Check");
		ask(f, "/grpc.health.v1.Health/Check", "\x0a\x7f", 2);
		expect_status(f, INVALID_ARGUMENT, "no protobuf message");
		grpc_fixture_stop(f);
	}
	free(f);
	temp_folder_remove(path);
}

static void triton_metadata_names_tensors_and_versions(void **state)
{
	struct grpc_fixture *f = *state;
	Inference__ModelMetadataResponse *p;
	Inference__ServerMetadataResponse *s;

	ask(f, TRITON "ServerMetadata", "", 0);
	expect_status(f, OK, "");
	s = inference__server_metadata_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(s);
	assert_string_equal(s->name, "aibench_model_server");
	inference__server_metadata_response__free_unpacked(s, NULL);

	ask_model(f, TRITON "ModelMetadata", "financialNet_NoReference", "");
	expect_status(f, OK, "");
	p = inference__model_metadata_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_string_equal(p->platform, "tensorflow_graphdef");
	assert_int_equal(p->n_versions, 2);
	assert_string_equal(p->versions[1], "2");
	assert_int_equal(p->n_inputs, 1);
	assert_string_equal(p->inputs[0]->name, "transaction");
	assert_string_equal(p->inputs[0]->datatype, "FP32");
	assert_int_equal(p->inputs[0]->n_shape, 2);
	assert_int_equal(p->inputs[0]->shape[0], -1);
	assert_int_equal(p->inputs[0]->shape[1], TRANSACTION);
	assert_int_equal(p->n_outputs, 1);
	inference__model_metadata_response__free_unpacked(p, NULL);
	ask_model(f, TRITON "ModelMetadata", "nothing", "");
	expect_status(f, NOT_FOUND, "unknown model");
}

static void configuration_is_told_with_types_and_shapes(void **state)
{
	struct grpc_fixture *f = *state;
	Inference__ModelConfigResponse *p;
	const Inference__ModelConfig *config;

	ask_model(f, TRITON "ModelConfig", "financial", "");
	expect_status(f, OK, "");
	p = inference__model_config_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	config = p->config;
	assert_non_null(config);
	assert_string_equal(config->name, "financial");
	assert_string_equal(config->platform, "tensorflow_graphdef");
	assert_int_equal(config->max_batch_size, 0);
	assert_int_equal(config->n_input, 2);
	assert_string_equal(config->input[0]->name, "transaction");
	assert_int_equal(config->input[0]->data_type, 11); /* TYPE_FP32 */
	assert_int_equal(config->input[0]->n_dims, 2);
	assert_int_equal(config->input[0]->dims[1], TRANSACTION);
	assert_int_equal(config->n_output, 1);
	assert_string_equal(config->output[0]->name, "output");
	assert_int_equal(config->n_instance_group, 1);
	assert_int_equal(config->instance_group[0]->count, 1);
	inference__model_config_response__free_unpacked(p, NULL);
	ask_model(f, TRITON "ModelConfig", "nothing", "");
	expect_status(f, NOT_FOUND, "unknown model");
	ask(f, TRITON "ModelConfig", "\x0a\x7f", 2);
	expect_status(f, INVALID_ARGUMENT, "no protobuf message");
}

static size_t ask_index(struct grpc_fixture *f, bool ready, const char *name, const char *state, const char *reason)
{
	Inference__RepositoryIndexRequest request = INFERENCE__REPOSITORY_INDEX_REQUEST__INIT;
	Inference__RepositoryIndexResponse *p;
	unsigned char data[16];
	size_t n, found = 0;

	request.ready = ready;
	n = inference__repository_index_request__pack(&request, data);
	ask(f, TRITON "RepositoryIndex", data, n);
	expect_status(f, OK, "");
	p = inference__repository_index_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	for (size_t i = 0; i < p->n_models; i++) {
		const Inference__RepositoryIndexResponse__ModelIndex *m = p->models[i];

		if (strcmp(m->name, name) != 0)
			continue;
		assert_string_equal(m->state, state);
		assert_non_null(strstr(m->reason, reason));
		found++;
	}
	inference__repository_index_response__free_unpacked(p, NULL);
	return found;
}

static void the_index_tells_what_loaded_and_what_did_not(void **state)
{
	struct grpc_fixture *f = calloc(1, sizeof(*f));
	char broken[300], path[256];

	(void)state;
	assert_non_null(f);
	temp_folder_new(path, sizeof(path));
	snprintf(broken, sizeof(broken), "broken=%s/broken.tflite", path);
	assert_int_equal(file_write(broken + strlen("broken="), "no model", 8, NULL), 0);
	grpc_fixture_start(f, broken, 1);
	assert_int_equal(ask_index(f, false, "financialNet_NoReference", "READY", ""), 2);
	assert_int_equal(ask_index(f, false, "broken", "UNAVAILABLE", "broken"), 1);
	assert_int_equal(ask_index(f, true, "broken", "", ""), 0);
	assert_int_equal(ask_index(f, true, "financialNet", "READY", ""), 1);
	grpc_fixture_stop(f);
	free(f);
	temp_folder_remove(path);
}

static void ask_metadata(struct grpc_fixture *f, const char *name, const char *field)
{
	Tensorflow__Serving__GetModelMetadataRequest request = TENSORFLOW__SERVING__GET_MODEL_METADATA_REQUEST__INIT;
	Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
	char *fields[] = {(char *)(uintptr_t)field};
	unsigned char data[256];

	spec.name = (char *)(uintptr_t)name;
	request.model_spec = &spec;
	request.n_metadata_field = field != NULL;
	request.metadata_field = fields;
	ask(f, METADATA, data, tensorflow__serving__get_model_metadata_request__pack(&request, data));
}

static void tensorflow_metadata_is_the_signature(void **state)
{
	struct grpc_fixture *f = *state;
	Tensorflow__Serving__GetModelMetadataResponse *p;
	Tensorflow__Serving__SignatureDefMap *map;
	const Tensorflow__SignatureDef *signature;

	ask_metadata(f, "financial", "signature_def");
	expect_status(f, OK, "");
	p = tensorflow__serving__get_model_metadata_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_string_equal(p->model_spec->name, "financial");
	assert_int_equal(p->model_spec->version->value, 1);
	assert_int_equal(p->n_metadata, 1);
	assert_string_equal(p->metadata[0]->value->type_url, "type.googleapis.com/tensorflow.serving.SignatureDefMap");
	map = tensorflow__serving__signature_def_map__unpack(NULL, p->metadata[0]->value->value.len,
							     p->metadata[0]->value->value.data);
	assert_non_null(map);
	assert_string_equal(map->signature_def[0]->key, "serving_default");
	signature = map->signature_def[0]->value;
	assert_int_equal(signature->n_inputs, 2);
	assert_string_equal(signature->inputs[1]->key, "reference");
	assert_int_equal(signature->inputs[1]->value->tensor_shape->dim[0]->size, REFERENCE);
	assert_string_equal(signature->method_name, "tensorflow/serving/predict");
	tensorflow__serving__signature_def_map__free_unpacked(map, NULL);
	tensorflow__serving__get_model_metadata_response__free_unpacked(p, NULL);
	ask_metadata(f, "financial", "weights");
	expect_status(f, INVALID_ARGUMENT, "Metadata field weights is not supported");
	ask_metadata(f, "financial", NULL);
	expect_status(f, INVALID_ARGUMENT, "at least one metadata_field");
	ask_metadata(f, "nothing", "signature_def");
	expect_status(f, NOT_FOUND, "Latest(nothing)");
}

static void ask_status(struct grpc_fixture *f, const char *name, int64_t version)
{
	Tensorflow__Serving__GetModelStatusRequest request = TENSORFLOW__SERVING__GET_MODEL_STATUS_REQUEST__INIT;
	Tensorflow__Serving__ModelSpec spec = TENSORFLOW__SERVING__MODEL_SPEC__INIT;
	Tensorflow__Serving__Int64Value number = TENSORFLOW__SERVING__INT64_VALUE__INIT;
	unsigned char data[256];

	spec.name = (char *)(uintptr_t)name;
	number.value = version;
	spec.version = version ? &number : NULL;
	request.model_spec = &spec;
	ask(f, STATUS, data, tensorflow__serving__get_model_status_request__pack(&request, data));
}

static void status_lists_the_versions(void **state)
{
	struct grpc_fixture *f = *state;
	Tensorflow__Serving__GetModelStatusResponse *p;

	ask_status(f, "financialNet_NoReference", 0);
	expect_status(f, OK, "");
	p = tensorflow__serving__get_model_status_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_int_equal(p->n_model_version_status, 2);
	assert_int_equal(p->model_version_status[0]->version, 2);
	assert_int_equal(p->model_version_status[0]->state, 30);
	tensorflow__serving__get_model_status_response__free_unpacked(p, NULL);
	ask_status(f, "financialNet_NoReference", 3);
	expect_status(f, NOT_FOUND, "Could not find version 3 of model financialNet_NoReference");
	ask_status(f, "nothing", 0);
	expect_status(f, NOT_FOUND, "Could not find any versions of model nothing");
}

static void statistics_count_requests_rows_and_times(void **state)
{
	struct grpc_fixture *f = *state;
	Inference__ModelStatisticsResponse *p;
	const Inference__ModelStatistics *s;
	struct message m = fraud_message(f, "financialNet_NoReference", 3), bad = m;

	m.version = bad.version = 1;
	bad.ninputs = 0;
	for (int i = 0; i < 5; i++)
		ask_infer(f, &m);
	expect_status(f, OK, "");
	ask_infer(f, &bad);
	expect_status(f, INVALID_ARGUMENT, "Missing required input(s) ['transaction']");
	ask_model(f, TRITON "ModelStatistics", "financialNet_NoReference", "1");
	expect_status(f, OK, "");
	p = inference__model_statistics_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_int_equal(p->n_model_stats, 1);
	s = p->model_stats[0];
	assert_string_equal(s->name, "financialNet_NoReference");
	assert_int_equal(s->inference_count, 15);
	assert_int_equal(s->execution_count, 5);
	assert_int_equal(s->inference_stats->success->count, 5);
	assert_int_equal(s->inference_stats->fail->count, 1);
	assert_int_equal(s->inference_stats->compute_infer->count, 5);
	assert_true(s->inference_stats->compute_infer->ns > 0);
	assert_true(s->inference_stats->success->ns >=
		    s->inference_stats->compute_infer->ns + s->inference_stats->queue->ns);
	assert_true(s->last_inference > 0);
	inference__model_statistics_response__free_unpacked(p, NULL);
	ask_model(f, TRITON "ModelStatistics", "", "");
	p = inference__model_statistics_response__unpack(NULL, f->reply.len, f->reply.data);
	assert_non_null(p);
	assert_int_equal(p->n_model_stats, 4);
	inference__model_statistics_response__free_unpacked(p, NULL);
}

#define CONNECTIONS 6
#define CALLS 100

struct caller {
	unsigned short port;
	unsigned char *request;
	size_t len;
	unsigned wrong;
	struct grpc_reply first;
	pthread_t thread;
};

static void *call_often(void *arg)
{
	struct caller *c = arg;
	struct grpc_client *client = grpc_client_new(c->port);
	struct grpc_pending *pending[8];
	struct grpc_reply reply;

	for (int i = 0; i < CALLS; i += 8) {
		for (int k = 0; k < 8; k++)
			pending[k] = grpc_begin(client, TRITON "ModelInfer", c->request, c->len, 0);
		for (int k = 0; k < 8; k++) {
			grpc_finish(pending[k], &reply);
			if (i + k == 0) {
				c->first = reply;
				continue;
			}
			c->wrong += reply.status != OK || reply.len != c->first.len ||
				    memcmp(reply.data, c->first.data, reply.len) != 0;
			grpc_reply_release(&reply);
		}
	}
	grpc_client_free(client);
	return NULL;
}

/* Each with another request, so that an answer to the wrong one is seen. */
static void many_connections_get_their_own_answers(void **state)
{
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "financialNet_NoReference", 1);
	struct caller callers[CONNECTIONS] = {0};

	for (unsigned i = 0; i < CONNECTIONS; i++) {
		fill_transaction(f->transaction, 1, 100 + i);
		callers[i].port = f->port;
		callers[i].request = message_infer(&m, &callers[i].len);
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
	}
	for (unsigned i = 0; i < CONNECTIONS; i++)
		pthread_join(callers[i].thread, NULL);
	for (unsigned i = 0; i < CONNECTIONS; i++) {
		struct tensor *want;

		assert_int_equal(callers[i].wrong, 0);
		fill_transaction(f->transaction, 1, 100 + i);
		want = http_fixture_run(&f->models, MODEL_NO_REFERENCE_2, 1, f->transaction, NULL);
		f->reply = callers[i].first;
		expect_inference(f, "out", want);
		grpc_reply_release(&f->reply);
		tensor_unref(want);
		free(callers[i].request);
	}
}

/* One way for a client to be bad; the connection is the test's to close. */
static void be_bad(unsigned way, int fd, const struct caller *c)
{
	static const char lying[] = "\0\x7f\xff\xff\xff...", compressed[] = "\1\0\0\0\2xx";
	struct buf b = {0};

	http2_put_preface(&b);
	http2_put_call(&b, 1, TRITON "ModelInfer");
	switch (way) {
	case 0: /* is gone before its message ends */
		http2_put_message(&b, 1, c->request, c->len, false);
		b.len -= c->len / 2;
		break;
	case 1: /* asks and does not want to know */
		http2_put_message(&b, 1, c->request, c->len, true);
		http2_put_frame(&b, HTTP2_RST_STREAM, 0, 1, "\0\0\0\x08", 4);
		break;
	case 2: /* a message longer than may be, of which little comes */
		http2_put_frame(&b, HTTP2_DATA, HTTP2_END_STREAM, 1, lying, sizeof(lying) - 1);
		break;
	case 3: /* compressed, by nothing that was agreed on */
		http2_put_frame(&b, HTTP2_DATA, HTTP2_END_STREAM, 1, compressed, sizeof(compressed) - 1);
		break;
	case 4: /* a stream that only servers may open */
		http2_put_call(&b, 2, TRITON "ModelInfer");
		break;
	case 5: /* no frame at all */
		buf_printf(&b, "GET / HTTP/1.1\r\n\r\n");
		break;
	case 6: /* a hundred questions, of which it reads no answer */
		for (uint32_t stream = 3; stream < 200; stream += 2) {
			http2_put_call(&b, stream, TRITON "ModelInfer");
			http2_put_message(&b, stream, c->request, c->len, true);
		}
		break;
	default: /* headers that are none */
		http2_put_frame(&b, HTTP2_HEADERS, HTTP2_END_HEADERS, 3, "\xff\xff\xff\xff\xff\xff", 6);
	}
	(void)http_send(fd, b.data, b.len);
	buf_release(&b);
}

#define BAD_WAYS 8

static void bad_clients_harm_no_good_one(void **state)
{
	const struct linger reset = {.l_onoff = 1};
	struct grpc_fixture *f = *state;
	struct message m = fraud_message(f, "financialNet_NoReference", 1);
	struct caller callers[2] = {0};

	for (unsigned i = 0; i < ARRAY_LEN(callers); i++) {
		callers[i].port = f->port;
		callers[i].request = message_infer(&m, &callers[i].len);
		assert_int_equal(pthread_create(&callers[i].thread, NULL, call_often, &callers[i]), 0);
	}
	for (unsigned i = 0; i < 4 * BAD_WAYS; i++) {
		int fd = http_connect(f->port);

		be_bad(i % BAD_WAYS, fd, &callers[0]);
		if (i / BAD_WAYS % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
	for (unsigned i = 0; i < ARRAY_LEN(callers); i++) {
		pthread_join(callers[i].thread, NULL);
		assert_int_equal(callers[i].first.status, OK);
		assert_int_equal(callers[i].wrong, 0);
		grpc_reply_release(&callers[i].first);
		free(callers[i].request);
	}
	ask_infer(f, &m);
	expect_status(f, OK, "");
}

static unsigned char *vision_request(int64_t images, size_t *ret_len)
{
	const int64_t shape[] = {images, 224, 224, 3};
	struct message m = {.model = "mobilenet_v1_100_224_cpu", .ninputs = 1};
	size_t size = (size_t)images * IMAGE * sizeof(float);
	float *image = calloc(1, size);
	unsigned char *data;

	m.inputs[0] = (struct message_input){"input", 1, "FP32", shape, 4, image, size};
	data = message_infer(&m, ret_len);
	free(image);
	return data;
}

static void canceled_calls_harm_nobody(void **state)
{
	struct grpc_fixture *f = *state;
	size_t len;
	unsigned char *data = vision_request(1, &len);
	struct grpc_pending *pending[8];
	struct grpc_reply reply;

	for (int i = 0; i < 8; i++)
		pending[i] = grpc_begin(f->client, TRITON "ModelInfer", data, len, 0);
	for (int i = 0; i < 8; i += 2)
		grpc_cancel(pending[i]);
	for (int i = 0; i < 8; i++) {
		grpc_finish(pending[i], &reply);
		if (i % 2)
			assert_int_equal(reply.status, OK);
		grpc_reply_release(&reply);
	}
	free(data);
}

/* To the end of the connection; whether the bytes were among it. */
static bool ends_with(int fd, const char *bytes, size_t len)
{
	char got[4096];
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(got) && (r = recv(fd, got + n, sizeof(got) - n, 0)) > 0)
		n += (size_t)r;
	if (r < 0 && errno != ECONNRESET)
		fail_msg("the connection was not ended: %s", strerror(errno));
	close(fd);
	return memmem(got, n, bytes, len) != NULL;
}

/* Each stays silent from some point on, for which the server has a second. */
static void clients_that_say_no_more_are_ended(void **state)
{
	static const char half[] = "\0\0\0\0\x50...", status[] = "grpc-status\0014";
	const unsigned short any = 0;
	struct grpc_fixture *f = *state;
	struct grpc_server_config config = {
		.ports = &any, .nports = 1, .timeout = NSEC_PER_SEC, .repository = f->models.repository};
	struct grpc_service *service;
	struct grpc_client *client;
	unsigned short port;
	struct buf b = {0};
	int fds[5];
	struct error err;

	assert_int_equal(grpc_service_start(&service, &config, &port, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = http_connect(port);
	http2_put_preface(&b);
	assert_true(http_send(fds[1], b.data, 10));
	assert_true(http_send(fds[2], b.data, b.len));
	http2_put_call(&b, 1, TRITON "ServerReady");
	assert_true(http_send(fds[3], b.data, b.len));
	http2_put_frame(&b, HTTP2_DATA, 0, 1, half, sizeof(half) - 1);
	assert_true(http_send(fds[4], b.data, b.len));
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		assert_int_equal(ends_with(fds[i], status, sizeof(status) - 1), i >= 3);
	client = grpc_client_new(port);
	grpc_ask(client, TRITON "ServerReady", "", 0, &f->reply);
	expect_status(f, OK, "");
	grpc_client_free(client);
	grpc_service_stop(service, clock_now());
	buf_release(&b);
}

/* The length of a message is looked at when it is whole: until then, what all of them may take is what limits it. */
static void message_without_end_is_ended_before_it_is_whole(void **state)
{
	const unsigned short any = 0;
	struct grpc_fixture *f = *state;
	struct grpc_server_config config = {.ports = &any,
					    .nports = 1,
					    .message_max = MESSAGE_MAX,
					    .receive_max = GRPC_MESSAGES_MIN * MESSAGE_MAX,
					    .repository = f->models.repository};
	size_t len = 8 * MESSAGE_MAX;
	char *large = calloc(1, len);
	struct grpc_service *service;
	struct grpc_client *client;
	unsigned short port;
	struct error err;

	assert_non_null(large);
	assert_int_equal(grpc_service_start(&service, &config, &port, &err), 0);
	client = grpc_client_new(port);
	grpc_ask(client, TRITON "ServerReady", large, len, &f->reply);
	expect_status(f, RESOURCE_EXHAUSTED, "");
	assert_null(strstr(f->reply.details, "larger than max"));
	grpc_reply_release(&f->reply);
	grpc_ask(client, TRITON "ServerReady", large, MESSAGE_MAX + 1, &f->reply);
	expect_status(f, RESOURCE_EXHAUSTED, "larger than max");
	grpc_reply_release(&f->reply);
	grpc_ask(client, TRITON "ServerReady", "", 0, &f->reply);
	expect_status(f, OK, "");
	grpc_client_free(client);
	grpc_service_stop(service, clock_now());
	free(large);
}

static void *stop_service(void *arg)
{
	grpc_service_stop(arg, clock_now() + 60 * NSEC_PER_SEC);
	return NULL;
}

/* The server has the requests once the first one of the connection is answered. */
static void stopping_answers_what_is_under_way(void **state)
{
	struct grpc_fixture *f = *state;
	size_t len;
	unsigned char *data = vision_request(1, &len);
	struct grpc_pending *pending[6];
	struct grpc_reply reply;
	pthread_t stopper;

	for (int i = 0; i < 6; i++)
		pending[i] = grpc_begin(f->client, TRITON "ModelInfer", data, len, 0);
	grpc_finish(pending[0], &reply);
	assert_int_equal(reply.status, OK);
	grpc_reply_release(&reply);
	assert_int_equal(pthread_create(&stopper, NULL, stop_service, f->service), 0);
	for (int i = 1; i < 6; i++) {
		grpc_finish(pending[i], &reply);
		/* One that had not come in whole when the server stopped may be sent away, but is never left alone. */
		assert_true(reply.status == OK || reply.status == 14);
		grpc_reply_release(&reply);
	}
	pthread_join(stopper, NULL);
	f->service = NULL;
	free(data);
}

/* The runs are longer than the patience: their calls end without them, and the server waits for the runs. */
static void stopping_without_patience_ends_every_call(void **state)
{
	struct grpc_fixture *f = *state;
	size_t len;
	unsigned char *data = vision_request(8, &len);
	struct grpc_pending *pending[6];
	struct grpc_reply reply;

	for (int i = 0; i < 6; i++)
		pending[i] = grpc_begin(f->client, TRITON "ModelInfer", data, len, 0);
	grpc_finish(pending[0], &reply);
	assert_int_equal(reply.status, OK);
	grpc_reply_release(&reply);
	grpc_service_stop(f->service, 0);
	f->service = NULL;
	for (int i = 1; i < 6; i++) {
		grpc_finish(pending[i], &reply);
		grpc_reply_release(&reply);
	}
	free(data);
}

static void taken_ports_are_an_error(void **state)
{
	struct grpc_fixture *f = *state;
	struct grpc_server_config config = {.ports = &f->port, .nports = 1, .repository = f->models.repository};
	struct grpc_service *second;
	struct error err = {0};

	assert_int_equal(grpc_service_start(&second, &config, NULL, &err), ERR_IO);
	assert_non_null(strstr(err.text, "cannot listen on 127.0.0.1:"));
}

static int setup(void **state)
{
	struct grpc_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	grpc_fixture_start(f, NULL, 2);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	grpc_fixture_stop(*state);
	free(*state);
	return 0;
}

#define WITH_SERVER(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_SERVER(health_is_told),
		cmocka_unit_test(probes_of_grpc_are_answered),
		WITH_SERVER(triton_metadata_names_tensors_and_versions),
		WITH_SERVER(configuration_is_told_with_types_and_shapes),
		cmocka_unit_test(the_index_tells_what_loaded_and_what_did_not),
		WITH_SERVER(tensorflow_metadata_is_the_signature),
		WITH_SERVER(status_lists_the_versions),
		WITH_SERVER(statistics_count_requests_rows_and_times),
		WITH_SERVER(many_connections_get_their_own_answers),
		WITH_SERVER(bad_clients_harm_no_good_one),
		WITH_SERVER(canceled_calls_harm_nobody),
		WITH_SERVER(clients_that_say_no_more_are_ended),
		WITH_SERVER(message_without_end_is_ended_before_it_is_whole),
		WITH_SERVER(stopping_answers_what_is_under_way),
		WITH_SERVER(stopping_without_patience_ends_every_call),
		WITH_SERVER(taken_ports_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
