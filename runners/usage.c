#include "runners/usage.h"

#include <stdlib.h>
#include <string.h>

#include "common/file.h"

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
