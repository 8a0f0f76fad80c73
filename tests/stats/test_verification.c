/*
 * test_verification.c - which mismatches are kept, and what is told of them.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/rng.h"
#include "stats/json_writer.h"
#include "stats/verification.h"

static void note(struct verification *v, uint64_t request, uint64_t row)
{
	v->wrong++;
	v->compared++;
	verification_note(v, &(struct mismatch){.request = request, .row = row, .got = 0.5F});
}

static void the_lowest_request_numbers_are_kept_in_order(void **state)
{
	struct rng rng;
	uint64_t order[50];

	(void)state;
	rng_init(&rng, 1);
	for (unsigned round = 0; round < 20; round++) {
		struct verification v = {.show = round % 10 + 1}, parts[3] = {0}, sum = {.show = v.show};

		for (unsigned i = 0; i < 50; i++) {
			unsigned j = (unsigned)rng_below(&rng, i + 1);

			order[i] = order[j];
			order[j] = i;
		}
		for (unsigned i = 0; i < 3; i++)
			parts[i].show = v.show;
		for (unsigned i = 0; i < 50; i++) {
			note(&v, order[i] / 2, order[i]); /* two rows a request */
			note(&parts[order[i] / 2 % 3], order[i] / 2, order[i]);
		}
		assert_int_equal(v.nfirst, v.show);
		for (unsigned i = 0; i < v.nfirst; i++)
			assert_int_equal(v.first[i].row, i);
		for (unsigned i = 0; i < 3; i++)
			verification_add(&sum, &parts[i]);
		assert_int_equal(sum.wrong, 50);
		assert_int_equal(sum.nfirst, v.nfirst);
		assert_memory_equal(sum.first, v.first, v.nfirst * sizeof(v.first[0]));
	}
}

static void none_are_kept_where_none_are_shown(void **state)
{
	struct verification v = {.show = 0};

	(void)state;
	note(&v, 1, 1);
	assert_int_equal(v.nfirst, 0);
	assert_int_equal(v.wrong, 1);
	v.show = MISMATCHES_MAX + 1;
	for (unsigned i = 0; i < MISMATCHES_MAX + 10; i++)
		note(&v, i, i);
	assert_int_equal(v.nfirst, MISMATCHES_MAX);
}

/* Not inlined: gcc 12 then takes what open_memstream left in text for a pointer to text. */
__attribute__((noinline)) static char *written(const struct verification *v, const struct recording *r, bool json)
{
	char *text = NULL;
	size_t len;
	struct json_writer w = {.out = open_memstream(&text, &len)};

	assert_non_null(w.out);
	if (json) {
		json_begin(&w, NULL);
		verification_write_json(&w, v);
		recording_write_json(&w, r);
		json_end(&w);
	} else {
		verification_write_text(w.out, v);
		recording_write_text(w.out, r);
	}
	assert_int_equal(fclose(w.out), 0);
	return text;
}

static void says(const struct verification *v, const struct recording *r, const char *expected)
{
	char *text = written(v, r, false);

	assert_string_equal(text, expected);
	free(text);
}

static struct verification some_wrong(void)
{
	return (struct verification){
		.file = "a.answers",
		.share = 0.5,
		.tolerance = 1e-5,
		.relative_tolerance = 0.001,
		.answers = 1000,
		.compared = 490,
		.wrong = 3,
		.missing = 2,
		.same_class = 488,
		.largest_difference = 0.25,
		.nfirst = 2,
		.first = {{.request = 7, .row = 21, .value = 1, .got = 0.75F, .expected = 0.5F},
			  {.request = 9, .row = 4, .count = true, .got = 10, .expected = 1001}},
	};
}

static void the_report_says_how_many_and_which(void **state)
{
	struct verification v = some_wrong();
	const struct recording none = {0};

	(void)state;
	says(&v, &none,
	     "Verified: 490 of 1000 answers compared with a.answers (share 50 %, tolerance 1e-05 and 0.001 of the "
	     "expected value): 3 wrong, largest difference 0.25, the same class in 488\n"
	     "  row 21: value 1 is 0.75, expected 0.5, difference 0.25\n"
	     "  row 4: 10 values, expected 1001\n"
	     "  and 1 more\n"
	     "Warning: 2 answers could not be compared: a.answers has no answer to their rows\n");
	v = (struct verification){.file = "b", .share = 1, .answers = 5, .compared = 5, .largest_difference = 1e-7};
	says(&v, &none,
	     "Verified: 5 of 5 answers compared with b (tolerance 0): all right, largest difference 1e-07, the same "
	     "class in 0\n");
	v.compared = 0;
	says(&v, &none, "Verified: 0 of 5 answers compared with b (tolerance 0): nothing is known of them\n");
	v.file = NULL;
	says(&v, &none, "");
}

static void a_recording_run_is_marked(void **state)
{
	const struct verification none = {0};

	(void)state;
	says(&none, &(struct recording){.file = "c", .rows = 10, .recorded = 9, .refused = 1},
	     "Recorded: answers to 9 of 10 rows, in c\n"
	     "Warning: 1 answer was not recorded: row ids must go on by 1, and all rows be answered with as many "
	     "values\n"
	     "Warning: a recording run: keeping the answers costs the client time, do not publish its figures\n");
}

static void json_has_the_same(void **state)
{
	struct verification v = some_wrong();
	const struct recording r = {.file = "c", .rows = 10, .recorded = 9, .refused = 1}, none = {0};
	char *text = written(&v, &r, true);

	(void)state;
	assert_string_equal(text, "{\n"
				  " \"Verification\": {\n"
				  "  \"File\": \"a.answers\",\n"
				  "  \"Share\": 0.5,\n"
				  "  \"Tolerance\": 1e-05,\n"
				  "  \"RelativeTolerance\": 0.001,\n"
				  "  \"Answers\": 1000,\n"
				  "  \"Compared\": 490,\n"
				  "  \"Wrong\": 3,\n"
				  "  \"Missing\": 2,\n"
				  "  \"SameClass\": 488,\n"
				  "  \"LargestDifference\": 0.25,\n"
				  "  \"FirstWrong\": [\n"
				  "   {\n"
				  "    \"Request\": 7,\n"
				  "    \"Row\": 21,\n"
				  "    \"Value\": 1,\n"
				  "    \"Got\": 0.75,\n"
				  "    \"Expected\": 0.5,\n"
				  "    \"Difference\": 0.25\n"
				  "   },\n"
				  "   {\n"
				  "    \"Request\": 9,\n"
				  "    \"Row\": 4,\n"
				  "    \"Values\": 10,\n"
				  "    \"ExpectedValues\": 1001\n"
				  "   }\n"
				  "  ]\n"
				  " },\n"
				  " \"Recording\": {\n"
				  "  \"File\": \"c\",\n"
				  "  \"Rows\": 10,\n"
				  "  \"Recorded\": 9,\n"
				  "  \"Refused\": 1\n"
				  " }\n"
				  "}\n");
	free(text);
	v.first[0].got = NAN; /* a difference that is no number */
	text = written(&v, &none, true);
	assert_non_null(strstr(text, "\"Difference\": null"));
	assert_non_null(strstr(text, "\"Recording\": null"));
	free(text);
	v.file = NULL;
	text = written(&v, &none, true);
	assert_string_equal(text, "{\n \"Verification\": null,\n \"Recording\": null\n}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lowest_request_numbers_are_kept_in_order),
		cmocka_unit_test(none_are_kept_where_none_are_shown),
		cmocka_unit_test(the_report_says_how_many_and_which),
		cmocka_unit_test(a_recording_run_is_marked),
		cmocka_unit_test(json_has_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
