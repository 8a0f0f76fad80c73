/*
 * tensorflow.h - what the readers of GraphDef and SavedModel share.
 */
#ifndef ENGINE_TENSORFLOW_H
#define ENGINE_TENSORFLOW_H

#include "engine/import.h"
#include "proto/tensorflow.pb-c.h"

/* Where the values of variables come from; variable() makes a new tensor. */
struct tf_variables {
	int (*variable)(void *arg, const char *name, const struct graph *g, struct tensor **ret, struct error *err);
	void *arg;
};

/* A tensor to feed or to fetch, and what messages and infos call it. */
struct tf_endpoint {
	const char *name;   /* of the info */
	const char *tensor; /* "node" or "node:1" */
};

struct tf_import {
	struct import *im;
	const Tensorflow__GraphDef *def;
	const struct tf_variables *variables; /* NULL: none */
	bool feed_anything;                   /* otherwise only placeholders can be inputs */
};

/* tensorflow_graph.c: endpoints become im->inputs and im->outputs, in this order. */
int tf_import_graph(struct tf_import *tf, const struct tf_endpoint *inputs, size_t ninputs,
		    const struct tf_endpoint *outputs, size_t noutputs) MUST_CHECK;

/* tensorflow_tensor.c */
bool tf_dtype(int32_t dt, enum dtype *ret);
const char *tf_dtype_name(int32_t dt);
/* Rank -1 where unknown. */
void tf_shape(const Tensorflow__TensorShapeProto *shape, int *ret_rank, int64_t *dims);
/* A new tensor of g's allocator; DT_HALF is widened to FLOAT. Text without model and node. */
int tf_tensor(const struct graph *g, const Tensorflow__TensorProto *proto, struct tensor **ret,
	      struct error *err) MUST_CHECK;

/* tensorflow_ops.c */
const Tensorflow__AttrValue *tf_attr(const Tensorflow__NodeDef *node, const char *key);
/* The operator of a node, its attributes and number of outputs. Inputs are those of the node in TensorFlow's order and
 * are brought into ours; room for one more is there. ERR_UNSUPPORTED with text. */
int tf_operator(struct graph *g, const Tensorflow__NodeDef *node, enum op *op, struct attributes *attr,
		uint32_t *inputs, uint32_t *nin, uint32_t *nout, struct error *err) MUST_CHECK;

#endif
