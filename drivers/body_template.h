/*
 * body_template.h - a request's body that is the same every time but for its tensors: formatted once, then tensors go
 * in as views of the dataset or, where the protocol is JSON, as decimal text.
 *
 * A template is built off the measuring path and is not changed after; requests point into its text. An encode of raw
 * tensors fills iovecs and copies nothing; one of JSON writes its numbers into the slot's scratch.
 */
#ifndef DRIVERS_BODY_TEMPLATE_H
#define DRIVERS_BODY_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "common/buf.h"
#include "common/error.h"
#include "workloads/workload.h"

#define BODY_PIECES_MAX (2 * WORKLOAD_INPUTS_MAX + 1)

enum body_piece_type { BODY_TEXT, BODY_RAW, BODY_JSON };

struct body_piece {
	enum body_piece_type type;
	size_t start, len;                  /* TEXT: within `text` */
	unsigned input;                     /* RAW, JSON: the number of the workload's input */
	bool batched;                       /* JSON: an array around the batch's rows */
	unsigned ndims;                     /* JSON: of a row */
	size_t dims[WORKLOAD_DIMS_MAX];     /* JSON */
	size_t scratch_start, scratch_size; /* JSON: its part of a slot's scratch */
};

struct body_template {
	struct buf text;
	struct body_piece pieces[BODY_PIECES_MAX];
	unsigned npieces;
	unsigned batch;
	size_t scratch_size; /* bytes that a slot needs; 0: none */
	bool overflow;       /* a size does not fit */
};

/* Zero-initialise and set batch. Builders leave failures in the struct: body_template_finish judges once. */
void body_template_text(struct body_template *t, const void *bytes, size_t len);
void body_template_printf(struct body_template *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What a model calls input number i: images by a name of its own, all else as the workload does. */
const char *body_input_name(const struct workload_spec *spec, unsigned i, const char *images);
/* The bytes of input number i of all rows. */
void body_template_raw(struct body_template *t, unsigned i);
/* Input number i as nested arrays: batched as its shape is, with the rows in the first dimension; otherwise only what is
 * within a row. */
void body_template_json(struct body_template *t, const struct workload_spec *spec, unsigned i, bool batched);
int body_template_finish(struct body_template *t) MUST_CHECK;
void body_template_release(struct body_template *t);

size_t body_template_iovecs(const struct body_template *t);
/*
 * Fills iov for one request and returns how many were used, *ret_size: their bytes. scratch: scratch_size bytes of the
 * slot. ERR_INVALID: a value of the row is not finite, which JSON has no word for.
 */
int body_template_encode(const struct body_template *t, char *scratch, const struct view *inputs, struct iovec *iov,
			 size_t *ret_size) MUST_CHECK;

#endif
