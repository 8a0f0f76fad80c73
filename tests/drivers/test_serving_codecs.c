/*
 * test_serving_codecs.c - requests byte by byte as the protocols want them, and replies right and malformed.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/json_reader.h"
#include "common/protobuf_writer.h"
#include "drivers/json_answer.h"
#include "drivers/protobuf_reader.h"
#include "drivers/rest.h"
#include "drivers/tensorflow_serving_codec.h"
#include "drivers/torchserve.h"
#include "drivers/triton_codec.h"
#include "workloads/fraud.h"
#include "workloads/vision.h"

#define VALUES 8

/* A workload's spec, and a request of `batch` rows whose floats are 0.5, 1.5, … of each row. */
struct fixture {
	struct workload *workload;
	const struct workload_ops *ops;
	const struct workload_spec *spec;
	struct request request;
	char *rows;
};

static void fixture_open(struct fixture *f, const struct workload_ops *ops, bool reference, unsigned batch)
{
	struct error err;
	size_t size;

	memset(f, 0, sizeof(*f));
	f->ops = ops;
	assert_int_equal(
		ops->open(&f->workload, &(struct workload_config){.reference = reference, .batch = batch}, &err), 0);
	f->spec = ops->spec(f->workload);
	size = f->spec->row_size;
	f->rows = calloc(batch, size);
	assert_non_null(f->rows);
	for (unsigned b = 0; b < batch; b++) {
		for (size_t i = 0, at = f->spec->inputs[0].offset; at < size; i++, at += sizeof(float)) {
			float value = (float)(i % 1000) + 0.5F;

			memcpy(f->rows + b * size + at, &value, sizeof(value));
		}
	}
	ops->fill(f->workload, f->rows, &f->request);
}

static void fixture_close(struct fixture *f)
{
	f->ops->close(f->workload);
	free(f->rows);
}

/* The body of the fixture's request. */
static struct buf encode(const struct fixture *f, struct body_template *t)
{
	struct iovec *iov = calloc(body_template_iovecs(t), sizeof(*iov));
	char *scratch = malloc(t->scratch_size + 1);
	struct buf body = {0};
	size_t size;
	int n;

	assert_non_null(iov);
	assert_non_null(scratch);
	scratch[t->scratch_size] = '#';
	n = body_template_encode(t, scratch, f->request.inputs, iov, &size);
	assert_true(n > 0);
	assert_true((size_t)n <= body_template_iovecs(t));
	for (int i = 0; i < n; i++)
		buf_append(&body, iov[i].iov_base, iov[i].iov_len);
	assert_int_equal(body.len, size);
	assert_int_equal(scratch[t->scratch_size], '#');
	free(iov);
	free(scratch);
	body_template_release(t);
	return body;
}

static void assert_begins(const struct buf *body, const void *bytes, size_t len)
{
	assert_true(body->len >= len);
	assert_memory_equal(body->data, bytes, len);
}

/* ---- requests ---- */

static void predict_request_is_tensorflow_servings(void **state)
{
	static const char HEAD[] =
		"\x0a\x1a\x0a\x03net\x12\x02\x08\x02\x1a\x0fserving_default" /* name, version 2, signature */
		"\x12\x96\x01\x0a\x0btransaction\x12\x86\x01"                /* entry, its key and its value */
		"\x08\x01\x12\x08\x12\x02\x08\x01\x12\x02\x08\x1e\x22\x78";  /* DT_FLOAT, [1,30], 120 bytes */
	static const char MIDDLE[] = "\x12\x9a\x08\x0a\x09reference\x12\x8c\x08"
				     "\x08\x01\x12\x05\x12\x03\x08\x80\x02\x22\x80\x08"; /* [256], 1024 bytes */
	struct body_template t = {0};
	struct fixture f;
	struct buf body;

	(void)state;
	fixture_open(&f, &workload_fraud, true, 1);
	assert_int_equal(
		tensorflow_serving_predict(&t, &(struct tensorflow_serving_form){.spec = f.spec,
										 .batch = 1,
										 .model = "net",
										 .signature = "serving_default",
										 .version = 2}),
		0);
	body = encode(&f, &t);
	assert_begins(&body, HEAD, sizeof(HEAD) - 1);
	assert_memory_equal(body.data + sizeof(HEAD) - 1, f.rows + 8, 120);
	assert_memory_equal(body.data + sizeof(HEAD) - 1 + 120, MIDDLE, sizeof(MIDDLE) - 1);
	assert_memory_equal(body.data + body.len - 1024, f.rows + 128, 1024);
	assert_int_equal(body.len, sizeof(HEAD) - 1 + 120 + sizeof(MIDDLE) - 1 + 1024);
	buf_release(&body);
	fixture_close(&f);
}

static void infer_request_is_the_open_inference_protocols(void **state)
{
	static const char HEAD[] = "\x0a\x03net\x12\x01"
				   "7"
				   "\x2a\x17\x0a\x0btransaction\x12\x04"
				   "FP32\x18\x01\x18\x1e"
				   "\x2a\x16\x0a\x09reference\x12\x04"
				   "FP32\x18\x01\x18\x80\x02"
				   "\x32\x08\x0a\x06output\x3a\x78";
	struct body_template t = {0};
	struct fixture f;
	struct buf body;

	(void)state;
	fixture_open(&f, &workload_fraud, true, 1);
	assert_int_equal(
		triton_infer(&t,
			     &(struct triton_form){
				     .spec = f.spec, .batch = 1, .model = "net", .version = "7", .output = "output"}),
		0);
	body = encode(&f, &t);
	assert_begins(&body, HEAD, sizeof(HEAD) - 1);
	assert_memory_equal(body.data + sizeof(HEAD) - 1, f.rows + 8, 120);
	assert_memory_equal(body.data + sizeof(HEAD) - 1 + 120, "\x3a\x80\x08", 3);
	assert_memory_equal(body.data + body.len - 1024, f.rows + 128, 1024);
	buf_release(&body);
	fixture_close(&f);
}

static void http_request_has_binary_tensors(void **state)
{
	static const char HEAD[] =
		"{\"inputs\":[{\"name\":\"input\",\"shape\":[3,224,224,3],\"datatype\":\"FP32\","
		"\"parameters\":{\"binary_data_size\":1806336}}],\"parameters\":{\"binary_data_output\":true}}";
	struct body_template t = {0};
	struct fixture f;
	struct buf body;
	size_t json_size;

	(void)state;
	fixture_open(&f, &workload_vision, false, 3);
	assert_int_equal(
		triton_http(&t,
			    &(struct triton_form){.spec = f.spec, .batch = 3, .model = "net", .input_name = "input"},
			    &json_size),
		0);
	body = encode(&f, &t);
	assert_int_equal(json_size, sizeof(HEAD) - 1);
	assert_begins(&body, HEAD, json_size);
	assert_int_equal(body.len, json_size + 3 * VISION_ROW_SIZE);
	assert_memory_equal(body.data + json_size, f.rows, 3 * VISION_ROW_SIZE);
	buf_release(&body);
	fixture_close(&f);
}

/* "0.5,1.5,…" of n values. */
static void append_values(struct buf *b, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_printf(b, "%s%u.5", i ? "," : "", i);
}

static void json_requests_have_the_protocols_shapes(void **state)
{
	static const char *const FORMS[][3] = {
		{"{\"signature_name\":\"s\",\"inputs\":{\"transaction\":[[", "]],\"reference\":[", "]}}"},
		{"{\"transaction\":[", "],\"reference\":[", "]}"},
		{"{\"inputs\":[\"transaction\",\"reference\"],\"transaction\":[[", "]],\"reference\":[", "]}"},
	};
	struct fixture f;

	(void)state;
	fixture_open(&f, &workload_fraud, true, 1);
	for (unsigned i = 0; i < 3; i++) {
		struct body_template t = {0};
		struct buf body, want = {0};
		int r = i == 0   ? tensorflow_serving_rest(&t, &(struct tensorflow_serving_form){.spec = f.spec,
												 .batch = 1,
												 .model = "net",
												 .signature = "s"})
			: i == 1 ? torchserve_body(&t, f.spec, 1)
				 : rest_json(&t, f.spec, 1);

		assert_int_equal(r, 0);
		body = encode(&f, &t);
		buf_printf(&want, "%s", FORMS[i][0]);
		append_values(&want, 30);
		buf_printf(&want, "%s", FORMS[i][1]);
		/* the reference data go on where the transaction ends */
		for (unsigned k = 0; k < 256; k++)
			buf_printf(&want, "%s%u.5", k ? "," : "", k + 30);
		buf_printf(&want, "%s", FORMS[i][2]);
		assert_string_equal(body.data, want.data);
		buf_release(&want);
		buf_release(&body);
	}
	fixture_close(&f);
}

static void batches_and_images_nest_as_their_shape_does(void **state)
{
	struct body_template t = {0};
	struct json_reader r;
	struct fixture f;
	struct buf body;
	size_t commas = 0, open = 0;

	(void)state;
	fixture_open(&f, &workload_vision, false, 2);
	assert_int_equal(rest_json(&t, f.spec, 2), 0);
	body = encode(&f, &t);
	json_open(&r, body.data, body.len, NULL);
	assert_int_equal(json_find(&r, "image"), 0);
	assert_memory_equal(r.p, "[[[[0.5,1.5,2.5],[3.5,", 22);
	for (const char *p = r.p; *p; p++) {
		commas += *p == ',';
		open += *p == '[';
	}
	assert_int_equal(commas, 2 * 224 * 224 * 3 - 1);
	assert_int_equal(open, 1 + 2 + 2 * 224 + 2 * 224 * 224);
	assert_int_equal(json_skip(&r), 0);
	buf_release(&body);
	fixture_close(&f);
}

static void multipart_request_has_a_file_for_each_input(void **state)
{
	static const char HEAD[] =
		"--" REST_BOUNDARY
		"\r\nContent-Disposition: form-data; name=\"transaction\"; filename=\"transaction\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n";
	static const char END[] = "\r\n--" REST_BOUNDARY "--\r\n";
	struct body_template t = {0};
	struct fixture f;
	struct buf body;

	(void)state;
	fixture_open(&f, &workload_fraud, true, 1);
	assert_int_equal(rest_multipart(&t, f.spec, 1), 0);
	body = encode(&f, &t);
	assert_begins(&body, HEAD, sizeof(HEAD) - 1);
	assert_memory_equal(body.data + sizeof(HEAD) - 1, f.rows + 8, 120);
	assert_memory_equal(body.data + body.len - (sizeof(END) - 1), END, sizeof(END) - 1);
	assert_memory_equal(body.data + body.len - (sizeof(END) - 1) - 1024, f.rows + 128, 1024);
	buf_release(&body);
	fixture_close(&f);
}

static void values_that_json_cannot_say_are_refused(void **state)
{
	const float bad[] = {NAN, INFINITY, -INFINITY};
	struct body_template t = {0};
	struct iovec iov[BODY_PIECES_MAX];
	struct fixture f;
	char *scratch;
	size_t size;

	(void)state;
	fixture_open(&f, &workload_fraud, false, 1);
	assert_int_equal(torchserve_body(&t, f.spec, 1), 0);
	scratch = malloc(t.scratch_size);
	assert_non_null(scratch);
	for (unsigned i = 0; i < 3; i++) {
		memcpy(f.rows + 8 + i * 40, &bad[i], sizeof(float));
		assert_int_equal(body_template_encode(&t, scratch, f.request.inputs, iov, &size), ERR_INVALID);
	}
	free(scratch);
	body_template_release(&t);
	fixture_close(&f);
}

/* ---- replies ---- */

static const float TWO[2] = {0.25F, 0.75F};
static const struct tensorflow_serving_form any_output = {.batch = 1};

/* A PredictResponse of one output whose TensorProto is given after dtype and shape [1,2]. */
static struct buf predict_response(const void *values, size_t size)
{
	struct buf message = {0}, entry = {0}, tensor = {0};

	pbw_int(&tensor, 1, 1);
	pbw_bytes(&tensor, 2, "\x12\x02\x08\x01\x12\x02\x08\x02", 8);
	buf_append(&tensor, values, size);
	pbw_text(&entry, 1, "output");
	pbw_message(&entry, 2, &tensor);
	pbw_message(&message, 1, &entry);
	return message;
}

static void assert_answer(const struct answer *a, const float *want, size_t n, unsigned ndims)
{
	assert_int_equal(a->type, ELEMENT_FLOAT32);
	assert_int_equal(a->size, n * sizeof(float));
	assert_int_equal(a->ndims, ndims);
	assert_memory_equal(a->data, want, a->size);
}

static void predict_responses_in_every_form_are_read(void **state)
{
	static const char CONTENT[] = "\x22\x08\0\0\x80\x3e\0\0\x40\x3f", PACKED[] = "\x2a\x08\0\0\x80\x3e\0\0\x40\x3f",
			  SINGLE[] = "\x2d\0\0\x80\x3e\x2d\0\0\x40\x3f",
			  PIECES[] = "\x2a\x04\0\0\x80\x3e\x2a\x04\0\0\x40\x3f", ONE[] = "\x2d\0\0\x80\x3e";
	static const struct {
		const char *bytes;
		size_t size;
		float want[2];
	} forms[] = {
		{CONTENT, 10, {0.25F, 0.75F}}, {PACKED, 10, {0.25F, 0.75F}}, {SINGLE, 10, {0.25F, 0.75F}},
		{PIECES, 12, {0.25F, 0.75F}},  {ONE, 5, {0.25F, 0.25F}}, /* the last value goes on */
	};

	(void)state;
	for (unsigned i = 0; i < 5; i++) {
		struct buf m = predict_response(forms[i].bytes, forms[i].size);
		float values[VALUES];
		struct answer a;
		struct error err = {""};

		assert_int_equal(tensorflow_serving_decode(&any_output, m.data, m.len, values, VALUES, &a, &err), 0);
		assert_answer(&a, forms[i].want, 2, 2);
		assert_int_equal(a.dims[1], 2);
		buf_release(&m);
	}
}

static void named_output_is_chosen(void **state)
{
	struct tensorflow_serving_form form = {.batch = 1, .output = "output"};
	struct buf m = {0}, other = {0}, whole;
	float values[VALUES];
	struct answer a;
	struct error err;

	(void)state;
	pbw_text(&other, 1, "another");
	pbw_message(&m, 1, &other);
	whole = predict_response("\x22\x08\0\0\x80\x3e\0\0\x40\x3f", 10);
	buf_append(&m, whole.data, whole.len);
	assert_int_equal(tensorflow_serving_decode(&form, m.data, m.len, values, VALUES, &a, &err), 0);
	assert_answer(&a, TWO, 2, 2);
	form.output = "absent";
	assert_int_equal(tensorflow_serving_decode(&form, m.data, m.len, values, VALUES, &a, &err), ERR_PROTOCOL);
	assert_string_equal(err.text, "the reply has no output \"absent\"");
	buf_release(&whole);
	buf_release(&m);
}

static void malformed_predict_responses_are_refused(void **state)
{
	struct buf m = predict_response("\x22\x08\0\0\x80\x3e\0\0\x40\x3f", 10);
	static const struct {
		const char *bytes;
		size_t size;
		const char *words;
	} cases[] = {
		{"", 0, "has 0 values, which its shape does not fit"},
		{"\x22\x07\0\0\x80\x3e\0\0\x40", 9, "has 7 bytes, which are no float32 values"},
		{"\x22\x0c\0\0\x80\x3e\0\0\x40\x3f\0\0\0\0", 14, "has 3 values, which its shape does not fit"},
		{"\x08\x03\x22\x04\0\0\0\0", 8, "is of DataType 3, not DT_FLOAT"},
		{"\x12\x0a\x12\x00\x12\x00\x12\x00\x12\x00\x12\x00", 12, "more than 4 dimensions"},
		{"\x12\x0d\x12\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 15, "no well-formed"},
		{"\x13", 1, "no well-formed"},
	};
	float values[VALUES];
	struct answer a;
	struct error err;

	(void)state;
	for (size_t len = 0; len < m.len; len++) {
		char *cut = malloc(len + 1); /* so that a sanitizer sees a read behind it */

		assert_non_null(cut);
		memcpy(cut, m.data, len);
		assert_int_equal(tensorflow_serving_decode(&any_output, cut, len, values, VALUES, &a, &err),
				 ERR_PROTOCOL);
		free(cut);
	}
	buf_release(&m);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		m = predict_response(cases[i].bytes, cases[i].size);
		assert_int_equal(tensorflow_serving_decode(&any_output, m.data, m.len, values, VALUES, &a, &err),
				 ERR_PROTOCOL);
		if (!strstr(err.text, cases[i].words))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].words);
		buf_release(&m);
	}
	m = predict_response("\x22\x08\0\0\x80\x3e\0\0\x40\x3f", 10);
	assert_int_equal(tensorflow_serving_decode(&any_output, m.data, m.len, values, 1, &a, &err), ERR_PROTOCOL);
	assert_non_null(strstr(err.text, "more than the 1 values"));
	buf_release(&m);
}

static void model_states_are_told(void **state)
{
	static const char LOADING[] = "\x0a\x04\x08\x01\x10\x14\x0a\x04\x08\x02\x10\x1e"; /* 1 LOADING, 2 AVAILABLE */
	char json[] = /* without escapes it can be read again */
		"{\"model_version_status\": [ {\"version\": \"1\", \"state\": \"END\", \"status\": {}}, "
		"{\"version\": \"2\", \"state\": \"AVAILABLE\"} ] }";
	struct error err;

	(void)state;
	assert_int_equal(tensorflow_serving_status(LOADING, 12, 0, &err), 0);
	assert_int_equal(tensorflow_serving_status(LOADING, 12, 2, &err), 0);
	assert_int_equal(tensorflow_serving_status(LOADING, 12, 1, &err), ERR_NOT_FOUND);
	assert_string_equal(err.text, "version 1 is not there, its state is LOADING");
	assert_int_equal(tensorflow_serving_status(LOADING, 12, 3, &err), ERR_NOT_FOUND);
	assert_int_equal(tensorflow_serving_status(LOADING, 11, 3, &err), ERR_PROTOCOL);
	assert_int_equal(tensorflow_serving_status_json(json, sizeof(json) - 1, 0, &err), 0);
	assert_int_equal(tensorflow_serving_status_json(json, sizeof(json) - 1, 1, &err), ERR_NOT_FOUND);
	assert_string_equal(err.text, "version 1 is not there, its state is END");
	for (size_t len = 0; len + 25 < sizeof(json); len++) {
		char *cut = strndup(json, len);

		assert_int_equal(tensorflow_serving_status_json(cut, len, 2, &err), ERR_PROTOCOL);
		free(cut);
	}
}

/* A ModelInferResponse of the outputs "x" [3] and "output" [1,2], raw or as contents. */
static struct buf infer_response(bool raw)
{
	static const float three[3] = {1, 2, 3};
	struct buf m = {0}, x = {0}, o = {0}, contents = {0};

	pbw_text(&x, 1, "x");
	pbw_text(&x, 2, "FP32");
	pbw_int(&x, 3, 3);
	pbw_message(&m, 5, &x);
	pbw_text(&o, 1, "output");
	pbw_text(&o, 2, "FP32");
	pbw_bytes(&o, 3, "\x01\x02", 2);
	if (!raw) {
		pbw_bytes(&contents, 6, TWO, sizeof(TWO));
		pbw_message(&o, 5, &contents);
	}
	pbw_message(&m, 5, &o);
	if (raw) {
		pbw_bytes(&m, 6, three, sizeof(three));
		pbw_bytes(&m, 6, TWO, sizeof(TWO));
	}
	return m;
}

static void infer_responses_are_read_and_cut_ones_refused(void **state)
{
	static const struct triton_form form = {.batch = 1, .output = "output"};
	float values[VALUES];
	struct answer a;
	struct error err;

	(void)state;
	for (int raw = 0; raw < 2; raw++) {
		struct buf m = infer_response(raw);

		assert_int_equal(triton_decode(&form, m.data, m.len, values, VALUES, &a, &err), 0);
		assert_answer(&a, TWO, 2, 2);
		for (size_t len = 0; len < m.len; len++) {
			char *cut = malloc(len + 1);

			assert_non_null(cut);
			memcpy(cut, m.data, len);
			assert_int_equal(triton_decode(&form, cut, len, values, VALUES, &a, &err), ERR_PROTOCOL);
			free(cut);
		}
		buf_release(&m);
	}
}

static int read_http(const char *json, size_t raw, const char *output, struct answer *a, struct error *err)
{
	static float values[VALUES];
	struct triton_form form = {.batch = 1, .output = output};
	struct buf body = {0};
	float zeros[VALUES] = {9, 9, 9, 0.25F, 0.75F};
	int r;

	buf_printf(&body, "%s", json);
	if (raw > 0)
		buf_append(&body, zeros, raw);
	r = triton_decode_http(&form, body.data, body.len, raw ? (int64_t)strlen(json) : -1, values, VALUES, a, err);
	if (r == 0 && raw) { /* the view ends with the body */
		memcpy(values, a->data, a->size);
		a->data = values;
	}
	buf_release(&body);
	return r;
}

static void http_infer_replies_are_read(void **state)
{
	static const char RAW[] =
		"{\"model_name\":\"n\",\"outputs\":[{\"name\":\"x\",\"datatype\":\"FP32\",\"shape\":[3],\"parameters\":"
		"{\"binary_data_size\":12}},{\"name\":\"output\",\"datatype\":\"FP32\",\"shape\":[1,2],\"parameters\":"
		"{\"a\":[],\"binary_data_size\":8}}]}";
	static const char DATA[] =
		" { \"outputs\" : [ { \"name\":\"output\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[ [ 0.25, "
		"7.5e-1 ] ] } ] }";
	struct answer a;
	struct error err;

	(void)state;
	assert_int_equal(read_http(RAW, 20, "output", &a, &err), 0);
	assert_answer(&a, TWO, 2, 2);
	assert_int_equal(read_http(DATA, 0, NULL, &a, &err), 0);
	assert_answer(&a, TWO, 2, 2);
	assert_int_equal(read_http(RAW, 19, "output", &a, &err), ERR_PROTOCOL);
	assert_string_equal(err.text, "the reply is shorter than its outputs");
	assert_int_equal(read_http(RAW, 20, "y", &a, &err), ERR_PROTOCOL);
	assert_string_equal(err.text, "the reply has no output \"y\"");
	for (size_t len = 0; len + 2 < sizeof(DATA) - 1; len++) {
		char *cut = strndup(DATA, len);
		int r = read_http(cut, 0, NULL, &a, &err);

		/* an output that is whole is enough */
		if (r != ERR_PROTOCOL && len < sizeof(DATA) - 6)
			fail_msg("%s: %d", cut, r);
		free(cut);
	}
}

/* Of a copy that ends where its memory does. */
static int read_answer(const char *json, const char *output, float *values, struct answer *ret, struct error *err)
{
	char *copy = strdup(json);
	int r;

	assert_non_null(copy);
	r = json_answer(copy, strlen(copy), output, values, VALUES, ret, err);
	free(copy);
	return r;
}

static void json_answers_in_every_form_are_read(void **state)
{
	static const struct {
		const char *json, *output;
		unsigned ndims;
	} cases[] = {
		{"{\"outputs\":[0.25,0.75]}", NULL, 1},
		{"{\"a\":{\"outputs\":3},\"outputs\":[[0.25,0.75]],\"b\":null}", NULL, 2},
		{"{\"outputs\":{\"x\":[1],\"y\":[[0.25],[0.75]]}}", "y", 2},
		{"{\"outputs\":{\"y\":[0.25,0.75]}}", NULL, 1},
		{"\n[ 0.25 ,\t75e-2 ]", NULL, 1},
	};
	float values[VALUES];
	struct answer a;
	struct error err;

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (read_answer(cases[i].json, cases[i].output, values, &a, &err) < 0)
			fail_msg("%s: %s", cases[i].json, err.text);
		assert_answer(&a, TWO, 2, cases[i].ndims);
	}
}

static void json_answers_that_are_none_are_refused(void **state)
{
	static const char *const BAD[] = {
		"",
		"{}",
		"{\"outputs\":3}",
		"{\"outputs\":[]}",
		"{\"outputs\":[[]]}",
		"{\"outputs\":[1,[2]]}",
		"{\"outputs\":[[1],2]}",
		"{\"outputs\":[[1],[2,3]]}",
		"{\"outputs\":[[1,2],[3]]}",
		"{\"outputs\":[1,]}",
		"{\"outputs\":[1 2]}",
		"{\"outputs\":[01]}",
		"{\"outputs\":[1.]}",
		"{\"outputs\":[.5]}",
		"{\"outputs\":[+1]}",
		"{\"outputs\":[1e]}",
		"{\"outputs\":[nan]}",
		"{\"outputs\":[-NaN]}",
		"{\"outputs\":[1e60]}",
		"{\"outputs\":[null]}",
		"{\"outputs\":[\"1\"]}",
		"{\"outputs\":[[[[[1]]]]]}",
		"{\"outputs\":[1,2,3,4,5,6,7,8,9]}",
		"{\"outputs\":{}}",
		"{\"x\":\"\\q\",\"outputs\":[1]}",
		"{\"x\":\"\\u12g4\",\"outputs\":[1]}",
		"{\"x\":\"a\nb\",\"outputs\":[1]}",
		"{\"x\" 1,\"outputs\":[1]}",
		"{x:1,\"outputs\":[1]}",
		"<html>502 Bad Gateway</html>",
	};
	float values[VALUES];
	struct answer a;
	struct error err;

	(void)state;
	for (unsigned i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		err.text[0] = '\0';
		if (read_answer(BAD[i], NULL, values, &a, &err) != ERR_PROTOCOL || !err.text[0])
			fail_msg("%s: %s", BAD[i], err.text);
	}
}

/* As TensorFlow Serving writes what a net made: the workload finds them wrong. */
static void what_is_not_finite_is_an_answer(void **state)
{
	const struct triton_form form = {.spec = NULL, .batch = 1};
	char head[] = "{\"outputs\":[{\"name\":\"o\",\"datatype\":\"FP32\",\"shape\":[1,2],\"data\":[NaN,-Infinity]}]}";
	float values[VALUES];
	struct answer a;
	struct error err;

	(void)state;
	assert_int_equal(read_answer("{\"outputs\":[[NaN,Infinity,-Infinity]]}", NULL, values, &a, &err), 0);
	assert_int_equal(a.size, 3 * sizeof(float));
	assert_true(isnan(values[0]) && isinf(values[1]) && values[2] < 0);
	assert_int_equal(triton_decode_http(&form, head, sizeof(head) - 1, -1, values, VALUES, &a, &err), 0);
	assert_true(isnan(values[0]) && isinf(values[1]));
}

static bool words_of(const char *member, char *words, size_t size)
{
	char body[] = "{\"code\":404,\"message\":\"no \\\"model\\\"\\n\\u001bhere \\u00fc\",\"empty\":\"\"}";

	return json_words(words, size, body, sizeof(body) - 1, member);
}

static void words_of_an_error_are_one_line(void **state)
{
	char words[32];

	(void)state;
	assert_true(words_of("message", words, sizeof(words)));
	assert_string_equal(words, "no \"model\" here \xc3\xbc");
	assert_true(words_of("message", words, 8));
	assert_string_equal(words, "no \"mod");
	assert_false(words_of("code", words, sizeof(words)));
	assert_false(words_of("error", words, sizeof(words)));
	assert_false(words_of("empty", words, sizeof(words)));
}

static void protobuf_fields_are_held_to_their_message(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		int code;
	} cases[] = {
		{"", 0, 0},
		{"\x08\x01", 2, 1},
		{"\x08", 1, ERR_FORMAT},
		{"\x00\x01", 2, ERR_FORMAT},                                          /* field 0 */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, 1},              /* UINT64_MAX */
		{"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11, ERR_FORMAT},     /* more than 64 bits */
		{"\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 12, ERR_FORMAT}, /* 11 bytes */
		{"\x0a\x02x", 3, ERR_FORMAT},                                         /* longer than the message */
		{"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x", 12, ERR_FORMAT},
		{"\x09\1\2\3\4\5\6\7", 8, ERR_FORMAT},
		{"\x0d\1\2\3", 4, ERR_FORMAT},
		{"\x0b", 1, ERR_FORMAT}, /* a group */
		{"\x0f", 1, ERR_FORMAT},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct protobuf_reader r = protobuf_begin(cases[i].bytes, cases[i].size);
		struct protobuf_field f;

		assert_int_equal(protobuf_next(&r, &f), cases[i].code);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(predict_request_is_tensorflow_servings),
		cmocka_unit_test(infer_request_is_the_open_inference_protocols),
		cmocka_unit_test(http_request_has_binary_tensors),
		cmocka_unit_test(json_requests_have_the_protocols_shapes),
		cmocka_unit_test(batches_and_images_nest_as_their_shape_does),
		cmocka_unit_test(multipart_request_has_a_file_for_each_input),
		cmocka_unit_test(values_that_json_cannot_say_are_refused),
		cmocka_unit_test(predict_responses_in_every_form_are_read),
		cmocka_unit_test(named_output_is_chosen),
		cmocka_unit_test(malformed_predict_responses_are_refused),
		cmocka_unit_test(model_states_are_told),
		cmocka_unit_test(infer_responses_are_read_and_cut_ones_refused),
		cmocka_unit_test(http_infer_replies_are_read),
		cmocka_unit_test(json_answers_in_every_form_are_read),
		cmocka_unit_test(json_answers_that_are_none_are_refused),
		cmocka_unit_test(what_is_not_finite_is_an_answer),
		cmocka_unit_test(words_of_an_error_are_one_line),
		cmocka_unit_test(protobuf_fields_are_held_to_their_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
