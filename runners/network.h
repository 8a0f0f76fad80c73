/*
 * network.h - looks at the way to a run's server before the run.
 */
#ifndef RUNNERS_NETWORK_H
#define RUNNERS_NETWORK_H

#include "runners/runner.h"

/* Fills *ret for the open driver's server; takes some 0.2 s, and where the server is slow to connect or to
 * answer a second longer for each (PING_TIMEOUT). What
 * cannot be found out is left out, and said in the baseline's reason. */
void network_look(struct network *ret, const struct run_config *cfg, const struct driver *driver);

#endif
