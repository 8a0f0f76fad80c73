/*
 * gather.h - what a run was asked for and what its threads found out, put together in a result.
 */
#ifndef RUNNERS_GATHER_H
#define RUNNERS_GATHER_H

#include "runners/worker.h"
#include "stats/result.h"

/* What was asked for. ERR_NOMEM. */
int gather_settings(struct result *r, const struct run_config *cfg) MUST_CHECK;
/* What came of it: all threads have ended. ERR_NOMEM. */
int gather_result(struct result *r, const struct shared *s, struct worker *workers, unsigned n,
		  struct error *err) MUST_CHECK;

#endif
