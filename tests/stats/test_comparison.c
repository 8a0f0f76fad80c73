/*
 * Two sides of runs: figures, exact merging, notes on set-ups and runs, limits and what breaks them, both reports.
 */
#include <jansson.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/clock.h"
#include "common/rng.h"
#include "stats/comparison.h"
#include "stats/fail_if.h"
#include "tests/support/process.h"

#define RUNS 6
#define REQUESTS 1000

static const struct difference_rules rules = {.confidence = 0.95};

static char **fact(struct result_file *f, const char *name)
{
	size_t i = 0;

	while (strcmp(result_fact_names[i], name) != 0)
		i++;
	return &f->facts[i];
}

/* A run of REQUESTS latencies about `latency` nanoseconds, 5 % to both sides; another one for each seed. */
static struct result_file make_run(double rate, double latency, uint64_t seed)
{
	struct result_file f = {.start = (int64_t)seed, .rate = rate, .right = REQUESTS};
	struct rng rng;

	rng_init(&rng, seed);
	assert_true(asprintf(&f.path, "run_%ju.json", (uintmax_t)seed) > 0);
	f.program = strdup("aibench_run_inference_null");
	*fact(&f, "Program") = strdup(f.program);
	*fact(&f, "Workers") = strdup("16");
	assert_int_equal(histogram_init_latency(&f.response), 0);
	for (int i = 0; i < REQUESTS; i++)
		histogram_record(&f.response, (int64_t)(latency * (0.95 + 0.1 * rng_double(&rng))));
	return f;
}

/* RUNS runs with a scatter of about 1 % between them. */
static void make_runs(struct result_file runs[RUNS], double rate, double latency, uint64_t seed)
{
	for (uint64_t i = 0; i < RUNS; i++) {
		double scatter = 0.01 * ((double)i - 2.5);

		runs[i] = make_run(rate * (1 - scatter), latency * (1 + scatter), seed + i);
	}
}

static void release_runs(struct result_file *runs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		result_file_release(&runs[i]);
}

/* B is 10 % faster to answer. */
struct pair_of_sides {
	struct result_file a[RUNS], b[RUNS];
	struct comparison c;
};

static void compare_sides(struct pair_of_sides *s, double rate_b, double latency_b)
{
	make_runs(s->a, 1000, 1e6, 100);
	make_runs(s->b, rate_b, latency_b, 200);
	assert_int_equal(comparison_make(&s->c, s->a, RUNS, s->b, RUNS, &rules, NULL), 0);
}

static void release_sides(struct pair_of_sides *s)
{
	comparison_release(&s->c);
	release_runs(s->a, RUNS);
	release_runs(s->b, RUNS);
}

static void figures_are_those_of_the_runs(void **state)
{
	struct pair_of_sides s;

	(void)state;
	compare_sides(&s, 900, 0.9e6);
	for (int i = 0; i < RUNS; i++) {
		assert_true(s.c.a.figures[METRIC_RATE][i] == s.a[i].rate);
		assert_true(s.c.b.figures[METRIC_P99][i] == (double)histogram_percentile(&s.b[i].response, 99) / 1e6);
		assert_true(s.c.b.figures[METRIC_P999][i] ==
			    (double)histogram_percentile(&s.b[i].response, 99.9) / 1e6);
		assert_true(s.c.a.figures[METRIC_MEAN][i] == histogram_mean(&s.a[i].response) / 1e6);
	}
	assert_int_equal(s.c.differences[METRIC_RATE].finding, FINDING_WORSE);
	for (enum comparison_metric m = METRIC_MEAN; m < METRICS; m++) {
		assert_int_equal(s.c.differences[m].finding, FINDING_BETTER);
		assert_true(s.c.differences[m].low < -9 && s.c.differences[m].high > -11);
	}
	release_sides(&s);
}

static void requests_of_a_side_are_merged_exactly(void **state)
{
	struct pair_of_sides s;
	const struct histogram *merged = &s.c.a.merged;

	(void)state;
	compare_sides(&s, 1000, 1e6);
	assert_int_equal(merged->total, RUNS * REQUESTS);
	for (uint32_t i = 0; i < merged->ncounts; i++) {
		uint64_t sum = 0;

		for (int k = 0; k < RUNS; k++)
			sum += s.a[k].response.counts[i];
		assert_int_equal(merged->counts[i], sum);
	}
	for (int k = 0; k < RUNS; k++) {
		assert_true(merged->min <= s.a[k].response.min);
		assert_true(merged->max >= s.a[k].response.max);
	}
	release_sides(&s);
}

static void check_notes(const struct comparison *c, const char *const *texts, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!c->notes.data || !strstr(c->notes.data, texts[i]))
			fail_msg("\"%s\" is not in the notes:\n%s", texts[i], c->notes.data ? c->notes.data : "");
	}
}

#define CHECK_NOTES(c, ...) \
	do { \
		static const char *const texts_[] = {__VA_ARGS__}; \
		check_notes(c, texts_, ARRAY_LEN(texts_)); \
	} while (0)

static void set_text(char **fact, const char *text)
{
	free(*fact);
	*fact = strdup(text);
}

static void reader_is_told_what_differs_and_what_went_wrong(void **state)
{
	struct pair_of_sides s;

	(void)state;
	make_runs(s.a, 1000, 1e6, 100);
	make_runs(s.b, 1000, 1e6, 200);
	assert_int_equal(comparison_make(&s.c, s.a, RUNS, s.b, RUNS, &rules, NULL), 0);
	assert_null(s.c.notes.data); /* nothing to say */
	comparison_release(&s.c);
	for (int i = 0; i < RUNS; i++)
		set_text(fact(&s.b[i], "Workers"), "32");
	set_text(fact(&s.a[3], "Program"), "aibench_run_inference_triton");
	set_text(&s.b[2].verdict, "CLIENT-LIMITED");
	set_text(&s.b[3].verdict, "VALID");
	set_text(&s.b[4].verdict, "CLIENT-LIMITED");
	set_text(&s.b[5].verdict, "TOO SHORT");
	s.a[0].errors = 3;
	s.a[1].errors = 4;
	s.b[0].timeouts = 2;
	s.b[5].unsent = 9;
	s.b[1].interrupted = true;
	s.b[4].stopped_by_error = true;
	assert_int_equal(comparison_make(&s.c, s.a, RUNS, s.b, RUNS, &rules, NULL), 0);
	CHECK_NOTES(&s.c, "A and B differ in Workers: 16 and 32\n", "A is no one set-up: Program is ",
		    "aibench_run_inference_triton in run_103.json", "A: 7 requests ended in errors",
		    "B: 2 requests timed out", "B: 9 requests were due and never sent\n",
		    "run_201.json: the run was interrupted\n", "run_204.json: an error stopped the run\n",
		    "B: 2 of 6 runs are CLIENT-LIMITED and not VALID: run_202.json says why\n",
		    "B: 1 of 6 runs are TOO SHORT and not VALID: run_205.json says why\n");
	assert_null(strstr(s.c.notes.data, "run_203.json"));
	release_sides(&s);
}

static void a_run_counts_once(void **state)
{
	struct result_file runs[] = {make_run(10, 1e6, 1), make_run(10, 1e6, 2), make_run(10, 1e6, 1)};
	struct error err = {""};
	struct comparison c;

	(void)state;
	assert_int_equal(comparison_make(&c, runs, 2, runs + 2, 1, &rules, &err), ERR_USAGE);
	assert_non_null(strstr(err.text, "the same run"));
	runs[2].start++;
	assert_int_equal(comparison_make(&c, runs, 1, runs + 2, 1, &rules, NULL), 0); /* equal, but another one */
	comparison_release(&c);
	assert_int_equal(comparison_make(&c, runs, 1, runs + 1, 1, &rules, NULL), 0);
	assert_int_equal(c.differences[METRIC_RATE].finding, FINDING_TOO_FEW);
	comparison_release(&c);
	assert_int_equal(comparison_make(&c, runs, 0, runs + 1, 1, &rules, &err), ERR_USAGE);
	assert_int_equal(comparison_make(&c, runs, 1, runs + 1, 2, &(struct difference_rules){0.95, true, 0}, &err),
			 ERR_USAGE);
	assert_non_null(strstr(err.text, "pairs"));
	release_runs(runs, ARRAY_LEN(runs));
}

static void runs_of_nothing_are_not_compared(void **state)
{
	struct result_file runs[2 * RUNS];
	struct comparison c;

	(void)state;
	make_runs(runs, 1000, 1e6, 1);
	make_runs(runs + RUNS, 1000, 1e6, 11);
	runs[0].rate = 0;
	histogram_reset(&runs[RUNS].response);
	assert_int_equal(comparison_make(&c, runs, RUNS, runs + RUNS, RUNS, &rules, NULL), 0);
	for (enum comparison_metric m = 0; m < METRICS; m++)
		assert_int_equal(c.differences[m].finding, FINDING_NO_FIGURE);
	comparison_release(&c);
	release_runs(runs, ARRAY_LEN(runs));
}

static void limits_are_read(void **state)
{
	struct fail_if f;
	char text[64];

	(void)state;
	assert_int_equal(fail_if_parse(&f, "", NULL), 0);
	assert_int_equal(f.n, 0);
	assert_int_equal(fail_if_parse(&f, "p99.9>+5%,rate<-2.5%,mean>-10%", NULL), 0);
	assert_int_equal(f.n, 3);
	assert_int_equal(f.limits[0].metric, METRIC_P999);
	assert_true(f.limits[0].above && f.limits[0].percent == 5);
	assert_int_equal(f.limits[1].metric, METRIC_RATE);
	assert_true(!f.limits[1].above && f.limits[1].percent == -2.5);
	assert_string_equal(limit_text(text, sizeof(text), &f.limits[1]), "rate<-2.5%");
	assert_string_equal(limit_text(text, sizeof(text), &f.limits[0]), "p99.9>+5%");
}

static void limits_that_are_none_say_why(void **state)
{
	static const char *const bad[][2] = {
		{"p99", "no < or >"},   {"p98>+5%", "metric"},
		{">+5%", "metric"},     {"p99>5%", "sign"},
		{"p99>+5", "%"},        {"p99>+x%", "number"},
		{"p99>+%", "number"},   {"p99>%", "sign"},
		{"p99>+5%,", "comma"},  {",p99>+5%", "no < or >"},
		{"rate<-100%", "-100"}, {"p99>+5%;rate<-2%", "number"},
		{"p99>=+5%", "sign"},   {"p99>+5% ,rate<-2%", "%"},
	};
	struct fail_if f = {.n = 7};
	char many[512] = "p50>+1%";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error err = {""};

		assert_int_equal(fail_if_parse(&f, bad[i][0], &err), ERR_USAGE);
		if (!strstr(err.text, bad[i][1]) || !strstr(err.text, "-fail-if"))
			fail_msg("%s: \"%s\" does not say \"%s\"", bad[i][0], err.text, bad[i][1]);
	}
	for (int i = 0; i < LIMITS_MAX; i++)
		strcat(many, ",p50>+1%");
	assert_int_equal(fail_if_parse(&f, many, NULL), ERR_USAGE);
	assert_int_equal(f.n, 7);
}

static enum limit_state judge(const struct comparison *c, const char *text)
{
	struct fail_if f;

	assert_int_equal(fail_if_parse(&f, text, NULL), 0);
	return limit_judge(&f, 0, c).state;
}

/* p99 is 10 % larger, give or take 2.4. */
static void a_limit_is_broken_when_the_whole_interval_is_beyond_it(void **state)
{
	struct pair_of_sides s;
	struct fail_if one, several;

	(void)state;
	compare_sides(&s, 1000, 1.1e6);
	assert_int_equal(judge(&s.c, "p99>+5%"), LIMIT_BROKEN);
	assert_int_equal(judge(&s.c, "p99>+9%"), LIMIT_OPEN);
	assert_int_equal(judge(&s.c, "p99>+11%"), LIMIT_OPEN);
	assert_int_equal(judge(&s.c, "p99>+15%"), LIMIT_KEPT);
	assert_int_equal(judge(&s.c, "p99<+5%"), LIMIT_KEPT);
	assert_int_equal(judge(&s.c, "p99<+15%"), LIMIT_BROKEN);
	assert_int_equal(judge(&s.c, "rate<-5%"), LIMIT_KEPT);
	assert_int_equal(judge(&s.c, "rate<-1%"), LIMIT_OPEN);
	/* Of several limits each has a wider interval. */
	assert_int_equal(fail_if_parse(&one, "p99>+5%", NULL), 0);
	assert_int_equal(fail_if_parse(&several, "p99>+5%,rate<-5%,p50>+20%", NULL), 0);
	assert_true(limit_judge(&several, 0, &s.c).low < limit_judge(&one, 0, &s.c).low);
	assert_true(limit_judge(&one, 0, &s.c).low == s.c.differences[METRIC_P99].low);
	assert_true(fail_if_fails(&one, &s.c, false));
	assert_int_equal(fail_if_parse(&one, "p99>+9%", NULL), 0);
	assert_false(fail_if_fails(&one, &s.c, true));
	release_sides(&s);
}

static void too_few_runs_break_nothing_but_strictly(void **state)
{
	struct result_file runs[8];
	struct fail_if f, none = {.n = 0};
	struct comparison c;

	(void)state;
	for (uint64_t i = 0; i < 8; i++)
		runs[i] = make_run(i < 4 ? 1000 : 500, i < 4 ? 1e6 : 2e6, i);
	assert_int_equal(comparison_make(&c, runs, 4, runs + 4, 4, &rules, NULL), 0);
	assert_int_equal(fail_if_parse(&f, "p99>+5%", NULL), 0);
	assert_int_equal(limit_judge(&f, 0, &c).state, LIMIT_TOO_FEW);
	assert_false(fail_if_fails(&f, &c, false));
	assert_true(fail_if_fails(&f, &c, true));
	assert_true(fail_if_fails(&none, &c, true));
	comparison_release(&c);
	release_runs(runs, ARRAY_LEN(runs));
}

/* Six pairs cannot show six figures at once, be they as clear as can be: the limit says what the table says. */
static void a_limit_and_the_table_agree_on_too_few_pairs(void **state)
{
	const struct difference_rules paired = {.confidence = 0.95, .paired = true};
	struct result_file runs[2 * RUNS];
	struct comparison c;

	(void)state;
	make_runs(runs, 1000, 1e6, 1);
	make_runs(runs + RUNS, 500, 2e6, 11);
	assert_int_equal(comparison_make(&c, runs, RUNS, runs + RUNS, RUNS, &paired, NULL), 0);
	assert_int_equal(c.differences[METRIC_RATE].finding, FINDING_TOO_FEW);
	assert_int_equal(judge(&c, "rate<-2%"), LIMIT_TOO_FEW);
	comparison_release(&c);
	release_runs(runs, ARRAY_LEN(runs));
}

/* Equal set-ups keep the limit: only what the permutation test calls a difference, too, breaks it. */
static void an_interval_alone_breaks_no_limit_that_equals_keep(void **state)
{
	struct pair_of_sides s;

	(void)state;
	compare_sides(&s, 900, 0.9e6);
	s.c.differences[METRIC_RATE].finding = FINDING_NONE;
	assert_int_equal(judge(&s.c, "rate<-5%"), LIMIT_OPEN);
	assert_int_equal(judge(&s.c, "rate<+5%"), LIMIT_BROKEN);
	release_sides(&s);
}

static void the_table_says_better_and_worse(void **state)
{
	struct pair_of_sides s;
	struct fail_if limits;
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	compare_sides(&s, 900, 0.9e6);
	assert_int_equal(fail_if_parse(&limits, "rate<-5%,p99>+5%", NULL), 0);
	comparison_write_text(out, &s.c, &limits);
	fclose(out);
	assert_non_null(strstr(text, "A: 6 runs of aibench_run_inference_null, 6000 requests (run_100.json ... "));
	assert_non_null(strstr(text, "  worse\n"));
	assert_non_null(strstr(text, "  better\n"));
	assert_non_null(strstr(text, "\nFail if rate<-5%: FAILED ("));
	assert_non_null(strstr(text, "\nFail if p99>+5%: no ("));
	free(text);
	release_sides(&s);
}

static void json_has_figures_differences_and_limits(void **state)
{
	struct pair_of_sides s;
	struct fail_if limits;
	char folder[256], path[300];
	json_t *root, *d;

	(void)state;
	temp_folder_new(folder, sizeof(folder));
	snprintf(path, sizeof(path), "%s/c.json", folder);
	compare_sides(&s, 900, 0.9e6);
	assert_int_equal(fail_if_parse(&limits, "rate<-5%", NULL), 0);
	assert_int_equal(comparison_write_json(path, &s.c, &limits, "aibench_compare a -- b", NULL), 0);
	root = json_load_file(path, 0, NULL);
	assert_non_null(root);
	d = json_object_get(json_object_get(root, "Differences"), "rate");
	assert_string_equal(json_string_value(json_object_get(d, "Finding")), "worse");
	assert_true(fabs(json_real_value(json_object_get(d, "DifferencePercent")) + 10) < 0.01);
	assert_true(json_is_true(json_object_get(json_array_get(json_object_get(root, "FailIf"), 0), "Failed")));
	d = json_object_get(json_object_get(root, "A"), "MergedResponse");
	assert_int_equal(json_integer_value(json_object_get(d, "Count")), RUNS * REQUESTS);
	d = json_object_get(json_object_get(json_object_get(root, "B"), "Figures"), "p50");
	assert_int_equal(json_array_size(d), RUNS);
	json_decref(root);
	temp_folder_remove(folder);
	release_sides(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(figures_are_those_of_the_runs),
		cmocka_unit_test(requests_of_a_side_are_merged_exactly),
		cmocka_unit_test(reader_is_told_what_differs_and_what_went_wrong),
		cmocka_unit_test(a_run_counts_once),
		cmocka_unit_test(runs_of_nothing_are_not_compared),
		cmocka_unit_test(limits_are_read),
		cmocka_unit_test(limits_that_are_none_say_why),
		cmocka_unit_test(a_limit_is_broken_when_the_whole_interval_is_beyond_it),
		cmocka_unit_test(too_few_runs_break_nothing_but_strictly),
		cmocka_unit_test(a_limit_and_the_table_agree_on_too_few_pairs),
		cmocka_unit_test(an_interval_alone_breaks_no_limit_that_equals_keep),
		cmocka_unit_test(the_table_says_better_and_worse),
		cmocka_unit_test(json_has_figures_differences_and_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
