/*
 * report_text.c - AIBench's text forms, to the letter, and our own lines below them.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/text.h"
#include "stats/result.h"

#define ALL_QUERIES "All queries"
#define REPETITIONS_WANTED 3

void report_progress_header(FILE *out)
{
	fputs("time (ms),total queries,instantaneous inferences/s,overall inferences/s,overall q50 lat(ms),"
	      "overall q90 lat(ms),overall q95 lat(ms),overall q99 lat(ms),overall q99.999 lat(ms)\n",
	      out);
}

void report_progress(FILE *out, const struct period *p, const struct histogram *overall)
{
	static const double percentiles[] = {50, 90, 95, 99, 99.999};

	fprintf(out, "%lld,%" PRIu64 ",%.0f,%.0f", (long long)(p->wall / NSEC_PER_MSEC), p->inferences,
		p->inference_rate, p->overall_rate);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		fprintf(out, ",%.2f", nsec_to_msec(histogram_percentile(overall, percentiles[i])));
	fputc('\n', out);
}

void report_burn_in_complete(FILE *out, uint64_t inferences, unsigned workers)
{
	fprintf(out, "burn-in complete after %" PRIu64 " queries with %u workers\n", inferences, workers);
}

/* The line of figures under each heading. A mean of bucket middles is kept between the exact extremes. */
static void write_latencies(FILE *out, const struct histogram *h, uint64_t timeouts)
{
	double min = h->total ? nsec_to_msec(h->min) : 0, max = nsec_to_msec(h->max);
	double mean = fmin(fmax(histogram_mean(h) / (double)NSEC_PER_MSEC, min), max);

	fprintf(out,
		"\tmin: %8.2f ms,  mean: %8.2f ms, q25: %8.2f ms, med(q50): %8.2f ms, q75: %8.2f ms, q99: %8.2f ms, "
		"max: %8.2f ms, stddev: %8.2fms, count: %" PRIu64 ", timedOut count: %" PRIu64 "\n",
		min, mean, nsec_to_msec(histogram_percentile(h, 25)), nsec_to_msec(histogram_percentile(h, 50)),
		nsec_to_msec(histogram_percentile(h, 75)), nsec_to_msec(histogram_percentile(h, 99)), max,
		histogram_stddev(h) / (double)NSEC_PER_MSEC, h->total, timeouts);
}

static void write_aibench_block(FILE *out, const struct result *r)
{
	const char *headings[] = {ALL_QUERIES, r->label};
	size_t width = r->label && strlen(r->label) > strlen(ALL_QUERIES) ? strlen(r->label) : strlen(ALL_QUERIES);

	fprintf(out, "Run complete after %" PRIu64 " inferences with %u workers ", result_measured(r), r->workers);
	fprintf(out, "(Overall inference rate %.2f inferences/sec):\n", result_rate_with_warmup(r));
	for (int i = 0; i < 2 && headings[i]; i++) {
		fprintf(out, "%-*s:\n", (int)width, headings[i]);
		fputs("+ Inference execution latency (statistical histogram):\n", out);
		write_latencies(out, &r->all.service, r->all.totals.inferences[OUTCOME_TIMEOUT]);
		fputc('\n', out);
	}
	fprintf(out, "Took: %8.3f sec\n", nsec_to_sec(r->end - r->start));
}

static void write_counts(FILE *out, const uint64_t n[OUTCOME_MAX])
{
	fprintf(out, "%" PRIu64 " right, %" PRIu64 " wrong, %" PRIu64 " error%s, %" PRIu64 " timeout%s", n[OUTCOME_OK],
		n[OUTCOME_WRONG], n[OUTCOME_ERROR], plural(n[OUTCOME_ERROR]), n[OUTCOME_TIMEOUT],
		plural(n[OUTCOME_TIMEOUT]));
}

static void write_burn_in(FILE *out, const struct result *r)
{
	uint64_t n = totals_inferences(&r->burned_in);

	if (n == 0)
		return;
	fprintf(out, " after a burn-in of %" PRIu64, n);
	if (r->burned_in.inferences[OUTCOME_OK] == n)
		return;
	fputs(" (", out);
	write_counts(out, r->burned_in.inferences);
	fputc(')', out);
}

static void write_outcomes(FILE *out, const struct result *r)
{
	fputs("Outcomes: ", out);
	write_counts(out, r->all.totals.inferences);
	write_burn_in(out, r);
	if (r->unanswered)
		fprintf(out, "; %" PRIu64 " request%s unanswered at the end", r->unanswered, plural(r->unanswered));
	if (r->unsent)
		fprintf(out, "; %" PRIu64 " request%s due and never sent", r->unsent, plural(r->unsent));
	if (r->reconnects)
		fprintf(out, "; %" PRIu64 " reconnect%s", r->reconnects, plural(r->reconnects));
	fputc('\n', out);
	if (totals_inferences(&r->burned_in))
		fprintf(out, "Inference rate since the end of the burn-in: %.2f inferences/sec\n", result_rate(r));
}

/* Finer than AIBench's line and with the percentiles that it lacks: 0.01 ms is coarse for a small model. */
static void write_spectrum(FILE *out, const char *what, const struct histogram *h)
{
	static const double percentiles[] = {50, 90, 95, 99, 99.9, 99.99};

	if (h->total == 0) {
		fprintf(out, "%s (ms): none was measured\n", what);
		return;
	}
	fprintf(out, "%s (ms):", what);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		fprintf(out, " q%g %.3f,", percentiles[i], nsec_to_msec(histogram_percentile(h, percentiles[i])));
	fprintf(out, " max %.3f\n", nsec_to_msec(h->max));
}

static const char *const stage_names[STAGE_MAX] = {
	[STAGE_REFERENCE] = "Reference fetch",
	[STAGE_ENCODE] = "Encoding",
	[STAGE_SERVICE] = "Model call",
	[STAGE_DECODE] = "Decoding",
};

static void write_spectra(FILE *out, const struct result *r)
{
	write_spectrum(out, "Service time", &r->all.service);
	for (unsigned i = 0; i < STAGE_MAX; i++) {
		if (r->all.stages & 1U << i)
			write_spectrum(out, stage_names[i], &r->all.stage[i]);
	}
	if (!r->all.open_loop)
		return;
	write_spectrum(out, "Response time, from when a request was due", &r->all.response);
	write_spectrum(out, "Send lag, how late requests were sent", &r->all.lag);
}

static void write_client(FILE *out, const struct result *r)
{
	const struct client_usage *u = &r->usage;
	double cpu = u->user_seconds + u->system_seconds;
	uint64_t n = result_inferences(r);

	fprintf(out, "Client: %.2f us of CPU per inference (user %.3f s, system %.3f s, %u thread%s), ",
		n ? cpu * 1e6 / (double)n : 0, u->user_seconds, u->system_seconds, u->threads, plural(u->threads));
	fprintf(out, "%" PRIu64 " voluntary and %" PRIu64 " involuntary context switch%s, ", u->voluntary_switches,
		u->involuntary_switches, u->involuntary_switches == 1 ? "" : "es");
	fprintf(out, "%" PRIu64 " major page fault%s, %.1f MiB of anonymous memory\n", u->major_faults,
		plural(u->major_faults), (double)u->rss_anon_bytes / (1 << 20));
}

static uint64_t count_of(const struct result *r, enum outcome o)
{
	return r->all.totals.requests[o] + r->burned_in.requests[o];
}

/* A page read from disk now and then is every process' lot: one in so many inferences shows in no percentile. */
#define MAJOR_FAULTS_TOLERATED 1000

/* n requests of a kind, with the first one's text where it was kept. */
static void warn_of_requests(FILE *out, uint64_t n, const char *what, const struct error *first, const char *remark)
{
	if (n == 0)
		return;
	fprintf(out, "Warning: %" PRIu64 " request%s %s", n, plural(n), what);
	if (first->text[0])
		fprintf(out, "%s with: %s", n == 1 ? "" : ", the first", first->text);
	fprintf(out, "%s\n", remark);
}

static void warn_of_nothing_measured(FILE *out, const struct result *r)
{
	uint64_t burned_in = totals_inferences(&r->burned_in);
	const char *why = "";

	if (result_measured(r) > 0)
		return;
	if (burned_in > 0 && !r->stopped_by_error && !r->interrupted)
		why = ": the burn-in took all inferences";
	else if (burned_in < r->burn_in)
		why = ": the run ended within its burn-in";
	fprintf(out, "Warning: nothing was measured%s\n", why);
}

static void warn_of_outcomes(FILE *out, const struct result *r)
{
	uint64_t wrong = count_of(r, OUTCOME_WRONG);

	if (r->interrupted)
		fputs("Warning: interrupted: the run ended before its end, these are the figures until then\n", out);
	if (r->stopped_by_error)
		fprintf(out, "Warning: stopped by an error: %s\n", r->error.text);
	else
		warn_of_requests(out, count_of(r, OUTCOME_ERROR), "failed", &r->error, "");
	if (wrong)
		fprintf(out, "Warning: %" PRIu64 " request%s had %s: %s\n", wrong, plural(wrong),
			wrong == 1 ? "a wrong answer" : "wrong answers, the first", r->wrong.text);
	warn_of_requests(out, count_of(r, OUTCOME_TIMEOUT), "timed out", &r->timeout,
			 " (time-outs count as long as was waited)");
	warn_of_nothing_measured(out, r);
}

static void write_warnings(FILE *out, const struct result *r)
{
	uint64_t saturated = r->all.service.saturated + r->all.response.saturated + r->all.lag.saturated;
	uint64_t faults = r->usage.major_faults;

	warn_of_outcomes(out, r);
	if (saturated)
		fprintf(out, "Warning: %" PRIu64 " latenc%s over %.0f s and counted as that\n", saturated,
			saturated == 1 ? "y was" : "ies were", nsec_to_sec(HISTOGRAM_LATENCY_HIGHEST));
	if (faults > result_inferences(r) / MAJOR_FAULTS_TOLERATED)
		fprintf(out,
			"Warning: %" PRIu64 " major page fault%s while running: "
			"read the dataset once before (cat FILE >/dev/null)\n",
			faults, plural(faults));
	if (r->repetition >= r->repetitions && r->repetitions < REPETITIONS_WANTED)
		fprintf(out, "Note: %u of at least %d repetitions: do not publish figures of fewer (-repetitions)\n",
			r->repetitions, REPETITIONS_WANTED);
}

int report_text(FILE *out, const struct result *r)
{
	write_aibench_block(out, r);
	write_outcomes(out, r);
	offered_write_text(out, r);
	verification_write_text(out, &r->verification);
	recording_write_text(out, &r->recording);
	write_spectra(out, r);
	stability_write_text(out, &r->stability);
	write_client(out, r);
	audit_write_text(out, r);
	network_write_text(out, &r->network);
	platform_write_text(out, r->platform);
	write_warnings(out, r);
	return ferror(out) ? ERR_IO : 0;
}
