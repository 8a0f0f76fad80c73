/*
 * json_tensor.c - nested lists to elements: the shape is settled by the first list of each depth.
 */
#include "servers/model_server/json_tensor.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

#define ELEMENT_MAX 8 /* bytes */
#define PIECE 64      /* elements */

int json_tensor_start(struct json_tensor *t, enum dtype dtype)
{
	if (dtype == DTYPE_STRING || dtype_size(dtype) == 0)
		return ERR_UNSUPPORTED;
	buf_clear(&t->elements);
	t->dtype = dtype;
	t->lists = 0;
	t->has_rank = false;
	t->rows = 0;
	return 0;
}

void json_tensor_release(struct json_tensor *t)
{
	buf_release(&t->elements);
}

static int read_bool(struct json_reader *r, char *to)
{
	uint64_t number;
	bool value;

	if (json_kind(r) == JSON_KIND_NUMBER) {
		if (json_read_uint(r, &number) < 0)
			return r->result;
		if (number > 1)
			return json_fail(r, ERR_RANGE, "neither true nor false");
		value = number;
	} else if (json_read_bool(r, &value) < 0) {
		return r->result;
	}
	*to = value;
	return 0;
}

/* An integer of the type's size: the low bytes of the 64 that were read, as the machine is little-endian. */
static int read_int(struct json_reader *r, enum dtype dtype, char *to)
{
	size_t size = dtype_size(dtype);
	int64_t max = size == 8 ? INT64_MAX : (INT64_C(1) << (8 * size - 1)) - 1, value;

	if (json_read_int(r, &value) < 0)
		return r->result;
	if (value > max || value < -max - 1)
		return json_fail(r, ERR_RANGE, "%" PRId64 " is beyond the range of %s", value, dtype_name(dtype));
	memcpy(to, &value, size);
	return 0;
}

static int read_uint(struct json_reader *r, enum dtype dtype, char *to)
{
	size_t size = dtype_size(dtype);
	uint64_t value;

	if (json_read_uint(r, &value) < 0)
		return r->result;
	if (value >> (8 * size))
		return json_fail(r, ERR_RANGE, "%" PRIu64 " is beyond the range of %s", value, dtype_name(dtype));
	memcpy(to, &value, size);
	return 0;
}

/* One element of at most ELEMENT_MAX bytes. */
static int read_element(struct json_reader *r, enum dtype dtype, char *to)
{
	float single;
	double wide;

	switch (dtype) {
	case DTYPE_FLOAT:
		if (json_read_float(r, &single) < 0)
			return r->result;
		memcpy(to, &single, sizeof(single));
		return 0;
	case DTYPE_DOUBLE:
		if (json_read_double(r, &wide) < 0)
			return r->result;
		memcpy(to, &wide, sizeof(wide));
		return 0;
	case DTYPE_BOOL:
		return read_bool(r, to);
	case DTYPE_UINT8:
	case DTYPE_UINT16:
		return read_uint(r, dtype, to);
	default:
		return read_int(r, dtype, to);
	}
}

/* An element is next: none may have been deeper or less deep. */
static int settle_rank(struct json_tensor *t, struct json_reader *r, unsigned depth)
{
	if (t->has_rank ? t->lists != depth : t->lists > depth)
		return json_fail(r, ERR_FORMAT, "lists nested unevenly: this value is at depth %u, another at %u",
				 depth, t->lists);
	t->lists = depth;
	t->has_rank = true;
	return 0;
}

static int add_element(struct json_tensor *t, struct json_reader *r)
{
	if (buf_reserve(&t->elements, ELEMENT_MAX) < 0)
		return json_fail(r, ERR_NOMEM, "out of memory");
	if (read_element(r, t->dtype, t->elements.data + t->elements.len) < 0)
		return r->result;
	t->elements.len += dtype_size(t->dtype);
	return 0;
}

/* The usual case, a piece at a time. */
static int64_t add_floats(struct json_tensor *t, struct json_reader *r)
{
	int64_t n = 0;
	bool more = true;

	while (more) {
		size_t got;

		if (buf_reserve(&t->elements, PIECE * sizeof(float)) < 0) {
			json_fail(r, ERR_NOMEM, "out of memory");
			break;
		}
		got = json_read_floats(r, (float *)(t->elements.data + t->elements.len), PIECE, &more);
		t->elements.len += got * sizeof(float);
		n += (int64_t)got;
	}
	return n;
}

/* All elements of a list whose first is no list. */
static int read_elements(struct json_tensor *t, struct json_reader *r, unsigned depth, int64_t *ret_count)
{
	int64_t n = 0;

	if (settle_rank(t, r, depth) < 0)
		return r->result;
	if (t->dtype == DTYPE_FLOAT) {
		*ret_count = add_floats(t, r);
		return r->result;
	}
	do {
		if (add_element(t, r) < 0)
			return r->result;
		n++;
	} while (json_next_element(r));
	*ret_count = n;
	return r->result;
}

static int read_value(struct json_tensor *t, struct json_reader *r, unsigned depth);

/* Lists within a list; the first element has been announced by json_next_element. */
static int read_lists(struct json_tensor *t, struct json_reader *r, unsigned depth, int64_t *ret_count)
{
	int64_t n = 0;

	do {
		if (depth == 1)
			t->row = n;
		if (read_value(t, r, depth) < 0)
			return r->result;
		n++;
	} while (json_next_element(r));
	*ret_count = n;
	return r->result;
}

/* `depth` lists are around this one. */
static int read_list(struct json_tensor *t, struct json_reader *r, unsigned depth)
{
	int64_t n = 0;

	if (depth == TENSOR_MAX_RANK)
		return json_fail(r, ERR_RANGE, "lists nested more than %d deep", TENSOR_MAX_RANK);
	if (t->has_rank && depth >= t->lists)
		return json_fail(r, ERR_FORMAT, "lists nested unevenly: a list at depth %u, a value at %u", depth + 1,
				 t->lists);
	if (depth == t->lists) {
		t->dims[depth] = -1;
		t->lists++;
	}
	if (json_enter(r, JSON_KIND_ARRAY) < 0)
		return r->result;
	if (json_next_element(r)) {
		if (json_kind(r) == JSON_KIND_ARRAY)
			read_lists(t, r, depth + 1, &n);
		else
			read_elements(t, r, depth + 1, &n);
	}
	if (r->result < 0)
		return r->result;
	if (t->dims[depth] >= 0 && t->dims[depth] != n)
		return json_fail(r, ERR_FORMAT, "a list of %" PRId64 " where others have %" PRId64 ", in row %" PRId64,
				 n, t->dims[depth], t->row);
	t->dims[depth] = n;
	return 0;
}

/* Nesting is limited, so the recursion is. */
static int read_value(struct json_tensor *t, struct json_reader *r, unsigned depth)
{
	if (json_kind(r) == JSON_KIND_ARRAY)
		return read_list(t, r, depth);
	return settle_rank(t, r, depth) < 0 ? r->result : add_element(t, r);
}

int json_tensor_read(struct json_tensor *t, struct json_reader *r)
{
	return read_value(t, r, 0);
}

int json_tensor_read_row(struct json_tensor *t, struct json_reader *r)
{
	if (t->lists == 0)
		t->lists = 1;
	t->row = (int64_t)t->rows;
	t->dims[0] = (int64_t)++t->rows;
	return read_value(t, r, 1);
}

int json_tensor_finish(const struct json_tensor *t, struct tensor **ret, const int64_t *dims, unsigned rank,
		       struct error *err)
{
	size_t count = t->elements.len / dtype_size(t->dtype), wanted;
	struct tensor *made;
	int r;

	if (!dims) {
		dims = t->dims;
		rank = t->lists;
	}
	if (!shape_count(&wanted, dims, rank))
		return error_set(err, ERR_RANGE, "a shape that no tensor has");
	if (wanted != count)
		return error_set(err, ERR_FORMAT, "%zu elements where the shape has %zu", count, wanted);
	r = tensor_new(&made, t->dtype, dims, rank, false, NULL);
	if (r < 0)
		return error_set(err, r, "%s", error_message(r));
	if (count)
		memcpy(made->data, t->elements.data, made->size);
	*ret = made;
	return 0;
}
