/*
 * stable_run.h - a run that goes on until it has come to rest (stats/stability.h), and whose result is what its last three
 * windows found.
 */
#ifndef RUNNERS_STABLE_RUN_H
#define RUNNERS_STABLE_RUN_H

#include "runners/runner.h"
#include "stats/stability.h"

/* All that was measured until a moment. */
struct run_snapshot {
	nsec_t at;
	struct recorder recorder;
};

/* Zero-initialise. */
struct stable_run {
	struct stability stability;
	int error;      /* ERR_NOMEM: it ended for that */
	unsigned looks; /* snapshot i is of look i modulo their number; the first is the beginning */
	struct run_snapshot snapshots[STABILITY_WINDOWS + 1];
};

void stable_run_release(struct stable_run *s);
/* For run_windows.ended; arg is the struct stable_run. Ends the run once it is decided. */
bool stable_run_look(void *arg, nsec_t now, const struct recorder *so_far);
/* After the run of cfg: figures, times and schedule of *r become those of the last windows, if there were enough; the rest
 * counts as burned in. A run that ended earlier is unstable. ERR_NOMEM. */
int stable_run_finish(struct stable_run *s, const struct run_config *cfg, struct result *r) MUST_CHECK;

#endif
