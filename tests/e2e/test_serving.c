/*
 * test_serving.c - every runner over every protocol and transport against the bundled model server: the answers are those
 * of the RedisAI module to the bit, whoever carried them; and what a run says when the server dies under it.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "common/arith.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/vision_model.h"
#include "tests/support/model_server.h"

#define ROWS 200
#define ROWS_TEXT "200"
#define IMAGES 12
#define VISION "mobilenet_v1_100_224_cpu"
#define WORDS_MAX 40

/* One of the ways to ask: a program, and how it is told of the server. */
static const struct variant {
	const char *name, *program, *host_option;
	bool grpc;
	const char *options[3];
	const char *reference_transport;
	bool takes_model; /* by -model; else by -torchserve-request-uri or not at all */
} variants[] = {
	{"TensorFlow Serving gRPC",
	 "aibench_run_inference_tensorflow_serving",
	 "-tensorflow-serving-host",
	 true,
	 {"-protocol", "grpc"},
	 "grpc-core",
	 true},
	{"TensorFlow Serving REST",
	 "aibench_run_inference_tensorflow_serving",
	 "-tensorflow-serving-host",
	 false,
	 {"-protocol", "rest"},
	 "curl",
	 true},
	{"Triton gRPC", "aibench_run_inference_triton", "-host", true, {"-protocol", "grpc"}, "grpc-core", true},
	{"Triton HTTP", "aibench_run_inference_triton", "-host", false, {"-protocol", "http"}, "curl", true},
	{"TorchServe", "aibench_run_inference_torchserve", "-torchserve-host", false, {NULL}, "curl", false},
	{"plain REST", "aibench_run_inference_flask_tensorflow", "-restapi-host", false, {NULL}, "curl", false},
};

static struct fraud_files files;
static struct redis_server redis;
static struct model_server server;
static char redis_host[32], models[2048];

static void serve(const char *grpc_port, const char *http_port)
{
	model_server_start(&server,
			   WORDS("aibench_model_server", "-model", models, "-grpc-port", grpc_port, "-http-port",
				 http_port, "-inputs", "financialNet=transaction+reference"),
			   1, 1);
}

static int prepare(void **state)
{
	(void)state;
	fraud_files_new(&files);
	write_vision_model("vision.pb", 0);
	write_vision_images("images.out", "answers.bin", IMAGES);
	redis_server_start_module(&redis, NULL, NULL);
	snprintf(redis_host, sizeof(redis_host), "127.0.0.1:%s", redis.port_text);
	load_fraud(&files, &redis);
	run_quietly(WORDS("aibench_load_data", "-file", files.data, "-redis-host", redis_host, "-set-tensor=false"));
	run_quietly(WORDS("aibench_load_model", "-redis-host", redis_host, "-model", VISION, "-model-file", "vision.pb",
			  "-inputs", VISION_TEST_INPUT, "-outputs", VISION_TEST_OUTPUT));
	snprintf(models, sizeof(models), "financialNet=%s,financialNet_NoReference=%s," VISION "=vision.pb",
		 files.model, files.model_noreference);
	serve("0", "0");
	return 0;
}

static int clean_up(void **state)
{
	(void)state;
	model_server_stop(&server, SIGKILL);
	redis_server_stop(&redis, false);
	fraud_files_release(&files);
	return 0;
}

enum use_case { FRAUD_REFERENCE, FRAUD, IMAGES_ALONE, USE_CASES };
static const char *const served_model[USE_CASES] = {"financialNet", "financialNet_NoReference", VISION};

struct command {
	const char *words[WORDS_MAX];
	size_t n;
	char uri[64];
};

static void add(struct command *c, const char *word)
{
	assert_true(c->n + 1 < WORDS_MAX);
	c->words[c->n++] = word;
	c->words[c->n] = NULL;
}

static void add_all(struct command *c, const char *const *words)
{
	for (; *words; words++)
		add(c, *words);
}

static void add_use_case(struct command *c, enum use_case u)
{
	if (u == IMAGES_ALONE)
		add_all(c, WORDS("-use-case", "vision", "-file", "images.out", "-expected-answers", "answers.bin",
				 "-tolerance=1e-5"));
	else
		add_all(c, WORDS("-use-case", "creditcard-fraud", "-file", files.data, "-max-queries", ROWS_TEXT));
	if (u == FRAUD_REFERENCE)
		add(c, "-enable-reference-data-redis");
}

/* The command line of one way to ask. */
static void command_of(struct command *c, const struct variant *v, enum use_case u, const char *transport)
{
	*c = (struct command){.n = 0};
	add_all(c, WORDS(v->program, v->host_option, v->grpc ? server.grpc_host : server.http_host, "-redis-host",
			 redis_host, "-transport", transport));
	add_all(c, v->options);
	if (v->takes_model) {
		add_all(c, WORDS("-model", served_model[u]));
	} else if (strcmp(v->name, "TorchServe") == 0) {
		snprintf(c->uri, sizeof(c->uri), "/predictions/%s", served_model[u]);
		add_all(c, WORDS("-torchserve-request-uri", c->uri));
	}
	add_use_case(c, u);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Lines "RESPONSE: id  [values]" of a run, sorted and joined; malloc'd. Values are printed so that they read back. */
static char *responses_of(const char *const *words)
{
	struct process_result r;
	char *lines[ROWS + IMAGES], *all, *save = NULL;
	size_t n = 0, len = 0;

	run_ok(&r, words, NULL);
	for (char *line = strtok_r(r.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "RESPONSE:", 9) != 0)
			continue;
		assert_true(n < ARRAY_LEN(lines));
		lines[n++] = line;
	}
	qsort(lines, n, sizeof(lines[0]), compare_lines);
	all = malloc(r.out_len + 1);
	assert_non_null(all);
	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(all + len, "%s\n", lines[i]);
	assert_true(n == ROWS || n == IMAGES);
	process_result_release(&r);
	return all;
}

/* What the RedisAI module answers. */
static char *module_responses(enum use_case u)
{
	struct command c = {.n = 0};

	add_all(&c, WORDS("aibench_run_inference_redisai", "-host", "127.0.0.1", "-port", redis.port_text, "-model",
			  served_model[u], "-print-responses"));
	add_use_case(&c, u);
	return responses_of(c.words);
}

static void every_protocol_answers_what_the_module_answers(void **state)
{
	(void)state;
	for (int u = 0; u < USE_CASES; u++) {
		char *want = module_responses((enum use_case)u);

		for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
			const char *const transports[] = {"lean", variants[i].reference_transport};

			for (size_t t = 0; t < ARRAY_LEN(transports); t++) {
				struct command c;
				char *got;

				command_of(&c, &variants[i], (enum use_case)u, transports[t]);
				add(&c, "-print-responses");
				got = responses_of(c.words);
				if (strcmp(got, want) != 0)
					fail_msg("%s over %s, %s:\n%.600s\nnot\n%.600s", variants[i].name,
						 transports[t], served_model[u], got, want);
				free(got);
			}
		}
		free(want);
	}
}

static json_t *read_json(void)
{
	json_error_t e;
	json_t *j = json_load_file("out.json", 0, &e);

	if (!j)
		fail_msg("out.json: line %d: %s", e.line, e.text);
	return j;
}

static void results_tell_the_stages_and_the_server_s_counters(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		struct process_result r;
		struct command c;
		json_t *j;

		command_of(&c, &variants[i], FRAUD_REFERENCE, "lean");
		add_all(&c, WORDS("-json-out-file", "out.json", "-reporting-period", "100ms", "-limit-rps", "400",
				  "-workers", "4"));
		if (strstr(variants[i].program, "tensorflow_serving") || strstr(variants[i].program, "torchserve"))
			add_all(&c, WORDS("-metrics-host", server.http_host));
		else if (strstr(variants[i].program, "flask"))
			add_all(&c, WORDS("-metrics-uri", "/metrics"));
		run_ok(&r, c.words, NULL);
		check_holds(r.out, WORDS("Reference fetch (ms): q50", "Model call (ms): q50",
					 "Outcomes: " ROWS_TEXT " right, 0 wrong, 0 errors, 0 timeouts"));
		process_result_release(&r);
		j = read_json();
		assert_non_null(json_object_get(json_object_get(j, "Histograms"), "ReferenceFetch"));
		assert_non_null(json_object_get(json_object_get(j, "Histograms"), "ModelCall"));
		if (json_object_size(json_object_get(j, "ServerRunTimeStats")) == 0)
			fail_msg("%s: no counters of the server in the results", variants[i].name);
		json_decref(j);
	}
}

static void workers_share_a_connection(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		struct process_result r;
		struct command c;

		if (!variants[i].grpc)
			continue;
		command_of(&c, &variants[i], FRAUD, "lean");
		add_all(&c, WORDS("-workers", "16", "-streams", "8"));
		run_ok(&r, c.words, NULL);
		check_holds(r.out, WORDS("Outcomes: " ROWS_TEXT " right, 0 wrong, 0 errors, 0 timeouts"));
		process_result_release(&r);
	}
}

static void what_the_server_lacks_is_said_before_the_run(void **state)
{
	(void)state;
	run_fails(1,
		  WORDS("aibench_run_inference_tensorflow_serving", "-tensorflow-serving-host", server.grpc_host,
			"-model", "none", "-file", files.data),
		  NULL, WORDS("none"));
	run_fails(1,
		  WORDS("aibench_run_inference_triton", "-host", server.http_host, "-protocol", "http", "-model",
			"none", "-file", files.data),
		  NULL, WORDS("none"));
	run_fails(1,
		  WORDS("aibench_run_inference_tensorflow_serving", "-tensorflow-serving-host", server.grpc_host,
			"-model", "financialNet_NoReference", "-model-version", "9", "-file", files.data),
		  NULL, WORDS("9"));
}

/* Dies in the middle and comes back on the same ports: errors are counted, the rest is right, the report is whole. */
static void server_that_dies_and_comes_back_costs_only_its_requests(void **state)
{
	const struct timespec pause = {.tv_nsec = 300000000};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(variants); i++) {
		char grpc_port[8], http_port[8];
		unsigned right = 0, wrong = 1, errors = 0;
		struct process_result r;
		struct process run;
		struct command c;
		const char *line;

		command_of(&c, &variants[i], FRAUD, "lean");
		add_all(&c, WORDS("-limit-rps", "100", "-workers", "4", "-ignore-errors"));
		snprintf(grpc_port, sizeof(grpc_port), "%hu", server.grpc[0]);
		snprintf(http_port, sizeof(http_port), "%hu", server.http[0]);
		process_start(&run, c.words, &(struct process_options){0});
		/* Two seconds long: the server goes after a part of it, which no assertion depends on. */
		nanosleep(&pause, NULL);
		model_server_stop(&server, SIGKILL);
		nanosleep(&pause, NULL);
		serve(grpc_port, http_port);
		process_wait(&run, &r, LIMIT_SECONDS);
		line = strstr(r.out, "Outcomes: ");
		if (r.status != 0 || !line ||
		    sscanf(line, "Outcomes: %u right, %u wrong, %u errors", &right, &wrong, &errors) != 3)
			fail_msg("%s: status %d\n%s%s", variants[i].name, r.status, r.out, r.err);
		if (right == 0 || errors == 0 || wrong != 0 || right + errors != ROWS)
			fail_msg("%s: %.100s", variants[i].name, line);
		process_result_release(&r);
	}
}

static void silent_server_is_a_timeout(void **state)
{
	const struct fault_plan plan = {
		.fault = FAULT_SILENCE, .upstream = server.http[0], .trigger = "POST ", .first = 5};
	struct faulty_server proxy;
	struct process_result r;
	char host[32];

	(void)state;
	faulty_server_start(&proxy, &plan);
	snprintf(host, sizeof(host), "127.0.0.1:%s", proxy.port_text);
	process_run(&r,
		    WORDS("aibench_run_inference_triton", "-host", host, "-protocol", "http", "-model",
			  "financialNet_NoReference", "-file", files.data, "-max-queries", "10", "-workers", "1",
			  "-timeout", "300ms", "-ignore-errors"),
		    NULL, LIMIT_SECONDS);
	faulty_server_stop(&proxy);
	check_holds(r.out, WORDS("Outcomes: 4 right, 0 wrong, 0 errors, 6 timeouts"));
	process_result_release(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_protocol_answers_what_the_module_answers),
		cmocka_unit_test(results_tell_the_stages_and_the_server_s_counters),
		cmocka_unit_test(workers_share_a_connection),
		cmocka_unit_test(what_the_server_lacks_is_said_before_the_run),
		cmocka_unit_test(silent_server_is_a_timeout),
		cmocka_unit_test(server_that_dies_and_comes_back_costs_only_its_requests),
	};

	return cmocka_run_group_tests(tests, prepare, clean_up);
}
