/*
 * http_protocols.h - the endpoints' handlers, a file a protocol (http_tensorflow.c, http_triton*.c, …), and the form
 * of each protocol's errors.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_PROTOCOLS_H
#define SERVERS_MODEL_SERVER_HTTP_PROTOCOLS_H

#include "common/buf.h"

struct http_request;

/* TensorFlow Serving's REST API, https://www.tensorflow.org/tfx/serving/api_rest */
void tensorflow_predict(struct http_request *rq);
void tensorflow_status(struct http_request *rq);
void tensorflow_metadata(struct http_request *rq);
/* A path or method that is none of these, or a version that is no number. */
void tensorflow_malformed(struct http_request *rq);

/* The Open Inference Protocol (KServe V2) with Triton's extensions binary_tensor_data and statistics. */
void triton_server(struct http_request *rq);
void triton_live(struct http_request *rq);
void triton_ready(struct http_request *rq);
void triton_model(struct http_request *rq);
void triton_model_ready(struct http_request *rq);
void triton_config(struct http_request *rq);
void triton_index(struct http_request *rq);
void triton_statistics(struct http_request *rq);
void triton_infer(struct http_request *rq);

/* TorchServe's inference and management APIs. */
void torchserve_predict(struct http_request *rq);
void torchserve_ping(struct http_request *rq);
void torchserve_models(struct http_request *rq);
void torchserve_model(struct http_request *rq);

/* The plain REST server: AIBench's Flask application. */
void rest_predict_form(struct http_request *rq);
void rest_predict_json(struct http_request *rq);

/* Prometheus' text format. */
void metrics_text(struct http_request *rq);
/* Of "/", which AIBench's runners ask for what an HTTP request costs at the least. */
void server_name(struct http_request *rq);

#endif
