/*
 * dag_run.c - runs the operations of a command: in line while they are quick, then on the devices' queues.
 */
#include <stdio.h>

#include "common/arith.h"
#include "servers/redisai/module.h"

#define NO_EDGE UINT32_MAX

/* One operation as a job. */
struct dag_job {
	struct job job;
	struct dag *dag;
	struct script_call call;
	struct dag_job *ready; /* list of jobs to submit now */
	uint32_t op;
	uint32_t waits;       /* for this many other jobs */
	uint32_t first_after; /* list of the jobs that wait for this one */
};

struct dag_edge {
	uint32_t job, next;
};

/* Fills the operation's inputs from their slots. False while one of them is still to be made. */
static bool gather_inputs(struct dag *d, const struct dag_op *op)
{
	for (uint32_t i = 0; i < op->nin; i++) {
		struct tensor *t = d->slots[d->index[op->in + i]].tensor;

		if (!t)
			return false;
		d->tensors[op->in + i] = t;
	}
	for (uint32_t i = 0; i < op->nout; i++)
		d->tensors[op->out + i] = NULL;
	return true;
}

static size_t input_elements(const struct dag *d, const struct dag_op *op)
{
	size_t n = 0;

	for (uint32_t i = 0; i < op->nin; i++)
		n += d->tensors[op->in + i]->count;
	return n;
}

static bool runs_something(const struct dag_op *op)
{
	return op->kind == OP_MODEL || op->kind == OP_SCRIPT;
}

static struct device *device_of(const struct dag_op *op)
{
	return op->kind == OP_MODEL ? op->model->stored.device : op->script->stored.device;
}

/* joined: the operation was part of another's run, which counts it. */
static void count_op(struct dag *d, struct dag_op *op, int result, nsec_t run_time, bool joined)
{
	if (op->kind == OP_SCRIPT)
		run_count(&op->script->stored.counters, run_time, 0, result < 0);
	else if (!joined)
		stored_model_count(op->model, run_time, result < 0 ? NULL : d->tensors[op->out], result < 0);
	else if (result == 0)
		stored_model_count_joined(op->model, d->tensors[op->out]);
}

/* The operation has run, on this thread or on a worker's. */
static void finish_op(struct dag *d, struct dag_op *op, int result, const char *text, nsec_t run_time, bool joined)
{
	count_op(d, op, result, run_time, joined);
	if (result < 0) {
		size_t len = strlen(text) + sizeof("ERR ");

		op->state = OP_FAILED;
		d->failed = true;
		op->error = redis_allocator.alloc(len);
		if (op->error)
			snprintf(op->error, len, "ERR %s", text);
		return;
	}
	for (uint32_t i = 0; i < op->nout; i++)
		d->slots[d->index[op->out + i]].tensor = d->tensors[op->out + i];
	op->state = OP_DONE;
	if (op->kind == OP_MODEL)
		run_estimate_add(&op->model->estimate, input_elements(d, op), run_time);
}

static void run_in_line(struct dag *d, struct dag_op *op)
{
	struct stored_model *m = op->model;
	struct error err;
	nsec_t started = clock_now();
	int r = 0;

	err.text[0] = '\0';
	if (!m->inline_context)
		r = model_context_new(&m->inline_context, m->model, (uint64_t)started);
	if (r == 0)
		r = model_run(m->inline_context, d->tensors + op->in, op->nin, d->tensors + op->out, op->nout,
			      &redis_allocator, &err);
	if (r < 0 && !err.text[0])
		error_set(&err, (enum error_code)r, "%s", error_message(r));
	finish_op(d, op, r, err.text, clock_now() - started, false);
}

/* Runs operations in order as long as all of them together are quick. Returns the first that did not run. */
static uint32_t run_quick_ops(struct dag *d)
{
	nsec_t total = 0, run_time;
	uint32_t i;

	for (i = 0; i < d->nops && !d->failed; i++) {
		struct dag_op *op = &d->ops[i];

		if (!runs_something(op))
			continue;
		if (op->kind == OP_SCRIPT || !gather_inputs(d, op) ||
		    !stored_model_is_quick(op->model, input_elements(d, op), &run_time))
			return i;
		total += run_time;
		if (total > RUN_QUICK_MAX)
			return i;
		run_in_line(d, op);
	}
	return d->nops;
}

static void submit(struct dag_job *j)
{
	struct dag *d = j->dag;
	struct dag_op *op = &d->ops[j->op];

	gather_inputs(d, op);
	if (op->kind == OP_MODEL)
		stored_model_submit(op->model, &j->job);
	else
		queue_submit(op->script->stored.device->queue, &j->job);
}

static const char *job_error(const struct dag_job *j)
{
	const struct dag_op *op = &j->dag->ops[j->op];

	if (j->job.result == ERR_CANCELED)
		return "the model was deleted or replaced while the command waited for its batch";
	if (j->job.result == ERR_WRONG && op->kind == OP_MODEL && op->model->stored.backend == BACKEND_TF)
		return "Tensorflow batching error: model did not generate the expected batch size";
	return j->job.error.text;
}

/* On a worker thread, or on the one that cancels. */
static void job_done(struct job *job)
{
	struct dag_job *j = (struct dag_job *)(void *)((char *)job - offsetof(struct dag_job, job)), *ready = NULL;
	struct dag *d = j->dag;
	bool finished;

	pthread_mutex_lock(&d->lock);
	if (job->result == ERR_TIMEOUT)
		d->timed_out = true;
	else
		finish_op(d, &d->ops[j->op], job->result, job_error(j), job->finished - job->started, job->joined);
	for (uint32_t e = j->first_after; e != NO_EDGE; e = d->edges[e].next) {
		struct dag_job *after = &d->jobs[d->edges[e].job];

		if (--after->waits == 0 && !d->failed && !d->timed_out) {
			after->ready = ready;
			ready = after;
			d->pending++;
		}
	}
	finished = --d->pending == 0;
	pthread_mutex_unlock(&d->lock);
	/* Unless finished, d is only there as long as a job of the list has not run. */
	while (ready) {
		struct dag_job *next = ready->ready;

		submit(ready);
		ready = next;
	}
	if (finished) {
		RedisModule_BlockedClientMeasureTimeEnd(d->client);
		RedisModule_UnblockClient(d->client, d);
	}
}

static void add_edge(struct dag *d, uint32_t *nedges, uint32_t from, uint32_t to)
{
	d->edges[*nedges] = (struct dag_edge){to, d->jobs[from].first_after};
	d->jobs[from].first_after = (*nedges)++;
	d->jobs[to].waits++;
}

/* On a worker thread. */
static int run_script(struct job *job)
{
	struct dag_job *j = (struct dag_job *)(void *)((char *)job - offsetof(struct dag_job, job));
	const struct stored_script *s = j->dag->ops[j->op].script;

	return s->ops->script_run(s->script, &j->call, &job->error);
}

/* texts: of all words of the command. */
static void init_call(struct dag *d, const struct dag_op *op, struct script_call *call, const struct text *texts)
{
	*call = (struct script_call){
		.function = texts[op->words].data,
		.inputs = d->tensors + op->in,
		.ninputs = op->nin,
		.list_at = op->list_at,
		.keys = texts + op->words + 1,
		.nkeys = op->nkeys,
		.args = texts + op->words + 1 + op->nkeys,
		.nargs = op->nargs,
		.outputs = d->tensors + op->out,
		.noutputs = op->nout,
		.allocator = &redis_allocator,
	};
}

static void init_job(struct dag *d, uint32_t at, uint32_t op_index, const struct text *texts)
{
	struct dag_op *op = &d->ops[op_index];
	struct dag_job *j = &d->jobs[at];

	*j = (struct dag_job){.dag = d, .op = op_index, .first_after = NO_EDGE};
	if (op->kind == OP_MODEL) {
		j->job.model = op->model->model;
		j->job.batching = op->model->batching;
	} else {
		j->job.run = run_script;
		init_call(d, op, &j->call, texts);
	}
	j->job.in = d->tensors + op->in;
	j->job.nin = op->nin;
	j->job.out = d->tensors + op->out;
	j->job.nout = op->nout;
	j->job.allocator = &redis_allocator;
	j->job.deadline = d->deadline;
	j->job.done = job_done;
}

/* Jobs for the operations from first_op on, and who waits for whom: for inputs, and for the one before on a device. */
static int make_jobs(struct dag *d, uint32_t first_op, uint32_t *ret_njobs)
{
	uint32_t last_on[DEVICES_MAX], njobs = 0, max_jobs = 0, max_edges = 0, nedges = 0, *maker;
	size_t jobs_size, edges_size, size;
	struct text *texts;

	for (uint32_t i = first_op; i < d->nops; i++) {
		if (runs_something(&d->ops[i])) {
			max_jobs++;
			max_edges += 1 + d->ops[i].nin;
		}
	}
	if (!size_mul(&jobs_size, max_jobs, sizeof(struct dag_job)) ||
	    !size_mul(&edges_size, max_edges, sizeof(struct dag_edge)) || !size_add(&size, jobs_size, edges_size) ||
	    !size_add(&size, size, d->nwords * sizeof(*texts)) || !size_add(&size, size, d->nslots * sizeof(*maker)))
		return ERR_RANGE;
	d->jobs = redis_allocator.alloc(size);
	if (!d->jobs)
		return ERR_NOMEM;
	texts = (struct text *)(void *)(d->jobs + max_jobs);
	for (uint32_t i = 0; i < d->nwords; i++)
		texts[i].data = RedisModule_StringPtrLen(d->words[i], &texts[i].len);
	d->edges = (struct dag_edge *)(void *)(texts + d->nwords);
	maker = (uint32_t *)(void *)(d->edges + max_edges); /* of a slot: the job, plus one */
	memset(maker, 0, d->nslots * sizeof(*maker));
	memset(last_on, 0, sizeof(last_on));
	for (uint32_t i = first_op; i < d->nops; i++) {
		struct dag_op *op = &d->ops[i];
		uint32_t *last;

		if (!runs_something(op))
			continue;
		init_job(d, njobs, i, texts);
		last = &last_on[device_of(op) - redisai.devices.list];
		if (*last)
			add_edge(d, &nedges, *last - 1, njobs);
		for (uint32_t k = 0; k < op->nin; k++) {
			uint32_t from = maker[d->index[op->in + k]];

			if (from)
				add_edge(d, &nedges, from - 1, njobs);
		}
		for (uint32_t k = 0; k < op->nout; k++)
			maker[d->index[op->out + k]] = njobs + 1;
		*last = ++njobs;
	}
	*ret_njobs = njobs;
	return 0;
}

static int reply_later(struct RedisModuleCtx *ctx, struct RedisModuleString **argv, int argc)
{
	(void)argv;
	(void)argc;
	return dag_reply(RedisModule_GetBlockedClientPrivateData(ctx), ctx);
}

static void free_later(struct RedisModuleCtx *ctx, void *data)
{
	(void)ctx;
	dag_free(data);
}

/* Blocks the client and sends the operations from first_op on to their queues. */
static int defer(struct dag *d, struct RedisModuleCtx *ctx, uint32_t first_op)
{
	struct dag_job *ready = NULL;
	uint32_t njobs;

	if (make_jobs(d, first_op, &njobs) < 0) {
		dag_free(d);
		return RedisModule_ReplyWithError(ctx, ERROR_OUT_OF_MEMORY);
	}
	for (uint32_t i = 0; i < d->npersist; i++)
		d->persist[i].key = RedisModule_HoldString(NULL, d->persist[i].key);
	for (uint32_t i = 0; i < d->nwords; i++)
		d->words[i] = RedisModule_HoldString(NULL, d->words[i]);
	pthread_mutex_init(&d->lock, NULL);
	d->client = RedisModule_BlockClient(ctx, reply_later, NULL, free_later, 0);
	RedisModule_BlockedClientMeasureTimeStart(d->client);
	/* What is ready is listed before the first job may end. */
	d->pending = 0;
	for (uint32_t i = njobs; i-- > 0;) {
		if (d->jobs[i].waits == 0) {
			d->jobs[i].ready = ready;
			ready = &d->jobs[i];
			d->pending++;
		}
	}
	while (ready) {
		struct dag_job *next = ready->ready;

		submit(ready);
		ready = next;
	}
	return REDISMODULE_OK;
}

int dag_run(struct dag *d, struct RedisModuleCtx *ctx)
{
	uint32_t first = run_quick_ops(d);
	int r;

	if (first < d->nops && !d->failed) {
		if (RedisModule_GetContextFlags(ctx) & REDISMODULE_CTX_FLAGS_DENY_BLOCKING) {
			dag_free(d);
			return RedisModule_ReplyWithError(ctx, ERROR_NO_TRANSACTION);
		}
		return defer(d, ctx, first);
	}
	r = dag_reply(d, ctx);
	dag_free(d);
	return r;
}
