/*
 * common_run_files.h - the files that a run reads and those that it writes must not be the same ones.
 */
#ifndef CMD_COMMON_RUN_FILES_H
#define CMD_COMMON_RUN_FILES_H

#include "cmd/common_run_options.h"

/* ERR_USAGE where a result would replace what the run reads, or another result, under whatever name. */
int run_files_check(const struct run_options *o, const struct conn_options *conn, struct error *err) MUST_CHECK;

#endif
