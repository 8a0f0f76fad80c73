/*
 * tensor.h - a dense array of one element type, row-major, reference-counted.
 *
 * A tensor is immutable once it is shared: whoever creates it fills it before handing it on. Its memory comes from
 * the allocator given at creation, so that a host (Redis) accounts for it, or is borrowed with a release function.
 */
#ifndef ENGINE_TENSOR_H
#define ENGINE_TENSOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

#define TENSOR_MAX_RANK 16

/* X(enum, name as RedisAI spells it, bytes an element; 0: variable) */
#define DTYPE_LIST(X) \
	X(DTYPE_FLOAT, "FLOAT", 4) \
	X(DTYPE_DOUBLE, "DOUBLE", 8) \
	X(DTYPE_INT8, "INT8", 1) \
	X(DTYPE_INT16, "INT16", 2) \
	X(DTYPE_INT32, "INT32", 4) \
	X(DTYPE_INT64, "INT64", 8) \
	X(DTYPE_UINT8, "UINT8", 1) \
	X(DTYPE_UINT16, "UINT16", 2) \
	X(DTYPE_BOOL, "BOOL", 1) \
	X(DTYPE_STRING, "STRING", 0)

enum dtype {
#define DTYPE_ENUM(id, name, size) id,
	DTYPE_LIST(DTYPE_ENUM)
#undef DTYPE_ENUM
		DTYPE_COUNT
};

const char *dtype_name(enum dtype t);
size_t dtype_size(enum dtype t);
/* Case-insensitive; false for an unknown name. */
bool dtype_parse(enum dtype *ret, const char *name, size_t len);
/* IEEE 754's 16 bits, in which some models keep their constants. */
float float_from_half(uint16_t half);

/* Where memory comes from. All may be called from any thread. */
struct allocator {
	void *(*alloc)(size_t size);
	void *(*calloc)(size_t n, size_t size);
	void (*free)(void *p);
	size_t (*size)(void *p); /* what an allocation takes, as the host counts it; NULL: as much as was asked for */
};
extern const struct allocator allocator_libc;

static inline size_t allocator_size(const struct allocator *a, void *p, size_t asked)
{
	return p && a->size ? a->size(p) : asked;
}

struct tensor {
	enum dtype dtype;
	unsigned rank; /* 0: a scalar */
	int64_t dims[TENSOR_MAX_RANK];
	size_t count, size; /* elements; bytes of data */
	void *data;
	uint64_t *offsets; /* STRING only: where each element's NUL-terminated bytes start */
	/* private: */
	atomic_uint references;
	const struct allocator *allocator; /* NULL: a view in the caller's struct */
	void (*release)(void *arg);        /* borrowed data: called in place of freeing it */
	void *release_arg;
};

/* Elements of a shape: false on overflow, a negative dimension or a rank over the maximum. */
bool shape_count(size_t *ret, const int64_t *dims, unsigned rank);

/*
 * With data uninitialised (zero: all bytes 0; a STRING tensor can only be made so: empty strings), aligned to 64
 * bytes. One allocation. Errors: ERR_RANGE, ERR_NOMEM, ERR_INVALID.
 */
int tensor_new(struct tensor **ret, enum dtype t, const int64_t *dims, unsigned rank, bool zero,
	       const struct allocator *a) MUST_CHECK;
/*
 * Fills the caller's own struct with a view of data that outlives it (data of exactly the shape's size; no STRING).
 * Its references are counted, but the last one frees nothing.
 */
int tensor_view(struct tensor *t, enum dtype type, const int64_t *dims, unsigned rank, void *data,
		size_t size) MUST_CHECK;
/* Borrows data of exactly the shape's size; release(arg) is called with the last reference. */
int tensor_new_borrowed(struct tensor **ret, enum dtype t, const int64_t *dims, unsigned rank, void *data, size_t size,
			void (*release)(void *arg), void *arg, const struct allocator *a) MUST_CHECK;
/* STRING tensor from `count` NUL-terminated strings laid end to end (ERR_FORMAT if they are more or fewer); copies. */
int tensor_new_strings(struct tensor **ret, const int64_t *dims, unsigned rank, const char *blob, size_t len,
		       const struct allocator *a) MUST_CHECK;
struct tensor *tensor_ref(struct tensor *t);
void tensor_unref(struct tensor *t); /* NULL is a no-op */
/* Bytes that the tensor holds, itself included (MEMORY USAGE). */
size_t tensor_memory(const struct tensor *t);

#endif
