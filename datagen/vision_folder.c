/*
 * vision_folder.c - which files of a folder are photos, in which order.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arith.h"
#include "datagen/vision_internal.h"

#define NAMES_FIRST 256
#define SIGNATURE_SIZE 8

static bool named_as_photo(const char *name)
{
	static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".png"};
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(endings); i++) {
		if (strcasecmp(dot, endings[i]) == 0)
			return true;
	}
	return false;
}

static bool begins_as_photo(int dir, const char *name)
{
	char head[SIGNATURE_SIZE];
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, head, sizeof(head));
	close(fd);
	return n > 0 && image_known(head, (size_t)n);
}

static bool is_file(int dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type == DT_REG)
		return true;
	if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
		return false;
	/* A link that leads nowhere counts if it is named as a photo: reading it will say what is wrong. */
	return fstatat(dir, entry->d_name, &st, 0) < 0 ? entry->d_type == DT_LNK : S_ISREG(st.st_mode);
}

static int add(struct photo_names *n, const char *name)
{
	if (n->count == n->cap) {
		size_t cap = n->cap ? n->cap * 2 : NAMES_FIRST;
		char **names = reallocarray(n->names, cap, sizeof(*names));

		if (!names)
			return ERR_NOMEM;
		n->names = names;
		n->cap = cap;
	}
	n->names[n->count] = strdup(name);
	return n->names[n->count++] ? 0 : ERR_NOMEM;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int photo_names_read(struct photo_names *ret, const char *folder, struct error *err)
{
	struct photo_names n = {0};
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int rc = 0;

	if (!dir)
		return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno,
				       "%s: cannot open the folder of photos", folder);
	while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL) {
		if (!is_file(dirfd(dir), entry))
			continue;
		if (named_as_photo(entry->d_name) || begins_as_photo(dirfd(dir), entry->d_name))
			rc = add(&n, entry->d_name);
		else
			n.ignored++;
	}
	if (rc < 0)
		error_set(err, ERR_NOMEM, "%s: no memory for its %zu names", folder, n.count);
	else if (errno != 0)
		rc = error_set_errno(err, ERR_IO, errno, "%s: cannot read the folder", folder);
	else if (n.count == 0)
		rc = error_set(err, ERR_NOT_FOUND,
			       "%s: no JPEG or PNG photo in this folder (-input-val-dir synthetic makes some)", folder);
	closedir(dir);
	if (rc < 0) {
		photo_names_release(&n);
		return rc;
	}
	qsort(n.names, n.count, sizeof(*n.names), compare);
	*ret = n;
	return 0;
}

void photo_names_release(struct photo_names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->names[i]);
	free(n->names);
	*n = (struct photo_names){0};
}
