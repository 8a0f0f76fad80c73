/*
 * scenario.h - an MLPerf scenario as a run: what it makes of a run_config, and of what the run's threads recorded.
 *
 * The rules themselves are in stats/scenario_summary.h, the queries of a thread in runners/queries.h.
 */
#ifndef RUNNERS_SCENARIO_H
#define RUNNERS_SCENARIO_H

#include "runners/queries.h"
#include "runners/runner.h"

/*
 * Sets *cfg up for cfg->scenario, the settings that the user wants: arrivals, workers, order of the rows and limit follow
 * from them, and settings that follow from *cfg (seed, rate of a schedule, requests under way) are filled in.
 *
 *	single stream  1 worker, rows drawn at random with replacement
 *	multi-stream   as many workers as a query has requests, on one thread; a query's rows lie one after the other in the
 *	               dataset from a random one on, as LoadGen has them
 *	server         Poisson arrivals, as many as are due within the minimum duration and one more; rows as single stream
 *	offline        the rows in order, again and again: 1.1 x target QPS x minimum duration, or the minimum of samples if
 *	               that is more
 *	accuracy       every row once, in order
 *
 * ERR_USAGE: *cfg has what a scenario decides (limit, burn-in, time, a schedule), or a tensor batch that it forbids.
 */
int scenario_configure(struct run_config *cfg, struct error *err) MUST_CHECK;

/* Server: how many arrivals of the schedule there are until one is due at min_duration or after it, min_queries at least. */
uint64_t scenario_server_queries(const struct scenario_settings *s);

/* Fills r->scenario from the threads' queries, whose latencies it takes. start: of the run; library: samples in the dataset.
 * The rest of *r is filled already. ERR_NOMEM. */
int scenario_gather(struct result *r, const struct run_config *cfg, struct queries *const *queries, unsigned n,
		    nsec_t start, uint64_t library) MUST_CHECK;

#endif
