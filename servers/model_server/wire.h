/*
 * wire.h - protobuf's wire format, read in place and written to a buffer.
 *
 * Messages of tensors are read by hand: protobuf-c would allocate and copy every map entry and every tensor. Nothing
 * here recurses. Source: https://protobuf.dev/programming-guides/encoding/
 */
#ifndef SERVERS_MODEL_SERVER_WIRE_H
#define SERVERS_MODEL_SERVER_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"

enum wire_type { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

/* A part of a message that the caller holds. Also the rest of a message that is being read. */
struct wire {
	const unsigned char *data;
	size_t len;
};

struct wire_field {
	uint32_t number;
	enum wire_type type;
	uint64_t value;    /* of the numeric types, as bits */
	struct wire bytes; /* WIRE_BYTES */
};

/* The next field: 1, 0 at the end, ERR_FORMAT for what is no message (groups, too). */
int wire_next(struct wire *rest, struct wire_field *ret) MUST_CHECK;
/* A varint from the front of a packed field: 1, 0 at the end, ERR_FORMAT. */
int wire_next_varint(struct wire *rest, uint64_t *ret) MUST_CHECK;
/* Whether it is bytes under this number. */
static inline bool wire_is(const struct wire_field *f, uint32_t number, enum wire_type type)
{
	return f->number == number && f->type == type;
}

/* Each appends one field; what is default is the caller's to leave out. A buffer that failed stays failed. */
void wire_put_varint(struct buf *b, uint32_t number, uint64_t value);
void wire_put_bytes(struct buf *b, uint32_t number, const void *data, size_t len);
void wire_put_string(struct buf *b, uint32_t number, const char *text);
/* A message inside: its fields are appended between the two. */
size_t wire_begin(struct buf *b, uint32_t number);
void wire_end(struct buf *b, size_t begun);
/* Without a tag: for packed fields, between wire_begin and wire_end. */
void wire_put_packed(struct buf *b, uint64_t value);

#endif
