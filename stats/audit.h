/*
 * audit.h - did the run measure the server or its own generator, and enough of it? Figures in, a verdict and its
 * reasons out.
 *
 * The runner gathers the figures, audit_judge weighs them; the limits and why they are where they are stand in audit.c.
 */
#ifndef STATS_AUDIT_H
#define STATS_AUDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "common/clock.h"

struct result;
struct json_writer;

/* In order of precedence: of several that hold the last one is the run's. */
enum verdict {
	VERDICT_NONE, /* nobody judged */
	VERDICT_VALID,
	VERDICT_TOO_SHORT,
	VERDICT_UNSTABLE,
	VERDICT_CLIENT_LIMITED,
	VERDICT_ERRORS,
	VERDICT_MAX,
};

#define AUDIT_PERCENTILE_DEFAULT 99.0
#define AUDIT_REASONS_MAX 16

/* One worker thread, from its first look at the schedule to its last answer. Seconds. */
struct thread_usage {
	double wall, cpu;
	double waiting; /* it could have run and had no core; 0 where the kernel does not say */
	uint64_t voluntary_switches, involuntary_switches;
	uint64_t inferences; /* burn-in included */
};

/* What sleeps and clock readings are worth on this machine, measured just before the run. */
struct timer_quality {
	nsec_t resolution;     /* what the kernel says */
	nsec_t step;           /* smallest difference seen between two readings */
	nsec_t late, late_max; /* after a sleep until a deadline: median, worst */
};

/* What was taken from this machine and this process while the run went on. */
struct machine_usage {
	double steal; /* share of the machine's CPU time that its hypervisor gave to others; negative: unknown */
	uint64_t throttled_periods; /* in which a cgroup's CPU quota was used up; of the cgroup with the most */
	nsec_t throttled;           /* how long its threads were held back for it */
};

struct audit_reason {
	enum verdict verdict;
	char text[192]; /* what is wrong: what to do */
};

struct audit {
	double percentile; /* highest one that will be read from the result, 0 to 100; 0: AUDIT_PERCENTILE_DEFAULT */

	/* Gathered by the runner */
	bool spin;                    /* threads use their cores whether there is work or not */
	bool one_rate;                /* an open loop whose rate stays the same, or a closed one */
	unsigned cores;               /* that this process may run on */
	struct thread_usage *threads; /* owned */
	unsigned nthreads;
	struct machine_usage machine;
	struct timer_quality timer;
	double behind;        /* open loop: share of the offered rate that was not sent */
	uint64_t starvations; /* times that a thread had to wait for the dataset's pipe */

	/* By audit_judge */
	enum verdict verdict;
	struct audit_reason reasons[AUDIT_REASONS_MAX]; /* in order of precedence */
	unsigned nreasons;
};

void audit_release(struct audit *a);

/* "CLIENT-LIMITED" */
const char *verdict_name(enum verdict v);

/* Fills r->audit's verdict and reasons from everything else in the result. */
void audit_judge(struct result *r);

/* Of n answers, how many percentile p (0 to 100) needs at least so that order statistics on both sides of it bound it
 * with 95 % confidence: the smallest n with max(p, 1-p)^n <= 0.025. */
uint64_t audit_samples_needed(double percentile);

/* stats/audit_report.c. Nothing, or null, where nobody judged. */
void audit_write_text(FILE *out, const struct result *r);
void audit_write_json(struct json_writer *w, const struct result *r);

#endif
