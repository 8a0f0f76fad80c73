/*
 * triton_codec.h - an inference in the Open Inference Protocol's (KServe V2) messages, as Triton speaks it: ModelInfer
 * over gRPC, and HTTP with the binary tensor extension.
 *
 * Field numbers: kserve's grpc_predict_v2.proto, Triton's grpc_service.proto; HTTP: Triton's
 * extension_binary_data.md. Inputs: transaction [1,30], reference [1,256], images [B,224,224,3], all FP32.
 */
#ifndef DRIVERS_TRITON_CODEC_H
#define DRIVERS_TRITON_CODEC_H

#include "drivers/body_template.h"
#include "drivers/call.h"
#include "drivers/driver.h"

struct triton_form {
	const struct workload_spec *spec;
	unsigned batch;
	const char *model, *version; /* version NULL: the server's choice */
	const char *input_name;      /* of images; other inputs are called as in the workload */
	const char *output;          /* NULL: the first, and all are sent */
};

/* Zero-initialised t becomes the body of a ModelInferRequest. */
int triton_infer(struct body_template *t, const struct triton_form *form) MUST_CHECK;
/* The same over HTTP; *ret_json_size is for the header Inference-Header-Content-Length. */
int triton_http(struct body_template *t, const struct triton_form *form, size_t *ret_json_size) MUST_CHECK;

/* The form's output of a reply: a view of its bytes where they are raw, else gathered in values. ERR_PROTOCOL with the
 * reason. json_size: of the reply's header, -1: all of it is JSON; which is read but once (json_open). */
int triton_decode(const struct triton_form *form, const char *message, size_t size, float *values, size_t nvalues,
		  struct answer *ret, struct error *err) MUST_CHECK;
int triton_decode_http(const struct triton_form *form, char *body, size_t size, int64_t json_size, float *values,
		       size_t nvalues, struct answer *ret, struct error *err) MUST_CHECK;

/* ModelReadyRequest and ModelStatisticsRequest: name = 1, version = 2. */
int triton_model_request(struct buf *ret, const char *model, const char *version) MUST_CHECK;
/* ModelReadyResponse. */
int triton_ready(const char *message, size_t size, bool *ret) MUST_CHECK;

/* The counters of the form's model in a ModelStatisticsResponse or in GET /v2/models/NAME/stats: counts and nanoseconds
 * of success, fail, queue, compute_input, compute_infer and compute_output, summed over the versions, as
 * "triton.queue.count", "triton.queue.ns". ERR_PROTOCOL for what is none. */
int triton_statistics(const char *message, size_t size, const char *server, server_stat_fn *fn, void *arg) MUST_CHECK;
int triton_statistics_http(char *body, size_t size, const char *server, server_stat_fn *fn, void *arg) MUST_CHECK;

#endif
