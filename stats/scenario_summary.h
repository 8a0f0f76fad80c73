/*
 * scenario_summary.h - MLPerf Inference's scenarios: what each asks of a run, and what a run was worth by these rules.
 *
 * Rules and field names are those of LoadGen (github.com/mlcommons/inference, loadgen/results.cc, test_settings.h,
 * mlperf.conf; MLPerf inference rules 6.0). Latency counts from when a query was due to when its last sample was
 * answered; percentile p of n sorted latencies is sorted[floor(n × p)]; early stopping has a confidence of 0.99 and a
 * tolerance of 0.
 *
 *	SingleStream  the next query when the last one is answered      90th percentile of the latency
 *	MultiStream   the same, 8 samples a query, the slowest counts   99th percentile of the query's latency
 *	Server        Poisson arrivals, whatever is under way           completed samples/s; valid if the 99th percentile
 *	                                                                is within the target latency
 *	Offline       all samples in one query                          samples/s
 *
 * Nothing here reads a clock: a summary is a function of settings, latencies and counts.
 */
#ifndef STATS_SCENARIO_SUMMARY_H
#define STATS_SCENARIO_SUMMARY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"
#include "stats/latency_log.h"

struct json_writer; /* stats/json_writer.h */

#define SCENARIO_MIN_DURATION (600 * NSEC_PER_SEC)
#define SCENARIO_TARGET_LATENCY (10 * NSEC_PER_MSEC) /* LoadGen's default; each of MLPerf's models has its own */
#define SCENARIO_CONFIDENCE 0.99

enum scenario { SCENARIO_NONE, SCENARIO_SINGLE_STREAM, SCENARIO_MULTI_STREAM, SCENARIO_SERVER, SCENARIO_OFFLINE };

/* Accuracy: each sample of the dataset once, for its answer; latencies are of no importance. */
enum scenario_mode { SCENARIO_PERFORMANCE, SCENARIO_ACCURACY };

/* LoadGen's "test parameters". A sample is an inference. */
struct scenario_settings {
	enum scenario scenario;
	enum scenario_mode mode;
	uint64_t samples_per_query; /* of the offline scenario: all samples of the run */
	double percentile;          /* of the target latency or the reported one, as a share: 0.99 */
	double target_qps;          /* server: queries/s; offline: samples/s expected; others 0 */
	nsec_t target_latency;      /* server */
	nsec_t min_duration;
	uint64_t min_queries;   /* offline: samples */
	uint64_t max_under_way; /* queries, or samples of the offline query, that are with the server at a time */
	uint64_t seed;
};

/* The rules' own: percentile and minima of a scenario, and its samples a query (offline: 0, not known yet). */
struct scenario_settings scenario_rules(enum scenario scenario);

/* What happened. Times since the start of the run. */
struct scenario_counts {
	uint64_t queries; /* answered */
	uint64_t samples; /* answered */
	uint64_t library; /* samples in the dataset */
	nsec_t last_due;  /* when the last query was due */
	nsec_t last_done; /* when it was answered: of all queries that were due last, the last one */
	uint64_t failed;  /* requests with an error or no answer in time */
	uint64_t unanswered;
	uint64_t wrong;           /* samples whose answers were wrong in form or value */
	uint64_t compared, right; /* samples: with the expected answer, those that agreed; 0: nobody compared */
	bool cut_short;           /* by an interrupt or an error */
};

#define SCENARIO_PERCENTILES 6
extern const double scenario_percentiles[SCENARIO_PERCENTILES]; /* 0.50, 0.90, 0.95, 0.97, 0.99, 0.999 */

/* The early stopping estimate of a percentile: what it is at the most, with the confidence. */
struct scenario_estimate {
	double percentile;
	bool known;      /* there were queries enough */
	uint64_t needed; /* queries for an estimate */
	uint64_t over;   /* the most queries that may be above the percentile: t */
	nsec_t latency;  /* sorted[n - t] */
};

struct scenario_summary {
	struct scenario_settings settings; /* scenario SCENARIO_NONE: there is no summary */
	struct scenario_counts counts;
	bool valid;
	bool min_duration_met, min_queries_met;
	bool latency_met;                  /* server: the percentile is within the target */
	bool early_stopping_met;           /* offline: always */
	double rate;                       /* samples/s; of the single stream: with LoadGen's overhead; 0: not known */
	nsec_t min, max, mean, percentile; /* percentile: the settings' own */
	nsec_t percentiles[SCENARIO_PERCENTILES];
	uint64_t over;                        /* server: queries above the target latency */
	uint64_t needed;                      /* server: queries that so many above it need to be valid */
	struct scenario_estimate estimate[2]; /* single stream: its own and p99; multi-stream: the first */
	unsigned nestimates;
};

/* sorted: a latency for each query; of the offline scenario for each request, all of which had as many samples. */
void scenario_judge(struct scenario_summary *ret, const struct scenario_settings *settings,
		    const struct scenario_counts *counts, const struct latency_log *sorted);

/* False where a minimum or another rule was overridden: the result must not be compared with MLPerf's. */
bool scenario_by_the_rules(const struct scenario_settings *s);

const char *scenario_name(enum scenario s);           /* "SingleStream" */
const char *scenario_mode_name(enum scenario_mode m); /* "PerformanceOnly" */

/* stats/scenario_report.c. sut: what was tested. The text is LoadGen's mlperf_log_summary.txt, with lines of ours where
 * the rules were overridden. */
void scenario_write_text(FILE *out, const struct scenario_summary *s, const char *sut);
/* The member "Scenario"; null where there is none. */
void scenario_write_json(struct json_writer *w, const struct scenario_summary *s);

#endif
