/*
 * http_request.h - one HTTP request: its body, its answer, and the inference between them.
 *
 * A handler (http_protocols.h) reads the request when all of its body is there. It either answers at once
 * (http_begin_json … , http_fail) or begins an inference with http_infer; the request's `encode` then writes the
 * answer, at once or, for a model that runs on its queue, when that is done. All of it happens on the connection's I/O
 * thread.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_REQUEST_H
#define SERVERS_MODEL_SERVER_HTTP_REQUEST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/error.h"
#include "common/json_reader.h"
#include "servers/model_server/http_body.h"
#include "servers/model_server/http_routes.h"
#include "servers/model_server/http_triton_json.h"
#include "servers/model_server/inference.h"

struct MHD_Connection;
struct http_rest_models;
struct http_server;

/* Triton's: of the bytes of a body, so many are JSON and the rest binary tensor data. */
#define HTTP_HEADER_JSON_LENGTH "Inference-Header-Content-Length"

/* Of all ports, by protocol. */
struct http_counters {
	atomic_ullong requests[HTTP_PROTOCOL_COUNT], failures[HTTP_PROTOCOL_COUNT];
};

/* An output that a Triton request asks for. */
struct triton_output {
	size_t index;
	bool binary;
};

/* What a Triton request wants of its answer. */
struct triton_request {
	struct json_string id; /* text NULL: none */
	bool binary;           /* outputs that do not say otherwise */
	struct triton_output outputs[TRITON_TENSORS_MAX];
	size_t noutputs; /* 0: all of the model's */
};

struct http_request {
	struct http_server *server;
	struct MHD_Connection *connection;
	enum http_protocol protocol;
	const struct http_route *route; /* NULL: the answer is an error already */
	struct http_target target;
	struct http_body body;
	/* The answer; status 0: none yet. */
	unsigned status;
	struct buf reply;
	const char *content_type;
	size_t json_len; /* bytes of JSON in front of binary tensor data, as a header of the answer; 0: none */
	/* The inference, and who writes its answer. */
	struct inference *inference;
	void (*encode)(struct http_request *rq);
	bool last;  /* the connection ends with this answer: what follows on it may be anything */
	bool begun; /* the handler was called */
	pthread_mutex_t lock;
	bool suspended, done; /* under the lock: the inference goes on elsewhere; it is done */
	/* What the handler keeps for encode: */
	union {
		bool rows; /* TensorFlow Serving: "instances" were sent, "predictions" are wanted */
		bool raw;  /* TorchServe: the body was a tensor's bytes */
		struct triton_request triton;
	} state;
};

/* The header's value, NULL where there is none. */
const char *http_header(const struct http_request *rq, const char *name);
struct repository *http_repository(const struct http_request *rq);
const struct http_rest_models *http_rest_models(const struct http_request *rq);
const struct http_counters *http_counters(const struct http_request *rq);

/* Answers with what is in rq->reply. */
void http_answer(struct http_request *rq, unsigned status, const char *content_type);
void http_answer_json(struct http_request *rq);
/* Answers with an error in the protocol's form, in place of whatever is in rq->reply. */
void http_fail(struct http_request *rq, unsigned status, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with the status that the error code stands for. */
void http_fail_code(struct http_request *rq, int code, const struct error *err);

/* The path's version as a number, 0 where it names none (or by a label: the version behind that). False: answered. */
bool http_target_version(struct http_request *rq, int64_t *ret);
/* The model of a name and version; false: answered. */
bool http_acquire(struct http_request *rq, struct served_model **ret, const char *name, size_t len, int64_t version);

struct http_entries {
	struct repository_entry *entries; /* for repository_list_free */
	size_t n;
};
/* All versions of the path's model, which may be named by an alias, or of all models where it names none; false:
 * answered. */
bool http_list(struct http_request *rq, struct http_entries *ret);

/* An inference of the path's model, or of a named one (its latest version); false: answered. */
bool http_begin(struct http_request *rq);
bool http_begin_named(struct http_request *rq, const char *name);
/*
 * Inputs of the inference. Both return 0 or what is wrong, with the text in *err. From JSON: one value; `lift`: a
 * value of one dimension less than the input's is a batch of one. From bytes: a tensor of the type and shape,
 * borrowed from the body where it is aligned there.
 */
int http_input_json(struct http_request *rq, const char *name, size_t len, struct json_reader *r, bool lift,
		    struct error *err) MUST_CHECK;
int http_input_bytes(struct http_request *rq, const char *name, size_t len, enum dtype dtype, const int64_t *dims,
		     unsigned rank, const char *data, size_t size, struct error *err) MUST_CHECK;
/* The bytes of a tensor of the input's declared type and shape, whose one free dimension follows from their number;
 * where none is free, several times the bytes are a batch of such tensors. A vector where no shape is declared. */
int http_input_raw(struct http_request *rq, const struct model_tensor_info *info, const char *data, size_t size,
		   struct error *err) MUST_CHECK;
/* An input's tensor, taken over. */
int http_input_tensor(struct http_request *rq, const char *name, size_t len, struct tensor *t,
		      struct error *err) MUST_CHECK;
/* Runs it; then encode, unless it failed, which is answered here. */
void http_infer(struct http_request *rq, void (*encode)(struct http_request *rq));
/* When its connection goes on after an inference elsewhere: writes the answer. */
void http_resume(struct http_request *rq);
/* For encode: appends the output, or an object of all by name where there are several. lower: a batch of one is
 * written without its dimension. */
void http_write_outputs(struct http_request *rq, bool lower);
/* A request that could not be understood counts as failed; answers. */
void http_reject(struct http_request *rq, int code, const struct error *err);

#endif
