/*
 * usage.h - how much processor and memory the generator itself used during a run.
 */
#ifndef RUNNERS_USAGE_H
#define RUNNERS_USAGE_H

#include <stdint.h>
#include <sys/resource.h>

#include "stats/result.h"

struct usage_mark {
	struct rusage at_start;
};

void usage_begin(struct usage_mark *m);
/* What was used since usage_begin; memory as it is now. threads is the caller's to fill. */
void usage_end(const struct usage_mark *m, struct client_usage *ret);

/* The number of kB on the line "name:" of a /proc/PID/status text, in bytes; 0 where there is none. */
uint64_t usage_status_bytes(const char *status, const char *name);

#endif
