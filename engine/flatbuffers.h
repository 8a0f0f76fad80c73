/*
 * flatbuffers.h - reading FlatBuffers that nobody has checked.
 *
 * Every offset, vtable and vector is compared with the file's length before it is followed. What does not fit reads as
 * absent (the default, an empty vector) and marks the file as broken, so that a reader checks `broken` once a table
 * and not after each field. Nothing here recurses, and nothing is copied: the file must outlive what is read from it.
 */
#ifndef ENGINE_FLATBUFFERS_H
#define ENGINE_FLATBUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fb {
	const uint8_t *data;
	size_t len;
	bool broken;
};

/* Absent tables have file NULL: each of their fields is absent too. */
struct fb_table {
	struct fb *file;
	size_t at;                         /* of the table */
	size_t vtable;                     /* of its field offsets */
	uint16_t vtable_size, inline_size; /* bytes */
};

/* n elements that lie inside the file; data NULL where absent. Elements may be unaligned. */
struct fb_vector {
	struct fb *file;
	const uint8_t *data;
	uint32_t n;
};

/* The root table of a file with this identifier (four characters); false if it is none. */
bool fb_open(struct fb *f, const void *data, size_t len, const char *identifier, struct fb_table *root);

/* Field `id` is counted from 0 in the order of the schema; a union counts twice (type, value). */
bool fb_bool(const struct fb_table *t, unsigned id, bool absent);
int8_t fb_int8(const struct fb_table *t, unsigned id, int8_t absent);
int32_t fb_int32(const struct fb_table *t, unsigned id, int32_t absent);
uint32_t fb_uint32(const struct fb_table *t, unsigned id, uint32_t absent);
uint64_t fb_uint64(const struct fb_table *t, unsigned id, uint64_t absent);
float fb_float(const struct fb_table *t, unsigned id, float absent);
struct fb_table fb_table(const struct fb_table *t, unsigned id);
/* size: bytes an element; 4 for vectors of tables. */
struct fb_vector fb_vector(const struct fb_table *t, unsigned id, size_t size);
/* NUL-terminated inside the file; "" where absent. */
const char *fb_string(const struct fb_table *t, unsigned id);

/* Element i < v->n. */
int32_t fb_vector_int32(const struct fb_vector *v, uint32_t i);
int64_t fb_vector_int64(const struct fb_vector *v, uint32_t i);
float fb_vector_float(const struct fb_vector *v, uint32_t i);
struct fb_table fb_vector_table(const struct fb_vector *v, uint32_t i);

#endif
