/*
 * protobuf_writer.c - protocol buffers written field by field; see the header.
 */
#include "common/protobuf_writer.h"

#include <string.h>

enum wire_type { VARINT = 0, LENGTH_DELIMITED = 2 };

static void varint(struct buf *b, uint64_t v)
{
	unsigned char bytes[10];
	size_t n = 0;

	do {
		bytes[n++] = (unsigned char)((v & 127) | (v > 127 ? 128 : 0));
		v >>= 7;
	} while (v > 0);
	buf_append(b, bytes, n);
}

static void tag(struct buf *b, unsigned field, enum wire_type type)
{
	varint(b, (uint64_t)field << 3 | type);
}

void pbw_int(struct buf *b, unsigned field, int64_t v)
{
	tag(b, field, VARINT);
	varint(b, (uint64_t)v);
}

void pbw_begin_bytes(struct buf *b, unsigned field, size_t len)
{
	tag(b, field, LENGTH_DELIMITED);
	varint(b, len);
}

void pbw_bytes(struct buf *b, unsigned field, const void *data, size_t len)
{
	pbw_begin_bytes(b, field, len);
	if (len > 0)
		buf_append(b, data, len);
}

void pbw_text(struct buf *b, unsigned field, const char *s)
{
	pbw_bytes(b, field, s, strlen(s));
}

void pbw_message(struct buf *b, unsigned field, struct buf *message)
{
	pbw_bytes(b, field, message->data, message->len);
	b->failed |= message->failed;
	buf_release(message);
}
