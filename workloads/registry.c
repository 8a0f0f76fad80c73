/*
 * registry.c - the one list of workloads.
 */
#include <string.h>

#include "workloads/fraud.h"
#include "workloads/vision.h"
#include "workloads/workload.h"

const struct workload_ops *const workloads[] = {
	&workload_fraud,
	&workload_vision,
	NULL,
};

const struct workload_ops *workload_find(const char *name)
{
	for (const struct workload_ops *const *w = workloads; *w; w++) {
		if (strcmp((*w)->name, name) == 0 || ((*w)->short_name && strcmp((*w)->short_name, name) == 0))
			return *w;
	}
	return NULL;
}
