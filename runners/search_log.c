/*
 * search_log.c - the probes of a search as a table.
 */
#include "runners/search_log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "common/arith.h"
#include "stats/json_writer.h"

static const char *const stage_names[] = {
	[SEARCH_GROWTH] = "growth", [SEARCH_BISECTION] = "bisection", [SEARCH_CONFIRMATION] = "confirmation",
	[SEARCH_FOUND] = "found",   [SEARCH_NONE] = "none",
};
static const char *const verdict_names[] = {
	[PROBE_PASS] = "pass",
	[PROBE_FAIL] = "fail",
	[PROBE_UNDECIDED] = "undecided",
};
static const char *const failure_names[] = {
	[PROBE_NO_FAILURE] = "",
	[PROBE_ERRORS] = "errors, time-outs or wrong answers",
	[PROBE_UNANSWERED] = "requests that were due were not answered",
	[PROBE_TOO_SLOW] = "less answered than offered",
};

void search_log_release(struct search_log *l)
{
	free(l->entries);
	l->entries = NULL;
	l->n = 0;
}

int search_log_add(struct search_log *l, const struct search_entry *e)
{
	struct search_entry *entries;
	size_t bytes;

	if (!size_mul(&bytes, l->n + 1, sizeof(*entries)))
		return ERR_NOMEM;
	entries = realloc(l->entries, bytes);
	if (!entries)
		return ERR_NOMEM;
	entries[l->n++] = *e;
	l->entries = entries;
	return 0;
}

static void write_slo(FILE *out, const struct slo *slo)
{
	char text[64];

	for (unsigned i = 0; i < slo->n; i++)
		fprintf(out, "%s%s", i ? " and " : "", objective_format(text, sizeof(text), &slo->objectives[i]));
}

void search_log_write_heading(FILE *out, const struct slo *slo)
{
	fputs("== Search for the highest rate with a response time of ", out);
	write_slo(out, slo);
	fputs("\n(over: requests over the bound; effect: how many requests count as one, for they are late together)\n",
	      out);
	fputs("Offered/s  Achieved/s  Stage           Requests", out);
	for (unsigned i = 0; i < slo->n; i++)
		fputs("      Over  Effect", out);
	fputs("  Verdict\n", out);
}

void search_log_write_entry(FILE *out, const struct search_entry *e, const struct slo *slo)
{
	fprintf(out, "%9.1f  %10.1f  %-12s  %10" PRIu64, e->rate, e->achieved, stage_names[e->stage], e->n);
	for (unsigned i = 0; i < slo->n; i++)
		fprintf(out, "  %8" PRIu64 "  %6.1f", e->over[i], e->effect[i]);
	fprintf(out, "  %s", verdict_names[e->verdict]);
	if (e->failure)
		fprintf(out, ": %s", failure_names[e->failure]);
	if (e->verdict == PROBE_UNDECIDED && e->stage != SEARCH_CONFIRMATION && e->extension < SEARCH_EXTENSIONS_MAX)
		fputs(": goes on", out);
	else if (e->verdict == PROBE_UNDECIDED)
		fputs(": counts as failed", out);
	if (e->client_limited)
		fputs(" (CLIENT-LIMITED)", out);
	fputc('\n', out);
}

void search_log_write_answer(FILE *out, const struct search_log *l, const struct search *s)
{
	const struct search_entry *last = l->n ? &l->entries[l->n - 1] : NULL;

	if (s->stage != SEARCH_FOUND || !last) {
		fputs("No rate was shown to meet ", out);
		write_slo(out, l->slo);
		fprintf(out, " (lowest tried: %.1f inferences/s)\n", s->rate);
		return;
	}
	fprintf(out, "Highest rate: %.1f inferences/s meet ", s->rate);
	write_slo(out, l->slo);
	fprintf(out, " with a confidence of %g (%" PRIu64 " requests, over the bound:", s->cfg.confidence, last->n);
	for (unsigned i = 0; i < l->slo->n; i++)
		fprintf(out, " %" PRIu64, last->over[i]);
	fputs(")\n", out);
	if (s->rate >= s->cfg.highest)
		fputs("Note: that is the end of -search-range: more may be met\n", out);
}

void search_log_write_csv(FILE *out, const struct search_log *l)
{
	fputs("offered_per_second,achieved_per_second,stage,verdict,confidence,requests", out);
	for (unsigned i = 0; i < l->slo->n; i++)
		fprintf(out, ",over_p%.10g,effect_p%.10g", l->slo->objectives[i].percentile,
			l->slo->objectives[i].percentile);
	fputc('\n', out);
	for (size_t k = 0; k < l->n; k++) {
		const struct search_entry *e = &l->entries[k];

		fprintf(out, "%.6f,%.6f,%s,%s,%g,%" PRIu64, e->rate, e->achieved, stage_names[e->stage],
			verdict_names[e->verdict], e->confidence, e->n);
		for (unsigned i = 0; i < l->slo->n; i++)
			fprintf(out, ",%" PRIu64 ",%.3f", e->over[i], e->effect[i]);
		fputc('\n', out);
	}
}

static void write_objectives(struct json_writer *w, const struct slo *slo)
{
	json_begin_array(w, "Objectives");
	for (unsigned i = 0; i < slo->n; i++) {
		json_begin(w, NULL);
		json_double(w, "Percentile", slo->objectives[i].percentile);
		json_int(w, "ResponseNanos", slo->objectives[i].bound);
		json_end(w);
	}
	json_end_array(w);
}

static void write_probe(struct json_writer *w, const struct search_entry *e, const struct slo *slo)
{
	json_begin(w, NULL);
	json_double(w, "OfferedRate", e->rate);
	json_double(w, "AchievedRate", e->achieved);
	json_string(w, "Stage", stage_names[e->stage]);
	json_string(w, "Verdict", verdict_names[e->verdict]);
	json_string(w, "Failure", e->failure ? failure_names[e->failure] : NULL);
	json_bool(w, "ClientLimited", e->client_limited);
	json_double(w, "Confidence", e->confidence);
	json_uint(w, "Requests", e->n);
	json_begin_array(w, "OverBound");
	for (unsigned i = 0; i < slo->n; i++) {
		json_begin(w, NULL);
		json_uint(w, "Requests", e->over[i]);
		json_double(w, "DesignEffect", e->effect[i]);
		json_end(w);
	}
	json_end_array(w);
	json_end(w);
}

void search_log_write_json(struct json_writer *w, const struct search_log *l, const struct search *s)
{
	write_objectives(w, l->slo);
	json_double(w, "HighestRate", s->stage == SEARCH_FOUND ? s->rate : NAN);
	json_double(w, "Confidence", s->cfg.confidence);
	json_double(w, "Precision", s->cfg.precision);
	json_begin_array(w, "Probes");
	for (size_t i = 0; i < l->n; i++)
		write_probe(w, &l->entries[i], l->slo);
	json_end_array(w);
}
