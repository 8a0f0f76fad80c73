/*
 * comparison.h - two set-ups, each run several times: what differs between A and B, and whether the runs show it.
 *
 * The figures of a run are its rate and the mean and percentiles of its response time (of a closed loop: the service
 * time), as they stand in its result file; difference.h says how they are compared. Beside it all requests of a side
 * are merged into one histogram, exactly: counts of equal layouts are added up.
 */
#ifndef STATS_COMPARISON_H
#define STATS_COMPARISON_H

#include <stdio.h>

#include "common/buf.h"
#include "stats/difference.h"
#include "stats/result_file.h"

enum comparison_metric {
	METRIC_RATE,
	METRIC_MEAN,
	METRIC_P50,
	METRIC_P90,
	METRIC_P99,
	METRIC_P999,
	METRICS,
};

struct metric {
	const char *name;  /* "p99.9" */
	const char *unit;  /* "inferences/s", "ms" */
	double percentile; /* 0: it is none */
	bool higher_is_better;
	double resolution; /* see struct figures */
};

extern const struct metric comparison_metrics[METRICS];

struct comparison_side {
	const struct result_file *runs; /* borrowed */
	size_t nruns;
	struct histogram merged;  /* response times of all runs, nanoseconds */
	double *figures[METRICS]; /* of each run, owned; 0: the run has none */
};

struct comparison {
	struct comparison_side a, b;
	struct difference_rules rules;
	struct difference differences[METRICS]; /* of B against A */
	struct buf notes; /* what a reader should know of the set-ups and the runs: lines, each with its line break */
};

/* Runs of A and B; rules.paired: the i-th of both were made together. The runs are borrowed. Holds nothing on failure:
 * ERR_USAGE (a side without runs, pairs that do not come out even, the same run twice), ERR_NOMEM. */
int comparison_make(struct comparison *ret, const struct result_file *a, size_t na, const struct result_file *b,
		    size_t nb, const struct difference_rules *rules, struct error *err) MUST_CHECK;
void comparison_release(struct comparison *c);

const char *finding_text(enum finding f); /* "better", "too few repetitions to tell" */

struct fail_if; /* stats/fail_if.h */

/* The table, what it rests on, the notes. limits: what is shown of them comes last; may be NULL. */
void comparison_write_text(FILE *out, const struct comparison *c, const struct fail_if *limits);
/* The same and the figures of every run, written whole or not at all. */
int comparison_write_json(const char *path, const struct comparison *c, const struct fail_if *limits,
			  const char *command_line, struct error *err) MUST_CHECK;

#endif
