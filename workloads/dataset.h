/*
 * dataset.h - fixed-size rows from a mapped file or a pipe.
 *
 * A regular file is mapped: rows are views of the page cache, a read-ahead thread keeps ahead of the highest row
 * taken, pages behind are given back (so RssAnon and the working set stay constant). A pipe is read by a thread into
 * a bounded ring of row blocks.
 */
#ifndef WORKLOADS_DATASET_H
#define WORKLOADS_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

struct dataset;

struct dataset_config {
	const char *path; /* NULL or "-": standard input */
	size_t row_size;
	unsigned batch;     /* rows taken at a time, ≥ 1 */
	uint64_t max_rows;  /* 0: all; a limit that cuts a batch is an error */
	unsigned max_taken; /* batches out at the same time at the most (outstanding requests): sizes a pipe's ring */
	/* Of a file only. Shuffled: the batches come in a random order of this seed, in another one in each pass. */
	bool repeat, shuffled;
	/* Not 0: each run of so many batches lies together in the file, from a batch on that is drawn at random, with
	 * replacement, of all of them. Needs repeat: there is no end. */
	unsigned drawn;
	uint64_t seed;
};

/* Errors: missing, unreadable, empty, size no multiple of the row, rows no multiple of the batch, a pipe that is to be
 * repeated or shuffled. */
int dataset_open(struct dataset **ret, const struct dataset_config *cfg, struct error *err) MUST_CHECK;
void dataset_close(struct dataset *d);

/* Batches in a mapped file (after max_rows); UINT64_MAX for a pipe, whose end shows only at its end. */
uint64_t dataset_batches(const struct dataset *d);
/* Which batch of the source is taken k-th: k itself, but for a file that is repeated, shuffled or drawn from. */
uint64_t dataset_batch_at(const struct dataset *d, uint64_t k);
/* The source's first batch, wherever it comes in the order; NULL: of a pipe, where it is the 0th to be taken. */
const void *dataset_first(const struct dataset *d);

/*
 * Takes the k-th batch (each k once, from any thread; ascending k overall). Mapped: never blocks. Pipe: returns ERR_AGAIN
 * while k has not arrived. ERR_NOT_FOUND past the end; ERR_IO, ERR_FORMAT (a pipe that ends within a row).
 */
int dataset_take(struct dataset *d, uint64_t k, const void **ret_rows, struct error *err) MUST_CHECK;
/* Gives the k-th batch back once its answer was judged; the memory may then be reused. */
void dataset_give(struct dataset *d, uint64_t k);

/* Installs nothing globally: true if the address lies in the mapping (a SIGBUS handler asks). */
bool dataset_contains(const struct dataset *d, const void *address);

#endif
