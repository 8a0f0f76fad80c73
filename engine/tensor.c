/*
 * tensor.c - tensors as one block each: struct, data aligned to 64 bytes, offsets of strings.
 */
#include "engine/tensor.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/arith.h"

/* malloc aligns to 16, the data is wanted at 64. */
#define DATA_ALIGN 64u
#define DATA_SLACK (DATA_ALIGN - 16u)
#define HEADER_SIZE ((sizeof(struct tensor) + 15u) & ~(size_t)15u)

const struct allocator allocator_libc = {malloc, calloc, free, NULL};

static const struct {
	const char *name;
	size_t size;
} dtypes[DTYPE_COUNT] = {
#define DTYPE_ROW(id, text, bytes) [id] = {text, bytes},
	DTYPE_LIST(DTYPE_ROW)
#undef DTYPE_ROW
};

const char *dtype_name(enum dtype t)
{
	return dtypes[t].name;
}

size_t dtype_size(enum dtype t)
{
	return dtypes[t].size;
}

bool dtype_parse(enum dtype *ret, const char *name, size_t len)
{
	for (unsigned i = 0; i < DTYPE_COUNT; i++) {
		if (strlen(dtypes[i].name) == len && strncasecmp(dtypes[i].name, name, len) == 0) {
			*ret = (enum dtype)i;
			return true;
		}
	}
	return false;
}

float float_from_half(uint16_t half)
{
	const uint32_t sign = (uint32_t)(half >> 15) << 31;
	const uint32_t exponent = half >> 10 & 31, fraction = half & 1023;
	float value;

	if (exponent == 0) {
		value = (float)fraction * 0x1p-24f;
		return sign != 0 ? -value : value;
	}
	const uint32_t bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
	memcpy(&value, &bits, sizeof(value));
	return value;
}

bool shape_count(size_t *ret, const int64_t *dims, unsigned rank)
{
	size_t n = 1;

	if (rank > TENSOR_MAX_RANK)
		return false;
	for (unsigned i = 0; i < rank; i++) {
		if (dims[i] < 0 || !size_mul(&n, n, (size_t)dims[i]))
			return false;
	}
	*ret = n;
	return true;
}

static void describe(struct tensor *t, enum dtype type, const int64_t *dims, unsigned rank, size_t count, size_t size,
		     const struct allocator *a)
{
	t->dtype = type;
	t->rank = rank;
	if (rank)
		memcpy(t->dims, dims, rank * sizeof(*dims));
	t->count = count;
	t->size = size;
	t->offsets = NULL;
	atomic_init(&t->references, 1);
	t->allocator = a;
	t->release = NULL;
	t->release_arg = NULL;
}

static int block_new(struct tensor **ret, enum dtype type, const int64_t *dims, unsigned rank, size_t count,
		     size_t size, size_t noffsets, bool zero, const struct allocator *a)
{
	struct tensor *t;
	size_t total, offsets_size;
	uintptr_t data;

	if (!a)
		a = &allocator_libc;
	if (!size_mul(&offsets_size, noffsets, sizeof(uint64_t)) || !size_add(&total, size, offsets_size) ||
	    !size_add(&total, total, HEADER_SIZE + DATA_SLACK + sizeof(uint64_t)) || total > PTRDIFF_MAX)
		return ERR_RANGE;
	t = zero ? a->calloc(1, total) : a->alloc(total);
	if (!t)
		return ERR_NOMEM;
	describe(t, type, dims, rank, count, size, a);
	data = (uintptr_t)t + HEADER_SIZE;
	/* An allocator that aligns to less than malloc does gets no aligned data, as the slack would not do. */
	if (((uintptr_t)t & 15) == 0)
		data = (data + DATA_ALIGN - 1) & ~(uintptr_t)(DATA_ALIGN - 1);
	t->data = (void *)data;
	if (noffsets)
		t->offsets = (uint64_t *)((data + size + 7) & ~(uintptr_t)7);
	*ret = t;
	return 0;
}

int tensor_new(struct tensor **ret, enum dtype type, const int64_t *dims, unsigned rank, bool zero,
	       const struct allocator *a)
{
	size_t count, size;
	int r;

	if (!shape_count(&count, dims, rank))
		return ERR_RANGE;
	if (type == DTYPE_STRING) {
		if (!zero)
			return ERR_INVALID;
		r = block_new(ret, type, dims, rank, count, count, count, true, a);
		for (size_t i = 0; r == 0 && i < count; i++)
			(*ret)->offsets[i] = i;
		return r;
	}
	if (!size_mul(&size, count, dtype_size(type)))
		return ERR_RANGE;
	return block_new(ret, type, dims, rank, count, size, 0, zero, a);
}

int tensor_new_borrowed(struct tensor **ret, enum dtype type, const int64_t *dims, unsigned rank, void *data,
			size_t size, void (*release)(void *arg), void *arg, const struct allocator *a)
{
	struct tensor *t;
	int r;

	if (!a)
		a = &allocator_libc;
	t = a->alloc(sizeof(*t));
	if (!t)
		return ERR_NOMEM;
	r = tensor_view(t, type, dims, rank, data, size);
	if (r < 0) {
		a->free(t);
		return r;
	}
	t->allocator = a;
	t->release = release;
	t->release_arg = arg;
	*ret = t;
	return 0;
}

int tensor_view(struct tensor *t, enum dtype type, const int64_t *dims, unsigned rank, void *data, size_t size)
{
	size_t count, want;

	if (type == DTYPE_STRING)
		return ERR_INVALID;
	if (!shape_count(&count, dims, rank) || !size_mul(&want, count, dtype_size(type)))
		return ERR_RANGE;
	if (want != size)
		return ERR_INVALID;
	describe(t, type, dims, rank, count, size, NULL);
	t->data = data;
	return 0;
}

int tensor_new_strings(struct tensor **ret, const int64_t *dims, unsigned rank, const char *blob, size_t len,
		       const struct allocator *a)
{
	struct tensor *t;
	size_t count, strings = 0;
	int r;

	if (!shape_count(&count, dims, rank))
		return ERR_RANGE;
	if (len && blob[len - 1] != '\0')
		return ERR_FORMAT;
	for (const char *p = blob, *end = blob + len; p < end; p = (const char *)memchr(p, 0, (size_t)(end - p)) + 1)
		strings++;
	if (strings != count)
		return ERR_FORMAT;
	r = block_new(&t, DTYPE_STRING, dims, rank, count, len, count, false, a);
	if (r < 0)
		return r;
	if (len)
		memcpy(t->data, blob, len);
	for (size_t i = 0, at = 0; i < count; i++) {
		t->offsets[i] = at;
		at += strlen((const char *)t->data + at) + 1;
	}
	*ret = t;
	return 0;
}

struct tensor *tensor_ref(struct tensor *t)
{
	atomic_fetch_add_explicit(&t->references, 1, memory_order_relaxed);
	return t;
}

void tensor_unref(struct tensor *t)
{
	if (!t || atomic_fetch_sub_explicit(&t->references, 1, memory_order_acq_rel) != 1)
		return;
	if (t->release)
		t->release(t->release_arg);
	if (t->allocator)
		t->allocator->free(t);
}

size_t tensor_memory(const struct tensor *t)
{
	size_t n = sizeof(*t) + t->size + (t->offsets ? t->count * sizeof(*t->offsets) : 0);

	if (!t->allocator || t->release)
		return n;
	return allocator_size(t->allocator, (void *)(uintptr_t)t, n + DATA_SLACK + sizeof(uint64_t));
}
