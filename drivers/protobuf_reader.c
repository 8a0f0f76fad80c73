/*
 * protobuf_reader.c - the protocol buffers' wire format; see the header.
 */
#include "drivers/protobuf_reader.h"

#define VARINT_MAX_BYTES 10
#define FIELD_NUMBER_MAX 0x1fffffff

static int read_varint(struct protobuf_reader *r, uint64_t *ret)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_MAX_BYTES && r->at < r->end; i++) {
		uint64_t byte = *r->at++;

		if (i == VARINT_MAX_BYTES - 1 && byte > 1)
			return ERR_FORMAT;
		value |= (byte & 127) << (7 * i);
		if (byte < 128) {
			*ret = value;
			return 0;
		}
	}
	return ERR_FORMAT;
}

static int take(struct protobuf_reader *r, struct protobuf_field *f, uint64_t size)
{
	if (size > (uint64_t)(r->end - r->at))
		return ERR_FORMAT;
	f->data = r->at;
	f->size = (size_t)size;
	r->at += size;
	return 1;
}

int protobuf_next(struct protobuf_reader *r, struct protobuf_field *ret)
{
	struct protobuf_field f = {0};
	uint64_t tag, size;

	if (r->at == r->end)
		return 0;
	if (read_varint(r, &tag) < 0 || tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
		return ERR_FORMAT;
	f.number = (uint32_t)(tag >> 3);
	switch (tag & 7) {
	case PROTOBUF_VARINT:
		f.wire = PROTOBUF_VARINT;
		if (read_varint(r, &f.value) < 0)
			return ERR_FORMAT;
		break;
	case PROTOBUF_FIXED64:
		f.wire = PROTOBUF_FIXED64;
		if (take(r, &f, 8) < 0)
			return ERR_FORMAT;
		break;
	case PROTOBUF_BYTES:
		f.wire = PROTOBUF_BYTES;
		if (read_varint(r, &size) < 0 || take(r, &f, size) < 0)
			return ERR_FORMAT;
		break;
	case PROTOBUF_FIXED32:
		f.wire = PROTOBUF_FIXED32;
		if (take(r, &f, 4) < 0)
			return ERR_FORMAT;
		break;
	default:
		return ERR_FORMAT;
	}
	*ret = f;
	return 1;
}

int protobuf_packed_varint(struct protobuf_reader *r, uint64_t *ret)
{
	if (r->at == r->end)
		return 0;
	return read_varint(r, ret) < 0 ? ERR_FORMAT : 1;
}
