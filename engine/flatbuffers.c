/*
 * flatbuffers.c - reading FlatBuffers that nobody has checked.
 *
 * The format, all little-endian: a file starts with the offset of its root table and four characters that identify
 * it. A table starts with the signed distance back to its vtable; a vtable holds its own size and the table's in
 * bytes, and then for each field where in the table it is (0: absent). Tables, vectors and strings are referred to by
 * their distance from the reference, always forwards; vectors and strings start with their number of elements.
 */
#include "engine/flatbuffers.h"

#include <string.h>

#define VTABLE_HEADER 4

/* size bytes at `at` lie inside the file. */
static bool inside(const struct fb *f, size_t at, size_t size)
{
	return at <= f->len && size <= f->len - at;
}

static uint64_t load(const uint8_t *p, size_t size)
{
	uint64_t v = 0;

	for (size_t i = 0; i < size; i++)
		v |= (uint64_t)p[i] << 8 * i;
	return v;
}

static float bits_to_float(uint32_t bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

static struct fb_table broken_table(struct fb *f)
{
	f->broken = true;
	return (struct fb_table){0};
}

static struct fb_table table_at(struct fb *f, size_t at)
{
	if (!inside(f, at, 4))
		return broken_table(f);
	int64_t vtable = (int64_t)at - (int32_t)(uint32_t)load(f->data + at, 4);
	if (vtable < 0 || !inside(f, (size_t)vtable, VTABLE_HEADER))
		return broken_table(f);
	struct fb_table t = {.file = f, .at = at, .vtable = (size_t)vtable};
	t.vtable_size = (uint16_t)load(f->data + vtable, 2);
	t.inline_size = (uint16_t)load(f->data + vtable + 2, 2);
	if (t.vtable_size < VTABLE_HEADER || t.vtable_size % 2 != 0 || !inside(f, t.vtable, t.vtable_size) ||
	    t.inline_size < 4 || !inside(f, at, t.inline_size))
		return broken_table(f);
	return t;
}

bool fb_open(struct fb *f, const void *data, size_t len, const char *identifier, struct fb_table *root)
{
	*f = (struct fb){.data = data, .len = len};
	if (len < 8 || memcmp(f->data + 4, identifier, 4) != 0)
		return false;
	*root = table_at(f, (size_t)load(f->data, 4));
	return !f->broken;
}

/* Where a field of `size` bytes is, or NULL where it is absent. */
static const uint8_t *field(const struct fb_table *t, unsigned id, size_t size)
{
	const size_t slot = VTABLE_HEADER + 2 * (size_t)id;

	if (t->file == NULL || slot + 2 > t->vtable_size)
		return NULL;
	size_t offset = (size_t)load(t->file->data + t->vtable + slot, 2);
	if (offset == 0)
		return NULL;
	if (offset < 4 || offset + size > t->inline_size) {
		t->file->broken = true;
		return NULL;
	}
	return t->file->data + t->at + offset;
}

bool fb_bool(const struct fb_table *t, unsigned id, bool absent)
{
	const uint8_t *p = field(t, id, 1);

	return p != NULL ? *p != 0 : absent;
}

int8_t fb_int8(const struct fb_table *t, unsigned id, int8_t absent)
{
	const uint8_t *p = field(t, id, 1);

	return p != NULL ? (int8_t)*p : absent;
}

int32_t fb_int32(const struct fb_table *t, unsigned id, int32_t absent)
{
	return (int32_t)fb_uint32(t, id, (uint32_t)absent);
}

uint32_t fb_uint32(const struct fb_table *t, unsigned id, uint32_t absent)
{
	const uint8_t *p = field(t, id, 4);

	return p != NULL ? (uint32_t)load(p, 4) : absent;
}

uint64_t fb_uint64(const struct fb_table *t, unsigned id, uint64_t absent)
{
	const uint8_t *p = field(t, id, 8);

	return p != NULL ? load(p, 8) : absent;
}

float fb_float(const struct fb_table *t, unsigned id, float absent)
{
	const uint8_t *p = field(t, id, 4);

	return p != NULL ? bits_to_float((uint32_t)load(p, 4)) : absent;
}

/* What the reference at p leads to; it lies inside the file itself. */
static size_t follow(const struct fb *f, const uint8_t *p)
{
	return (size_t)(p - f->data) + (size_t)load(p, 4);
}

struct fb_table fb_table(const struct fb_table *t, unsigned id)
{
	const uint8_t *p = field(t, id, 4);

	return p != NULL ? table_at(t->file, follow(t->file, p)) : (struct fb_table){0};
}

struct fb_vector fb_vector(const struct fb_table *t, unsigned id, size_t size)
{
	const uint8_t *p = field(t, id, 4);
	struct fb_vector v = {.file = t->file};

	if (p == NULL)
		return v;
	size_t at = follow(t->file, p);
	if (!inside(t->file, at, 4)) {
		t->file->broken = true;
		return v;
	}
	size_t n = (size_t)load(t->file->data + at, 4);
	if (n > (t->file->len - at - 4) / size) {
		t->file->broken = true;
		return v;
	}
	v.data = t->file->data + at + 4;
	v.n = (uint32_t)n;
	return v;
}

const char *fb_string(const struct fb_table *t, unsigned id)
{
	struct fb_vector v = fb_vector(t, id, 1);

	if (v.data == NULL)
		return "";
	if (!inside(v.file, (size_t)(v.data - v.file->data) + v.n, 1) || v.data[v.n] != '\0') {
		v.file->broken = true;
		return "";
	}
	return (const char *)v.data;
}

int32_t fb_vector_int32(const struct fb_vector *v, uint32_t i)
{
	return (int32_t)(uint32_t)load(v->data + 4 * (size_t)i, 4);
}

int64_t fb_vector_int64(const struct fb_vector *v, uint32_t i)
{
	return (int64_t)load(v->data + 8 * (size_t)i, 8);
}

float fb_vector_float(const struct fb_vector *v, uint32_t i)
{
	return bits_to_float((uint32_t)load(v->data + 4 * (size_t)i, 4));
}

struct fb_table fb_vector_table(const struct fb_vector *v, uint32_t i)
{
	return table_at(v->file, follow(v->file, v->data + 4 * (size_t)i));
}
