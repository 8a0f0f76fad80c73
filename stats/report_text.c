/*
 * report_text.c - AIBench's text forms, to the letter, and our own lines below them.
 */
#include <math.h>
#include <string.h>

#include "stats/result.h"

#define ALL_QUERIES "All queries"
#define REPETITIONS_WANTED 3

typedef unsigned long long ull;

static double ms(int64_t nsec)
{
	return (double)nsec / (double)NSEC_PER_MSEC;
}

static double seconds(nsec_t nsec)
{
	return (double)nsec / (double)NSEC_PER_SEC;
}

void report_progress_header(FILE *out)
{
	fputs("time (ms),total queries,instantaneous inferences/s,overall inferences/s,overall q50 lat(ms),"
	      "overall q90 lat(ms),overall q95 lat(ms),overall q99 lat(ms),overall q99.999 lat(ms)\n",
	      out);
}

void report_progress(FILE *out, const struct period *p, const struct histogram *overall)
{
	static const double percentiles[] = {50, 90, 95, 99, 99.999};

	fprintf(out, "%lld,%llu,%.0f,%.0f", (long long)(p->wall / NSEC_PER_MSEC), (ull)p->inferences, p->inference_rate,
		p->overall_rate);
	for (size_t i = 0; i < sizeof(percentiles) / sizeof(percentiles[0]); i++)
		fprintf(out, ",%.2f", ms(histogram_percentile(overall, percentiles[i])));
	fputc('\n', out);
}

void report_burn_in_complete(FILE *out, uint64_t inferences, unsigned workers)
{
	fprintf(out, "burn-in complete after %llu queries with %u workers\n", (ull)inferences, workers);
}

/* The line of figures under each heading. A mean of bucket middles is kept between the exact extremes. */
static void write_latencies(FILE *out, const struct histogram *h, uint64_t timeouts)
{
	double min = h->total ? ms(h->min) : 0, max = ms(h->max);
	double mean = fmin(fmax(histogram_mean(h) / (double)NSEC_PER_MSEC, min), max);

	fprintf(out,
		"\tmin: %8.2f ms,  mean: %8.2f ms, q25: %8.2f ms, med(q50): %8.2f ms, q75: %8.2f ms, q99: %8.2f ms, "
		"max: %8.2f ms, stddev: %8.2fms, count: %llu, timedOut count: %llu\n",
		min, mean, ms(histogram_percentile(h, 25)), ms(histogram_percentile(h, 50)),
		ms(histogram_percentile(h, 75)), ms(histogram_percentile(h, 99)), max,
		histogram_stddev(h) / (double)NSEC_PER_MSEC, (ull)h->total, (ull)timeouts);
}

static void write_aibench_block(FILE *out, const struct result *r)
{
	const char *headings[] = {ALL_QUERIES, r->label ? r->label : ""};
	int width = (int)(strlen(headings[1]) > strlen(headings[0]) ? strlen(headings[1]) : strlen(headings[0]));

	fprintf(out,
		"Run complete after %llu inferences with %u workers (Overall inference rate %.2f inferences/sec):\n",
		(ull)result_measured(r), r->workers, result_rate_with_warmup(r));
	for (int i = 0; i < 2; i++) {
		fprintf(out, "%-*s:\n", width, headings[i]);
		fputs("+ Inference execution latency (statistical histogram):\n", out);
		write_latencies(out, &r->all.service, r->all.totals.inferences[OUTCOME_TIMEOUT]);
		fputc('\n', out);
	}
	fprintf(out, "Took: %8.3f sec\n", seconds(r->end - r->start));
}

static void write_outcomes(FILE *out, const struct result *r)
{
	const uint64_t *n = r->all.totals.inferences;

	fprintf(out, "Outcomes: %llu right, %llu wrong, %llu errors, %llu timeouts", (ull)n[OUTCOME_OK],
		(ull)n[OUTCOME_WRONG], (ull)n[OUTCOME_ERROR], (ull)n[OUTCOME_TIMEOUT]);
	if (totals_inferences(&r->burned_in))
		fprintf(out, " after a burn-in of %llu", (ull)totals_inferences(&r->burned_in));
	if (r->unanswered)
		fprintf(out, "; %llu requests unanswered at the end", (ull)r->unanswered);
	if (r->reconnects)
		fprintf(out, "; %llu reconnects", (ull)r->reconnects);
	fputc('\n', out);
	fprintf(out, "Inference rate since the end of the burn-in: %.2f inferences/sec\n", result_rate(r));
}

static void write_pacing(FILE *out, const struct result *r)
{
	fputs("+ Response time, from when the request was due (statistical histogram):\n", out);
	write_latencies(out, &r->all.response, r->all.totals.inferences[OUTCOME_TIMEOUT]);
	fputs("+ Send lag, how late requests were sent (statistical histogram):\n", out);
	write_latencies(out, &r->all.lag, r->all.totals.inferences[OUTCOME_TIMEOUT]);
}

static void write_client(FILE *out, const struct result *r)
{
	const struct client_usage *u = &r->usage;
	double cpu = u->user_seconds + u->system_seconds;
	uint64_t n = result_inferences(r);

	fprintf(out,
		"Client: %.2f us of CPU per inference (user %.3f s, system %.3f s, %u threads), %llu voluntary and "
		"%llu "
		"involuntary context switches, %llu major page faults, %.1f MiB of anonymous memory\n",
		n ? cpu * 1e6 / (double)n : 0, u->user_seconds, u->system_seconds, u->threads,
		(ull)u->voluntary_switches, (ull)u->involuntary_switches, (ull)u->major_faults,
		(double)u->rss_anon_bytes / (1 << 20));
}

static void write_warnings(FILE *out, const struct result *r)
{
	const struct totals *t = &r->all.totals;
	uint64_t saturated = r->all.service.saturated + r->all.response.saturated + r->all.lag.saturated;

	if (r->interrupted)
		fputs("Warning: interrupted: the run ended before its end, these are the figures until then\n", out);
	if (r->stopped_by_error)
		fprintf(out, "Warning: stopped by an error: %s\n", r->error.text);
	else if (t->requests[OUTCOME_ERROR] || r->burned_in.requests[OUTCOME_ERROR])
		fprintf(out, "Warning: %llu requests failed, the first with: %s\n",
			(ull)(t->requests[OUTCOME_ERROR] + r->burned_in.requests[OUTCOME_ERROR]), r->error.text);
	if (t->requests[OUTCOME_WRONG] || r->burned_in.requests[OUTCOME_WRONG])
		fprintf(out, "Warning: %llu answers were wrong, the first: %s\n",
			(ull)(t->requests[OUTCOME_WRONG] + r->burned_in.requests[OUTCOME_WRONG]), r->wrong.text);
	if (t->requests[OUTCOME_TIMEOUT])
		fprintf(out, "Warning: %llu requests timed out; they are in the latencies with the time of giving up\n",
			(ull)t->requests[OUTCOME_TIMEOUT]);
	if (saturated)
		fprintf(out, "Warning: %llu latencies were over %.0f s and are counted as that\n", (ull)saturated,
			seconds(HISTOGRAM_LATENCY_HIGHEST));
	if (!r->interrupted && result_measured(r) == 0)
		fputs("Warning: nothing was measured: the burn-in took all inferences\n", out);
	if (r->usage.major_faults)
		fprintf(out,
			"Warning: %llu major page faults: the dataset was read from disk while measuring; read it once "
			"before "
			"(cat FILE >/dev/null)\n",
			(ull)r->usage.major_faults);
	if (r->repetition >= r->repetitions && r->repetitions < REPETITIONS_WANTED)
		fprintf(out, "Note: %u of at least %d repetitions: do not publish figures of fewer (-repetitions)\n",
			r->repetitions, REPETITIONS_WANTED);
}

int report_text(FILE *out, const struct result *r)
{
	write_aibench_block(out, r);
	write_outcomes(out, r);
	if (r->all.open_loop)
		write_pacing(out, r);
	write_client(out, r);
	write_warnings(out, r);
	return ferror(out) ? ERR_IO : 0;
}
