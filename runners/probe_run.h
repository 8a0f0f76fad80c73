/*
 * probe_run.h - one run of a probe: counts what it finds window by window, ends it once it has clearly failed, and says
 * what else than the objective it failed for.
 */
#ifndef RUNNERS_PROBE_RUN_H
#define RUNNERS_PROBE_RUN_H

#include <stdbool.h>

#include "runners/probe.h"
#include "stats/result.h"

/* A run ends early when it has so many windows and failure is as sure as this. */
#define PROBE_WINDOWS_MIN 12
#define PROBE_EARLY_CONFIDENCE 0.9999

/* Of the offered rate, what must be achieved. */
#define PROBE_ACHIEVED_MIN 0.95

/* Why a probe failed, beside the objective itself. */
enum probe_failure {
	PROBE_NO_FAILURE,
	PROBE_ERRORS,     /* errors, time-outs, wrong answers */
	PROBE_UNANSWERED, /* requests that were due were never sent or never answered */
	PROBE_TOO_SLOW,   /* fewer than PROBE_ACHIEVED_MIN of the requests, and by more than chance, in the time */
};

/* Zero-initialise but for slo, probe and batch. */
struct probe_run {
	const struct slo *slo;
	struct probe *probe; /* windows are added to it: those of an extension to those before */
	unsigned batch;      /* inferences a request: so often each is in the histogram */
	bool begun;
	bool failed; /* so clearly that the run was ended: what it left unanswered says nothing */
	unsigned windows;
	uint64_t total, over[SLO_MAX]; /* inferences at the end of the last window */
};

/* For run_windows.ended; arg is the struct probe_run. */
bool probe_run_look(void *arg, nsec_t now, const struct recorder *so_far);
/* After the run: what came behind the last window, and how else the run failed at the offered inferences/s. */
enum probe_failure probe_run_finish(struct probe_run *p, const struct result *r, double rate);

#endif
