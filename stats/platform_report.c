/*
 * platform_report.c - the machine's part of the reports.
 */
#include <math.h>

#include "common/text.h"
#include "stats/json_writer.h"
#include "stats/platform.h"

void platform_write_text(FILE *out, const struct platform *p)
{
	if (!p)
		return;
	fprintf(out, "Machine: %s, %u CPU%s", p->cpu_model[0] ? p->cpu_model : "unnamed CPU", p->cpus_online,
		plural(p->cpus_online));
	if (p->cpus_allowed[0])
		fprintf(out, " (%s allowed)", p->cpus_allowed);
	if (p->numa_nodes > 1)
		fprintf(out, " on %u nodes", p->numa_nodes);
	if (p->cgroup_cpus > 0)
		fprintf(out, ", limited to %.2f CPUs", p->cgroup_cpus);
	fprintf(out, ", %.1f GiB, %s", (double)p->memory_bytes / (1 << 30), p->kernel);
	if (p->virtual)
		fprintf(out, ", virtual%s%s%s", p->vendor[0] ? " (" : "", p->vendor, p->vendor[0] ? ")" : "");
	if (p->container[0])
		fprintf(out, ", in a container (%s)", p->container);
	if (p->governor[0])
		fprintf(out, ", governor %s", p->governor);
	fputc('\n', out);
}

static void write_limits(struct json_writer *w, const struct platform *p)
{
	json_uint_or_null(w, "MemoryBytes", p->memory_bytes);
	json_double(w, "CgroupCPUs", p->cgroup_cpus > 0 ? p->cgroup_cpus : NAN);
	json_uint_or_null(w, "CgroupMemoryBytes", p->cgroup_memory_bytes);
	json_begin(w, "CacheBytes");
	for (unsigned i = 0; i < p->ncaches; i++)
		json_uint(w, p->caches[i].name, p->caches[i].bytes);
	json_end(w);
	json_uint_or_null(w, "NUMANodes", p->numa_nodes);
}

static void write_settings(struct json_writer *w, const struct platform *p)
{
	json_string_or_null(w, "SMT", p->smt);
	json_string_or_null(w, "Turbo", p->turbo);
	json_string_or_null(w, "Clocksource", p->clocksource);
	json_string_or_null(w, "TransparentHugePages", p->huge_pages);
	json_string_or_null(w, "Mitigations", p->mitigations);
	json_bool(w, "Virtual", p->virtual);
	json_string_or_null(w, "Vendor", p->vendor);
	json_string_or_null(w, "Container", p->container);
}

void platform_write_json(struct json_writer *w, const struct platform *p)
{
	if (!p) {
		json_string(w, "Platform", NULL);
		return;
	}
	json_begin(w, "Platform");
	json_string_or_null(w, "CPUModel", p->cpu_model);
	json_string_or_null(w, "Machine", p->machine);
	json_string_or_null(w, "Kernel", p->kernel);
	json_uint_or_null(w, "CPUsOnline", p->cpus_online);
	json_string_or_null(w, "CPUsAllowed", p->cpus_allowed);
	json_string_or_null(w, "Governor", p->governor);
	write_limits(w, p);
	write_settings(w, p);
	json_string_or_null(w, "Compiler", p->compiler);
	json_begin(w, "Libraries");
	for (unsigned i = 0; i < p->nlibraries; i++)
		json_string(w, p->libraries[i].name, p->libraries[i].version);
	json_end(w);
	json_end(w);
}
