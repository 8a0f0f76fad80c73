/*
 * sigbus.h - a mapped dataset that shrinks under the run becomes an error of the run, not the end of the process.
 *
 * The signal's handler has no argument, so this is the one place that keeps state of its own: one guard at a time in
 * a process. A page that went missing is replaced by zeros, so that whoever touched it goes on to the next look at
 * sigbus_guard_hit.
 */
#ifndef RUNNERS_SIGBUS_H
#define RUNNERS_SIGBUS_H

#include <stdbool.h>

#include "common/error.h"
#include "workloads/dataset.h"

/* ERR_EXISTS: another run of this process has it. */
int sigbus_guard_install(const struct dataset *d, struct error *err) MUST_CHECK;
void sigbus_guard_remove(void);
bool sigbus_guard_hit(void);

#endif
