#include "tests/engine/onnx_builder.h"

#include <string.h>

#include "tests/engine/graph_builder.h"

int onnx_type_of(enum dtype t)
{
	static const int types[DTYPE_COUNT] = {
		[DTYPE_FLOAT] = ONNX_FLOAT,   [DTYPE_DOUBLE] = ONNX_DOUBLE, [DTYPE_INT8] = ONNX_INT8,
		[DTYPE_INT16] = ONNX_INT16,   [DTYPE_INT32] = ONNX_INT32,   [DTYPE_INT64] = ONNX_INT64,
		[DTYPE_UINT8] = ONNX_UINT8,   [DTYPE_UINT16] = ONNX_UINT16, [DTYPE_BOOL] = ONNX_BOOL,
		[DTYPE_STRING] = ONNX_STRING,
	};
	return types[t];
}

void onnx_builder_release(struct onnx_builder *b)
{
	buf_release(&b->graph);
	buf_release(&b->node);
}

static void text(struct buf *b, unsigned field, const char *s)
{
	wire_bytes(b, field, s, strlen(s));
}

static void message(struct buf *b, unsigned field, const struct buf *m)
{
	wire_bytes(b, field, m->len > 0 ? m->data : "", m->len);
}

void onnx_begin(struct onnx_builder *b, const char *name, const char *op, const char *const *inputs,
		const char *const *outputs)
{
	buf_clear(&b->node);
	for (; *inputs != NULL; inputs++)
		text(&b->node, 1, *inputs);
	for (; *outputs != NULL; outputs++)
		text(&b->node, 2, *outputs);
	text(&b->node, 3, name);
	text(&b->node, 4, op);
}

void onnx_domain(struct onnx_builder *b, const char *domain)
{
	text(&b->node, 7, domain);
}

void onnx_end(struct onnx_builder *b)
{
	message(&b->graph, 1, &b->node);
}

void onnx_node(struct onnx_builder *b, const char *op, const char *const *inputs, const char *const *outputs)
{
	onnx_begin(b, "", op, inputs, outputs);
	onnx_end(b);
}

static void attribute(struct onnx_builder *b, const char *key, struct buf *value)
{
	text(value, 1, key);
	message(&b->node, 5, value);
	buf_release(value);
}

void onnx_int(struct onnx_builder *b, const char *key, int64_t v)
{
	struct buf value = {0};

	wire_int(&value, 3, (uint64_t)v);
	wire_int(&value, 20, 2);
	attribute(b, key, &value);
}

void onnx_float(struct onnx_builder *b, const char *key, float v)
{
	struct buf value = {0};

	wire_float(&value, 2, v);
	wire_int(&value, 20, 1);
	attribute(b, key, &value);
}

void onnx_string(struct onnx_builder *b, const char *key, const char *v)
{
	struct buf value = {0};

	text(&value, 4, v);
	wire_int(&value, 20, 3);
	attribute(b, key, &value);
}

void onnx_ints(struct onnx_builder *b, const char *key, const int64_t *v, unsigned n)
{
	struct buf value = {0};

	for (unsigned i = 0; i < n; i++)
		wire_int(&value, 8, (uint64_t)v[i]);
	wire_int(&value, 20, 7);
	attribute(b, key, &value);
}

void onnx_floats(struct onnx_builder *b, const char *key, const float *v, unsigned n)
{
	struct buf value = {0};

	for (unsigned i = 0; i < n; i++)
		wire_float(&value, 7, v[i]);
	wire_int(&value, 20, 6);
	attribute(b, key, &value);
}

void onnx_strings(struct onnx_builder *b, const char *key, const char *const *v, unsigned n)
{
	struct buf value = {0};

	for (unsigned i = 0; i < n; i++)
		text(&value, 9, v[i]);
	wire_int(&value, 20, 8);
	attribute(b, key, &value);
}

void onnx_tensor_attribute(struct onnx_builder *b, const char *key, const struct buf *tensor)
{
	struct buf value = {0};

	message(&value, 5, tensor);
	wire_int(&value, 20, 4);
	attribute(b, key, &value);
}

void onnx_tensor_begin(struct buf *tensor, const char *name, int type, const int64_t *dims, unsigned rank)
{
	for (unsigned i = 0; i < rank; i++)
		wire_int(tensor, 1, (uint64_t)dims[i]);
	wire_int(tensor, 2, (uint64_t)type);
	text(tensor, 8, name);
}

void onnx_raw(struct buf *tensor, const void *data, size_t size)
{
	wire_bytes(tensor, 9, data, size);
}

void onnx_initializer(struct onnx_builder *b, const struct buf *tensor)
{
	message(&b->graph, 5, tensor);
}

void onnx_weights(struct onnx_builder *b, const char *name, int type, const int64_t *dims, unsigned rank,
		  const void *data, size_t size)
{
	struct buf tensor = {0};

	onnx_tensor_begin(&tensor, name, type, dims, rank);
	onnx_raw(&tensor, data, size);
	onnx_initializer(b, &tensor);
	buf_release(&tensor);
}

void onnx_indices(struct onnx_builder *b, const char *name, const int64_t *v, unsigned n)
{
	const int64_t dims[] = {n};

	onnx_weights(b, name, ONNX_INT64, dims, 1, v, n * sizeof(*v));
}

/* A ValueInfoProto; shape may be NULL. */
static void value_info(struct onnx_builder *b, unsigned field, const char *name, int type, const struct buf *shape)
{
	struct buf tensor = {0}, kind = {0}, info = {0};

	wire_int(&tensor, 1, (uint64_t)type);
	if (shape != NULL)
		message(&tensor, 2, shape);
	message(&kind, 1, &tensor);
	text(&info, 1, name);
	message(&info, 2, &kind);
	message(&b->graph, field, &info);
	buf_release(&tensor);
	buf_release(&kind);
	buf_release(&info);
}

void onnx_input(struct onnx_builder *b, const char *name, int type, const int64_t *dims, int rank)
{
	struct buf shape = {0};

	for (int i = 0; i < rank; i++) {
		struct buf dim = {0};
		if (dims[i] >= 0)
			wire_int(&dim, 1, (uint64_t)dims[i]);
		else
			text(&dim, 2, "N");
		message(&shape, 1, &dim);
		buf_release(&dim);
	}
	value_info(b, 11, name, type, rank >= 0 ? &shape : NULL);
	buf_release(&shape);
}

void onnx_output(struct onnx_builder *b, const char *name, int type)
{
	value_info(b, 12, name, type, NULL);
}

void onnx_output_of_kind(struct onnx_builder *b, const char *name, bool sequence)
{
	struct buf kind = {0}, info = {0}, empty = {0};

	message(&kind, sequence ? 4 : 5, &empty);
	text(&info, 1, name);
	message(&info, 2, &kind);
	message(&b->graph, 12, &info);
	buf_release(&kind);
	buf_release(&info);
}

void onnx_model(struct buf *ret, const struct onnx_builder *b, int64_t version)
{
	struct buf set = {0}, learning = {0};

	wire_int(&set, 2, (uint64_t)version);
	text(&learning, 1, "ai.onnx.ml");
	wire_int(&learning, 2, 1);
	wire_int(ret, 1, 7);
	message(ret, 7, &b->graph);
	message(ret, 8, &set);
	message(ret, 8, &learning);
	buf_release(&set);
	buf_release(&learning);
}
