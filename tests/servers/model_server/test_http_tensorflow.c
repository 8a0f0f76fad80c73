/*
 * test_http_tensorflow.c - TensorFlow Serving's REST API: the engine's answers to the bit, and proper errors.
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
#include "servers/model_server/json_tensor.h"
#include "tests/servers/model_server/http_fixture.h"
#include "tests/support/process.h"

#define ROWS 40
#define NO_REFERENCE "/v1/models/financialNet_NoReference"

static struct http_fixture f;

static int start(void **state)
{
	(void)state;
	http_fixture_start_with(&f, "half_plus_two:123", "models/savedmodel/saved_model_half_plus_two_cpu/00000123");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_fixture_stop(&f);
	return 0;
}

static void rows_are_answered_as_by_the_engine(void **state)
{
	static const struct {
		const char *path;
		enum fixture_model model;
	} targets[] = {
		{NO_REFERENCE ":predict", MODEL_NO_REFERENCE_2},
		{NO_REFERENCE "/versions/1:predict", MODEL_NO_REFERENCE_1},
		{NO_REFERENCE "/versions/2:predict", MODEL_NO_REFERENCE_2},
		{NO_REFERENCE "/labels/stable:predict", MODEL_NO_REFERENCE_1},
	};
	float rows[3 * TRANSACTION];
	struct buf body = {0};

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		size_t n = 1 + seed % 3;
		struct tensor *want;

		fill_transaction(rows, n, seed);
		buf_clear(&body);
		buf_printf(&body, "{\"instances\":[");
		for (size_t i = 0; i < n; i++) {
			buf_append(&body, ",", i > 0);
			append_floats(&body, rows + i * TRANSACTION, TRANSACTION);
		}
		buf_printf(&body, "]}");
		http_fixture_ask(&f, "POST", targets[seed % 4].path, NULL, body.data, body.len);
		want = http_fixture_run(&f, targets[seed % 4].model, n, rows, NULL);
		http_fixture_expect_tensor(&f, "{\"predictions\":[[", want);
		tensor_unref(want);
	}
	buf_release(&body);
}

static void columns_are_answered_as_by_the_engine(void **state)
{
	float row[TRANSACTION], reference[REFERENCE];
	struct buf body = {0};

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		struct tensor *want;

		fill_transaction(row, 1, seed);
		fill_reference(reference, seed);
		buf_clear(&body);
		buf_printf(&body, "{\"signature_name\":\"serving_default\",\"inputs\":{\"reference\":");
		append_floats(&body, reference, REFERENCE);
		buf_printf(&body, ",\"transaction\":[");
		append_floats(&body, row, TRANSACTION);
		buf_printf(&body, "]}}");
		http_fixture_ask(&f, "POST",
				 seed % 2 ? "/v1/models/financial:predict" : "/v1/models/financialNet:predict", NULL,
				 body.data, body.len);
		want = http_fixture_run(&f, MODEL_REFERENCE, 1, row, reference);
		http_fixture_expect_tensor(&f, "{\"outputs\":[[", want);
		tensor_unref(want);
	}
	buf_release(&body);
}

static void single_input_needs_no_name_and_rows_may_name_it(void **state)
{
	float row[TRANSACTION];
	struct buf body = {0};
	struct tensor *want;

	(void)state;
	fill_transaction(row, 1, 77);
	want = http_fixture_run(&f, MODEL_NO_REFERENCE_2, 1, row, NULL);
	buf_printf(&body, "{\"inputs\":[");
	append_floats(&body, row, TRANSACTION);
	buf_printf(&body, "]}");
	http_fixture_ask(&f, "POST", NO_REFERENCE ":predict", NULL, body.data, body.len);
	http_fixture_expect_tensor(&f, "{\"outputs\":[[", want);

	buf_clear(&body);
	buf_printf(&body, " {\n\"ignored\": {\"a\": [1]}, \"instances\": [ {\"transaction\": ");
	append_floats(&body, row, TRANSACTION);
	buf_printf(&body, "} ]}");
	http_fixture_ask(&f, "POST", NO_REFERENCE ":predict", NULL, body.data, body.len);
	http_fixture_expect_tensor(&f, "{\"predictions\":[[", want);
	tensor_unref(want);
	buf_release(&body);
}

static void model_on_the_queue_answers_as_the_engine(void **state)
{
	const int64_t shape[] = {2, 224, 224, 3};
	struct tensor *images, *want;
	struct buf body = {0};

	(void)state;
	assert_int_equal(tensor_new(&images, DTYPE_FLOAT, shape, 4, false, NULL), 0);
	fill_image(images->data, 2, 1);
	buf_printf(&body, "{\"inputs\":");
	json_write_tensor(&body, images);
	buf_printf(&body, "}");
	http_fixture_ask(&f, "POST", "/v1/models/mobilenet_v1_100_224_cpu:predict", NULL, body.data, body.len);
	want = http_fixture_run(&f, MODEL_VISION, 2, images->data, NULL);
	http_fixture_expect_tensor(&f, "{\"outputs\":[[", want);
	tensor_unref(want);
	tensor_unref(images);
	buf_release(&body);
}

static void saved_model_is_served(void **state)
{
	char path[4096];

	(void)state;
	if (!test_data(path, sizeof(path), "models/savedmodel/saved_model_half_plus_two_cpu/00000123"))
		skip();
	http_fixture_expect(&f, "POST", "/v1/models/half_plus_two:predict", "{\"instances\": [1.0, 2.0, 5.0]}", 200,
			    "{\"predictions\":[2.5,3.0,4.5]}");
	http_fixture_expect(&f, "POST", "/v1/models/half_plus_two/versions/123:predict",
			    "{\"inputs\":{\"x\":[[1],[-3]]}}", 200, "{\"outputs\":[[2.5],[0.5]]}");
}

/* One row of 30 ones, to put into bodies. */
#define ONES "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"

static void wrong_requests_get_a_status_and_an_error(void **state)
{
	static const struct {
		const char *path, *body;
		unsigned status;
		const char *error; /* contained in the text */
	} rows[] = {
		{"/v1/models/nope:predict", "{\"instances\":[1]}", 404, "nope"},
		{NO_REFERENCE "/versions/9:predict", "{\"instances\":[" ONES "]}", 404, "9"},
		{NO_REFERENCE "/versions/x:predict", "{\"instances\":[" ONES "]}", 400,
		 "Malformed request: POST " NO_REFERENCE "/versions/x:predict"},
		{NO_REFERENCE "/versions/99999999999999999999:predict", "{}", 400,
		 "Failed to convert version: 99999999999999999999 to numeric."},
		{NO_REFERENCE "/labels/nope:predict", "{\"instances\":[" ONES "]}", 400,
		 "Unrecognized servable version label: nope"},
		{NO_REFERENCE ":predict", "{\"signature_name\":\"other\",\"instances\":[" ONES "]}", 400, "other"},
		{NO_REFERENCE ":predict", "", 400, "ends within"},
		{NO_REFERENCE ":predict", "{", 400, "byte 2"},
		{NO_REFERENCE ":predict", "{}", 400, "Missing 'inputs' or 'instances' key"},
		{NO_REFERENCE ":predict", "[]", 400, "an object expected"},
		{NO_REFERENCE ":predict", "{\"instances\":[]}", 400, "no rows"},
		{NO_REFERENCE ":predict", "{\"instances\":{}}", 400, "a list expected"},
		{NO_REFERENCE ":predict", "{\"instances\":[" ONES "],\"inputs\":[" ONES "]}", 400, "more than one"},
		{NO_REFERENCE ":predict", "{\"instances\":[" ONES ",[1,2]]}", 400,
		 "a list of 2 where others have 30, in row 1"},
		{NO_REFERENCE ":predict", "{\"instances\":[[1,2]]}", 400, "transaction"},
		{NO_REFERENCE ":predict", "{\"instances\":[" ONES "]} x", 400, "nothing more"},
		{NO_REFERENCE ":predict", "{\"instances\":[{\"other\":" ONES "}]}", 400, "other"},
		{NO_REFERENCE ":predict", "{\"instances\":[{}]}", 400, "lacks input"},
		{NO_REFERENCE ":predict", "{\"instances\":[{\"b64\":\"AAAA\"}]}", 400, "b64"},
		{NO_REFERENCE ":predict", "{\"instances\":[\"text\"]}", 400, "a number expected"},
		{NO_REFERENCE ":predict", "{\"inputs\":{\"transaction\":[" ONES "],\"other\":1}}", 400, "other"},
		{NO_REFERENCE ":predict", "{\"inputs\":{\"transaction\":[" ONES "],\"transaction\":[" ONES "]}}", 400,
		 "transaction"},
		{NO_REFERENCE ":predict", "{\"inputs\":{}}", 400, "transaction"},
		{"/v1/models/financialNet:predict", "{\"instances\":[" ONES "]}", 400, "2 inputs"},
		{"/v1/models/financialNet:predict", "{\"inputs\":[" ONES "]}", 400, "2 inputs"},
		{"/v1/models/financialNet:predict", "{\"inputs\":{\"transaction\":[" ONES "]}}", 400, "reference"},
		{NO_REFERENCE ":classify", "{}", 400, "Malformed request: POST " NO_REFERENCE ":classify"},
		{NO_REFERENCE, "{}", 400, "Malformed request: POST " NO_REFERENCE},
		{"/v1/models", "{}", 400, "Malformed request: POST /v1/models"},
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

static void body_cut_at_any_byte_is_an_error_for_that_request_alone(void **state)
{
	static const char BODY[] = "{\"signature_name\":\"serving_default\",\"instances\":[" ONES "]}";
	int fd = http_connect(f.port);
	struct http_reply reply = {0};
	struct buf text = {0};

	(void)state;
	for (size_t len = 0; len <= strlen(BODY); len++) {
		http_request_text(&text, "POST", NO_REFERENCE ":predict", NULL, BODY, len);
		assert_true(http_send(fd, text.data, text.len));
		assert_true(http_receive(fd, &reply));
		if (reply.status != (len == strlen(BODY) ? 200 : 400))
			fail_msg("%zu bytes: %u %s", len, reply.status, reply.body.data);
	}
	close(fd);
	buf_release(&text);
	http_reply_release(&reply);
}

static void status_tells_of_each_version(void **state)
{
#define VERSION(v) \
	"{\"version\":\"" v "\",\"state\":\"AVAILABLE\",\"status\":{\"error_code\":\"OK\",\"error_message\":\"\"}}"
	(void)state;
	http_fixture_expect(&f, "GET", NO_REFERENCE, NULL, 200,
			    "{\"model_version_status\":[" VERSION("2") "," VERSION("1") "]}");
	http_fixture_expect(&f, "GET", NO_REFERENCE "/versions/1", NULL, 200,
			    "{\"model_version_status\":[" VERSION("1") "]}");
	http_fixture_expect(&f, "GET", NO_REFERENCE "/labels/stable", NULL, 200,
			    "{\"model_version_status\":[" VERSION("1") "]}");
	http_fixture_expect(&f, "GET", "/v1/models/financial", NULL, 200,
			    "{\"model_version_status\":[" VERSION("1") "]}");
	http_fixture_expect(&f, "GET", NO_REFERENCE "/versions/3", NULL, 404,
			    "{\"error\":\"Could not find version 3 of model financialNet_NoReference\"}");
	http_fixture_expect(&f, "GET", NO_REFERENCE "/labels/nope", NULL, 400,
			    "{\"error\":\"Unrecognized servable version label: nope\"}");
	http_fixture_expect(&f, "GET", NO_REFERENCE "/versions/abc", NULL, 400,
			    "{\"error\":\"Malformed request: GET " NO_REFERENCE "/versions/abc\"}");
	http_fixture_expect(&f, "GET", NO_REFERENCE ":predict", NULL, 400,
			    "{\"error\":\"Malformed request: GET " NO_REFERENCE ":predict\"}");
	http_fixture_expect(&f, "DELETE", NO_REFERENCE, NULL, 400,
			    "{\"error\":\"Malformed request: DELETE " NO_REFERENCE "\"}");
	http_fixture_expect(&f, "GET", "/v1/models/nope", NULL, 404,
			    "{\"error\":\"Could not find any versions of model nope\"}");
#undef VERSION
}

static void metadata_describes_the_signature(void **state)
{
	const char *got = http_fixture_ask(&f, "GET", "/v1/models/financialNet/metadata", NULL, NULL, 0);
	json_t *j = json_loads(got, 0, NULL), *signature, *spec;
	const char *name, *dtype, *size;

	(void)state;
	assert_int_equal(f.reply.status, 200);
	assert_non_null(j);
	assert_int_equal(json_unpack(j, "{s:{s:s,s:s}}", "model_spec", "name", &name, "version", &size), 0);
	assert_string_equal(name, "financialNet");
	assert_string_equal(size, "1");
	spec = json_object_get(json_object_get(json_object_get(j, "metadata"), "signature_def"), "signature_def");
	signature = json_object_get(spec, "serving_default");
	assert_non_null(signature);
	assert_int_equal(json_unpack(json_object_get(signature, "inputs"), "{s:{s:s,s:{s:[{s:s},{s:s}]}},s:{s:{s:b}}}",
				     "transaction", "dtype", &dtype, "tensor_shape", "dim", "size", &name, "size",
				     &size, "reference", "tensor_shape", "unknown_rank", &(int){0}),
			 0);
	assert_string_equal(dtype, "DT_FLOAT");
	assert_string_equal(name, "-1");
	assert_string_equal(size, "30");
	assert_non_null(json_object_get(json_object_get(signature, "outputs"), "output"));
	json_decref(j);
	http_fixture_expect(&f, "GET", "/v1/models/nope/metadata", NULL, 404, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_answered_as_by_the_engine),
		cmocka_unit_test(columns_are_answered_as_by_the_engine),
		cmocka_unit_test(single_input_needs_no_name_and_rows_may_name_it),
		cmocka_unit_test(model_on_the_queue_answers_as_the_engine),
		cmocka_unit_test(saved_model_is_served),
		cmocka_unit_test(wrong_requests_get_a_status_and_an_error),
		cmocka_unit_test(body_cut_at_any_byte_is_an_error_for_that_request_alone),
		cmocka_unit_test(status_tells_of_each_version),
		cmocka_unit_test(metadata_describes_the_signature),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
