/* Counters become differences, gauges and texts stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "runners/counters.h"
#include "runners/usage.h"

static void check(const char *key, const char *before, const char *now, const char *expected)
{
	char difference[256];

	counter_difference(difference, sizeof(difference), key, before, now);
	assert_string_equal(difference, expected);
}

static void ai_info_and_cpu_counters_are_subtracted(void **state)
{
	(void)state;
	check("ai_info.calls", "100", "350", "250");
	check("ai_info.duration", "9000000000000000000", "9000000000000000007", "7");
	check("ai_self_used_cpu_sys", "1.250000", "3.500000", "2.250000");
	check("ai_queue_CPU_bthread_n1_used_cpu_total", "0.5", "0.7", "0.2"); /* as many places as the server gives */
	check("ai_info.samples", "0", "-5", "-5");                            /* scripts: always below 0 */
}

static void commandstats_are_subtracted_field_by_field(void **state)
{
	(void)state;
	check("cmdstat_ai.dagrun", "calls=10,usec=200,usec_per_call=20.00,rejected_calls=1,failed_calls=0",
	      "calls=30,usec=500,usec_per_call=16.67,rejected_calls=1,failed_calls=2",
	      "calls=20,usec=300,usec_per_call=15.00,rejected_calls=0,failed_calls=2");
	check("cmdstat_ping", NULL, "calls=3,usec=6,usec_per_call=2.00", "calls=3,usec=6,usec_per_call=2.00");
	check("cmdstat_ping", "calls=3,usec=6,usec_per_call=2.00", "calls=3,usec=6,usec_per_call=2.00",
	      "calls=0,usec=0,usec_per_call=0.00");
}

static void memory_and_texts_stay_as_they_are(void **state)
{
	(void)state;
	check("used_memory", "100", "350", "350");
	check("used_memory_human", "1.00M", "1.05M", "1.05M");
	check("mem_allocator", "jemalloc-5.2.1", "jemalloc-5.2.1", "jemalloc-5.2.1");
}

static void counters_of_model_servers_are_subtracted_and_gauges_stay(void **state)
{
	(void)state;
	check("triton.queue.ns", "100", "350", "250");
	check("requests_total{model=\"a_count\"}", "100", "350", "250");
	check(":tensorflow:serving:request_count{model=\"m\"}", "1", "3", "2");
	check("latency_seconds_sum", "0.250000", "0.750000", "0.500000");
	check("Requests2XX{Level=\"Host\"}", "5", "9", "4");
	check("load{kind=\"x_total\"}", "1", "3", "3");
	check("MemoryUsed{Level=\"Host\"}", "1", "3", "3");
}

static void counter_that_went_down_was_reset(void **state)
{
	(void)state;
	check("ai_info.calls", "350", "10", "10");
	check("ai_self_used_cpu_user", "3.5", "0.5", "0.5");
	check("ai_info.calls", NULL, "12", "12");
}

static void odd_values_are_texts(void **state)
{
	(void)state;
	check("ai_info.calls", "1", "", "");
	check("ai_self_used_cpu_sys", "1.0", "nan", "nan");
	check("ai_self_used_cpu_sys", "inf", "1.5", "1.5");
	check("ai_self_used_cpu_sys", "0x10", "0x20", "0x20");
	check("cmdstat_x", "calls=1", "garbage", "garbage");
	check("cmdstat_x", "", "=,,=1,calls", "=,,=1,calls");
}

static void long_values_are_cut_not_overrun(void **state)
{
	char now[400], difference[64];

	(void)state;
	memset(now, 'x', sizeof(now) - 1);
	now[sizeof(now) - 1] = '\0';
	counter_difference(difference, sizeof(difference), "used_memory", NULL, now);
	assert_int_equal(strlen(difference), sizeof(difference) - 1);
	memcpy(now, "calls=1,", 8);
	now[200] = ',';
	counter_difference(difference, sizeof(difference), "cmdstat_x", NULL, now);
	assert_true(strlen(difference) < sizeof(difference));
}

static void readings_are_told_apart_by_server_and_key(void **state)
{
	struct counters c = {0};
	char d[64];

	(void)state;
	for (int round = 0; round < 3; round++) {
		char value[32];

		snprintf(value, sizeof(value), "%d", round * 10 + 1);
		assert_int_equal(counters_update(&c, "a:1", "ai_info.calls", value, d, sizeof(d)), 0);
		assert_string_equal(d, round ? "10" : "1");
		snprintf(value, sizeof(value), "%d", round * 5 + 2);
		assert_int_equal(counters_update(&c, "b:1", "ai_info.calls", value, d, sizeof(d)), 0);
		assert_string_equal(d, round ? "5" : "2");
		/* a command seen for the first time later on */
		if (round == 2) {
			assert_int_equal(counters_update(&c, "b:1", "cmdstat_get", "calls=4", d, sizeof(d)), 0);
			assert_string_equal(d, "calls=4");
		}
	}
	assert_int_equal(c.n, 3);
	counters_release(&c);
}

static void anonymous_memory_is_read_from_status(void **state)
{
	static const char status[] = "Name:\tx\nVmRSS:\t  9999 kB\nRssAnon:\t    1234 kB\nRssFile:\t 8 kB\n";

	(void)state;
	assert_int_equal(usage_status_bytes(status, "RssAnon"), 1234 * 1024);
	assert_int_equal(usage_status_bytes(status, "RssShmem"), 0);
	assert_int_equal(usage_status_bytes("", "RssAnon"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ai_info_and_cpu_counters_are_subtracted),
		cmocka_unit_test(commandstats_are_subtracted_field_by_field),
		cmocka_unit_test(memory_and_texts_stay_as_they_are),
		cmocka_unit_test(counters_of_model_servers_are_subtracted_and_gauges_stay),
		cmocka_unit_test(counter_that_went_down_was_reset),
		cmocka_unit_test(odd_values_are_texts),
		cmocka_unit_test(long_values_are_cut_not_overrun),
		cmocka_unit_test(readings_are_told_apart_by_server_and_key),
		cmocka_unit_test(anonymous_memory_is_read_from_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
