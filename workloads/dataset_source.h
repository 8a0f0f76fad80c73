/*
 * dataset_source.h - the two ways rows come in, private to dataset.c: a mapped file and a pipe read by a thread.
 */
#ifndef WORKLOADS_DATASET_SOURCE_H
#define WORKLOADS_DATASET_SOURCE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/error.h"

/* A background thread's last words: the text is complete before code is set. */
struct dataset_failure {
	atomic_int code;
	struct error error;
};

void dataset_fail(struct dataset_failure *f, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Copies the text and returns the code; 0 if nothing failed. */
int dataset_failed(const struct dataset_failure *f, struct error *err);

/* Starts a thread that takes no signals: those are the program's. */
int dataset_thread_start(pthread_t *ret, void *(*run)(void *), void *arg, const char *name, struct error *err);

struct dataset_map {
	const char *rows;
	size_t batch_size; /* bytes */
	uint64_t batches;
	_Atomic uint64_t wake_at; /* whoever takes the batch of this number or a later one wakes the thread */

	const char *name;                   /* what messages call the file; borrowed */
	int fd;                             /* owned */
	char *base;                         /* of the mapping */
	size_t length, start;               /* bytes mapped; where the first row lies in it */
	size_t populated, advised, dropped; /* offsets in the mapping; the thread's */
	bool whole;                         /* mapped at once at the start and kept */
	bool random;                        /* taken in no order: nothing is read ahead of it, or dropped behind */
	_Atomic uint64_t highest;           /* number taken */
	atomic_bool stop;
	sem_t wake;
	pthread_t thread;
	struct dataset_failure failure;
};

/* Takes fd over, also on failure. start: of the first row within the file. */
int dataset_map_open(struct dataset_map *m, int fd, const char *name, off_t start, size_t batch_size, uint64_t batches,
		     bool random, struct error *err) MUST_CHECK;
void dataset_map_close(struct dataset_map *m);
/* The k-th batch taken is number `batch` of the file: k % batches, or anything if random. */
int dataset_map_take(struct dataset_map *m, uint64_t k, uint64_t batch, const void **ret_rows, struct error *err);

struct dataset_pipe {
	const char *name; /* borrowed */
	int fd;           /* owned */
	size_t row_size, batch_size;
	uint64_t max_batches; /* UINT64_MAX: until the end */
	uint64_t capacity;    /* batches in the ring */
	char *ring;
	/* Of batch k at k % capacity: 2k while it is awaited, 2k + 1 while it is there. */
	_Atomic uint64_t *state;
	_Atomic uint64_t total; /* batches in all; UINT64_MAX until the end is known */
	atomic_bool stop, waiting;
	sem_t given;
	int stop_fd; /* eventfd: ends a wait for input */
	pthread_t thread;
	struct dataset_failure failure;
};

/* Takes fd over, also on failure. */
int dataset_pipe_open(struct dataset_pipe *p, int fd, const char *name, size_t row_size, unsigned batch,
		      uint64_t max_batches, unsigned max_taken, struct error *err) MUST_CHECK;
void dataset_pipe_close(struct dataset_pipe *p);
int dataset_pipe_take(struct dataset_pipe *p, uint64_t k, const void **ret_rows, struct error *err);
void dataset_pipe_give(struct dataset_pipe *p, uint64_t k);

#endif
