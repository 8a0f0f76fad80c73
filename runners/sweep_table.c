/*
 * sweep_table.c - runs into rows, rows into text, CSV and JSON.
 */
#include "runners/sweep_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "common/arith.h"
#include "stats/json_writer.h"
#include "stats/knee.h"

#define KNEE_METHOD "highest throughput / mean response time (Kleinrock's power)"
#define KNEE_LOADS 3 /* of fewer, one is an end of the range */

void sweep_table_release(struct sweep_table *t)
{
	free(t->rows);
	free(t->rates);
	histogram_release(&t->latencies);
	*t = (struct sweep_table){0};
}

static bool same_value(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

static bool same_point(const struct sweep_point *a, const struct sweep_point *b, int except)
{
	for (int v = 0; v < SWEEP_VARIABLES; v++) {
		if (v != except && !same_value(a->values[v], b->values[v]))
			return false;
	}
	return true;
}

static void *grown(void *items, size_t n, size_t item_size)
{
	size_t bytes;

	return size_mul(&bytes, n + 1, item_size) ? realloc(items, bytes) : NULL;
}

static int begin_row(struct sweep_table *t, const struct sweep_point *point)
{
	struct sweep_row *rows = grown(t->rows, t->n, sizeof(*rows));

	if (!rows)
		return ERR_NOMEM;
	t->rows = rows;
	if (t->latencies.counts)
		histogram_reset(&t->latencies);
	else if (histogram_init_latency(&t->latencies) < 0)
		return ERR_NOMEM;
	rows[t->n++] = (struct sweep_row){.point = *point};
	return 0;
}

/* Keeps the row's rates sorted. */
static int add_rate(struct sweep_table *t, struct sweep_row *row, double rate)
{
	double *rates = grown(t->rates, row->runs, sizeof(*rates));
	unsigned i = row->runs;

	if (!rates)
		return ERR_NOMEM;
	t->rates = rates;
	for (; i > 0 && rates[i - 1] > rate; i--)
		rates[i] = rates[i - 1];
	rates[i] = rate;
	row->runs++;
	row->rate = (rates[(row->runs - 1) / 2] + rates[row->runs / 2]) / 2;
	row->spread = row->rate > 0 ? (rates[row->runs - 1] - rates[0]) / row->rate : 0;
	return 0;
}

int sweep_table_add(struct sweep_table *t, const struct sweep_point *point, const struct result *r)
{
	const struct client_usage *u = &r->usage;
	uint64_t n = result_inferences(r);
	struct sweep_row *row;
	int e = 0;

	if (t->n == 0 || !same_point(&t->rows[t->n - 1].point, point, SWEEP_VARIABLES))
		e = begin_row(t, point);
	if (e < 0)
		return e;
	row = &t->rows[t->n - 1];
	t->open_loop = r->all.open_loop;
	e = add_rate(t, row, result_rate(r));
	if (e < 0)
		return e;
	/* one layout, so nothing is lost */
	(void)histogram_merge(&t->latencies, r->all.open_loop ? &r->all.response : &r->all.service);
	row->mean = histogram_mean(&t->latencies);
	row->q50 = histogram_percentile(&t->latencies, 50);
	row->q99 = histogram_percentile(&t->latencies, 99);
	row->q999 = histogram_percentile(&t->latencies, 99.9);
	row->cpu += ((n ? (u->user_seconds + u->system_seconds) / (double)n : 0) - row->cpu) / row->runs;
	row->wrong += r->all.totals.requests[OUTCOME_WRONG];
	row->errors += r->all.totals.requests[OUTCOME_ERROR];
	row->timeouts += r->all.totals.requests[OUTCOME_TIMEOUT];
	row->unstable += r->stability.state == STABILITY_UNSTABLE;
	row->not_valid += r->audit.verdict != VERDICT_VALID;
	return 0;
}

/* In an open loop workers are no load, only room for it. */
static const struct sweep_axis *load_axis(const struct sweep_table *t, const struct sweep *s)
{
	return sweep_axis_of(s, t->open_loop ? SWEEP_RATE : SWEEP_WORKERS);
}

static bool has_failures(const struct sweep_row *row)
{
	return row->errors + row->timeouts > 0;
}

/* The knee of the rows that differ from row `first` in the load alone. group, throughput, latency: scratch for all rows. */
static void find_knee(struct sweep_table *t, size_t first, int load, size_t *group, double *throughput, double *latency)
{
	size_t n = 0, knee;

	for (size_t i = first; i < t->n; i++) {
		size_t at = n;

		if (!same_point(&t->rows[first].point, &t->rows[i].point, load) || has_failures(&t->rows[i]))
			continue;
		for (; at > 0 && t->rows[group[at - 1]].point.values[load] > t->rows[i].point.values[load]; at--)
			group[at] = group[at - 1];
		group[at] = i;
		n++;
	}
	for (size_t i = 0; i < n; i++) {
		throughput[i] = t->rows[group[i]].rate;
		latency[i] = t->rows[group[i]].mean;
	}
	knee = n >= KNEE_LOADS ? knee_by_power(throughput, latency, n) : n;
	if (knee < n)
		t->rows[group[knee]].knee = true;
}

static bool is_first_of_group(const struct sweep_table *t, size_t row, int load)
{
	for (size_t i = 0; i < row; i++) {
		if (same_point(&t->rows[i].point, &t->rows[row].point, load))
			return false;
	}
	return true;
}

int sweep_table_find_knees(struct sweep_table *t, const struct sweep *s)
{
	const struct sweep_axis *axis = load_axis(t, s);
	size_t *group = calloc(t->n + 1, sizeof(*group));
	double *throughput = calloc(t->n + 1, sizeof(*throughput)), *latency = calloc(t->n + 1, sizeof(*latency));
	int r = group && throughput && latency ? 0 : ERR_NOMEM;

	for (size_t i = 0; r == 0 && axis && i < t->n; i++) {
		if (is_first_of_group(t, i, (int)axis->variable))
			find_knee(t, i, (int)axis->variable, group, throughput, latency);
	}
	free(group);
	free(throughput);
	free(latency);
	return r;
}

static double ms(double nsec)
{
	return nsec / (double)NSEC_PER_MSEC;
}

static void write_remarks(FILE *out, const struct sweep_row *row)
{
	if (row->knee)
		fputs("  knee", out);
	if (row->unstable)
		fprintf(out, "  %u UNSTABLE", row->unstable);
	if (row->not_valid)
		fprintf(out, "  %u not VALID", row->not_valid);
	if (row->wrong)
		fprintf(out, "  %" PRIu64 " wrong", row->wrong);
	if (row->errors)
		fprintf(out, "  %" PRIu64 " errors", row->errors);
	if (row->timeouts)
		fprintf(out, "  %" PRIu64 " timeouts", row->timeouts);
	fputc('\n', out);
}

static bool has_knee(const struct sweep_table *t)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->rows[i].knee)
			return true;
	}
	return false;
}

void sweep_table_write_text(FILE *out, const struct sweep_table *t, const struct sweep *s)
{
	fprintf(out, "== %s: median rate%s (spread: highest to lowest), response times of all runs\n",
		s->naxes ? "Sweep" : "Repetitions", s->naxes ? "s of the points' runs" : "");
	for (unsigned i = 0; i < s->naxes; i++)
		fprintf(out, "%12s  ", sweep_variable_name(s->axes[i].variable));
	fputs("Runs  Inferences/s  Spread   mean ms    q50 ms    q99 ms  q99.9 ms  Client CPU us\n", out);
	for (size_t i = 0; i < t->n; i++) {
		const struct sweep_row *row = &t->rows[i];

		for (unsigned a = 0; a < s->naxes; a++)
			fprintf(out, "%12.10g  ", row->point.values[s->axes[a].variable]);
		fprintf(out, "%4u  %12.1f  %4.0f %%  %8.3f  %8.3f  %8.3f  %8.3f  %13.2f", row->runs, row->rate,
			row->spread * 100, ms(row->mean), ms((double)row->q50), ms((double)row->q99),
			ms((double)row->q999), row->cpu * 1e6);
		write_remarks(out, row);
	}
	if (has_knee(t))
		fputs("knee: " KNEE_METHOD "; more load than that costs more latency than it gains throughput\n", out);
}

void sweep_table_write_csv(FILE *out, const struct sweep_table *t, const struct sweep *s)
{
	for (unsigned i = 0; i < s->naxes; i++)
		fprintf(out, "%s,", sweep_variable_name(s->axes[i].variable));
	fputs("runs,inferences_per_second,spread,mean_ms,q50_ms,q99_ms,q99.9_ms,client_cpu_us,wrong,errors,timeouts,"
	      "unstable_runs,not_valid_runs,knee\n",
	      out);
	for (size_t i = 0; i < t->n; i++) {
		const struct sweep_row *row = &t->rows[i];

		for (unsigned a = 0; a < s->naxes; a++)
			fprintf(out, "%.10g,", row->point.values[s->axes[a].variable]);
		fprintf(out, "%u,%.3f,%.6f,%.6f,%.6f,%.6f,%.6f,%.3f,", row->runs, row->rate, row->spread, ms(row->mean),
			ms((double)row->q50), ms((double)row->q99), ms((double)row->q999), row->cpu * 1e6);
		fprintf(out, "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,%u,%d\n", row->wrong, row->errors, row->timeouts,
			row->unstable, row->not_valid, row->knee);
	}
}

static const char *const member_names[SWEEP_VARIABLES] = {
	[SWEEP_WORKERS] = "Workers",
	[SWEEP_RATE] = "Rate",
	[SWEEP_BATCH] = "Batch",
	[SWEEP_SERVER_BATCH] = "ServerBatch",
};

void sweep_table_write_json(struct json_writer *w, const struct sweep_table *t, const struct sweep *s)
{
	json_string(w, "KneeMethod", KNEE_METHOD);
	json_begin_array(w, "Points");
	for (size_t i = 0; i < t->n; i++) {
		const struct sweep_row *row = &t->rows[i];

		json_begin(w, NULL);
		for (unsigned a = 0; a < s->naxes; a++)
			json_double(w, member_names[s->axes[a].variable], row->point.values[s->axes[a].variable]);
		json_uint(w, "Runs", row->runs);
		json_double(w, "InferencesPerSecond", row->rate);
		json_double(w, "Spread", row->spread);
		json_double(w, "ResponseMeanNanos", row->mean);
		json_int(w, "ResponseQ50Nanos", row->q50);
		json_int(w, "ResponseQ99Nanos", row->q99);
		json_int(w, "ResponseQ999Nanos", row->q999);
		json_double(w, "ClientCPUMicrosPerInference", row->cpu * 1e6);
		json_uint(w, "Wrong", row->wrong);
		json_uint(w, "Errors", row->errors);
		json_uint(w, "Timeouts", row->timeouts);
		json_uint(w, "UnstableRuns", row->unstable);
		json_uint(w, "NotValidRuns", row->not_valid);
		json_bool(w, "Knee", row->knee);
		json_end(w);
	}
	json_end_array(w);
}
