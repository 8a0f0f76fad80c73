/*
 * cores.h - how many cores there are for us: not those of the machine, but those that this process may run on.
 */
#ifndef COMMON_CORES_H
#define COMMON_CORES_H

#include <sched.h>

/* 1 or more; CPU_SETSIZE where there are more than that. */
static inline unsigned usable_cores(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : CPU_SETSIZE;
}

#endif
