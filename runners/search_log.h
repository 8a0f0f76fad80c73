/*
 * search_log.h - what a search tried, and what it found: text, CSV and JSON.
 */
#ifndef RUNNERS_SEARCH_LOG_H
#define RUNNERS_SEARCH_LOG_H

#include <stdio.h>

#include "runners/probe_run.h"
#include "runners/search.h"

struct json_writer; /* stats/json_writer.h */

struct search_entry {
	double rate, achieved; /* inferences/s */
	enum search_stage stage;
	enum probe_verdict verdict;
	enum probe_failure failure;
	bool client_limited; /* the audit's verdict: more might be met by a generator with more to give */
	double confidence;   /* judged with */
	unsigned extension;
	uint64_t n, over[SLO_MAX]; /* requests; with the extensions before */
	double effect[SLO_MAX];    /* the design effect */
};

/* Zero-initialise but for slo. */
struct search_log {
	const struct slo *slo;
	struct search_entry *entries; /* owned */
	size_t n;
};

void search_log_release(struct search_log *l);
int search_log_add(struct search_log *l, const struct search_entry *e) MUST_CHECK;

/* A table a line at a time, so that it can be watched: the heading, then each entry. */
void search_log_write_heading(FILE *out, const struct slo *slo);
void search_log_write_entry(FILE *out, const struct search_entry *e, const struct slo *slo);
/* The answer: the rate, what confirmed it, and with which confidence. s is over. */
void search_log_write_answer(FILE *out, const struct search_log *l, const struct search *s);

void search_log_write_csv(FILE *out, const struct search_log *l);
/* Members "Objectives", "HighestRate" (null: none), "Confidence", "Precision" and "Probes". */
void search_log_write_json(struct json_writer *w, const struct search_log *l, const struct search *s);

#endif
