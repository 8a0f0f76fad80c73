/*
 * dataset_map.c - rows as views of a mapped file, paged in ahead of who takes them.
 *
 * A thread keeps the next AHEAD bytes in the page cache and in the page table (MADV_POPULATE_READ), so that senders
 * neither wait for a disk nor take page faults, and takes pages behind out of the page table again, so that the
 * working set stays as large as that window. The page cache itself is left to the kernel: the next repetition reads
 * the same file. Senders share one word with the thread: the batch at which it is to be woken.
 * A file of up to KEEP_WHOLE is mapped whole before the first request and kept: then the run pays for no page at all,
 * and the thread only looks from time to time whether the file is still as long as it was. So it does with a larger file
 * that is read in random order: its pages come when they are touched, and stay. The window of one that is repeated jumps
 * back to its start.
 *
 *      dropped            highest taken          populated
 *   ......|====BEHIND=========|=======AHEAD==========|.........
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "workloads/dataset_source.h"

#define CHUNK ((size_t)2 << 20) /* the thread is woken once per so many bytes */
#define AHEAD (8 * CHUNK)
#define BEHIND (2 * CHUNK) /* requests under way read here still; beyond it a read is a soft fault, nothing worse */
#define KEEP_WHOLE ((size_t)512 << 20)

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* True while the file is as long as it was. */
static bool still_whole(struct dataset_map *m)
{
	struct stat st;

	if (fstat(m->fd, &st) < 0)
		return true; /* nothing learnt */
	if (st.st_size >= 0 && (size_t)st.st_size >= m->length)
		return true;
	dataset_fail(&m->failure, ERR_IO, "%s was cut short while it was read: it has %lld bytes, it had %zu", m->name,
		     (long long)st.st_size, m->length);
	return false;
}

/* Pages in whole chunks up to `end`, an offset in the mapping. */
static void populate(struct dataset_map *m, size_t end)
{
	size_t advise = min_size(end + AHEAD, m->length);

	end = min_size(end + CHUNK - end % CHUNK, m->length);
	/* Starts the disk on what is needed next while this part is mapped. */
	if (m->advised < advise) {
		posix_fadvise(m->fd, (off_t)m->advised, (off_t)(advise - m->advised), POSIX_FADV_WILLNEED);
		m->advised = advise;
	}
	while (m->populated < end && !atomic_load_explicit(&m->stop, memory_order_relaxed)) {
		size_t len = min_size(CHUNK - m->populated % CHUNK, end - m->populated);

		/* Older kernels refuse: then the senders fault pages in, from the cache. */
		if (madvise(m->base + m->populated, len, MADV_POPULATE_READ) < 0 && errno != EINVAL && !still_whole(m))
			return;
		m->populated += len;
	}
}

static void drop(struct dataset_map *m, size_t end)
{
	end -= end % CHUNK;
	if (end > m->dropped) {
		madvise(m->base + m->dropped, end - m->dropped, MADV_DONTNEED);
		m->dropped = end;
	}
}

/* Around an offset in the mapping. */
static void move_window(struct dataset_map *m, size_t taken)
{
	/* After a jump there is no use in what lies between; after one back the window is behind no more. */
	if (taken < m->dropped) {
		drop(m, m->populated);
		m->populated = m->advised = m->dropped = taken - taken % CHUNK;
	} else if (m->populated + AHEAD < taken) {
		m->populated = m->advised = taken - taken % CHUNK;
	}
	populate(m, taken + AHEAD);
	if (taken > BEHIND)
		drop(m, taken - BEHIND);
}

static void *read_ahead(void *arg)
{
	struct dataset_map *m = arg;

	for (;;) {
		uint64_t highest = atomic_load(&m->highest);
		bool fixed = m->whole || m->random;

		if (!still_whole(m)) {
			atomic_store(&m->wake_at, 0); /* every take looks at the failure from now on */
			return NULL;
		}
		if (!fixed)
			move_window(m, m->start + highest % m->batches * m->batch_size);
		atomic_store(&m->wake_at, highest + (fixed ? AHEAD : CHUNK) / m->batch_size + 1);
		while (sem_wait(&m->wake) < 0)
			;
		if (atomic_load(&m->stop))
			return NULL;
	}
}

int dataset_map_open(struct dataset_map *m, int fd, const char *name, off_t start, size_t batch_size, uint64_t batches,
		     bool random, struct error *err)
{
	int r;

	m->fd = fd;
	m->name = name;
	m->start = (size_t)start;
	m->batch_size = batch_size;
	m->batches = batches;
	m->length = m->start + batches * batch_size;
	m->base = mmap(NULL, m->length, PROT_READ, MAP_SHARED, fd, 0);
	if (m->base == MAP_FAILED) {
		r = error_set_errno(err, ERR_IO, errno, "cannot map %s", name);
		goto fail_close;
	}
	m->random = random;
	m->whole = m->length - m->start <= KEEP_WHOLE;
	madvise(m->base, m->length, random && !m->whole ? MADV_RANDOM : MADV_SEQUENTIAL);
	m->rows = m->base + m->start;
	m->populated = m->advised = m->dropped = m->start - m->start % CHUNK;
	/* The first rows are there before the first request. */
	populate(m, m->whole ? m->length : m->start + CHUNK);
	atomic_init(&m->wake_at, UINT64_MAX);
	atomic_init(&m->highest, 0);
	sem_init(&m->wake, 0, 0);
	r = dataset_thread_start(&m->thread, read_ahead, m, "read-ahead", err);
	if (r == 0)
		return 0;
	sem_destroy(&m->wake);
	munmap(m->base, m->length);
fail_close:
	close(fd);
	return r;
}

void dataset_map_close(struct dataset_map *m)
{
	atomic_store(&m->stop, true);
	sem_post(&m->wake);
	pthread_join(m->thread, NULL);
	sem_destroy(&m->wake);
	munmap(m->base, m->length);
	close(m->fd);
}

/* The rare part of a take: wakes the thread, or tells of its failure. */
static int wake(struct dataset_map *m, uint64_t k, uint64_t seen, struct error *err)
{
	int r = dataset_failed(&m->failure, err);

	if (r)
		return r;
	/* One of the takers wins and posts. */
	if (atomic_compare_exchange_strong(&m->wake_at, &seen, UINT64_MAX)) {
		atomic_store(&m->highest, k);
		sem_post(&m->wake);
	}
	return 0;
}

int dataset_map_take(struct dataset_map *m, uint64_t k, uint64_t batch, const void **ret_rows, struct error *err)
{
	uint64_t wake_at = atomic_load_explicit(&m->wake_at, memory_order_relaxed);

	if (k >= wake_at) {
		int r = wake(m, k, wake_at, err);

		if (r)
			return r;
	}
	*ret_rows = m->rows + batch * m->batch_size;
	return 0;
}
