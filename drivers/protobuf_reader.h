/*
 * protobuf_reader.h - the protocol buffers' wire format, field by field, from bytes that nobody has checked.
 *
 * Nothing is allocated or copied: lengths are held to the message that they are in, and what a field holds is a view. A
 * message within a message is read with a reader of its own over that view, so nothing here is recursive.
 * Format: https://protobuf.dev/programming-guides/encoding/
 */
#ifndef DRIVERS_PROTOBUF_READER_H
#define DRIVERS_PROTOBUF_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/error.h"
#include "common/text.h"

enum protobuf_wire { PROTOBUF_VARINT = 0, PROTOBUF_FIXED64 = 1, PROTOBUF_BYTES = 2, PROTOBUF_FIXED32 = 5 };

struct protobuf_reader {
	const unsigned char *at, *end;
};

struct protobuf_field {
	uint32_t number;
	enum protobuf_wire wire;
	uint64_t value;   /* of a varint */
	const void *data; /* of the others: strings, messages, packed values; the 8 or 4 bytes of a fixed one */
	size_t size;
};

static inline struct protobuf_reader protobuf_begin(const void *data, size_t size)
{
	const unsigned char *at = data;

	return (struct protobuf_reader){at, size > 0 ? at + size : at};
}

/* 1: *ret is the next field; 0: the message ended; ERR_FORMAT: it is cut short or no message. Groups are refused. */
int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret) MUST_CHECK;
/* The next number of a packed field of varints; as protobuf_next. */
int protobuf_packed_varint(struct protobuf_reader *r, uint64_t *ret) MUST_CHECK;

static inline bool protobuf_is(const struct protobuf_field *f, uint32_t number, enum protobuf_wire wire)
{
	return f->number == number && f->wire == wire;
}

/* True where a string field holds just this text. */
static inline bool protobuf_equals(const struct protobuf_field *f, const char *text)
{
	return bytes_equal(f->data, f->size, text);
}

#endif
