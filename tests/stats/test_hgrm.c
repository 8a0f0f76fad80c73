/*
 * .hgrm text against golden/hdr_*.hgrm: the percentile iterator of HdrHistogram's own Java library (2.2.2) over the
 * same values, printed as printf rounds (Java rounds ties of the twelfth decimal up).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "common/file.h"
#include "stats/result.h"
#include "tests/support/folder.h"

#define TEXT_MAX ((size_t)1 << 20)

/* 20,000 values from 20 us to 0.4 s, one in a hundred far out. */
static void record_sample(struct histogram *h)
{
	for (int64_t i = 0; i < 20000; i++)
		histogram_record(h, 20000 + i * i * i * 31 % 999983 * (i % 100 == 0 ? 400 : 1));
}

static void assert_text(const struct histogram *h, int ticks, const char *golden)
{
	struct error err = {""};
	char *written = NULL, *expected;
	size_t written_len, expected_len;
	FILE *out = open_memstream(&written, &written_len);

	assert_non_null(out);
	assert_int_equal(histogram_write_hgrm(h, out, ticks, 1e6), 0);
	assert_int_equal(fclose(out), 0);
	if (file_read(&expected, &expected_len, golden, TEXT_MAX, &err) != 0)
		fail_msg("%s", err.text);
	assert_string_equal(written, expected);
	free(written);
	free(expected);
}

static void text_is_the_one_that_hdrhistogram_writes(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_text(&h, 5, "tests/stats/golden/hdr_empty.hgrm");
	histogram_record(&h, 1500000);
	assert_text(&h, 5, "tests/stats/golden/hdr_one.hgrm");
	histogram_reset(&h);
	record_sample(&h);
	assert_text(&h, 5, "tests/stats/golden/hdr_5_ticks.hgrm");
	histogram_release(&h);
}

static void report_has_100_ticks_in_milliseconds(void **state)
{
	const char *path = in_folder("out.hgrm");
	struct error err = {""};
	struct histogram h;
	char *text;
	size_t len;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	record_sample(&h);
	if (report_hgrm(path, &h, &err) != 0)
		fail_msg("%s", err.text);
	assert_int_equal(file_read(&text, &len, path, TEXT_MAX, &err), 0);
	/* Size and checksum of the Java library's rows of these values with 100 ticks. */
	assert_int_equal(len, 77919);
	assert_int_equal(crc32(0, (const Bytef *)text, (uInt)len), 0xb43216d0);
	free(text);
	histogram_release(&h);
}

static void enormous_counts_end_at_the_last_row(void **state)
{
	struct histogram h;
	char *text = NULL;
	size_t len;
	FILE *out;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	histogram_record_n(&h, 1000, INT64_MAX);
	histogram_record(&h, 2000);
	out = open_memstream(&text, &len);
	assert_non_null(out);
	assert_int_equal(histogram_write_hgrm(&h, out, 100, 1e6), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "0.002 1.000000000000 9223372036854775808\n#["));
	assert_null(strstr(text, "inf"));
	assert_null(strstr(text, "nan"));
	free(text);
	histogram_release(&h);
}

static void report_to_a_folder_that_is_not_there_names_the_path(void **state)
{
	struct error err = {""};
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_true(report_hgrm("/nonexistent/folder/out.hgrm", &h, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/folder/out.hgrm"));
	histogram_release(&h);
}

static void senseless_ticks_and_scale_are_refused(void **state)
{
	struct histogram h;

	(void)state;
	assert_int_equal(histogram_init_latency(&h), 0);
	assert_int_equal(histogram_write_hgrm(&h, stderr, 0, 1e6), ERR_INVALID);
	assert_int_equal(histogram_write_hgrm(&h, stderr, 5, 0), ERR_INVALID);
	histogram_release(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_is_the_one_that_hdrhistogram_writes),
		cmocka_unit_test_setup_teardown(report_has_100_ticks_in_milliseconds, folder_set_up, folder_tear_down),
		cmocka_unit_test(enormous_counts_end_at_the_last_row),
		cmocka_unit_test(report_to_a_folder_that_is_not_there_names_the_path),
		cmocka_unit_test(senseless_ticks_and_scale_are_refused),
	};

	return cmocka_run_group_tests_name("hgrm", tests, NULL, NULL);
}
