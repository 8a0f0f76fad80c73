/* What is read of a machine, from a /proc and /sys of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "stats/platform.h"
#include "tests/support/fake_root.h"

struct machine {
	struct fake_root root;
	struct platform platform;
};

static int setup(void **state)
{
	struct machine *m = calloc(1, sizeof(*m));

	assert_non_null(m);
	fake_root_new(&m->root);
	*state = m;
	return 0;
}

static int teardown(void **state)
{
	struct machine *m = *state;

	fake_root_release(&m->root);
	free(m);
	return 0;
}

static void put(const struct machine *m, const char *path, const char *text)
{
	fake_root_put(&m->root, path, text);
}

static const struct platform *look(struct machine *m)
{
	platform_read(&m->platform, m->root.path);
	return &m->platform;
}

static void machine_is_described(void **state)
{
	struct machine *m = *state;
	const struct platform *p;
	struct utsname name;

	put(m, "/proc/cpuinfo",
	    "processor\t: 0\nmodel\t\t: 17\nmodel name\t: A CPU @ 2.5GHz\nflags : x\n\nprocessor\t: 1\n"
	    "model name\t: Another\n");
	put(m, "/proc/meminfo", "MemFree:   1 kB\nMemTotal:       24684084 kB\n");
	put(m, "/proc/self/status", "Name:\tx\nCpus_allowed:\t10f\nCpus_allowed_list:\t0-3,8\nMems_allowed_list:\t0\n");
	put(m, "/sys/devices/system/cpu/online", "0-7,10,12-13\n");
	put(m, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index0/size", "32K\n");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index3/level", "3\n");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index3/type", "Unified\n");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index3/size", "16M\n");
	p = look(m);
	assert_string_equal(p->cpu_model, "A CPU @ 2.5GHz");
	assert_int_equal(p->memory_bytes, UINT64_C(24684084) * 1024);
	assert_string_equal(p->cpus_allowed, "0-3,8");
	assert_int_equal(p->cpus_online, 11);
	assert_string_equal(p->governor, "performance");
	assert_int_equal(p->ncaches, 2);
	assert_string_equal(p->caches[0].name, "L1d");
	assert_int_equal(p->caches[0].bytes, 32 << 10);
	assert_string_equal(p->caches[1].name, "L3");
	assert_int_equal(p->caches[1].bytes, 16 << 20);
	assert_int_equal(uname(&name), 0);
	assert_string_equal(p->machine, name.machine);
	assert_non_null(strstr(p->kernel, name.release));
}

static void what_is_not_there_is_left_out(void **state)
{
	const struct platform *p = look(*state);

	assert_string_equal(p->cpu_model, "");
	assert_string_equal(p->cpus_allowed, "");
	assert_string_equal(p->governor, "");
	assert_int_equal(p->cpus_online, 0);
	assert_int_equal(p->memory_bytes, 0);
	assert_int_equal(p->ncaches, 0);
	assert_true(p->cgroup_cpus == 0);
	assert_int_equal(p->cgroup_memory_bytes, 0);
}

static void settings_and_surroundings_are_told(void **state)
{
	struct machine *m = *state;
	const struct platform *p;

	put(m, "/sys/devices/system/node/online", "0-1\n");
	put(m, "/sys/devices/system/cpu/smt/control", "on\n");
	put(m, "/sys/devices/system/cpu/intel_pstate/no_turbo", "1\n");
	put(m, "/sys/devices/system/cpu/cpufreq/boost", "1\n");
	put(m, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock\n");
	put(m, "/sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	put(m, "/proc/cmdline", "quiet xmitigations=no mitigations=auto,nosmt secret=hunter2\n");
	put(m, "/proc/cpuinfo", "model name: x\nflags\t\t: fpu hypervisor sse\n");
	put(m, "/sys/class/dmi/id/sys_vendor", "QEMU\n");
	put(m, "/sys/class/dmi/id/product_name", "Standard PC\n");
	put(m, "/proc/self/cgroup", "0::/kubepods/besteffort/pod1\n");
	p = look(m);
	assert_int_equal(p->numa_nodes, 2);
	assert_string_equal(p->smt, "on");
	assert_string_equal(p->turbo, "off");
	assert_string_equal(p->clocksource, "kvm-clock");
	assert_string_equal(p->huge_pages, "madvise");
	assert_string_equal(p->mitigations, "auto,nosmt");
	assert_true(p->virtual);
	assert_string_equal(p->vendor, "QEMU Standard PC");
	assert_string_equal(p->container, "kubernetes");
	put(m, "/proc/cpuinfo", "model name: x\nflags\t\t: fpu hypervisors nohypervisor\n");
	put(m, "/.dockerenv", "");
	p = look(m);
	assert_false(p->virtual);
	assert_string_equal(p->container, "docker");
}

static void the_build_is_told_and_libraries_are_limited(void **state)
{
	struct machine *m = *state;
	struct platform *p = &m->platform;

	look(m);
	assert_true(strncmp(p->compiler, "gcc ", 4) == 0 || strncmp(p->compiler, "clang ", 6) == 0);
	assert_string_equal(p->libraries[0].name, "glibc");
	for (int i = 0; i < 2 * PLATFORM_LIBRARIES; i++)
		platform_add_library(p, "a-library-with-a-long-name", "1");
	assert_int_equal(p->nlibraries, PLATFORM_LIBRARIES);
	assert_string_equal(p->libraries[PLATFORM_LIBRARIES - 1].name, "a-library-with-");
}

static void text_says_it_in_a_line(void **state)
{
	struct platform p = {.cpu_model = "A CPU",
			     .cpus_online = 8,
			     .cpus_allowed = "0-3",
			     .numa_nodes = 2,
			     .cgroup_cpus = 1.5,
			     .memory_bytes = UINT64_C(3) << 29,
			     .kernel = "Linux 6.1",
			     .virtual = true,
			     .vendor = "QEMU",
			     .governor = "performance"};
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	platform_write_text(out, &p);
	platform_write_text(out, NULL);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(
		text, "Machine: A CPU, 8 CPUs (0-3 allowed) on 2 nodes, limited to 1.50 CPUs, 1.5 GiB, Linux 6.1, "
		      "virtual (QEMU), governor performance\n");
	free(text);
}

static void odd_files_do_no_harm(void **state)
{
	struct machine *m = *state;
	char *lines = malloc(40001);
	const struct platform *p;

	assert_non_null(lines);
	memset(lines, 'x', 40000);
	lines[40000] = '\0';
	put(m, "/proc/cpuinfo", "model name");
	put(m, "/proc/meminfo", "MemTotal:");
	put(m, "/proc/self/status", lines);
	memcpy(lines, "0::/", 4);
	put(m, "/proc/self/cgroup", lines);
	put(m, "/sys/devices/system/cpu/online", "7-3,x");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index0/level", "1");
	put(m, "/sys/devices/system/cpu/cpu0/cache/index0/size", "99999999999999999999G");
	p = look(m);
	assert_string_equal(p->cpu_model, "");
	assert_int_equal(p->cpus_online, 0);
	assert_int_equal(p->memory_bytes, 0);
	assert_int_equal(p->ncaches, 0);
	put(m, "/proc/self/cgroup", "0::\n::\n:\n\nno colon\n1:cpu\n5:");
	p = look(m);
	assert_true(p->cgroup_cpus == 0);
	memset(lines, 'm', 40000);
	memcpy(lines, "model name: ", 12);
	put(m, "/proc/cpuinfo", lines);
	p = look(m);
	assert_int_equal(strlen(p->cpu_model), sizeof(p->cpu_model) - 1);
	free(lines);
}

static void smallest_limit_of_the_cgroups_above_counts(void **state)
{
	struct machine *m = *state;
	const struct platform *p;

	put(m, "/proc/self/cgroup", "0::/pod/box\n");
	put(m, "/sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
	put(m, "/sys/fs/cgroup/pod/box/memory.max", "2147483648\n");
	put(m, "/sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
	put(m, "/sys/fs/cgroup/pod/memory.max", "max\n");
	put(m, "/sys/fs/cgroup/other/cpu.max", "1000 100000\n");
	p = look(m);
	assert_true(p->cgroup_cpus == 1.5);
	assert_int_equal(p->cgroup_memory_bytes, UINT64_C(2) << 30);
	/* A container without a namespace of its own is at the top of what it sees. */
	put(m, "/proc/self/cgroup", "0::/../../host/box\n");
	put(m, "/sys/fs/cgroup/cpu.max", "50000 100000\n");
	assert_true(look(m)->cgroup_cpus == 0.5);
	put(m, "/proc/self/cgroup", "0::/only/on/the/host\n");
	assert_true(look(m)->cgroup_cpus == 0.5);
}

static void limits_of_version_1_are_found(void **state)
{
	struct machine *m = *state;
	const struct platform *p;

	put(m, "/proc/self/cgroup", "4:memory:/box\n3:cpu,cpuacct:/box\n1:name=systemd:/\n0::/\n");
	put(m, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
	put(m, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
	put(m, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	p = look(m);
	assert_true(p->cgroup_cpus == 0);
	assert_int_equal(p->cgroup_memory_bytes, 0);
	put(m, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "200000\n");
	put(m, "/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
	put(m, "/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "1073741824\n");
	p = look(m);
	assert_true(p->cgroup_cpus == 2);
	assert_int_equal(p->cgroup_memory_bytes, 1 << 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(machine_is_described),
		TEST(what_is_not_there_is_left_out),
		TEST(odd_files_do_no_harm),
		TEST(smallest_limit_of_the_cgroups_above_counts),
		TEST(limits_of_version_1_are_found),
		TEST(settings_and_surroundings_are_told),
		TEST(the_build_is_told_and_libraries_are_limited),
		TEST(text_says_it_in_a_line),
	};

	return cmocka_run_group_tests_name("platform", tests, NULL, NULL);
}
