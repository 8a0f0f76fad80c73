/*
 * invocation.h - one invocation of an aibench_run_inference_* program: what was asked for, and how a run of it is made
 * and reported. What makes several runs of one invocation (repetitions, sweeps, searches) stands on top of this.
 */
#ifndef CMD_INVOCATION_H
#define CMD_INVOCATION_H

#include "cmd/common_run.h"
#include "cmd/common_run_options.h"
#include "cmd/replay.h"
#include "cmd/series_options.h"
#include "cmd/single_run.h"
#include "stats/period_files.h"

struct invocation {
	const struct run_program *program;
	const struct options *parser; /* how its command line is read */
	struct run_options options;
	struct conn_options conn;
	void *driver_options; /* owned; NULL: the driver has none */
	struct run_description description;
	char test_description[128]; /* "creditcard-fraud on redisai" */
	struct run_config config;   /* of a run as the options ask for it */
	struct series series;       /* how many runs there are, and of what */
	struct platform platform;
	struct answers *answers; /* owned: the file of -verify; NULL: none */
	bool not_valid;          /* a run so far had another verdict: -strict asks */
	struct replay replay;
	char **words;       /* of the command line, as they may be seen; owned, NULL-terminated */
	char *command_line; /* the same as one line; owned */
	struct fingerprint dataset;
	/* Of the run under way: */
	bool header_printed;
	struct period_files period_files;
};

/* Describes runs of this config from now on. ERR_USAGE for what the program refuses. */
int invocation_describe(struct invocation *v, const struct run_config *cfg, struct error *err) MUST_CHECK;

/* Which run of an invocation it is; goes into the names of the files that it writes. */
struct run_name {
	const char *point;                /* of a sweep or a search: "workers_4"; "": neither */
	unsigned repetition, repetitions; /* 1-based */
	const struct single_run *alone;   /* what makes it a run by itself; NULL: it is one */
	bool brief;                       /* nothing is reported, written or judged: the caller says what came of it */
};

/* path with "_POINT" and, if there are several repetitions, "_run_N" before its extension; malloc'd, NULL when out of
 * memory. */
char *run_path(const char *path, const struct run_name *name);

/*
 * Makes one run and reports it: progress and report on standard output, result files under the run's name. Returns an
 * exit status. ret: NULL, or where the result is left for the caller to look at and to release; zeroed where there was no
 * result. The texts in it belong to the invocation.
 */
int invocation_run(struct invocation *v, const struct run_config *cfg, const struct run_name *name, struct result *ret);

#endif
