/*
 * wire_tensor.c - shapes, contents and typed values.
 */
#include "servers/model_server/wire_tensor.h"

#include <string.h>

#include "common/arith.h"
#include "servers/model_server/dtypes.h"

/* Smaller contents are copied: that is cheaper than what a borrowed tensor has to be checked for. */
#define BORROW_MIN ((size_t)16 << 10)

static int add_dim(struct wire_tensor *t, int64_t dim)
{
	if (t->rank == TENSOR_MAX_RANK)
		return ERR_RANGE;
	t->dims[t->rank++] = dim;
	return 0;
}

static int read_tf_shape(struct wire_tensor *t, struct wire shape)
{
	struct wire_field f, d;
	int r;

	t->rank = 0;
	while ((r = wire_next(&shape, &f)) == 1) {
		int64_t size = 0;

		if (!wire_is(&f, 2, WIRE_BYTES))
			continue;
		while ((r = wire_next(&f.bytes, &d)) == 1) {
			if (wire_is(&d, 1, WIRE_VARINT))
				size = (int64_t)d.value;
		}
		if (r == 0)
			r = add_dim(t, size);
		if (r < 0)
			return r;
	}
	return r;
}

int wire_tensor_read_tensorflow(struct wire_tensor *ret, struct wire message)
{
	struct wire_tensor t = {.values = message};
	struct wire_field f;
	int r;

	while ((r = wire_next(&message, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_VARINT))
			t.dt = (int32_t)f.value;
		else if (wire_is(&f, 2, WIRE_BYTES))
			r = read_tf_shape(&t, f.bytes);
		else if (wire_is(&f, 4, WIRE_BYTES) && f.bytes.len)
			t.content = f.bytes;
		if (r < 0)
			break;
	}
	if (r < 0)
		return r;
	t.typed = dtype_from_tensorflow(&t.dtype, t.dt);
	*ret = t;
	return 0;
}

static int read_packed_dims(struct wire_tensor *t, struct wire packed)
{
	uint64_t value;
	int r;

	while ((r = wire_next_varint(&packed, &value)) == 1) {
		r = add_dim(t, (int64_t)value);
		if (r < 0)
			return r;
	}
	return r;
}

int wire_tensor_read_triton(struct wire_tensor *ret, struct wire message)
{
	struct wire_tensor t = {0};
	struct wire_field f;
	int r;

	while ((r = wire_next(&message, &f)) == 1) {
		if (wire_is(&f, 1, WIRE_BYTES))
			t.name = f.bytes;
		else if (wire_is(&f, 2, WIRE_BYTES))
			t.datatype = f.bytes;
		else if (wire_is(&f, 3, WIRE_BYTES))
			r = read_packed_dims(&t, f.bytes);
		else if (wire_is(&f, 3, WIRE_VARINT))
			r = add_dim(&t, (int64_t)f.value);
		else if (wire_is(&f, 5, WIRE_BYTES))
			t.values = f.bytes;
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	t.typed = dtype_from_triton(&t.dtype, (const char *)t.datatype.data, t.datatype.len);
	*ret = t;
	return 0;
}

/* --- values --- */

/* Bytes that the shape takes; contents and values are then to be exactly so many. */
static int size_of(size_t *ret_count, size_t *ret_size, const struct wire_tensor *t, size_t max)
{
	if (t->dtype == DTYPE_STRING)
		return ERR_UNSUPPORTED;
	if (!shape_count(ret_count, t->dims, t->rank))
		return ERR_INVALID;
	if (!size_mul(ret_size, *ret_count, dtype_size(t->dtype)) || *ret_size > max)
		return ERR_RANGE;
	return 0;
}

static void keep(void *arg)
{
	(void)arg;
}

static int from_content(struct tensor **ret, const struct wire_tensor *t, size_t size)
{
	void *data = (void *)(uintptr_t)t->content.data;
	int r;

	if (t->content.len != size)
		return ERR_INVALID;
	if (size >= BORROW_MIN && (uintptr_t)data % dtype_size(t->dtype) == 0)
		return tensor_new_borrowed(ret, t->dtype, t->dims, t->rank, data, size, keep, NULL, &allocator_libc);
	r = tensor_new(ret, t->dtype, t->dims, t->rank, false, &allocator_libc);
	if (r == 0 && size)
		memcpy((*ret)->data, data, size);
	return r;
}

static void store_integer(const struct tensor *t, size_t i, uint64_t value)
{
	unsigned char byte = t->dtype == DTYPE_BOOL ? value != 0 : (unsigned char)value;
	size_t size = dtype_size(t->dtype);

	if (size == 1)
		((unsigned char *)t->data)[i] = byte;
	else
		memcpy((char *)t->data + i * size, &value, size); /* little-endian: the low bytes come first */
}

/* Of a number in InferTensorContents' 32 bits, which the smaller types share. */
static bool in_range(enum dtype t, uint64_t value)
{
	int32_t number = (int32_t)value;

	switch (t) {
	case DTYPE_INT8:
		return number >= INT8_MIN && number <= INT8_MAX;
	case DTYPE_INT16:
		return number >= INT16_MIN && number <= INT16_MAX;
	case DTYPE_UINT8:
		return (uint32_t)value <= UINT8_MAX;
	case DTYPE_UINT16:
		return (uint32_t)value <= UINT16_MAX;
	default:
		return true;
	}
}

static int fill_one(const struct tensor *t, size_t *at, uint64_t value, bool exact)
{
	if (exact && !in_range(t->dtype, value))
		return ERR_RANGE;
	if (*at < t->count)
		store_integer(t, *at, value);
	(*at)++;
	return 0;
}

static int fill_varints(const struct tensor *t, size_t *at, struct wire packed, bool exact)
{
	uint64_t value;
	int r;

	while ((r = wire_next_varint(&packed, &value)) == 1) {
		r = fill_one(t, at, value, exact);
		if (r < 0)
			return r;
	}
	return r;
}

static int fill_fixed(const struct tensor *t, size_t *at, struct wire packed)
{
	size_t size = dtype_size(t->dtype), n = packed.len / size, room = *at < t->count ? t->count - *at : 0;

	if (packed.len % size)
		return ERR_FORMAT;
	if (room)
		memcpy((char *)t->data + *at * size, packed.data, (n < room ? n : room) * size);
	*at += n;
	return 0;
}

/* From a message whose field `number` has the values, packed or not. exact: a number that its type cannot hold is
 * ERR_RANGE, else its low bits are taken. *ret_n: how many there were. */
static int fill(const struct tensor *t, struct wire message, uint32_t number, bool exact, size_t *ret_n)
{
	bool floating = t->dtype == DTYPE_FLOAT || t->dtype == DTYPE_DOUBLE;
	enum wire_type single = t->dtype == DTYPE_FLOAT ? WIRE_FIXED32 : WIRE_FIXED64;
	struct wire_field f;
	int r;

	*ret_n = 0;
	while ((r = wire_next(&message, &f)) == 1) {
		if (wire_is(&f, number, WIRE_BYTES))
			r = floating ? fill_fixed(t, ret_n, f.bytes) : fill_varints(t, ret_n, f.bytes, exact);
		else if (wire_is(&f, number, floating ? single : WIRE_VARINT))
			r = fill_one(t, ret_n, f.value, exact);
		if (r < 0)
			return r;
	}
	return r;
}

/* Of TensorProto. */
static uint32_t tensorflow_field(enum dtype t)
{
	switch (t) {
	case DTYPE_FLOAT:
		return 5;
	case DTYPE_DOUBLE:
		return 6;
	case DTYPE_INT64:
		return 10;
	case DTYPE_BOOL:
		return 11;
	default:
		return 7;
	}
}

/* As TensorFlow does it: no values are zeros, too few are filled up with the last one, too many are left. */
static void fill_up(const struct tensor *t, size_t n)
{
	size_t size = dtype_size(t->dtype);

	for (; n > 0 && n < t->count; n++)
		memcpy((char *)t->data + n * size, (char *)t->data + (n - 1) * size, size);
}

/* Of InferTensorContents. */
static uint32_t triton_field(enum dtype t)
{
	switch (t) {
	case DTYPE_BOOL:
		return 1;
	case DTYPE_INT64:
		return 3;
	case DTYPE_UINT8:
	case DTYPE_UINT16:
		return 4;
	case DTYPE_FLOAT:
		return 6;
	case DTYPE_DOUBLE:
		return 7;
	default:
		return 2;
	}
}

/* From contents, or from the values in field `number`: all of them as they are, or (loosely) as TensorFlow cuts them to
 * their type and fills them up. */
static int make(struct tensor **ret, const struct wire_tensor *t, size_t max, uint32_t number, bool loosely)
{
	size_t count, size, n;
	struct tensor *made;
	int r = size_of(&count, &size, t, max);

	if (r < 0)
		return r;
	if (t->content.data)
		return from_content(ret, t, size);
	r = tensor_new(&made, t->dtype, t->dims, t->rank, true, &allocator_libc);
	if (r < 0)
		return r;
	r = fill(made, t->values, number, !loosely, &n);
	if (r == 0 && !loosely && n != count)
		r = ERR_INVALID;
	if (r < 0) {
		tensor_unref(made);
		return r;
	}
	if (loosely)
		fill_up(made, n);
	*ret = made;
	return 0;
}

int wire_tensor_make_tensorflow(struct tensor **ret, const struct wire_tensor *t, size_t max)
{
	return make(ret, t, max, tensorflow_field(t->dtype), true);
}

int wire_tensor_make_triton(struct tensor **ret, const struct wire_tensor *t, size_t max)
{
	return make(ret, t, max, triton_field(t->dtype), false);
}

/* --- what is written --- */

static uint64_t load_integer(const struct tensor *t, size_t i)
{
	switch (t->dtype) {
	case DTYPE_INT8:
		return (uint64_t)(int64_t)((const int8_t *)t->data)[i];
	case DTYPE_INT16:
		return (uint64_t)(int64_t)((const int16_t *)t->data)[i];
	case DTYPE_INT32:
		return (uint64_t)(int64_t)((const int32_t *)t->data)[i];
	case DTYPE_INT64:
		return (uint64_t)((const int64_t *)t->data)[i];
	case DTYPE_UINT16:
		return ((const uint16_t *)t->data)[i];
	default:
		return ((const uint8_t *)t->data)[i];
	}
}

void wire_tensor_write_tensorflow(struct buf *b, uint32_t number, const struct tensor *t)
{
	size_t tensor = wire_begin(b, number), shape, dim, values;

	wire_put_varint(b, 1, (uint64_t)dtype_to_tensorflow(t->dtype));
	shape = wire_begin(b, 2);
	for (unsigned i = 0; i < t->rank; i++) {
		dim = wire_begin(b, 2);
		wire_put_varint(b, 1, (uint64_t)t->dims[i]);
		wire_end(b, dim);
	}
	wire_end(b, shape);
	if (t->dtype == DTYPE_FLOAT || t->dtype == DTYPE_DOUBLE) {
		wire_put_bytes(b, tensorflow_field(t->dtype), t->data, t->size);
	} else if (t->dtype != DTYPE_STRING) {
		values = wire_begin(b, tensorflow_field(t->dtype));
		for (size_t i = 0; i < t->count; i++)
			wire_put_packed(b, load_integer(t, i));
		wire_end(b, values);
	}
	wire_end(b, tensor);
}
