/*
 * onnx.h - what the files of the ONNX reader share.
 *
 * onnx_graph.c walks from the outputs to what they need and hands each node to its converter in the table of
 * onnx_ops.c, which adds nodes of ours to the graph.
 */
#ifndef ENGINE_ONNX_H
#define ENGINE_ONNX_H

#include "engine/import.h"
#include "proto/onnx.pb-c.h"

/* One node on its way into the graph. Its texts leave out model and node. */
struct onnx_conversion {
	struct graph *graph;
	const Onnx__NodeProto *node;
	const char *name; /* for messages */
	int64_t version;  /* of the operator set that the node is from */
	enum op op;       /* that the table names: what it means is the converter's */
	const uint32_t *in;
	uint32_t nin;
	/* The converter's answer, one an output of the node; VALUE_NONE: it does not make this one. */
	uint32_t *out;
	uint32_t nout;
	struct error *err;
};

/* onnx_graph.c */
int onnx_import_graph(struct import *im, const Onnx__ModelProto *model) MUST_CHECK;

/* onnx_tensor.c */
bool onnx_dtype(int32_t type, enum dtype *ret);
const char *onnx_dtype_name(int32_t type);
bool onnx_is_external(const Onnx__TensorProto *proto);
/* A new tensor of g's allocator. */
int onnx_tensor(const struct graph *g, const Onnx__TensorProto *proto, struct tensor **ret,
		struct error *err) MUST_CHECK;
const char *onnx_text(const char *s); /* "" for a field that is not set */

/* onnx_ops.c: adds the node to the graph. */
int onnx_convert(struct onnx_conversion *c) MUST_CHECK;

/* --- onnx_attributes.c: for converters --- */

const Onnx__AttributeProto *onnx_attr(const struct onnx_conversion *c, const char *key);
int64_t onnx_attr_int(const struct onnx_conversion *c, const char *key, int64_t absent);
float onnx_attr_float(const struct onnx_conversion *c, const char *key, float absent);
/* Whether the attribute is this text, or is absent and the default is. */
bool onnx_attr_is(const struct onnx_conversion *c, const char *key, const char *text, const char *absent);
int onnx_attr_dtype(const struct onnx_conversion *c, const char *key, enum dtype *ret) MUST_CHECK;
/* 1 if it is there, 0 if not (ret untouched); ERR_UNSUPPORTED unless it has n integers. */
int onnx_attr_ints(const struct onnx_conversion *c, const char *key, int64_t *ret, unsigned n) MUST_CHECK;
int onnx_attr_refused(const struct onnx_conversion *c, const char *key); /* always ERR_UNSUPPORTED */

bool onnx_has_input(const struct onnx_conversion *c, uint32_t i);
/* Its tensor, or NULL where it is not there or no constant. */
const struct tensor *onnx_constant(const struct onnx_conversion *c, uint32_t i);

/* What an operator has as an attribute up to one version and as an input from then on. */
struct onnx_axes {
	bool given;
	unsigned n;
	int64_t v[TENSOR_MAX_RANK];
};
int onnx_axes(const struct onnx_conversion *c, uint32_t input, struct onnx_axes *ret) MUST_CHECK;

/* New constants; the value's index, or a negative error. */
int64_t onnx_new_ints(struct onnx_conversion *c, const int64_t *v, unsigned n);
int64_t onnx_new_int(struct onnx_conversion *c, int64_t v); /* of rank 0 */
int64_t onnx_new_floats(struct onnx_conversion *c, const float *v, const int64_t *dims, unsigned rank);
int64_t onnx_new_number(struct onnx_conversion *c, enum dtype t, double v); /* of rank 0 */

/*
 * Adds nodes of one output; the value's index, or a negative error. Inputs may be such errors themselves: the first is
 * handed on, so that expressions nest.
 */
int64_t onnx_emit(struct onnx_conversion *c, enum op op, const struct attributes *attr, const int64_t *in,
		  uint32_t nin);
int64_t onnx_emit1(struct onnx_conversion *c, enum op op, int64_t x);
int64_t onnx_emit2(struct onnx_conversion *c, enum op op, int64_t a, int64_t b);
/* Output i of the node is this value; a negative error is returned. */
int onnx_result(struct onnx_conversion *c, uint32_t i, int64_t value) MUST_CHECK;

/* --- converters: onnx_images.c, onnx_shapes.c, onnx_math.c, onnx_ml.c --- */

typedef int onnx_converter(struct onnx_conversion *c);
onnx_converter onnx_conv, onnx_pool, onnx_global_pool, onnx_batch_norm, onnx_lrn;
onnx_converter onnx_constant_node, onnx_constant_of_shape, onnx_concat, onnx_flatten, onnx_reshape, onnx_transpose,
	onnx_pad, onnx_squeeze, onnx_unsqueeze, onnx_shape, onnx_gather, onnx_cast, onnx_dropout;
onnx_converter onnx_simple, onnx_alpha, onnx_binary, onnx_variadic, onnx_clip, onnx_gemm, onnx_softmax, onnx_reduce;
onnx_converter onnx_linear_regressor, onnx_linear_classifier, onnx_normalizer;

#endif
