/*
 * json_writer.h - JSON straight into a stream: nothing is built up in memory first, whatever the length of a run.
 *
 * Members and elements come in the order of the calls; the writer puts commas and indentation. Any bytes are taken as
 * text: what is no UTF-8 (a server may say anything) becomes U+FFFD.
 */
#ifndef STATS_JSON_WRITER_H
#define STATS_JSON_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Zero-initialise but for out. Failures of the stream stay in it (ferror). */
struct json_writer {
	FILE *out;
	unsigned depth;
	bool filled; /* the innermost object or array has a member already */
};

/* name NULL: the outermost object, or an element of an array. */
void json_begin(struct json_writer *w, const char *name);
void json_end(struct json_writer *w);
void json_begin_array(struct json_writer *w, const char *name);
void json_end_array(struct json_writer *w);
void json_string(struct json_writer *w, const char *name, const char *value); /* value NULL: null */
void json_uint(struct json_writer *w, const char *name, uint64_t value);
void json_int(struct json_writer *w, const char *name, int64_t value);
void json_double(struct json_writer *w, const char *name, double value);              /* null if not finite */
void json_string_or_null(struct json_writer *w, const char *name, const char *value); /* "" is null */
void json_uint_or_null(struct json_writer *w, const char *name, uint64_t value);      /* 0 is null */
void json_bool(struct json_writer *w, const char *name, bool value);

#endif
