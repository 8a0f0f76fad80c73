/* What tells a file from another one later: its size, and its beginning. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "stats/fingerprint.h"
#include "tests/support/folder.h"

static void size_and_beginning_are_told(void **state)
{
	const char *path = in_folder("file");
	size_t size = FINGERPRINT_HEAD + 100;
	char *bytes = calloc(1, size);
	struct fingerprint f, g;
	struct error err;

	(void)state;
	assert_non_null(bytes);
	assert_int_equal(file_write(path, "123456789", 9, &err), 0);
	fingerprint_take(&f, path);
	assert_true(f.known);
	assert_int_equal(f.bytes, 9);
	assert_int_equal(f.head_crc32, 0xcbf43926); /* the check value of CRC-32 */
	assert_int_equal(file_write(path, bytes, size, &err), 0);
	fingerprint_take(&f, path);
	assert_int_equal(f.bytes, size);
	bytes[FINGERPRINT_HEAD] = 1; /* behind the head */
	assert_int_equal(file_write(path, bytes, size, &err), 0);
	fingerprint_take(&g, path);
	assert_int_equal(f.head_crc32, g.head_crc32);
	bytes[FINGERPRINT_HEAD - 1] = 1;
	assert_int_equal(file_write(path, bytes, size, &err), 0);
	fingerprint_take(&g, path);
	assert_int_not_equal(f.head_crc32, g.head_crc32);
	assert_int_equal(file_write(path, "", 0, &err), 0);
	fingerprint_take(&g, path);
	assert_true(g.known);
	assert_int_equal(g.bytes, 0);
	assert_int_equal(g.head_crc32, 0);
	free(bytes);
}

static void what_is_no_file_is_not_known(void **state)
{
	struct fingerprint f = {.known = true};

	(void)state;
	fingerprint_take(&f, "/nonexistent");
	assert_false(f.known);
	fingerprint_take(&f, "/dev/null");
	assert_false(f.known);
	fingerprint_take(&f, "/tmp");
	assert_false(f.known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(size_and_beginning_are_told, folder_set_up, folder_tear_down),
		cmocka_unit_test(what_is_no_file_is_not_known),
	};

	return cmocka_run_group_tests_name("fingerprint", tests, NULL, NULL);
}
