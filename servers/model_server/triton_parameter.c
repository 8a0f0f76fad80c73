/*
 * triton_parameter.c - the names that are refused, and in which words over both protocols.
 */
#include "servers/model_server/triton_parameter.h"

#include <string.h>

const char *triton_parameter_refused(const char *name, size_t len)
{
	static const char shared[] = "shared_memory_", classes[] = "classification";

	/* _region, _byte_size and _offset */
	if (len >= strlen(shared) && memcmp(name, shared, strlen(shared)) == 0)
		return "shared memory is not supported";
	if (len == strlen(classes) && memcmp(name, classes, len) == 0)
		return "classification is not supported";
	return NULL;
}
