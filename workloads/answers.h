/*
 * answers.h - what a trusted model answers to each row of a dataset, in a file.
 *
 * Written by -record-answers and aibench_answers, compared with by -verify. The file, little endian:
 *
 *	  0  char[8]     "aibansw\n"
 *	  8  uint32      version, 1
 *	 12  uint32      V: float32 values a row
 *	 16  uint64      id of the first row
 *	 24  uint64      N: rows
 *	 32  uint64      bytes of a row of the dataset
 *	 40  uint64      FNV-1a (64 bits) of the dataset's first row
 *	 48  char[64]    use case, the rest NUL
 *	112  char[400]   how the answers were made, the rest NUL
 *	512  uint8[N]    of row first + i: 1 there is an answer, 0 it is missing; then NUL up to a multiple of 8
 *	     float32[N][V]   the answers; of missing rows zeros
 *
 * A file without the magic is taken for bare float32 values, those of row id at id × values, with nothing known of the
 * dataset and no row missing before its end.
 */
#ifndef WORKLOADS_ANSWERS_H
#define WORKLOADS_ANSWERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* Which dataset answers belong to. */
struct answers_dataset {
	const char *use_case; /* borrowed: workload_ops.name */
	size_t row_size;      /* bytes */
	uint64_t first_id;    /* of the first row */
	uint64_t rows;
	uint64_t checksum; /* of the first row: answers_checksum */
};

uint64_t answers_checksum(const void *row, size_t size);

/* An answers file, read. */
struct answers;

/* Maps the file. ERR_NOT_FOUND, ERR_IO; ERR_FORMAT for a damaged one; ERR_UNSUPPORTED for a newer version. */
int answers_open(struct answers **ret, const char *path, struct error *err) MUST_CHECK;
/* The same of bytes that outlive it, aligned to 8. name: for messages; copied. */
int answers_parse(struct answers **ret, const void *data, size_t size, const char *name, struct error *err) MUST_CHECK;
void answers_close(struct answers *a);

/* ERR_INVALID: they are of another use case or dataset. A part of the dataset that begins with another row is not told
 * from a foreign one and taken. */
int answers_check_dataset(const struct answers *a, const struct answers_dataset *d, struct error *err) MUST_CHECK;
/* Values a row; 0: as many as the model's answers have. */
size_t answers_values(const struct answers *a);
/* The `values` values (answers_values if that is not 0) of a row; NULL: it is missing. */
const float *answers_row(const struct answers *a, uint64_t id, size_t values);
/* Does the address lie in the mapped file? Async-signal-safe. */
bool answers_contains(const struct answers *a, const void *address);

/*
 * Answers on their way into a file: kept in memory while they come, from any number of threads, without a lock but for
 * the first. Of several answers to the same row the first counts.
 */
struct answers_writer {
	struct answers_dataset of;
	pthread_mutex_t lock;     /* the first answer says how many values there are */
	_Atomic size_t values;    /* a row; 0: none came yet */
	float *rows;              /* owned; set before values is */
	atomic_uchar *state;      /* owned; of each row */
	_Atomic uint64_t refused; /* answers that found no place */
};

/* ERR_NOMEM, ERR_RANGE: no dataset has so many rows. */
int answers_writer_init(struct answers_writer *w, const struct answers_dataset *of, struct error *err) MUST_CHECK;
void answers_writer_release(struct answers_writer *w); /* no-op on a zeroed struct */
/* Keeps a row's values (float32, any alignment). An id outside of the dataset's, or another number of values than the
 * first answer's, is counted in `refused`. ERR_NOMEM. */
int answers_writer_put(struct answers_writer *w, uint64_t id, const void *data, size_t values);
uint64_t answers_writer_count(const struct answers_writer *w); /* rows kept */
/* The values kept of row i, counted from the first id; NULL: none were. No put is under way any more. */
const float *answers_writer_row(const struct answers_writer *w, uint64_t i);
/* No put is under way any more. made: how, for the header; cut where it is too long. ERR_INVALID: there are none. */
int answers_writer_save(const struct answers_writer *w, const char *path, const char *made,
			struct error *err) MUST_CHECK;

#endif
