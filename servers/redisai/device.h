/*
 * device.h - the devices that models name, each with its own queue.
 */
#ifndef SERVERS_REDISAI_DEVICE_H
#define SERVERS_REDISAI_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "engine/queue.h"

#define DEVICE_NAME_MAX 10
/* Each device costs a thread or more, and clients name them: there has to be an end. */
#define DEVICES_MAX 64

struct device {
	char name[DEVICE_NAME_MAX + 1]; /* upper case */
	struct queue *queue;
};

struct devices {
	struct device list[DEVICES_MAX];
	size_t count;
};

/* CPU, GPU, CPU:digits or GPU:digits in any case, under 10 characters. */
bool device_name_valid(const char *name, size_t len);
/* Short enough to be kept: all that is asked of the older commands' devices. */
static inline bool device_name_usable(size_t len)
{
	return len > 0 && len <= DEVICE_NAME_MAX;
}
bool device_is_gpu(const char *name, size_t len);
/* The device of that name (up to 10 characters), started on its first use. */
int devices_get(struct devices *d, const struct queue_config *how, const char *name, size_t len, struct device **ret,
		struct error *err) MUST_CHECK;
void devices_release(struct devices *d);

#endif
