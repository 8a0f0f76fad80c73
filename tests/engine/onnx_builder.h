/*
 * onnx_builder.h - ONNX models for tests, written byte by byte: the importer is not tested with its own parser's help.
 */
#ifndef TESTS_ENGINE_ONNX_BUILDER_H
#define TESTS_ENGINE_ONNX_BUILDER_H

#include <stdint.h>

#include "common/buf.h"
#include "engine/tensor.h"

enum {
	ONNX_FLOAT = 1,
	ONNX_UINT8,
	ONNX_INT8,
	ONNX_UINT16,
	ONNX_INT16,
	ONNX_INT32,
	ONNX_INT64,
	ONNX_STRING,
	ONNX_BOOL,
	ONNX_FLOAT16,
	ONNX_DOUBLE
};

int onnx_type_of(enum dtype t);

/* Zero-initialise; `graph` is the GraphProto so far, `node` the node that is open. */
struct onnx_builder {
	struct buf graph, node;
};

void onnx_builder_release(struct onnx_builder *b);

/* An open node; inputs and outputs end with NULL, "" is one that is left out. */
void onnx_begin(struct onnx_builder *b, const char *name, const char *op, const char *const *inputs,
		const char *const *outputs);
void onnx_domain(struct onnx_builder *b, const char *domain);
void onnx_end(struct onnx_builder *b);
void onnx_node(struct onnx_builder *b, const char *op, const char *const *inputs, const char *const *outputs);

/* Attributes of the open node. */
void onnx_int(struct onnx_builder *b, const char *key, int64_t v);
void onnx_float(struct onnx_builder *b, const char *key, float v);
void onnx_string(struct onnx_builder *b, const char *key, const char *v);
void onnx_ints(struct onnx_builder *b, const char *key, const int64_t *v, unsigned n);
void onnx_floats(struct onnx_builder *b, const char *key, const float *v, unsigned n);
void onnx_strings(struct onnx_builder *b, const char *key, const char *const *v, unsigned n);
/* tensor: a serialised TensorProto. */
void onnx_tensor_attribute(struct onnx_builder *b, const char *key, const struct buf *tensor);

/* Dimensions, type and name of a TensorProto; its data follows. */
void onnx_tensor_begin(struct buf *tensor, const char *name, int type, const int64_t *dims, unsigned rank);
void onnx_raw(struct buf *tensor, const void *data, size_t size);
void onnx_initializer(struct onnx_builder *b, const struct buf *tensor);
/* An initializer with raw data. */
void onnx_weights(struct onnx_builder *b, const char *name, int type, const int64_t *dims, unsigned rank,
		  const void *data, size_t size);
/* A vector of INT64. */
void onnx_indices(struct onnx_builder *b, const char *name, const int64_t *v, unsigned n);

/* dims of -1 are free; rank -1: no shape. */
void onnx_input(struct onnx_builder *b, const char *name, int type, const int64_t *dims, int rank);
void onnx_output(struct onnx_builder *b, const char *name, int type);
/* An input or output that is a sequence or a map. */
void onnx_output_of_kind(struct onnx_builder *b, const char *name, bool sequence);

/* The ModelProto with that graph, of this version of ONNX's operators and version 1 of ai.onnx.ml. */
void onnx_model(struct buf *ret, const struct onnx_builder *b, int64_t version);

#endif
