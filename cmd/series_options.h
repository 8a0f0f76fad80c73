/*
 * series_options.h - the options that make several runs of one command line: sweeps and searches; and those for when a run
 * has come to rest.
 */
#ifndef CMD_SERIES_OPTIONS_H
#define CMD_SERIES_OPTIONS_H

#include <stdbool.h>

#include "common/clock.h"
#include "common/options.h"
#include "runners/runner.h"
#include "runners/search.h"
#include "runners/sweep.h"
#include "stats/objective.h"

struct series_options {
	const char *sweep, *sweep_command; /* "": none */
	const char *search, *slo, *search_range, *search_precision;
	const char *window;
	const char *summary_file, *summary_csv_file;
	nsec_t probe_duration;
	bool stable;
};

extern const struct option series_option_table[];
void series_options_defaults(struct series_options *o);

enum series_kind { SERIES_REPETITIONS, SERIES_SWEEP, SERIES_SEARCH };

/* The options, read. */
struct series {
	enum series_kind kind;
	struct sweep sweep;
	struct slo slo;
	struct search_config search; /* start: to be estimated; highest: ARRIVAL_RATE_MAX if no range was given */
	bool ranged;
	struct run_windows window; /* length and requests */
};

/* ERR_USAGE with the option's name in err. */
int series_options_read(struct series *ret, const struct series_options *o, struct error *err) MUST_CHECK;
/* Whether the runs get their rates from the series. */
bool series_sets_rate(const struct series *s);

#endif
