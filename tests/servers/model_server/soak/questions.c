/*
 * questions.c - the list of questions, and learning their answers.
 */
#include "tests/servers/model_server/soak/questions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/float_write.h"
#include "common/rng.h"
#include "tests/servers/model_server/grpc_messages.h"

#define FIELDS 30 /* of a transaction */
#define JSON "Content-Type: application/json\r\n"
#define RAW "Content-Type: application/octet-stream\r\n"
#define FORM "Content-Type: multipart/form-data; boundary=XX\r\n"
#define PART "--XX\r\nContent-Disposition: form-data; name=\"transaction\"; filename=\"t\"\r\n\r\n"

static void add_http(struct questions *q, const char *name, unsigned status, bool known, const char *method,
		     const char *path, const char *headers, const void *body, size_t len)
{
	struct http_question *h = &q->http[q->nhttp++];

	assert_true(q->nhttp <= HTTP_QUESTIONS);
	*h = (struct http_question){.name = name, .status = status, .known = known};
	http_request_text(&h->text, method, path, headers, body, len);
}

static void put_row(struct buf *b, const float *row)
{
	char text[FLOAT_TEXT_MAX];

	buf_printf(b, "[");
	for (size_t i = 0; i < FIELDS; i++) {
		buf_append(b, ",", i > 0);
		buf_append(b, text, float_write(text, row[i]));
	}
	buf_printf(b, "]");
}

/* before ROW after */
static void add_json(struct questions *q, const char *name, const char *path, const char *before, const float *row,
		     const char *after)
{
	struct buf body = {0};

	buf_printf(&body, "%s", before);
	put_row(&body, row);
	buf_printf(&body, "%s", after);
	assert_false(body.failed);
	add_http(q, name, 200, true, "POST", path, JSON, body.data, body.len);
	buf_release(&body);
}

static void add_binary(struct questions *q, const float *row)
{
	static const char json[] = "{\"inputs\":[{\"name\":\"transaction\",\"datatype\":\"FP32\",\"shape\":[1,30],"
				   "\"parameters\":{\"binary_data_size\":120}}],"
				   "\"parameters\":{\"binary_data_output\":true}}";
	struct buf headers = {0}, body = {0};

	buf_printf(&headers, RAW "Inference-Header-Content-Length: %zu\r\n", sizeof(json) - 1);
	buf_append(&body, json, sizeof(json) - 1);
	buf_append(&body, row, FIELDS * sizeof(*row));
	assert_false(body.failed || headers.failed);
	add_http(q, "Triton, binary", 200, true, "POST", "/v2/models/" SOAK_MODEL "/versions/1/infer", headers.data,
		 body.data, body.len);
	buf_release(&headers);
	buf_release(&body);
}

static void add_form(struct questions *q, const float *row)
{
	struct buf body = {0};

	buf_printf(&body, PART);
	buf_append(&body, row, FIELDS * sizeof(*row));
	buf_printf(&body, "\r\n--XX--\r\n");
	assert_false(body.failed);
	add_http(q, "plain REST, a form", 200, true, "POST", "/v2/predict", FORM, body.data, body.len);
	buf_release(&body);
}

static void list_http(struct questions *q, const float *row)
{
	add_json(q, "TensorFlow REST", "/v1/models/" SOAK_MODEL "/versions/1:predict", "{\"instances\":[", row, "]}");
	add_json(q, "TensorFlow REST, joined", "/v1/models/" SOAK_JOINED "/versions/1:predict", "{\"instances\":[", row,
		 "]}");
	add_json(q, "Triton, JSON", "/v2/models/" SOAK_MODEL "/versions/1/infer",
		 "{\"inputs\":[{\"name\":\"transaction\",\"datatype\":\"FP32\",\"shape\":[1,30],\"data\":", row, "}]}");
	add_binary(q, row);
	add_json(q, "TorchServe, JSON", "/predictions/" SOAK_MODEL, "{\"transaction\":", row, "}");
	add_form(q, row);
	add_json(q, "plain REST, JSON", "/v1/predict", "{\"inputs\":[\"transaction\"],\"transaction\":[", row, "]}");
	add_http(q, "a model that is not there", 404, false, "POST", "/v1/models/nothing:predict", JSON,
		 "{\"instances\":[[1]]}", 19);
	add_http(q, "broken JSON", 400, false, "POST", "/v1/models/" SOAK_MODEL ":predict", JSON, "{\"instances\":[[1",
		 16);
	add_http(q, "metrics", 200, false, "GET", "/metrics", NULL, NULL, 0);
	add_http(q, "index", 200, false, "POST", "/v2/repository/index", JSON, "{}", 2);
	add_http(q, "statistics", 200, false, "GET", "/v2/models/stats", NULL, NULL, 0);
}

static void add_rpc(struct questions *q, const char *name, int status, bool known, const char *method,
		    unsigned char *message, size_t len)
{
	assert_true(q->nrpc < RPC_QUESTIONS);
	q->rpc[q->nrpc++] = (struct rpc_question){
		.name = name, .method = method, .status = status, .known = known, .message = message, .len = len};
}

static void list_rpc(struct questions *q, const float *row)
{
	static const int64_t shape[] = {1, FIELDS};
	struct message m = {.model = SOAK_MODEL, .version = 1, .ninputs = 1};
	unsigned char *data;
	size_t len;

	m.inputs[0] = (struct message_input){"transaction", 1, "FP32", shape, 2, row, FIELDS * sizeof(*row)};
	data = message_predict(&m, &len);
	add_rpc(q, "Predict", 0, true, PREDICTION "Predict", data, len);
	data = message_infer(&m, &len);
	add_rpc(q, "ModelInfer", 0, true, TRITON "ModelInfer", data, len);
	m.model = SOAK_JOINED;
	data = message_infer(&m, &len);
	add_rpc(q, "ModelInfer, joined", 0, true, TRITON "ModelInfer", data, len);
	m.model = "nothing";
	data = message_infer(&m, &len);
	add_rpc(q, "a model that is not there", 5, false, TRITON "ModelInfer", data, len);
	add_rpc(q, "no message", 3, false, TRITON "ModelInfer", calloc(1, 3), 3);
	add_rpc(q, "ModelStatistics", 0, false, TRITON "ModelStatistics", NULL, 0);
	add_rpc(q, "RepositoryIndex", 0, false, TRITON "RepositoryIndex", NULL, 0);
	add_rpc(q, "no such method", 12, false, TRITON "ModelDream", NULL, 0);
}

static void take(struct buf *answer, const void *data, size_t len)
{
	assert_int_equal(buf_append(answer, data ? data : "", len), 0);
}

void questions_learn(struct questions *q, unsigned short http_port, unsigned short grpc_port)
{
	struct grpc_client *grpc = grpc_client_new(grpc_port);
	int fd = http_connect(http_port);
	float row[FIELDS];
	struct rng rng;

	rng_init(&rng, 1);
	rng_floats(&rng, row, FIELDS);
	*q = (struct questions){0};
	list_http(q, row);
	list_rpc(q, row);
	for (size_t i = 0; i < q->nhttp; i++) {
		struct http_question *h = &q->http[i];
		struct http_reply reply = {0};

		assert_true(http_send(fd, h->text.data, h->text.len) && http_receive(fd, &reply));
		if (reply.status != h->status)
			fail_msg("%s: answered %u %s", h->name, reply.status, reply.body.data);
		take(&h->answer, reply.body.data, reply.body.len);
		http_reply_release(&reply);
	}
	for (size_t i = 0; i < q->nrpc; i++) {
		struct rpc_question *r = &q->rpc[i];
		struct grpc_reply reply;

		grpc_ask(grpc, r->method, r->message, r->len, &reply);
		if (reply.status != r->status)
			fail_msg("%s: answered %d %s", r->name, reply.status, reply.details);
		take(&r->answer, reply.data, reply.len);
		grpc_reply_release(&reply);
	}
	close(fd);
	grpc_client_free(grpc);
}

void questions_release(struct questions *q)
{
	for (size_t i = 0; i < q->nhttp; i++) {
		buf_release(&q->http[i].text);
		buf_release(&q->http[i].answer);
	}
	for (size_t i = 0; i < q->nrpc; i++) {
		free(q->rpc[i].message);
		buf_release(&q->rpc[i].answer);
	}
}

static bool is(const struct buf *want, const void *got, size_t len)
{
	return want->len == len && (len == 0 || memcmp(want->data, got, len) == 0);
}

bool http_question_answered(const struct http_question *q, const struct http_reply *r)
{
	return r->status == q->status && (!q->known || is(&q->answer, r->body.data, r->body.len));
}

bool rpc_question_answered(const struct rpc_question *q, const struct grpc_reply *r)
{
	return r->status == q->status && (!q->known || is(&q->answer, r->data, r->len));
}
