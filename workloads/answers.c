/*
 * answers.c - reads an answers file where it lies; nothing in it is trusted.
 */
#include "workloads/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/arith.h"
#include "workloads/answers_format.h"

struct answers {
	char *name;
	void *mapping; /* NULL: the bytes are the caller's */
	const char *data;
	size_t size;
	/* Of a file with a header; all 0 for bare values: */
	struct answers_header header;
	const unsigned char *there;
	const float *values;
	size_t nvalues; /* in all */
};

uint64_t answers_checksum(const void *row, size_t size)
{
	const unsigned char *p = row;
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ p[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* A text of the file, for messages: ended, and of one line. */
static void clean_text(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	}
}

/* The tables behind the header: where they are, and whether the file is as long as they are. */
static int find_tables(struct answers *a, struct error *err)
{
	const struct answers_header *h = &a->header;
	size_t there = (size_t)h->rows, at = sizeof(*h), bytes;

	if (h->values == 0 || h->rows == 0 || h->rows > UINT64_MAX - h->first_id)
		return error_set(err, ERR_FORMAT, "%s: damaged: a header of %ju rows of %u values from row %ju",
				 a->name, (uintmax_t)h->rows, h->values, (uintmax_t)h->first_id);
	if (!size_add(&there, there, (ANSWERS_ALIGNMENT - there % ANSWERS_ALIGNMENT) % ANSWERS_ALIGNMENT) ||
	    !size_add(&at, at, there) || !size_mul(&a->nvalues, (size_t)h->rows, h->values) ||
	    !size_mul(&bytes, a->nvalues, sizeof(float)) || !size_add(&bytes, bytes, at) || bytes != a->size)
		return error_set(err, ERR_FORMAT,
				 "%s: damaged: %zu bytes are not those of %ju rows of %u values: record it again",
				 a->name, a->size, (uintmax_t)h->rows, h->values);
	a->there = (const unsigned char *)a->data + sizeof(*h);
	a->values = (const float *)(const void *)(a->data + at);
	for (size_t i = 0; i < h->rows; i++) {
		if (a->there[i] > 1)
			return error_set(err, ERR_FORMAT,
					 "%s: damaged: row %ju is neither there nor missing: record it again", a->name,
					 (uintmax_t)(h->first_id + i));
	}
	return 0;
}

static int parse(struct answers *a, struct error *err)
{
	if (a->size < ANSWERS_MAGIC_SIZE || memcmp(a->data, ANSWERS_MAGIC, ANSWERS_MAGIC_SIZE) != 0) {
		if (a->size == 0 || a->size % sizeof(float))
			return error_set(err, ERR_FORMAT,
					 "%s: %zu bytes are neither an answers file nor float32 values", a->name,
					 a->size);
		a->values = (const float *)(const void *)a->data;
		a->nvalues = a->size / sizeof(float);
		return 0;
	}
	if (a->size < sizeof(a->header))
		return error_set(err, ERR_FORMAT, "%s: damaged: ends after %zu bytes, within its header", a->name,
				 a->size);
	memcpy(&a->header, a->data, sizeof(a->header));
	if (a->header.version != ANSWERS_VERSION)
		return error_set(err, ERR_UNSUPPORTED,
				 "%s: an answers file of version %u; this program knows version %d: record it again",
				 a->name, a->header.version, ANSWERS_VERSION);
	clean_text(a->header.use_case, sizeof(a->header.use_case));
	clean_text(a->header.made, sizeof(a->header.made));
	return find_tables(a, err);
}

int answers_parse(struct answers **ret, const void *data, size_t size, const char *name, struct error *err)
{
	struct answers *a = calloc(1, sizeof(*a));
	int r;

	if (!a || !(a->name = strdup(name))) {
		free(a);
		return error_set(err, ERR_NOMEM, "out of memory");
	}
	a->data = data;
	a->size = size;
	r = parse(a, err);
	if (r < 0) {
		answers_close(a);
		return r;
	}
	*ret = a;
	return 0;
}

static int map_file(void **ret, size_t *ret_size, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), r = 0;
	struct stat st;

	if (fd < 0)
		return error_set_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, errno, "%s: cannot open", path);
	if (fstat(fd, &st) < 0)
		r = error_set_errno(err, ERR_IO, errno, "%s: cannot read", path);
	else if (!S_ISREG(st.st_mode))
		r = error_set(err, ERR_INVALID, "%s: no regular file, which answers must be", path);
	else if (st.st_size == 0)
		r = error_set(err, ERR_FORMAT, "%s: is empty, no answers file", path);
	if (r == 0) {
		*ret_size = (size_t)st.st_size;
		*ret = mmap(NULL, *ret_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (*ret == MAP_FAILED)
			r = error_set_errno(err, ERR_IO, errno, "%s: cannot map", path);
	}
	close(fd);
	/* So that no comparison waits for the disk; a kernel that does not know it only is slower. */
	if (r == 0)
		madvise(*ret, *ret_size, MADV_POPULATE_READ);
	return r;
}

int answers_open(struct answers **ret, const char *path, struct error *err)
{
	void *data;
	size_t size;
	int r = map_file(&data, &size, path, err);

	if (r < 0)
		return r;
	r = answers_parse(ret, data, size, path, err);
	if (r < 0)
		munmap(data, size);
	else
		(*ret)->mapping = data;
	return r;
}

void answers_close(struct answers *a)
{
	if (!a)
		return;
	if (a->mapping)
		munmap(a->mapping, a->size);
	free(a->name);
	free(a);
}

int answers_check_dataset(const struct answers *a, const struct answers_dataset *d, struct error *err)
{
	const struct answers_header *h = &a->header;

	if (!a->there)
		return 0;
	if (strcmp(h->use_case, d->use_case) != 0)
		return error_set(err, ERR_INVALID, "%s: answers of the use case %s, not of %s: made by %s", a->name,
				 h->use_case, d->use_case, h->made);
	if (h->row_size != d->row_size || (h->first_id == d->first_id && h->checksum != d->checksum))
		return error_set(err, ERR_INVALID,
				 "%s: answers to the rows of another dataset: record them for this one; made by %s",
				 a->name, h->made);
	return 0;
}

size_t answers_values(const struct answers *a)
{
	return a->header.values;
}

const float *answers_row(const struct answers *a, uint64_t id, size_t values)
{
	uint64_t row = id - a->header.first_id;

	if (!a->there)
		return id < a->nvalues / values ? a->values + id * values : NULL;
	/* An id below the first one wraps to a row far beyond the last. */
	return row < a->header.rows && a->there[row] ? a->values + row * values : NULL;
}

bool answers_contains(const struct answers *a, const void *address)
{
	const char *p = address;

	return p >= a->data && p < a->data + a->size;
}
