/*
 * period_files.h - the files that grow while a run goes on, by some lines each reporting period: the interval log and the
 * table of periods. Hours of a run take no more memory than minutes, and both can be followed.
 *
 * The table (CSV) has a row a period; times in milliseconds, empty where there are none:
 *
 *	seconds since the start, time since the epoch in ms, inferences so far (burn-in included), inferences/s in the
 *	period, and of what was measured in it: right, wrong, errors, timeouts, then of service time, response time and
 *	send lag each q50, q90, q99, q99.9 and the longest
 */
#ifndef STATS_PERIOD_FILES_H
#define STATS_PERIOD_FILES_H

#include "common/file.h"
#include "stats/result.h"

/* Zero-initialise but for the paths. */
struct period_files {
	char *hlog_path, *csv_path; /* malloc'd, owned from here on; NULL: no such file */
	/* The rest is private. */
	struct output_file hlog, csv;
	struct recorder before, period; /* so far at the end of the last period; what came since */
	nsec_t last;                    /* its end, nanoseconds since the epoch; 0: none ended yet */
	int code;
	struct error error; /* the first failure */
};

/* A period p ended, with so_far measured since the beginning. A failure is kept, and nothing written after it. */
void period_files_add(struct period_files *f, const struct period *p, const struct recorder *so_far);
/* Closes the files, says how it went, and leaves *f zeroed. Files of no period at all are not made. */
int period_files_close(struct period_files *f, struct error *err) MUST_CHECK;
void period_files_abandon(struct period_files *f); /* of a run that has no result; as it went is of no matter */

#endif
