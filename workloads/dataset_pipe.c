/*
 * dataset_pipe.c - rows that arrive through a pipe: a thread reads them into a ring of batches.
 *
 * Batch k lies at k % capacity, so neighbours are read with one system call and nothing is moved afterwards. The
 * reader waits where batch k - capacity was not given back yet, which bounds the memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/arith.h"
#include "workloads/dataset_source.h"

#define READ_AHEAD ((size_t)4 << 20) /* bytes kept in store beyond what is taken */
#define PIPE_SIZE (1 << 20)          /* asked of the kernel: fewer, larger reads */

static bool is_free(struct dataset_pipe *p, uint64_t k)
{
	return atomic_load(&p->state[k % p->capacity]) == 2 * k;
}

/* Sleeps until batch k's place was given back. False: stopped. */
static bool wait_free(struct dataset_pipe *p, uint64_t k)
{
	while (!is_free(p, k) && !atomic_load(&p->stop)) {
		atomic_store(&p->waiting, true);
		/* Looks again: who gave it back before `waiting` was set did not post. */
		if (!is_free(p, k) && !atomic_load(&p->stop))
			sem_wait(&p->given);
		atomic_store(&p->waiting, false);
	}
	return !atomic_load(&p->stop);
}

static bool wait_readable(struct dataset_pipe *p)
{
	struct pollfd fds[2] = {{.fd = p->fd, .events = POLLIN}, {.fd = p->stop_fd, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return !fds[1].revents;
}

/* Free places from batch k on that lie side by side. */
static uint64_t free_run(struct dataset_pipe *p, uint64_t k)
{
	uint64_t end = k + (p->capacity - k % p->capacity), n = k;

	if (end - k > p->max_batches - k)
		end = p->max_batches;
	while (n < end && is_free(p, n))
		n++;
	return n - k;
}

static void check_end(struct dataset_pipe *p, uint64_t batches, size_t rest)
{
	if (rest % p->row_size)
		dataset_fail(&p->failure, ERR_FORMAT, "%s ends within a row: its last %zu bytes are no row of %zu",
			     p->name, rest % p->row_size, p->row_size);
	else if (rest)
		dataset_fail(&p->failure, ERR_FORMAT, "%s ends within a tensor batch: %zu rows are left over", p->name,
			     rest / p->row_size);
	else if (batches == 0)
		dataset_fail(&p->failure, ERR_FORMAT, "%s is empty: pipe in a dataset, or name one with -file",
			     p->name);
}

static void *read_pipe(void *arg)
{
	struct dataset_pipe *p = arg;
	uint64_t k = 0;  /* the batch being filled */
	size_t have = 0; /* its bytes so far */

	while (k < p->max_batches && wait_free(p, k) && wait_readable(p)) {
		size_t room = free_run(p, k) * p->batch_size - have;
		ssize_t n = read(p->fd, p->ring + k % p->capacity * p->batch_size + have, room);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n < 0)
			dataset_fail(&p->failure, ERR_IO, "cannot read %s: %s", p->name, strerror(errno));
		else if (n == 0)
			check_end(p, k, have);
		if (n <= 0)
			break;
		for (have += (size_t)n; have >= p->batch_size; have -= p->batch_size, k++)
			atomic_store_explicit(&p->state[k % p->capacity], 2 * k + 1, memory_order_release);
	}
	atomic_store_explicit(&p->total, k, memory_order_release);
	return NULL;
}

int dataset_pipe_open(struct dataset_pipe *p, int fd, const char *name, size_t row_size, unsigned batch,
		      uint64_t max_batches, unsigned max_taken, struct error *err)
{
	size_t ring_size;
	int r = ERR_NOMEM;

	p->fd = fd;
	p->name = name;
	p->row_size = row_size;
	p->batch_size = row_size * batch;
	p->max_batches = max_batches;
	p->capacity = (uint64_t)max_taken + READ_AHEAD / p->batch_size + 2;
	p->stop_fd = eventfd(0, EFD_CLOEXEC);
	p->state = calloc(p->capacity, sizeof(*p->state));
	p->ring = size_mul(&ring_size, p->capacity, p->batch_size) ? malloc(ring_size) : NULL;
	sem_init(&p->given, 0, 0);
	if (!p->state || !p->ring || p->stop_fd < 0) {
		r = error_set(err, ERR_NOMEM, "no memory for %llu batches of %zu bytes read ahead from %s",
			      (unsigned long long)p->capacity, p->batch_size, name);
		goto fail;
	}
	for (uint64_t k = 0; k < p->capacity; k++)
		atomic_init(&p->state[k], 2 * k);
	atomic_init(&p->total, UINT64_MAX);
	fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE); /* refused for what is no pipe, or by a limit: no matter */
	r = dataset_thread_start(&p->thread, read_pipe, p, "pipe-reader", err);
	if (r == 0)
		return 0;
fail:
	sem_destroy(&p->given);
	free(p->ring);
	free(p->state);
	if (p->stop_fd >= 0)
		close(p->stop_fd);
	close(fd);
	return r;
}

void dataset_pipe_close(struct dataset_pipe *p)
{
	atomic_store(&p->stop, true);
	sem_post(&p->given);
	/* Eight bytes to an eventfd that nobody else wrote to cannot fail. */
	if (eventfd_write(p->stop_fd, 1) == 0)
		pthread_join(p->thread, NULL);
	sem_destroy(&p->given);
	free(p->ring);
	free(p->state);
	close(p->stop_fd);
	close(p->fd);
}

int dataset_pipe_take(struct dataset_pipe *p, uint64_t k, const void **ret_rows, struct error *err)
{
	uint64_t place = k % p->capacity;

	/* The end is read first: batches that arrive meanwhile are found by the second look. */
	uint64_t total = atomic_load_explicit(&p->total, memory_order_acquire);

	if (atomic_load_explicit(&p->state[place], memory_order_acquire) == 2 * k + 1) {
		*ret_rows = p->ring + place * p->batch_size;
		return 0;
	}
	if (k < total)
		return ERR_AGAIN;
	if (dataset_failed(&p->failure, err))
		return dataset_failed(&p->failure, err);
	return ERR_NOT_FOUND;
}

void dataset_pipe_give(struct dataset_pipe *p, uint64_t k)
{
	atomic_store(&p->state[k % p->capacity], 2 * (k + p->capacity));
	if (atomic_load(&p->waiting))
		sem_post(&p->given);
}
