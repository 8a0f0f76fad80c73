/*
 * result.h - everything one run found out, in one struct: runners/ fills it, the report writers read it.
 */
#ifndef STATS_RESULT_H
#define STATS_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/error.h"
#include "stats/audit.h"
#include "stats/fingerprint.h"
#include "stats/network.h"
#include "stats/offered.h"
#include "stats/platform.h"
#include "stats/recorder.h"
#include "stats/scenario_summary.h"
#include "stats/server_log.h"
#include "stats/stability.h"
#include "stats/verification.h"

#define PERIOD_QUANTILES 6

/* One reporting period. Hours have thousands, so its latencies are kept as a text of about a kilobyte and not as a
 * histogram of 270. */
struct period {
	nsec_t wall;           /* end of the period, nanoseconds since the epoch */
	nsec_t test_time;      /* end of the period since the start of the run */
	double inference_rate; /* answered inferences/s within the period */
	double overall_rate;   /* since the start */
	uint64_t inferences;   /* so far, burn-in included, all outcomes */
	uint64_t answered;     /* of them, right or wrong */
	/* Service time of this period alone; period_set_latencies fills both. */
	int64_t quantiles[PERIOD_QUANTILES]; /* nanoseconds: q0, q50, q95, q99, q99.9, q100 */
	char *encoded;                       /* owned: V2 in base64, values in microseconds */
};

/* service: nanoseconds. Allocates (the encoding); p->encoded must be NULL or malloc'd before. */
int period_set_latencies(struct period *p, const struct histogram *service) MUST_CHECK;

/* How much the generator itself used. */
struct client_usage {
	double user_seconds, system_seconds;
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t major_faults;
	uint64_t rss_anon_bytes; /* at the end */
	unsigned threads;
};

struct key_value {
	const char *key, *value; /* borrowed */
};

#define RESULT_CONFIG_MAX 32

struct result {
	/* What was asked for */
	const char *program;     /* "aibench_run_inference_redisai" */
	const char *use_case;    /* "creditcard-fraud" */
	const char *label;       /* heading of the second histogram: "RedisAI Query - financialNet :AI.DAGRUN" */
	const char *description; /* TestDescription */
	struct key_value config[RESULT_CONFIG_MAX]; /* DBSpecificConfigs */
	unsigned nconfig;
	uint64_t limit; /* -max-queries */
	int64_t metadata_autobatching;
	unsigned tensor_batch, workers;
	uint64_t burn_in; /* inferences */
	double max_rps;
	unsigned repetition, repetitions; /* 1-based */
	const char *command_line;
	const char *const *arguments; /* the words after the program's name, NULL-terminated; NULL: not kept */
	const char *dataset;          /* path; NULL: standard input */
	struct fingerprint dataset_fingerprint;
	const struct platform *platform; /* borrowed; NULL: nobody looked */

	/* What happened */
	nsec_t start_wall, end_wall; /* nanoseconds since the epoch */
	nsec_t start, end;           /* monotonic; of the whole run, its drain included */
	/*
	 * The measured window, which rates are of. It begins when the first request after the burn-in was due, or where the
	 * warm-up's time ended if that is later; burn_in_end is 0 or start without a burn-in. It ends with the last answer to
	 * a measured request, in a run that was interrupted or stopped not before that moment, in one that its duration or
	 * schedule ended not before they did, and in an open loop that a count or the dataset ended not before the next
	 * request would have been due: time that nobody was asked in counts, time that only was waited in does not.
	 * measured_end is 0 where nobody said: then it is `end`.
	 */
	nsec_t burn_in_end, measured_end;
	bool interrupted;
	bool stopped_by_error;
	struct error error;      /* the first inference error, or what stopped the run */
	struct error timeout;    /* the first request that timed out and did not stop the run */
	struct error wrong;      /* the first wrong answer */
	struct recorder all;     /* burn-in excluded: histograms and outcomes */
	struct totals burned_in; /* what the burn-in did */
	struct offered offered;  /* what was asked when, and how much of it was due */
	uint64_t unanswered;     /* requests still under way when the run ended */
	uint64_t unsent;         /* requests that were due and had not been sent by then */
	uint64_t reconnects;
	struct period *periods; /* owned, in order of time */
	size_t nperiods;
	/* Their files are among the caller's texts. */
	struct verification verification;
	struct recording recording;
	struct server_log server_log; /* the servers' counters, differences where they are counters */
	struct client_usage usage;
	struct stability stability; /* of -stable; the figures are then those of its last windows */
	struct audit audit;
	struct network network;           /* before the run */
	struct scenario_summary scenario; /* of a run by MLPerf's rules; settings.scenario SCENARIO_NONE: of none */
};

void result_release(struct result *r); /* frees what it owns; config texts are borrowed */

uint64_t result_measured(const struct result *r);    /* inferences after the burn-in, all outcomes */
uint64_t result_inferences(const struct result *r);  /* burn-in included */
nsec_t result_measured_time(const struct result *r); /* length of the measured window */
/* Of an open loop: inferences that were due and found all workers busy, and those that it is known of: sent ones that have
 * ended, and those that were never sent. */
uint64_t result_found_busy(const struct result *r, uint64_t *ret_of);
double result_rate(const struct result *r);             /* answered (right or wrong) ÷ measured window */
double result_rate_with_warmup(const struct result *r); /* answered, burn-in included ÷ wall time */

/* stats/report_text.c: AIBench's text forms. */
void report_progress_header(FILE *out);
void report_progress(FILE *out, const struct period *p, const struct histogram *overall);
void report_burn_in_complete(FILE *out, uint64_t inferences, unsigned workers);
/* The final block; then our own lines below AIBench's: outcomes, response time and send lag of a paced run, the
 * client's CPU per inference, what a reader should be warned of (interrupted, fewer than 3 repetitions, saturation). */
int report_text(FILE *out, const struct result *r) MUST_CHECK;

/* stats/report_json.c: the file of -json-out-file, written whole or not at all. */
int report_json(const char *path, const struct result *r, struct error *err) MUST_CHECK;

/* stats/scenario_report.c: LoadGen's summary of a run by MLPerf's rules; "-": to standard output. */
int report_scenario(const char *path, const struct result *r, struct error *err) MUST_CHECK;

/* stats/hgrm.c: the file of -output-file-stats-hdr-response-latency-hist, milliseconds, 100 ticks per half
 * distance, of a histogram of nanoseconds; written whole or not at all. */
int report_hgrm(const char *path, const struct histogram *h, struct error *err) MUST_CHECK;

#endif
