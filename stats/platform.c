/*
 * platform.c - what /proc, /sys and uname say of the machine.
 *
 * Nothing here can fail: what a kernel, an architecture or a container does not show is left out.
 */
#include "stats/platform.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* More than what is looked for in any file lies behind. */
#define TEXT_MAX 16384
/* An unlimited cgroup v1 says the largest multiple of a page. */
#define MEMORY_UNLIMITED ((uint64_t)1 << 60)

/* The beginning of root/path, NUL-terminated; false if there is none. */
static bool read_text(char text[TEXT_MAX], const char *root, const char *path)
{
	char name[PATH_MAX];
	size_t len = 0;
	ssize_t n;
	int fd;

	if (snprintf(name, sizeof(name), "%s%s", root, path) >= (int)sizeof(name))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (len < TEXT_MAX - 1 && (n = read(fd, text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return len > 0;
}

/* What stands after "name" and a colon at the beginning of a line, without the space around; too long: cut. */
static bool find_field(char *ret, size_t size, const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *value = line + len + strspn(strncmp(line, name, len) == 0 ? line + len : "", " \t");

		if (strncmp(line, name, len) != 0 || *value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(ret, size, "%.*s", (int)strcspn(value, "\n"), value);
		return true;
	}
	return false;
}

/* The first line of a file that holds one value. */
static void read_value(char *ret, size_t size, const char *root, const char *path)
{
	char text[TEXT_MAX];

	if (read_text(text, root, path))
		snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
}

/* How many a list such as "0-3,8" names. */
static unsigned list_count(const char *list)
{
	unsigned n = 0;

	while (*list >= '0' && *list <= '9') {
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
	char text[TEXT_MAX], online[256] = "";

	if (read_text(text, root, "/proc/cpuinfo")) {
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !p->cpu_model[0]; i++)
			find_field(p->cpu_model, sizeof(p->cpu_model), text, names[i]);
	}
	read_value(online, sizeof(online), root, "/sys/devices/system/cpu/online");
	p->cpus_online = list_count(online);
	if (read_text(text, root, "/proc/self/status"))
		find_field(p->cpus_allowed, sizeof(p->cpus_allowed), text, "Cpus_allowed_list");
	read_value(p->governor, sizeof(p->governor), root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor");
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
		read_value(level, sizeof(level), root, path);
		snprintf(path + len, sizeof(path) - (size_t)len, "type");
		read_value(type, sizeof(type), root, path);
		snprintf(path + len, sizeof(path) - (size_t)len, "size");
		read_value(size, sizeof(size), root, path);
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
	char text[TEXT_MAX], value[32];

	if (read_text(text, root, "/proc/meminfo") && find_field(value, sizeof(value), text, "MemTotal"))
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
static void read_cgroup(struct platform *p, const char *root, const char *folder)
{
	char path[PATH_MAX], quota[64] = "", period[64] = "", memory[64] = "";
	double q, every;

	if (strlen(folder) > sizeof(path) - 32)
		return;
	snprintf(path, sizeof(path), "%s/cpu.max", folder);
	read_value(quota, sizeof(quota), root, path);
	if (sscanf(quota, "%lf %lf", &q, &every) == 2)
		limit_cpus(p, q, every);
	quota[0] = '\0';
	snprintf(path, sizeof(path), "%s/cpu.cfs_quota_us", folder);
	read_value(quota, sizeof(quota), root, path);
	snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", folder);
	read_value(period, sizeof(period), root, path);
	if (period[0])
		limit_cpus(p, strtod(quota, NULL), strtod(period, NULL));
	snprintf(path, sizeof(path), "%s/memory.max", folder);
	read_value(memory, sizeof(memory), root, path);
	limit_memory(p, memory);
	memory[0] = '\0';
	snprintf(path, sizeof(path), "%s/memory.limit_in_bytes", folder);
	read_value(memory, sizeof(memory), root, path);
	limit_memory(p, memory);
}

/* A line "number:controllers:/path". The cgroups above limit this one too. In a container the path may be one that
 * only the host sees: what can be seen then is the top. */
static void read_hierarchy(struct platform *p, const char *root, const char *line, size_t len)
{
	const char *controllers = memchr(line, ':', len), *path;
	char folder[PATH_MAX];
	size_t top;
	int n;

	path = controllers ? memchr(controllers + 1, ':', len - (size_t)(controllers + 1 - line)) : NULL;
	if (!path || len >= PATH_MAX / 2)
		return;
	controllers++;
	n = (int)(path - controllers);
	path++;
	top = (size_t)snprintf(folder, sizeof(folder), "/sys/fs/cgroup%s%.*s", n ? "/" : "", n, controllers);
	snprintf(folder + top, sizeof(folder) - top, "%.*s", (int)(len - (size_t)(path - line)), path);
	if (strstr(folder + top, "/..")) /* of another namespace */
		folder[top] = '\0';
	for (;;) {
		read_cgroup(p, root, folder);
		if (strlen(folder) <= top)
			return;
		*strrchr(folder, '/') = '\0';
	}
}

static void read_cgroups(struct platform *p, const char *root)
{
	char text[TEXT_MAX];

	if (!read_text(text, root, "/proc/self/cgroup"))
		return;
	for (const char *line = text; *line; line += line[strcspn(line, "\n")] ? strcspn(line, "\n") + 1 : strlen(line))
		read_hierarchy(p, root, line, strcspn(line, "\n"));
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
	read_cgroups(ret, root);
}
