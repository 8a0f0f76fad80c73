/*
 * Results read back from the files that report_json writes, and files that are none.
 */
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "stats/result.h"
#include "stats/result_file.h"
#include "tests/support/folder.h"

static const char *path;

static int set_up(void **state)
{
	folder_set_up(state);
	path = in_folder("result.json");
	return 0;
}

/* A run of 1,000 requests, of which the last was wrong. */
static void make_result(struct result *r, bool open_loop)
{
	static const struct platform platform = {.cpu_model = "Made Up 9000", .cpus_online = 4};

	*r = (struct result){
		.program = "aibench_run_inference_null",
		.use_case = "creditcard-fraud",
		.label = "Null driver",
		.command_line = "aibench_run_inference_null -workers 3",
		.tensor_batch = 1,
		.workers = 3,
		.repetition = 1,
		.repetitions = 1,
		.platform = &platform,
		.start_wall = 1700000000 * NSEC_PER_SEC,
		.end_wall = 1700000002 * NSEC_PER_SEC,
		.end = 2 * NSEC_PER_SEC,
	};
	assert_int_equal(recorder_init(&r->all, open_loop), 0);
	for (int i = 1; i <= 1000; i++) {
		struct stamps s = {.intended = 0, .sent = 5000, .received = 10000 + i * 1000};

		recorder_record(&r->all, &s, i == 1000 ? OUTCOME_WRONG : OUTCOME_OK, 1);
	}
}

static char *write_result(bool open_loop, size_t *ret_len)
{
	struct result r;
	char *text;

	make_result(&r, open_loop);
	assert_int_equal(report_json(path, &r, NULL), 0);
	result_release(&r);
	assert_int_equal(file_read(&text, ret_len, path, RESULT_FILE_MAX, NULL), 0);
	return text;
}

static const char *fact(const struct result_file *f, const char *name)
{
	for (size_t i = 0; i < RESULT_FACTS; i++) {
		if (strcmp(result_fact_names[i], name) == 0)
			return f->facts[i];
	}
	fail_msg("there is no fact %s", name);
	return NULL;
}

static void what_was_written_is_read_back(void **state)
{
	struct result_file f;
	size_t len;

	(void)state;
	free(write_result(true, &len));
	assert_int_equal(result_file_read(&f, path, NULL), 0);
	assert_string_equal(f.path, path);
	assert_string_equal(f.program, "aibench_run_inference_null");
	assert_string_equal(f.command_line, "aibench_run_inference_null -workers 3");
	assert_string_equal(fact(&f, "Workers"), "3");
	assert_string_equal(fact(&f, "Platform.CPUModel"), "Made Up 9000");
	assert_string_equal(fact(&f, "UseCase"), "creditcard-fraud");
	assert_null(fact(&f, "Platform.Governor"));
	assert_int_equal(f.start, 1700000000);
	assert_true(f.rate == 500);
	assert_int_equal(f.right, 999);
	assert_int_equal(f.wrong, 1);
	assert_int_equal(f.errors, 0);
	assert_int_equal(f.response.total, 1000);
	assert_int_equal(f.response.min, 11000);
	assert_int_equal(f.response.max, 1010000);
	result_file_release(&f);
	result_file_release(&f);
}

/* Each is a member that report_json writes, be it null: a name that is none would never differ between two runs. */
static void facts_are_members_of_the_report(void **state)
{
	struct result r;
	struct result_file f;
	json_t *root;

	(void)state;
	make_result(&r, true);
	r.scenario.settings.scenario = SCENARIO_SERVER;
	r.offered.process = "poisson";
	r.config[r.nconfig++] = (struct key_value){"model", "financialNet"};
	r.config[r.nconfig++] = (struct key_value){"protocol", "grpc"};
	audit_judge(&r);
	assert_int_equal(report_json(path, &r, NULL), 0);
	result_release(&r);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	for (size_t i = 0; i < RESULT_FACTS; i++) {
		char name[64];
		char *dot;
		const json_t *from = root;

		snprintf(name, sizeof(name), "%s", result_fact_names[i]);
		dot = strchr(name, '.');
		if (dot) {
			*dot = '\0';
			from = json_object_get(root, name);
		}
		if (!json_object_get(from, dot ? dot + 1 : name))
			fail_msg("the report has no %s", result_fact_names[i]);
	}
	json_decref(root);
	assert_int_equal(result_file_read(&f, path, NULL), 0);
	assert_string_equal(fact(&f, "Scenario.Name"), "Server");
	assert_string_equal(fact(&f, "DBSpecificConfigs"), "model financialNet, protocol grpc");
	result_file_release(&f);
}

/* The latency is counted from when a request was due; in a closed loop from when it was sent. */
static void response_of_a_closed_loop_is_its_service_time(void **state)
{
	struct result_file f;
	size_t len;

	(void)state;
	free(write_result(false, &len));
	assert_int_equal(result_file_read(&f, path, NULL), 0);
	assert_int_equal(f.response.min, 6000);
	result_file_release(&f);
}

static int parse(struct result_file *f, const char *text, struct error *err)
{
	return result_file_parse(f, "r.json", text, strlen(text), err);
}

/* text with the first `from` replaced; malloc'd. */
static char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	char *ret;

	assert_non_null(at);
	assert_true(asprintf(&ret, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from)) > 0);
	return ret;
}

/* text with this member, new or instead of the one that it has; malloc'd. */
static char *changed(const char *text, const char *name, const char *value)
{
	json_t *root = json_loads(text, 0, NULL);
	char *ret;

	assert_int_equal(json_object_set_new(root, name, json_loads(value, JSON_DECODE_ANY, NULL)), 0);
	ret = json_dumps(root, 0);
	json_decref(root);
	return ret;
}

static void arguments_and_verdict_are_read_where_there_are_any(void **state)
{
	struct result_file f;
	size_t len;
	char *text = write_result(true, &len), *bare, *more, *most;

	(void)state;
	bare = changed(text, "Arguments", "null");
	more = changed(text, "Arguments", "[\"-workers\", \"3\"]");
	most = changed(more, "Audit", "{\"Verdict\": \"CLIENT-LIMITED\"}");
	assert_int_equal(parse(&f, bare, NULL), 0);
	assert_null(f.arguments);
	assert_null(f.verdict);
	result_file_release(&f);
	assert_int_equal(parse(&f, most, NULL), 0);
	assert_int_equal(f.narguments, 2);
	assert_string_equal(f.arguments[1], "3");
	assert_null(f.arguments[2]);
	assert_string_equal(f.verdict, "CLIENT-LIMITED");
	result_file_release(&f);
	free(most);
	free(more);
	free(bare);
	free(text);
}

static void arguments_that_are_no_words_are_refused(void **state)
{
	static const char *const bad[][2] = {{"1", "is no array"}, {"[\"-x\", 1]", "an element that is no text"}};
	struct result_file f;
	size_t len;
	char *text = write_result(true, &len);

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *all = changed(text, "Arguments", bad[i][0]);
		struct error err = {""};

		assert_int_equal(parse(&f, all, &err), ERR_FORMAT);
		assert_non_null(strstr(err.text, bad[i][1]));
		free(all);
	}
	free(text);
}

static void what_is_no_result_says_why(void **state)
{
	static const struct {
		const char *from, *to, *why;
	} cases[] = {
		{"{", "", "no JSON"},
		{"\"Histograms\"", "\"Histogram\"", "no result of an aibench_run_inference program"},
		{"\"Program\": \"aibench_run_inference_null\"", "\"Program\": 7", "\"Program\" is no text"},
		{"\"Program\"", "\"Programme\"", "\"Program\" is not there"},
		{"\"Workers\": 3", "\"Workers\": [3]", "\"Workers\" is no plain value"},
		{"\"overallOpsRate\": 500", "\"overallOpsRate\": -1", "is no rate"},
		{"\"overallOpsRate\": 500", "\"overallOpsRate\": \"fast\"", "is no rate"},
		{"\"OK\": 999", "\"OK\": -1", "is no count"},
		{"\"OK\": 999", "\"OK\": 1e30", "is no count"},
		{"\"Interrupted\": false", "\"Interrupted\": 0", "neither true nor false"},
		{"{", "{\"Program\": \"x\",", "duplicate"},
	};
	struct result_file f = {.rate = 42};
	size_t len;
	char *text = write_result(true, &len);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *bad = replaced(text, cases[i].from, cases[i].to);
		struct error err = {""};

		if (parse(&f, bad, &err) >= 0)
			fail_msg("read: %s for %s", cases[i].to, cases[i].from);
		if (!strstr(err.text, cases[i].why) || strncmp(err.text, "r.json: ", 8) != 0)
			fail_msg("%s for %s: \"%s\" does not say \"%s\"", cases[i].to, cases[i].from, err.text,
				 cases[i].why);
		free(bad);
	}
	assert_true(f.rate == 42); /* untouched */
	free(text);
}

/* Counts, minimum and maximum stand beside the encoding: one that does not fit it is damage. */
static void histograms_that_contradict_themselves_are_refused(void **state)
{
	static const char *const cases[][2] = {
		{"\"Count\": 1000", "\"Count\": 1001"},  {"\"Saturated\": 0", "\"Saturated\": 1001"},
		{"\"Min\": 11000", "\"Min\": 0"},        {"\"Max\": 1010000", "\"Max\": 9223372036854775807"},
		{"\"Max\": 1010000", "\"Max\": 900000"}, {"HISTFAAA", "HISTFAAB"}};
	struct result_file f;
	size_t len;
	char *text = write_result(true, &len), *response = strstr(text, "\"Response\"");

	(void)state;
	assert_non_null(response);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *tail = replaced(response, cases[i][0], cases[i][1]), *bad;

		assert_true(asprintf(&bad, "%.*s%s", (int)(response - text), text, tail) > 0);
		if (parse(&f, bad, NULL) >= 0)
			fail_msg("read: %s", cases[i][1]);
		free(bad);
		free(tail);
	}
	free(text);
}

/* Of values in one bucket. */
static void a_minimum_above_the_maximum_is_refused(void **state)
{
	struct result r;
	struct stamps s = {.sent = 5, .received = 100025};
	struct result_file f;
	char *text, *from, *bad;
	size_t len;

	(void)state;
	make_result(&r, true);
	recorder_reset(&r.all);
	recorder_record(&r.all, &s, OUTCOME_OK, 1);
	assert_int_equal(report_json(path, &r, NULL), 0);
	result_release(&r);
	assert_int_equal(file_read(&text, &len, path, RESULT_FILE_MAX, NULL), 0);
	assert_int_equal(parse(&f, text, NULL), 0);
	assert_int_equal(f.response.min, 100025);
	result_file_release(&f);
	from = strstr(text, "\"Response\"");
	assert_non_null(from);
	bad = replaced(from, "\"Min\": 100025", "\"Min\": 100026");
	memcpy(from, bad, strlen(bad)); /* as long as before */
	assert_int_equal(parse(&f, text, NULL), ERR_FORMAT);
	free(bad);
	free(text);
}

static void a_file_cut_short_anywhere_is_refused(void **state)
{
	struct result_file f;
	size_t len;
	char *text = write_result(true, &len);

	(void)state;
	while (len > 0 && text[len - 1] != '}')
		len--;
	for (size_t n = 0; n < len; n++)
		assert_int_equal(result_file_parse(&f, "r.json", text, n, NULL), ERR_FORMAT);
	assert_int_equal(result_file_parse(&f, "r.json", text, len, NULL), 0);
	result_file_release(&f);
	free(text);
	assert_int_equal(result_file_read(&f, "/nonexistent/r.json", NULL), ERR_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_written_is_read_back),
		cmocka_unit_test(facts_are_members_of_the_report),
		cmocka_unit_test(response_of_a_closed_loop_is_its_service_time),
		cmocka_unit_test(arguments_and_verdict_are_read_where_there_are_any),
		cmocka_unit_test(arguments_that_are_no_words_are_refused),
		cmocka_unit_test(what_is_no_result_says_why),
		cmocka_unit_test(histograms_that_contradict_themselves_are_refused),
		cmocka_unit_test(a_minimum_above_the_maximum_is_refused),
		cmocka_unit_test(a_file_cut_short_anywhere_is_refused),
	};

	return cmocka_run_group_tests(tests, set_up, folder_tear_down);
}
