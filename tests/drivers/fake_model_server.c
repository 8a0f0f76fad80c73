/*
 * fake_model_server.c - a model server inside the test; see the header.
 */
#include "tests/drivers/fake_model_server.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/protobuf_writer.h"
#include "drivers/rest.h"
#include "drivers/tensorflow_serving.h"
#include "drivers/torchserve.h"
#include "drivers/triton.h"

const struct model_client model_clients[] = {
	{"tensorflow_serving grpc", &driver_tensorflow_serving, CALL_GRPC, "grpc"},
	{"tensorflow_serving rest", &driver_tensorflow_serving, CALL_HTTP, "rest"},
	{"triton grpc", &driver_triton, CALL_GRPC, "grpc"},
	{"triton http", &driver_triton, CALL_HTTP, "http"},
	{"torchserve", &driver_torchserve, CALL_HTTP, NULL},
	{"rest multipart", &driver_rest, CALL_HTTP, "/v2/predict"},
	{"rest json", &driver_rest, CALL_HTTP, "/v1/predict"},
};
const unsigned nmodel_clients = sizeof(model_clients) / sizeof(model_clients[0]);

static const float ANSWER[2] = {MODEL_P0, MODEL_P1};

void model_options(struct model_options *ret, const struct model_client *c, const char *host, const char *redis,
		   const char *metrics)
{
	struct serving_options *serving = (struct serving_options *)(void *)ret->bytes;

	assert(c->ops->options_size <= sizeof(ret->bytes));
	memset(ret, 0, sizeof(*ret));
	c->ops->options_defaults(ret->bytes);
	if (redis)
		serving->redis_host = redis;
	if (c->ops == &driver_tensorflow_serving) {
		struct tensorflow_serving_options *o = (struct tensorflow_serving_options *)(void *)ret->bytes;

		o->host = host;
		o->protocol = c->given;
		o->metrics_host = metrics ? metrics : "";
	} else if (c->ops == &driver_triton) {
		struct triton_options *o = (struct triton_options *)(void *)ret->bytes;

		o->host = host;
		o->protocol = c->given;
	} else if (c->ops == &driver_torchserve) {
		struct torchserve_options *o = (struct torchserve_options *)(void *)ret->bytes;

		o->host = host;
		o->metrics_host = metrics ? metrics : "";
	} else {
		struct rest_options *o = (struct rest_options *)(void *)ret->bytes;

		o->host = host;
		o->uri = c->given;
		o->metrics_uri = metrics ? "/metrics" : "";
	}
}

/* ---- replies ---- */

static void shape_1_2(struct buf *shape)
{
	for (int64_t size = 1; size <= 2; size++) {
		struct buf dim = {0};

		pbw_int(&dim, 1, size);
		pbw_message(shape, 2, &dim);
	}
}

/* As TensorFlow Serving answers: the values as float_val. */
static void predict_reply(struct buf *out)
{
	struct buf entry = {0}, tensor = {0}, shape = {0};

	pbw_int(&tensor, 1, 1);
	shape_1_2(&shape);
	pbw_message(&tensor, 2, &shape);
	pbw_bytes(&tensor, 5, ANSWER, sizeof(ANSWER));
	pbw_text(&entry, 1, "output");
	pbw_message(&entry, 2, &tensor);
	pbw_message(out, 1, &entry);
}

static void model_status_reply(struct buf *out)
{
	struct buf version = {0};

	pbw_int(&version, 1, 1);
	pbw_int(&version, 2, 30);
	pbw_message(out, 1, &version);
}

static void infer_reply(struct buf *out, const char *output)
{
	struct buf o = {0};

	pbw_text(out, 1, "financialNet");
	pbw_text(&o, 1, output);
	pbw_text(&o, 2, "FP32");
	pbw_bytes(&o, 3, "\x01\x02", 2);
	pbw_message(out, 5, &o);
	pbw_bytes(out, 6, ANSWER, sizeof(ANSWER));
}

static void statistics_reply(struct buf *out)
{
	struct buf model = {0}, stats = {0}, queue = {0};

	pbw_text(&model, 1, "financialNet");
	pbw_int(&model, 4, 70);
	pbw_int(&model, 5, 35);
	pbw_int(&queue, 1, 35);
	pbw_int(&queue, 2, 123456);
	pbw_message(&stats, 3, &queue);
	pbw_message(&model, 6, &stats);
	pbw_message(out, 1, &model);
}

static void infer_http_reply(struct call_answer *ret, const char *output)
{
	buf_printf(
		&ret->body,
		"{\"model_name\":\"financialNet\",\"outputs\":[{\"name\":\"%s\",\"datatype\":\"FP32\",\"shape\":[1,2],"
		"\"parameters\":{\"binary_data_size\":8}}]}",
		output);
	snprintf(ret->headers, sizeof(ret->headers), "Inference-Header-Content-Length: %zu\r\n", ret->body.len);
	buf_append(&ret->body, ANSWER, sizeof(ANSWER));
}

/* ---- requests ---- */

static bool begins(const char *path, const char *words)
{
	return strncmp(path, words, strlen(words)) == 0;
}

static bool ends(const char *path, const char *words)
{
	size_t n = strlen(path), w = strlen(words);

	return n >= w && strcmp(path + n - w, words) == 0;
}

static bool has_model(const struct fake_model_server *s, const char *text, size_t size)
{
	const char *model = s->model ? s->model : "financialNet";

	return memmem(text, size, model, strlen(model)) != NULL;
}

static void refuse(struct fake_model_server *s, const char *words, struct call_answer *ret)
{
	bool grpc = s->base.protocol == CALL_GRPC;

	buf_clear(&ret->body);
	ret->status = grpc ? 5 : 404;
	if (grpc)
		buf_printf(&ret->body, "%s", words);
	else
		buf_printf(&ret->body, "{\"error\":\"%s\",\"code\":404,\"type\":\"NotFound\",\"message\":\"%s\"}",
			   words, words);
}

/* What an inference is answered; false: it is none. */
static bool infer(struct fake_model_server *s, const char *path, const char *body, size_t size, struct call_answer *ret)
{
	const char *output = memmem(body, size, "reference", 9) ? "output" : "out";

	if (ends(path, "PredictionService/Predict"))
		predict_reply(&ret->body);
	else if (ends(path, "/ModelInfer"))
		infer_reply(&ret->body, output);
	else if (ends(path, "/infer"))
		infer_http_reply(ret, output);
	else if (ends(path, ":predict") || ends(path, "/predict"))
		buf_printf(&ret->body, "{\"outputs\":[[0.25,0.75]]}");
	else if (begins(path, "/predictions/"))
		buf_printf(&ret->body, "{\"outputs\":[0.25, 0.75]}");
	else
		return false;
	atomic_fetch_add(&s->inferences, 1);
	pthread_mutex_lock(&s->lock);
	buf_clear(&s->last);
	buf_append(&s->last, body, size);
	snprintf(s->last_path, sizeof(s->last_path), "%s", path);
	pthread_mutex_unlock(&s->lock);
	return true;
}

static bool control(struct fake_model_server *s, const char *path, const char *body, size_t size,
		    struct call_answer *ret)
{
	bool grpc = s->base.protocol == CALL_GRPC;
	static const char METRICS[] = "# TYPE requests_total counter\n"
				      "requests_total{model=\"a } b\"} 12\n"
				      "latency_bucket{le=\"1\"} 3\n"
				      "latency_sum 1.5e+06\n"
				      "load 0.25 1700000000\n"
				      "broken{ 3\n";

	if (grpc ? !has_model(s, body, size) : begins(path, "/v") && !has_model(s, path, strlen(path)))
		refuse(s, "model not found in this test", ret);
	else if (ends(path, "/GetModelStatus"))
		model_status_reply(&ret->body);
	else if (ends(path, "/ModelReady"))
		pbw_int(&ret->body, 1, 1);
	else if (ends(path, "/ModelStatistics"))
		statistics_reply(&ret->body);
	else if (ends(path, "/ready") || ends(path, "/ping"))
		buf_printf(&ret->body, "{}");
	else if (ends(path, "/stats"))
		buf_printf(&ret->body,
			   "{\"model_stats\":[{\"name\":\"financialNet\",\"inference_count\":70,\"execution_count\":35,"
			   "\"inference_stats\":{\"queue\":{\"count\":35,\"ns\":123456}},\"batch_stats\":[]}]}");
	else if (begins(path, "/v1/models/"))
		buf_printf(&ret->body, "{\"model_version_status\":[{\"version\":\"1\",\"state\":\"AVAILABLE\","
				       "\"status\":{\"error_code\":\"OK\",\"error_message\":\"\"}}]}");
	else if (ends(path, "/metrics"))
		buf_printf(&ret->body, "%s", METRICS);
	else
		return false;
	return true;
}

static void handle(struct call_server *base, const char *path, const char *body, size_t size, struct call_answer *ret)
{
	struct fake_model_server *s = base->arg;

	if (infer(s, path, body, size, ret)) {
		switch (atomic_load(&s->fault)) {
		case MODEL_MALFORMED:
			ret->body.len -= 3;
			break;
		case MODEL_EMPTY:
			buf_clear(&ret->body);
			ret->headers[0] = '\0';
			break;
		case MODEL_REFUSES:
			ret->headers[0] = '\0';
			refuse(s, MODEL_WORDS, ret);
			break;
		default:
			break;
		}
	} else if (!control(s, path, body, size, ret)) {
		refuse(s, "no such path", ret);
	}
}

void fake_model_server_start(struct fake_model_server *s, enum call_protocol protocol)
{
	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->base.protocol = protocol;
	s->base.handler = handle;
	s->base.arg = s;
	call_server_start(&s->base);
	snprintf(s->host, sizeof(s->host), "127.0.0.1:%u", s->base.port);
}

void fake_model_server_stop(struct fake_model_server *s)
{
	call_server_stop(&s->base);
	buf_release(&s->last);
	pthread_mutex_destroy(&s->lock);
}
