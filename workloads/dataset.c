/*
 * dataset.c - opens a dataset, says what is wrong with it, and hands its rows out.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arith.h"
#include "common/permutation.h"
#include "common/rng.h"
#include "workloads/dataset.h"
#include "workloads/dataset_source.h"

struct dataset {
	bool mapped, repeat, shuffled;
	uint64_t batches; /* UINT64_MAX: a pipe's */
	struct permutation order;
	unsigned drawn;
	uint64_t seed;
	union {
		struct dataset_map map;
		struct dataset_pipe pipe;
	};
	char *name;
};

void dataset_fail(struct dataset_failure *f, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	error_vset(&f->error, (enum error_code)code, fmt, args);
	va_end(args);
	atomic_store_explicit(&f->code, code, memory_order_release);
}

int dataset_failed(const struct dataset_failure *f, struct error *err)
{
	int code = atomic_load_explicit(&f->code, memory_order_acquire);

	if (code && err)
		*err = f->error;
	return code;
}

int dataset_thread_start(pthread_t *ret, void *(*run)(void *), void *arg, const char *name, struct error *err)
{
	sigset_t all, before;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return error_set_errno(err, ERR_NOMEM, r, "cannot start a thread to read the dataset");
	pthread_setname_np(*ret, name);
	return 0;
}

/* How many batches a file's `bytes` of rows hold, or what is wrong with them. */
static int count_batches(uint64_t *ret, const struct dataset_config *cfg, const char *name, uint64_t bytes,
			 struct error *err)
{
	uint64_t rows = bytes / cfg->row_size;

	if (bytes == 0)
		return error_set(err, ERR_FORMAT,
				 "%s is empty: make a dataset with aibench_generate_data, of images with "
				 "aibench_generate_data_vision",
				 name);
	if (bytes % cfg->row_size)
		return error_set(err, ERR_FORMAT,
				 "%s: %llu bytes are no multiple of the row's %zu: it is cut short, or no dataset of "
				 "this use case",
				 name, (unsigned long long)bytes, cfg->row_size);
	if (cfg->max_rows && cfg->max_rows < rows)
		rows = cfg->max_rows;
	if (rows % cfg->batch)
		return error_set(err, ERR_FORMAT, "%s: %llu rows are no multiple of the tensor batch of %u", name,
				 (unsigned long long)rows, cfg->batch);
	*ret = rows / cfg->batch;
	return 0;
}

static int open_file(struct dataset *d, int fd, const struct dataset_config *cfg, const struct stat *st,
		     struct error *err)
{
	off_t start = lseek(fd, 0, SEEK_CUR); /* standard input may have been read from */
	uint64_t batches = 0;
	int r;

	if (start < 0 || start > st->st_size)
		start = 0;
	r = count_batches(&batches, cfg, d->name, (uint64_t)(st->st_size - start), err);
	if (r) {
		close(fd);
		return r;
	}
	d->mapped = true;
	d->repeat = cfg->repeat;
	d->shuffled = cfg->shuffled;
	d->batches = batches;
	d->drawn = cfg->drawn;
	d->seed = cfg->seed;
	permutation_init(&d->order, batches, cfg->seed);
	return dataset_map_open(&d->map, fd, d->name, start, cfg->row_size * cfg->batch, batches,
				cfg->shuffled || cfg->drawn, err);
}

static int open_pipe(struct dataset *d, int fd, const struct dataset_config *cfg, struct error *err)
{
	if (cfg->repeat || cfg->shuffled) {
		close(fd);
		return error_set(err, ERR_USAGE, "%s is no file, so it cannot be %s: name a dataset file with -file",
				 d->name, cfg->repeat ? "repeated" : "shuffled");
	}
	d->batches = UINT64_MAX;
	return dataset_pipe_open(&d->pipe, fd, d->name, cfg->row_size, cfg->batch,
				 cfg->max_rows ? cfg->max_rows / cfg->batch : UINT64_MAX, cfg->max_taken, err);
}

static int open_source(struct dataset *d, const struct dataset_config *cfg, struct error *err)
{
	bool standard_input = !cfg->path || strcmp(cfg->path, "-") == 0;
	struct stat st;
	int fd;

	/* A named pipe without a writer must not hang the open; its reader waits with poll. */
	fd = standard_input ? dup(STDIN_FILENO) : open(cfg->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int errnum = errno;

		if (fd >= 0)
			close(fd);
		return error_set(
			err, errnum == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s: %s%s", d->name,
			strerror(errnum),
			errnum == ENOENT
				? ": check -file, or make a dataset with aibench_generate_data (_vision for images)"
				: "");
	}
	if (S_ISDIR(st.st_mode)) {
		close(fd);
		return error_set(err, ERR_INVALID, "%s is a folder: name a dataset file in it", d->name);
	}
	if (S_ISREG(st.st_mode))
		return open_file(d, fd, cfg, &st, err);
	return open_pipe(d, fd, cfg, err);
}

int dataset_open(struct dataset **ret, const struct dataset_config *cfg, struct error *err)
{
	struct dataset *d;
	size_t batch_size;
	int r;

	if (cfg->row_size == 0 || cfg->batch == 0 || !size_mul(&batch_size, cfg->row_size, cfg->batch))
		return error_set(err, ERR_RANGE, "a tensor batch of %u rows is out of range", cfg->batch);
	if (cfg->max_rows % cfg->batch)
		return error_set(err, ERR_RANGE,
				 "a limit of %llu rows would cut a tensor batch of %u: make it a multiple",
				 (unsigned long long)cfg->max_rows, cfg->batch);
	d = calloc(1, sizeof(*d));
	if (!d)
		return error_set(err, ERR_NOMEM, "out of memory");
	d->name = strdup(!cfg->path || strcmp(cfg->path, "-") == 0 ? "standard input" : cfg->path);
	r = d->name ? open_source(d, cfg, err) : error_set(err, ERR_NOMEM, "out of memory");
	if (r) {
		free(d->name);
		free(d);
		return r;
	}
	*ret = d;
	return 0;
}

void dataset_close(struct dataset *d)
{
	if (!d)
		return;
	if (d->mapped)
		dataset_map_close(&d->map);
	else
		dataset_pipe_close(&d->pipe);
	free(d->name);
	free(d);
}

uint64_t dataset_batches(const struct dataset *d)
{
	return d->batches;
}

static uint64_t draw(const struct dataset *d, uint64_t k)
{
	struct rng rng;

	rng_init_at(&rng, d->seed, k / d->drawn);
	return (rng_below(&rng, d->batches) + k % d->drawn) % d->batches;
}

uint64_t dataset_batch_at(const struct dataset *d, uint64_t k)
{
	uint64_t pass = 0, place = k;

	if (d->drawn)
		return draw(d, k);
	if (k >= d->batches) {
		pass = k / d->batches;
		place = k % d->batches;
	}
	return d->shuffled ? permutation_at(&d->order, pass, place) : place;
}

const void *dataset_first(const struct dataset *d)
{
	return d->mapped ? d->map.rows : NULL;
}

int dataset_take(struct dataset *d, uint64_t k, const void **ret_rows, struct error *err)
{
	if (!d->mapped)
		return dataset_pipe_take(&d->pipe, k, ret_rows, err);
	if (k >= d->batches && !d->repeat)
		return ERR_NOT_FOUND;
	return dataset_map_take(&d->map, k, dataset_batch_at(d, k), ret_rows, err);
}

void dataset_give(struct dataset *d, uint64_t k)
{
	if (!d->mapped)
		dataset_pipe_give(&d->pipe, k);
}

bool dataset_contains(const struct dataset *d, const void *address)
{
	const char *p = address;

	return d->mapped && p >= d->map.base && p < d->map.base + d->map.length;
}
