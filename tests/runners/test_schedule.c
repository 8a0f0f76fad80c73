/* What -rate takes, what it refuses, and that it is written as it was read. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runners/schedule.h"

static void check_segment(const struct rate_segment *s, double from, double to, nsec_t duration)
{
	assert_true(fabs(s->from - from) < 1e-12 && fabs(s->to - to) < 1e-12);
	assert_int_equal(s->duration, duration);
}

static void reads_rates_steps_and_ramps(void **state)
{
	struct rate_schedule s;
	struct error err;

	(void)state;
	assert_int_equal(rate_schedule_parse(&s, "100", &err), 0);
	assert_int_equal(s.n, 1);
	check_segment(&s.segments[0], 100, 100, NSEC_NEVER);
	assert_int_equal(rate_schedule_parse(&s, "100:30s,200.5:1m30s", &err), 0);
	assert_int_equal(s.n, 2);
	check_segment(&s.segments[0], 100, 100, 30 * NSEC_PER_SEC);
	check_segment(&s.segments[1], 200.5, 200.5, 90 * NSEC_PER_SEC);
	assert_int_equal(rate_schedule_duration(&s), 120 * NSEC_PER_SEC);
	assert_int_equal(rate_schedule_parse(&s, "100..1000:60s,1000.0..0.5:500ms,1e3", &err), 0);
	assert_int_equal(s.n, 3);
	check_segment(&s.segments[0], 100, 1000, 60 * NSEC_PER_SEC);
	check_segment(&s.segments[1], 1000, 0.5, 500 * NSEC_PER_MSEC);
	check_segment(&s.segments[2], 1000, 1000, NSEC_NEVER);
	assert_int_equal(rate_schedule_duration(&s), NSEC_NEVER);
	assert_true(fabs(rate_schedule_peak(&s) - 1000) < 1e-12);
}

static void is_written_as_it_is_read(void **state)
{
	static const char *const texts[] = {"100", "100:30s,200:30s", "100..1000:1m0s,0.000001:1ns,12345.678",
					    "1000000000", "0.1..0.3:1.5s"};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct rate_schedule s;
		char *text;

		assert_int_equal(rate_schedule_parse(&s, texts[i], &err), 0);
		text = rate_schedule_format(&s);
		/* %g writes a millionth with an exponent; that is read again too */
		if (!strstr(texts[i], "0.000001")) {
			assert_string_equal(text, texts[i]);
		} else {
			struct rate_schedule again;

			assert_int_equal(rate_schedule_parse(&again, text, &err), 0);
			assert_int_equal(again.n, s.n);
			for (unsigned k = 0; k < s.n; k++)
				check_segment(&again.segments[k], s.segments[k].from, s.segments[k].to,
					      s.segments[k].duration);
		}
		free(text);
	}
}

static void refuses_what_is_no_schedule(void **state)
{
	static const char *const bad[] = {
		"",
		",",
		"100,",
		"100,200",
		"fast",
		"0",
		"-5",
		"1e10",
		"nan",
		"inf",
		"100:",
		"100:30",
		"100:0s",
		"100:-1s",
		"100..200",
		"100..:5s",
		"..200:5s",

		"100..0:5s",
		"100 :5s",
		"100:5s 200:5s",
		"100:5s,,200:5s",
		"100:5s;200:5s",
		"100..200..300:5s",
		"100x",
		"1:2000000h,1:2000000h",
		"1e-7",
	};
	char many[1024] = "1:1s";
	struct rate_schedule s = {.n = 4711};
	struct error err;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		if (rate_schedule_parse(&s, bad[i], &err) != ERR_USAGE)
			fail_msg("'%s' was taken", bad[i]);
		assert_true(strlen(err.text) > 0);
		assert_null(strchr(err.text, '\n'));
		assert_int_equal(s.n, 4711);
	}
	for (unsigned i = 1; i < RATE_SEGMENTS_MAX; i++)
		strcat(many, ",1:1s");
	assert_int_equal(rate_schedule_parse(&s, many, &err), 0);
	assert_int_equal(s.n, RATE_SEGMENTS_MAX);
	strcat(many, ",1:1s");
	assert_int_equal(rate_schedule_parse(&s, many, &err), ERR_USAGE);
	memset(many, '1', 200);
	many[200] = '\0';
	assert_int_equal(rate_schedule_parse(&s, many, &err), ERR_USAGE);
}

static void checks_what_was_made_by_hand(void **state)
{
	struct rate_schedule s = {.n = 0};

	(void)state;
	assert_int_equal(rate_schedule_check(&s), ERR_RANGE);
	rate_schedule_constant(&s, 10);
	assert_int_equal(rate_schedule_check(&s), 0);
	s.segments[0].to = 20;
	assert_int_equal(rate_schedule_check(&s), ERR_RANGE); /* a ramp without end */
	s.segments[0].duration = 5;
	assert_int_equal(rate_schedule_check(&s), 0);
	s.n = 2;
	s.segments[1] = (struct rate_segment){1, 1, NSEC_NEVER - 4};
	assert_int_equal(rate_schedule_check(&s), ERR_RANGE); /* too long together */
	s.segments[1].duration = NSEC_NEVER;
	assert_int_equal(rate_schedule_check(&s), 0);
	s.segments[0].duration = NSEC_NEVER;
	assert_int_equal(rate_schedule_check(&s), ERR_RANGE); /* an end is never reached */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_rates_steps_and_ramps),
		cmocka_unit_test(is_written_as_it_is_read),
		cmocka_unit_test(refuses_what_is_no_schedule),
		cmocka_unit_test(checks_what_was_made_by_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
