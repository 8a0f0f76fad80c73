/*
 * test_server_statistics.c - the server's counters in a run's results: of the server that was asked, over its restarts.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "tests/e2e/e2e.h"
#include "tests/support/model_server.h"

#define TRITON "aibench_run_inference_triton"
#define SERVING "aibench_run_inference_tensorflow_serving"
#define TORCHSERVE "aibench_run_inference_torchserve"
#define ROWS 300
#define ROWS_TEXT "300"
#define REQUESTS "aibench_requests_total{model=\"financialNet_NoReference\",version=\"1\"}"

static char models[1200];

static int prepare(void **state)
{
	fraud_files_set_up(state);
	snprintf(models, sizeof(models), "financialNet=%s,financialNet_NoReference=%s", files.model,
		 files.model_noreference);
	return 0;
}

#define RUN(program, option, host, ...) \
	WORDS(program, option, host, "-file", files.data, "-workers=2", "-json-out-file=out.json", __VA_ARGS__)

/* The sum of a server's counter over the periods of the last run; -1: it is in none. */
static long long counted(const char *server, const char *counter)
{
	json_t *j = json_load_file("out.json", 0, NULL), *servers;
	const char *time;
	long long sum = -1;

	assert_non_null(j);
	json_object_foreach(json_object_get(j, "ServerRunTimeStats"), time, servers)
	{
		const json_t *value = json_object_get(json_object_get(servers, server), counter);

		if (value)
			sum = (sum < 0 ? 0 : sum) + strtoll(json_string_value(value), NULL, 10);
	}
	json_decref(j);
	return sum;
}

/* ---- whose they are -------------------------------------------------------------------------------------------- */

static void over_rest_they_are_those_of_the_port_that_is_asked(void **state)
{
	struct process_result r;
	struct model_server s;

	(void)state;
	model_server_start(&s, WORDS("-model", models));
	run_ok(&r, RUN(SERVING, "-tensorflow-serving-host", s.http_host, "-protocol=rest", "-max-queries", ROWS_TEXT),
	       NULL);
	assert_string_equal(r.err, "");
	assert_int_equal(counted(s.http_host, REQUESTS), ROWS);
	process_result_release(&r);
	model_server_stop(&s, SIGTERM);
}

/* A server at an address of the loopback network of this test's own, where the ports that are guessed are free. */
struct neighbour {
	struct process process;
	char address[24];
};

static void neighbour_start(struct neighbour *n, const char *model, const char *http_port)
{
	char listening[64];
	int pid = (int)getpid();

	snprintf(n->address, sizeof(n->address), "127.77.%d.%d", pid >> 8 & 255, (pid & 127) + 1);
	snprintf(listening, sizeof(listening), "listening on http %s:", n->address);
	process_start(&n->process,
		      WORDS("aibench_model_server", "-listen", n->address, "-grpc-port=0", "-http-port", http_port,
			    "-model", model),
		      NULL);
	wait_for_output(&n->process, listening);
}

static void neighbour_grpc(const struct neighbour *n, char *host, size_t size)
{
	char text[4096] = "", *at;
	ssize_t len = pread(n->process.out_fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	at = strstr(text, "listening on grpc ");
	assert_non_null(at);
	at += strlen("listening on grpc ");
	snprintf(host, size, "%.*s", (int)strcspn(at, "\n"), at);
}

static void neighbour_stop(struct neighbour *n)
{
	struct process_result r;

	process_signal(&n->process, SIGTERM);
	process_wait(&n->process, &r, LIMIT_SECONDS);
	process_result_release(&r);
}

static void those_at_a_guessed_port_need_the_model_that_is_asked(void **state)
{
	char host[64], guessed[64], other[600];
	struct neighbour asked, elsewhere;
	struct process_result r;

	(void)state;
	snprintf(other, sizeof(other), "other=%s", files.model_noreference);
	neighbour_start(&asked, models, "0");
	neighbour_grpc(&asked, host, sizeof(host));
	snprintf(guessed, sizeof(guessed), "%s:8501", asked.address);

	neighbour_start(&elsewhere, other, "8501");
	run_ok(&r, RUN(SERVING, "-tensorflow-serving-host", host, "-max-queries", ROWS_TEXT), NULL);
	check_holds(r.err, WORDS("no server statistics", guessed, "another server", "financialNet_NoReference",
				 "-metrics-host"));
	assert_int_equal(counted(guessed, "process_cpu_seconds_total"), -1);
	process_result_release(&r);
	neighbour_stop(&elsewhere);

	/* It may be another server all the same, so that its address is told. */
	neighbour_start(&elsewhere, models, "8501");
	run_ok(&r, RUN(SERVING, "-tensorflow-serving-host", host, "-max-queries", ROWS_TEXT), NULL);
	check_holds(r.err, WORDS("the server statistics are those of", guessed, "-metrics-host"));
	process_result_release(&r);
	neighbour_stop(&elsewhere);
	neighbour_stop(&asked);
}

static void those_of_a_guessed_port_are_told_of_torchserve(void **state)
{
	struct neighbour asked, elsewhere;
	char host[64], guessed[64];
	struct process_result r;

	(void)state;
	neighbour_start(&asked, models, "8081");
	neighbour_start(&elsewhere, models, "8082");
	snprintf(host, sizeof(host), "%s:8081", asked.address);
	snprintf(guessed, sizeof(guessed), "%s:8082", asked.address);
	run_ok(&r,
	       RUN(TORCHSERVE, "-torchserve-host", host, "-max-queries", ROWS_TEXT,
		   "-torchserve-request-uri=/predictions/financialNet_NoReference"),
	       NULL);
	check_holds(r.err, WORDS("the server statistics are those of", guessed, "-metrics-host"));
	process_result_release(&r);
	neighbour_stop(&elsewhere);
	neighbour_stop(&asked);
}

/* ---- a server that goes and comes ------------------------------------------------------------------------------ */

/* How many periods of the last run have the counter. */
static unsigned periods_with(const char *server, const char *counter)
{
	json_t *j = json_load_file("out.json", 0, NULL), *servers;
	const char *time;
	unsigned n = 0;

	assert_non_null(j);
	json_object_foreach(json_object_get(j, "ServerRunTimeStats"), time, servers) n +=
		json_object_get(json_object_get(servers, server), counter) != NULL;
	json_decref(j);
	return n;
}

/* Killed in the fourth period of forty, and back at once. */
static void comes_back(bool grpc)
{
	char grpc_port[8], http_port[8];
	struct process_result r;
	struct model_server s;
	struct process p;

	model_server_start(&s, WORDS("-model", models));
	snprintf(grpc_port, sizeof(grpc_port), "%hu", s.grpc[0]);
	snprintf(http_port, sizeof(http_port), "%hu", s.http[0]);
	process_start(&p,
		      RUN(TRITON, "-host", grpc ? s.grpc_host : s.http_host, grpc ? "-protocol=grpc" : "-protocol=http",
			  "-ignore-errors", "-limit-rps=500", "-reporting-period=50ms", "-timeout=2s",
			  "-max-queries=1000"),
		      NULL);
	wait_for_lines(&p, 5);
	model_server_kill(&s);
	usleep(200000); /* so that some period looks at nobody */
	model_server_start(&s, WORDS("-model", models, "-grpc-port", grpc_port, "-http-port", http_port));
	process_wait(&p, &r, LIMIT_SECONDS);
	assert_int_equal(r.status, 0);
	check_holds(r.err, WORDS("note: no server statistics from 0.", " s to ", " s: "));
	assert_in_range(periods_with(grpc ? s.grpc_host : s.http_host, "triton.success.count"), 10, 39);
	assert_in_range(counted(grpc ? s.grpc_host : s.http_host, "triton.success.count"), 500, 1000);
	process_result_release(&r);
	model_server_stop(&s, SIGTERM);
}

static void they_go_on_when_a_server_has_come_back(void **state)
{
	(void)state;
	comes_back(true);
	comes_back(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(over_rest_they_are_those_of_the_port_that_is_asked),
		cmocka_unit_test(those_at_a_guessed_port_need_the_model_that_is_asked),
		cmocka_unit_test(those_of_a_guessed_port_are_told_of_torchserve),
		cmocka_unit_test(they_go_on_when_a_server_has_come_back),
	};

	return cmocka_run_group_tests_name("server_statistics", tests, prepare, fraud_files_tear_down);
}
