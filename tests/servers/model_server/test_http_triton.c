/*
 * test_http_triton.c - the Open Inference Protocol over HTTP: JSON and binary tensor data, bit for bit the engine's.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arith.h"
#include "tests/servers/model_server/http_fixture.h"
#include "tests/support/process.h"

#define ROWS 40
#define FRAUD "/v2/models/financialNet/infer"
#define NO_REFERENCE "/v2/models/financialNet_NoReference/infer"
#define SIMPLE "/v2/models/simple/infer"

static struct http_fixture f;

static int start(void **state)
{
	(void)state;
	http_fixture_start_with(&f, "simple", "models/triton/simple/1/model.onnx");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_fixture_stop(&f);
	return 0;
}

/* A request of JSON and binary data; json_len as the header says it, or the true one. */
static const char *ask_binary(const char *path, const char *json, const char *json_len, const void *data, size_t len)
{
	struct buf body = {0};
	char header[128], right[32];
	const char *got;

	snprintf(right, sizeof(right), "%zu", strlen(json));
	snprintf(header, sizeof(header), "Inference-Header-Content-Length: %s\r\n", json_len ? json_len : right);
	buf_append(&body, json, strlen(json));
	buf_append(&body, data, len);
	got = http_fixture_ask(&f, "POST", path, header, body.data, body.len);
	buf_release(&body);
	return got;
}

/* The answer's one output, as binary data, is exactly this. */
static void check_binary(const struct tensor *want, const char *name)
{
	char text[64];
	size_t json_len;
	const char *output;
	json_t *j, *outputs;
	json_int_t size, rows, columns;

	if (f.reply.status != 200)
		fail_msg("answered %u %s", f.reply.status, f.reply.body.data);
	assert_string_equal(http_reply_header(&f.reply, "Content-Type", text, sizeof(text)),
			    "application/octet-stream");
	json_len =
		strtoul(http_reply_header(&f.reply, "Inference-Header-Content-Length", text, sizeof(text)), NULL, 10);
	assert_int_equal(json_len + want->size, f.reply.body.len);
	assert_memory_equal(f.reply.body.data + json_len, want->data, want->size);
	j = json_loadb(f.reply.body.data, json_len, 0, NULL);
	assert_non_null(j);
	outputs = json_object_get(j, "outputs");
	assert_int_equal(json_array_size(outputs), 1);
	assert_int_equal(json_unpack(json_array_get(outputs, 0), "{s:s,s:[I,I],s:{s:I}}", "name", &output, "shape",
				     &rows, &columns, "parameters", "binary_data_size", &size),
			 0);
	assert_string_equal(output, name);
	assert_int_equal(rows, want->dims[0]);
	assert_int_equal(columns, want->dims[1]);
	assert_int_equal(size, want->size);
	json_decref(j);
}

static void binary_data_is_answered_as_by_the_engine(void **state)
{
	static const char JSON[] =
		"{\"inputs\":[{\"name\":\"transaction\",\"shape\":[1,30],\"datatype\":\"FP32\",\"parameters\":"
		"{\"binary_data_size\":120}},{\"name\":\"reference\",\"shape\":[1,256],\"datatype\":\"FP32\","
		"\"parameters\":{\"binary_data_size\":1024}}],\"parameters\":{\"binary_data_output\":true}}";
	float in[TRANSACTION + REFERENCE];

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		/* Every distance of the data from an aligned byte. */
		char json[sizeof(JSON) + ROWS];
		struct tensor *want;

		snprintf(json, sizeof(json), "%s%*s", JSON, (int)seed, "");
		fill_transaction(in, 1, seed);
		fill_reference(in + TRANSACTION, seed);
		ask_binary(FRAUD, json, NULL, in, sizeof(in));
		want = http_fixture_run(&f, MODEL_REFERENCE, 1, in, in + TRANSACTION);
		check_binary(want, "output");
		tensor_unref(want);
	}
}

static void binary_image_runs_on_the_queue(void **state)
{
	static const char JSON[] =
		"{\"inputs\":[{\"name\":\"input\",\"shape\":[2,224,224,3],\"datatype\":\"FP32\",\"parameters\":"
		"{\"binary_data_size\":1204224}}],\"outputs\":[{\"name\":\"MobilenetV1/Predictions/Reshape_1\","
		"\"parameters\":{\"binary_data\":true}}]}";
	float *images = malloc(2 * IMAGE * sizeof(*images));
	struct tensor *want;

	(void)state;
	assert_non_null(images);
	fill_image(images, 2, 3);
	ask_binary("/v2/models/mobilenet_v1_100_224_cpu/versions/1/infer", JSON, NULL, images,
		   2 * IMAGE * sizeof(*images));
	want = http_fixture_run(&f, MODEL_VISION, 2, images, NULL);
	check_binary(want, "MobilenetV1/Predictions/Reshape_1");
	tensor_unref(want);
	free(images);
}

static void bytes_without_json_are_the_only_input(void **state)
{
	float rows[3 * TRANSACTION];

	(void)state;
	for (size_t n = 1; n <= 3; n++) {
		struct tensor *want;

		fill_transaction(rows, n, (unsigned)n);
		ask_binary(NO_REFERENCE, "", "0", rows, n * TRANSACTION * sizeof(float));
		want = http_fixture_run(&f, MODEL_NO_REFERENCE_2, n, rows, NULL);
		check_binary(want, "out");
		tensor_unref(want);
	}
	assert_non_null(strstr(ask_binary(FRAUD, "", "0", rows, sizeof(rows)), "Raw request must only have 1 input"));
	assert_int_equal(f.reply.status, 400);
	ask_binary(NO_REFERENCE, "", "0", rows, 119);
	assert_int_equal(f.reply.status, 400);
	ask_binary(NO_REFERENCE, "", "0", NULL, 0);
	assert_int_equal(f.reply.status, 400);
}

static void json_data_is_answered_as_by_the_engine(void **state)
{
	float rows[2 * TRANSACTION], got[4];
	struct buf body = {0};
	const char *data;

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		struct tensor *want;

		fill_transaction(rows, 2, seed);
		buf_clear(&body);
		/* The values before what says how to read them, flat or nested. */
		buf_printf(&body, "{\"id\":\"caf\\u00e9 %u\",\"inputs\":[{\"data\":", seed);
		if (seed % 2)
			buf_printf(&body, "[");
		append_floats(&body, rows, (2 - seed % 2) * TRANSACTION);
		if (seed % 2) {
			buf_printf(&body, ",");
			append_floats(&body, rows + TRANSACTION, TRANSACTION);
			buf_printf(&body, "]");
		}
		buf_printf(&body, ",\"datatype\":\"FP32\",\"shape\":[2,30],\"name\":\"transaction\"}]}");
		data = http_fixture_ask(&f, "POST", NO_REFERENCE, NULL, body.data, body.len);
		if (f.reply.status != 200)
			fail_msg("answered %u %s", f.reply.status, data);
		assert_non_null(strstr(data,
				       "\"model_name\":\"financialNet_NoReference\",\"model_version\":\"2\",\"id\":"
				       "\"caf\xc3\xa9 "));
		assert_non_null(strstr(data, "\"outputs\":[{\"name\":\"out\",\"datatype\":\"FP32\",\"shape\":[2,2],"));
		want = http_fixture_run(&f, MODEL_NO_REFERENCE_2, 2, rows, NULL);
		read_floats(strstr(data, "\"data\":"), got, 4);
		assert_memory_equal(got, want->data, sizeof(got));
		tensor_unref(want);
	}
	buf_release(&body);
}

#define ONE_TO_16 "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16"
#define INPUT(name, data) "{\"name\":\"" name "\",\"shape\":[1,16],\"datatype\":\"INT32\",\"data\":[" data "]}"

static void outputs_are_chosen_and_integers_stay_integers(void **state)
{
	int32_t in[32], sum[16];
	char text[4096], want[512];

	(void)state;
	if (!test_data(text, sizeof(text), "models/triton/simple/1/model.onnx"))
		skip();
	http_fixture_expect(
		&f, "POST", SIMPLE,
		"{\"inputs\":[" INPUT("INPUT0", ONE_TO_16) "," INPUT("INPUT1", ONE_TO_16) "],\"outputs\":[{\"name\":"
											  "\"OUTPUT1\"},{\"name\":"
											  "\"OUTPUT0\"}]}",
		200,
		"{\"model_name\":\"simple\",\"model_version\":\"1\",\"outputs\":[{\"name\":\"OUTPUT1\",\"datatype\":"
		"\"INT32\",\"shape\":[1,16],\"data\":[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]},{\"name\":\"OUTPUT0\","
		"\"datatype\":\"INT32\",\"shape\":[1,16],\"data\":[2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32]}]}");
	/* One input in JSON and one in binary, one output each way. */
	for (int i = 0; i < 16; i++) {
		in[i] = 1000000000 - i;
		sum[i] = in[i] + i + 1;
	}
	ask_binary(SIMPLE,
		   "{\"inputs\":[" INPUT("INPUT0",
					 ONE_TO_16) ",{\"name\":\"INPUT1\",\"shape\":[1,16],\"datatype\":"
						    "\"INT32\",\"parameters\":{\"binary_data_size\":64}}],"
						    "\"parameters\":{\"binary_data_output\":true},\"outputs\":["
						    "{\"name\":\"OUTPUT1\",\"parameters\":{\"binary_data\":false}},"
						    "{\"name\":\"OUTPUT0\"}]}",
		   NULL, in, 64);
	assert_int_equal(f.reply.status, 200);
	snprintf(want, sizeof(want),
		 "{\"name\":\"OUTPUT0\",\"datatype\":\"INT32\",\"shape\":[1,16],\"parameters\":"
		 "{\"binary_data_size\":64}}]}");
	assert_memory_equal(f.reply.body.data + f.reply.body.len - 64, sum, 64);
	assert_memory_equal(f.reply.body.data + f.reply.body.len - 64 - strlen(want), want, strlen(want));
	assert_non_null(strstr(f.reply.body.data, "\"data\":[-999999999,-999999997,"));
}

#define INPUTS(members) "{\"inputs\":[{" members "}]}"
#define NAME "\"name\":\"transaction\""
#define SHAPE "\"shape\":[1,30]"
#define TYPE "\"datatype\":\"FP32\""
#define DATA "\"data\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"
#define ALL NAME "," SHAPE "," TYPE "," DATA

static void wrong_requests_get_a_status_and_an_error(void **state)
{
	static const struct {
		const char *path, *body;
		unsigned status;
		const char *error;
	} rows[] = {
		{"/v2/models/nope/infer", INPUTS(ALL), 404, "nope"},
		{"/v2/models/financialNet_NoReference/versions/7/infer", INPUTS(ALL), 404, "7"},
		{"/v2/models/financialNet_NoReference/versions/v1/infer", INPUTS(ALL), 400, "no version"},
		{NO_REFERENCE, "", 400, "ends within"},
		{NO_REFERENCE, "{}", 400, "transaction"},
		{NO_REFERENCE, "{\"inputs\":[]}", 400, "transaction"},
		{NO_REFERENCE, "{\"inputs\":{}}", 400, "a list expected"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE "," DATA), 400, "datatype"},
		{NO_REFERENCE, INPUTS(NAME "," TYPE "," DATA), 400, "shape"},
		{NO_REFERENCE, INPUTS(SHAPE "," TYPE "," DATA), 400, "name"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE "," TYPE), 400, "data"},
		{NO_REFERENCE, INPUTS(ALL "," SHAPE), 400, "twice"},
		{NO_REFERENCE, INPUTS(ALL ",\"parameters\":{\"binary_data_size\":120}"), 400, "either"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE ",\"datatype\":\"FP16\"," DATA), 400, "FP16"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE ",\"datatype\":\"BYTES\"," DATA), 400, "BYTES"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE ",\"datatype\":\"INT32\"," DATA), 400, "transaction"},
		{NO_REFERENCE, INPUTS(NAME ",\"shape\":[1,31]," TYPE "," DATA), 400, "31"},
		{NO_REFERENCE, INPUTS(NAME ",\"shape\":[-1,30]," TYPE "," DATA), 400, "negative"},
		{NO_REFERENCE, INPUTS(NAME ",\"shape\":[4294967296,4294967296]," TYPE "," DATA), 400, "shape"},
		{NO_REFERENCE, INPUTS(NAME ",\"shape\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,30]," TYPE "," DATA), 400,
		 "more than 16"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE "," TYPE ",\"data\":[1,\"2\"]"), 400, "a number expected"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE "," TYPE ",\"parameters\":{\"binary_data_size\":120}"), 400,
		 "binary data"},
		{NO_REFERENCE, INPUTS(NAME "," SHAPE "," TYPE ",\"parameters\":{\"shared_memory_region\":\"r\"}"), 400,
		 "shared memory"},
		{NO_REFERENCE, "{\"inputs\":[{" ALL "}],\"outputs\":[{\"name\":\"other\"}]}", 400, "other"},
		{NO_REFERENCE, "{\"inputs\":[{" ALL "}],\"outputs\":[{}]}", 400, "name"},
		{NO_REFERENCE, "{\"inputs\":[{" ALL "},{" ALL "}]}", 400, "transaction"},
		{NO_REFERENCE, "{\"inputs\":[{" ALL "}]}{}", 400, "nothing more"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = http_fixture_ask(&f, "POST", rows[i].path, NULL, rows[i].body, strlen(rows[i].body));

		if (f.reply.status != rows[i].status || strncmp(got, "{\"error\":\"", 10) != 0 ||
		    !strstr(got, rows[i].error))
			fail_msg("%s %s\nanswered %u %s\nin place of %u with \"%s\"", rows[i].path, rows[i].body,
				 f.reply.status, got, rows[i].status, rows[i].error);
	}
}

static void lying_binary_sizes_are_refused(void **state)
{
	static const char RIGHT[] = INPUTS(NAME "," SHAPE "," TYPE ",\"parameters\":{\"binary_data_size\":120}");
	static const struct {
		const char *json, *json_len;
		size_t len;
	} rows[] = {
		{RIGHT, NULL, 119},
		{RIGHT, NULL, 121},
		{RIGHT, NULL, 0},
		{RIGHT, "0", 120},
		{RIGHT, "1", 120},
		{RIGHT, "99999", 120},
		{RIGHT, "-1", 120},
		{RIGHT, "18446744073709551617", 120},
		{RIGHT, "x", 120},
		{INPUTS(NAME "," SHAPE "," TYPE ",\"parameters\":{\"binary_data_size\":116}"), NULL, 116},
		{INPUTS(NAME "," SHAPE "," TYPE ",\"parameters\":{\"binary_data_size\":18446744073709551615}"), NULL,
		 120},
	};
	float row[40];

	(void)state;
	memset(row, 0, sizeof(row));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got = ask_binary(NO_REFERENCE, rows[i].json, rows[i].json_len, row, rows[i].len);

		if (f.reply.status != 400)
			fail_msg("row %zu answered %u %s", i, f.reply.status, got);
	}
	ask_binary(NO_REFERENCE, RIGHT, NULL, row, 120);
	assert_int_equal(f.reply.status, 200);
}

static void body_cut_at_any_byte_is_an_error_for_that_request_alone(void **state)
{
	static const char JSON[] = INPUTS(NAME "," SHAPE "," TYPE ",\"parameters\":{\"binary_data_size\":120}");
	char body[sizeof(JSON) - 1 + 120], header[128];
	int fd = http_connect(f.port);
	struct http_reply reply = {0};
	struct buf text = {0};

	(void)state;
	memset(body, 0, sizeof(body));
	memcpy(body, JSON, sizeof(JSON) - 1);
	snprintf(header, sizeof(header), "Inference-Header-Content-Length: %zu\r\n", sizeof(JSON) - 1);
	for (size_t len = 0; len <= sizeof(body); len++) {
		http_request_text(&text, "POST", NO_REFERENCE, header, body, len);
		assert_true(http_send(fd, text.data, text.len));
		assert_true(http_receive(fd, &reply));
		if (reply.status != (len == sizeof(body) ? 200 : 400))
			fail_msg("%zu bytes: %u %s", len, reply.status, reply.body.data);
	}
	close(fd);
	buf_release(&text);
	http_reply_release(&reply);
}

static void health_and_metadata_are_told(void **state)
{
	const char *got;

	(void)state;
	http_fixture_expect(&f, "GET", "/v2/health/live", NULL, 200, "");
	http_fixture_expect(&f, "GET", "/v2/health/ready", NULL, 200, "");
	http_fixture_expect(&f, "GET", "/v2/models/financialNet/ready", NULL, 200, "");
	http_fixture_expect(&f, "GET", "/v2/models/financialNet/versions/1/ready", NULL, 200, "");
	http_fixture_expect(&f, "GET", "/v2/models/financialNet/versions/2/ready", NULL, 404, NULL);
	http_fixture_expect(&f, "GET", "/v2/models/nope/ready", NULL, 404, NULL);
	assert_non_null(strstr(http_fixture_ask(&f, "GET", "/v2", NULL, NULL, 0), "\"binary_tensor_data\""));
	got = http_fixture_ask(&f, "GET", "/v2/models/financialNet_NoReference", NULL, NULL, 0);
	assert_int_equal(f.reply.status, 200);
	assert_non_null(strstr(got, "{\"name\":\"financialNet_NoReference\",\"versions\":[\"1\",\"2\"],\"platform\":"
				    "\"tensorflow_graphdef\",\"inputs\":[{\"name\":\"transaction\",\"datatype\":"
				    "\"FP32\",\"shape\":[-1,30]}],\"outputs\":[{\"name\":\"out\",\"datatype\":"
				    "\"FP32\",\"shape\":["));
	http_fixture_expect(&f, "GET", "/v2/models/nope", NULL, 404, NULL);
}

static void configuration_and_index_are_told(void **state)
{
	const char *got = http_fixture_ask(&f, "GET", "/v2/models/financialNet/config", NULL, NULL, 0);

	(void)state;
	assert_int_equal(f.reply.status, 200);
	assert_non_null(strstr(got, "{\"name\":\"financialNet\",\"platform\":\"tensorflow_graphdef\","
				    "\"max_batch_size\":0,\"input\":[{\"name\":\"transaction\",\"data_type\":"
				    "\"TYPE_FP32\",\"dims\":[-1,30]},"));
	http_fixture_expect(&f, "GET", "/v2/models/nope/config", NULL, 404, NULL);
	got = http_fixture_ask(&f, "POST", "/v2/repository/index", NULL, "{}", 2);
	assert_int_equal(f.reply.status, 200);
	assert_non_null(strstr(got, "[{\"name\":\"financialNet\",\"version\":\"1\",\"state\":\"READY\","
				    "\"reason\":\"\"},"));
}

/* The member of the only version's statistics. */
static json_int_t statistic(const char *model, const char *group, const char *name)
{
	char path[128];
	const char *got;
	json_t *j, *stats;
	json_int_t value;

	snprintf(path, sizeof(path), "/v2/models/%s/versions/1/stats", model);
	got = http_fixture_ask(&f, "GET", path, NULL, NULL, 0);
	assert_int_equal(f.reply.status, 200);
	j = json_loads(got, 0, NULL);
	assert_non_null(j);
	stats = json_array_get(json_object_get(j, "model_stats"), 0);
	assert_non_null(stats);
	if (group)
		stats = json_object_get(json_object_get(stats, "inference_stats"), group);
	assert_true(json_is_integer(json_object_get(stats, name)));
	value = json_integer_value(json_object_get(stats, name));
	json_decref(j);
	return value;
}

static void statistics_count_successes_and_failures(void **state)
{
	static const char *const groups[] = {"success", "queue", "compute_input", "compute_infer", "compute_output"};
	json_int_t before[ARRAY_LEN(groups)], failed = statistic("financialNet", "fail", "count");
	float row[TRANSACTION], reference[REFERENCE];
	struct buf body = {0};

	(void)state;
	fill_transaction(row, 1, 1);
	fill_reference(reference, 1);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		before[i] = statistic("financialNet", groups[i], "count");
	buf_printf(&body, "{\"transaction\":");
	append_floats(&body, row, TRANSACTION);
	buf_printf(&body, ",\"reference\":");
	append_floats(&body, reference, REFERENCE);
	buf_printf(&body, "}");
	http_fixture_expect(&f, "POST", "/predictions/financialNet", body.data, 200, NULL);
	http_fixture_expect(&f, "POST", "/predictions/financialNet", "{}", 400, NULL);
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		assert_int_equal(statistic("financialNet", groups[i], "count"), before[i] + 1);
	assert_int_equal(statistic("financialNet", "fail", "count"), failed + 1);
	assert_true(statistic("financialNet", "success", "ns") > 0);
	assert_true(statistic("financialNet", NULL, "inference_count") > 0);
	http_fixture_expect(&f, "GET", "/v2/models/stats", NULL, 200, NULL);
	http_fixture_expect(&f, "GET", "/v2/models/nope/stats", NULL, 404, NULL);
	buf_release(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(binary_data_is_answered_as_by_the_engine),
		cmocka_unit_test(binary_image_runs_on_the_queue),
		cmocka_unit_test(bytes_without_json_are_the_only_input),
		cmocka_unit_test(json_data_is_answered_as_by_the_engine),
		cmocka_unit_test(outputs_are_chosen_and_integers_stay_integers),
		cmocka_unit_test(wrong_requests_get_a_status_and_an_error),
		cmocka_unit_test(lying_binary_sizes_are_refused),
		cmocka_unit_test(body_cut_at_any_byte_is_an_error_for_that_request_alone),
		cmocka_unit_test(health_and_metadata_are_told),
		cmocka_unit_test(configuration_and_index_are_told),
		cmocka_unit_test(statistics_count_successes_and_failures),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
