#include "cmd/scenario_options.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "common/arith.h"
#include "runners/scenario.h"

#define FIELD(f) offsetof(struct scenario_options, f)

const struct option scenario_option_table[] = {
	{"scenario", OPTION_STRING, FIELD(scenario),
	 "Run by MLPerf LoadGen's rules for `single-stream`, multi-stream, server or offline; docs/measurement.md.", 0,
	 0},
	{"scenario-mode", OPTION_STRING, FIELD(mode),
	 "With -scenario: `performance`, or accuracy: every row once, for its answer.", 0, 0},
	{"min-duration", OPTION_DURATION, FIELD(min_duration),
	 "With -scenario: the least time that queries are due over; less than 600s is not comparable with MLPerf.", 0,
	 OPTION_YEAR},
	{"min-queries", OPTION_UINT, FIELD(min_queries),
	 "With -scenario: the least number of queries, offline of samples; 0: the rules' (662 for multi-stream, 24576 "
	 "for offline, else 100).",
	 0, 1e12},
	{"target-latency", OPTION_DURATION, FIELD(target_latency),
	 "With -scenario server: what the 99th percentile must stay within.", 1, OPTION_YEAR},
	{"target-qps", OPTION_DOUBLE, FIELD(target_qps),
	 "With -scenario server: queries/s to send. Offline: samples/s to expect, so that the query lasts "
	 "-min-duration.",
	 0, ARRIVAL_RATE_MAX},
	{"samples-per-query", OPTION_UINT, FIELD(samples_per_query), "With -scenario multi-stream: rows in a query.", 1,
	 RUN_WORKERS_MAX},
	{"mlperf-summary", OPTION_OUTPUT, FIELD(summary_file),
	 "With -scenario: `file` to write LoadGen's summary to; none: standard output.", 0, 0},
	{"accuracy-log", OPTION_OUTPUT, FIELD(accuracy_file),
	 "With -scenario-mode accuracy: `file` to write the answers to, in the form of mlperf_log_accuracy.json.", 0,
	 0},
	{0},
};

void scenario_options_defaults(struct scenario_options *o)
{
	*o = (struct scenario_options){
		.scenario = "",
		.mode = "performance",
		.summary_file = "",
		.accuracy_file = "",
		.min_duration = SCENARIO_MIN_DURATION,
		.target_latency = SCENARIO_TARGET_LATENCY,
		.samples_per_query = 8,
	};
}

static enum scenario find_scenario(const char *name)
{
	static const char *const names[] = {"", "single-stream", "multi-stream", "server", "offline"};

	for (size_t i = 1; i < ARRAY_LEN(names); i++) {
		if (strcmp(names[i], name) == 0)
			return (enum scenario)i;
	}
	return SCENARIO_NONE;
}

/* Options that nothing would come of. */
static int check_unused(const struct scenario_options *o, struct error *err)
{
	bool accuracy = strcmp(o->mode, "accuracy") == 0;

	if (!accuracy && strcmp(o->mode, "performance") != 0)
		return error_set(err, ERR_USAGE, "-scenario-mode %s: must be performance or accuracy", o->mode);
	if (o->scenario[0] && (accuracy || !o->accuracy_file[0]))
		return 0;
	if (o->accuracy_file[0])
		return error_set(err, ERR_USAGE, "-accuracy-log needs -scenario and -scenario-mode accuracy");
	if (accuracy || o->summary_file[0])
		return error_set(err, ERR_USAGE, "%s needs -scenario", accuracy ? "-scenario-mode" : "-mlperf-summary");
	return 0;
}

int scenario_options_config(struct run_config *cfg, const struct scenario_options *o, struct error *err)
{
	enum scenario scenario = find_scenario(o->scenario);
	struct scenario_settings s = scenario_rules(scenario);
	int r = check_unused(o, err);

	if (r < 0 || !o->scenario[0])
		return r;
	if (scenario == SCENARIO_NONE)
		return error_set(err, ERR_USAGE, "-scenario %s: must be single-stream, multi-stream, server or offline",
				 o->scenario);
	s.mode = strcmp(o->mode, "accuracy") == 0 ? SCENARIO_ACCURACY : SCENARIO_PERFORMANCE;
	s.min_duration = o->min_duration;
	if (o->min_queries)
		s.min_queries = o->min_queries;
	if (scenario == SCENARIO_MULTI_STREAM)
		s.samples_per_query = o->samples_per_query;
	if (scenario == SCENARIO_SERVER)
		s.target_latency = o->target_latency;
	s.target_qps = o->target_qps;
	cfg->scenario = s;
	return scenario_configure(cfg, err);
}
