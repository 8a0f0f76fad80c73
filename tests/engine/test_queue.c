/*
 * queue.c and batch.c, with a model of our own in place of the engine's: y = 2 x, held at a gate on demand, so that
 * what waits in a queue is known and nothing depends on time.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "engine/queue.h"

struct model {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool gated;
	unsigned at_gate, runs, contexts;
	bool drop_row; /* outputs one row too few */
	bool broken;
};

struct model_context {
	struct model *model;
};

static void model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
}

static void gate(struct model *m, bool closed)
{
	pthread_mutex_lock(&m->lock);
	m->gated = closed;
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
}

static void wait_at_gate(struct model *m)
{
	pthread_mutex_lock(&m->lock);
	while (m->at_gate == 0)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

int model_context_new(struct model_context **ret, struct model *m, uint64_t seed)
{
	(void)seed;
	*ret = malloc(sizeof(**ret));
	assert_non_null(*ret);
	(*ret)->model = m;
	pthread_mutex_lock(&m->lock);
	m->contexts++;
	pthread_mutex_unlock(&m->lock);
	return 0;
}

void model_context_free(struct model_context *c)
{
	pthread_mutex_lock(&c->model->lock);
	c->model->contexts--;
	pthread_mutex_unlock(&c->model->lock);
	free(c);
}

int model_run(struct model_context *c, struct tensor *const *in, size_t nin, struct tensor **out, size_t nout,
	      const struct allocator *a, struct error *err)
{
	struct model *m = c->model;
	struct tensor shape = *in[0];
	int r;

	assert_int_equal(nin, 1);
	assert_int_equal(nout, 1);
	pthread_mutex_lock(&m->lock);
	m->runs++;
	m->at_gate++;
	pthread_cond_broadcast(&m->changed);
	while (m->gated)
		pthread_cond_wait(&m->changed, &m->lock);
	m->at_gate--;
	pthread_mutex_unlock(&m->lock);
	if (m->broken)
		return error_set(err, ERR_INVALID, "broken on purpose");
	if (m->drop_row)
		shape.dims[0]--;
	r = tensor_new(&out[0], shape.dtype, shape.dims, shape.rank, false, a);
	for (size_t i = 0; r == 0 && i < out[0]->count; i++)
		((float *)out[0]->data)[i] = 2 * ((const float *)in[0]->data)[i];
	return r;
}

/* One job with its tensors, and a way to wait for it. */
struct task {
	struct job job;
	struct tensor in, *in_list[1], *out[1];
	float data[8];
	pthread_mutex_t lock;
	pthread_cond_t cond;
	unsigned done;
};

static void task_done(struct job *job)
{
	struct task *t = (struct task *)((char *)job - offsetof(struct task, job));

	pthread_mutex_lock(&t->lock);
	t->done++;
	pthread_cond_signal(&t->cond);
	pthread_mutex_unlock(&t->lock);
}

static void task_init(struct task *t, struct model *m, int64_t rows, int64_t columns, float first)
{
	const int64_t dims[2] = {rows, columns};

	memset(t, 0, sizeof(*t));
	for (unsigned i = 0; i < ARRAY_LEN(t->data); i++)
		t->data[i] = first + (float)i;
	assert_int_equal(tensor_view(&t->in, DTYPE_FLOAT, dims, 2, t->data, (size_t)(rows * columns) * sizeof(float)),
			 0);
	t->in_list[0] = &t->in;
	t->job = (struct job){.model = m, .in = t->in_list, .nin = 1, .out = t->out, .nout = 1, .done = task_done};
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->cond, NULL);
}

static int task_wait(struct task *t)
{
	pthread_mutex_lock(&t->lock);
	while (!t->done)
		pthread_cond_wait(&t->cond, &t->lock);
	pthread_mutex_unlock(&t->lock);
	assert_int_equal(t->done, 1);
	return t->job.result;
}

static void task_check(struct task *t)
{
	assert_int_equal(task_wait(t), 0);
	assert_memory_equal(t->out[0]->dims, t->in.dims, 2 * sizeof(int64_t));
	for (size_t i = 0; i < t->in.count; i++)
		assert_true(((float *)t->out[0]->data)[i] == 2 * t->data[i]);
	tensor_unref(t->out[0]);
	t->out[0] = NULL;
}

static struct queue *start(unsigned threads)
{
	struct queue *q;

	assert_int_equal(queue_new(&q, &(struct queue_config){.name = "CPU", .threads = threads}, NULL), 0);
	assert_int_equal(queue_threads(q), threads);
	return q;
}

static void job_runs_and_is_handed_back(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task t;

	(void)state;
	model_init(&m);
	task_init(&t, &m, 2, 3, 1);
	queue_submit(q, &t.job);
	task_check(&t);
	assert_int_equal(t.job.batch, 2);
	assert_true(t.job.submitted <= t.job.started && t.job.started <= t.job.finished);
	assert_true(queue_cpu_time(q, 0) > 0);
	queue_free(q);
	assert_int_equal(m.contexts, 0);
}

static void failure_of_the_model_reaches_the_job(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task t;

	(void)state;
	model_init(&m);
	m.broken = true;
	task_init(&t, &m, 1, 1, 1);
	queue_submit(q, &t.job);
	assert_int_equal(task_wait(&t), ERR_INVALID);
	assert_string_equal(t.job.error.text, "broken on purpose");
	assert_null(t.out[0]);
	queue_free(q);
}

static void late_job_is_answered_without_running(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task first, late, next;

	(void)state;
	model_init(&m);
	gate(&m, true);
	task_init(&first, &m, 1, 1, 1);
	task_init(&late, &m, 1, 1, 2);
	task_init(&next, &m, 1, 1, 3);
	late.job.deadline = 1;
	first.job.deadline = INT64_MAX;
	queue_submit(q, &first.job);
	wait_at_gate(&m);
	queue_submit(q, &late.job);
	queue_submit(q, &next.job);
	gate(&m, false);
	assert_int_equal(task_wait(&late), ERR_TIMEOUT);
	assert_null(late.out[0]);
	task_check(&first);
	task_check(&next);
	assert_int_equal(m.runs, 2);
	queue_free(q);
}

static void cancel_ends_what_waits_of_one_model(void **state)
{
	struct queue *q = start(1);
	struct model gated, gone, kept;
	struct task a, b, c;

	(void)state;
	model_init(&gated);
	model_init(&gone);
	model_init(&kept);
	gate(&gated, true);
	task_init(&a, &gated, 1, 1, 1);
	task_init(&b, &gone, 1, 1, 2);
	task_init(&c, &kept, 1, 1, 3);
	queue_submit(q, &a.job);
	wait_at_gate(&gated);
	queue_submit(q, &b.job);
	queue_submit(q, &c.job);
	queue_cancel(q, &gone);
	assert_int_equal(task_wait(&b), ERR_CANCELED);
	gate(&gated, false);
	task_check(&a);
	task_check(&c);
	assert_int_equal(gone.runs, 0);
	queue_free(q);
}

static void end_of_the_queue_cancels_what_waits(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task t;

	(void)state;
	model_init(&m);
	task_init(&t, &m, 1, 1, 1);
	t.job.batching = (struct batching){.size = 4, .min_size = 4};
	queue_submit(q, &t.job);
	queue_free(q);
	assert_int_equal(task_wait(&t), ERR_CANCELED);
}

static void ready_jobs_are_joined_up_to_the_batch_size(void **state)
{
	struct queue *q = start(1);
	struct model m, gated;
	struct task hold, t[5];

	(void)state;
	model_init(&gated);
	model_init(&m);
	gate(&gated, true);
	task_init(&hold, &gated, 1, 1, 1);
	queue_submit(q, &hold.job);
	wait_at_gate(&gated);
	for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
		task_init(&t[i], &m, 1, 2, (float)i);
		t[i].job.batching.size = 4;
		queue_submit(q, &t[i].job);
	}
	gate(&gated, false);
	for (unsigned i = 0; i < ARRAY_LEN(t); i++)
		task_check(&t[i]);
	task_check(&hold);
	assert_int_equal(m.runs, 2);
	assert_int_equal(t[0].job.batch, 4);
	assert_int_equal(t[3].job.batch, 4);
	assert_int_equal(t[4].job.batch, 1);
	queue_free(q);
}

static void other_shapes_and_full_requests_run_alone(void **state)
{
	struct queue *q = start(1);
	struct model m, gated;
	struct task hold, a, other, b, full;

	(void)state;
	model_init(&gated);
	model_init(&m);
	gate(&gated, true);
	task_init(&hold, &gated, 1, 1, 1);
	queue_submit(q, &hold.job);
	wait_at_gate(&gated);
	task_init(&a, &m, 1, 2, 1);
	task_init(&other, &m, 1, 3, 2);
	task_init(&b, &m, 2, 2, 3);
	task_init(&full, &m, 4, 1, 4);
	a.job.batching.size = other.job.batching.size = b.job.batching.size = full.job.batching.size = 4;
	queue_submit(q, &a.job);
	queue_submit(q, &other.job);
	queue_submit(q, &b.job);
	queue_submit(q, &full.job);
	gate(&gated, false);
	task_check(&a);
	task_check(&other);
	task_check(&b);
	task_check(&full);
	task_check(&hold);
	assert_int_equal(a.job.batch, 3);
	assert_int_equal(b.job.batch, 3);
	assert_int_equal(other.job.batch, 1);
	assert_int_equal(full.job.batch, 4);
	queue_free(q);
}

static void small_batch_waits_for_others_but_not_in_their_way(void **state)
{
	struct queue *q = start(1);
	struct model m, free_model;
	struct task first, second, between;

	(void)state;
	model_init(&m);
	model_init(&free_model);
	task_init(&first, &m, 1, 2, 1);
	task_init(&second, &m, 1, 2, 5);
	task_init(&between, &free_model, 1, 1, 9);
	first.job.batching = second.job.batching = (struct batching){.size = 8, .min_size = 2};
	queue_submit(q, &first.job);
	queue_submit(q, &between.job);
	task_check(&between);
	assert_int_equal(m.runs, 0);
	queue_submit(q, &second.job);
	task_check(&first);
	task_check(&second);
	assert_int_equal(m.runs, 1);
	queue_free(q);
}

static void small_batch_runs_after_its_timeout(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task t;

	(void)state;
	model_init(&m);
	task_init(&t, &m, 1, 2, 1);
	t.job.batching = (struct batching){.size = 8, .min_size = 2, .min_timeout = NSEC_PER_MSEC};
	queue_submit(q, &t.job);
	task_check(&t);
	assert_true(t.job.started - t.job.submitted >= NSEC_PER_MSEC);
	queue_free(q);
}

static void deadline_ends_the_wait_for_a_batch(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task t;

	(void)state;
	model_init(&m);
	task_init(&t, &m, 1, 2, 1);
	t.job.batching = (struct batching){.size = 8, .min_size = 2};
	t.job.deadline = clock_now() + NSEC_PER_MSEC;
	queue_submit(q, &t.job);
	assert_int_equal(task_wait(&t), ERR_TIMEOUT);
	queue_free(q);
}

static void wrong_number_of_output_rows_fails_the_whole_batch(void **state)
{
	struct queue *q = start(1);
	struct model m;
	struct task a, b;

	(void)state;
	model_init(&m);
	m.drop_row = true;
	task_init(&a, &m, 1, 2, 1);
	task_init(&b, &m, 1, 2, 1);
	a.job.batching = b.job.batching = (struct batching){.size = 2, .min_size = 2};
	queue_submit(q, &a.job);
	queue_submit(q, &b.job);
	assert_int_equal(task_wait(&a), ERR_WRONG);
	assert_int_equal(task_wait(&b), ERR_WRONG);
	assert_string_equal(b.job.error.text, "Model did not generate the expected batch size");
	assert_null(a.out[0]);
	assert_null(b.out[0]);
	queue_free(q);
}

static void forgotten_model_leaves_no_context(void **state)
{
	struct queue *q = start(2);
	struct model a, b;
	struct task t[2];

	(void)state;
	model_init(&a);
	model_init(&b);
	task_init(&t[0], &a, 1, 1, 1);
	task_init(&t[1], &b, 1, 1, 1);
	queue_submit(q, &t[0].job);
	queue_submit(q, &t[1].job);
	task_check(&t[0]);
	task_check(&t[1]);
	queue_forget(q, &a);
	assert_int_equal(a.contexts, 0);
	assert_int_equal(b.contexts, 1);
	queue_free(q);
	assert_int_equal(b.contexts, 0);
}

#define SUBMITTERS 4
#define JOBS_EACH 200

struct submitter {
	pthread_t thread;
	struct queue *queue;
	struct model *model;
	unsigned failures;
};

static void *submit_many(void *arg)
{
	struct submitter *s = arg;

	for (unsigned i = 0; i < JOBS_EACH; i++) {
		struct task t;

		task_init(&t, s->model, 1, 2, (float)i);
		t.job.batching.size = i % 2 ? 4 : 0;
		queue_submit(s->queue, &t.job);
		s->failures += task_wait(&t) != 0 || ((float *)t.out[0]->data)[1] != 2 * t.data[1];
		tensor_unref(t.out[0]);
	}
	return NULL;
}

static void many_threads_share_a_queue(void **state)
{
	struct queue *q = start(3);
	struct submitter s[SUBMITTERS];
	struct model m;

	(void)state;
	model_init(&m);
	for (unsigned i = 0; i < SUBMITTERS; i++) {
		s[i] = (struct submitter){.queue = q, .model = &m};
		assert_int_equal(pthread_create(&s[i].thread, NULL, submit_many, &s[i]), 0);
	}
	for (unsigned i = 0; i < SUBMITTERS; i++) {
		pthread_join(s[i].thread, NULL);
		assert_int_equal(s[i].failures, 0);
	}
	queue_forget(q, &m);
	assert_int_equal(m.contexts, 0);
	queue_free(q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(job_runs_and_is_handed_back),
		cmocka_unit_test(failure_of_the_model_reaches_the_job),
		cmocka_unit_test(late_job_is_answered_without_running),
		cmocka_unit_test(cancel_ends_what_waits_of_one_model),
		cmocka_unit_test(end_of_the_queue_cancels_what_waits),
		cmocka_unit_test(ready_jobs_are_joined_up_to_the_batch_size),
		cmocka_unit_test(other_shapes_and_full_requests_run_alone),
		cmocka_unit_test(small_batch_waits_for_others_but_not_in_their_way),
		cmocka_unit_test(small_batch_runs_after_its_timeout),
		cmocka_unit_test(deadline_ends_the_wait_for_a_batch),
		cmocka_unit_test(wrong_number_of_output_rows_fails_the_whole_batch),
		cmocka_unit_test(forgotten_model_leaves_no_context),
		cmocka_unit_test(many_threads_share_a_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
