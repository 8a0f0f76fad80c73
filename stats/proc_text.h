/*
 * proc_text.h - the small text files of /proc and /sys. What a kernel does not show is simply not there.
 */
#ifndef STATS_PROC_TEXT_H
#define STATS_PROC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More than what is looked for in any file lies behind. */
#define PROC_TEXT_MAX 16384

/* The beginning of root/path, NUL-terminated; false if there is none. root: "" but for tests. */
bool proc_text_read(char text[PROC_TEXT_MAX], const char *root, const char *path);
/* The first line of a file that holds one value; ret is untouched if there is no such file. */
void proc_text_value(char *ret, size_t size, const char *root, const char *path);
/* What stands after "name" and a colon at the beginning of a line, without the space around; too long: cut. */
bool proc_text_field(char *ret, size_t size, const char *text, const char *name);
/* The number on a line "name 5"; 0 where there is none. */
uint64_t proc_text_number(const char *text, const char *name);

typedef void cgroup_visit_fn(void *arg, const char *root, const char *folder);

/* Calls visit with the folder of each cgroup that this process is in, in each hierarchy the innermost first: version 2 has
 * one, version 1 one for each set of controllers. */
void cgroups_visit(const char *root, cgroup_visit_fn *visit, void *arg);

#endif
