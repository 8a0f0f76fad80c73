/*
 * test_dataset.c - rows from files and pipes, whole and broken.
 */
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support/folder.h"
#include "tests/support/process.h"
#include "workloads/dataset.h"

#define ROW 24

/* Row i is its number, ROW bytes of text. */
static void fill_row(char row[ROW], uint64_t i)
{
	memset(row, '.', ROW);
	snprintf(row, ROW, "%llu", (unsigned long long)i);
}

static const char *write_rows(const char *name, uint64_t rows, size_t extra)
{
	FILE *f = fopen(in_folder(name), "w");
	char row[ROW];

	assert_non_null(f);
	for (uint64_t i = 0; i < rows; i++) {
		fill_row(row, i);
		assert_int_equal(fwrite(row, ROW, 1, f), 1);
	}
	assert_int_equal(fwrite("xxxxxxxxxxxxxxxxxxxxxxxx", 1, extra, f), extra);
	assert_int_equal(fclose(f), 0);
	return in_folder(name);
}

static void assert_batch(const void *rows, uint64_t k, unsigned batch)
{
	char row[ROW];

	for (unsigned b = 0; b < batch; b++) {
		fill_row(row, k * batch + b);
		assert_memory_equal((const char *)rows + b * ROW, row, ROW);
	}
}

static struct dataset *open_rows(const char *path, unsigned batch, uint64_t max_rows, unsigned max_taken)
{
	struct dataset_config cfg = {
		.path = path, .row_size = ROW, .batch = batch, .max_rows = max_rows, .max_taken = max_taken};
	struct dataset *d = NULL;
	struct error err = {""};

	if (dataset_open(&d, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	return d;
}

static void assert_refused(const char *path, unsigned batch, uint64_t max_rows, int code, const char *words)
{
	struct dataset_config cfg = {
		.path = path, .row_size = ROW, .batch = batch, .max_rows = max_rows, .max_taken = 1};
	struct dataset *d = NULL;
	struct error err = {""};

	assert_int_equal(dataset_open(&d, &cfg, &err), code);
	assert_null(d);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_null(strchr(err.text, '\n'));
}

/* Takes as a runner does: again and again until it is there. */
static int take(struct dataset *d, uint64_t k, const void **ret, struct error *err)
{
	int r;

	while ((r = dataset_take(d, k, ret, err)) == ERR_AGAIN)
		usleep(100);
	return r;
}

static void file_gives_its_rows_in_order(void **state)
{
	struct dataset *d = open_rows(write_rows("rows", 100, 0), 1, 0, 4);
	const void *rows;

	(void)state;
	assert_int_equal(dataset_batches(d), 100);
	for (uint64_t k = 0; k < 100; k++) {
		assert_int_equal(dataset_take(d, k, &rows, NULL), 0);
		assert_batch(rows, k, 1);
		assert_true(dataset_contains(d, rows));
		dataset_give(d, k);
	}
	assert_int_equal(dataset_take(d, 100, &rows, NULL), ERR_NOT_FOUND);
	assert_false(dataset_contains(d, &rows));
	dataset_close(d);
}

/* Several of the read-ahead thread's windows long. */
static void large_file_is_read_through(void **state)
{
	enum { ROWS = 3 << 20 };
	struct dataset *d = open_rows(write_rows("rows", ROWS, 0), 1, 0, 4);
	const void *rows;

	(void)state;
	for (uint64_t k = 0; k < ROWS; k++) {
		assert_int_equal(dataset_take(d, k, &rows, NULL), 0);
		if (k % 1000 == 0)
			assert_batch(rows, k, 1);
	}
	dataset_close(d);
}

static void batches_and_limits_count_rows(void **state)
{
	const char *path = write_rows("rows", 12, 0);
	struct dataset *d = open_rows(path, 3, 6, 1);
	const void *rows;

	(void)state;
	assert_int_equal(dataset_batches(d), 2);
	assert_int_equal(dataset_take(d, 1, &rows, NULL), 0);
	assert_batch(rows, 1, 3);
	assert_int_equal(dataset_take(d, 2, &rows, NULL), ERR_NOT_FOUND);
	dataset_close(d);
	d = open_rows(path, 1, 1000, 1);
	assert_int_equal(dataset_batches(d), 12);
	dataset_close(d);
	assert_refused(path, 3, 7, ERR_RANGE, "limit of 7 rows");
	assert_refused(path, 5, 0, ERR_FORMAT, "no multiple of the tensor batch of 5");
}

static void bad_files_are_told_apart(void **state)
{
	(void)state;
	assert_refused(in_folder("missing"), 1, 0, ERR_NOT_FOUND, "No such file");
	assert_refused(test_folder(), 1, 0, ERR_INVALID, "is a folder");
	assert_refused(write_rows("empty", 0, 0), 1, 0, ERR_FORMAT, "is empty");
	assert_refused(write_rows("cut", 2, 5), 1, 0, ERR_FORMAT, "53 bytes are no multiple of the row's 24");
	if (geteuid() == 0)
		return; /* root may read everything */
	assert_int_equal(chmod(write_rows("locked", 2, 0), 0), 0);
	assert_refused(in_folder("locked"), 1, 0, ERR_IO, "Permission denied");
}

static void file_cut_short_while_running_is_an_error(void **state)
{
	enum { ROWS = 3 << 20 };
	const char *path = write_rows("rows", ROWS, 0);
	struct dataset *d = open_rows(path, 1, 0, 4);
	struct error err = {""};
	const void *rows;
	int r = 0;

	(void)state;
	assert_int_equal(truncate(path, 10 * ROW), 0);
	/* The read-ahead thread finds out when it is woken; takes do not touch the rows themselves. */
	for (uint64_t k = 0; r == 0; k = k + 1 < ROWS ? k + 1 : 0)
		r = dataset_take(d, k, &rows, &err);
	assert_int_equal(r, ERR_IO);
	assert_non_null(strstr(err.text, "cut short"));
	dataset_close(d);
}

/* Writes rows to a pipe in pieces of `piece` bytes. */
struct writer {
	int fd;
	uint64_t rows;
	size_t piece, extra;
	pthread_t thread;
};

static void *write_pipe(void *arg)
{
	struct writer *w = arg;
	size_t len = w->rows * ROW + w->extra;
	char *all = calloc(1, len + 1);

	for (uint64_t i = 0; all && i < w->rows; i++)
		fill_row(all + i * ROW, i);
	for (size_t at = 0; all && at < len;) {
		ssize_t n = write(w->fd, all + at, len - at < w->piece ? len - at : w->piece);

		if (n <= 0)
			break;
		at += (size_t)n;
	}
	free(all);
	close(w->fd);
	return NULL;
}

/* A dataset on standard input, which is a pipe fed by w. */
static struct dataset *open_pipe(struct writer *w, unsigned batch, uint64_t max_rows, unsigned max_taken)
{
	struct dataset *d;
	int fds[2], saved = dup(STDIN_FILENO);

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	close(fds[0]);
	d = open_rows(NULL, batch, max_rows, max_taken);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	w->fd = fds[1];
	assert_int_equal(pthread_create(&w->thread, NULL, write_pipe, w), 0);
	return d;
}

static void pipe_in_pieces_of_any_size_gives_the_same_rows(void **state)
{
	(void)state;
	for (size_t piece = 1; piece <= 3 * ROW; piece++) {
		struct writer w = {.rows = 20, .piece = piece};
		struct dataset *d = open_pipe(&w, 2, 0, 1);
		struct error err;
		const void *rows;

		assert_int_equal(dataset_batches(d), UINT64_MAX);
		for (uint64_t k = 0; k < 10; k++) {
			assert_int_equal(take(d, k, &rows, &err), 0);
			assert_batch(rows, k, 2);
			dataset_give(d, k);
		}
		assert_int_equal(take(d, 10, &rows, &err), ERR_NOT_FOUND);
		pthread_join(w.thread, NULL);
		dataset_close(d);
	}
}

/* More rows than the ring holds, given back late and out of order. */
static void ring_goes_round(void **state)
{
	enum { ROWS = 600000, HELD = 8 };
	struct writer w = {.rows = ROWS, .piece = 1 << 16};
	struct dataset *d = open_pipe(&w, 1, 0, HELD);
	struct error err;
	const void *rows;

	(void)state;
	for (uint64_t k = 0; k < ROWS; k += HELD) {
		for (uint64_t i = k; i < k + HELD; i++) {
			assert_int_equal(take(d, i, &rows, &err), 0);
			assert_batch(rows, i, 1);
		}
		for (uint64_t i = k + HELD; i-- > k;)
			dataset_give(d, i);
	}
	assert_int_equal(take(d, ROWS, &rows, &err), ERR_NOT_FOUND);
	pthread_join(w.thread, NULL);
	dataset_close(d);
}

static void pipe_that_ends_wrong_is_an_error_after_its_whole_rows(void **state)
{
	struct {
		uint64_t rows;
		size_t extra;
		unsigned batch;
		const char *words;
	} cases[] = {{4, 5, 2, "ends within a row"}, {5, 0, 2, "ends within a tensor batch"}, {0, 0, 1, "is empty"}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct writer w = {.rows = cases[i].rows, .piece = 7, .extra = cases[i].extra};
		struct dataset *d = open_pipe(&w, cases[i].batch, 0, 1);
		uint64_t whole = cases[i].rows / cases[i].batch;
		struct error err = {""};
		const void *rows;

		for (uint64_t k = 0; k < whole; k++)
			assert_int_equal(take(d, k, &rows, &err), 0);
		assert_int_equal(take(d, whole, &rows, &err), ERR_FORMAT);
		assert_non_null(strstr(err.text, cases[i].words));
		pthread_join(w.thread, NULL);
		dataset_close(d);
	}
}

static void limited_pipe_is_read_no_further(void **state)
{
	struct writer w = {.rows = 30, .piece = 7};
	struct dataset *d = open_pipe(&w, 1, 10, 1);
	struct error err;
	const void *rows;

	(void)state;
	for (uint64_t k = 0; k < 10; k++)
		assert_int_equal(take(d, k, &rows, &err), 0);
	assert_int_equal(take(d, 10, &rows, &err), ERR_NOT_FOUND);
	pthread_join(w.thread, NULL);
	dataset_close(d);
}

static void silent_pipe_does_not_hang_the_close(void **state)
{
	struct dataset *d;
	struct error err;
	const void *rows;
	int fd;

	(void)state;
	assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
	d = open_rows(in_folder("fifo"), 1, 0, 1);
	assert_int_equal(dataset_take(d, 0, &rows, NULL), ERR_AGAIN);
	dataset_close(d);
	/* and a reader that waits for a place in the ring is stopped too */
	d = open_rows(in_folder("fifo"), 1, 0, 1);
	fd = open(in_folder("fifo"), O_WRONLY | O_NONBLOCK);
	assert_true(fd >= 0);
	for (unsigned i = 0; i < 200; i++) {
		static const char zeros[65536];

		if (write(fd, zeros, sizeof(zeros)) < 0)
			usleep(1000);
	}
	assert_int_equal(take(d, 0, &rows, &err), 0);
	dataset_close(d);
	close(fd);
}

/* `prog < file` is as good as -file. */
static void regular_standard_input_is_mapped(void **state)
{
	const char *path = write_rows("rows", 5, 0);
	int saved = dup(STDIN_FILENO), fd = open(path, O_RDONLY);
	struct dataset *d;
	const void *rows;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(lseek(fd, ROW, SEEK_SET), ROW);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	d = open_rows("-", 1, 0, 1);
	assert_int_equal(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	close(saved);
	close(fd);
	assert_int_equal(dataset_batches(d), 4);
	assert_int_equal(dataset_take(d, 0, &rows, NULL), 0);
	assert_batch(rows, 1, 1);
	dataset_close(d);
}

static struct dataset *open_in_order(const char *path, size_t row_size, bool repeat, bool shuffled)
{
	struct dataset_config cfg = {.path = path,
				     .row_size = row_size,
				     .batch = 1,
				     .max_taken = 1,
				     .repeat = repeat,
				     .shuffled = shuffled,
				     .seed = 5};
	struct dataset *d = NULL;
	struct error err = {""};

	if (dataset_open(&d, &cfg, &err) < 0)
		fail_msg("%s", err.text);
	return d;
}

static void repeated_file_starts_again(void **state)
{
	struct dataset *d = open_in_order(write_rows("rows", 70, 0), ROW, true, false);
	const void *rows;

	(void)state;
	for (uint64_t k = 0; k < 1000; k++) {
		assert_int_equal(dataset_batch_at(d, k), k % 70);
		assert_int_equal(dataset_take(d, k, &rows, NULL), 0);
		assert_batch(rows, k % 70, 1);
		dataset_give(d, k);
	}
	assert_int_equal(dataset_take(d, UINT64_MAX, &rows, NULL), 0);
	assert_batch(rows, UINT64_MAX % 70, 1);
	dataset_close(d);
}

static void shuffled_file_gives_each_row_once_a_pass(void **state)
{
	enum { N = 70, PASSES = 5 };
	struct dataset *d = open_in_order(write_rows("rows", N, 0), ROW, true, true);
	unsigned in_order = 0;
	const void *rows;

	(void)state;
	for (unsigned pass = 0; pass < PASSES; pass++) {
		unsigned char seen[N] = {0};

		for (uint64_t place = 0; place < N; place++) {
			uint64_t k = pass * N + place, i = dataset_batch_at(d, k);

			assert_true(i < N);
			assert_int_equal(seen[i]++, 0);
			in_order += i == place;
			assert_int_equal(dataset_take(d, k, &rows, NULL), 0);
			assert_batch(rows, i, 1);
		}
	}
	/* one a pass on average */
	assert_true(in_order < 20);
	dataset_close(d);
	d = open_in_order(in_folder("rows"), ROW, false, true);
	assert_int_equal(dataset_take(d, N - 1, &rows, NULL), 0);
	assert_int_equal(dataset_take(d, N, &rows, NULL), ERR_NOT_FOUND);
	dataset_close(d);
}

#define LARGE_ROW ((size_t)1 << 20)
#define LARGE_ROWS 600

/* Of holes, but for the number in front of each row. */
static const char *write_large_rows(const char *name)
{
	int fd = open(in_folder(name), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)(LARGE_ROW * LARGE_ROWS)), 0);
	for (uint64_t i = 0; i < LARGE_ROWS; i++)
		assert_int_equal(pwrite(fd, &i, sizeof(i), (off_t)(i * LARGE_ROW)), sizeof(i));
	close(fd);
	return in_folder(name);
}

static void files_too_large_to_be_kept_are_repeated_and_shuffled_too(void **state)
{
	const char *path = write_large_rows("large");

	(void)state;
	for (int shuffled = 0; shuffled <= 1; shuffled++) {
		struct dataset *d = open_in_order(path, LARGE_ROW, true, shuffled);

		for (uint64_t k = 0; k < 2 * LARGE_ROWS + 100; k++) {
			const void *rows;
			uint64_t i;

			assert_int_equal(dataset_take(d, k, &rows, NULL), 0);
			memcpy(&i, rows, sizeof(i));
			assert_int_equal(i, dataset_batch_at(d, k));
			if (!shuffled)
				assert_int_equal(i, k % LARGE_ROWS);
			dataset_give(d, k);
		}
		dataset_close(d);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(file_gives_its_rows_in_order, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(large_file_is_read_through, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(batches_and_limits_count_rows, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(bad_files_are_told_apart, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(file_cut_short_while_running_is_an_error, folder_set_up,
						folder_tear_down),
		cmocka_unit_test(pipe_in_pieces_of_any_size_gives_the_same_rows),
		cmocka_unit_test(ring_goes_round),
		cmocka_unit_test(pipe_that_ends_wrong_is_an_error_after_its_whole_rows),
		cmocka_unit_test(limited_pipe_is_read_no_further),
		cmocka_unit_test_setup_teardown(silent_pipe_does_not_hang_the_close, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(regular_standard_input_is_mapped, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(repeated_file_starts_again, folder_set_up, folder_tear_down),
		cmocka_unit_test_setup_teardown(shuffled_file_gives_each_row_once_a_pass, folder_set_up,
						folder_tear_down),
		cmocka_unit_test_setup_teardown(files_too_large_to_be_kept_are_repeated_and_shuffled_too, folder_set_up,
						folder_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
