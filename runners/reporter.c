#include "runners/reporter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

#define DIFFERENCE_MAX 4096
#define SERVER_NAME_MAX 320
/* A server that is too busy to count, or gone, must not hold up progress lines or the end of a run for a whole
 * -timeout. */
#define STATISTICS_TIMEOUT NSEC_PER_SEC

/* A server that is gone may come back: it is asked again, by and by. */
static void miss_counters(struct reporter *p, const struct error *why)
{
	struct counter_gaps *g = &p->gaps;
	nsec_t now = clock_now();

	if (!g->open && g->n++ == 0) {
		g->from = p->last ? now - p->shared->start : 0;
		g->why = *why;
	}
	g->open = true;
	g->ask_again = now + backoff_next(&g->backoff);
}

static void find_counters_again(struct reporter *p)
{
	struct counter_gaps *g = &p->gaps;

	if (g->open && g->n == 1)
		g->until = clock_now() - p->shared->start;
	g->open = false;
	backoff_reset(&g->backoff);
}

static void describe_gaps(const struct reporter *p, struct error *ret)
{
	const struct counter_gaps *g = &p->gaps;
	char from[32] = "", until[32] = "", more[48] = "";

	if (p->counters.n > 0)
		snprintf(from, sizeof(from), " from %.1f s", nsec_to_sec(g->from));
	if (p->counters.n > 0 && g->open && g->n == 1)
		snprintf(until, sizeof(until), " on");
	else if (p->counters.n > 0)
		snprintf(until, sizeof(until), " to %.1f s", nsec_to_sec(g->until));
	if (g->n > 1)
		snprintf(more, sizeof(more), ", nor in %u span%s later", g->n - 1, g->n > 2 ? "s" : "");
	error_set(ret, ERR_SERVER, "no server statistics%s%s%s: %s", from, until, more, g->why.text);
}

/* items with room for item n: capacities are powers of two, so n says when one is full. NULL: out of memory. */
static void *room_for(void *items, size_t n, size_t item_size)
{
	size_t bytes;

	if (n & (n - 1) || n == 1)
		return items;
	return size_mul(&bytes, n ? 2 * n : 2, item_size) ? realloc(items, bytes) : NULL;
}

static int add_period(struct result *r, const struct period *p)
{
	struct period *periods = room_for(r->periods, r->nperiods, sizeof(*periods));

	if (!periods)
		return ERR_NOMEM;
	r->periods = periods;
	periods[r->nperiods++] = *p;
	return 0;
}

struct reading {
	struct reporter *reporter;
	nsec_t wall; /* 0: of before the run */
	int error;
	char server[SERVER_NAME_MAX]; /* whose counters come */
	bool first;                   /* they are its first: nothing to compare with */
};

static void read_counter(void *arg, const char *server, const char *key, const char *value)
{
	struct reading *r = arg;
	struct reporter *p = r->reporter;
	char difference[DIFFERENCE_MAX];
	int e;

	if (strncmp(r->server, server, sizeof(r->server) - 1) != 0) {
		snprintf(r->server, sizeof(r->server), "%s", server);
		r->first = !counters_know(&p->counters, server);
	}
	e = counters_update(&p->counters, server, key, value, difference, sizeof(difference));
	if (e == 0 && r->wall && !r->first)
		e = server_log_add(&p->result->server_log, r->wall, server, key, difference);
	if (e < 0)
		r->error = e;
}

static int read_counters(struct reporter *p, nsec_t wall)
{
	struct reading reading = {.reporter = p, .wall = wall};
	struct error err = {""};

	if (!p->control || (p->gaps.open && clock_now() < p->gaps.ask_again))
		return 0;
	if (p->shared->cfg->driver->server_stats(p->control, read_counter, &reading, &err) < 0)
		miss_counters(p, &err);
	else
		find_counters_again(p);
	return reading.error;
}

int reporter_init(struct reporter *p, struct shared *shared, const struct worker *workers, unsigned nworkers,
		  struct result *result, struct error *err)
{
	const struct run_config *cfg = shared->cfg;
	bool open_loop = cfg->arrival != ARRIVAL_CLOSED;
	struct driver_config driver = {
		.spec = cfg->workload->spec(shared->workload),
		.conn = &p->conn,
		.options = cfg->driver_options,
		.batch = cfg->what.batch,
		.reference = cfg->what.reference,
		.first_id = shared->first_id,
		.seed = cfg->seed,
	};

	*p = (struct reporter){
		.shared = shared, .workers = workers, .nworkers = nworkers, .result = result, .conn = *cfg->conn};
	backoff_init(&p->gaps.backoff, cfg->seed);
	/* The stages are looked at only for who wants to see them. */
	if (recorder_init(&p->now, open_loop) < 0 ||
	    ((cfg->observer.snapshot || cfg->windows.ended) &&
	     recorder_add_stages(&p->now, workers[0].driver->stages) < 0) ||
	    histogram_init_latency(&p->before) < 0 || histogram_init_latency(&p->period) < 0) {
		reporter_release(p);
		return error_set(err, ERR_NOMEM, "out of memory for the reports");
	}
	if (cfg->reporting_period > 0 && cfg->driver->server_stats) {
		int r = cfg->driver->open(&p->control, &driver, err);

		if (r < 0) {
			p->control = NULL;
			reporter_release(p);
			return r;
		}
	}
	/* From here on the driver asks for counters only: in a while that an interrupted run still has. */
	p->conn.interrupt = NULL;
	if (p->conn.timeout > STATISTICS_TIMEOUT)
		p->conn.timeout = STATISTICS_TIMEOUT;
	return 0;
}

void reporter_release(struct reporter *p)
{
	if (p->control)
		p->shared->cfg->driver->close(p->control);
	p->control = NULL;
	counters_release(&p->counters);
	recorder_release(&p->now);
	histogram_release(&p->before);
	histogram_release(&p->period);
}

void reporter_start(struct reporter *p)
{
	/* Out of memory for the first reading shows again at the next one. */
	(void)read_counters(p, 0);
}

/* What the burn-in did so far. */
static struct totals burned_in(const struct reporter *p)
{
	struct totals ret = {0};

	for (unsigned i = 0; i < p->nworkers; i++)
		worker_add_burned_in(&p->workers[i], &ret);
	return ret;
}

/* What was measured so far, into p->now. */
static void gather(struct reporter *p)
{
	recorder_reset(&p->now);
	for (unsigned i = 0; i < p->nworkers; i++)
		recorder_add_to(&p->workers[i].recorder, &p->now);
}

/* The server owes answers that nobody waits for any more: it would not answer this thread either. */
static bool given_up(const struct reporter *p)
{
	for (unsigned i = 0; i < p->nworkers; i++) {
		if (p->workers[i].outstanding > 0)
			return true;
	}
	return false;
}

/* Gathers what came since the last period, all but its latencies. */
static struct period look(struct reporter *p, nsec_t now)
{
	struct totals before = burned_in(p);
	uint64_t answered;

	gather(p);
	answered = totals_answered(&p->now.totals) + totals_answered(&before);
	return (struct period){
		.wall = clock_wall(),
		.test_time = now - p->shared->start,
		.inference_rate = per_second(answered - p->answered, now - p->last),
		.overall_rate = per_second(answered, now - p->shared->start),
		.inferences = totals_inferences(&p->now.totals) + totals_inferences(&before),
		.answered = answered,
	};
}

static void show_snapshot(const struct reporter *p, const struct period *period)
{
	const struct run_observer *observer = &p->shared->cfg->observer;

	if (observer->snapshot)
		observer->snapshot(observer->arg, period, &p->now);
}

/* Ends a period now. The last one is left out if nothing came in it. */
static int end_period(struct reporter *p, bool last)
{
	const struct run_observer *observer = &p->shared->cfg->observer;
	nsec_t now = clock_now();
	struct period period = look(p, now);
	int r;

	if (last && period.inferences == p->inferences && p->result->nperiods > 0) {
		/* A request is counted before its latency: the last look may have come between the two. */
		if (p->now.service.total != p->before.total)
			show_snapshot(p, &period);
		return 0;
	}
	r = histogram_difference(&p->period, &p->before, &p->now.service);
	if (r == 0)
		r = period_set_latencies(&period, &p->period);
	if (r == 0)
		r = add_period(p->result, &period);
	if (r < 0) {
		free(period.encoded);
		return r;
	}
	p->inferences = period.inferences;
	p->answered = period.answered;
	p->last = now;
	if (observer->period)
		observer->period(observer->arg, &period, &p->now.service);
	show_snapshot(p, &period);
	return last && given_up(p) ? 0 : read_counters(p, period.wall);
}

enum event { EVENT_PERIOD, EVENT_BURN_IN, EVENT_FINISHED };

/* A burn-in by count ends with its last answer, one by time at its moment; one by both with the later of them. */
static bool burn_in_is_over(const struct shared *s)
{
	return s->burn_in_done && clock_now() >= s->warm;
}

static enum event wait_for_event(struct reporter *p, nsec_t deadline, bool burn_in_told)
{
	struct shared *s = p->shared;
	enum event e = EVENT_PERIOD;
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (s->finished < p->nworkers && (burn_in_told || !burn_in_is_over(s)) && r != ETIMEDOUT) {
		nsec_t until = !burn_in_told && s->burn_in_done && s->warm < deadline ? s->warm : deadline;
		struct timespec at = {.tv_sec = until / NSEC_PER_SEC, .tv_nsec = until % NSEC_PER_SEC};

		if (until == NSEC_NEVER)
			pthread_cond_wait(&s->changed, &s->lock);
		else
			r = pthread_cond_timedwait(&s->changed, &s->lock, &at);
	}
	if (!burn_in_told && burn_in_is_over(s))
		e = EVENT_BURN_IN;
	else if (s->finished == p->nworkers)
		e = EVENT_FINISHED;
	pthread_mutex_unlock(&s->lock);
	return e;
}

static uint64_t measured_requests(const struct reporter *p)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < p->nworkers; i++) {
		const struct totals *t = &p->workers[i].recorder.totals;

		for (int o = 0; o < OUTCOME_MAX; o++)
			n += __atomic_load_n(&t->requests[o], __ATOMIC_RELAXED);
	}
	return n;
}

/* Ends a window if one is over by now, and with it perhaps the run. */
static void look_at_window(struct reporter *p, nsec_t now)
{
	const struct run_config *cfg = p->shared->cfg;
	uint64_t measured = measured_requests(p);
	bool burn_in = measured == 0 && (cfg->burn_in > 0 || cfg->warm_up > 0);

	if (!windows_end(&p->windows, now, measured, burn_in))
		return;
	gather(p);
	p->windows.over = cfg->windows.ended(cfg->windows.arg, now, &p->now);
	if (p->windows.over)
		atomic_store(&p->shared->stop, true);
}

static nsec_t next_period(const struct reporter *p, nsec_t deadline)
{
	nsec_t period = p->shared->cfg->reporting_period, now = clock_now();

	/* A server that is slow to count may cost whole periods: the beat stays. */
	if (deadline < now)
		deadline += (now - deadline) / period * period;
	return deadline + period;
}

static void tell_notes(const struct reporter *p)
{
	const struct run_observer *observer = &p->shared->cfg->observer;
	struct error gaps;

	/* Of a run that failed the error itself is enough to read. */
	if (p->shared->failed || !observer->note)
		return;
	if (p->gaps.n > 0) {
		describe_gaps(p, &gaps);
		observer->note(observer->arg, gaps.text);
	}
	if (p->control && p->control->stats_note)
		observer->note(observer->arg, p->control->stats_note);
}

int reporter_run(struct reporter *p)
{
	const struct run_config *cfg = p->shared->cfg;
	const struct run_observer *observer = &cfg->observer;
	bool periodic = cfg->reporting_period > 0;
	bool burn_in_told = p->shared->burn_in_requests == 0 && cfg->warm_up == 0;
	nsec_t deadline = periodic ? p->shared->start + cfg->reporting_period : NSEC_NEVER;
	int r = 0, e;

	p->last = p->shared->start;
	windows_init(&p->windows, &cfg->windows);
	for (;;) {
		nsec_t window = windows_deadline(&p->windows, clock_now());
		enum event event = wait_for_event(p, window < deadline ? window : deadline, burn_in_told);

		if (event == EVENT_FINISHED)
			break;
		if (event == EVENT_BURN_IN) {
			const struct totals done = burned_in(p);

			burn_in_told = true;
			if (observer->burn_in_complete)
				observer->burn_in_complete(observer->arg, totals_inferences(&done), cfg->workers);
			continue;
		}
		look_at_window(p, clock_now());
		if (clock_now() < deadline)
			continue;
		e = end_period(p, false);
		r = r ? r : e;
		deadline = next_period(p, deadline);
	}
	if (periodic) {
		e = end_period(p, true);
		r = r ? r : e;
	} else if (observer->snapshot) {
		struct period whole = look(p, clock_now());

		show_snapshot(p, &whole);
	}
	tell_notes(p);
	return r;
}
