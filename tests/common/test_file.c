/*
 * Files: nothing half-written is ever seen under the final name.
 */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/file.h"
#include "tests/support/folder.h"

static int files_in_folder(void)
{
	DIR *d = opendir(test_folder());
	int n = -2; /* . and .. */

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void assert_file(const char *path, const char *text)
{
	char *data;
	size_t len;
	struct error err;

	assert_int_equal(file_read(&data, &len, path, 1000, &err), 0);
	assert_int_equal(len, strlen(text));
	assert_string_equal(data, text);
	free(data);
}

static void readers_see_the_old_file_until_commit(void **state)
{
	struct output_file f;
	struct error err;
	const char *path;

	(void)state;
	path = in_folder("out");
	assert_int_equal(file_write(path, "old", 3, &err), 0);
	assert_int_equal(file_create(&f, path, &err), 0);
	fputs("new text", f.stream);
	fflush(f.stream);
	assert_file(path, "old");
	assert_int_equal(file_commit(&f, &err), 0);
	assert_file(path, "new text");
	assert_int_equal(files_in_folder(), 1);
	file_abandon(&f); /* after a commit: nothing */
	assert_file(path, "new text");
}

static void abandoned_output_leaves_nothing(void **state)
{
	struct output_file f, zeroed = {0};
	struct error err;
	const char *path;

	(void)state;
	path = in_folder("out");
	assert_int_equal(file_create(&f, path, &err), 0);
	fputs("half", f.stream);
	file_abandon(&f);
	assert_int_equal(files_in_folder(), 0);
	file_abandon(&f);
	file_abandon(&zeroed);
}

static void two_writers_do_not_mix(void **state)
{
	struct output_file a, b;
	struct error err;
	const char *path;

	(void)state;
	path = in_folder("out");
	assert_int_equal(file_create(&a, path, &err), 0);
	assert_int_equal(file_create(&b, path, &err), 0);
	fputs("aaaa", a.stream);
	fputs("bb", b.stream);
	assert_int_equal(file_commit(&a, &err), 0);
	assert_int_equal(file_commit(&b, &err), 0);
	assert_file(path, "bb");
	assert_int_equal(files_in_folder(), 1);
}

static void full_disk_is_an_error_at_commit(void **state)
{
	struct output_file f;
	struct error err;

	(void)state;
	if (access("/dev/full", W_OK) < 0)
		skip();
	assert_int_equal(file_create(&f, "/dev/full", &err), 0);
	fputs("text", f.stream);
	assert_int_equal(file_commit(&f, &err), ERR_IO);
	assert_non_null(strstr(err.text, "/dev/full"));
}

static void devices_are_written_in_place(void **state)
{
	struct error err;
	struct stat st;

	(void)state;
	assert_int_equal(file_write("/dev/null", "text", 4, &err), 0);
	assert_int_equal(stat("/dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

static void link_stays_a_link_and_mode_stays(void **state)
{
	const char *target, *link_path;
	struct error err;
	struct stat st;

	(void)state;
	target = in_folder("target");
	link_path = in_folder("link");
	assert_int_equal(file_write(target, "old", 3, &err), 0);
	assert_int_equal(chmod(target, 0600), 0);
	assert_int_equal(symlink(target, link_path), 0);
	assert_int_equal(file_write(link_path, "new", 3, &err), 0);
	assert_int_equal(lstat(link_path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_file(target, "new");
	assert_int_equal(stat(target, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void bad_paths_are_named(void **state)
{
	struct output_file f;
	struct error err;
	const char *path;
	char *data;
	size_t len;

	(void)state;
	path = in_folder("no/such/folder");
	assert_int_equal(file_create(&f, path, &err), ERR_IO);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(file_create(&f, test_folder(), &err), ERR_IO);
	assert_non_null(strstr(err.text, "directory"));
	assert_int_equal(file_read(&data, &len, path, 10, &err), ERR_NOT_FOUND);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(file_read(&data, &len, test_folder(), 10, &err), ERR_IO);
}

static void too_large_input_is_refused(void **state)
{
	const char *path;
	char *data = NULL, pipe_path[64];
	struct error err;
	size_t len;
	int ends[2];

	(void)state;
	path = in_folder("in");
	assert_int_equal(file_write(path, "0123456789", 10, &err), 0);
	assert_int_equal(file_read(&data, &len, path, 9, &err), ERR_RANGE);
	assert_null(data);
	assert_int_equal(file_read(&data, &len, path, 10, &err), 0);
	assert_int_equal(len, 10);
	free(data);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "0123456789", 10), 10);
	close(ends[1]);
	snprintf(pipe_path, sizeof(pipe_path), "/dev/fd/%d", ends[0]);
	assert_int_equal(file_read(&data, &len, pipe_path, 9, &err), ERR_RANGE);
	close(ends[0]);
}

static void pipe_is_read_to_its_end(void **state)
{
	char path[64], *data = NULL;
	struct error err;
	size_t len;
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "ab\0cd", 5), 5);
	close(ends[1]);
	snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
	assert_int_equal(file_read(&data, &len, path, 100, &err), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(data, "ab\0cd", 6);
	free(data);
	close(ends[0]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, folder_set_up, folder_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(readers_see_the_old_file_until_commit),
		TEST(abandoned_output_leaves_nothing),
		TEST(two_writers_do_not_mix),
		TEST(full_disk_is_an_error_at_commit),
		TEST(devices_are_written_in_place),
		TEST(link_stays_a_link_and_mode_stays),
		TEST(bad_paths_are_named),
		TEST(too_large_input_is_refused),
		TEST(pipe_is_read_to_its_end),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
