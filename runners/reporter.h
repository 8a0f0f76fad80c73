/*
 * reporter.h - what is seen while a run goes on: periods, the server's counters, the progress line. It only reads
 * from the workers, so being late disturbs none of them.
 */
#ifndef RUNNERS_REPORTER_H
#define RUNNERS_REPORTER_H

#include "runners/counters.h"
#include "runners/windows.h"
#include "runners/worker.h"

/* When in the run the server's counters could not be read. */
struct counter_gaps {
	unsigned n;
	bool open;          /* the last one goes on: the server is asked again, but not before ask_again */
	nsec_t from, until; /* of the first, since the start of the run */
	struct error why;   /* of the first */
	nsec_t ask_again;
	struct backoff backoff;
};

struct reporter {
	struct shared *shared;
	const struct worker *workers;
	unsigned nworkers;
	struct result *result;
	struct conn_options conn; /* with a timeout of its own */
	struct driver *control;   /* opened without slots, for the server's counters; NULL: there are none */
	struct counters counters;
	struct counter_gaps gaps;
	struct recorder now;           /* all workers' measurements at the end of this period */
	struct histogram before;       /* service time at the end of the last one */
	struct histogram period;       /* the difference */
	uint64_t inferences, answered; /* so far, at the end of the last period */
	nsec_t last;
	struct windows windows;
};

int reporter_init(struct reporter *p, struct shared *shared, const struct worker *workers, unsigned nworkers,
		  struct result *result, struct error *err) MUST_CHECK;
void reporter_release(struct reporter *p);
/* Reads the server's counters for the first time. */
void reporter_start(struct reporter *p);
/* Reports until all workers have finished, then the last, shorter period. ERR_NOMEM. */
int reporter_run(struct reporter *p) MUST_CHECK;

#endif
