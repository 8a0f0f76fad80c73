/*
 * common_run_files.h - the files that a run reads and those that it writes must not be the same ones.
 */
#ifndef CMD_COMMON_RUN_FILES_H
#define CMD_COMMON_RUN_FILES_H

#include "cmd/common_run_options.h"

/* o's tables say which options name files that are read (OPTION_PATH) and written (OPTION_OUTPUT); they were parsed. */

/* ERR_USAGE where a result would replace what the run reads, or another result, under whatever name: as it was given or as
 * that of a repetition. */
int run_files_check(const struct options *o, const struct run_options *run, struct error *err) MUST_CHECK;
/* Results that could not be written are said before the run, not after it. */
int run_files_writable(const struct options *o, struct error *err) MUST_CHECK;

#endif
