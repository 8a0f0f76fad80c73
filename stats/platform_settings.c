/*
 * platform_settings.c - settings of the kernel that move a latency, and what the machine runs in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stats/platform.h"
#include "stats/proc_text.h"

#define CPU "/sys/devices/system/cpu/"

/* Of the words "always [madvise] never" the chosen one. */
static void read_chosen(char *ret, size_t size, const char *root, const char *path)
{
	char text[128] = "", *word;

	proc_text_value(text, sizeof(text), root, path);
	word = strchr(text, '[');
	if (word)
		snprintf(ret, size, "%.*s", (int)strcspn(word + 1, "]"), word + 1);
}

/* The value of a word "name=value" of the kernel's command line. */
static void read_parameter(char *ret, size_t size, const char *root, const char *name)
{
	char text[PROC_TEXT_MAX], *next = NULL;
	size_t len = strlen(name);

	if (!proc_text_read(text, root, "/proc/cmdline"))
		return;
	for (const char *word = strtok_r(text, " \n", &next); word; word = strtok_r(NULL, " \n", &next)) {
		if (strncmp(word, name, len) == 0 && word[len] == '=')
			snprintf(ret, size, "%s", word + len + 1);
	}
}

static void read_turbo(struct platform *p, const char *root)
{
	char no_turbo[8] = "", boost[8] = "";

	proc_text_value(no_turbo, sizeof(no_turbo), root, CPU "intel_pstate/no_turbo");
	proc_text_value(boost, sizeof(boost), root, CPU "cpufreq/boost");
	if (no_turbo[0])
		snprintf(p->turbo, sizeof(p->turbo), "%s", no_turbo[0] == '0' ? "on" : "off");
	else if (boost[0])
		snprintf(p->turbo, sizeof(p->turbo), "%s", boost[0] == '0' ? "off" : "on");
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; (at = strstr(at, word)); at += len) {
		if ((at == text || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	}
	return false;
}

static void read_hypervisor(struct platform *p, const char *root)
{
	char *text = malloc(PROC_TEXT_MAX), vendor[32] = "", product[32] = "", flags[4096] = "";

	if (text && proc_text_read(text, root, "/proc/cpuinfo") && proc_text_field(flags, sizeof(flags), text, "flags"))
		p->virtual = has_word(flags, "hypervisor");
	free(text);
	proc_text_value(vendor, sizeof(vendor), root, "/sys/class/dmi/id/sys_vendor");
	proc_text_value(product, sizeof(product), root, "/sys/class/dmi/id/product_name");
	snprintf(p->vendor, sizeof(p->vendor), "%s%s%s", vendor, vendor[0] && product[0] ? " " : "", product);
}

static bool is_there(const char *root, const char *path)
{
	char name[4096];

	return snprintf(name, sizeof(name), "%s%s", root, path) < (int)sizeof(name) && access(name, F_OK) == 0;
}

/* By what each leaves in its root folder, or else by the names of the cgroups. */
static void read_container(struct platform *p, const char *root)
{
	static const char *const cgroups[][2] = {{"kubepods", "kubernetes"}, {"docker", "docker"}, {"lxc", "lxc"}};
	char text[PROC_TEXT_MAX];

	if (is_there(root, "/.dockerenv"))
		snprintf(p->container, sizeof(p->container), "docker");
	else if (is_there(root, "/run/.containerenv"))
		snprintf(p->container, sizeof(p->container), "podman");
	else
		proc_text_value(p->container, sizeof(p->container), root, "/run/systemd/container");
	if (!proc_text_read(text, root, "/proc/self/cgroup"))
		return;
	for (size_t i = 0; i < sizeof(cgroups) / sizeof(cgroups[0]) && !p->container[0]; i++) {
		if (strstr(text, cgroups[i][0]))
			snprintf(p->container, sizeof(p->container), "%s", cgroups[i][1]);
	}
}

void platform_read_settings(struct platform *p, const char *root)
{
	char nodes[256] = "";

	proc_text_value(nodes, sizeof(nodes), root, "/sys/devices/system/node/online");
	p->numa_nodes = platform_list_count(nodes);
	proc_text_value(p->smt, sizeof(p->smt), root, CPU "smt/control");
	read_turbo(p, root);
	proc_text_value(p->clocksource, sizeof(p->clocksource), root,
			"/sys/devices/system/clocksource/clocksource0/current_clocksource");
	read_chosen(p->huge_pages, sizeof(p->huge_pages), root, "/sys/kernel/mm/transparent_hugepage/enabled");
	read_parameter(p->mitigations, sizeof(p->mitigations), root, "mitigations");
	read_hypervisor(p, root);
	read_container(p, root);
}
