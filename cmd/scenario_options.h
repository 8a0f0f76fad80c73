/*
 * scenario_options.h - the options of MLPerf's scenarios.
 */
#ifndef CMD_SCENARIO_OPTIONS_H
#define CMD_SCENARIO_OPTIONS_H

#include "common/options.h"
#include "runners/runner.h"

struct scenario_options {
	const char *scenario, *mode;
	const char *summary_file, *accuracy_file;
	nsec_t min_duration, target_latency;
	uint64_t min_queries, samples_per_query;
	double target_qps;
};

extern const struct option scenario_option_table[];
void scenario_options_defaults(struct scenario_options *o);

/* Makes *cfg, a run as the other options ask for it, one of the scenario, if there is one. ERR_USAGE. */
int scenario_options_config(struct run_config *cfg, const struct scenario_options *o, struct error *err) MUST_CHECK;

#endif
