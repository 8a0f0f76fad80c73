/*
 * fake_root.h - a folder with a /proc and a /sys of the test's own making.
 */
#ifndef TESTS_SUPPORT_FAKE_ROOT_H
#define TESTS_SUPPORT_FAKE_ROOT_H

struct fake_root {
	char path[64];
};

void fake_root_new(struct fake_root *r);
/* Writes root/path, with the folders that lead there. */
void fake_root_put(const struct fake_root *r, const char *path, const char *text);
void fake_root_release(struct fake_root *r);

#endif
