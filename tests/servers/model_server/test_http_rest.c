/*
 * test_http_rest.c - TorchServe's predictions and the plain REST endpoints: the engine's answers, and proper errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/arith.h"
#include "tests/servers/model_server/http_fixture.h"

#define ROWS 40
/* 120 bytes, as many as a transaction has. */
#define ROW_OF_TEXT \
	"one two three four five six seven eight nine ten one two three four five six seven eight nine ten " \
	"and twenty bytes......"
#define JSON_TYPE "Content-Type: application/json\r\n"
#define FORM_TYPE "Content-Type: multipart/form-data; boundary=XX\r\n"

static struct http_fixture f;

static int start(void **state)
{
	(void)state;
	http_fixture_start(&f, NULL, 0, 0);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	http_fixture_stop(&f);
	return 0;
}

static void add_part(struct buf *form, const char *name, const void *data, size_t len)
{
	buf_printf(form, "--XX\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n\r\n", name, name);
	buf_append(form, data, len);
	buf_printf(form, "\r\n");
}

static void post_form(struct buf *form)
{
	buf_printf(form, "--XX--\r\n");
	http_fixture_ask(&f, "POST", "/v2/predict", FORM_TYPE, form->data, form->len);
	buf_clear(form);
}

static void torchserve_json_is_answered_as_by_the_engine(void **state)
{
	float row[TRANSACTION], reference[REFERENCE];
	struct buf body = {0};

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		struct tensor *want;

		fill_transaction(row, 1, seed);
		fill_reference(reference, seed);
		buf_clear(&body);
		/* With its batch dimension or without. */
		buf_printf(&body, "{\"transaction\":%s", seed % 2 ? "[" : "");
		append_floats(&body, row, TRANSACTION);
		buf_printf(&body, "%s,\"reference\":", seed % 2 ? "]" : "");
		append_floats(&body, reference, REFERENCE);
		buf_printf(&body, "}");
		http_fixture_ask(&f, seed % 3 ? "POST" : "PUT",
				 seed % 2 ? "/predictions/financial" : "/predictions/financialNet/1",
				 seed % 4 ? JSON_TYPE : NULL, body.data, body.len);
		want = http_fixture_run(&f, MODEL_REFERENCE, 1, row, reference);
		http_fixture_expect_tensor(&f, "{\"outputs\":[", want);
		assert_null(strstr(f.reply.body.data, "[["));
		tensor_unref(want);
	}
	buf_release(&body);
}

static void torchserve_raw_body_is_the_only_input(void **state)
{
	float *images = malloc(2 * IMAGE * sizeof(*images));

	(void)state;
	assert_non_null(images);
	fill_image(images, 2, 5);
	for (size_t n = 1; n <= 2; n++) {
		struct tensor *want = http_fixture_run(&f, MODEL_VISION, n, images, NULL);

		http_fixture_ask(&f, "PUT", "/predictions/mobilenet_v1_100_224_cpu",
				 n == 1 ? "Content-Type: application/octet-stream\r\n" : NULL, images,
				 n * IMAGE * sizeof(*images));
		http_fixture_expect_tensor(&f, n == 1 ? "[0." : "[[0.", want);
		tensor_unref(want);
	}
	free(images);
}

/* The form that curl -F data=@FILE writes; the part's type says nothing, as curl knows none of it. */
static void torchserve_takes_a_form_s_part(void **state)
{
	static const char *const names[] = {"data", "body"};
	float row[TRANSACTION], reference[REFERENCE];
	struct buf form = {0}, json = {0};

	(void)state;
	fill_transaction(row, 1, 7);
	fill_reference(reference, 7);
	buf_printf(&json, " \r\n{ \"transaction\":");
	append_floats(&json, row, TRANSACTION);
	buf_printf(&json, ",\"reference\":");
	append_floats(&json, reference, REFERENCE);
	buf_printf(&json, "}");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct tensor *want = http_fixture_run(&f, MODEL_NO_REFERENCE_2, 1, row, NULL);

		buf_clear(&form);
		add_part(&form, "other", "ignored", 7);
		add_part(&form, names[i], row, sizeof(row));
		buf_printf(&form, "--XX--\r\n");
		http_fixture_ask(&f, "POST", "/predictions/financialNet_NoReference", FORM_TYPE, form.data, form.len);
		http_fixture_expect_tensor(&f, "[", want);
		tensor_unref(want);
		buf_clear(&form);
		add_part(&form, names[i], json.data, json.len);
		buf_printf(&form, "--XX--\r\n");
		http_fixture_ask(&f, "POST", "/predictions/financial", FORM_TYPE, form.data, form.len);
		want = http_fixture_run(&f, MODEL_REFERENCE, 1, row, reference);
		http_fixture_expect_tensor(&f, "{\"outputs\":[", want);
		tensor_unref(want);
	}
	buf_release(&json);
	buf_release(&form);
}

/* Without a type, or with curl's for whatever it is given. */
static void torchserve_tells_json_from_a_tensor_s_bytes(void **state)
{
	static const char *const types[] = {NULL, "Content-Type: application/x-www-form-urlencoded\r\n"};
	static const char OCTETS[] = "Content-Type: Application/Octet-Stream; x=y\r\n";
	float row[TRANSACTION];
	struct buf json = {0};

	(void)state;
	fill_transaction(row, 1, 8);
	memcpy(row, "{\n\n?", sizeof(*row)); /* 0.5, whose first byte is a brace */
	buf_printf(&json, "\n\t {\n\"transaction\":");
	append_floats(&json, row, TRANSACTION);
	buf_printf(&json, "}");
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct tensor *want = http_fixture_run(&f, MODEL_NO_REFERENCE_2, 1, row, NULL);

		http_fixture_ask(&f, "POST", "/predictions/financialNet_NoReference", types[i], row, sizeof(row));
		http_fixture_expect_tensor(&f, "[", want);
		http_fixture_ask(&f, "POST", "/predictions/financialNet_NoReference", types[i], json.data, json.len);
		http_fixture_expect_tensor(&f, "{\"outputs\":[", want);
		tensor_unref(want);
	}
	http_fixture_ask(&f, "POST", "/predictions/financialNet_NoReference", OCTETS, json.data, json.len);
	assert_int_equal(f.reply.status, 400);
	assert_non_null(strstr(f.reply.body.data, "multiples of 120 bytes"));
	buf_release(&json);
}

static void torchserve_versions_may_have_points(void **state)
{
	static const struct {
		const char *version;
		unsigned status;
	} rows[] = {{"1", 200},  {"1.0", 200}, {"1.0.0", 200}, {"8.0", 404}, {"1.5", 400},
		    {"1.", 400}, {".0", 400},  {"0.0", 400},   {"1.00", 400}};
	char path[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(path, sizeof(path), "/models/financialNet_NoReference/%s", rows[i].version);
		http_fixture_ask(&f, "GET", path, NULL, NULL, 0);
		if (f.reply.status != rows[i].status)
			fail_msg("%s: %u %s", path, f.reply.status, f.reply.body.data);
	}
	http_fixture_ask(&f, "POST", "/predictions/financialNet_NoReference/1.0", JSON_TYPE, "{}", 2);
	assert_int_equal(f.reply.status, 400);
	http_fixture_ask(&f, "GET", "/v1/models/financialNet_NoReference/versions/1.0", NULL, NULL, 0);
	assert_int_equal(f.reply.status, 400);
}

static void torchserve_describes_its_models(void **state)
{
	(void)state;
	http_fixture_expect(&f, "GET", "/ping", NULL, 200, "{\"status\":\"Healthy\"}");
	http_fixture_expect(
		&f, "GET", "/models", NULL, 200,
		"{\"models\":[{\"modelName\":\"financialNet\",\"modelUrl\":\"financialNet\"},{\"modelName\":"
		"\"financialNet_NoReference\",\"modelUrl\":\"financialNet_NoReference\"},{\"modelName\":"
		"\"mobilenet_v1_100_224_cpu\",\"modelUrl\":\"mobilenet_v1_100_224_cpu\"}]}");
	assert_non_null(strstr(http_fixture_ask(&f, "GET", "/models/financial", NULL, NULL, 0),
			       "[{\"modelName\":\"financialNet\",\"modelVersion\":\"1\","));
	assert_non_null(strstr(http_fixture_ask(&f, "GET", "/models/financialNet_NoReference", NULL, NULL, 0),
			       "\"modelVersion\":\"2\""));
	assert_null(strstr(f.reply.body.data, "\"modelVersion\":\"1\""));
	http_fixture_ask(&f, "GET", "/models/financialNet_NoReference/all", NULL, NULL, 0);
	assert_non_null(strstr(f.reply.body.data, "\"modelVersion\":\"1\""));
	assert_non_null(strstr(f.reply.body.data, "\"modelVersion\":\"2\""));
	assert_non_null(strstr(f.reply.body.data, "\"status\":\"READY\""));
	http_fixture_ask(&f, "GET", "/models/nope", NULL, NULL, 0);
	assert_int_equal(f.reply.status, 404);
}

static void torchserve_errors_have_its_form(void **state)
{
	static const struct {
		const char *path, *headers, *body;
		unsigned status;
		const char *begin, *error;
	} rows[] = {
		{"/predictions/nope", JSON_TYPE, "{}", 404, "{\"code\":404,\"type\":\"ModelNotFoundException\"",
		 "nope"},
		{"/predictions/financialNet/8", JSON_TYPE, "{}", 404,
		 "{\"code\":404,\"type\":\"ModelVersionNotFoundException\"", "8"},
		{"/predictions", JSON_TYPE, "{}", 404, "{\"code\":404,\"type\":\"ResourceNotFoundException\"", "POST"},
		{"/predictions/financialNet", JSON_TYPE, "{", 400, "{\"code\":400,\"type\":\"BadRequestException\"",
		 "byte 2"},
		{"/predictions/financialNet", JSON_TYPE, "{\"transaction\":[1]}", 400, "{\"code\":400,", "transaction"},
		{"/predictions/financialNet", JSON_TYPE, "{\"other\":[1]}", 400, "{\"code\":400,", "other"},
		{"/predictions/financialNet", NULL, "raw", 400, "{\"code\":400,", "2 inputs"},
		{"/predictions/financialNet_NoReference", NULL, "raw", 400, "{\"code\":400,", "multiples of 120 bytes"},
		{"/predictions/financialNet_NoReference", NULL, "", 400, "{\"code\":400,", "multiples of 120 bytes"},
		{"/predictions/financialNet_NoReference", "Content-Type: text/plain\r\n", ROW_OF_TEXT, 415,
		 "{\"code\":415,\"type\":\"", "text/plain"},
		{"/predictions/financialNet_NoReference", "Content-Type: application/jsonp\r\n", "{}", 415,
		 "{\"code\":415,", "jsonp"},
		{"/predictions/financialNet_NoReference", FORM_TYPE, "--XX--", 400, "{\"code\":400,", "neither"},
		{"/predictions/financialNet_NoReference", FORM_TYPE, "", 400, "{\"code\":400,", "boundary"},
		{"/predictions/financialNet_NoReference", FORM_TYPE,
		 "--XX\r\nContent-Disposition: form-data; name=data\r\n\r\nshort\r\n--XX--", 400, "{\"code\":400,",
		 "120 bytes"},
		{"/predictions/financialNet_NoReference", FORM_TYPE,
		 "--XX\r\nContent-Disposition: form-data; name=data\r\n\r\nx\r\n--XX\r\n"
		 "Content-Disposition: form-data; name=body\r\n\r\nx\r\n--XX--",
		 400, "{\"code\":400,", "both"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got =
			http_fixture_ask(&f, "POST", rows[i].path, rows[i].headers, rows[i].body, strlen(rows[i].body));

		if (f.reply.status != rows[i].status || strncmp(got, rows[i].begin, strlen(rows[i].begin)) != 0 ||
		    !strstr(got, rows[i].error))
			fail_msg("%s %s\nanswered %u %s\nin place of %u with \"%s\"", rows[i].path, rows[i].body,
				 f.reply.status, got, rows[i].status, rows[i].error);
	}
}

static void form_parts_pick_the_model(void **state)
{
	float rows[2 * TRANSACTION], reference[REFERENCE];
	struct buf form = {0};

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		struct tensor *want;

		fill_transaction(rows, 2, seed);
		fill_reference(reference, seed);
		if (seed % 2) {
			want = http_fixture_run(&f, MODEL_REFERENCE, 1, rows, reference);
			add_part(&form, "reference", reference, sizeof(reference));
			add_part(&form, "transaction", rows, sizeof(rows) / 2);
		} else {
			want = http_fixture_run(&f, MODEL_NO_REFERENCE_2, 2, rows, NULL);
			add_part(&form, "transaction", rows, sizeof(rows));
		}
		post_form(&form);
		http_fixture_expect_tensor(&f, "{\"outputs\":[[", want);
		tensor_unref(want);
	}
	buf_release(&form);
}

static void form_image_goes_to_the_vision_model(void **state)
{
	float *images = malloc(2 * IMAGE * sizeof(*images));
	struct buf form = {0};

	(void)state;
	assert_non_null(images);
	fill_image(images, 2, 6);
	for (size_t n = 1; n <= 2; n++) {
		struct tensor *want = http_fixture_run(&f, MODEL_VISION, n, images, NULL);

		add_part(&form, "image", images, n * IMAGE * sizeof(*images));
		post_form(&form);
		http_fixture_expect_tensor(&f, "{\"outputs\":[[", want);
		tensor_unref(want);
	}
	buf_release(&form);
	free(images);
}

static void json_members_pick_the_model(void **state)
{
	float row[TRANSACTION], reference[REFERENCE];
	struct buf body = {0};

	(void)state;
	for (unsigned seed = 0; seed < ROWS; seed++) {
		struct tensor *want;

		fill_transaction(row, 1, seed);
		fill_reference(reference, seed);
		buf_clear(&body);
		buf_printf(&body, "{\"inputs\":{\"a\":[1]},\"transaction\":[");
		append_floats(&body, row, TRANSACTION);
		buf_printf(&body, "]");
		if (seed % 2) {
			buf_printf(&body, ",\"reference\":");
			append_floats(&body, reference, REFERENCE);
		}
		buf_printf(&body, "}");
		http_fixture_ask(&f, "POST", "/v1/predict", JSON_TYPE, body.data, body.len);
		want = seed % 2 ? http_fixture_run(&f, MODEL_REFERENCE, 1, row, reference)
				: http_fixture_run(&f, MODEL_NO_REFERENCE_2, 1, row, NULL);
		http_fixture_expect_tensor(&f, "{\"outputs\":[[", want);
		tensor_unref(want);
	}
	buf_release(&body);
}

static void wrong_forms_and_texts_get_no_outputs(void **state)
{
	static const struct {
		const char *path, *headers, *body, *error;
	} rows[] = {
		{"/v2/predict", NULL, "", "multipart/form-data"},
		{"/v2/predict", JSON_TYPE, "{}", "multipart/form-data"},
		{"/v2/predict", FORM_TYPE, "", "boundary"},
		{"/v2/predict", FORM_TYPE, "--XX--", "neither"},
		{"/v2/predict", FORM_TYPE,
		 "--XX\r\nContent-Disposition: form-data; name=transaction\r\n\r\nshort\r\n--XX--", "120 bytes"},
		{"/v2/predict", FORM_TYPE, "--XX\r\nContent-Disposition: form-data; name=image\r\n\r\nshort\r\n--XX--",
		 "602112 bytes"},
		{"/v2/predict", FORM_TYPE,
		 "--XX\r\nContent-Disposition: form-data; name=transaction\r\n\r\n\r\n--XX\r\n"
		 "Content-Disposition: form-data; name=transaction\r\n\r\n\r\n--XX--",
		 "two multipart parts"},
		{"/v1/predict", JSON_TYPE, "{\"inputs\":[\"transaction\",\"reference\"],\"transaction\":[1]}",
		 "lists \\\"reference\\\""},
		{"/v1/predict", JSON_TYPE, "{\"transaction\":[1],\"inputs\":[1,[],\"refe\\u0072ence\"]}",
		 "lists \\\"reference\\\""},
		{"/v1/predict", JSON_TYPE, "{\"transaction\":[1],\"inputs\":[\"transaction\"]}", "shape"},
		{"/v1/predict", JSON_TYPE, "{}", "transaction"},
		{"/v1/predict", JSON_TYPE, "{\"transaction\":[1,2]}", "transaction"},
		{"/v1/predict", JSON_TYPE, "{\"transaction\":\"x\"}", "a number expected"},
		{"/v1/predict", JSON_TYPE, "{\"transaction\":[1", "ends within"},
		{"/v1/predict", JSON_TYPE, "", "ends within"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *got =
			http_fixture_ask(&f, "POST", rows[i].path, rows[i].headers, rows[i].body, strlen(rows[i].body));

		if (f.reply.status != 400 || strncmp(got, "{\"outputs\":[],\"error\":\"", 23) != 0 ||
		    !strstr(got, rows[i].error))
			fail_msg("%s %s\nanswered %u %s\nin place of 400 with \"%s\"", rows[i].path, rows[i].body,
				 f.reply.status, got, rows[i].error);
	}
}

static void form_cut_at_any_byte_is_an_error_for_that_request_alone(void **state)
{
	int fd = http_connect(f.port);
	float row[TRANSACTION];
	struct http_reply reply = {0};
	struct buf form = {0}, text = {0};

	(void)state;
	fill_transaction(row, 1, 1);
	add_part(&form, "transaction", row, sizeof(row));
	buf_printf(&form, "--XX--");
	for (size_t len = 0; len <= form.len; len++) {
		http_request_text(&text, "POST", "/v2/predict", FORM_TYPE, form.data, len);
		assert_true(http_send(fd, text.data, text.len));
		assert_true(http_receive(fd, &reply));
		if (reply.status != (len == form.len ? 200 : 400))
			fail_msg("%zu bytes: %u %s", len, reply.status, reply.body.data);
	}
	close(fd);
	buf_release(&text);
	buf_release(&form);
	http_reply_release(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(torchserve_json_is_answered_as_by_the_engine),
		cmocka_unit_test(torchserve_raw_body_is_the_only_input),
		cmocka_unit_test(torchserve_takes_a_form_s_part),
		cmocka_unit_test(torchserve_tells_json_from_a_tensor_s_bytes),
		cmocka_unit_test(torchserve_versions_may_have_points),
		cmocka_unit_test(torchserve_describes_its_models),
		cmocka_unit_test(torchserve_errors_have_its_form),
		cmocka_unit_test(form_parts_pick_the_model),
		cmocka_unit_test(form_image_goes_to_the_vision_model),
		cmocka_unit_test(json_members_pick_the_model),
		cmocka_unit_test(wrong_forms_and_texts_get_no_outputs),
		cmocka_unit_test(form_cut_at_any_byte_is_an_error_for_that_request_alone),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
