/*
 * .hlog against golden/hdr.hlog, written by HdrHistogram's own HistogramLogWriter (Java, 2.2.2) of the same values. The
 * encoded histograms are compared as histograms: zlib's bytes are its own business.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "stats/hlog.h"

#define TEXT_MAX ((size_t)1 << 20)
#define START (1700000000250 * NSEC_PER_MSEC)
#define MIDDLE (START + 1250 * NSEC_PER_MSEC)
#define END (MIDDLE + 500 * NSEC_PER_MSEC)

static void assert_same_histogram(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct histogram h[2];
	struct error err;

	assert_int_equal(histogram_decode(&h[0], a, a_len, &err), 0);
	assert_int_equal(histogram_decode(&h[1], b, b_len, &err), 0);
	assert_int_equal(h[0].lowest, h[1].lowest);
	assert_int_equal(h[0].highest, h[1].highest);
	assert_int_equal(h[0].digits, h[1].digits);
	assert_int_equal(h[0].total, h[1].total);
	assert_memory_equal(h[0].counts, h[1].counts, h[0].ncounts * sizeof(*h[0].counts));
	histogram_release(&h[0]);
	histogram_release(&h[1]);
}

/* Line by line, to the letter but for the encoded histograms. */
static void assert_same_log(const char *ours, const char *golden)
{
	while (*ours && *golden) {
		size_t len = strcspn(ours, "\n"), golden_len = strcspn(golden, "\n");
		const char *encoded = strstr(ours, "HISTF"), *golden_encoded = strstr(golden, "HISTF");

		if (encoded && encoded < ours + len) {
			assert_non_null(golden_encoded);
			assert_int_equal(encoded - ours, golden_encoded - golden);
			assert_memory_equal(ours, golden, (size_t)(encoded - ours));
			assert_same_histogram(encoded, (size_t)(ours + len - encoded), golden_encoded,
					      (size_t)(golden + golden_len - golden_encoded));
		} else {
			assert_int_equal(len, golden_len);
			assert_memory_equal(ours, golden, len);
		}
		assert_int_equal(ours[len], '\n');
		ours += len + 1;
		golden += golden_len + 1;
	}
	assert_string_equal(ours, golden);
}

static void log_is_the_one_that_hdrhistogram_writes(void **state)
{
	struct recorder first, second;
	struct error err = {""};
	char *text = NULL, *golden;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_int_equal(recorder_init(&first, true), 0);
	assert_int_equal(recorder_init(&second, true), 0);
	histogram_record(&first.service, 1500000);
	histogram_record(&first.service, 20000);
	histogram_record(&first.service, 999);
	histogram_record(&first.response, 2500000);
	histogram_record(&first.response, 123456789);
	histogram_record(&first.lag, 7);
	histogram_record(&first.lag, 3600000000000);
	hlog_write_header(out, START);
	assert_int_equal(hlog_write_recorder(out, START, MIDDLE, &first), 0);
	assert_int_equal(hlog_write_recorder(out, MIDDLE, END, &second), 0);
	assert_int_equal(fclose(out), 0);
	if (file_read(&golden, &len, "tests/stats/golden/hdr.hlog", TEXT_MAX, &err) != 0)
		fail_msg("%s", err.text);
	assert_same_log(text, golden);
	free(golden);
	free(text);
	recorder_release(&first);
	recorder_release(&second);
}

static void stages_are_tags_and_a_closed_loop_has_no_response_time(void **state)
{
	struct stamps s = {.sent = 1000, .received = 9000, .stage = {[STAGE_REFERENCE] = 3000, [STAGE_SERVICE] = 9000}};
	struct recorder r;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	assert_int_equal(recorder_init(&r, false), 0);
	assert_int_equal(recorder_add_stages(&r, 1U << STAGE_REFERENCE | 1U << STAGE_SERVICE | 1U << STAGE_DECODE), 0);
	recorder_record(&r, &s, OUTCOME_OK, 1);
	assert_int_equal(hlog_write_recorder(out, START, MIDDLE, &r), 0);
	assert_int_equal(fclose(out), 0);
	assert_non_null(strstr(text, "1700000000.250,1.250,0.008,HISTF"));
	assert_non_null(strstr(text, "\nTag=ReferenceFetch,1700000000.250,1.250,0.002,HISTF"));
	assert_non_null(strstr(text, "\nTag=ModelCall,1700000000.250,1.250,0.006,HISTF"));
	assert_null(strstr(text, "Decode"));
	assert_null(strstr(text, "Response"));
	free(text);
	recorder_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(log_is_the_one_that_hdrhistogram_writes),
		cmocka_unit_test(stages_are_tags_and_a_closed_loop_has_no_response_time),
	};

	return cmocka_run_group_tests_name("hlog", tests, NULL, NULL);
}
