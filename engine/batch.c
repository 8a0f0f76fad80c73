/*
 * batch.c - joins and cuts along axis 0, as RedisAI's BATCHSIZE does.
 */
#include "engine/batch.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

/* Dim 0 that all inputs share; 0: they share none, or cannot be joined. */
static uint64_t rows_of(const struct job *job)
{
	int64_t rows = 0;

	for (size_t i = 0; i < job->nin; i++) {
		const struct tensor *t = job->in[i];

		if (t->rank == 0 || t->dtype == DTYPE_STRING || (i > 0 && t->dims[0] != rows))
			return 0;
		rows = t->dims[0];
	}
	return (uint64_t)rows;
}

static bool push(struct batch *b, struct job *job)
{
	if (b->njobs == b->cap) {
		size_t cap = b->cap ? 2 * b->cap : 16;
		struct job **jobs = realloc(b->jobs, cap * sizeof(struct job *));

		if (!jobs)
			return false;
		b->jobs = jobs;
		b->cap = cap;
	}
	b->jobs[b->njobs++] = job;
	return true;
}

bool batch_start(struct batch *b, struct job *first)
{
	b->njobs = 0;
	b->rows = first->batching.size ? rows_of(first) : 0;
	if (b->rows >= first->batching.size)
		b->rows = 0;
	return push(b, first);
}

bool batch_wants(const struct batch *b)
{
	return b->rows && b->rows < b->jobs[0]->batching.size;
}

static bool same_row_shape(const struct tensor *a, const struct tensor *b)
{
	return a->dtype == b->dtype && a->rank == b->rank &&
	       (a->rank < 2 || memcmp(a->dims + 1, b->dims + 1, (a->rank - 1) * sizeof(a->dims[0])) == 0);
}

bool batch_add(struct batch *b, struct job *job)
{
	const struct job *first = b->jobs[0];
	uint64_t rows;

	if (job->model != first->model || job->nin != first->nin || job->nout != first->nout)
		return false;
	rows = rows_of(job);
	if (rows == 0 || rows > (uint64_t)INT64_MAX - b->rows)
		return false;
	for (size_t i = 0; i < job->nin; i++) {
		if (!same_row_shape(first->in[i], job->in[i]))
			return false;
	}
	if (!push(b, job))
		return false;
	b->rows += rows;
	return true;
}

static int join(struct tensor **ret, const struct batch *b, size_t input)
{
	const struct tensor *first = b->jobs[0]->in[input];
	int64_t dims[TENSOR_MAX_RANK];
	char *to;
	int r;

	memcpy(dims, first->dims, sizeof(dims));
	dims[0] = (int64_t)b->rows;
	r = tensor_new(ret, first->dtype, dims, first->rank, false, b->jobs[0]->allocator);
	if (r < 0)
		return r;
	to = (*ret)->data;
	for (size_t i = 0; i < b->njobs; i++) {
		const struct tensor *t = b->jobs[i]->in[input];

		memcpy(to, t->data, t->size);
		to += t->size;
	}
	return 0;
}

/* Rows [at, at + rows) of t. */
static int cut(struct tensor **ret, const struct tensor *t, uint64_t at, uint64_t rows, const struct allocator *a)
{
	size_t row_size = t->size / (size_t)t->dims[0];
	int64_t dims[TENSOR_MAX_RANK];
	int r;

	memcpy(dims, t->dims, sizeof(dims));
	dims[0] = (int64_t)rows;
	r = tensor_new(ret, t->dtype, dims, t->rank, false, a);
	if (r == 0)
		memcpy((*ret)->data, (const char *)t->data + at * row_size, (*ret)->size);
	return r;
}

static int hand_out(struct batch *b, struct tensor **out, size_t nout)
{
	uint64_t at = 0;

	for (size_t i = 0; i < nout; i++) {
		if (out[i]->rank == 0 || out[i]->dims[0] != (int64_t)b->rows || out[i]->dtype == DTYPE_STRING)
			return error_set(&b->jobs[0]->error, ERR_WRONG,
					 "Model did not generate the expected batch size");
	}
	for (size_t j = 0; j < b->njobs; j++) {
		struct job *job = b->jobs[j];
		uint64_t rows = rows_of(job);

		for (size_t i = 0; i < nout; i++) {
			int r = cut(&job->out[i], out[i], at, rows, job->allocator);

			if (r < 0)
				return error_set(&b->jobs[0]->error, (enum error_code)r, "%s", error_message(r));
		}
		at += rows;
	}
	return 0;
}

static void drop_outputs(struct batch *b)
{
	for (size_t j = 0; j < b->njobs; j++) {
		for (size_t i = 0; i < b->jobs[j]->nout; i++) {
			tensor_unref(b->jobs[j]->out[i]);
			b->jobs[j]->out[i] = NULL;
		}
	}
}

static int run_joined(struct batch *b, struct model_context *c)
{
	struct job *first = b->jobs[0];
	size_t nin = first->nin, nout = first->nout, n;
	struct tensor **in, **out;
	int r = 0;

	if (!size_add(&n, nin, nout) || !size_mul(&n, n, sizeof(struct tensor *)))
		return ERR_RANGE;
	if (n > b->tensors_cap) {
		struct tensor **tensors = realloc(b->tensors, n);

		if (!tensors)
			return ERR_NOMEM;
		b->tensors = tensors;
		b->tensors_cap = n;
	}
	memset(b->tensors, 0, n);
	in = b->tensors;
	out = in + nin;
	for (size_t i = 0; i < nin && r == 0; i++)
		r = join(&in[i], b, i);
	if (r == 0)
		r = model_run(c, in, nin, out, nout, first->allocator, &first->error);
	if (r == 0)
		r = hand_out(b, out, nout);
	for (size_t i = 0; i < nin + nout; i++)
		tensor_unref(b->tensors[i]);
	return r;
}

int batch_run(struct batch *b, struct model_context *c)
{
	struct job *first = b->jobs[0];
	uint64_t rows;
	int r;

	for (size_t j = 0; j < b->njobs; j++) {
		for (size_t i = 0; i < b->jobs[j]->nout; i++)
			b->jobs[j]->out[i] = NULL;
	}
	if (b->njobs == 1) {
		rows = first->nin && first->in[0]->rank ? (uint64_t)first->in[0]->dims[0] : 1;
		r = model_run(c, first->in, first->nin, first->out, first->nout, first->allocator, &first->error);
	} else {
		rows = b->rows;
		r = run_joined(b, c);
	}
	if (r < 0)
		drop_outputs(b);
	for (size_t j = 0; j < b->njobs; j++) {
		b->jobs[j]->batch = rows;
		if (r < 0 && j > 0)
			b->jobs[j]->error = first->error;
	}
	return r;
}

void batch_release(struct batch *b)
{
	free(b->jobs);
	free(b->tensors);
	memset(b, 0, sizeof(*b));
}
