/*
 * rdb_writer.h - values of module types as any version of RedisAI left them in an RDB, byte by byte.
 *
 * Written from the format alone and without a line of the module, so that both can be held against each other. A value
 * is the module's id, which says the encoding version, then pieces of a tag and a content each, then the tag 0.
 */
#ifndef TESTS_SERVERS_REDISAI_RDB_WRITER_H
#define TESTS_SERVERS_REDISAI_RDB_WRITER_H

#include <stdint.h>

#include "common/buf.h"

/* Bytes before the pieces of a dump: the type and the module's id. */
#define RDB_DUMP_HEAD 10
/* Bytes after them: the RDB's version and a checksum. */
#define RDB_DUMP_FOOT 10

/* The pieces of a value. type: nine characters; version: 0 to 1023. */
void rdb_begin(struct buf *value, const char *type, unsigned version);
void rdb_uint(struct buf *value, uint64_t n);
void rdb_bytes(struct buf *value, const void *data, size_t len);
void rdb_text(struct buf *value, const char *text);     /* without its NUL */
void rdb_text_nul(struct buf *value, const char *text); /* with it */
void rdb_end(struct buf *value);

/* What RESTORE takes: appended to an empty buffer. */
void rdb_dump(struct buf *ret, const struct buf *value);
/* Writes the footer of a dump whose content was changed anew. */
void rdb_dump_sign(struct buf *dump);

/* A whole RDB file. */
void rdb_file_begin(struct buf *file);
void rdb_file_add(struct buf *file, const char *key, const struct buf *value);
void rdb_file_end(struct buf *file);

#endif
