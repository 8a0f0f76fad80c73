/*
 * file.c - whole files in, whole files out.
 *
 * The temporary file guards against a writer that stops half way, not against the loss of power: nothing is synced.
 */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"

#define READ_STEP ((size_t)65536)
#define TEMPORARY_TRIES 100

static int read_all(struct buf *b, int fd, const char *path, size_t max, struct error *err)
{
	for (;;) {
		ssize_t n;

		if (buf_reserve(b, READ_STEP) < 0)
			return error_set(err, ERR_NOMEM, "%s: out of memory after %zu bytes", path, b->len);
		n = read(fd, b->data + b->len, b->cap - b->len - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(err, ERR_IO, errno, "%s: cannot read", path);
		if (n == 0)
			return 0;
		b->len += (size_t)n;
		if (b->len > max)
			return error_set(err, ERR_RANGE, "%s: larger than the %zu bytes that are accepted here", path,
					 max);
		b->data[b->len] = '\0';
	}
}

int file_read(char **ret, size_t *ret_len, const char *path, size_t max, struct error *err)
{
	struct buf b = {0};
	struct stat st;
	int fd, r;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s: cannot open", path);
	if (fstat(fd, &st) < 0) {
		r = error_set_errno(err, ERR_IO, errno, "%s: cannot read", path);
		goto out;
	}
	if (S_ISREG(st.st_mode)) {
		if ((uintmax_t)st.st_size > max) {
			r = error_set(err, ERR_RANGE, "%s: %jd bytes, more than the %zu that are accepted here", path,
				      (intmax_t)st.st_size, max);
			goto out;
		}
		/* One step more, so that the end of file is seen without growing. */
		if (buf_reserve(&b, (size_t)st.st_size + READ_STEP) < 0) {
			r = error_set(err, ERR_NOMEM, "%s: no memory for its %jd bytes", path, (intmax_t)st.st_size);
			goto out;
		}
	}
	r = read_all(&b, fd, path, max, err);
	if (r < 0)
		goto out;
	*ret = b.data;
	*ret_len = b.len;
	b = (struct buf){0};
out:
	buf_release(&b);
	close(fd);
	return r;
}

/* Devices and what /proc and /dev name are written in place: a rename would put a plain file where they are. */
static bool written_in_place(const char *path, const struct stat *st)
{
	return !S_ISREG(st->st_mode) || !strncmp(path, "/dev/", 5) || !strncmp(path, "/proc/", 6);
}

static int create_in_place(struct output_file *f, const char *path, struct error *err)
{
	f->stream = fopen(path, "we");
	if (!f->stream)
		return error_set_errno(err, ERR_IO, errno, "%s: cannot write", path);
	f->temporary = strdup(path); /* only for messages; path stays NULL */
	if (!f->temporary) {
		fclose(f->stream);
		f->stream = NULL;
		return error_set(err, ERR_NOMEM, "%s: out of memory", path);
	}
	return 0;
}

static int open_temporary(char **ret_name, const char *path, mode_t mode)
{
	struct buf name = {0};
	int fd = -1;

	for (int i = 0; i < TEMPORARY_TRIES; i++) {
		buf_clear(&name);
		if (buf_printf(&name, "%s.tmp-%ld-%d", path, (long)getpid(), i) < 0) {
			errno = ENOMEM;
			break;
		}
		fd = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
		if (fd >= 0 || errno != EEXIST)
			break;
	}
	if (fd < 0) {
		int saved = errno;

		buf_release(&name);
		errno = saved;
		return -1;
	}
	*ret_name = name.data;
	return fd;
}

int file_create_in_place(struct output_file *f, const char *path, struct error *err)
{
	struct output_file out = {0};
	int r = 0;

	if (!path || !strcmp(path, "-"))
		out.stream = stdout;
	else
		r = create_in_place(&out, path, err);
	if (r == 0)
		*f = out;
	return r;
}

int file_create(struct output_file *f, const char *path, struct error *err)
{
	struct output_file out = {0};
	struct stat st;
	mode_t mode = 0666;
	char *temporary = NULL;
	bool exists;
	int fd, r;

	if (!path || !strcmp(path, "-")) {
		*f = (struct output_file){.stream = stdout};
		return 0;
	}
	exists = stat(path, &st) == 0;
	if (exists && S_ISDIR(st.st_mode)) {
		error_set(err, ERR_IO, "%s: is a directory, name a file in it", path);
		return ERR_IO;
	}
	if (exists && written_in_place(path, &st)) {
		r = create_in_place(&out, path, err);
		if (r == 0)
			*f = out;
		return r;
	}
	if (exists) {
		/* Replacing needs no permission on the file itself; a user who took it away means it. */
		if (access(path, W_OK) < 0) {
			error_set_errno(err, ERR_IO, errno, "%s: cannot write", path);
			return ERR_IO;
		}
		mode = st.st_mode & 07777;
		out.path = realpath(path, NULL); /* what a symbolic link points to is replaced, not the link */
	} else {
		out.path = strdup(path);
	}
	if (!out.path) {
		error_set_errno(err, ERR_IO, errno, "%s: cannot write", path);
		return ERR_IO;
	}
	fd = open_temporary(&temporary, out.path, mode);
	if (fd < 0) {
		error_set_errno(err, ERR_IO, errno, "%s: cannot create a file there", path);
		goto fail;
	}
	if (exists)
		fchmod(fd, mode); /* as it was, whatever the umask; if that fails, the umask's share of it */
	out.stream = fdopen(fd, "w");
	if (!out.stream) {
		error_set_errno(err, ERR_IO, errno, "%s: cannot write", path);
		close(fd);
		unlink(temporary);
		goto fail;
	}
	out.temporary = temporary;
	*f = out;
	return 0;
fail:
	free(out.path);
	free(temporary);
	return ERR_IO;
}

static void forget(struct output_file *f)
{
	free(f->path);
	free(f->temporary);
	*f = (struct output_file){0};
}

int file_commit(struct output_file *f, struct error *err)
{
	const char *name = f->path ? f->path : f->temporary ? f->temporary : "standard output";
	bool is_stdout = f->stream == stdout;
	bool failed;
	int saved, r = 0;

	if (!f->stream)
		return error_set(err, ERR_INVALID, "an output file was committed that is not open");
	errno = 0;
	failed = fflush(f->stream) != 0 || ferror(f->stream);
	saved = errno ? errno : EIO;
	if (!is_stdout && fclose(f->stream) != 0 && !failed) {
		failed = true;
		saved = errno;
	}
	f->stream = NULL;
	if (failed)
		r = error_set_errno(err, ERR_IO, saved, "%s: cannot write", name);
	else if (f->path && rename(f->temporary, f->path) < 0)
		r = error_set_errno(err, ERR_IO, errno, "%s: cannot replace it by %s", name, f->temporary);
	if (r < 0 && f->path)
		unlink(f->temporary);
	forget(f);
	return r;
}

void file_abandon(struct output_file *f)
{
	if (f->stream && f->stream != stdout)
		fclose(f->stream);
	if (f->stream && f->path)
		unlink(f->temporary);
	forget(f);
}

bool file_is_same(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && S_ISREG(b->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

int file_write(const char *path, const void *data, size_t len, struct error *err)
{
	struct output_file f = {0};
	int r = file_create(&f, path, err);

	if (r < 0)
		return r;
	if (len)
		fwrite(data, 1, len, f.stream); /* its failure stays with the stream until the commit */
	return file_commit(&f, err);
}
