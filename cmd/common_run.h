/*
 * common_run.h - what all aibench_run_inference_* programs share: their options, the runs, the reports.
 *
 * A program is a struct run_program and a main of one line.
 */
#ifndef CMD_COMMON_RUN_H
#define CMD_COMMON_RUN_H

#include "drivers/driver.h"
#include "runners/runner.h"
#include "stats/result.h"

/* What a program says about a parsed command line, for the reports. */
struct run_description {
	char label[256];                            /* heading of the second histogram */
	struct key_value config[RESULT_CONFIG_MAX]; /* DBSpecificConfigs */
	unsigned nconfig;
	char version[24]; /* of the model, where an option has it as a number */
};

/* Adds to config; what does not fit is left out. The texts are borrowed. */
static inline void describe_setting(struct run_description *to, const char *key, const char *value)
{
	if (to->nconfig < RESULT_CONFIG_MAX)
		to->config[to->nconfig++] = (struct key_value){key, value};
}

struct run_options; /* cmd/common_run_options.h */

struct run_program {
	const char *name;     /* "aibench_run_inference_redisai" */
	const char *synopsis; /* one line for the help */
	const char *epilogue; /* under the options in the help; may be NULL */
	const struct driver_ops *driver;
	const char *use_case; /* default of -use-case */
	bool network;         /* takes the connection's options */
	/* Options of AIBench's that are the program's and not the driver's; may be NULL. */
	const struct option *ignored;
	/* Options of the program's own over the fields of struct run_options and of struct conn_options; may be NULL. */
	const struct option *run_aliases, *conn_aliases;
	const char *v; /* the boolean option that -v is; NULL: --version */
	/* Replaces defaults that are other ones for this program; driver: the driver's struct. May be NULL. */
	void (*defaults)(struct run_options *run, struct conn_options *conn, void *driver);
	/* Fills *ret, which is empty, and refuses what the driver cannot know to be wrong. options: the driver's struct. */
	int (*describe)(struct run_description *ret, const void *options, const struct run_config *cfg,
			struct error *err);
};

/* The whole program; returns its exit status. */
int run_inference_main(const struct run_program *p, int argc, char **argv);

#endif
