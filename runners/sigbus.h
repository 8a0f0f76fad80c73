/*
 * sigbus.h - a mapped file that shrinks under the run (dataset, expected answers) becomes an error of the run, not the
 * end of the process.
 *
 * The signal's handler has no argument, so this is the one place that keeps state of its own: one guard at a time in
 * a process. A page that went missing is replaced by zeros, so that whoever touched it goes on to the next look at
 * sigbus_guard_hit.
 */
#ifndef RUNNERS_SIGBUS_H
#define RUNNERS_SIGBUS_H

#include "common/error.h"
#include "workloads/answers.h"
#include "workloads/dataset.h"

enum sigbus_hit { SIGBUS_NONE, SIGBUS_DATASET, SIGBUS_ANSWERS };

/* answers: may be NULL. ERR_EXISTS: another run of this process has it. */
int sigbus_guard_install(const struct dataset *d, const struct answers *answers, struct error *err) MUST_CHECK;
void sigbus_guard_remove(void);
enum sigbus_hit sigbus_guard_hit(void);

#endif
