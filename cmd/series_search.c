/*
 * series_search.c - the probes of a search, and its answer.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/series.h"
#include "runners/probe_run.h"
#include "runners/search_log.h"
#include "stats/json_writer.h"

/* Of a probe's duration what comes before it and is not measured, unless the options say how much. */
#define WARM_UP_SHARE 10
/* Of -probe-duration, where -duration does not say how long the confirmation takes. */
#define CONFIRMATION_LENGTH 4
/* The first rate, as a share of a closed loop's: a Poisson stream at the whole of it waits without end. */
#define START_SHARE 0.5
/* The lowest one without -search-range, the same. */
#define LOWEST_SHARE 0.001
/* Later answers than so many times the bound are not worth waiting for. */
#define DRAIN_BOUNDS 2

struct search_state {
	struct invocation *v;
	struct search search;
	struct search_log log;
	struct probe probe; /* what was seen at the rate under way */
	unsigned runs;      /* each has a seed of its own */
};

static nsec_t longest_bound(const struct slo *slo)
{
	nsec_t longest = 0;

	for (unsigned i = 0; i < slo->n; i++) {
		if (slo->objectives[i].bound > longest)
			longest = slo->objectives[i].bound;
	}
	return longest;
}

/* A run of `duration` on the dataset again and again, in which errors are counted and end nothing. */
static struct run_config run_of(struct search_state *s, nsec_t duration)
{
	const struct run_options *o = &s->v->options;
	nsec_t drain = DRAIN_BOUNDS * longest_bound(&s->v->series.slo);
	struct run_config cfg = s->v->config;

	cfg.duration = duration;
	if (cfg.burn_in == 0 && cfg.warm_up == 0)
		cfg.warm_up = duration / WARM_UP_SHARE;
	cfg.limit = 0;
	cfg.repeat = true;
	cfg.ignore_errors = true;
	cfg.seed = (uint64_t)o->seed + s->runs++;
	cfg.drain = drain > RUN_DRAIN_STOPPED ? drain : RUN_DRAIN_STOPPED;
	return cfg;
}

static double right_share(const struct result *r)
{
	uint64_t answered = totals_answered(&r->all.totals);

	return answered > 0 ? (double)r->all.totals.inferences[OUTCOME_OK] / (double)answered : 0;
}

static const struct error *no_right_answer(const struct result *r)
{
	static const struct error none = {"no answer came to any request"};
	const struct error *const reasons[] = {&r->error, &r->wrong, &r->timeout, &none};
	size_t i = 0;

	while (!reasons[i]->text[0])
		i++;
	return reasons[i];
}

static int estimate_start(struct search_state *s)
{
	struct series *series = &s->v->series;
	struct run_config cfg = run_of(s, s->v->options.series.probe_duration / 2);
	const struct run_name name = {.point = "", .repetition = 1, .repetitions = 1, .brief = true};
	struct result r;
	double rate;
	int status;

	cfg.arrival = ARRIVAL_CLOSED;
	status = invocation_run(s->v, &cfg, &name, &r);
	if (!has_result(&r))
		return status;
	rate = result_rate(&r) * right_share(&r);
	if (status == EXIT_OK && !(rate > 0))
		status = fail(s->v->program->name, no_right_answer(&r), EXIT_FAILED);
	result_release(&r);
	if (status)
		return status;
	printf("Closed loop of %u workers: %.1f inferences/s\n", cfg.workers, rate);
	series->search.start = rate * START_SHARE;
	if (!series->ranged)
		series->search.lowest = rate * LOWEST_SHARE;
	return EXIT_OK;
}

static nsec_t duration_of(const struct search_state *s)
{
	nsec_t probe = s->v->options.series.probe_duration, whole = s->v->config.duration;

	if (s->search.stage != SEARCH_CONFIRMATION)
		return probe << (s->search.extension > 1 ? s->search.extension - 1 : 0);
	return whole > 0 ? whole : CONFIRMATION_LENGTH * probe;
}

static void judge(struct search_state *s, const struct probe_run *run, struct search_entry *e)
{
	const struct slo *slo = &s->v->series.slo;

	e->verdict = e->failure || run->failed ? PROBE_FAIL : probe_judge(&s->probe, slo, e->confidence);
	e->n = s->probe.n;
	memcpy(e->over, s->probe.over, sizeof(e->over));
	for (unsigned i = 0; i < slo->n; i++)
		e->effect[i] = probe_design_effect(&s->probe, i);
}

static void set_probe(struct single_run *alone, const struct run_config *cfg, double rate)
{
	char duration[32];

	single_run_set(alone, "-arrival=%s", cfg->arrival == ARRIVAL_POISSON ? "poisson" : "constant");
	single_run_set(alone, "-rate=%.17g", rate);
	single_run_set(alone, "-duration=%s", duration_format(duration, sizeof(duration), cfg->duration));
	single_run_set(alone, "-warm-up=%s", duration_format(duration, sizeof(duration), cfg->warm_up));
	single_run_set(alone, "-drain=%s", duration_format(duration, sizeof(duration), cfg->drain));
	single_run_set(alone, "-seed=%" PRId64, (int64_t)cfg->seed);
	single_run_set(alone, "-repeat");
	single_run_set(alone, "-ignore-errors");
}

/* Makes the run that the search asks for and tells it what came of it. */
static int probe(struct search_state *s)
{
	const struct slo *slo = &s->v->series.slo;
	struct run_config cfg = run_of(s, duration_of(s));
	struct probe_run run = {.slo = slo, .probe = &s->probe, .batch = cfg.what.batch};
	struct search_entry e = {.rate = s->search.rate,
				 .stage = s->search.stage,
				 .extension = s->search.extension,
				 .confidence = search_confidence(&s->search)};
	struct single_run alone = {0};
	struct run_name name = {.point = "", .repetition = 1, .repetitions = 1, .alone = &alone};
	struct result r;
	char point[64];
	int status;

	name.brief = e.stage != SEARCH_CONFIRMATION;
	snprintf(point, sizeof(point), "rate_%.6g", e.rate);
	name.point = point;
	rate_schedule_constant(&cfg.schedule, e.rate);
	set_probe(&alone, &cfg, e.rate);
	cfg.windows =
		(struct run_windows){.length = cfg.duration / PROBE_WINDOWS, .arg = &run, .ended = probe_run_look};
	if (e.extension == 0)
		s->probe = (struct probe){0};
	s->v->not_valid = false; /* -strict: it is the answer's run that counts */
	status = invocation_run(s->v, &cfg, &name, &r);
	if (!has_result(&r))
		return status;
	e.failure = probe_run_finish(&run, &r, e.rate);
	e.achieved = result_rate(&r);
	e.client_limited = r.audit.verdict == VERDICT_CLIENT_LIMITED;
	status = r.interrupted || r.stopped_by_error ? status : EXIT_OK;
	result_release(&r);
	if (status)
		return status;
	judge(s, &run, &e);
	if (name.brief)
		search_log_write_entry(stdout, &e, slo);
	fflush(stdout);
	search_tell(&s->search, e.verdict);
	if (search_log_add(&s->log, &e) < 0)
		return fail(s->v->program->name, &(struct error){"out of memory"}, EXIT_FAILED);
	return EXIT_OK;
}

static void write_json(struct json_writer *w, const void *arg)
{
	const struct search_state *s = arg;

	json_string(w, "Search", s->v->options.series.search);
	search_log_write_json(w, &s->log, &s->search);
}

static void write_csv(FILE *out, const void *arg)
{
	const struct search_state *s = arg;

	search_log_write_csv(out, &s->log);
}

static int report(const struct search_state *s)
{
	const struct series_summary summary = {.arg = s, .write_json = write_json, .write_csv = write_csv};
	int status;

	/* Once more as a whole: the confirmations' reports stand between the lines that were seen as they came. */
	search_log_write_heading(stdout, s->log.slo);
	for (size_t i = 0; i < s->log.n; i++)
		search_log_write_entry(stdout, &s->log.entries[i], s->log.slo);
	search_log_write_answer(stdout, &s->log, &s->search);
	fflush(stdout);
	status = series_write_summary(s->v, &summary);
	return s->search.stage == SEARCH_FOUND ? status : EXIT_FAILED;
}

int search_run(struct invocation *v)
{
	struct search_state s = {.v = v, .log = {.slo = &v->series.slo}};
	int status = estimate_start(&s);

	if (status)
		return status;
	search_init(&s.search, &v->series.search);
	search_log_write_heading(stdout, &v->series.slo);
	fflush(stdout);
	while (status == EXIT_OK && search_goes_on(&s.search))
		status = probe(&s);
	if (status == EXIT_OK)
		status = report(&s);
	search_log_release(&s.log);
	return status;
}
