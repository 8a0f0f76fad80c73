#include "tests/support/folder.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/support/process.h"

#define PATHS 8

static char folder[256];

int folder_set_up(void **state)
{
	(void)state;
	temp_folder_new(folder, sizeof(folder));
	return 0;
}

int folder_tear_down(void **state)
{
	(void)state;
	temp_folder_remove(folder);
	return 0;
}

const char *test_folder(void)
{
	return folder;
}

const char *in_folder(const char *name)
{
	static char paths[PATHS][512];
	static unsigned next;
	char *path = paths[next++ % PATHS];

	if ((size_t)snprintf(path, sizeof(paths[0]), "%s/%s", folder, name) >= sizeof(paths[0]))
		abort();
	return path;
}
