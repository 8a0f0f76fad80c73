/*
 * output_options.h - the options for what a run writes beside AIBench's files, and for what it finds out on its own
 * account.
 */
#ifndef CMD_OUTPUT_OPTIONS_H
#define CMD_OUTPUT_OPTIONS_H

#include <stdbool.h>

#include "common/options.h"

struct output_options {
	bool network_baseline, stages;
	const char *replay_file;                               /* "": this run is none of an earlier one */
	const char *hlog_file, *csv_file, *response_hgrm_file; /* "": none */
};

extern const struct option output_option_table[];
void output_options_defaults(struct output_options *o);

#endif
