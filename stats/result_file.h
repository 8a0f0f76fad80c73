/*
 * result_file.h - a result of an earlier run, read back from the file of -json-out-file (stats/report_json.c).
 *
 * Only what comparing and repeating runs need. The file comes from outside: types, ranges and the sums of its
 * histograms are checked, members that are not there are left empty, members that are not known are passed over.
 */
#ifndef STATS_RESULT_FILE_H
#define STATS_RESULT_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "stats/histogram.h"

#define RESULT_FILE_MAX ((size_t)256 << 20)

/* What a run was made of, as texts: what differs between two runs is named by these. */
#define RESULT_FACTS 29
extern const char *const result_fact_names[RESULT_FACTS]; /* "Workers", "Platform.CPUModel" */

struct result_file {
	char *path;                /* owned, as everything here */
	char *facts[RESULT_FACTS]; /* NULL: not in the file */
	char *program;             /* "aibench_run_inference_redisai" */
	char *command_line;        /* with secrets as ***; NULL: not in the file */
	char **arguments;          /* the words after the program's name, to run it again; NULL: not in the file */
	size_t narguments;
	char *verdict; /* "VALID", …; NULL: the run was not audited */
	bool interrupted, stopped_by_error;
	bool recorded;                                               /* the run kept its answers, which cost it time */
	uint64_t right, wrong, errors, timeouts, unanswered, unsent; /* requests after the burn-in */
	int64_t start;                                               /* seconds since the epoch */
	double rate;               /* inferences/s since the end of the burn-in; 0: nothing was measured */
	struct histogram response; /* nanoseconds, from the intended start; of a closed loop the service time */
};

/* ret is zeroed or released before, and holds nothing on failure. ERR_FORMAT, ERR_UNSUPPORTED (no result of ours, or of a
 * version that kept no histograms), ERR_IO, ERR_NOMEM. */
int result_file_read(struct result_file *ret, const char *path, struct error *err) MUST_CHECK;
/* The same of a text in memory; path is for messages. */
int result_file_parse(struct result_file *ret, const char *path, const char *text, size_t len,
		      struct error *err) MUST_CHECK;
void result_file_release(struct result_file *r);

#endif
