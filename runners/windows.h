/*
 * windows.h - the beat of a run's windows: when the reporting thread looks, and whether a window is over.
 */
#ifndef RUNNERS_WINDOWS_H
#define RUNNERS_WINDOWS_H

#include "runners/runner.h"

/* Counts of requests, and the end of a burn-in, are looked for so often. */
#define WINDOWS_GRAIN (10 * NSEC_PER_MSEC)

struct windows {
	const struct run_windows *cfg;
	bool begun, over;  /* over: the run was told to end */
	nsec_t begin;      /* of the window under way */
	uint64_t requests; /* measured before it */
};

/* cfg->ended NULL: there are none. */
void windows_init(struct windows *w, const struct run_windows *cfg);
/* When to look next; NSEC_NEVER: not at all. */
nsec_t windows_deadline(const struct windows *w, nsec_t now);
/*
 * Whether a window ends now (or the first begins), after so many measured requests. burn_in: the run's burn-in is still
 * going on.
 */
bool windows_end(struct windows *w, nsec_t now, uint64_t requests, bool burn_in);

#endif
