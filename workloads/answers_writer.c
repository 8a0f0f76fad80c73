/*
 * answers_writer.c - gathers answers from threads that are in a hurry, and writes them when those are done.
 */
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/file.h"
#include "workloads/answers.h"
#include "workloads/answers_format.h"

enum row_state { ROW_MISSING, ROW_TAKEN, ROW_THERE };

int answers_writer_init(struct answers_writer *w, const struct answers_dataset *of, struct error *err)
{
	*w = (struct answers_writer){.of = *of};
	if (of->rows == 0 || of->rows >= SIZE_MAX / sizeof(float) || of->rows > UINT64_MAX - of->first_id)
		return error_set(err, ERR_RANGE,
				 "answers can be recorded to a dataset in a file only, whose rows are known: name one "
				 "with -file");
	w->state = calloc((size_t)of->rows, sizeof(*w->state));
	if (!w->state)
		return error_set(err, ERR_NOMEM, "out of memory for the answers to %ju rows", (uintmax_t)of->rows);
	pthread_mutex_init(&w->lock, NULL);
	return 0;
}

void answers_writer_release(struct answers_writer *w)
{
	if (!w->state)
		return;
	pthread_mutex_destroy(&w->lock);
	free(w->rows);
	free(w->state);
	*w = (struct answers_writer){0};
}

/* The memory for all answers, once their number of values is known: pages come as they are written. */
static int make_room(struct answers_writer *w, size_t values)
{
	size_t n, bytes;
	int r = 0;

	if (values == 0 || values > UINT32_MAX || !size_mul(&n, (size_t)w->of.rows, values) ||
	    !size_mul(&bytes, n, sizeof(float)))
		return ERR_NOMEM;
	pthread_mutex_lock(&w->lock);
	if (atomic_load(&w->values) == 0) {
		w->rows = calloc(n, sizeof(*w->rows));
		if (w->rows)
			atomic_store(&w->values, values);
		else
			r = ERR_NOMEM;
	}
	pthread_mutex_unlock(&w->lock);
	return r;
}

int answers_writer_put(struct answers_writer *w, uint64_t id, const void *data, size_t values)
{
	uint64_t row = id - w->of.first_id;
	unsigned char missing = ROW_MISSING;

	if (atomic_load_explicit(&w->values, memory_order_acquire) == 0) {
		int r = make_room(w, values);

		if (r < 0)
			return r;
	}
	if (row >= w->of.rows || values != atomic_load_explicit(&w->values, memory_order_relaxed)) {
		atomic_fetch_add_explicit(&w->refused, 1, memory_order_relaxed);
		return 0;
	}
	if (atomic_compare_exchange_strong(&w->state[row], &missing, ROW_TAKEN)) {
		memcpy(w->rows + row * values, data, values * sizeof(float));
		atomic_store_explicit(&w->state[row], ROW_THERE, memory_order_release);
	}
	return 0;
}

uint64_t answers_writer_count(const struct answers_writer *w)
{
	uint64_t n = 0;

	for (uint64_t i = 0; w->state && i < w->of.rows; i++)
		n += atomic_load_explicit(&w->state[i], memory_order_acquire) == ROW_THERE;
	return n;
}

const float *answers_writer_row(const struct answers_writer *w, uint64_t i)
{
	if (i >= w->of.rows || atomic_load_explicit(&w->state[i], memory_order_acquire) != ROW_THERE)
		return NULL;
	return w->rows + i * atomic_load(&w->values);
}

static void put_text(char *to, size_t size, const char *text)
{
	size_t len = strnlen(text, size - 1);

	memcpy(to, text, len); /* the rest is NUL already */
}

/* Failures of the stream stay in it until the commit. */
static void write_tables(FILE *out, const struct answers_writer *w)
{
	static const char padding[ANSWERS_ALIGNMENT];
	size_t rows = (size_t)w->of.rows, values = atomic_load(&w->values);

	for (size_t i = 0; i < rows; i++)
		putc(atomic_load(&w->state[i]) == ROW_THERE, out);
	fwrite(padding, 1, (ANSWERS_ALIGNMENT - rows % ANSWERS_ALIGNMENT) % ANSWERS_ALIGNMENT, out);
	fwrite(w->rows, values * sizeof(float), rows, out);
}

int answers_writer_save(const struct answers_writer *w, const char *path, const char *made, struct error *err)
{
	struct answers_header header = {
		.version = ANSWERS_VERSION,
		.values = (uint32_t)atomic_load(&w->values),
		.first_id = w->of.first_id,
		.rows = w->of.rows,
		.row_size = w->of.row_size,
		.checksum = w->of.checksum,
	};
	struct output_file f = {0};
	int r;

	if (answers_writer_count(w) == 0)
		return error_set(err, ERR_INVALID, "%s: there is no answer to record, so it was not written", path);
	memcpy(header.magic, ANSWERS_MAGIC, ANSWERS_MAGIC_SIZE);
	put_text(header.use_case, sizeof(header.use_case), w->of.use_case);
	put_text(header.made, sizeof(header.made), made);
	r = file_create(&f, path, err);
	if (r < 0)
		return r;
	fwrite(&header, sizeof(header), 1, f.stream);
	write_tables(f.stream, w);
	return file_commit(&f, err);
}
