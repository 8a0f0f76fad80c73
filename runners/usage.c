#include "runners/usage.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "stats/proc_text.h"

#define STATUS_MAX 65536

void usage_begin(struct usage_mark *m)
{
	getrusage(RUSAGE_SELF, &m->at_start);
}

static double seconds(const struct timeval *from, const struct timeval *to)
{
	return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_usec - from->tv_usec) / 1e6;
}

uint64_t usage_status_bytes(const char *status, const char *name)
{
	size_t len = strlen(name);

	while (status) {
		if (strncmp(status, name, len) == 0 && status[len] == ':')
			return strtoull(status + len + 1, NULL, 10) * 1024;
		status = strchr(status, '\n');
		status = status ? status + 1 : NULL;
	}
	return 0;
}

void usage_end(const struct usage_mark *m, struct client_usage *ret)
{
	const struct rusage *from = &m->at_start;
	struct rusage to;
	char *status = NULL;
	size_t len;

	getrusage(RUSAGE_SELF, &to);
	*ret = (struct client_usage){
		.user_seconds = seconds(&from->ru_utime, &to.ru_utime),
		.system_seconds = seconds(&from->ru_stime, &to.ru_stime),
		.voluntary_switches = (uint64_t)(to.ru_nvcsw - from->ru_nvcsw),
		.involuntary_switches = (uint64_t)(to.ru_nivcsw - from->ru_nivcsw),
		.major_faults = (uint64_t)(to.ru_majflt - from->ru_majflt),
	};
	if (file_read(&status, &len, "/proc/self/status", STATUS_MAX, NULL) == 0)
		ret->rss_anon_bytes = usage_status_bytes(status, "RssAnon");
	free(status);
}

static nsec_t thread_cpu(void)
{
	struct timespec ts;

	return clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts) == 0 ? timespec_to_nsec(&ts) : 0;
}

/* The second number of schedstat: how long this thread was ready to run and another one ran. */
static nsec_t thread_waiting(void)
{
	char text[64] = "", *end;

	proc_text_value(text, sizeof(text), "", "/proc/thread-self/schedstat");
	strtoull(text, &end, 10);
	return strtoll(end, NULL, 10);
}

void thread_usage_begin(struct thread_mark *m)
{
	getrusage(RUSAGE_THREAD, &m->at_start);
	m->waiting = thread_waiting();
	m->cpu = thread_cpu();
	m->wall = clock_now();
}

void thread_usage_end(const struct thread_mark *m, struct thread_usage *ret)
{
	nsec_t wall = clock_now(), cpu = thread_cpu();
	struct rusage to;

	getrusage(RUSAGE_THREAD, &to);
	*ret = (struct thread_usage){
		.wall = nsec_to_sec(wall - m->wall),
		.cpu = nsec_to_sec(cpu - m->cpu),
		.waiting = nsec_to_sec(thread_waiting() - m->waiting),
		.voluntary_switches = (uint64_t)(to.ru_nvcsw - m->at_start.ru_nvcsw),
		.involuntary_switches = (uint64_t)(to.ru_nivcsw - m->at_start.ru_nivcsw),
	};
}

/* "cpu  user nice system idle iowait irq softirq steal guest guest_nice": guests' time is part of the users'. */
static void read_ticks(struct machine_mark *m, const char *root)
{
	enum { STEAL = 7, FIELDS };
	char line[256] = "", *at = line + strlen("cpu");

	proc_text_value(line, sizeof(line), root, "/proc/stat");
	if (strncmp(line, "cpu ", 4) != 0)
		return;
	for (int i = 0; i < FIELDS; i++) {
		uint64_t n = strtoull(at, &at, 10);

		m->ticks += n;
		m->stolen = i == STEAL ? n : 0;
	}
}

/* cpu.stat tells of it as throttled_usec in version 2, as throttled_time (nanoseconds) in version 1. */
static void read_throttling(void *arg, const char *root, const char *folder)
{
	struct machine_mark *m = arg;
	char path[PATH_MAX], text[PROC_TEXT_MAX];
	nsec_t throttled;

	if (snprintf(path, sizeof(path), "%s/cpu.stat", folder) >= (int)sizeof(path) ||
	    !proc_text_read(text, root, path))
		return;
	throttled =
		(nsec_t)(proc_text_number(text, "throttled_usec") * 1000 + proc_text_number(text, "throttled_time"));
	if (throttled < m->throttled)
		return;
	m->throttled = throttled;
	m->throttled_periods = proc_text_number(text, "nr_throttled");
}

void machine_usage_mark(struct machine_mark *ret, const char *root)
{
	*ret = (struct machine_mark){0};
	read_ticks(ret, root);
	cgroups_visit(root, read_throttling, ret);
}

void machine_usage_between(struct machine_usage *ret, const struct machine_mark *from, const struct machine_mark *to)
{
	/* On some kernels steal goes back a little now and then. */
	uint64_t ticks = to->ticks > from->ticks ? to->ticks - from->ticks : 0;
	uint64_t stolen = to->stolen > from->stolen ? to->stolen - from->stolen : 0;

	*ret = (struct machine_usage){
		.steal = to->ticks && ticks ? (double)stolen / (double)ticks
			 : to->ticks        ? 0
					    : -1,
		.throttled_periods = to->throttled_periods - from->throttled_periods,
		.throttled = to->throttled - from->throttled,
	};
}
