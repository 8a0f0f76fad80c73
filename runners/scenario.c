/*
 * scenario.c - from the settings of a scenario to the run that obeys them, and from the run to its summary.
 */
#include "runners/scenario.h"

#include <math.h>
#include <stdlib.h>

/* LoadGen's: the offline query is made larger than expected to take the minimum duration. */
#define OFFLINE_SLACK 1.1
#define OFFLINE_SAMPLES_MAX ((double)(1ULL << 40))

static int check_decided(const struct run_config *cfg, struct error *err)
{
	const char *what = cfg->limit                       ? "-max-queries"
			   : cfg->burn_in || cfg->warm_up   ? "a burn-in"
			   : cfg->duration || cfg->at_least ? "-duration"
			   : cfg->order != ROWS_SEQUENTIAL  ? "-order"
			   : cfg->repeat                    ? "-repeat"
			   : !cfg->file                     ? "a dataset from a pipe"
							    : NULL;

	if (what)
		return error_set(err, ERR_USAGE,
				 "-scenario decides how long a run takes and which rows it asks for: leave %s out",
				 what);
	return 0;
}

/* Of a schedule that was asked for with the general options. */
static int take_rate(struct run_config *cfg, struct error *err)
{
	struct scenario_settings *s = &cfg->scenario;
	const struct rate_segment *first = &cfg->schedule.segments[0];

	if (cfg->arrival == ARRIVAL_CLOSED)
		return 0;
	if (s->scenario != SCENARIO_SERVER)
		return error_set(err, ERR_USAGE, "-scenario %s has no rate: leave -rate and -limit-rps out",
				 scenario_name(s->scenario));
	if (s->target_qps > 0 || cfg->schedule.n != 1 || first->from != first->to)
		return error_set(err, ERR_USAGE, "the server scenario has one rate: pass -target-qps alone");
	s->target_qps = first->from;
	return 0;
}

static int configure_stream(struct run_config *cfg, struct error *err)
{
	struct scenario_settings *s = &cfg->scenario;
	unsigned group = queries_group(s, cfg->what.batch);

	if (s->scenario == SCENARIO_SINGLE_STREAM && cfg->what.batch != 1)
		return error_set(err, ERR_USAGE, "a query of the single stream is one sample: leave -batch-size out");
	if (group == 0)
		return error_set(err, ERR_USAGE, "-batch-size %u does not divide the %ju samples of a query",
				 cfg->what.batch, (uintmax_t)s->samples_per_query);
	if (group > RUN_WORKERS_MAX)
		return error_set(err, ERR_USAGE, "-samples-per-query %ju makes more than %d requests",
				 (uintmax_t)s->samples_per_query, RUN_WORKERS_MAX);
	cfg->workers = group;
	cfg->threads = 1;
	cfg->order = ROWS_DRAWN;
	cfg->drawn_together = group;
	s->max_under_way = 1;
	return 0;
}

uint64_t scenario_server_queries(const struct scenario_settings *s)
{
	struct rate_schedule schedule;
	struct arrival_config cfg = {
		.process = ARRIVAL_POISSON,
		.schedule = &schedule,
		.batch = 1,
		.seed = s->seed,
		.threads = 1,
	};
	struct arrival a;

	rate_schedule_constant(&schedule, s->target_qps);
	if (arrival_init(&a, &cfg) < 0)
		return 0;
	while (arrival_next(&a) < s->min_duration || arrival_number(&a) + 1 < s->min_queries)
		arrival_advance(&a);
	return arrival_number(&a) + 1;
}

static int configure_server(struct run_config *cfg, struct error *err)
{
	struct scenario_settings *s = &cfg->scenario;

	if (cfg->what.batch != 1)
		return error_set(err, ERR_USAGE, "a query of the server scenario is one sample: leave -batch-size out");
	if (s->target_qps <= 0)
		return error_set(err, ERR_USAGE, "-scenario server needs the rate of its queries: pass -target-qps");
	if (!(s->target_qps >= ARRIVAL_RATE_MIN && s->target_qps <= ARRIVAL_RATE_MAX))
		return error_set(err, ERR_USAGE, "-target-qps %g: must be %g to %g", s->target_qps, ARRIVAL_RATE_MIN,
				 ARRIVAL_RATE_MAX);
	cfg->arrival = ARRIVAL_POISSON;
	rate_schedule_constant(&cfg->schedule, s->target_qps);
	cfg->order = ROWS_DRAWN;
	cfg->drawn_together = 1;
	s->max_under_way = cfg->workers;
	if (s->mode == SCENARIO_PERFORMANCE)
		cfg->limit = scenario_server_queries(s);
	return 0;
}

static int configure_offline(struct run_config *cfg, struct error *err)
{
	struct scenario_settings *s = &cfg->scenario;
	double samples = OFFLINE_SLACK * s->target_qps * (double)s->min_duration / (double)NSEC_PER_SEC;
	unsigned batch = cfg->what.batch;
	uint64_t n = s->min_queries;

	if (!(samples >= 0 && samples < OFFLINE_SAMPLES_MAX && n < (uint64_t)OFFLINE_SAMPLES_MAX))
		return error_set(err, ERR_USAGE, "-target-qps %g makes too many samples", s->target_qps);
	if ((double)n < samples)
		n = (uint64_t)ceil(samples);
	n = (n + batch - 1) / batch * batch;
	cfg->limit = s->samples_per_query = n > 0 ? n : batch;
	s->max_under_way = (uint64_t)cfg->workers * batch;
	return 0;
}

static void configure_accuracy(struct run_config *cfg)
{
	cfg->order = ROWS_SEQUENTIAL;
	cfg->repeat = false;
	cfg->limit = 0;
}

int scenario_configure(struct run_config *cfg, struct error *err)
{
	struct run_config n = *cfg;
	int r = check_decided(&n, err);

	n.scenario.seed = n.seed;
	n.repeat = true;
	if (r == 0)
		r = take_rate(&n, err);
	if (r == 0) {
		switch (n.scenario.scenario) {
		case SCENARIO_NONE:
			r = ERR_INVALID;
			break;
		case SCENARIO_SINGLE_STREAM:
		case SCENARIO_MULTI_STREAM:
			r = configure_stream(&n, err);
			break;
		case SCENARIO_SERVER:
			r = configure_server(&n, err);
			break;
		case SCENARIO_OFFLINE:
			r = configure_offline(&n, err);
			break;
		}
	}
	if (r < 0)
		return r;
	if (n.scenario.mode == SCENARIO_ACCURACY)
		configure_accuracy(&n);
	*cfg = n;
	return 0;
}

/* The query that was due last, over all threads. */
static void find_last(struct scenario_counts *c, struct queries *const *queries, unsigned n, nsec_t start)
{
	nsec_t due = INT64_MIN, done = INT64_MIN;

	for (unsigned i = 0; i < n; i++) {
		const struct queries *q = queries[i];

		if (q->last_due > due || (q->last_due == due && q->last_done > done)) {
			due = q->last_due;
			done = q->last_done;
		}
	}
	if (due == INT64_MIN)
		return;
	c->last_due = due - start;
	c->last_done = done - start;
}

static uint64_t answered_samples(const struct result *r)
{
	return r->all.totals.inferences[OUTCOME_OK] + r->all.totals.inferences[OUTCOME_WRONG];
}

/* Answers of another form than the model's have no value to compare, and are not right. */
static uint64_t compared_samples(const struct verification *v, uint64_t answered)
{
	return v->compared ? v->compared + (answered - v->answers) : 0;
}

static int gather_latencies(struct latency_log *ret, struct queries *const *queries, unsigned n)
{
	struct latency_log **logs = calloc(n, sizeof(struct latency_log *));
	int r = ERR_NOMEM;

	if (logs) {
		for (unsigned i = 0; i < n; i++)
			logs[i] = &queries[i]->latencies;
		r = latency_log_gather(ret, logs, n);
	}
	free(logs);
	return r;
}

int scenario_gather(struct result *r, const struct run_config *cfg, struct queries *const *queries, unsigned n,
		    nsec_t start, uint64_t library)
{
	const uint64_t *requests = r->all.totals.requests;
	struct scenario_counts counts = {
		.samples = answered_samples(r),
		.library = library,
		.failed = requests[OUTCOME_ERROR] + requests[OUTCOME_TIMEOUT],
		.unanswered = r->unanswered,
		.wrong = r->all.totals.inferences[OUTCOME_WRONG],
		.compared = compared_samples(&r->verification, answered_samples(r)),
		.right = r->verification.compared - r->verification.wrong,
		.cut_short = r->interrupted || r->stopped_by_error,
	};
	struct latency_log latencies = {0};
	int e;

	find_last(&counts, queries, n, start);
	e = gather_latencies(&latencies, queries, n);
	if (e < 0)
		return e;
	counts.queries = cfg->scenario.scenario == SCENARIO_OFFLINE ? 1 : latencies.n;
	scenario_judge(&r->scenario, &cfg->scenario, &counts, &latencies);
	latency_log_release(&latencies);
	return 0;
}
