/*
 * platform.c - what /proc, /sys and uname say of the machine.
 *
 * Nothing here can fail: what a kernel, an architecture or a container does not show is left out.
 */
#include "stats/platform.h"

#include <gnu/libc-version.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <zlib.h>

#include "common/text.h"
#include "stats/proc_text.h"

/* An unlimited cgroup v1 says the largest multiple of a page. */
#define MEMORY_UNLIMITED ((uint64_t)1 << 60)

unsigned platform_list_count(const char *list)
{
	unsigned n = 0;

	while (is_digit(*list)) {
		char *end;
		unsigned long from = strtoul(list, &end, 10), to = from;

		if (*end == '-')
			to = strtoul(end + 1, &end, 10);
		if (to < from || to - from >= UINT_MAX - n)
			return 0;
		n += (unsigned)(to - from) + 1;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

static void read_cpus(struct platform *p, const char *root)
{
	/* x86 and most others, MIPS, POWER; ARM tells no name here. */
	static const char *const names[] = {"model name", "cpu model", "cpu"};
	char text[PROC_TEXT_MAX], online[256] = "";

	if (proc_text_read(text, root, "/proc/cpuinfo")) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !p->cpu_model[0]; i++)
			proc_text_field(p->cpu_model, sizeof(p->cpu_model), text, names[i]);
	}
	proc_text_value(online, sizeof(online), root, "/sys/devices/system/cpu/online");
	p->cpus_online = platform_list_count(online);
	if (proc_text_read(text, root, "/proc/self/status"))
		proc_text_field(p->cpus_allowed, sizeof(p->cpus_allowed), text, "Cpus_allowed_list");
	proc_text_value(p->governor, sizeof(p->governor), root,
			"/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
}

/* "32K", "8192K", "1M" */
static uint64_t parse_size(const char *text)
{
	char *end;
	uint64_t n = strtoull(text, &end, 10);
	unsigned shift = *end == 'K' ? 10 : *end == 'M' ? 20 : *end == 'G' ? 30 : 0;

	return n > UINT64_MAX >> shift ? 0 : n << shift;
}

static void read_caches(struct platform *p, const char *root)
{
	for (unsigned i = 0; i < PLATFORM_CACHES; i++) {
		struct platform_cache *c = &p->caches[p->ncaches];
		char path[96], level[8] = "", type[16] = "", size[24] = "";
		int len = snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu0/cache/index%u/", i);

		snprintf(path + len, sizeof(path) - (size_t)len, "level");
		proc_text_value(level, sizeof(level), root, path);
		snprintf(path + len, sizeof(path) - (size_t)len, "type");
		proc_text_value(type, sizeof(type), root, path);
		snprintf(path + len, sizeof(path) - (size_t)len, "size");
		proc_text_value(size, sizeof(size), root, path);
		c->bytes = parse_size(size);
		if (!level[0] || c->bytes == 0)
			continue;
		snprintf(c->name, sizeof(c->name), "L%s%s", level,
			 strcmp(type, "Data") == 0          ? "d"
			 : strcmp(type, "Instruction") == 0 ? "i"
							    : "");
		p->ncaches++;
	}
}

static void read_memory(struct platform *p, const char *root)
{
	char text[PROC_TEXT_MAX], value[32];

	if (proc_text_read(text, root, "/proc/meminfo") && proc_text_field(value, sizeof(value), text, "MemTotal"))
		p->memory_bytes = strtoull(value, NULL, 10) << 10;
}

/* quota of every period, both in microseconds. */
static void limit_cpus(struct platform *p, double quota, double period)
{
	double cpus = period > 0 ? quota / period : 0;

	if (cpus > 0 && (p->cgroup_cpus == 0 || cpus < p->cgroup_cpus))
		p->cgroup_cpus = cpus;
}

static void limit_memory(struct platform *p, const char *text)
{
	uint64_t bytes = strtoull(text, NULL, 10); /* "max" is 0 */

	if (bytes > 0 && bytes < MEMORY_UNLIMITED && (p->cgroup_memory_bytes == 0 || bytes < p->cgroup_memory_bytes))
		p->cgroup_memory_bytes = bytes;
}

/* One cgroup's folder. Version 2 has one hierarchy, version 1 one for each set of controllers. */
static void read_cgroup(void *arg, const char *root, const char *folder)
{
	struct platform *p = arg;
	char path[PATH_MAX], quota[64] = "", period[64] = "", memory[64] = "";
	double q, every;

	if (strlen(folder) > sizeof(path) - 32)
		return;
	snprintf(path, sizeof(path), "%s/cpu.max", folder);
	proc_text_value(quota, sizeof(quota), root, path);
	if (sscanf(quota, "%lf %lf", &q, &every) == 2)
		limit_cpus(p, q, every);
	quota[0] = '\0';
	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
	proc_text_value(quota, sizeof(quota), root, path);
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
	proc_text_value(period, sizeof(period), root, path);
	if (period[0])
		limit_cpus(p, strtod(quota, NULL), strtod(period, NULL));
	snprintf(path, sizeof(path), "%s/memory.max", folder);
	proc_text_value(memory, sizeof(memory), root, path);
	limit_memory(p, memory);
	memory[0] = '\0';
	snprintf(path, sizeof(path), "%s/memory.limit_in_bytes", folder);
	proc_text_value(memory, sizeof(memory), root, path);
	limit_memory(p, memory);
}

static void read_build(struct platform *p)
{
#ifdef __clang__
	snprintf(p->compiler, sizeof(p->compiler), "clang %s", __clang_version__);
#else
	snprintf(p->compiler, sizeof(p->compiler), "gcc %s", __VERSION__);
#endif
	platform_add_library(p, "glibc", gnu_get_libc_version());
	platform_add_library(p, "zlib", zlibVersion());
}

void platform_read(struct platform *ret, const char *root)
{
	struct utsname name;

	*ret = (struct platform){0};
	if (uname(&name) == 0) {
		snprintf(ret->machine, sizeof(ret->machine), "%s", name.machine);
		snprintf(ret->kernel, sizeof(ret->kernel), "%s %s", name.sysname, name.release);
	}
	read_cpus(ret, root);
	read_caches(ret, root);
	read_memory(ret, root);
	cgroups_visit(root, read_cgroup, ret);
	platform_read_settings(ret, root);
	read_build(ret);
}

void platform_add_library(struct platform *p, const char *name, const char *version)
{
	struct platform_library *l = &p->libraries[p->nlibraries];

	if (p->nlibraries == PLATFORM_LIBRARIES)
		return;
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->version, sizeof(l->version), "%s", version);
	p->nlibraries++;
}
