/*
 * platform.h - the machine that a run was made on, as far as it says so itself: figures of another one do not compare.
 */
#ifndef STATS_PLATFORM_H
#define STATS_PLATFORM_H

#include <stdint.h>

#define PLATFORM_CACHES 8

struct platform_cache {
	char name[16]; /* "L1d", "L1i", "L2" */
	uint64_t bytes;
};

/* Texts are empty and numbers 0 where there is nothing to say. */
struct platform {
	char cpu_model[128];
	char machine[72], kernel[144]; /* "x86_64", "Linux 6.1.0-13-amd64" */
	unsigned cpus_online;
	char cpus_allowed[256]; /* to this process, as a list: "0-3,8" */
	char governor[32];      /* of the first CPU */
	uint64_t memory_bytes;
	double cgroup_cpus;                            /* CPUs' worth of time that this process' cgroups leave it */
	uint64_t cgroup_memory_bytes;                  /* the smallest limit of its cgroups */
	struct platform_cache caches[PLATFORM_CACHES]; /* that the first CPU uses */
	unsigned ncaches;
};

/* root: what /proc and /sys are looked for in; "" for those of this machine. */
void platform_read(struct platform *ret, const char *root);

#endif
