/*
 * flatbuffer_writer.h - FlatBuffers written from the root downwards.
 *
 * Offsets point forwards: whoever writes a table or a vector of offsets learns the places of its offsets, and hands
 * each of them to the function that writes what it points at. A buffer that failed once stays failed.
 */
#ifndef DATAGEN_FLATBUFFER_WRITER_H
#define DATAGEN_FLATBUFFER_WRITER_H

#include <stdint.h>

#include "common/buf.h"

enum fbw_type { FBW_INT8, FBW_INT32, FBW_FLOAT, FBW_OFFSET };

/* A field that is there; id: its number in the schema, a union counts twice. */
struct fbw_field {
	unsigned id; /* up to FBW_ID_MAX */
	enum fbw_type type;
	int32_t value; /* FBW_INT* */
	float number;  /* FBW_FLOAT */
	size_t at;     /* set by fbw_table: where the field is */
};
#define FBW_ID_MAX 15

/* Returns the place of the root's offset. */
size_t fbw_begin(struct buf *b, const char identifier[4]);
void fbw_table(struct buf *b, size_t at, struct fbw_field *fields, unsigned n);
/* A vector of offsets. Returns the place of the first; the others follow, 4 bytes each. */
size_t fbw_offsets(struct buf *b, size_t at, uint32_t n);
void fbw_ints(struct buf *b, size_t at, const int32_t *v, uint32_t n);
void fbw_text(struct buf *b, size_t at, const char *s);
/* A vector of bytes, aligned to 16, which the caller appends in between; end takes what begin returned. */
size_t fbw_bytes_begin(struct buf *b, size_t at);
void fbw_bytes_end(struct buf *b, size_t begin);

#endif
