/*
 * scenario_summary.c - the rules of MLPerf's scenarios, applied to what a run recorded.
 */
#include "stats/scenario_summary.h"

#include "stats/early_stopping.h"

#define MULTI_STREAM_PERCENTILE 0.99

const double scenario_percentiles[SCENARIO_PERCENTILES] = {0.50, 0.90, 0.95, 0.97, 0.99, 0.999};

struct scenario_settings scenario_rules(enum scenario scenario)
{
	struct scenario_settings s = {
		.scenario = scenario,
		.samples_per_query = 1,
		.percentile = 0.99,
		.min_duration = SCENARIO_MIN_DURATION,
		.min_queries = 100,
	};

	switch (scenario) {
	case SCENARIO_NONE:
	case SCENARIO_SERVER:
		break;
	case SCENARIO_SINGLE_STREAM:
		s.percentile = 0.90;
		break;
	case SCENARIO_MULTI_STREAM:
		s.samples_per_query = 8;
		s.min_queries = 662;
		break;
	case SCENARIO_OFFLINE:
		s.samples_per_query = 0;
		s.percentile = 0.90;
		s.min_queries = 24576;
		break;
	}
	return s;
}

bool scenario_by_the_rules(const struct scenario_settings *s)
{
	struct scenario_settings rules = scenario_rules(s->scenario);

	return s->min_duration >= rules.min_duration && s->min_queries >= rules.min_queries &&
	       (s->scenario == SCENARIO_OFFLINE || s->samples_per_query == rules.samples_per_query);
}

const char *scenario_name(enum scenario s)
{
	static const char *const names[] = {"None", "SingleStream", "MultiStream", "Server", "Offline"};

	return names[s];
}

const char *scenario_mode_name(enum scenario_mode m)
{
	return m == SCENARIO_ACCURACY ? "AccuracyOnly" : "PerformanceOnly";
}

static double ratio(double count, nsec_t time)
{
	return time > 0 && count > 0 ? count / nsec_to_sec(time) : 0;
}

static void describe_latencies(struct scenario_summary *s, const struct latency_log *sorted)
{
	__extension__ unsigned __int128 sum = 0;

	if (sorted->n == 0)
		return;
	for (uint64_t i = 0; i < sorted->n; i++)
		sum += (uint64_t)sorted->values[i];
	s->min = sorted->values[0];
	s->max = sorted->values[sorted->n - 1];
	s->mean = (nsec_t)(sum / sorted->n);
	s->percentile = latency_log_percentile(sorted, s->settings.percentile);
	for (int i = 0; i < SCENARIO_PERCENTILES; i++)
		s->percentiles[i] = latency_log_percentile(sorted, scenario_percentiles[i]);
}

/* LoadGen asks for h(1) + 1 queries at least: the highest latency alone is no estimate. */
static struct scenario_estimate estimate(double percentile, const struct latency_log *sorted)
{
	struct scenario_estimate e = {
		.percentile = percentile,
		.needed = early_stopping_requests(1, percentile, SCENARIO_CONFIDENCE),
	};

	e.known = early_stopping_most_over(&e.over, sorted->n, percentile, SCENARIO_CONFIDENCE) && e.over >= 1;
	if (e.known)
		e.latency = sorted->values[sorted->n - e.over];
	return e;
}

static void judge_stream(struct scenario_summary *s, const struct latency_log *sorted)
{
	const struct scenario_counts *c = &s->counts;

	s->latency_met = true;
	s->min_duration_met = c->last_due >= s->settings.min_duration;
	s->rate = ratio((double)c->samples - (double)s->settings.samples_per_query, c->last_due);
	s->estimate[s->nestimates++] = estimate(s->settings.percentile, sorted);
	if (s->settings.scenario == SCENARIO_SINGLE_STREAM)
		s->estimate[s->nestimates++] = estimate(MULTI_STREAM_PERCENTILE, sorted);
	s->early_stopping_met = s->estimate[0].known;
}

/* The last query's start is the open end of the time: one query less was completed in it. What failed never was. */
static void judge_server(struct scenario_summary *s, const struct latency_log *sorted)
{
	const struct scenario_counts *c = &s->counts;

	s->over = latency_log_over(sorted, s->settings.target_latency);
	s->latency_met = sorted->n > 0 && s->percentile <= s->settings.target_latency;
	s->min_duration_met = c->last_due >= s->settings.min_duration;
	s->rate = ratio((double)c->samples - 1, c->last_done);
	s->needed = early_stopping_requests(s->over, s->settings.percentile, SCENARIO_CONFIDENCE);
	s->early_stopping_met = sorted->n >= s->needed;
}

static void judge_offline(struct scenario_summary *s)
{
	s->latency_met = s->early_stopping_met = true;
	s->min_duration_met = s->max >= s->settings.min_duration;
	s->rate = ratio((double)s->counts.samples, s->max);
}

void scenario_judge(struct scenario_summary *ret, const struct scenario_settings *settings,
		    const struct scenario_counts *counts, const struct latency_log *sorted)
{
	struct scenario_summary s = {.settings = *settings, .counts = *counts};
	bool offline = settings->scenario == SCENARIO_OFFLINE;
	bool whole = !counts->cut_short && counts->failed == 0 && counts->unanswered == 0;

	describe_latencies(&s, sorted);
	s.min_queries_met = (offline ? counts->samples : counts->queries) >= settings->min_queries;
	if (settings->mode == SCENARIO_ACCURACY) {
		s.valid = whole && counts->samples == counts->library;
		*ret = s;
		return;
	}
	if (offline)
		judge_offline(&s);
	else if (settings->scenario == SCENARIO_SERVER)
		judge_server(&s, sorted);
	else
		judge_stream(&s, sorted);
	s.valid = whole && counts->wrong == 0 && s.min_duration_met && s.min_queries_met && s.latency_met &&
		  s.early_stopping_met;
	*ret = s;
}
