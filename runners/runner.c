/*
 * runner.c - sets a run up, lets its threads go, and has gathered what they found out.
 */
#include "runners/runner.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "runners/gather.h"
#include "runners/network.h"
#include "runners/reporter.h"
#include "runners/sigbus.h"
#include "runners/timer_probe.h"
#include "runners/usage.h"
#include "runners/worker.h"

#define THREADS_AWAKE (2 * NSEC_PER_MSEC)

unsigned run_default_threads(unsigned workers)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned half = cores > 1 ? (unsigned)(cores / 2) : 1;

	return workers < half ? (workers > 0 ? workers : 1) : half;
}

static nsec_t schedule_length(const struct run_config *cfg)
{
	return cfg->arrival == ARRIVAL_CLOSED ? NSEC_NEVER : rate_schedule_duration(&cfg->schedule);
}

static int check_config(const struct run_config *cfg, struct error *err)
{
	if (cfg->what.batch == 0)
		return error_set(err, ERR_USAGE, "a tensor batch of 0 inferences is out of range");
	if (cfg->workers == 0 || cfg->workers > RUN_WORKERS_MAX)
		return error_set(err, ERR_USAGE, "%u workers are out of the range 1 to %d", cfg->workers,
				 RUN_WORKERS_MAX);
	if (cfg->limit && cfg->limit < cfg->what.batch)
		return error_set(err, ERR_USAGE, "a limit of %ju inferences is less than one tensor batch of %u",
				 (uintmax_t)cfg->limit, cfg->what.batch);
	if (cfg->limit && cfg->burn_in >= cfg->limit)
		return error_set(err, ERR_USAGE,
				 "a burn-in of %ju inferences leaves nothing of the limit of %ju to measure: lower "
				 "-burn-in or raise -max-queries",
				 (uintmax_t)cfg->burn_in, (uintmax_t)cfg->limit);
	if (cfg->arrival != ARRIVAL_CLOSED && rate_schedule_check(&cfg->schedule) < 0)
		return error_set(err, ERR_RANGE, "a rate is out of the range %g to %g inferences/s", ARRIVAL_RATE_MIN,
				 ARRIVAL_RATE_MAX);
	if (cfg->repeat && !cfg->limit && cfg->duration == 0 && !cfg->windows.ended && !cfg->scenario.scenario &&
	    schedule_length(cfg) == NSEC_NEVER)
		return error_set(err, ERR_USAGE,
				 "a dataset that is repeated never ends: pass -max-queries, -duration or a -rate that "
				 "ends");
	return 0;
}

/* How many requests there are, of which how many are the burn-in. */
static int count_requests(struct shared *s, struct error *err)
{
	const struct run_config *cfg = s->cfg;
	uint64_t batch = cfg->what.batch, batches = dataset_batches(s->dataset);

	s->requests = cfg->limit ? cfg->limit / batch : UINT64_MAX;
	if (batches < s->requests && !cfg->repeat)
		s->requests = batches;
	s->burn_in_requests = cfg->burn_in / batch + (cfg->burn_in % batch != 0);
	if (s->burn_in_requests >= s->requests)
		return error_set(err, ERR_RANGE,
				 "a burn-in of %ju inferences leaves nothing to measure of the %ju that the dataset "
				 "and the limit allow: lower -burn-in or take a larger dataset",
				 (uintmax_t)cfg->burn_in, (uintmax_t)(s->requests * batch));
	atomic_store(&s->burn_in_left, s->burn_in_requests);
	s->burn_in_done = s->burn_in_requests == 0;
	s->wanted = cfg->at_least / batch + (cfg->at_least % batch != 0);
	return 0;
}

/* Answers to be compared with, or recorded, belong to a dataset, which its first row identifies. */
static int open_answers(struct shared *s, const void *first_row, struct error *err)
{
	const struct run_config *cfg = s->cfg;
	struct answers_dataset d = {
		.use_case = cfg->workload->name,
		.row_size = cfg->workload->spec(s->workload)->row_size,
		.first_id = s->first_id,
		.rows = dataset_batches(s->dataset),
	};
	int r = 0;

	if (!cfg->verify.answers && !cfg->record)
		return 0;
	if (d.rows != UINT64_MAX)
		d.rows *= cfg->what.batch;
	d.checksum = answers_checksum(first_row, d.row_size);
	if (cfg->verify.answers)
		r = answers_check_dataset(cfg->verify.answers, &d, err);
	if (r == 0 && cfg->record)
		r = answers_writer_init(cfg->record, &d, err);
	return r;
}

/* The dataset's first row; waits for it where it comes through a pipe. It is taken again by the run itself. */
static int read_first_row(struct shared *s, struct error *err)
{
	const struct run_config *cfg = s->cfg;
	struct request request = {0};
	const void *rows = dataset_first(s->dataset);
	int r = 0;

	while (!rows && (r = dataset_take(s->dataset, 0, &rows, err)) == ERR_AGAIN) {
		if (cfg->interrupt && atomic_load(cfg->interrupt))
			return error_set(err, ERR_CANCELED, "interrupted before the first row of the dataset came");
		usleep(1000);
	}
	if (r == ERR_NOT_FOUND)
		return error_set(err, ERR_FORMAT, "the dataset is empty");
	if (r < 0)
		return r;
	cfg->workload->fill(s->workload, rows, &request);
	s->first_id = request.id;
	return open_answers(s, rows, err);
}

static int shared_open(struct shared *s, const struct run_config *cfg, unsigned threads, struct error *err)
{
	struct dataset_config dataset = {
		.path = cfg->file,
		.batch = cfg->what.batch,
		/* those of a shuffled run come from anywhere */
		.max_rows = cfg->order != ROWS_SEQUENTIAL ? 0 : cfg->limit - cfg->limit % cfg->what.batch,
		/* each thread may hold one more, taken and not sent yet */
		.max_taken = cfg->workers + threads,
		.repeat = cfg->repeat,
		.shuffled = cfg->order == ROWS_SHUFFLED,
		.drawn = cfg->order == ROWS_DRAWN ? cfg->drawn_together : 0,
		.seed = cfg->seed,
	};
	int r;

	s->cfg = cfg;
	s->threads = threads;
	r = cfg->workload->open(&s->workload, &cfg->what, err);
	if (r < 0)
		return r;
	dataset.row_size = cfg->workload->spec(s->workload)->row_size;
	r = dataset_open(&s->dataset, &dataset, err);
	if (r == 0) {
		r = sigbus_guard_install(s->dataset, cfg->verify.answers, err);
		s->guarded = r == 0;
	}
	if (r == 0)
		r = count_requests(s, err);
	if (r == 0)
		r = read_first_row(s, err);
	return r;
}

static void shared_close(struct shared *s)
{
	if (s->guarded)
		sigbus_guard_remove();
	dataset_close(s->dataset);
	if (s->workload)
		s->cfg->workload->close(s->workload);
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;
	struct shared *s = w->shared;
	bool go;

	/* Sleeps end when they should, not up to 50 microseconds later; without the right to it they do not. */
	prctl(PR_SET_TIMERSLACK, 1UL);
	pthread_mutex_lock(&s->lock);
	while (!s->go)
		pthread_cond_wait(&s->changed, &s->lock);
	go = !atomic_load(&s->stop);
	pthread_mutex_unlock(&s->lock);
	if (go) {
		struct thread_mark mark;

		thread_usage_begin(&mark);
		worker_run(w);
		thread_usage_end(&mark, &w->usage);
	}
	pthread_mutex_lock(&s->lock);
	s->finished++;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* start + time, which may be without end. */
static nsec_t after(nsec_t start, nsec_t time)
{
	return time < NSEC_NEVER - start ? start + time : NSEC_NEVER;
}

static int start_clock(struct shared *s, struct worker *workers, unsigned n, struct error *err)
{
	const struct run_config *cfg = s->cfg;
	struct arrival_config arrival = {
		.process = cfg->arrival,
		.schedule = &cfg->schedule,
		.batch = cfg->what.batch,
		.seed = cfg->seed,
		.threads = n,
		.shared = &s->numbers,
	};
	nsec_t end_of_schedule;

	/* An open loop's first arrivals find the threads awake. */
	s->start = arrival.start = clock_now() + (cfg->arrival == ARRIVAL_CLOSED ? 0 : THREADS_AWAKE);
	s->warm = after(s->start, cfg->warm_up);
	s->until = cfg->duration > 0 ? after(s->warm, cfg->duration) : NSEC_NEVER;
	end_of_schedule = after(s->start, schedule_length(cfg));
	if (end_of_schedule < s->until)
		s->until = end_of_schedule;
	for (unsigned i = 0; i < n; i++) {
		int r;

		arrival.thread = i;
		queries_start(&workers[i].queries, s->start);
		r = arrival_init(&workers[i].arrival, &arrival);
		if (r < 0)
			return error_set(err, r, "cannot make a schedule: %s", error_message(r));
	}
	return 0;
}

/* Worker threads leave signals to the caller's thread. */
static int create_threads(struct worker *workers, unsigned n, struct error *err)
{
	sigset_t all, before;
	int r = 0;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = pthread_create(&workers[i].thread, NULL, worker_thread, &workers[i]);
		workers[i].running = r == 0;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r ? error_set_errno(err, ERR_NOMEM, r, "cannot start %u threads", n) : 0;
}

static void open_gate(struct shared *s)
{
	pthread_mutex_lock(&s->lock);
	s->go = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static void join_threads(struct worker *workers, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (workers[i].running)
			pthread_join(workers[i].thread, NULL);
		workers[i].running = false;
	}
}

static int workers_open(struct worker *workers, struct shared *s, unsigned n, struct error *err)
{
	const struct run_observer *observer = &s->cfg->observer;
	unsigned first = 0;

	for (unsigned i = 0; i < n; i++) {
		unsigned slots = s->cfg->workers / n + (i < s->cfg->workers % n);
		int r = worker_init(&workers[i], s, slots, first, err);

		if (r < 0)
			return r;
		/* every instance would say the same */
		if (i == 0 && workers[i].driver->note && observer->note)
			observer->note(observer->arg, workers[i].driver->note);
		first += slots;
	}
	return 0;
}

/* Lets the threads go and reports until they are done. */
static int measure(struct shared *s, struct worker *workers, unsigned n, struct result *r, struct error *err)
{
	struct reporter reporter;
	struct machine_mark before, after;
	struct usage_mark usage;
	int e;

	e = reporter_init(&reporter, s, workers, n, r, err);
	if (e < 0)
		return e;
	reporter_start(&reporter);
	timer_probe(&r->audit.timer);
	machine_usage_mark(&before, "");
	e = create_threads(workers, n, err);
	usage_begin(&usage);
	if (e == 0)
		e = start_clock(s, workers, n, err);
	if (e < 0)
		atomic_store(&s->stop, true);
	r->start_wall = clock_wall();
	open_gate(s);
	if (e == 0) {
		e = reporter_run(&reporter);
		if (e < 0)
			error_set(err, ERR_NOMEM, "out of memory for the reports");
	}
	join_threads(workers, n);
	r->end_wall = clock_wall();
	usage_end(&usage, &r->usage);
	machine_usage_mark(&after, "");
	machine_usage_between(&r->audit.machine, &before, &after);
	r->usage.threads = n;
	reporter_release(&reporter);
	return e;
}

static int shared_init(struct shared *s)
{
	pthread_condattr_t attr;
	int r = ERR_NOMEM;

	memset(s, 0, sizeof(*s));
	if (pthread_condattr_init(&attr))
		return ERR_NOMEM;
	if (pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) == 0 && pthread_cond_init(&s->changed, &attr) == 0)
		r = pthread_mutex_init(&s->lock, NULL) ? ERR_NOMEM : 0;
	pthread_condattr_destroy(&attr);
	return r;
}

static int make_room(struct result *r, const struct run_config *cfg, unsigned threads)
{
	r->audit.threads = calloc(threads, sizeof(*r->audit.threads));
	return r->audit.threads ? recorder_init(&r->all, cfg->arrival != ARRIVAL_CLOSED) : ERR_NOMEM;
}

int runner_run(const struct run_config *cfg, struct result *r, struct error *err)
{
	unsigned n = cfg->threads ? cfg->threads : run_default_threads(cfg->workers);
	struct worker *workers = NULL;
	struct shared s;
	int e = check_config(cfg, err);

	if (e < 0)
		return e;
	if (n > cfg->workers)
		n = cfg->workers;
	if (shared_init(&s) < 0)
		return error_set(err, ERR_NOMEM, "out of memory");
	e = shared_open(&s, cfg, n, err);
	if (e < 0)
		goto out;
	workers = aligned_alloc(CACHE_LINE, n * sizeof(*workers));
	if (!workers || make_room(r, cfg, n) < 0) {
		audit_release(&r->audit);
		e = error_set(err, ERR_NOMEM, "out of memory for %u threads", n);
		goto out;
	}
	memset(workers, 0, n * sizeof(*workers));
	e = workers_open(workers, &s, n, err);
	if (e == 0 && recorder_add_stages(&r->all, workers[0].driver->stages) < 0)
		e = error_set(err, ERR_NOMEM, "out of memory");
	if (e == 0 && gather_settings(r, cfg) < 0)
		e = error_set(err, ERR_NOMEM, "out of memory");
	if (e == 0) {
		network_look(&r->network, cfg, workers[0].driver);
		e = measure(&s, workers, n, r, err);
	}
	if (e == 0)
		e = gather_result(r, &s, workers, n, err);
	if (e < 0)
		result_release(r);
	for (unsigned i = 0; i < n; i++)
		worker_release(&workers[i]);
out:
	free(workers);
	shared_close(&s);
	pthread_cond_destroy(&s.changed);
	pthread_mutex_destroy(&s.lock);
	return e;
}
