/*
 * tensorflow_serving_codec.h - an inference in TensorFlow Serving's messages: Predict over gRPC and over REST.
 *
 * Field numbers: tensorflow_serving/apis/{predict,model,get_model_status}.proto, tensorflow/core/framework/{tensor,
 * tensor_shape,types}.proto. Inputs have the shapes that AIBench sends: transaction [1,30], reference [256].
 */
#ifndef DRIVERS_TENSORFLOW_SERVING_CODEC_H
#define DRIVERS_TENSORFLOW_SERVING_CODEC_H

#include "drivers/body_template.h"
#include "drivers/call.h"

struct tensorflow_serving_form {
	const struct workload_spec *spec;
	unsigned batch;
	const char *model, *signature;
	int64_t version;        /* 0: the server's latest */
	const char *input_name; /* of images; other inputs are called as in the workload */
	const char *output;     /* name of the output; NULL: the first */
};

/* Zero-initialised t becomes the body of a PredictRequest, or of a :predict by columns ("inputs"). */
int tensorflow_serving_predict(struct body_template *t, const struct tensorflow_serving_form *form) MUST_CHECK;
int tensorflow_serving_rest(struct body_template *t, const struct tensorflow_serving_form *form) MUST_CHECK;

/* The form's output of a PredictResponse: a view of the message where its values lie together, else gathered in values.
 * ERR_PROTOCOL with the reason. */
int tensorflow_serving_decode(const struct tensorflow_serving_form *form, const char *message, size_t size,
			      float *values, size_t nvalues, struct answer *ret, struct error *err) MUST_CHECK;

/* A GetModelStatusRequest; and its reply: 0 when the version (0: any) is AVAILABLE, ERR_NOT_FOUND with its state. */
int tensorflow_serving_status_request(struct buf *ret, const char *model, int64_t version) MUST_CHECK;
int tensorflow_serving_status(const char *message, size_t size, int64_t version, struct error *err) MUST_CHECK;
/* The same of GET /v1/models/NAME's JSON. */
int tensorflow_serving_status_json(char *body, size_t size, int64_t version, struct error *err) MUST_CHECK;

#endif
