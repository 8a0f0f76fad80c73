/*
 * test_replay.c - a result file alone is enough to run again what it tells of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/arith.h"
#include "tests/e2e/e2e.h"
#include "tests/e2e/result_json.h"

static bool has_argument(const json_t *j, const char *word)
{
	const json_t *words = value_at(j, "Arguments"), *w;
	size_t i;

	assert_true(json_is_array(words));
	json_array_foreach(words, i, w)
	{
		if (strcmp(json_string_value(w), word) == 0)
			return true;
	}
	return false;
}

static void a_run_is_repeated_with_all_its_options(void **state)
{
	json_t *first, *again;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-workers", "7", "--threads=2", "-max-queries=300",
			  "-burn-in=20", "-batch-size=4", "-json-out-file=first.json"));
	run_quietly(WORDS(NULL_RUN, "-replay", "first.json", "-json-out-file=again.json"));
	first = read_json("first.json");
	again = read_json("again.json");
	for (size_t i = 0; i < 4; i++) {
		static const char *const names[] = {"Workers", "Limit", "BurnIn", "TensorBatchSize"};

		assert_int_equal(integer_at(first, names[i]), integer_at(again, names[i]));
	}
	assert_int_equal(integer_at(again, "Workers"), 7);
	/* What is replayed can be replayed again: it has the options themselves, and none of the files of the first. */
	assert_true(has_argument(again, "--threads=2"));
	assert_true(has_argument(again, files.data));
	assert_true(has_argument(again, "-json-out-file=again.json"));
	assert_false(has_argument(again, "-json-out-file=first.json"));
	assert_false(has_argument(again, "-replay"));
	json_decref(first);
	json_decref(again);
}

static void options_beside_it_win(void **state)
{
	json_t *j;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-workers=7", "-burn-in=20", "-json-out-file=wins.json"));
	run_quietly(WORDS(NULL_RUN, "-workers=3", "-replay=wins.json", "-json-out-file=won.json"));
	j = read_json("won.json");
	assert_int_equal(integer_at(j, "Workers"), 3);
	assert_int_equal(integer_at(j, "BurnIn"), 20);
	json_decref(j);
}

static void what_it_wrote_is_not_replaced(void **state)
{
	char *before, *after;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-json-out-file=kept.json", "-csv-out-file=kept.csv"));
	before = read_file("kept.csv", NULL);
	run_quietly(WORDS(NULL_RUN, "-replay=kept.json"));
	after = read_file("kept.csv", NULL);
	assert_string_equal(before, after);
	free(before);
	free(after);
	run_fails(2, WORDS(NULL_RUN, "-replay=kept.json", "-json-out-file=./kept.json"), NULL,
		  WORDS("-json-out-file", "-replay", "kept.json"));
}

static void secrets_are_given_again(void **state)
{
	struct redis_server s;
	char *json;

	(void)state;
	redis_server_start(&s, WORDS("--requirepass", "hunter2"));
	run_quietly(WORDS(SET_RUN, "-host=127.0.0.1", "-port", s.port_text, "-file", files.data, "-password", "hunter2",
			  "-json-out-file=secret.json"));
	run_fails(2, WORDS(SET_RUN, "-replay=secret.json"), NULL, WORDS("-replay secret.json", "-password", "again"));
	run_quietly(WORDS(SET_RUN, "-replay=secret.json", "-password=hunter2", "-json-out-file=secret-again.json"));
	json = read_file("secret-again.json", NULL);
	assert_null(strstr(json, "hunter2"));
	check_holds(json, WORDS("-password=***"));
	free(json);
	redis_server_stop(&s, false);
}

static void the_environment_s_password_is_enough(void **state)
{
	const struct process_options with_password = {.env = WORDS("REDISCLI_AUTH=hunter2")};
	struct redis_server s;
	struct process_result r;

	(void)state;
	redis_server_start(&s, WORDS("--requirepass", "hunter2"));
	run_quietly(WORDS(SET_RUN, "-host=127.0.0.1", "-port", s.port_text, "-file", files.data, "-password", "hunter2",
			  "-json-out-file=secret.json"));
	run_ok(&r, WORDS(SET_RUN, "-replay=secret.json"), &with_password);
	process_result_release(&r);
	redis_server_stop(&s, false);
}

/* One run of a series is one run. */
static void a_run_of_a_series_is_repeated_alone(void **state)
{
	static const struct {
		const char *series[6], *file, *member;
		long long value;
	} cases[] = {
		{{"-sweep=workers=1,3;batch=2", "-repetitions=2"}, "point_workers_3_batch_2_run_2.json", "Workers", 3},
		{{"-sweep", "rate=5000,8000", "-repeat=false"}, "point_rate_8000.json", "MaxRps", 8000},
		{{"-repetitions", "2", "-workers=4"}, "point_run_2.json", "Workers", 4},
		{{"-search=max-rate", "-slo=p50<=5s", "-search-range=500..2000", "-probe-duration=100ms",
		  "-duration=200ms"},
		 "point_rate_2000.json",
		 "MaxRps",
		 2000},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *const *s = cases[i].series;
		struct process_result r;
		json_t *j;

		run_quietly(WORDS(NULL_RUN, "-file", files.data, NO_HISTOGRAM, "-json-out-file=point.json",
				  "-summary-out-file=summary.json", s[0], s[1], s[2], s[3], s[4]));
		run_ok(&r, WORDS(NULL_RUN, "-replay", cases[i].file, NO_HISTOGRAM, "-json-out-file=alone.json"), NULL);
		assert_null(strstr(r.out, "== "));
		process_result_release(&r);
		j = read_json("alone.json");
		assert_int_equal(integer_at(j, cases[i].member), cases[i].value);
		assert_int_equal(integer_at(j, "Repetitions"), 1);
		json_decref(j);
	}
}

static void results_of_others_are_refused_by_name(void **state)
{
	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-json-out-file=other.json"));
	run_fails(2, WORDS(SET_RUN, "-replay=other.json"), NULL, WORDS("other.json", NULL_RUN));
	write_file("no-result.json", "{\"Program\": 1}", 14);
	run_fails(1, WORDS(NULL_RUN, "-replay=no-result.json"), NULL, WORDS("no-result.json"));
	run_fails(1, WORDS(NULL_RUN, "-replay=not-there.json"), NULL, WORDS("not-there.json"));
}

/* The result of a program that kept only the line. */
static void without_arguments_there_is_nothing_to_repeat(void **state)
{
	json_t *j;

	(void)state;
	run_quietly(WORDS(NULL_RUN, "-file", files.data, "-workers=5", "-json-out-file=line.json"));
	j = read_json("line.json");
	json_object_del(j, "Arguments");
	assert_int_equal(json_dump_file(j, "line-only.json", 0), 0);
	json_decref(j);
	run_fails(1, WORDS(NULL_RUN, "-replay=line-only.json"), NULL,
		  WORDS("line-only.json", "does not keep its arguments", "-workers=5"));
}

static void another_dataset_is_told_of(void **state)
{
	struct process_result r;
	size_t len;
	char *rows = read_file(files.data, &len);

	(void)state;
	write_file("rows.dat", rows, len);
	run_quietly(WORDS(NULL_RUN, "-file=rows.dat", "-json-out-file=rows.json"));
	run_ok(&r, WORDS(NULL_RUN, "-replay=rows.json"), NULL);
	assert_string_equal(r.err, "");
	process_result_release(&r);
	rows[100] ^= 1;
	write_file("rows.dat", rows, len - len / 2);
	run_ok(&r, WORDS(NULL_RUN, "-replay=rows.json"), NULL);
	check_holds(r.err,
		    WORDS("note: -replay rows.json: the dataset's size was ", "checksum of the dataset's beginning"));
	process_result_release(&r);
	free(rows);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_repeated_with_all_its_options),
		cmocka_unit_test(options_beside_it_win),
		cmocka_unit_test(what_it_wrote_is_not_replaced),
		cmocka_unit_test(secrets_are_given_again),
		cmocka_unit_test(the_environment_s_password_is_enough),
		cmocka_unit_test(a_run_of_a_series_is_repeated_alone),
		cmocka_unit_test(results_of_others_are_refused_by_name),
		cmocka_unit_test(without_arguments_there_is_nothing_to_repeat),
		cmocka_unit_test(another_dataset_is_told_of),
	};

	return cmocka_run_group_tests_name("replay", tests, fraud_files_set_up, fraud_files_tear_down);
}
