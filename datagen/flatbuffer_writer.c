#include "datagen/flatbuffer_writer.h"

#include <endian.h>
#include <string.h>

static void put16(struct buf *b, size_t v)
{
	const uint16_t bits = htole16((uint16_t)v);

	buf_append(b, &bits, sizeof(bits));
}

static void put32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	buf_append(b, &v, sizeof(v));
}

static void patch32(struct buf *b, size_t at, size_t v)
{
	const uint32_t bits = htole32((uint32_t)v);

	if (!b->failed)
		memcpy(b->data + at, &bits, sizeof(bits));
}

static size_t padding(size_t len, size_t n)
{
	return (n - len % n) % n;
}

/* Zeros until `ahead` bytes further on is a multiple of n. */
static void align(struct buf *b, size_t n, size_t ahead)
{
	static const char zeros[16];

	buf_append(b, zeros, padding(b->len + ahead, n));
}

/* The offset at this place points at what is written next. */
static void point(struct buf *b, size_t at)
{
	patch32(b, at, b->len - at);
}

size_t fbw_begin(struct buf *b, const char identifier[4])
{
	put32(b, 0);
	buf_append(b, identifier, 4);
	return 0;
}

static size_t size_of(const struct fbw_field *f)
{
	return f->type == FBW_INT8 ? 1 : 4;
}

static void put_field(struct buf *b, const struct fbw_field *f)
{
	const int8_t narrow = (int8_t)f->value;
	uint32_t bits = 0;

	align(b, size_of(f), 0);
	if (f->type == FBW_FLOAT)
		memcpy(&bits, &f->number, sizeof(bits));
	else if (f->type == FBW_INT32)
		bits = (uint32_t)f->value;
	if (f->type == FBW_INT8)
		buf_append(b, &narrow, 1);
	else
		put32(b, bits);
}

/* First the list of where the fields are, then the table, which begins with its distance from that list. */
void fbw_table(struct buf *b, size_t at, struct fbw_field *fields, unsigned n)
{
	size_t places[FBW_ID_MAX + 1] = {0}, size = 4, count = 0;

	for (unsigned i = 0; i < n; i++) {
		size += padding(size, size_of(&fields[i]));
		places[fields[i].id] = size;
		size += size_of(&fields[i]);
		count = fields[i].id >= count ? fields[i].id + 1 : count;
	}
	const size_t list = 4 + 2 * count;
	align(b, 4, list);
	put16(b, list);
	put16(b, size);
	for (size_t i = 0; i < count; i++)
		put16(b, places[i]);
	const size_t table = b->len;
	point(b, at);
	put32(b, (uint32_t)list);
	for (unsigned i = 0; i < n; i++) {
		put_field(b, &fields[i]);
		fields[i].at = table + places[fields[i].id];
	}
}

/* The number of elements comes first. */
static void begin_vector(struct buf *b, size_t at, size_t n)
{
	align(b, 4, 0);
	point(b, at);
	put32(b, (uint32_t)n);
}

size_t fbw_offsets(struct buf *b, size_t at, uint32_t n)
{
	begin_vector(b, at, n);
	const size_t first = b->len;
	for (uint32_t i = 0; i < n; i++)
		put32(b, 0);
	return first;
}

void fbw_ints(struct buf *b, size_t at, const int32_t *v, uint32_t n)
{
	begin_vector(b, at, n);
	for (uint32_t i = 0; i < n; i++)
		put32(b, (uint32_t)v[i]);
}

void fbw_text(struct buf *b, size_t at, const char *s)
{
	begin_vector(b, at, strlen(s));
	buf_append(b, s, strlen(s) + 1);
}

size_t fbw_bytes_begin(struct buf *b, size_t at)
{
	align(b, 16, 4);
	begin_vector(b, at, 0);
	return b->len;
}

void fbw_bytes_end(struct buf *b, size_t begin)
{
	patch32(b, begin - 4, b->len - begin);
}
