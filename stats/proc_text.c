#include "stats/proc_text.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool proc_text_read(char text[PROC_TEXT_MAX], const char *root, const char *path)
{
	char name[PATH_MAX];
	size_t len = 0;
	ssize_t n;
	int fd;

	if (snprintf(name, sizeof(name), "%s%s", root, path) >= (int)sizeof(name))
		return false;
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	while (len < PROC_TEXT_MAX - 1 && (n = read(fd, text + len, PROC_TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	close(fd);
	text[len] = '\0';
	return len > 0;
}

void proc_text_value(char *ret, size_t size, const char *root, const char *path)
{
	char text[PROC_TEXT_MAX];

	if (proc_text_read(text, root, path))
		snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
}

static const char *next_line(const char *line)
{
	const char *end = strchr(line, '\n');

	return end ? end + 1 : NULL;
}

bool proc_text_field(char *ret, size_t size, const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = next_line(line)) {
		const char *value = line + len + strspn(strncmp(line, name, len) == 0 ? line + len : "", " \t");

		if (strncmp(line, name, len) != 0 || *value != ':')
			continue;
		value += 1 + strspn(value + 1, " \t");
		snprintf(ret, size, "%.*s", (int)strcspn(value, "\n"), value);
		return true;
	}
	return false;
}

uint64_t proc_text_number(const char *text, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = text; line; line = next_line(line)) {
		if (strncmp(line, name, len) == 0 && line[len] == ' ')
			return strtoull(line + len, NULL, 10);
	}
	return 0;
}

/* A line "number:controllers:/path". The cgroups above limit this one too. In a container the path may be one that
 * only the host sees: what can be seen then is the top. */
static void visit_hierarchy(const char *root, const char *line, size_t len, cgroup_visit_fn *visit, void *arg)
{
	const char *controllers = memchr(line, ':', len), *path;
	char folder[PATH_MAX];
	size_t top;
	int n;

	path = controllers ? memchr(controllers + 1, ':', len - (size_t)(controllers + 1 - line)) : NULL;
	if (!path || len >= PATH_MAX / 2)
		return;
	controllers++;
	n = (int)(path - controllers);
	path++;
	top = (size_t)snprintf(folder, sizeof(folder), "/sys/fs/cgroup%s%.*s", n ? "/" : "", n, controllers);
	snprintf(folder + top, sizeof(folder) - top, "%.*s", (int)(len - (size_t)(path - line)), path);
	if (strstr(folder + top, "/..")) /* of another namespace */
		folder[top] = '\0';
	for (;;) {
		visit(arg, root, folder);
		if (strlen(folder) <= top)
			return;
		*strrchr(folder, '/') = '\0';
	}
}

void cgroups_visit(const char *root, cgroup_visit_fn *visit, void *arg)
{
	char text[PROC_TEXT_MAX];

	if (!proc_text_read(text, root, "/proc/self/cgroup"))
		return;
	for (const char *line = text; line && *line; line = next_line(line))
		visit_hierarchy(root, line, strcspn(line, "\n"), visit, arg);
}
