/*
 * http_triton_json.h - the JSON part of an inference request of the Open Inference Protocol.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_TRITON_JSON_H
#define SERVERS_MODEL_SERVER_HTTP_TRITON_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "common/json_reader.h"
#include "engine/tensor.h"

#define TRITON_TENSORS_MAX 32 /* inputs, and outputs, of one request */

struct triton_input {
	struct json_string name;
	enum dtype dtype;
	int64_t dims[TENSOR_MAX_RANK];
	unsigned rank;
	bool binary; /* binary_size bytes behind the text, in the order of the inputs; else: */
	uint64_t binary_size;
	struct json_reader data; /* stands before its values */
};

struct triton_inputs {
	struct triton_input list[TRITON_TENSORS_MAX];
	size_t n;
};

struct triton_outputs {
	struct {
		struct json_string name;
		bool says_binary, binary;
	} list[TRITON_TENSORS_MAX];
	size_t n;
};

struct triton_json {
	struct json_string id; /* text NULL: none */
	bool binary_output;    /* of outputs that say nothing */
	struct triton_inputs inputs;
	struct triton_outputs outputs; /* none: all */
};

/* text as for json_open; the result points into it and to err. */
int triton_json_read(struct triton_json *ret, char *text, size_t len, struct error *err) MUST_CHECK;

#endif
