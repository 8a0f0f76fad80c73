/*
 * The network's part of the reports: quantiles of the baseline, and whom it was measured with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stats/json_writer.h"
#include "stats/network.h"

static char *text_of(const struct network *n)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	network_write_text(out, n);
	assert_int_equal(fclose(out), 0);
	return text;
}

static char *json_of(const struct network *n)
{
	struct json_writer w = {0};
	char *text = NULL;
	size_t len;

	w.out = open_memstream(&text, &len);
	assert_non_null(w.out);
	json_begin(&w, NULL);
	network_write_json(&w, n);
	json_end(&w);
	assert_int_equal(fclose(w.out), 0);
	return text;
}

static void quantiles_are_those_of_the_sorted_times(void **state)
{
	nsec_t times[200];
	struct network n = {0};

	(void)state;
	for (int i = 0; i < 200; i++)
		times[i] = (199 - i) * 1000;
	network_set_times(&n, times, 200);
	assert_int_equal(n.round_trips, 200);
	assert_int_equal(n.min, 0);
	assert_int_equal(n.q50, 100000);
	assert_int_equal(n.q99, 198000);
	assert_int_equal(n.max, 199000);
	network_set_times(&n, (nsec_t[]){7}, 1);
	assert_int_equal(n.q99, 7);
}

static void a_baseline_says_with_whom(void **state)
{
	struct network n = {
		.server = "h:1", .interface = "eth0", .mtu = 1500, .speed_mbits = 10000, .ping = "Redis PING"};
	char *text, *json;

	(void)state;
	network_set_times(&n, (nsec_t[]){1000000, 2000000, 4500000}, 3);
	text = text_of(&n);
	assert_string_equal(text, "Network baseline, Redis PING to h:1 (eth0, 10000 Mbit/s), 3 round trips (ms): "
				  "min 1.000, q50 2.000, q99 4.500, max 4.500\n");
	json = json_of(&n);
	assert_non_null(strstr(json, "\"Interface\": \"eth0\""));
	assert_non_null(strstr(json, "\"MTU\": 1500"));
	assert_non_null(strstr(json, "\"Between\": \"this program and the server\""));
	assert_non_null(strstr(json, "\"q99\": 4500000"));
	free(text);
	free(json);
	n.to_itself = true;
	strcpy(n.ping, "TCP echo");
	strcpy(n.why.text, "h:1: no");
	text = text_of(&n);
	assert_non_null(strstr(text, "Network baseline, TCP echo of this program with itself, 3 round trips"));
	assert_non_null(strstr(text, "Note: the server itself was not pinged: h:1: no\n"));
	free(text);
}

static void without_a_baseline_there_is_no_line_and_a_null(void **state)
{
	struct network n = {.unix_socket = true};
	char *text = text_of(&n), *json = json_of(&n);

	(void)state;
	assert_string_equal(text, "");
	assert_non_null(strstr(json, "\"NetworkBaseline\": null"));
	assert_non_null(strstr(json, "\"UnixSocket\": true"));
	assert_non_null(strstr(json, "\"MTU\": null"));
	free(text);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_those_of_the_sorted_times),
		cmocka_unit_test(a_baseline_says_with_whom),
		cmocka_unit_test(without_a_baseline_there_is_no_line_and_a_null),
	};

	return cmocka_run_group_tests_name("network", tests, NULL, NULL);
}
