/*
 * file.h - whole files in, whole files out: nothing half-written is ever taken for whole.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/error.h"

/* Reads all of path (regular file or pipe) up to max bytes into *ret (malloc'd, NUL added, caller frees). */
int file_read(char **ret, size_t *ret_len, const char *path, size_t max, struct error *err) MUST_CHECK;

/*
 * An output file written under a temporary name in the same folder and renamed by file_commit, so that readers
 * see the old one or the whole new one. path NULL or "-": standard output, where commit only flushes.
 * A path that exists and is no regular file (/dev/null, a pipe) is written in place.
 */
struct output_file {
	FILE *stream;
	char *path;      /* NULL: in place or standard output */
	char *temporary; /* in place: the name for messages; standard output: NULL */
};

int file_create(struct output_file *f, const char *path, struct error *err) MUST_CHECK;
/* The same written in place from the beginning, for what is followed while it grows: what was flushed stays, whatever
 * ends the process. */
int file_create_in_place(struct output_file *f, const char *path, struct error *err) MUST_CHECK;
/* Flushes, checks for errors that stdio kept, renames. On failure the temporary file is removed. */
int file_commit(struct output_file *f, struct error *err) MUST_CHECK;
/* Removes the temporary file of an uncommitted output; no-op after commit or on a zeroed struct. */
void file_abandon(struct output_file *f);

/* Whether both are one regular file, so that writing one replaces the other; pipes and devices take whatever comes. */
bool file_is_same(const struct stat *a, const struct stat *b);

/* file_create, write, file_commit in one. */
int file_write(const char *path, const void *data, size_t len, struct error *err) MUST_CHECK;

#endif
