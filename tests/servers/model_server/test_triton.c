/*
 * test_triton.c - what both of Triton's protocols are to answer alike: the same question over gRPC and over HTTP.
 *
 * The model "batched" is the fraud net with reference data and a config.pbtxt that declares shapes and a batch of 8;
 * "broken" does not load.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/arith.h"
#include "common/file.h"
#include "proto/inference.pb-c.h"
#include "tests/servers/model_server/grpc_fixture.h"
#include "tests/support/process.h"

static struct grpc_fixture f;
static char folder[256];
static float values[9 * REFERENCE]; /* zeros */

static void write_model(void)
{
	static const char config[] =
		"max_batch_size: 8\n"
		"input { name: \"transaction\" data_type: TYPE_FP32 dims: 30 }\n"
		"input { name: \"reference\" data_type: TYPE_FP32 dims: 256 }\n"
		"dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 50 }\n";
	unsigned char *blob;
	char path[300];
	size_t len;
	struct error err = {0};

	snprintf(path, sizeof(path), "%s/config.pbtxt", folder);
	assert_int_equal(file_write(path, config, strlen(config), &err), 0);
	snprintf(path, sizeof(path), "%s/1", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/1/model.graphdef", folder);
	http_model_generate(MODEL_REFERENCE, &blob, &len);
	assert_int_equal(file_write(path, blob, len, &err), 0);
	free(blob);
}

static int start(void **state)
{
	char models[700];
	struct error err = {0};

	(void)state;
	temp_folder_new(folder, sizeof(folder));
	write_model();
	snprintf(models, sizeof(models), "%s/broken.tflite", folder);
	assert_int_equal(file_write(models, "no model", 8, &err), 0);
	snprintf(models, sizeof(models), "batched=%s,broken=%s/broken.tflite", folder, folder);
	grpc_fixture_start(&f, models, 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	grpc_fixture_stop(&f);
	temp_folder_remove(folder);
	return 0;
}

static void append_parameter(struct buf *b, const char *name)
{
	if (name)
		buf_printf(b, ",\"parameters\":{\"%s\":1}", name);
}

/* The same request as JSON. */
static const char *ask_http(const struct message *m)
{
	struct buf body = {0};
	char path[128];
	const char *got;

	buf_printf(&body, "{\"inputs\":[");
	for (size_t i = 0; i < m->ninputs; i++) {
		const struct message_input *in = &m->inputs[i];

		buf_printf(&body, "%s{\"name\":\"%s\",\"datatype\":\"%s\",\"shape\":[", i ? "," : "", in->name,
			   in->datatype);
		for (size_t d = 0; d < in->rank; d++)
			buf_printf(&body, "%s%lld", d ? "," : "", (long long)in->shape[d]);
		buf_printf(&body, "],\"data\":");
		append_floats(&body, in->data, in->size / sizeof(float));
		append_parameter(&body, i == 0 ? m->input_parameter : NULL);
		buf_printf(&body, "}");
	}
	buf_printf(&body, "]");
	if (m->output) {
		buf_printf(&body, ",\"outputs\":[{\"name\":\"%s\"", m->output);
		append_parameter(&body, m->output_parameter);
		buf_printf(&body, "}]");
	}
	buf_printf(&body, "}");
	snprintf(path, sizeof(path), "/v2/models/%s/infer", m->model);
	got = http_fixture_ask(&f.models, "POST", path, NULL, body.data, body.len);
	buf_release(&body);
	return got;
}

/* text NULL: it is answered; else both refuse it in these words. */
static void expect_both(const struct message *m, const char *text)
{
	const char *got = ask_http(m);

	if (f.models.reply.status != (text ? 400 : 200) || (text && !strstr(got, text)))
		fail_msg("HTTP answered %u %s in place of %s", f.models.reply.status, got, text ? text : "200");
	ask_infer(&f, m);
	expect_status(&f, text ? INVALID_ARGUMENT : OK, text ? text : "");
}

static void parameters_that_cannot_be_followed_are_refused(void **state)
{
	static const char *const shared[] = {"shared_memory_region", "shared_memory_byte_size", "shared_memory_offset"};
	const struct message good = fraud_message(&f, "financialNet_NoReference", 1);
	struct message m = good;

	(void)state;
	m.output = "out";
	m.output_parameter = "classification";
	expect_both(&m, "classification is not supported");
	for (size_t i = 0; i < ARRAY_LEN(shared); i++) {
		m = good;
		m.input_parameter = shared[i];
		expect_both(&m, "shared memory is not supported");
		m = good;
		m.output = "out";
		m.output_parameter = shared[i];
		expect_both(&m, "shared memory is not supported");
	}
	m.input_parameter = "shared";
	m.output_parameter = "class";
	expect_both(&m, NULL);
}

static struct message batched_message(const int64_t *transaction, size_t rank, const int64_t *reference,
				      size_t reference_rank)
{
	struct message m = fraud_message(&f, "batched", 1);
	size_t counts[] = {1, 1};

	for (size_t i = 0; i < rank; i++)
		counts[0] *= (size_t)transaction[i];
	for (size_t i = 0; i < reference_rank; i++)
		counts[1] *= (size_t)reference[i];
	m.ninputs = 2;
	m.inputs[0].shape = transaction;
	m.inputs[0].rank = rank;
	m.inputs[0].data = values;
	m.inputs[0].size = counts[0] * sizeof(float);
	m.inputs[1] = (struct message_input){
		"reference", 1, "FP32", reference, reference_rank, values, counts[1] * sizeof(float)};
	return m;
}

static void declared_shapes_and_batches_are_held(void **state)
{
	static const struct {
		int64_t transaction[3];
		size_t rank;
		int64_t reference[3];
		size_t reference_rank;
		const char *error;
	} rows[] = {
		{{1, 30}, 2, {1, 256}, 2, NULL},
		{{8, 30}, 2, {8, 256}, 2, NULL},
		{{9, 30}, 2, {9, 256}, 2, "inference request batch-size must be <= 8 for 'batched'"},
		{{0, 30}, 2, {0, 256}, 2, "inference request batch-size must be >= 1 for 'batched'"},
		{{2, 30}, 2, {1, 256}, 2, "input 'reference' batch size does not match other inputs for 'batched'"},
		{{1, 30}, 2, {2, 256}, 2, "input 'reference' batch size does not match other inputs for 'batched'"},
		{{1, 30},
		 2,
		 {256},
		 1,
		 "unexpected shape for input 'reference' for model 'batched'. Expected [-1,256], "
		 "got [256]."},
		{{30}, 1, {1, 256}, 2, "Expected [-1,30], got [30]."},
		{{1, 1, 30}, 3, {1, 256}, 2, "Expected [-1,30], got [1,1,30]."},
		{{1, 29}, 2, {1, 256}, 2, "Expected [-1,30], got [1,29]."},
		{{0},
		 0,
		 {1, 256},
		 2,
		 "input 'transaction' has no shape but model requires batch dimension for "
		 "'batched'"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct message m =
			batched_message(rows[i].transaction, rows[i].rank, rows[i].reference, rows[i].reference_rank);

		expect_both(&m, rows[i].error);
	}
}

/* As the official client sends it: nothing of the one, all of the other. */
static void an_input_in_shared_memory_needs_no_contents_to_be_told_of(void **state)
{
	static const int64_t transaction[] = {1, TRANSACTION}, reference[] = {1, REFERENCE};
	struct message m = batched_message(transaction, 2, reference, 2);

	(void)state;
	m.inputs[0].data = NULL;
	ask_infer(&f, &m);
	expect_status(&f, INVALID_ARGUMENT, "expected 2 raw_input_contents for model 'batched', got 1");
	m.input_parameter = "shared_memory_region";
	ask_infer(&f, &m);
	expect_status(&f, INVALID_ARGUMENT, "shared memory is not supported");
}

static const char *get(const char *path)
{
	return http_fixture_ask(&f.models, "GET", path, NULL, NULL, 0);
}

static void ask_model(const char *method, const char *name)
{
	Inference__ModelRequest request = INFERENCE__MODEL_REQUEST__INIT;
	unsigned char data[256];

	request.name = (char *)(uintptr_t)name;
	grpc_reply_release(&f.reply);
	grpc_ask(f.client, method, data, inference__model_request__pack(&request, data), &f.reply);
	expect_status(&f, OK, "");
}

/* As far as only the name is looked at, which is the first field of most. */
static void expect_grpc_name(const char *name)
{
	Inference__ModelMetadataResponse *p =
		inference__model_metadata_response__unpack(NULL, f.reply.len, f.reply.data);

	assert_non_null(p);
	assert_string_equal(p->name, name);
	inference__model_metadata_response__free_unpacked(p, NULL);
}

static void an_alias_is_the_name_in_every_answer(void **state)
{
	static const char begin[] = "{\"name\":\"financial\"";
	struct message m = fraud_message(&f, "financial", 1);
	static const int64_t vector[] = {REFERENCE};
	Inference__ModelConfigResponse *config;
	Inference__ModelStatisticsResponse *statistics;

	(void)state;
	m.ninputs = 2;
	m.inputs[1] = (struct message_input){"reference", 1, "FP32", vector, 1, f.reference, sizeof(f.reference)};
	assert_non_null(strstr(ask_http(&m), "{\"model_name\":\"financial\","));
	ask_infer(&f, &m);
	expect_status(&f, OK, "");
	expect_grpc_name("financial");
	assert_non_null(strstr(get("/v2/models/financial"), begin));
	ask_model(TRITON "ModelMetadata", "financial");
	expect_grpc_name("financial");
	assert_non_null(strstr(get("/v2/models/financial/config"), begin));
	ask_model(TRITON "ModelConfig", "financial");
	config = inference__model_config_response__unpack(NULL, f.reply.len, f.reply.data);
	assert_non_null(config);
	assert_string_equal(config->config->name, "financial");
	inference__model_config_response__free_unpacked(config, NULL);
	assert_non_null(strstr(get("/v2/models/financial/stats"), begin));
	ask_model(TRITON "ModelStatistics", "financial");
	statistics = inference__model_statistics_response__unpack(NULL, f.reply.len, f.reply.data);
	assert_non_null(statistics);
	assert_int_equal(statistics->n_model_stats, 1);
	assert_string_equal(statistics->model_stats[0]->name, "financial");
	inference__model_statistics_response__free_unpacked(statistics, NULL);
	assert_non_null(strstr(get("/v2/models/stats"), "{\"name\":\"financialNet\","));
	assert_non_null(strstr(get("/v1/models/financial/metadata"), "{\"model_spec\":{\"name\":\"financial\","));
}

static void an_unknown_rank_is_one_free_dimension(void **state)
{
	Inference__ModelMetadataResponse *p;

	(void)state;
	assert_non_null(strstr(get("/v2/models/batched"),
			       "\"outputs\":[{\"name\":\"output\",\"datatype\":\"FP32\",\"shape\":[-1]}]"));
	ask_model(TRITON "ModelMetadata", "batched");
	p = inference__model_metadata_response__unpack(NULL, f.reply.len, f.reply.data);
	assert_non_null(p);
	assert_int_equal(p->outputs[0]->n_shape, 1);
	assert_int_equal(p->outputs[0]->shape[0], -1);
	inference__model_metadata_response__free_unpacked(p, NULL);
}

static void batching_is_part_of_the_configuration(void **state)
{
	const Inference__ModelConfig__DynamicBatching *d;
	Inference__ModelConfigResponse *p;

	(void)state;
	assert_non_null(strstr(get("/v2/models/batched/config"), "\"dynamic_batching\":{\"preferred_batch_size\":[4,8],"
								 "\"max_queue_delay_microseconds\":50}"));
	assert_null(strstr(get("/v2/models/financialNet/config"), "dynamic_batching"));
	ask_model(TRITON "ModelConfig", "batched");
	p = inference__model_config_response__unpack(NULL, f.reply.len, f.reply.data);
	assert_non_null(p);
	d = p->config->dynamic_batching;
	assert_non_null(d);
	assert_int_equal(d->n_preferred_batch_size, 2);
	assert_int_equal(d->preferred_batch_size[0], 4);
	assert_int_equal(d->preferred_batch_size[1], 8);
	assert_int_equal(d->max_queue_delay_microseconds, 50);
	inference__model_config_response__free_unpacked(p, NULL);
	ask_model(TRITON "ModelConfig", "financialNet");
	p = inference__model_config_response__unpack(NULL, f.reply.len, f.reply.data);
	assert_non_null(p);
	assert_null(p->config->dynamic_batching);
	inference__model_config_response__free_unpacked(p, NULL);
}

static void statistics_of_a_version_that_is_not_there_are_not_found(void **state)
{
	static const char *const questions[] = {"", "/stats", "/config", "/ready"};
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		snprintf(path, sizeof(path), "/v2/models/batched/versions/2%s", questions[i]);
		http_fixture_expect(&f.models, "GET", path, NULL, 404,
				    "{\"error\":\"Request for unknown model: 'batched' version 2 is not found\"}");
	}
}

static void the_index_tells_only_what_is_ready_if_asked_so(void **state)
{
	static const char path[] = "/v2/repository/index", broken[] = "\"name\":\"broken\"";

	(void)state;
	assert_non_null(strstr(http_fixture_ask(&f.models, "POST", path, NULL, NULL, 0), broken));
	assert_non_null(strstr(http_fixture_ask(&f.models, "POST", path, NULL, "{\"ready\":false}", 15), broken));
	assert_null(strstr(http_fixture_ask(&f.models, "POST", path, NULL, "{\"ready\":true}", 14), broken));
	assert_non_null(strstr(f.models.reply.body.data, "[{\"name\":\"batched\","));
	http_fixture_expect(&f.models, "POST", path, "xx", 400, NULL);
	http_fixture_expect(&f.models, "POST", path, "{\"ready\":1}", 400, NULL);
	http_fixture_expect(&f.models, "POST", path, "{} {}", 400, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parameters_that_cannot_be_followed_are_refused),
		cmocka_unit_test(declared_shapes_and_batches_are_held),
		cmocka_unit_test(an_input_in_shared_memory_needs_no_contents_to_be_told_of),
		cmocka_unit_test(an_alias_is_the_name_in_every_answer),
		cmocka_unit_test(an_unknown_rank_is_one_free_dimension),
		cmocka_unit_test(batching_is_part_of_the_configuration),
		cmocka_unit_test(statistics_of_a_version_that_is_not_there_are_not_found),
		cmocka_unit_test(the_index_tells_only_what_is_ready_if_asked_so),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
