/*
 * graph_builder.h - GraphDefs for tests, written byte by byte: the importer is not tested with its own parser's help.
 */
#ifndef TESTS_ENGINE_GRAPH_BUILDER_H
#define TESTS_ENGINE_GRAPH_BUILDER_H

#include <stdint.h>

#include "common/buf.h"
#include "engine/tensor.h"

enum {
	DT_FLOAT = 1,
	DT_DOUBLE,
	DT_INT32,
	DT_UINT8,
	DT_INT16,
	DT_INT8,
	DT_STRING,
	DT_INT64 = 9,
	DT_BOOL,
	DT_UINT16 = 17,
	DT_HALF = 19
};

int dt_of(enum dtype t);

/* Zero-initialise; `graph` is the serialised GraphDef so far, `node` the node that is open. */
struct builder {
	struct buf graph, node;
};

void builder_release(struct builder *b);

void node_begin(struct builder *b, const char *name, const char *op);
void node_input(struct builder *b, const char *input);
void node_end(struct builder *b);

void attr_type(struct builder *b, const char *key, int dt);
void attr_int(struct builder *b, const char *key, int64_t v);
void attr_bool(struct builder *b, const char *key, bool v);
void attr_float(struct builder *b, const char *key, float v);
void attr_string(struct builder *b, const char *key, const char *v);
void attr_ints(struct builder *b, const char *key, const int64_t *v, unsigned n);
void attr_shape(struct builder *b, const char *key, const int64_t *dims, unsigned rank);
/* attr "value" as a TensorProto whose body (all but dtype and shape) is given. */
void attr_tensor(struct builder *b, int dt, const int64_t *dims, unsigned rank, const struct buf *body);

/* Whole nodes. */
void add_placeholder(struct builder *b, const char *name, int dt);
void add_const(struct builder *b, const char *name, int dt, const int64_t *dims, unsigned rank, const void *data,
	       size_t size);
void add_ints(struct builder *b, const char *name, const int64_t *v, unsigned n); /* a vector of INT32 */
void add_int(struct builder *b, const char *name, int64_t v);                     /* a scalar INT32 */
/* inputs: NULL-terminated */
void add_node(struct builder *b, const char *name, const char *op, const char *const *inputs);

/* The wire format itself. */
void wire_varint(struct buf *b, uint64_t v);
void wire_int(struct buf *b, unsigned field, uint64_t v);
void wire_float(struct buf *b, unsigned field, float v);
void wire_bytes(struct buf *b, unsigned field, const void *data, size_t len);

#endif
