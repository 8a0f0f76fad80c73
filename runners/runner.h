/*
 * runner.h - one run: what to ask (workload), whom (driver), when (arrival), and everything that was found out (result).
 *
 * A run has three phases. Burn-in: the first `burn_in` inferences and what is due in the first `warm_up`, sent and checked
 * but kept out of the statistics. Measure: the rest, until the limit, the end of the dataset, of the schedule or of
 * `duration`, an error or an interrupt. Drain: the answers under way are waited for; in full where a count or the dataset
 * ended the run, for `drain` where time did, and then what was due before is sent still. What is unanswered or unsent after
 * that is counted as such.
 *
 * Worker threads drive `workers` requests in flight between them; the calling thread reports. Nothing is allocated,
 * locked or copied per request.
 */
#ifndef RUNNERS_RUNNER_H
#define RUNNERS_RUNNER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "drivers/driver.h"
#include "runners/arrival.h"
#include "runners/schedule.h"
#include "runners/verifier.h"
#include "stats/result.h"
#include "stats/scenario_summary.h"
#include "workloads/workload.h"

/* Shuffled: another permutation for each pass over the dataset, from the seed alone. Drawn: at random with replacement. */
enum row_order { ROWS_SEQUENTIAL, ROWS_SHUFFLED, ROWS_DRAWN };

/* What the user sees while it runs; each may be NULL. `arg` is passed back. */
struct run_observer {
	void *arg;
	/* Reporting thread: a period ended; overall is what was measured so far. */
	void (*period)(void *arg, const struct period *p, const struct histogram *overall);
	/* Reporting thread: the burn-in's last answer came, and its time is over. inferences: answered until then. */
	void (*burn_in_complete)(void *arg, uint64_t inferences, unsigned workers);
	/* Worker threads, any of them at the same time: every finished request (-print-responses). The outcome is
	 * the judged one. Costs the measuring path what it costs. */
	void (*response)(void *arg, const struct completion *c, enum outcome judged);
	/* Before the run and, where the server's counters could not be read, after it: one line the user should read. */
	void (*note)(void *arg, const char *text);
	/* Reporting thread: a period ended, with all that was measured so far; without periods once, at the end. */
	void (*snapshot)(void *arg, const struct period *p, const struct recorder *so_far);
};

/* Windows of a run, one after the other from the end of its burn-in. */
struct run_windows {
	/* Of each: at least so many requests, or if that is 0 so long. */
	uint64_t requests;
	nsec_t length;
	void *arg;
	/* Reporting thread, where the first begins and where each ends. so_far: all that was measured until now. True: the
	 * run has seen enough and ends here, as at an interrupt. NULL: there are no windows. */
	bool (*ended)(void *arg, nsec_t now, const struct recorder *so_far);
};

struct run_config {
	const struct driver_ops *driver;
	const void *driver_options; /* the driver's own struct */
	const struct conn_options *conn;
	const struct workload_ops *workload;
	struct workload_config what; /* batch: inferences a request */
	const char *file;            /* NULL or "-": standard input */
	unsigned workers;            /* requests in flight */
	unsigned threads;            /* 0: run_default_threads */
	/* Inferences. A limit that cuts a batch is rounded down, a burn-in that does is rounded up. */
	uint64_t limit, burn_in;
	/* Time. Of the burn-in is also what is due before start + warm_up; what would be due `duration` after that is not
	 * sent any more, unless fewer than at_least inferences were, burn-in included. 0: no such limit. */
	nsec_t warm_up, duration;
	uint64_t at_least;
	bool repeat;             /* the dataset starts again where it ends; needs a file and another limit */
	enum row_order order;    /* of the dataset's batches */
	unsigned drawn_together; /* drawn: so many batches in a row lie one after the other in the dataset; >= 1 */
	/* Set up by scenario_configure; scenario SCENARIO_NONE: none. */
	struct scenario_settings scenario;
	uint64_t seed;
	enum arrival_process arrival;
	struct rate_schedule schedule; /* inferences a second over time, for an open loop */
	bool spin; /* open loop: spin the last stretch before an arrival, to send it on time to the microsecond */
	bool ignore_errors;
	bool stages;                 /* every stage of a request is stamped: two readings of the clock more */
	bool network_baseline;       /* pings the server before the run */
	struct verify_config verify; /* answers to compare with */
	/* Keeps the answers that are right; may be NULL. Zeroed by the caller, who saves and releases it; initialised by the
	 * run. */
	struct answers_writer *record;
	bool record_wrong;       /* those that are wrong too */
	nsec_t reporting_period; /* 0: none */
	nsec_t drain; /* after `duration` or the schedule; 0: RUN_DRAIN_DEFAULT. At most RUN_DRAIN_STOPPED otherwise */
	const atomic_int *interrupt; /* non-zero ends the run early; may be NULL. Set by a signal handler. */
	struct run_observer observer;
	struct run_windows windows;
};

#define RUN_DRAIN_DEFAULT (10 * NSEC_PER_SEC)
#define RUN_DRAIN_STOPPED NSEC_PER_SEC /* by an interrupt or an error */
#define RUN_WORKERS_MAX 65536

/* max(1, min(workers, cores / 2)): the other half is for the server or the kernel's share of the network. */
unsigned run_default_threads(unsigned workers);

/*
 * Runs once. The caller has filled the texts of *r (program, label, config, repetition, …) and zeroed the rest; the
 * numbers of what was asked and all that happened are filled in here, for audit_judge too. Returns 0 when there is a
 * result to report, also that of a run that an error or an interrupt cut short (r->stopped_by_error, r->interrupted);
 * a negative code with its text when the run could not start, and then *r holds nothing to release. One run at a time
 * in a process.
 */
int runner_run(const struct run_config *cfg, struct result *r, struct error *err) MUST_CHECK;

#endif
