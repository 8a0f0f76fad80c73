/*
 * tensorflow_tensor.c - TensorProto in all its spellings.
 */
#include <string.h>

#include "common/arith.h"
#include "engine/tensorflow.h"

enum {
	DT_FLOAT = 1,
	DT_DOUBLE = 2,
	DT_INT32 = 3,
	DT_UINT8 = 4,
	DT_INT16 = 5,
	DT_INT8 = 6,
	DT_STRING = 7,
	DT_INT64 = 9,
	DT_BOOL = 10,
	DT_UINT16 = 17,
	DT_HALF = 19,
};

bool tf_dtype(int32_t dt, enum dtype *ret)
{
	switch (dt) {
	case DT_FLOAT:
		*ret = DTYPE_FLOAT;
		return true;
	case DT_DOUBLE:
		*ret = DTYPE_DOUBLE;
		return true;
	case DT_INT32:
		*ret = DTYPE_INT32;
		return true;
	case DT_UINT8:
		*ret = DTYPE_UINT8;
		return true;
	case DT_INT16:
		*ret = DTYPE_INT16;
		return true;
	case DT_INT8:
		*ret = DTYPE_INT8;
		return true;
	case DT_STRING:
		*ret = DTYPE_STRING;
		return true;
	case DT_INT64:
		*ret = DTYPE_INT64;
		return true;
	case DT_BOOL:
		*ret = DTYPE_BOOL;
		return true;
	case DT_UINT16:
		*ret = DTYPE_UINT16;
		return true;
	default:
		return false;
	}
}

const char *tf_dtype_name(int32_t dt)
{
	static const char *const names[] = {
		"invalid",   "float",  "double",     "int32", "uint8",    "int16",   "int8",     "string",
		"complex64", "int64",  "bool",       "qint8", "quint8",   "qint32",  "bfloat16", "qint16",
		"quint16",   "uint16", "complex128", "half",  "resource", "variant", "uint32",   "uint64",
	};

	return dt >= 0 && (size_t)dt < ARRAY_LEN(names) ? names[dt] : "unknown";
}

void tf_shape(const Tensorflow__TensorShapeProto *shape, int *ret_rank, int64_t *dims)
{
	*ret_rank = -1;
	if (shape == NULL || shape->unknown_rank || shape->n_dim > TENSOR_MAX_RANK)
		return;
	*ret_rank = (int)shape->n_dim;
	for (size_t i = 0; i < shape->n_dim; i++)
		dims[i] = shape->dim[i]->size;
}

static int read_content(const ProtobufCBinaryData *content, bool half, struct tensor *t, struct error *err)
{
	size_t wanted = half ? t->count * 2 : t->size;

	if (content->len != wanted)
		return error_set(err, ERR_FORMAT, "%zu bytes of content for a shape of %zu", content->len, wanted);
	if (half) {
		for (size_t i = 0; i < t->count; i++) {
			uint16_t bits;
			memcpy(&bits, content->data + 2 * i, sizeof(bits));
			((float *)t->data)[i] = float_from_half(bits);
		}
		return 0;
	}
	memcpy(t->data, content->data, content->len);
	for (size_t i = 0; t->dtype == DTYPE_BOOL && i < t->count; i++)
		((uint8_t *)t->data)[i] = ((uint8_t *)t->data)[i] != 0;
	return 0;
}

/* As many values as there are, then the last one again and again; without any, zeros. */
#define SPREAD(type, values, expression) \
	do { \
		type *to = t->data; \
		size_t given = p->n_##values; \
		for (size_t i = 0; i < t->count && given > 0; i++) { \
			size_t from = i < given ? i : given - 1; \
			to[i] = (type)(expression); \
		} \
	} while (0)

static void read_values(const Tensorflow__TensorProto *p, bool half, struct tensor *t)
{
	memset(t->data, 0, t->size);
	switch (t->dtype) {
	case DTYPE_FLOAT:
		if (half)
			SPREAD(float, half_val, float_from_half((uint16_t)p->half_val[from]));
		else
			SPREAD(float, float_val, p->float_val[from]);
		break;
	case DTYPE_DOUBLE:
		SPREAD(double, double_val, p->double_val[from]);
		break;
	case DTYPE_INT8:
		SPREAD(int8_t, int_val, p->int_val[from]);
		break;
	case DTYPE_INT16:
		SPREAD(int16_t, int_val, p->int_val[from]);
		break;
	case DTYPE_INT32:
		SPREAD(int32_t, int_val, p->int_val[from]);
		break;
	case DTYPE_INT64:
		SPREAD(int64_t, int64_val, p->int64_val[from]);
		break;
	case DTYPE_UINT8:
		SPREAD(uint8_t, int_val, p->int_val[from]);
		break;
	case DTYPE_UINT16:
		SPREAD(uint16_t, int_val, p->int_val[from]);
		break;
	default:
		SPREAD(uint8_t, bool_val, p->bool_val[from] != 0);
		break;
	}
}

int tf_tensor(const struct graph *g, const Tensorflow__TensorProto *p, struct tensor **ret, struct error *err)
{
	const bool half = p->dtype == DT_HALF;
	enum dtype type = DTYPE_FLOAT;
	struct tensor *t;
	int64_t dims[TENSOR_MAX_RANK];
	int rank = 0;

	if (!half && (!tf_dtype(p->dtype, &type) || type == DTYPE_STRING))
		return error_set(err, ERR_UNSUPPORTED, "a constant of type %s is not supported",
				 tf_dtype_name(p->dtype));
	if (p->tensor_shape != NULL)
		tf_shape(p->tensor_shape, &rank, dims);
	if (rank < 0)
		return error_set(err, ERR_FORMAT, "a constant without a shape");
	for (int i = 0; i < rank; i++) {
		if (dims[i] < 0)
			return error_set(err, ERR_FORMAT, "a constant with a dimension of %lld", (long long)dims[i]);
	}
	int r = graph_check_constant(g, type, dims, (unsigned)rank, err);
	if (r == 0)
		r = tensor_new(&t, type, dims, (unsigned)rank, false, g->allocator);
	if (r != 0)
		return r;
	if (p->tensor_content.len > 0)
		r = read_content(&p->tensor_content, half, t, err);
	else
		read_values(p, half, t);
	if (r < 0) {
		tensor_unref(t);
		return r;
	}
	*ret = t;
	return 0;
}
