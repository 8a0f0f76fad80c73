/*
 * queue.c - worker threads of one device, their model contexts, and the joining of jobs to batches.
 *
 * One lock guards the list of waiting jobs and the workers' tables of contexts; a context itself is used outside of
 * the lock by its own worker only, which names the model in `running` meanwhile.
 */
#include "engine/queue.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "engine/batch.h"

/* OpenMP's own entry; per calling thread. Declared here because clang ships no omp.h without its own runtime. */
extern void omp_set_num_threads(int n);

#define CONTEXT_BUCKETS 64
#define RETRY_AFTER (100 * NSEC_PER_MSEC)

struct context {
	struct context *next;
	struct model *model;
	struct model_context *context;
};

struct worker {
	struct queue *queue;
	unsigned index;
	pthread_t thread;
	bool started;
	struct model *running; /* whose context is in use now; NULL: none */
	struct context *contexts[CONTEXT_BUCKETS];
	struct batch batch;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t work; /* a job came in, or the end */
	pthread_cond_t idle; /* a worker let go of its context */
	struct job *first, **last;
	bool stop;
	unsigned nthreads, intra_op;
	uint64_t seed;
	char name[16];
	struct worker *workers;
};

static unsigned bucket_of(const struct model *m)
{
	return (unsigned)(((uintptr_t)m >> 6) % CONTEXT_BUCKETS);
}

/* With the lock held; it is let go while a new context is made. */
static int context_get(struct worker *w, struct model *m, struct model_context **ret)
{
	struct queue *q = w->queue;
	struct context **bucket = &w->contexts[bucket_of(m)], *c;
	int r;

	for (c = *bucket; c; c = c->next) {
		if (c->model == m) {
			*ret = c->context;
			return 0;
		}
	}
	pthread_mutex_unlock(&q->lock);
	c = calloc(1, sizeof(*c));
	r = c ? model_context_new(&c->context, m, q->seed + w->index) : ERR_NOMEM;
	pthread_mutex_lock(&q->lock);
	if (r < 0) {
		free(c);
		return r;
	}
	c->model = m;
	c->next = *bucket;
	*bucket = c;
	*ret = c->context;
	return 0;
}

static void finish(struct job *job, int result)
{
	job->result = result;
	if (result < 0 && !job->error.text[0])
		error_set(&job->error, (enum error_code)result, "%s", error_message(result));
	job->done(job);
}

static struct job *list_remove(struct queue *q, struct job **at)
{
	struct job *job = *at;

	*at = job->next;
	if (q->last == &job->next)
		q->last = at;
	job->next = NULL;
	return job;
}

/* Joins what may run with `first` from the jobs behind it; with `take` they leave the list. */
static bool gather(struct queue *q, struct batch *b, struct job *first, nsec_t now, bool take)
{
	if (!batch_start(b, first))
		return false;
	for (struct job **at = &first->next; *at && batch_wants(b);) {
		bool late = (*at)->deadline && now >= (*at)->deadline;

		if (!late && batch_add(b, *at) && take)
			list_remove(q, at);
		else
			at = &(*at)->next;
	}
	return true;
}

/*
 * With the lock held: the next jobs to run are moved from the list to the worker's batch, the ones that are too late
 * to *ret_late. Where none is ready, *ret_wake is when one will be without anything else happening.
 */
static bool take_jobs(struct worker *w, nsec_t now, struct job **ret_late, nsec_t *ret_wake)
{
	struct queue *q = w->queue;
	struct batch *b = &w->batch;

	*ret_wake = NSEC_NEVER;
	for (struct job **at = &q->first; *at;) {
		struct job *job = *at;
		const struct batching *batching = &job->batching;
		nsec_t full = batching->min_timeout > 0 ? job->submitted + batching->min_timeout : NSEC_NEVER;

		if (job->deadline && now >= job->deadline) {
			list_remove(q, at);
			job->next = *ret_late;
			*ret_late = job;
			continue;
		}
		if (batching->min_size == 0 || now > full ||
		    (gather(q, b, job, now, false) && (b->rows == 0 || b->rows >= batching->min_size))) {
			if (!gather(q, b, job, now, true)) {
				*ret_wake = now + RETRY_AFTER; /* out of memory */
				break;
			}
			list_remove(q, at);
			return true;
		}
		if (full < *ret_wake)
			*ret_wake = full + 1;
		if (job->deadline && job->deadline < *ret_wake)
			*ret_wake = job->deadline;
		at = &job->next;
	}
	b->njobs = 0;
	return false;
}

static void run_jobs(struct worker *w, struct job *late)
{
	struct queue *q = w->queue;
	struct batch *b = &w->batch;
	struct model_context *c = NULL;
	nsec_t started, finished;
	int r = 0;

	w->running = b->njobs ? b->jobs[0]->model : NULL;
	if (w->running)
		r = context_get(w, w->running, &c);
	pthread_mutex_unlock(&q->lock);
	while (late) {
		struct job *job = late;

		late = job->next;
		job->started = job->finished = clock_now();
		finish(job, ERR_TIMEOUT);
	}
	started = clock_now();
	if (b->njobs && r == 0)
		r = c ? batch_run(b, c) : b->jobs[0]->run(b->jobs[0]);
	finished = clock_now();

	pthread_mutex_lock(&q->lock);
	if (w->running) {
		w->running = NULL;
		pthread_cond_broadcast(&q->idle);
	}
	pthread_mutex_unlock(&q->lock);
	for (size_t i = 0; i < b->njobs; i++) {
		b->jobs[i]->joined = i > 0;
		b->jobs[i]->started = started;
		b->jobs[i]->finished = finished;
		finish(b->jobs[i], r);
	}
	b->njobs = 0;
	pthread_mutex_lock(&q->lock);
}

static void wait_until(struct queue *q, nsec_t wake)
{
	struct timespec ts = {.tv_sec = wake / NSEC_PER_SEC, .tv_nsec = wake % NSEC_PER_SEC};

	if (wake == NSEC_NEVER)
		pthread_cond_wait(&q->work, &q->lock);
	else
		pthread_cond_timedwait(&q->work, &q->lock, &ts);
}

void queue_set_intra_op(unsigned threads)
{
	omp_set_num_threads(threads ? (int)threads : 1);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->queue;
	char name[16];

	snprintf(name, sizeof(name), "%.11s/%u", q->name, w->index % 1000);
	pthread_setname_np(pthread_self(), name);
	queue_set_intra_op(q->intra_op);

	pthread_mutex_lock(&q->lock);
	while (!q->stop) {
		struct job *late = NULL;
		nsec_t wake = NSEC_NEVER;
		bool ready = q->first && take_jobs(w, clock_now(), &late, &wake);

		if (ready || late)
			run_jobs(w, late);
		else
			wait_until(q, wake);
	}
	pthread_mutex_unlock(&q->lock);
	return NULL;
}

int queue_new(struct queue **ret, const struct queue_config *cfg, struct error *err)
{
	struct queue *q = calloc(1, sizeof(*q));
	pthread_condattr_t attr;
	unsigned i;
	int e = 0;

	if (!q)
		return error_set(err, ERR_NOMEM, "queue %s: out of memory", cfg->name);
	q->nthreads = cfg->threads ? cfg->threads : 1;
	q->intra_op = cfg->intra_op;
	q->seed = cfg->seed;
	q->last = &q->first;
	snprintf(q->name, sizeof(q->name), "%s", cfg->name);
	q->workers = calloc(q->nthreads, sizeof(*q->workers));
	if (!q->workers) {
		free(q);
		return error_set(err, ERR_NOMEM, "queue %s: out of memory", cfg->name);
	}
	pthread_mutex_init(&q->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&q->work, &attr);
	pthread_cond_init(&q->idle, &attr);
	pthread_condattr_destroy(&attr);
	for (i = 0; i < q->nthreads && e == 0; i++) {
		q->workers[i].queue = q;
		q->workers[i].index = i;
		e = pthread_create(&q->workers[i].thread, NULL, worker_main, &q->workers[i]);
		q->workers[i].started = e == 0;
	}
	if (e) {
		queue_free(q);
		return error_set_errno(err, ERR_IO, e, "queue %s: cannot start worker thread %u", cfg->name, i);
	}
	*ret = q;
	return 0;
}

/* Moves the waiting jobs of model (NULL: all) to a list of their own. */
static struct job *take_waiting(struct queue *q, const struct model *model)
{
	struct job *list = NULL, **end = &list;

	pthread_mutex_lock(&q->lock);
	for (struct job **at = &q->first; *at;) {
		if (model && (*at)->model != model) {
			at = &(*at)->next;
			continue;
		}
		*end = list_remove(q, at);
		end = &(*end)->next;
	}
	pthread_mutex_unlock(&q->lock);
	return list;
}

static void cancel_all(struct job *list)
{
	while (list) {
		struct job *job = list;

		list = job->next;
		job->next = NULL;
		job->started = job->finished = clock_now();
		finish(job, ERR_CANCELED);
	}
}

void queue_cancel(struct queue *q, const struct model *model)
{
	cancel_all(take_waiting(q, model));
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	pthread_mutex_lock(&q->lock);
	q->stop = true;
	pthread_cond_broadcast(&q->work);
	pthread_mutex_unlock(&q->lock);
	for (unsigned i = 0; i < q->nthreads; i++) {
		if (q->workers[i].started)
			pthread_join(q->workers[i].thread, NULL);
	}
	cancel_all(take_waiting(q, NULL));
	for (unsigned i = 0; i < q->nthreads; i++) {
		for (unsigned b = 0; b < CONTEXT_BUCKETS; b++) {
			for (struct context *c = q->workers[i].contexts[b], *next; c; c = next) {
				next = c->next;
				model_context_free(c->context);
				free(c);
			}
		}
		batch_release(&q->workers[i].batch);
	}
	pthread_cond_destroy(&q->idle);
	pthread_cond_destroy(&q->work);
	pthread_mutex_destroy(&q->lock);
	free(q->workers);
	free(q);
}

void queue_submit(struct queue *q, struct job *job)
{
	job->next = NULL;
	job->result = 0;
	job->error.text[0] = '\0';
	job->batch = 0;
	job->joined = false;
	job->submitted = clock_now();
	pthread_mutex_lock(&q->lock);
	*q->last = job;
	q->last = &job->next;
	/* A worker that waits for its batch to fill may be the one that is woken, so that all of them look. */
	if (job->batching.min_size)
		pthread_cond_broadcast(&q->work);
	else
		pthread_cond_signal(&q->work);
	pthread_mutex_unlock(&q->lock);
}

void queue_forget(struct queue *q, struct model *model)
{
	struct context *gone = NULL;

	pthread_mutex_lock(&q->lock);
	for (unsigned i = 0; i < q->nthreads; i++) {
		struct worker *w = &q->workers[i];
		struct context **at = &w->contexts[bucket_of(model)];

		while (w->running == model)
			pthread_cond_wait(&q->idle, &q->lock);
		while (*at) {
			struct context *c = *at;

			if (c->model != model) {
				at = &c->next;
				continue;
			}
			*at = c->next;
			c->next = gone;
			gone = c;
		}
	}
	pthread_mutex_unlock(&q->lock);
	while (gone) {
		struct context *c = gone;

		gone = c->next;
		model_context_free(c->context);
		free(c);
	}
}

nsec_t queue_cpu_time(const struct queue *q, unsigned thread)
{
	struct timespec ts;
	clockid_t clock;

	if (thread >= q->nthreads || !q->workers[thread].started ||
	    pthread_getcpuclockid(q->workers[thread].thread, &clock) != 0 || clock_gettime(clock, &ts) != 0)
		return 0;
	return timespec_to_nsec(&ts);
}

unsigned queue_threads(const struct queue *q)
{
	return q->nthreads;
}
