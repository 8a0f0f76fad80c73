/*
 * scenario_report.c - a scenario's summary: as LoadGen's mlperf_log_summary.txt, line for line, and as JSON.
 */
#include <inttypes.h>

#include "common/file.h"
#include "common/text.h"
#include "stats/json_writer.h"
#include "stats/result.h"
#include "stats/scenario_summary.h"

#define REASONS_MAX 8
#define REASON_MAX 192

/* Sentences, for text and JSON alike. */
struct reasons {
	char text[REASONS_MAX][REASON_MAX];
	unsigned n;
};

#define ADD_REASON(r, ...) snprintf((r)->text[(r)->n++], REASON_MAX, __VA_ARGS__)

static const char *yes(bool met)
{
	return met ? "Yes" : "NO";
}

static const char *unit_of_minimum(const struct scenario_settings *s)
{
	return s->scenario == SCENARIO_OFFLINE ? "samples" : "queries";
}

/* What was overridden, so that nobody takes the result for one by MLPerf's rules. */
static void list_overridden(struct reasons *r, const struct scenario_settings *s)
{
	struct scenario_settings rules = scenario_rules(s->scenario);

	if (s->min_duration < rules.min_duration)
		ADD_REASON(r, "minimum duration overridden: %g s instead of %g s", nsec_to_sec(s->min_duration),
			   nsec_to_sec(rules.min_duration));
	if (s->min_queries < rules.min_queries)
		ADD_REASON(r, "minimum of %s overridden: %" PRIu64 " instead of %" PRIu64, unit_of_minimum(s),
			   s->min_queries, rules.min_queries);
	if (s->scenario != SCENARIO_OFFLINE && s->samples_per_query != rules.samples_per_query)
		ADD_REASON(r, "samples per query overridden: %" PRIu64 " instead of %" PRIu64, s->samples_per_query,
			   rules.samples_per_query);
}

static void recommend_duration(struct reasons *r, const struct scenario_summary *s)
{
	if (s->settings.scenario == SCENARIO_OFFLINE)
		ADD_REASON(r, "The query was answered after %g s of at least %g s: raise -target-qps to %.0f",
			   nsec_to_sec(s->max), nsec_to_sec(s->settings.min_duration), s->rate);
	else
		ADD_REASON(r, "The last query was due after %g s of at least %g s: let the run come to its end",
			   nsec_to_sec(s->counts.last_due), nsec_to_sec(s->settings.min_duration));
}

static void list_requests(struct reasons *r, const struct scenario_counts *c)
{
	if (c->cut_short)
		ADD_REASON(r, "The run was cut short: nothing follows from what it has measured");
	if (c->failed)
		ADD_REASON(r, "%" PRIu64 " request%s failed or had no answer in time: every query must be answered",
			   c->failed, plural(c->failed));
	if (c->unanswered)
		ADD_REASON(r, "%" PRIu64 " request%s had no answer when the run ended", c->unanswered,
			   plural(c->unanswered));
}

static void list_recommendations(struct reasons *r, const struct scenario_summary *s)
{
	const struct scenario_counts *c = &s->counts;

	list_requests(r, c);
	if (s->settings.mode == SCENARIO_ACCURACY) {
		if (c->samples != c->library)
			ADD_REASON(r, "%" PRIu64 " of the dataset's %" PRIu64 " samples were answered", c->samples,
				   c->library);
		return;
	}
	if (c->wrong)
		ADD_REASON(r, "%" PRIu64 " answer%s wrong", c->wrong, c->wrong == 1 ? " was" : "s were");
	if (!s->latency_met)
		ADD_REASON(r, "Reduce the target QPS to improve the latency");
	else if (!s->early_stopping_met)
		ADD_REASON(r, "Run longer: the percentile is not shown by so few queries, see early stopping");
	if (!s->min_duration_met)
		recommend_duration(r, s);
	if (!s->min_queries_met)
		ADD_REASON(r, "The run ended before %" PRIu64 " %s were made", s->settings.min_queries,
			   unit_of_minimum(&s->settings));
}

static void heading(FILE *out, const char *text)
{
	static const char line[] = "================================================";

	fprintf(out, "%s\n%s\n%s\n", line, text, line);
}

static void write_metric(FILE *out, const struct scenario_summary *s)
{
	switch (s->settings.scenario) {
	case SCENARIO_NONE:
		break;
	case SCENARIO_SINGLE_STREAM:
	case SCENARIO_MULTI_STREAM:
		fprintf(out, "%.1fth percentile latency (ns) : %" PRId64 "\n", s->settings.percentile * 100,
			s->percentile);
		break;
	case SCENARIO_SERVER:
		fprintf(out, "Completed samples per second    : %.2f\n", s->rate);
		break;
	case SCENARIO_OFFLINE:
		fprintf(out, "Samples per second: %.2f\n", s->rate);
		break;
	}
}

static void write_accuracy(FILE *out, const struct scenario_counts *c)
{
	fprintf(out, "Samples answered : %" PRIu64 " of %" PRIu64 "\n", c->samples, c->library);
	if (c->compared)
		fprintf(out, "Accuracy : %.4f %% (%" PRIu64 " of %" PRIu64 " answers right)\n",
			100.0 * (double)c->right / (double)c->compared, c->right, c->compared);
	else
		fputs("Accuracy : not known (-verify compares with the right answers)\n", out);
}

static void write_verdict(FILE *out, const struct scenario_summary *s)
{
	struct reasons recommendations = {0}, overridden = {0};

	fprintf(out, "Result is : %s\n", s->valid ? "VALID" : "INVALID");
	if (s->settings.mode == SCENARIO_PERFORMANCE) {
		if (s->settings.scenario == SCENARIO_SERVER)
			fprintf(out, "  Performance constraints satisfied : %s\n", yes(s->latency_met));
		fprintf(out, "  Min duration satisfied : %s\n", yes(s->min_duration_met));
		fprintf(out, "  Min queries satisfied : %s\n", yes(s->min_queries_met));
		fprintf(out, "  Early stopping satisfied: %s\n", yes(s->early_stopping_met));
		list_overridden(&overridden, &s->settings);
	}
	if (overridden.n)
		fputs("  Not comparable with MLPerf results:\n", out);
	for (unsigned i = 0; i < overridden.n; i++)
		fprintf(out, "   * %s\n", overridden.text[i]);
	if (s->valid)
		return;
	fputs("Recommendations:\n", out);
	list_recommendations(&recommendations, s);
	for (unsigned i = 0; i < recommendations.n; i++)
		fprintf(out, " * %s.\n", recommendations.text[i]);
}

/* The estimate of the scenario's own percentile. */
static void write_own_estimate(FILE *out, const struct scenario_estimate *e, uint64_t queries)
{
	if (!e->known) {
		fprintf(out,
			" * Only processed %" PRIu64 " queries.\n"
			" * Need to process at least %" PRIu64 " queries for early stopping.\n",
			queries, e->needed);
		return;
	}
	fprintf(out,
		" * Processed at least %" PRIu64 " queries (%" PRIu64 ").\n"
		" * Would discard %" PRIu64 " highest latency queries.\n"
		" * Early stopping %.1fth percentile estimate: %" PRId64 "\n",
		e->needed, queries, e->over - 1, e->percentile * 100, e->latency);
}

/* The single stream's p99, from which a multi-stream result is inferred. */
static void write_other_estimate(FILE *out, const struct scenario_estimate *e)
{
	if (e->known)
		fprintf(out, " * Early stopping %.1fth percentile estimate: %" PRId64 "\n", e->percentile * 100,
			e->latency);
	else
		fprintf(out,
			" * Not enough queries processed for %.1fth percentile\n"
			" early stopping estimate (would need to process at\n"
			" least %" PRIu64 " total queries).\n",
			e->percentile * 100, e->needed);
}

static void write_early_stopping(FILE *out, const struct scenario_summary *s)
{
	uint64_t queries = s->counts.queries;

	if (s->settings.scenario == SCENARIO_OFFLINE)
		return;
	fputs("Early Stopping Result:\n", out);
	if (s->settings.scenario != SCENARIO_SERVER) {
		write_own_estimate(out, &s->estimate[0], queries);
		if (s->nestimates > 1 && s->estimate[0].known)
			write_other_estimate(out, &s->estimate[1]);
	} else if (s->early_stopping_met) {
		fputs(" * Run successful.\n", out);
	} else {
		fprintf(out,
			" * Run unsuccessful.\n"
			" * Processed %" PRIu64 " queries.\n"
			" * Would need to run at least %" PRIu64 " more queries,\n"
			" with the run being successful if every additional\n"
			" query were under latency.\n",
			queries, s->needed - queries);
	}
}

static void write_stats(FILE *out, const struct scenario_summary *s)
{
	const struct scenario_counts *c = &s->counts;

	fputc('\n', out);
	heading(out, "Additional Stats");
	switch (s->settings.scenario) {
	case SCENARIO_NONE:
	case SCENARIO_OFFLINE:
		break;
	case SCENARIO_SINGLE_STREAM:
		fprintf(out, "QPS w/ loadgen overhead         : %.2f\n", s->rate);
		fprintf(out, "QPS w/o loadgen overhead        : %.2f\n\n", s->mean > 0 ? 1 / nsec_to_sec(s->mean) : 0);
		break;
	case SCENARIO_MULTI_STREAM:
		fputs("Per-query latency:  \n", out);
		break;
	case SCENARIO_SERVER:
		fprintf(out, "Scheduled samples per second : %.2f\n",
			c->last_due > 0 && c->queries > 1 ? (double)(c->queries - 1) / nsec_to_sec(c->last_due) : 0);
		break;
	}
	fprintf(out, "Min latency (ns)                : %" PRId64 "\n", s->min);
	fprintf(out, "Max latency (ns)                : %" PRId64 "\n", s->max);
	fprintf(out, "Mean latency (ns)               : %" PRId64 "\n", s->mean);
	for (int i = 0; i < SCENARIO_PERCENTILES; i++)
		fprintf(out, "%.2f percentile latency (ns)   : %" PRId64 "\n", scenario_percentiles[i] * 100,
			s->percentiles[i]);
}

/* LoadGen has a seed for each of its random streams, which are all made from one here, and settings that have no
 * counterpart and are as good as off. */
static void write_parameters(FILE *out, const struct scenario_summary *s)
{
	const struct scenario_settings *p = &s->settings;

	fputc('\n', out);
	heading(out, "Test Parameters Used");
	fprintf(out, "samples_per_query : %" PRIu64 "\n", p->samples_per_query);
	fprintf(out, "target_qps : %g\n", p->target_qps);
	fprintf(out, "target_latency (ns): %" PRId64 "\n", p->target_latency);
	fprintf(out, "max_async_queries : %" PRIu64 "\n", p->max_under_way);
	fprintf(out, "min_duration (ms): %" PRId64 "\n", p->min_duration / NSEC_PER_MSEC);
	fputs("max_duration (ms): 0\n", out);
	fprintf(out, "min_query_count : %" PRIu64 "\n", p->min_queries);
	fputs("max_query_count : 0\n", out);
	fprintf(out, "qsl_rng_seed : %" PRIu64 "\n", p->seed);
	fprintf(out, "sample_index_rng_seed : %" PRIu64 "\n", p->seed);
	fprintf(out, "schedule_rng_seed : %" PRIu64 "\n", p->seed);
	fputs("accuracy_log_rng_seed : 0\naccuracy_log_probability : 0\naccuracy_log_sampling_target : 0\n"
	      "print_timestamps : 0\nperformance_issue_unique : 0\nperformance_issue_same : 0\n"
	      "performance_issue_same_index : 0\n",
	      out);
	fprintf(out, "performance_sample_count : %" PRIu64 "\n", s->counts.library);
	fprintf(out, "accuracy_sample_count : %" PRIu64 "\n", s->counts.library);
}

/* Warnings are the rules that were overridden. */
static void write_problems(FILE *out, const struct scenario_summary *s)
{
	uint64_t errors = s->counts.failed;
	struct reasons warnings = {0};

	if (s->settings.mode == SCENARIO_PERFORMANCE)
		list_overridden(&warnings, &s->settings);
	if (warnings.n)
		fprintf(out, "\n%u warning%s encountered.\n", warnings.n, plural(warnings.n));
	else
		fputs("\nNo warnings encountered during test.\n", out);
	if (errors)
		fprintf(out, "\n%" PRIu64 " ERROR%s encountered.\n", errors, errors == 1 ? "" : "S");
	else
		fputs("\nNo errors encountered during test.\n", out);
}

void scenario_write_text(FILE *out, const struct scenario_summary *s, const char *sut)
{
	bool accuracy = s->settings.mode == SCENARIO_ACCURACY;

	heading(out, "MLPerf Results Summary");
	fprintf(out, "SUT name : %s\n", sut);
	fprintf(out, "Scenario : %s\n", scenario_name(s->settings.scenario));
	fprintf(out, "Mode     : %s\n", scenario_mode_name(s->settings.mode));
	if (accuracy)
		write_accuracy(out, &s->counts);
	else
		write_metric(out, s);
	write_verdict(out, s);
	if (!accuracy) {
		write_early_stopping(out, s);
		write_stats(out, s);
	}
	write_parameters(out, s);
	write_problems(out, s);
}

int report_scenario(const char *path, const struct result *r, struct error *err)
{
	struct output_file f;
	int e = file_create(&f, path, err);

	if (e < 0)
		return e;
	scenario_write_text(f.stream, &r->scenario, r->description ? r->description : r->program);
	e = file_commit(&f, err);
	file_abandon(&f);
	return e;
}

static void write_reasons(struct json_writer *w, const char *name, const struct reasons *r)
{
	json_begin_array(w, name);
	for (unsigned i = 0; i < r->n; i++)
		json_string(w, NULL, r->text[i]);
	json_end_array(w);
}

static void write_json_verdict(struct json_writer *w, const struct scenario_summary *s)
{
	struct reasons overridden = {0}, recommendations = {0};

	json_string(w, "Result", s->valid ? "VALID" : "INVALID");
	if (!s->valid)
		list_recommendations(&recommendations, s);
	write_reasons(w, "Recommendations", &recommendations);
	if (s->settings.mode == SCENARIO_ACCURACY)
		return;
	json_bool(w, "PerformanceConstraintsSatisfied", s->latency_met);
	json_bool(w, "MinDurationSatisfied", s->min_duration_met);
	json_bool(w, "MinQueriesSatisfied", s->min_queries_met);
	json_bool(w, "EarlyStoppingSatisfied", s->early_stopping_met);
	json_bool(w, "Comparable", scenario_by_the_rules(&s->settings));
	list_overridden(&overridden, &s->settings);
	write_reasons(w, "Overridden", &overridden);
}

static void write_json_estimates(struct json_writer *w, const struct scenario_summary *s)
{
	json_begin_array(w, "EarlyStoppingEstimates");
	for (unsigned i = 0; i < s->nestimates; i++) {
		const struct scenario_estimate *e = &s->estimate[i];

		json_begin(w, NULL);
		json_double(w, "Percentile", e->percentile * 100);
		json_uint(w, "QueriesNeeded", e->needed);
		if (e->known)
			json_int(w, "LatencyNs", e->latency);
		else
			json_string(w, "LatencyNs", NULL);
		json_end(w);
	}
	json_end_array(w);
}

static void write_json_latencies(struct json_writer *w, const struct scenario_summary *s)
{
	char name[16];

	json_begin(w, "LatencyNs");
	json_int(w, "Min", s->min);
	json_int(w, "Max", s->max);
	json_int(w, "Mean", s->mean);
	for (int i = 0; i < SCENARIO_PERCENTILES; i++) {
		snprintf(name, sizeof(name), "%.2f", scenario_percentiles[i] * 100);
		json_int(w, name, s->percentiles[i]);
	}
	json_end(w);
}

static void write_json_parameters(struct json_writer *w, const struct scenario_settings *p)
{
	json_begin(w, "TestParameters");
	json_uint(w, "SamplesPerQuery", p->samples_per_query);
	json_double(w, "TargetQPS", p->target_qps);
	json_int(w, "TargetLatencyNs", p->target_latency);
	json_uint(w, "MaxAsyncQueries", p->max_under_way);
	json_int(w, "MinDurationMs", p->min_duration / NSEC_PER_MSEC);
	json_uint(w, "MinQueryCount", p->min_queries);
	json_uint(w, "Seed", p->seed);
	json_end(w);
}

void scenario_write_json(struct json_writer *w, const struct scenario_summary *s)
{
	const struct scenario_counts *c = &s->counts;

	if (s->settings.scenario == SCENARIO_NONE) {
		json_string(w, "Scenario", NULL);
		return;
	}
	json_begin(w, "Scenario");
	json_string(w, "Name", scenario_name(s->settings.scenario));
	json_string(w, "Mode", scenario_mode_name(s->settings.mode));
	write_json_verdict(w, s);
	json_uint(w, "Queries", c->queries);
	json_uint(w, "Samples", c->samples);
	json_uint(w, "LibrarySamples", c->library);
	if (s->settings.mode == SCENARIO_ACCURACY) {
		json_uint(w, "ComparedSamples", c->compared);
		json_uint(w, "RightSamples", c->right);
	} else {
		json_double(w, "SamplesPerSecond", s->rate);
		json_double(w, "Percentile", s->settings.percentile * 100);
		json_int(w, "PercentileLatencyNs", s->percentile);
		json_uint(w, "OverLatencyQueries", s->over);
		write_json_estimates(w, s);
		write_json_latencies(w, s);
	}
	write_json_parameters(w, &s->settings);
	json_end(w);
}
