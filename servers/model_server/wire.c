/*
 * wire.c - tags, varints, lengths.
 */
#include "servers/model_server/wire.h"

#include <string.h>

#define VARINT_MAX 10

int wire_next_varint(struct wire *rest, uint64_t *ret)
{
	uint64_t value = 0;

	if (rest->len == 0)
		return 0;
	for (size_t i = 0; i < rest->len && i < VARINT_MAX; i++) {
		value |= (uint64_t)(rest->data[i] & 0x7f) << (7 * i);
		if (rest->data[i] & 0x80)
			continue;
		rest->data += i + 1;
		rest->len -= i + 1;
		*ret = value;
		return 1;
	}
	return ERR_FORMAT;
}

/* Little-endian, as this code's machines are and the format is. */
static int next_fixed(struct wire *rest, uint64_t *ret, size_t size)
{
	uint64_t value = 0;

	if (rest->len < size)
		return ERR_FORMAT;
	memcpy(&value, rest->data, size);
	rest->data += size;
	rest->len -= size;
	*ret = value;
	return 1;
}

static int next_bytes(struct wire *rest, struct wire *ret)
{
	uint64_t len;

	if (wire_next_varint(rest, &len) != 1 || len > rest->len)
		return ERR_FORMAT;
	*ret = (struct wire){rest->data, (size_t)len};
	rest->data += len;
	rest->len -= (size_t)len;
	return 1;
}

int wire_next(struct wire *rest, struct wire_field *ret)
{
	uint64_t tag;
	int r = wire_next_varint(rest, &tag);

	if (r != 1)
		return r;
	if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		return ERR_FORMAT;
	ret->number = (uint32_t)(tag >> 3);
	ret->type = (enum wire_type)(tag & 7);
	ret->value = 0;
	ret->bytes = (struct wire){NULL, 0};
	switch (tag & 7) {
	case WIRE_VARINT:
		return wire_next_varint(rest, &ret->value) == 1 ? 1 : ERR_FORMAT;
	case WIRE_FIXED64:
		return next_fixed(rest, &ret->value, 8);
	case WIRE_FIXED32:
		return next_fixed(rest, &ret->value, 4);
	case WIRE_BYTES:
		return next_bytes(rest, &ret->bytes);
	default:
		return ERR_FORMAT;
	}
}

static size_t encode(unsigned char *to, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (unsigned char)(value | 0x80);
	to[n++] = (unsigned char)value;
	return n;
}

void wire_put_packed(struct buf *b, uint64_t value)
{
	unsigned char bytes[VARINT_MAX];

	(void)buf_append(b, bytes, encode(bytes, value));
}

void wire_put_varint(struct buf *b, uint32_t number, uint64_t value)
{
	wire_put_packed(b, (uint64_t)number << 3 | WIRE_VARINT);
	wire_put_packed(b, value);
}

void wire_put_bytes(struct buf *b, uint32_t number, const void *data, size_t len)
{
	wire_put_packed(b, (uint64_t)number << 3 | WIRE_BYTES);
	wire_put_packed(b, len);
	(void)buf_append(b, data, len);
}

void wire_put_string(struct buf *b, uint32_t number, const char *text)
{
	wire_put_bytes(b, number, text, strlen(text));
}

/* One byte is kept for the length: what is longer is moved at the end. */
size_t wire_begin(struct buf *b, uint32_t number)
{
	wire_put_packed(b, (uint64_t)number << 3 | WIRE_BYTES);
	(void)buf_append(b, "", 1);
	return b->len;
}

void wire_end(struct buf *b, size_t begun)
{
	unsigned char bytes[VARINT_MAX];
	size_t len, n;

	if (b->failed)
		return;
	len = b->len - begun;
	n = encode(bytes, len);
	if (n > 1) {
		if (buf_append(b, bytes, n - 1) < 0)
			return;
		memmove(b->data + begun + n - 1, b->data + begun, len);
	}
	memcpy(b->data + begun - 1, bytes, n);
}
