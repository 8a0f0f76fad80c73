/*
 * series.h - what makes several runs of one invocation: repetitions, a sweep, a search.
 */
#ifndef CMD_SERIES_H
#define CMD_SERIES_H

#include "cmd/invocation.h"

struct json_writer; /* stats/json_writer.h */

/* Reads the options of v->options.series into v->series and makes room for what the series will set in the options of a
 * single run; before those are read. ERR_USAGE. */
int series_prepare(struct invocation *v, struct error *err) MUST_CHECK;

/* Makes the runs that v->series asks for and reports them. Returns an exit status. */
int series_run(struct invocation *v);

/* The others' parts: */
int sweep_run(struct invocation *v);  /* cmd/series_sweep.c; repetitions, too */
int search_run(struct invocation *v); /* cmd/series_search.c */

/* Whether an invocation_run left a result, and not only a reason on stderr. */
bool has_result(const struct result *r);

/* How the outcome of a series is written; arg is passed to both. */
struct series_summary {
	const void *arg;
	void (*write_json)(struct json_writer *w, const void *arg); /* members of the outermost object */
	void (*write_csv)(FILE *out, const void *arg);
};

/* The files of -summary-out-file and -summary-csv-out-file. Returns an exit status. */
int series_write_summary(const struct invocation *v, const struct series_summary *s);

#endif
