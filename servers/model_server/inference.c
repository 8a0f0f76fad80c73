/*
 * inference.c - checks, the decision where to run, and the counting of a request.
 */
#include "servers/model_server/inference.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "servers/model_server/dtypes.h"
#include "servers/model_server/served_model_load.h"

int inference_new(struct inference **ret, struct served_model *model, enum dialect d)
{
	size_t n = model->ninputs + model->noutputs;
	struct inference *inf = calloc(1, sizeof(*inf) + n * sizeof(struct tensor *));

	if (!inf)
		return ERR_NOMEM;
	inf->model = model;
	inf->dialect = d;
	inf->in = (struct tensor **)(void *)(inf + 1);
	inf->out = inf->in + model->ninputs;
	inf->received = clock_now();
	atomic_fetch_add_explicit(&model->counters.in_flight, 1, memory_order_relaxed);
	*ret = inf;
	return 0;
}

/* Names of the signature, as a Python set prints them. */
static void print_names(struct buf *b, const struct model_tensor_info *infos, size_t n, struct tensor *const *skip,
			const char *quote)
{
	const char *separator = "";

	for (size_t i = 0; i < n; i++) {
		if (skip && skip[i])
			continue;
		buf_printf(b, "%s%s%s%s", separator, quote, infos[i].name, quote);
		separator = ",";
	}
}

static const char *text_of(const struct buf *b)
{
	return b->data && !b->failed ? b->data : "";
}

static int unknown_input(struct inference *inf, const char *name, int len)
{
	const struct served_model *m = inf->model;
	struct buf names = {0};

	if (inf->dialect == DIALECT_TRITON) {
		error_set(&inf->error, ERR_INVALID, "unexpected inference input '%.*s' for model '%s'", len, name,
			  m->name);
	} else {
		print_names(&names, m->inputs, m->ninputs, NULL, "");
		error_set(&inf->error, ERR_INVALID,
			  "input tensor alias not found in signature: %.*s. Inputs expected to be in the set {%s}.",
			  len, name, text_of(&names));
	}
	buf_release(&names);
	return inf->result = ERR_INVALID;
}

static int wrong_type(struct inference *inf, const struct model_tensor_info *info, size_t index, enum dtype got)
{
	if (inf->dialect == DIALECT_TRITON)
		error_set(&inf->error, ERR_INVALID,
			  "inference input '%s' data-type is '%s', but model '%s' expects '%s'", info->name,
			  dtype_triton_name(got), inf->model->name, dtype_triton_name(info->dtype));
	else
		error_set(&inf->error, ERR_INVALID, "Expects arg[%zu] ('%s') to be %s but %s is provided", index,
			  info->name, dtype_tensorflow_word(info->dtype), dtype_tensorflow_word(got));
	return inf->result = ERR_INVALID;
}

static void print_shape(struct buf *b, const int64_t *dims, unsigned rank)
{
	buf_printf(b, "[");
	for (unsigned i = 0; i < rank; i++)
		buf_printf(b, "%s%lld", i ? "," : "", (long long)dims[i]);
	buf_printf(b, "]");
}

static int wrong_shape(struct inference *inf, const struct model_tensor_info *info, const int64_t *dims, unsigned rank)
{
	struct buf declared = {0}, got = {0};

	print_shape(&declared, info->dims, (unsigned)info->rank);
	print_shape(&got, dims, rank);
	error_set(&inf->error, ERR_INVALID, "unexpected shape for input '%s' for model '%s'. Expected %s, got %s.",
		  info->name, inf->model->name, text_of(&declared), text_of(&got));
	buf_release(&declared);
	buf_release(&got);
	return inf->result = ERR_INVALID;
}

static bool shape_suits(const struct served_model *m, const struct model_tensor_info *info, const int64_t *dims,
			unsigned rank)
{
	if (info->rank != (int)rank)
		return info->rank < 0 || !m->shapes_declared;
	for (unsigned i = 0; i < rank; i++) {
		if (info->dims[i] >= 0 && info->dims[i] != dims[i])
			return false;
	}
	return true;
}

/* Of a model with a largest batch every input has the batch in front, which is the same for all of them. A graph would
 * stretch an input of one row to the rows of another. */
static int check_batch(struct inference *inf, const struct model_tensor_info *info, int64_t rows)
{
	const struct served_model *m = inf->model;
	bool same = true;

	for (size_t i = 0; i < m->ninputs && same; i++)
		same = !inf->in[i] || inf->in[i]->dims[0] == rows;
	if (rows < 1)
		error_set(&inf->error, ERR_INVALID, "inference request batch-size must be >= 1 for '%s'", m->name);
	else if (rows > (int64_t)m->max_batch_size)
		error_set(&inf->error, ERR_INVALID, "inference request batch-size must be <= %llu for '%s'",
			  (unsigned long long)m->max_batch_size, m->name);
	else if (!same)
		error_set(&inf->error, ERR_INVALID, "input '%s' batch size does not match other inputs for '%s'",
			  info->name, m->name);
	else
		return 0;
	return inf->result = ERR_INVALID;
}

static int check_shape(struct inference *inf, const struct model_tensor_info *info, const int64_t *dims, unsigned rank)
{
	const struct served_model *m = inf->model;
	bool batch = inf->dialect == DIALECT_TRITON && m->max_batch_size;

	if (batch && rank == 0) {
		error_set(&inf->error, ERR_INVALID,
			  "input '%s' has no shape but model requires batch dimension for '%s'", info->name, m->name);
		return inf->result = ERR_INVALID;
	}
	if (!shape_suits(m, info, dims, rank))
		return wrong_shape(inf, info, dims, rank);
	return batch ? check_batch(inf, info, dims[0]) : 0;
}

int inference_find(struct inference *inf, const char *name, size_t len, enum dtype dtype, const int64_t *dims,
		   unsigned rank)
{
	const struct served_model *m = inf->model;
	int shown = len < 256 ? (int)len : 255, i = served_model_input(m, name, len);
	const struct model_tensor_info *info;
	int r;

	if (i < 0)
		return unknown_input(inf, name, shown);
	info = &m->inputs[i];
	if (inf->in[i]) {
		error_set(&inf->error, ERR_INVALID, "input '%s' is given twice", info->name);
		return inf->result = ERR_INVALID;
	}
	if (info->dtype != dtype)
		return wrong_type(inf, info, (size_t)i, dtype);
	r = check_shape(inf, info, dims, rank);
	return r < 0 ? r : i;
}

void inference_set(struct inference *inf, size_t index, struct tensor *t)
{
	inf->in[index] = t;
	inf->nset++;
}

static void missing_inputs(struct inference *inf)
{
	const struct served_model *m = inf->model;
	struct buf missing = {0};

	if (inf->dialect == DIALECT_TRITON) {
		print_names(&missing, m->inputs, m->ninputs, inf->in, "'");
		error_set(
			&inf->error, ERR_INVALID,
			"expected %zu inputs but got %zu inputs for model '%s'. Missing required input(s) [%s]. Please "
			"provide all required input(s).",
			m->ninputs, inf->nset, m->name, text_of(&missing));
	} else {
		print_names(&missing, m->inputs, m->ninputs, inf->in, "");
		error_set(&inf->error, ERR_INVALID,
			  "input size does not match signature: %zu!=%zu. Missing but required: {%s}.", inf->nset,
			  m->ninputs, text_of(&missing));
	}
	buf_release(&missing);
	inf->result = ERR_INVALID;
}

static void finish(struct inference *inf, int result)
{
	inf->result = result;
	if (result < 0 && !inf->error.text[0])
		error_set(&inf->error, (enum error_code)result, "%s", error_message(result));
}

static void run_in_line(struct inference *inf)
{
	struct served_model *m = inf->model;
	struct model_context *c = NULL;
	struct job *job = &inf->job;
	int r = served_model_take(&c, m);

	job->submitted = job->started = clock_now();
	if (r == 0)
		r = model_run(c, inf->in, m->ninputs, inf->out, m->noutputs, &allocator_libc, &inf->error);
	job->finished = clock_now();
	if (c)
		served_model_give(m, c);
	finish(inf, r);
}

static size_t elements(const struct inference *inf)
{
	size_t n = 0;

	for (size_t i = 0; i < inf->model->ninputs; i++)
		n += inf->in[i]->count;
	return n;
}

/* On a worker thread. */
static void job_done(struct job *job)
{
	struct inference *inf = (struct inference *)(void *)((char *)job - offsetof(struct inference, job));

	if (job->result == 0 && !job->joined && job->batch > 0)
		run_estimate_add(&inf->model->estimate, elements(inf), job->finished - job->started);
	inf->error = job->error;
	finish(inf, job->result);
	inf->done(inf);
}

bool inference_run(struct inference *inf)
{
	struct served_model *m = inf->model;
	struct job *job = &inf->job;
	nsec_t expected;

	if (inf->result < 0)
		return true;
	if (inf->nset < m->ninputs) {
		missing_inputs(inf);
		return true;
	}
	if (!m->batching.size && run_estimate_is_quick(&m->estimate, elements(inf), &expected)) {
		run_in_line(inf);
		if (inf->result == 0)
			run_estimate_add(&m->estimate, elements(inf), job->finished - job->started);
		return true;
	}
	job->model = m->model;
	job->batching = m->batching;
	job->in = inf->in;
	job->nin = m->ninputs;
	job->out = inf->out;
	job->nout = m->noutputs;
	job->allocator = &allocator_libc;
	job->deadline = inf->deadline;
	job->done = job_done;
	queue_submit(m->queue, job);
	return false;
}

static void count(struct duration_counter *c, nsec_t ns)
{
	atomic_fetch_add_explicit(&c->count, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&c->ns, ns > 0 ? (unsigned long long)ns : 0, memory_order_relaxed);
}

static void count_request(struct inference *inf)
{
	struct model_counters *c = &inf->model->counters;
	const struct tensor *first = inf->model->ninputs ? inf->in[0] : NULL;
	unsigned long long rows = first && first->rank >= 2 ? (unsigned long long)first->dims[0] : 1;
	const struct job *job = &inf->job;
	nsec_t now = clock_now();

	atomic_fetch_sub_explicit(&c->in_flight, 1, memory_order_relaxed);
	if (inf->result < 0) {
		count(&c->fail, now - inf->received);
		return;
	}
	count(&c->success, now - inf->received);
	count(&c->compute_input, job->submitted - inf->received);
	count(&c->queue, job->started - job->submitted);
	count(&c->compute_infer, job->finished - job->started);
	count(&c->compute_output, now - job->finished);
	atomic_fetch_add_explicit(&c->inference_count, rows, memory_order_relaxed);
	if (!job->joined)
		atomic_fetch_add_explicit(&c->execution_count, 1, memory_order_relaxed);
	atomic_store_explicit(&c->last_inference_ms, (unsigned long long)(clock_wall() / NSEC_PER_MSEC),
			      memory_order_relaxed);
}

void inference_free(struct inference *inf)
{
	struct served_model *m;

	if (!inf)
		return;
	m = inf->model;
	count_request(inf);
	for (size_t i = 0; i < m->ninputs + m->noutputs; i++)
		tensor_unref(inf->in[i]);
	free(inf);
	served_model_unref(m);
}
