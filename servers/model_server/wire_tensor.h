/*
 * wire_tensor.h - tensors of both protocols, from and to protobuf.
 */
#ifndef SERVERS_MODEL_SERVER_WIRE_TENSOR_H
#define SERVERS_MODEL_SERVER_WIRE_TENSOR_H

#include "engine/tensor.h"
#include "servers/model_server/wire.h"

/* What a message says of a tensor, before its values are read. */
struct wire_tensor {
	struct wire name;
	enum dtype dtype;
	bool typed; /* dtype is one of ours */
	int64_t dims[TENSOR_MAX_RANK];
	unsigned rank;
	struct wire content;  /* its values as bytes; data NULL: not given so */
	struct wire values;   /* the message that has them as numbers */
	struct wire datatype; /* Triton's word for the type */
	int32_t dt;           /* TensorFlow's number for it */
};

/* tensorflow.TensorProto. ERR_FORMAT: malformed; ERR_RANGE: too many dimensions. */
int wire_tensor_read_tensorflow(struct wire_tensor *ret, struct wire message) MUST_CHECK;
/* ModelInferRequest.InferInputTensor. */
int wire_tensor_read_triton(struct wire_tensor *ret, struct wire message) MUST_CHECK;

/*
 * The tensor itself, up to max bytes. Large contents that are aligned are borrowed: they must outlive the tensor.
 * ERR_RANGE: more than max, or (Triton) a number that its type cannot hold; ERR_INVALID: not as many values as the
 * shape has; ERR_UNSUPPORTED: strings.
 */
int wire_tensor_make_tensorflow(struct tensor **ret, const struct wire_tensor *t, size_t max) MUST_CHECK;
int wire_tensor_make_triton(struct tensor **ret, const struct wire_tensor *t, size_t max) MUST_CHECK;

/* A TensorProto with its values in the typed field, as TensorFlow Serving answers. */
void wire_tensor_write_tensorflow(struct buf *b, uint32_t number, const struct tensor *t);

#endif
