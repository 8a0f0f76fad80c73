#include "runners/gather.h"

#include <stdlib.h>

#include "common/cores.h"
#include "runners/scenario.h"

int gather_settings(struct result *r, const struct run_config *cfg)
{
	static const char *const processes[] = {
		[ARRIVAL_CLOSED] = "closed", [ARRIVAL_CONSTANT] = "constant", [ARRIVAL_POISSON] = "poisson"};
	static const char *const orders[] = {
		[ROWS_SEQUENTIAL] = "sequential", [ROWS_SHUFFLED] = "shuffled", [ROWS_DRAWN] = "drawn"};
	bool open = cfg->arrival != ARRIVAL_CLOSED;

	r->limit = cfg->limit;
	r->tensor_batch = cfg->what.batch;
	r->workers = cfg->workers;
	r->burn_in = cfg->burn_in;
	r->max_rps = open ? rate_schedule_peak(&cfg->schedule) : 0;
	r->offered = (struct offered){
		.process = processes[cfg->arrival],
		.schedule = open ? rate_schedule_format(&cfg->schedule) : NULL,
		.order = orders[cfg->order],
		.repeat = cfg->repeat,
		.seed = cfg->seed,
		.warm_up = cfg->warm_up,
		.duration = cfg->duration,
		.at_least = cfg->at_least,
		.batch = cfg->what.batch,
	};
	r->verification.share = cfg->verify.share;
	r->verification.tolerance = cfg->verify.tolerance.absolute;
	r->verification.relative_tolerance = cfg->verify.tolerance.relative;
	r->verification.show = cfg->verify.show;
	return open && !r->offered.schedule ? ERR_NOMEM : 0;
}

/* How far an open loop fell behind: its requests were due from the first to the last one's time, and sent from then until the
 * last was, or until the last was due and could not be sent. */
static double behind_schedule(const struct result *r, const struct worker *workers, unsigned n)
{
	const struct offered *o = &r->offered;
	uint64_t sent = result_measured(r) / r->tensor_batch + r->unanswered;
	nsec_t until = o->last;

	if (!r->all.open_loop || o->requests < 2 || sent < 1)
		return 0;
	for (unsigned i = 0; i < n; i++)
		until = nsec_later(until, workers[i].last_sent);
	return 1 - per_second(sent - 1, until - o->first) / per_second(o->requests - 1, o->last - o->first);
}

static void gather_audit(struct result *r, const struct run_config *cfg, const struct worker *workers, unsigned n)
{
	const struct rate_schedule *s = &cfg->schedule;
	struct audit *a = &r->audit;

	a->spin = cfg->spin && r->all.open_loop;
	a->one_rate = !r->all.open_loop || (s->n == 1 && s->segments[0].to == s->segments[0].from);
	a->behind = behind_schedule(r, workers, n);
	a->cores = usable_cores();
	a->nthreads = n;
	for (unsigned i = 0; i < n; i++) {
		struct totals totals = workers[i].recorder.totals;

		worker_add_burned_in(&workers[i], &totals);
		a->threads[i] = workers[i].usage;
		a->threads[i].inferences = totals_inferences(&totals);
		a->starvations += workers[i].starvations;
	}
}

/* When the first arrival would have been due that a count, or the end of the dataset, kept from it; NSEC_NEVER: there was
 * none, or nobody knows. */
static nsec_t due_next(const struct worker *workers, unsigned n)
{
	nsec_t due = NSEC_NEVER;

	for (unsigned i = 0; i < n; i++) {
		if (workers[i].arrival.process != ARRIVAL_CLOSED && arrival_next(&workers[i].arrival) < due)
			due = arrival_next(&workers[i].arrival);
	}
	return due;
}

/* When the measuring began and ended: see result.h. */
static void set_window(struct result *r, const struct shared *s, const struct worker *workers, unsigned n)
{
	const struct run_config *cfg = s->cfg;
	nsec_t end = 0, next = due_next(workers, n);
	bool over = true, stopped = false, limited = cfg->limit && s->requests == cfg->limit / cfg->what.batch;

	for (unsigned i = 0; i < n; i++) {
		const struct worker *w = &workers[i];

		end = nsec_later(end, w->last_answer);
		if (w->stopped_at != NSEC_NEVER)
			end = nsec_later(end, w->stopped_at);
		stopped = stopped || w->stopped_at != NSEC_NEVER;
		over = over && w->over;
	}
	if (over)
		next = s->until;
	else if (stopped || r->offered.requests == 0)
		next = NSEC_NEVER;
	r->measured_end = next != NSEC_NEVER ? nsec_later(end, next) : end;
	if (r->measured_end == 0)
		r->measured_end = r->end;
	if (s->burn_in_requests == 0)
		r->burn_in_end = s->warm;
	else
		r->burn_in_end = r->offered.first < r->end ? nsec_later(s->warm, r->offered.first) : r->end;
	r->burn_in_end = nsec_earlier(r->burn_in_end, r->end);
	r->offered.from = r->burn_in_end;
	r->offered.until = next != NSEC_NEVER && r->offered.last < next ? next : 0;
	r->offered.ran_dry = !over && !stopped && !limited && s->until != NSEC_NEVER;
}

/* Only found out while running: a file's rows were counted before. */
static void fail_unmeasured(struct result *r, const struct shared *s)
{
	const struct run_config *cfg = s->cfg;
	char time[32] = "", count[32] = "";

	if (cfg->warm_up > 0)
		snprintf(time, sizeof(time), " %g s", nsec_to_sec(cfg->warm_up));
	if (cfg->burn_in > 0)
		snprintf(count, sizeof(count), " %ju", (uintmax_t)cfg->burn_in);
	r->stopped_by_error = true;
	if (!*time && !*count)
		error_set(&r->error, ERR_RANGE, "the run's time was over before anything was asked: let it run longer");
	else
		error_set(&r->error, ERR_RANGE,
			  "the run ended after %ju inferences, within its burn-in (%s%s%s%s%s): lower that, or let "
			  "it run longer",
			  (uintmax_t)totals_inferences(&r->burned_in), *count ? "-burn-in" : "", count,
			  *count && *time ? ", " : "", *time ? "-warm-up" : "", time);
}

static void gather_answers(struct result *r, const struct shared *s, const struct worker *workers, unsigned n)
{
	r->start = r->end = s->start;
	r->offered.first = NSEC_NEVER;
	for (unsigned i = 0; i < n; i++) {
		const struct worker *w = &workers[i];

		recorder_add_to(&w->recorder, &r->all);
		worker_add_burned_in(w, &r->burned_in);
		verification_add(&r->verification, &w->verifier.found);
		r->unanswered += w->outstanding;
		r->unsent += w->unsent;
		r->reconnects += w->driver->reconnects;
		r->offered.requests += w->due.n;
		r->offered.first = nsec_earlier(r->offered.first, w->due.first);
		r->offered.last = nsec_later(r->offered.last, w->due.last);
		r->end = nsec_later(r->end, w->end);
	}
	set_window(r, s, workers, n);
	gather_audit(r, s->cfg, workers, n);
	r->interrupted = s->cfg->interrupt && atomic_load(s->cfg->interrupt);
	r->stopped_by_error = s->failed;
	r->error = s->error;
	r->timeout = s->timeout;
	r->wrong = s->wrong;
	if (s->cfg->record) {
		r->recording.rows = s->cfg->record->of.rows;
		r->recording.recorded = answers_writer_count(s->cfg->record);
		r->recording.refused = atomic_load(&s->cfg->record->refused);
	}
	if (!r->interrupted && !r->stopped_by_error && result_measured(r) == 0 && r->unanswered + r->unsent == 0)
		fail_unmeasured(r, s);
}

static int gather_scenario(struct result *r, const struct shared *s, struct worker *workers, unsigned n,
			   struct error *err)
{
	struct queries **queries;
	uint64_t library = dataset_batches(s->dataset) * s->cfg->what.batch;
	int e = ERR_NOMEM;

	if (!s->cfg->scenario.scenario)
		return 0;
	queries = calloc(n, sizeof(struct queries *));
	if (queries) {
		for (unsigned i = 0; i < n; i++)
			queries[i] = &workers[i].queries;
		e = scenario_gather(r, s->cfg, queries, n, s->start, library);
	}
	free(queries);
	return e < 0 ? error_set(err, ERR_NOMEM, "out of memory for the latencies of a scenario") : 0;
}

int gather_result(struct result *r, const struct shared *s, struct worker *workers, unsigned n, struct error *err)
{
	gather_answers(r, s, workers, n);
	return gather_scenario(r, s, workers, n, err);
}
