/*
 * device.c - names of devices and their queues.
 */
#include "servers/redisai/device.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

bool device_name_valid(const char *name, size_t len)
{
	if (len < 3 || len >= DEVICE_NAME_MAX || (strncasecmp(name, "CPU", 3) != 0 && strncasecmp(name, "GPU", 3) != 0))
		return false;
	if (len == 3)
		return true;
	if (len == 4 || name[3] != ':')
		return false;
	for (size_t i = 4; i < len; i++) {
		if (name[i] < '0' || name[i] > '9')
			return false;
	}
	return true;
}

bool device_is_gpu(const char *name, size_t len)
{
	return len >= 3 && strncasecmp(name, "GPU", 3) == 0;
}

int devices_get(struct devices *d, const struct queue_config *how, const char *name, size_t len, struct device **ret,
		struct error *err)
{
	struct queue_config config = *how;
	struct device *device;
	int r;

	for (size_t i = 0; i < d->count; i++) {
		device = &d->list[i];
		if (strlen(device->name) == len && strncasecmp(device->name, name, len) == 0) {
			*ret = device;
			return 0;
		}
	}
	if (d->count == DEVICES_MAX || len > DEVICE_NAME_MAX)
		return error_set(err, ERR_RANGE, "ERR no more than %d devices can be used", DEVICES_MAX);
	device = &d->list[d->count];
	memset(device, 0, sizeof(*device));
	for (size_t i = 0; i < len; i++)
		device->name[i] = (char)toupper((unsigned char)name[i]);
	config.name = device->name;
	r = queue_new(&device->queue, &config, err);
	if (r < 0)
		return r;
	d->count++;
	*ret = device;
	return 0;
}

void devices_release(struct devices *d)
{
	for (size_t i = 0; i < d->count; i++)
		queue_free(d->list[i].queue);
	d->count = 0;
}
