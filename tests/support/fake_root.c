#include "tests/support/fake_root.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

void fake_root_new(struct fake_root *r)
{
	strcpy(r->path, "/tmp/aibench_root_XXXXXX");
	assert_non_null(mkdtemp(r->path));
}

void fake_root_put(const struct fake_root *r, const char *path, const char *text)
{
	char name[512];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", r->path, path);
	for (char *slash = strchr(name + strlen(r->path) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(name, 0777);
		*slash = '/';
	}
	f = fopen(name, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

void fake_root_release(struct fake_root *r)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", r->path);
	assert_int_equal(system(command), 0);
}
