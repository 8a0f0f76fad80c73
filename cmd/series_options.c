#include "cmd/series_options.h"

#include <stddef.h>
#include <string.h>

#include "common/arith.h"
#include "common/number.h"
#include "runners/arrival.h"

#define FIELD(f) offsetof(struct series_options, f)
#define CONFIDENCE 0.99
#define PRECISION_MIN 0.0001
#define PRECISION_MAX 1

const struct option series_option_table[] = {
	{"sweep", OPTION_STRING, FIELD(sweep),
	 "Run once for each of several `settings`: workers=1,2,4..64 (ranges double), rate=100..500+100 (or step), "
	 "batch=1,8, "
	 "server-batch=0,10; joined by ; they are a grid.",
	 0, 0},
	{"sweep-command", OPTION_STRING, FIELD(sweep_command),
	 "Shell `command` to run before each point of -sweep, with {workers}, {rate}, {batch} and {server-batch} "
	 "replaced.",
	 0, 0},
	{"search", OPTION_STRING, FIELD(search),
	 "`max-rate` finds the highest rate that meets -slo, in open-loop runs (Poisson unless -arrival constant).", 0,
	 0},
	{"slo", OPTION_STRING, FIELD(slo),
	 "Objectives of -search for the response time: p99<=5ms, p99.9<=800us, several joined by commas.", 0, 0},
	{"search-range", OPTION_STRING, FIELD(search_range),
	 "Rates that -search may try, as 10..10000; none: from 1/1000 of what a closed loop achieves.", 0, 0},
	{"search-precision", OPTION_STRING, FIELD(search_precision),
	 "How close the answer of -search is to a rate that was too high: `1%`.", 0, 0},
	{"probe-duration", OPTION_DURATION, FIELD(probe_duration),
	 "How long -search looks at each rate at first; the answer is confirmed for -duration, or else four times as "
	 "long.",
	 1e6, OPTION_YEAR},
	{"stable", OPTION_BOOL, FIELD(stable),
	 "Go on until rate and latency of three windows in a row are within 10 %, for ten windows at the most; only "
	 "those "
	 "three are reported.",
	 0, 0},
	{"window", OPTION_STRING, FIELD(window), "`window` of -stable: a duration like 5s, or a number of requests.", 0,
	 0},
	{"summary-out-file", OPTION_OUTPUT, FIELD(summary_file),
	 "`file` to write the outcome of -repetitions, -sweep or -search to, as JSON.", 0, 0},
	{"summary-csv-out-file", OPTION_OUTPUT, FIELD(summary_csv_file),
	 "`file` to write the table of -repetitions, -sweep or -search to, as CSV.", 0, 0},
	{0},
};

void series_options_defaults(struct series_options *o)
{
	*o = (struct series_options){
		.sweep = "",
		.sweep_command = "",
		.search = "",
		.slo = "",
		.search_range = "",
		.search_precision = "1%",
		.window = "5s",
		.summary_file = "",
		.summary_csv_file = "",
		.probe_duration = 10 * NSEC_PER_SEC,
	};
}

static int read_number(double *ret, const char *text, size_t len)
{
	char word[64];

	if (len >= sizeof(word))
		return ERR_INVALID;
	memcpy(word, text, len);
	word[len] = '\0';
	return number_parse_double(ret, word);
}

static int read_precision(double *ret, const char *text, struct error *err)
{
	if (number_parse_share(ret, text) == 0 && *ret >= PRECISION_MIN && *ret <= PRECISION_MAX)
		return 0;
	return error_set(err, ERR_USAGE, "-search-precision %s: must be 0.01%% to 100%%", text);
}

static int read_range(struct search_config *ret, const char *text, struct error *err)
{
	const char *dots = strstr(text, "..");

	if (!dots || read_number(&ret->lowest, text, (size_t)(dots - text)) < 0 ||
	    read_number(&ret->highest, dots + 2, strlen(dots + 2)) < 0 ||
	    !(ret->lowest >= ARRIVAL_RATE_MIN && ret->highest <= ARRIVAL_RATE_MAX && ret->lowest <= ret->highest))
		return error_set(
			err, ERR_USAGE,
			"-search-range %s: write the lowest and the highest rate, as 10..10000, within %g to %g", text,
			ARRIVAL_RATE_MIN, ARRIVAL_RATE_MAX);
	return 0;
}

static int read_window(struct run_windows *ret, const char *text, struct error *err)
{
	if (number_parse_uint(&ret->requests, text) == 0 && ret->requests > 0)
		return 0;
	ret->requests = 0;
	if (duration_parse(&ret->length, text) == 0 && ret->length >= NSEC_PER_MSEC &&
	    ret->length <= (nsec_t)OPTION_YEAR)
		return 0;
	return error_set(err, ERR_USAGE, "-window %s: must be a duration from 1ms on, like 5s, or a number of requests",
			 text);
}

static int read_search(struct series *ret, const struct series_options *o, struct error *err)
{
	int r;

	if (strcmp(o->search, "max-rate") != 0)
		return error_set(err, ERR_USAGE, "-search %s: must be max-rate", o->search);
	if (!o->slo[0])
		return error_set(err, ERR_USAGE, "-search needs an objective: pass -slo, as p99<=5ms");
	if (o->stable)
		return error_set(err, ERR_USAGE,
				 "-stable goes with single runs and sweeps: a search measures for -probe-duration");
	ret->kind = SERIES_SEARCH;
	ret->search = (struct search_config){
		.lowest = ARRIVAL_RATE_MIN, .highest = ARRIVAL_RATE_MAX, .confidence = CONFIDENCE};
	r = slo_parse(&ret->slo, o->slo, err);
	if (r == 0)
		r = read_precision(&ret->search.precision, o->search_precision, err);
	ret->ranged = o->search_range[0] != '\0';
	if (r == 0 && ret->ranged)
		r = read_range(&ret->search, o->search_range, err);
	return r;
}

/* Workers and batch have a value that the options say. */
static int check_command(const struct sweep *s, const char *command, struct error *err)
{
	static const enum sweep_variable swept_only[] = {SWEEP_RATE, SWEEP_SERVER_BATCH};

	for (size_t i = 0; i < ARRAY_LEN(swept_only); i++) {
		char word[32];

		snprintf(word, sizeof(word), "{%s}", sweep_variable_name(swept_only[i]));
		if (strstr(command, word) && !sweep_axis_of(s, swept_only[i]))
			return error_set(err, ERR_USAGE, "-sweep-command has %s, but -sweep has no %s", word,
					 sweep_variable_name(swept_only[i]));
	}
	return 0;
}

static int read_sweep(struct series *ret, const struct series_options *o, struct error *err)
{
	int r = sweep_parse(&ret->sweep, o->sweep, err);

	ret->kind = SERIES_SWEEP;
	if (r == 0)
		r = check_command(&ret->sweep, o->sweep_command, err);
	if (r == 0 && sweep_axis_of(&ret->sweep, SWEEP_SERVER_BATCH) && !o->sweep_command[0])
		r = error_set(err, ERR_USAGE,
			      "-sweep server-batch: only the server can change its batches: pass the command that "
			      "makes it, as -sweep-command 'aibench_load_model -batch-size {server-batch} ...'");
	return r;
}

int series_options_read(struct series *ret, const struct series_options *o, struct error *err)
{
	struct series s = {.kind = SERIES_REPETITIONS, .sweep.points = 1};
	int r = read_window(&s.window, o->window, err);

	if (r == 0 && o->search[0] && o->sweep[0])
		r = error_set(err, ERR_USAGE, "-search and -sweep are two things: pass one of them");
	else if (r == 0 && o->search[0])
		r = read_search(&s, o, err);
	else if (r == 0 && o->sweep[0])
		r = read_sweep(&s, o, err);
	else if (r == 0 && o->sweep_command[0])
		r = error_set(err, ERR_USAGE, "-sweep-command needs -sweep");
	if (r == 0)
		*ret = s;
	return r;
}

bool series_sets_rate(const struct series *s)
{
	return s->kind == SERIES_SEARCH || (s->kind == SERIES_SWEEP && sweep_axis_of(&s->sweep, SWEEP_RATE) != NULL);
}
