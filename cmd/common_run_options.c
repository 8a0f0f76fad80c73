#include "cmd/common_run_options.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIELD(f) offsetof(struct run_options, f)
#define HISTOGRAM_FILE "stats-response-latency-hist.txt"
#define BATCH_MAX 65536

const struct option run_option_table[] = {
	{"file", OPTION_PATH, FIELD(file), "Dataset `file` to send; none: standard input.", 0, 0},
	{"workers", OPTION_UINT, FIELD(workers), "Requests in flight at a time.", 1, RUN_WORKERS_MAX},
	{"threads", OPTION_UINT, FIELD(threads),
	 "Threads that drive the workers; 0: one for two cores, not more than workers.", 0, 1024},
	{"max-queries", OPTION_UINT, FIELD(max_queries),
	 "Inferences to make, burn-in included; 0: to the end of the dataset.", 0, 0},
	{"burn-in", OPTION_UINT, FIELD(burn_in), "Inferences to make first and leave out of the statistics.", 0, 0},
	{"batch-size", OPTION_UINT, FIELD(batch),
	 "Rows of the dataset in one request, as one tensor; each counts as an inference.", 1, BATCH_MAX},
	{"seed", OPTION_INT, FIELD(seed), "Seed of the schedule, of -order and of everything random.", 0, 0},
	{"reporting-period", OPTION_DURATION, FIELD(reporting_period), "Time between progress lines; 0: none.", 0,
	 OPTION_YEAR},
	{"repetitions", OPTION_UINT, FIELD(repetitions),
	 "Full runs, each reported; above 1, _run_N is added to the names of the files written.", 1, 1000},
	{"use-case", OPTION_STRING, FIELD(use_case), "`name` of the use case.", 0, 0},
	{"enable-reference-data-redis", OPTION_BOOL, FIELD(reference),
	 "Fetch reference data from Redis as part of each inference.", 0, 0},
	{"ignore-errors", OPTION_BOOL, FIELD(ignore_errors),
	 "Count inference errors and wrong answers and go on; otherwise the first error ends the run, and a wrong "
	 "answer "
	 "has it end in exit status 1.",
	 0, 0},
	{"print-responses", OPTION_BOOL, FIELD(print_responses), "Print every answer.", 0, 0},
	{"json-out-file", OPTION_OUTPUT, FIELD(json_file), "`file` to write the results to, as JSON.", 0, 0},
	{"output-file-stats-hdr-response-latency-hist", OPTION_OUTPUT, FIELD(histogram_file),
	 "`file` to write the distribution of latencies to; empty: none.", 0, 0},
	{"metadata-autobatching", OPTION_INT, FIELD(autobatching),
	 "The model's auto-batching, for the results; -1: not said.", 0, 0},
	{"debug", OPTION_INT, FIELD(debug), "Above 0: say on stderr what is about to run.", 0, 0},
	{"print-interval", OPTION_IGNORED, 0, "Accepted for AIBench's scripts; use -reporting-period.", 0, 0},
	{"prewarm-queries", OPTION_IGNORED_BOOL, 0, "Accepted for AIBench's scripts; use -burn-in.", 0, 0},
	{"cpuprofile", OPTION_IGNORED, 0, "Accepted for AIBench's scripts; use perf.", 0, 0},
	{"memprofile", OPTION_IGNORED, 0, "Accepted for AIBench's scripts.", 0, 0},
	{0},
};

void run_options_defaults(struct run_options *o, const struct run_program *p)
{
	*o = (struct run_options){
		.file = "",
		.json_file = "",
		.histogram_file = HISTOGRAM_FILE,
		.use_case = p->use_case,
		.workers = 8,
		.batch = 1,
		.repetitions = 1,
		.autobatching = -1,
		.reporting_period = NSEC_PER_SEC,
	};
	output_options_defaults(&o->outputs);
	audit_options_defaults(&o->audit);
	scenario_options_defaults(&o->scenario);
	arrival_options_defaults(&o->arrival);
	verify_options_defaults(&o->verify);
	series_options_defaults(&o->series);
}

static int choose_workload(const struct workload_ops **ret, const char *name, struct error *err)
{
	char names[256] = "";

	*ret = workload_find(name);
	if (*ret)
		return 0;
	for (const struct workload_ops *const *w = workloads; *w; w++) {
		size_t len = strlen(names);

		snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "", (*w)->name);
	}
	return error_set(err, ERR_USAGE, "-use-case %s: there is no such use case; there is %s", name, names);
}

/* The option that makes several runs of the command line, or NULL. */
static const char *option_of_several_runs(const struct run_options *o)
{
	if (o->series.search[0])
		return "-search";
	if (o->series.sweep[0])
		return "-sweep";
	return o->repetitions > 1 ? "-repetitions" : NULL;
}

/* What can be said of the dataset before it is opened, and of the file of its answers. */
static int check_file(const struct run_options *o, struct error *err)
{
	bool standard_input = !o->file[0] || strcmp(o->file, "-") == 0;
	const char *again = option_of_several_runs(o);
	struct stat st;

	if (standard_input && isatty(STDIN_FILENO))
		return error_set(err, ERR_USAGE, "no dataset: name one with -file, or pipe it in");
	if (again && (standard_input || (stat(o->file, &st) == 0 && !S_ISREG(st.st_mode))))
		return error_set(err, ERR_USAGE, "%s needs a file that can be read again: pass -file", again);
	if (again && o->verify.record_file[0])
		return error_set(err, ERR_USAGE, "-record-answers is for one run: leave %s out", again);
	return 0;
}

int run_options_config(struct run_config *ret, const struct run_options *o, const struct run_program *p,
		       struct error *err)
{
	struct run_config cfg = {
		.driver = p->driver,
		.what = {.reference = o->reference, .batch = (unsigned)o->batch},
		.file = o->file[0] ? o->file : NULL,
		.workers = (unsigned)o->workers,
		.threads = (unsigned)o->threads,
		.limit = o->max_queries,
		.burn_in = o->burn_in,
		.seed = (uint64_t)o->seed,
		.ignore_errors = o->ignore_errors || o->continue_on_error,
		.reporting_period = o->reporting_period,
		.stages = o->outputs.stages,
		.network_baseline = o->outputs.network_baseline,
	};
	int r = choose_workload(&cfg.workload, o->use_case, err);

	if (r == 0)
		r = arrival_options_config(&cfg, &o->arrival, err);
	if (r == 0)
		r = verify_options_config(&cfg.verify, &o->verify, err);
	if (r == 0)
		r = scenario_options_config(&cfg, &o->scenario, err);
	if (r == 0)
		r = check_file(o, err);
	if (r == 0)
		*ret = cfg;
	return r;
}
