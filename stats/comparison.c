/*
 * comparison.c - result files into figures, differences and notes.
 */
#include "stats/comparison.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"

/* A histogram of 3 digits tells neighbours apart that are one part in a thousand from each other. */
#define HISTOGRAM_STEP 0.001
#define VALID "VALID"

const struct metric comparison_metrics[METRICS] = {
	[METRIC_RATE] = {"rate", "inferences/s", 0, true, 0},
	[METRIC_MEAN] = {"mean", "ms", 0, false, HISTOGRAM_STEP},
	[METRIC_P50] = {"p50", "ms", 50, false, HISTOGRAM_STEP},
	[METRIC_P90] = {"p90", "ms", 90, false, HISTOGRAM_STEP},
	[METRIC_P99] = {"p99", "ms", 99, false, HISTOGRAM_STEP},
	[METRIC_P999] = {"p99.9", "ms", 99.9, false, HISTOGRAM_STEP},
};

const char *finding_text(enum finding f)
{
	static const char *const texts[] = {
		[FINDING_TOO_FEW] = "too few repetitions to tell",
		[FINDING_NONE] = "no difference shown",
		[FINDING_BETTER] = "better",
		[FINDING_WORSE] = "worse",
		[FINDING_NO_FIGURE] = "a run has no such figure",
	};

	return texts[f];
}

static double figure(const struct result_file *run, enum comparison_metric m)
{
	const struct metric *metric = &comparison_metrics[m];

	if (m == METRIC_RATE)
		return run->rate;
	if (metric->percentile > 0)
		return nsec_to_msec(histogram_percentile(&run->response, metric->percentile));
	return histogram_mean(&run->response) / (double)NSEC_PER_MSEC;
}

static int side_make(struct comparison_side *s, const struct result_file *runs, size_t n)
{
	int r = histogram_init_latency(&s->merged);

	s->runs = runs;
	s->nruns = n;
	for (enum comparison_metric m = 0; r == 0 && m < METRICS; m++) {
		s->figures[m] = calloc(n, sizeof(*s->figures[m]));
		if (!s->figures[m])
			return ERR_NOMEM;
		for (size_t i = 0; i < n; i++)
			s->figures[m][i] = figure(&runs[i], m);
	}
	for (size_t i = 0; r == 0 && i < n; i++)
		r = histogram_merge(&s->merged, &runs[i].response);
	return r;
}

static void side_release(struct comparison_side *s)
{
	for (enum comparison_metric m = 0; m < METRICS; m++)
		free(s->figures[m]);
	histogram_release(&s->merged);
}

static const char *fact(const struct result_file *run, size_t i)
{
	return run->facts[i] ? run->facts[i] : "not known";
}

/* What is different within a side makes its runs no repetitions of one thing. */
static bool note_within(struct buf *notes, const char *name, const struct comparison_side *s, size_t i)
{
	for (size_t k = 1; k < s->nruns; k++) {
		if (strcmp(fact(&s->runs[0], i), fact(&s->runs[k], i)) == 0)
			continue;
		buf_printf(notes, "%s is no one set-up: %s is %s in %s and %s in %s\n", name, result_fact_names[i],
			   fact(&s->runs[0], i), s->runs[0].path, fact(&s->runs[k], i), s->runs[k].path);
		return true;
	}
	return false;
}

static void note_set_ups(struct comparison *c)
{
	for (size_t i = 0; i < RESULT_FACTS; i++) {
		bool within = note_within(&c->notes, "A", &c->a, i);
		const char *a = fact(&c->a.runs[0], i), *b = fact(&c->b.runs[0], i);

		within |= note_within(&c->notes, "B", &c->b, i);
		if (!within && strcmp(a, b) != 0)
			buf_printf(&c->notes, "A and B differ in %s: %s and %s\n", result_fact_names[i], a, b);
	}
}

static void note_count(struct buf *notes, const char *name, uint64_t n, const char *what)
{
	if (n > 0)
		buf_printf(notes, "%s: %" PRIu64 " %s\n", name, n, what);
}

static void note_run(struct buf *notes, const struct result_file *run)
{
	if (run->stopped_by_error)
		buf_printf(notes, "%s: an error stopped the run\n", run->path);
	if (run->interrupted)
		buf_printf(notes, "%s: the run was interrupted\n", run->path);
	if (run->recorded)
		buf_printf(notes, "%s: the run recorded answers, which cost it time\n", run->path);
}

static bool has_verdict(const struct result_file *run, const char *verdict)
{
	return run->verdict && strcmp(run->verdict, verdict) == 0;
}

/* A line for each verdict but VALID that runs of a side have. */
static void note_verdicts(struct buf *notes, const char *name, const struct comparison_side *s)
{
	for (size_t i = 0; i < s->nruns; i++) {
		const char *verdict = s->runs[i].verdict;
		size_t before = 0, with = 0;

		if (!verdict || strcmp(verdict, VALID) == 0)
			continue;
		for (size_t k = 0; k < s->nruns; k++) {
			before += k < i && has_verdict(&s->runs[k], verdict);
			with += has_verdict(&s->runs[k], verdict);
		}
		if (before == 0)
			buf_printf(notes, "%s: %zu of %zu runs are %s and not " VALID ": %s says why\n", name, with,
				   s->nruns, verdict, s->runs[i].path);
	}
}

static void note_runs(struct buf *notes, const char *name, const struct comparison_side *s)
{
	uint64_t errors = 0, wrong = 0, timeouts = 0, unanswered = 0, unsent = 0;

	for (size_t i = 0; i < s->nruns; i++) {
		note_run(notes, &s->runs[i]);
		errors += s->runs[i].errors;
		wrong += s->runs[i].wrong;
		timeouts += s->runs[i].timeouts;
		unanswered += s->runs[i].unanswered;
		unsent += s->runs[i].unsent;
	}
	note_verdicts(notes, name, s);
	note_count(notes, name, errors, "requests ended in errors: no latency tells of them");
	note_count(notes, name, wrong, "requests had wrong answers");
	note_count(notes, name, timeouts, "requests timed out: their latency is that of giving up");
	note_count(notes, name, unanswered, "requests were unanswered when their run ended");
	note_count(notes, name, unsent, "requests were due and never sent");
	note_count(notes, name, s->merged.saturated, "latencies were too long for the histogram");
}

/* A run that stands for two repetitions makes any difference look certain. */
static bool same_run(const struct result_file *x, const struct result_file *y)
{
	return x->start == y->start && x->rate == y->rate && x->response.total == y->response.total &&
	       x->response.max == y->response.max && strcmp(x->program, y->program) == 0;
}

static const struct result_file *run_at(const struct comparison *c, size_t i)
{
	return i < c->a.nruns ? &c->a.runs[i] : &c->b.runs[i - c->a.nruns];
}

static int check_runs(const struct comparison *c, struct error *err)
{
	size_t n = c->a.nruns + c->b.nruns;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < i; k++) {
			if (same_run(run_at(c, i), run_at(c, k)))
				return error_set(err, ERR_USAGE, "%s and %s are the same run: each counts once",
						 run_at(c, k)->path, run_at(c, i)->path);
		}
	}
	return 0;
}

static int compare(struct comparison *c)
{
	struct figures f[METRICS];

	for (enum comparison_metric m = 0; m < METRICS; m++)
		f[m] = (struct figures){
			.a = c->a.figures[m],
			.b = c->b.figures[m],
			.na = c->a.nruns,
			.nb = c->b.nruns,
			.higher_is_better = comparison_metrics[m].higher_is_better,
			.resolution = comparison_metrics[m].resolution,
		};
	return differences_find(c->differences, f, METRICS, &c->rules);
}

int comparison_make(struct comparison *ret, const struct result_file *a, size_t na, const struct result_file *b,
		    size_t nb, const struct difference_rules *rules, struct error *err)
{
	struct comparison c = {.rules = *rules};
	int r;

	if (na == 0 || nb == 0)
		return error_set(err, ERR_USAGE, "%s has no runs: name result files as A.json... -- B.json...",
				 na == 0 ? "A" : "B");
	if (rules->paired && na != nb)
		return error_set(err, ERR_USAGE, "pairs need as many runs of A (%zu) as of B (%zu)", na, nb);
	r = side_make(&c.a, a, na);
	if (r == 0)
		r = side_make(&c.b, b, nb);
	if (r == 0)
		r = check_runs(&c, err);
	if (r == ERR_USAGE)
		goto out;
	if (r == 0)
		r = compare(&c);
	if (r == 0) {
		note_set_ups(&c);
		note_runs(&c.notes, "A", &c.a);
		note_runs(&c.notes, "B", &c.b);
	}
	if (r == 0 && c.notes.failed)
		r = ERR_NOMEM;
	if (r < 0)
		error_set(err, (enum error_code)r, "cannot compare: %s", error_message(r));
out:
	if (r == 0)
		*ret = c;
	else
		comparison_release(&c);
	return r;
}

void comparison_release(struct comparison *c)
{
	side_release(&c->a);
	side_release(&c->b);
	buf_release(&c->notes);
	*c = (struct comparison){0};
}
