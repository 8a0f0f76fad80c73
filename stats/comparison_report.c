/*
 * comparison_report.c - a comparison as a table for readers and as JSON for programs.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/text.h"
#include "common/version.h"
#include "stats/comparison.h"
#include "stats/fail_if.h"
#include "stats/histogram_json.h"

/* Four digits: latencies may be nanoseconds. */
static const char *number(char buf[32], double value)
{
	if (value >= 100)
		snprintf(buf, 32, "%.2f", value);
	else
		snprintf(buf, 32, "%#.4g", value);
	return buf;
}

static const char *interval(char buf[64], double low, double high)
{
	if (isnan(low))
		snprintf(buf, 64, "-");
	else
		snprintf(buf, 64, "%+.2f %% to %+.2f %%", low, high);
	return buf;
}

static void write_side(FILE *out, const char *name, const struct comparison_side *s)
{
	fprintf(out, "%s: %zu run%s of %s, %" PRIu64 " requests", name, s->nruns, plural(s->nruns), s->runs[0].program,
		s->merged.total);
	if (s->nruns > 2)
		fprintf(out, " (%s ... %s)\n", s->runs[0].path, s->runs[s->nruns - 1].path);
	else
		fprintf(out, " (%s%s%s)\n", s->runs[0].path, s->nruns == 2 ? ", " : "",
			s->nruns == 2 ? s->runs[1].path : "");
}

/* Only what enough runs stand behind has an interval and a p in the table. */
static bool tells(const struct difference *d)
{
	return d->na >= DIFFERENCE_RUNS_MIN && d->nb >= DIFFERENCE_RUNS_MIN && d->finding != FINDING_NO_FIGURE;
}

static void write_row(FILE *out, const struct metric *m, const struct difference *d)
{
	char name[48], a[32], b[32], range[64], percent[32], p[32];

	snprintf(name, sizeof(name), "%s (%s)", m->name, m->unit);
	if (d->finding == FINDING_NO_FIGURE) {
		fprintf(out, "%-20s %12s %12s %12s  %-24s %8s  %s\n", name, "-", "-", "-", "-", "-",
			finding_text(d->finding));
		return;
	}
	snprintf(percent, sizeof(percent), "%+.2f %%", d->percent);
	snprintf(p, sizeof(p), tells(d) ? "%.4f" : "-", d->adjusted_p);
	fprintf(out, "%-20s %12s %12s %12s  %-24s %8s  %s\n", name, number(a, d->a), number(b, d->b), percent,
		tells(d) ? interval(range, d->low, d->high) : "-", p, finding_text(d->finding));
}

static void write_table(FILE *out, const struct comparison *c)
{
	char heading[32];

	snprintf(heading, sizeof(heading), "%g %% interval", 100 * c->rules.confidence);
	fprintf(out, "%-20s %12s %12s %12s  %-24s %8s  %s\n", "", "A", "B", "B against A", heading, "p", "B is");
	for (enum comparison_metric m = 0; m < METRICS; m++)
		write_row(out, &comparison_metrics[m], &c->differences[m]);
	fprintf(out, "Each %s counts once; A and B are geometric means; latencies are response times.\n",
		c->rules.paired ? "pair of runs" : "run");
	if (tells(&c->differences[METRIC_RATE]))
		fprintf(out,
			"p is for all %d figures together (Holm), of %s permutations or of the t test, the larger.\n",
			METRICS, c->differences[METRIC_RATE].exact ? "all" : "a sample of the");
}

static void write_merged(FILE *out, const char *name, const struct histogram *h)
{
	static const double percentiles[] = {50, 90, 99, 99.9};

	fprintf(out, "All requests of %s (ms):", name);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		fprintf(out, " q%g %.3f,", percentiles[i], nsec_to_msec(histogram_percentile(h, percentiles[i])));
	fprintf(out, " max %.3f\n", nsec_to_msec(h->max));
}

static void write_limits(FILE *out, const struct fail_if *limits, const struct comparison *c)
{
	char text[64], range[64];

	for (size_t i = 0; i < limits->n; i++) {
		struct limit_finding f = limit_judge(limits, i, c);

		fprintf(out, "Fail if %s: %s", limit_text(text, sizeof(text), &limits->limits[i]),
			limit_state_text(f.state));
		if (!isnan(f.low))
			fprintf(out, " (%s)", interval(range, f.low, f.high));
		fputc('\n', out);
	}
}

void comparison_write_text(FILE *out, const struct comparison *c, const struct fail_if *limits)
{
	write_side(out, "A", &c->a);
	write_side(out, "B", &c->b);
	write_table(out, c);
	write_merged(out, "A", &c->a.merged);
	write_merged(out, "B", &c->b.merged);
	for (const char *note = c->notes.data; note && *note;) {
		size_t len = strcspn(note, "\n");

		fprintf(out, "Note: %.*s\n", (int)len, note);
		note += len + (note[len] == '\n');
	}
	if (limits)
		write_limits(out, limits, c);
}

static int json_side(struct json_writer *w, const char *name, const struct comparison_side *s)
{
	int e;

	json_begin(w, name);
	json_string(w, "Program", s->runs[0].program);
	json_string(w, "CommandLine", s->runs[0].command_line);
	json_begin_array(w, "Files");
	for (size_t i = 0; i < s->nruns; i++)
		json_string(w, NULL, s->runs[i].path);
	json_end_array(w);
	json_begin(w, "Figures");
	for (enum comparison_metric m = 0; m < METRICS; m++) {
		json_begin_array(w, comparison_metrics[m].name);
		for (size_t i = 0; i < s->nruns; i++)
			json_double(w, NULL, s->figures[m][i]);
		json_end_array(w);
	}
	json_end(w);
	e = histogram_write_json(w, "MergedResponse", &s->merged);
	json_end(w);
	return e;
}

static void json_difference(struct json_writer *w, const struct metric *m, const struct difference *d)
{
	bool shown = tells(d);

	json_begin(w, m->name);
	json_string(w, "Unit", m->unit);
	json_bool(w, "HigherIsBetter", m->higher_is_better);
	json_double(w, "A", d->a);
	json_double(w, "B", d->b);
	json_double(w, "DifferencePercent", d->percent);
	json_double(w, "IntervalLowPercent", shown ? d->low : NAN);
	json_double(w, "IntervalHighPercent", shown ? d->high : NAN);
	json_double(w, "P", shown ? d->p : NAN);
	json_double(w, "AdjustedP", shown ? d->adjusted_p : NAN);
	json_bool(w, "Exact", d->exact);
	json_string(w, "Finding", finding_text(d->finding));
	json_end(w);
}

static void json_limits(struct json_writer *w, const struct fail_if *limits, const struct comparison *c)
{
	char text[64];

	json_begin_array(w, "FailIf");
	for (size_t i = 0; limits && i < limits->n; i++) {
		struct limit_finding f = limit_judge(limits, i, c);

		json_begin(w, NULL);
		json_string(w, "Limit", limit_text(text, sizeof(text), &limits->limits[i]));
		json_bool(w, "Failed", f.state == LIMIT_BROKEN);
		json_string(w, "Finding", limit_state_text(f.state));
		json_double(w, "IntervalLowPercent", f.low);
		json_double(w, "IntervalHighPercent", f.high);
		json_end(w);
	}
	json_end_array(w);
}

static void json_notes(struct json_writer *w, const struct buf *notes)
{
	char line[1024];

	json_begin_array(w, "Notes");
	for (const char *note = notes->data; note && *note;) {
		size_t len = strcspn(note, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, note);
		json_string(w, NULL, line);
		note += len + (note[len] == '\n');
	}
	json_end_array(w);
}

static int write_json(FILE *out, const struct comparison *c, const struct fail_if *limits, const char *command_line)
{
	struct json_writer w = {.out = out};
	int e;

	json_begin(&w, NULL);
	json_string(&w, "Program", "aibench_compare");
	json_string(&w, "Version", AIBENCH_VERSION);
	json_string(&w, "GitCommit", aibench_git_commit);
	json_string(&w, "CommandLine", command_line);
	json_double(&w, "Confidence", c->rules.confidence);
	json_bool(&w, "Paired", c->rules.paired);
	json_uint(&w, "Seed", c->rules.seed);
	e = json_side(&w, "A", &c->a);
	if (e == 0)
		e = json_side(&w, "B", &c->b);
	json_begin(&w, "Differences");
	for (enum comparison_metric m = 0; m < METRICS; m++)
		json_difference(&w, &comparison_metrics[m], &c->differences[m]);
	json_end(&w);
	json_limits(&w, limits, c);
	json_notes(&w, &c->notes);
	json_end(&w);
	return e;
}

int comparison_write_json(const char *path, const struct comparison *c, const struct fail_if *limits,
			  const char *command_line, struct error *err)
{
	struct output_file f;
	int e = file_create(&f, path, err);

	if (e < 0)
		return e;
	e = write_json(f.stream, c, limits, command_line);
	if (e < 0)
		error_set(err, (enum error_code)e, "%s: cannot write the comparison: %s", path, error_message(e));
	else
		e = file_commit(&f, err);
	file_abandon(&f);
	return e;
}
