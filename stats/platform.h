/*
 * platform.h - the machine that a run was made on, as far as it says so itself: figures of another one do not compare.
 */
#ifndef STATS_PLATFORM_H
#define STATS_PLATFORM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PLATFORM_CACHES 8
#define PLATFORM_LIBRARIES 12

struct platform_cache {
	char name[16]; /* "L1d", "L1i", "L2" */
	uint64_t bytes;
};

struct platform_library {
	char name[16], version[48]; /* "OpenSSL", "3.0.15" */
};

struct json_writer; /* stats/json_writer.h */

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
	unsigned numa_nodes;
	char smt[20];         /* simultaneous multithreading: "on", "off", "notsupported" */
	char turbo[4];        /* "on", "off" */
	char clocksource[24]; /* "tsc" */
	char huge_pages[16];  /* transparent ones: "always", "madvise", "never" */
	char mitigations[64]; /* of CPU vulnerabilities, as the kernel's command line asks for them */
	bool virtual;         /* a hypervisor runs the machine */
	char vendor[64];      /* of the machine or the hypervisor: "QEMU Standard PC" */
	char container[24];   /* "docker", "podman", "kubernetes", "lxc" */
	/* What this program was made with, and what it runs with. */
	char compiler[64];
	struct platform_library libraries[PLATFORM_LIBRARIES];
	unsigned nlibraries;
};

/* root: what /proc and /sys are looked for in; "" for those of this machine. */
void platform_read(struct platform *ret, const char *root);
/* One more library; those over PLATFORM_LIBRARIES are left out. */
void platform_add_library(struct platform *p, const char *name, const char *version);

/* stats/platform_report.c: one line, and "Platform". p NULL: nobody looked. */
void platform_write_text(FILE *out, const struct platform *p);
void platform_write_json(struct json_writer *w, const struct platform *p);

/* stats/platform_settings.c: platform_read's part of the kernel's settings and of what the machine runs in. */
void platform_read_settings(struct platform *p, const char *root);
unsigned platform_list_count(const char *list); /* how many a list such as "0-3,8" names; 0 for what is no list */

#endif
