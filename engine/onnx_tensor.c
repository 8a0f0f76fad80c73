/*
 * onnx_tensor.c - element types, and TensorProto: raw bytes or one typed field.
 */
#include <string.h>

#include "common/arith.h"
#include "engine/onnx.h"

static const struct {
	const char *name;
	enum dtype dtype; /* DTYPE_COUNT: not ours */
} types[] = {
	{"undefined", DTYPE_COUNT}, {"float", DTYPE_FLOAT},  {"uint8", DTYPE_UINT8},     {"int8", DTYPE_INT8},
	{"uint16", DTYPE_UINT16},   {"int16", DTYPE_INT16},  {"int32", DTYPE_INT32},     {"int64", DTYPE_INT64},
	{"string", DTYPE_COUNT},    {"bool", DTYPE_BOOL},    {"float16", DTYPE_COUNT},   {"double", DTYPE_DOUBLE},
	{"uint32", DTYPE_COUNT},    {"uint64", DTYPE_COUNT}, {"complex64", DTYPE_COUNT}, {"complex128", DTYPE_COUNT},
	{"bfloat16", DTYPE_COUNT},
};

bool onnx_dtype(int32_t type, enum dtype *ret)
{
	if (type < 0 || (size_t)type >= ARRAY_LEN(types) || types[type].dtype == DTYPE_COUNT)
		return false;
	*ret = types[type].dtype;
	return true;
}

const char *onnx_dtype_name(int32_t type)
{
	return type >= 0 && (size_t)type < ARRAY_LEN(types) ? types[type].name : "unknown";
}

const char *onnx_text(const char *s)
{
	return s != NULL ? s : "";
}

bool onnx_is_external(const Onnx__TensorProto *p)
{
	return p->n_external_data > 0 || (p->has_data_location && p->data_location != 0);
}

static int check_count(const struct tensor *t, size_t given, struct error *err)
{
	if (given != t->count)
		return error_set(err, ERR_FORMAT, "a tensor of %zu elements has %zu values", t->count, given);
	return 0;
}

static int read_raw(const ProtobufCBinaryData *raw, struct tensor *t, struct error *err)
{
	if (raw->len != t->size)
		return error_set(err, ERR_FORMAT, "a tensor of %zu elements has %zu bytes of raw data, not %zu",
				 t->count, raw->len, t->size);
	if (raw->len > 0)
		memcpy(t->data, raw->data, raw->len);
	for (size_t i = 0; t->dtype == DTYPE_BOOL && i < t->count; i++)
		((uint8_t *)t->data)[i] = ((uint8_t *)t->data)[i] != 0;
	return 0;
}

#define COPY(type, expression) \
	do { \
		type *to = t->data; \
		for (size_t i = 0; i < t->count; i++) \
			to[i] = (type)(expression); \
	} while (0)

/* Everything narrower than int32 is spelt as int32. */
static int read_int32(const Onnx__TensorProto *p, struct tensor *t, struct error *err)
{
	int r = check_count(t, p->n_int32_data, err);

	if (r < 0)
		return r;
	switch (t->dtype) {
	case DTYPE_INT8:
		COPY(int8_t, p->int32_data[i]);
		break;
	case DTYPE_UINT8:
		COPY(uint8_t, p->int32_data[i]);
		break;
	case DTYPE_INT16:
		COPY(int16_t, p->int32_data[i]);
		break;
	case DTYPE_UINT16:
		COPY(uint16_t, p->int32_data[i]);
		break;
	case DTYPE_BOOL:
		COPY(uint8_t, p->int32_data[i] != 0);
		break;
	default:
		COPY(int32_t, p->int32_data[i]);
		break;
	}
	return 0;
}

static int read_values(const Onnx__TensorProto *p, struct tensor *t, struct error *err)
{
	int r;

	switch (t->dtype) {
	case DTYPE_FLOAT:
		r = check_count(t, p->n_float_data, err);
		if (r == 0)
			COPY(float, p->float_data[i]);
		return r;
	case DTYPE_DOUBLE:
		r = check_count(t, p->n_double_data, err);
		if (r == 0)
			COPY(double, p->double_data[i]);
		return r;
	case DTYPE_INT64:
		r = check_count(t, p->n_int64_data, err);
		if (r == 0)
			COPY(int64_t, p->int64_data[i]);
		return r;
	default:
		return read_int32(p, t, err);
	}
}

int onnx_tensor(const struct graph *g, const Onnx__TensorProto *p, struct tensor **ret, struct error *err)
{
	enum dtype type = DTYPE_FLOAT;
	struct tensor *t;

	if (onnx_is_external(p))
		return error_set(err, ERR_UNSUPPORTED, "a tensor whose data is in another file");
	if (!onnx_dtype(p->data_type, &type))
		return error_set(err, ERR_UNSUPPORTED, "a constant of type %s is not supported",
				 onnx_dtype_name(p->data_type));
	if (p->n_dims > TENSOR_MAX_RANK)
		return error_set(err, ERR_UNSUPPORTED, "a constant of %zu dimensions is not supported", p->n_dims);
	for (size_t i = 0; i < p->n_dims; i++) {
		if (p->dims[i] < 0)
			return error_set(err, ERR_FORMAT, "a constant with a dimension of %lld", (long long)p->dims[i]);
	}
	int r = graph_check_constant(g, type, p->dims, (unsigned)p->n_dims, err);
	if (r == 0)
		r = tensor_new(&t, type, p->dims, (unsigned)p->n_dims, false, g->allocator);
	if (r != 0)
		return r;
	r = p->has_raw_data ? read_raw(&p->raw_data, t, err) : read_values(p, t, err);
	if (r < 0) {
		tensor_unref(t);
		return r;
	}
	*ret = t;
	return 0;
}
