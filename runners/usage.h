/*
 * usage.h - how much processor and memory the generator itself used during a run, and what was taken from it.
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

/* The same of the calling thread alone. inferences is the caller's to fill. */
struct thread_mark {
	struct rusage at_start;
	nsec_t wall, cpu, waiting;
};

void thread_usage_begin(struct thread_mark *m);
void thread_usage_end(const struct thread_mark *m, struct thread_usage *ret);

/* Counters of the machine since it booted and of the process' cgroups since they were made. */
struct machine_mark {
	uint64_t ticks, stolen; /* of CPU time of all CPUs; ticks 0: unknown */
	uint64_t throttled_periods;
	nsec_t throttled;
};

/* root: what /proc and /sys are looked for in; "" for those of this machine. */
void machine_usage_mark(struct machine_mark *ret, const char *root);
void machine_usage_between(struct machine_usage *ret, const struct machine_mark *from, const struct machine_mark *to);

#endif
