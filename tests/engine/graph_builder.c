#include "tests/engine/graph_builder.h"

#include <string.h>

int dt_of(enum dtype t)
{
	static const int dts[DTYPE_COUNT] = {
		[DTYPE_FLOAT] = DT_FLOAT,  [DTYPE_DOUBLE] = DT_DOUBLE, [DTYPE_INT8] = DT_INT8,
		[DTYPE_INT16] = DT_INT16,  [DTYPE_INT32] = DT_INT32,   [DTYPE_INT64] = DT_INT64,
		[DTYPE_UINT8] = DT_UINT8,  [DTYPE_UINT16] = DT_UINT16, [DTYPE_BOOL] = DT_BOOL,
		[DTYPE_STRING] = DT_STRING};
	return dts[t];
}

void builder_release(struct builder *b)
{
	buf_release(&b->graph);
	buf_release(&b->node);
}

void wire_varint(struct buf *b, uint64_t v)
{
	unsigned char byte;

	do {
		byte = (unsigned char)((v & 127) | (v > 127 ? 128 : 0));
		buf_append(b, &byte, 1);
		v >>= 7;
	} while (v > 0);
}

void wire_int(struct buf *b, unsigned field, uint64_t v)
{
	wire_varint(b, field << 3);
	wire_varint(b, v);
}

void wire_float(struct buf *b, unsigned field, float v)
{
	wire_varint(b, field << 3 | 5);
	buf_append(b, &v, sizeof(v));
}

void wire_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	wire_varint(b, field << 3 | 2);
	wire_varint(b, len);
	buf_append(b, data, len);
}

static void wire_message(struct buf *b, unsigned field, struct buf *message)
{
	wire_bytes(b, field, message->len > 0 ? message->data : "", message->len);
	buf_release(message);
}

void node_begin(struct builder *b, const char *name, const char *op)
{
	buf_clear(&b->node);
	wire_bytes(&b->node, 1, name, strlen(name));
	wire_bytes(&b->node, 2, op, strlen(op));
}

void node_input(struct builder *b, const char *input)
{
	wire_bytes(&b->node, 3, input, strlen(input));
}

void node_end(struct builder *b)
{
	wire_bytes(&b->graph, 1, b->node.data, b->node.len);
}

static void attr(struct builder *b, const char *key, struct buf *value)
{
	struct buf entry = {0};

	wire_bytes(&entry, 1, key, strlen(key));
	wire_message(&entry, 2, value);
	wire_message(&b->node, 5, &entry);
}

void attr_type(struct builder *b, const char *key, int dt)
{
	struct buf value = {0};

	wire_int(&value, 6, (uint64_t)dt);
	attr(b, key, &value);
}

void attr_int(struct builder *b, const char *key, int64_t v)
{
	struct buf value = {0};

	wire_int(&value, 3, (uint64_t)v);
	attr(b, key, &value);
}

void attr_bool(struct builder *b, const char *key, bool v)
{
	struct buf value = {0};

	wire_int(&value, 5, v);
	attr(b, key, &value);
}

void attr_float(struct builder *b, const char *key, float v)
{
	struct buf value = {0};

	wire_float(&value, 4, v);
	attr(b, key, &value);
}

void attr_string(struct builder *b, const char *key, const char *v)
{
	struct buf value = {0};

	wire_bytes(&value, 2, v, strlen(v));
	attr(b, key, &value);
}

void attr_ints(struct builder *b, const char *key, const int64_t *v, unsigned n)
{
	struct buf value = {0}, list = {0};

	for (unsigned i = 0; i < n; i++)
		wire_int(&list, 3, (uint64_t)v[i]);
	wire_message(&value, 1, &list);
	attr(b, key, &value);
}

static void shape(struct buf *to, unsigned field, const int64_t *dims, unsigned rank)
{
	struct buf message = {0};

	for (unsigned i = 0; i < rank; i++) {
		struct buf dim = {0};
		wire_int(&dim, 1, (uint64_t)dims[i]);
		wire_message(&message, 2, &dim);
	}
	wire_message(to, field, &message);
}

void attr_shape(struct builder *b, const char *key, const int64_t *dims, unsigned rank)
{
	struct buf value = {0};

	shape(&value, 7, dims, rank);
	attr(b, key, &value);
}

void attr_tensor(struct builder *b, int dt, const int64_t *dims, unsigned rank, const struct buf *body)
{
	struct buf value = {0}, tensor = {0};

	wire_int(&tensor, 1, (uint64_t)dt);
	shape(&tensor, 2, dims, rank);
	if (body->len > 0)
		buf_append(&tensor, body->data, body->len);
	wire_message(&value, 8, &tensor);
	attr(b, "value", &value);
}

void add_placeholder(struct builder *b, const char *name, int dt)
{
	node_begin(b, name, "Placeholder");
	attr_type(b, "dtype", dt);
	node_end(b);
}

void add_const(struct builder *b, const char *name, int dt, const int64_t *dims, unsigned rank, const void *data,
	       size_t size)
{
	struct buf body = {0};

	wire_bytes(&body, 4, data, size);
	node_begin(b, name, "Const");
	attr_type(b, "dtype", dt);
	attr_tensor(b, dt, dims, rank, &body);
	node_end(b);
	buf_release(&body);
}

void add_ints(struct builder *b, const char *name, const int64_t *v, unsigned n)
{
	int32_t narrow[64];
	int64_t dims[] = {n};

	for (unsigned i = 0; i < n; i++)
		narrow[i] = (int32_t)v[i];
	add_const(b, name, DT_INT32, dims, 1, narrow, n * sizeof(*narrow));
}

void add_int(struct builder *b, const char *name, int64_t v)
{
	int32_t narrow = (int32_t)v;

	add_const(b, name, DT_INT32, NULL, 0, &narrow, sizeof(narrow));
}

void add_node(struct builder *b, const char *name, const char *op, const char *const *inputs)
{
	node_begin(b, name, op);
	for (; *inputs != NULL; inputs++)
		node_input(b, *inputs);
	node_end(b);
}
