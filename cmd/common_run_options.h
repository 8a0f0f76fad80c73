/*
 * common_run_options.h - the options that every aibench_run_inference_* program has, for common_run*.c and for programs
 * that give them other names or defaults.
 */
#ifndef CMD_COMMON_RUN_OPTIONS_H
#define CMD_COMMON_RUN_OPTIONS_H

#include "cmd/audit_options.h"
#include "cmd/common_arrival.h"
#include "cmd/common_run.h"
#include "cmd/output_options.h"
#include "cmd/scenario_options.h"
#include "cmd/series_options.h"
#include "cmd/verify_options.h"
#include "runners/runner.h"

struct run_options {
	const char *file, *json_file, *histogram_file;
	const char *use_case;
	uint64_t workers, threads, max_queries, burn_in, batch, repetitions;
	int64_t seed, debug, autobatching;
	nsec_t reporting_period;
	bool print_responses, ignore_errors, reference, verbose;
	bool continue_on_error; /* errors are counted; wrong answers fail the run still */
	struct arrival_options arrival;
	struct verify_options verify;
	struct output_options outputs;
	struct audit_options audit;
	struct series_options series;
	struct scenario_options scenario;
};

extern const struct option run_option_table[];
void run_options_defaults(struct run_options *o, const struct run_program *p);

/* The run that the options ask for. verify.answers is left NULL. ERR_USAGE with the option's name in err. */
int run_options_config(struct run_config *ret, const struct run_options *o, const struct run_program *p,
		       struct error *err) MUST_CHECK;

#endif
