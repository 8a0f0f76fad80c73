/*
 * protobuf_writer.h - protocol buffers written field by field, without generated code.
 *
 * Each appends one field to a message under construction; a buffer that failed once stays failed, so that a message is
 * checked once at its end.
 */
#ifndef COMMON_PROTOBUF_WRITER_H
#define COMMON_PROTOBUF_WRITER_H

#include <stdint.h>

#include "common/buf.h"

void pbw_int(struct buf *b, unsigned field, int64_t v); /* int32, int64, bool, enum */
void pbw_text(struct buf *b, unsigned field, const char *s);
void pbw_bytes(struct buf *b, unsigned field, const void *data, size_t len);
/* The beginning of a field of len bytes, which the caller lets follow. */
void pbw_begin_bytes(struct buf *b, unsigned field, size_t len);
/* The message is released, and its failure becomes the parent's. */
void pbw_message(struct buf *b, unsigned field, struct buf *message);

#endif
