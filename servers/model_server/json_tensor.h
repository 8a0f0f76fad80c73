/*
 * json_tensor.h - nested lists of numbers in a JSON text, and tensors: read straight into elements, written straight
 * from them.
 *
 * The shape is found while reading: lists at the same depth must be equally long and all numbers equally deep. What
 * the numbers must be is the element type's: integers within its range, true and false (or 1 and 0) for BOOL, float32
 * rounded once from the decimal text. STRING is no type here, as no operator of the engine takes strings.
 */
#ifndef SERVERS_MODEL_SERVER_JSON_TENSOR_H
#define SERVERS_MODEL_SERVER_JSON_TENSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/json_reader.h"
#include "engine/tensor.h"

/* A tensor while it is read. Zero-initialise, then json_tensor_start. */
struct json_tensor {
	enum dtype dtype;
	struct buf elements;
	int64_t dims[TENSOR_MAX_RANK]; /* -1: no list of this depth has ended yet */
	unsigned lists;                /* the deepest list so far */
	bool has_rank;                 /* a number was seen: `lists` is the rank */
	int64_t row;                   /* along axis 0, that is being read, from 0 on */
	size_t rows;                   /* read with json_tensor_read_row; they are axis 0 */
};

/* Forgets what was read, keeps the memory. ERR_UNSUPPORTED for STRING. */
int json_tensor_start(struct json_tensor *t, enum dtype dtype) MUST_CHECK;
void json_tensor_release(struct json_tensor *t);
/* One value: a number or nested lists. Once, or any number of rows; errors are the reader's. */
int json_tensor_read(struct json_tensor *t, struct json_reader *r);
int json_tensor_read_row(struct json_tensor *t, struct json_reader *r);
/* A new tensor of what was read. With dims (not NULL) it has that shape, whatever the nesting was, if the number of
 * elements is right; else ERR_FORMAT. */
int json_tensor_finish(const struct json_tensor *t, struct tensor **ret, const int64_t *dims, unsigned rank,
		       struct error *err) MUST_CHECK;

/* Appends the tensor as nested lists; of a flat one all elements as one list; of one row what is at that index of
 * axis 0. Not a finite number: NaN, Infinity, -Infinity. What fails leaves b->failed set. */
void json_write_tensor(struct buf *b, const struct tensor *t);
void json_write_flat(struct buf *b, const struct tensor *t);
void json_write_row(struct buf *b, const struct tensor *t, size_t row);
/* Appends len bytes as a JSON string, with its quotes. */
void json_write_string(struct buf *b, const char *text, size_t len);

#endif
