/*
 * The command line, against the rules of Go's flag package.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/arith.h"
#include "common/clock.h"
#include "common/options.h"

struct config {
	bool flag, other;
	int64_t number;
	uint64_t count, port;
	double ratio;
	int64_t timeout;
	const char *name, *path, *password;
};

#define FIELD(f) offsetof(struct config, f)

static const struct option TABLE[] = {
	{"flag", OPTION_BOOL, FIELD(flag), "A flag.", 0, 0},
	{"other", OPTION_BOOL, FIELD(other), "Another flag.", 0, 0},
	{"n", OPTION_INT, FIELD(number), "A number.", 0, 0},
	{"count", OPTION_UINT, FIELD(count), "A count.", 0, 0},
	{"port", OPTION_UINT, FIELD(port), "A port.", 1, 65535},
	{"ratio", OPTION_DOUBLE, FIELD(ratio), "A ratio.", 0, INFINITY},
	{"timeout", OPTION_DURATION, FIELD(timeout), "A `wait`.", 1e6, 60e9},
	{"name", OPTION_STRING, FIELD(name), "A name.", 0, 0},
	{"path", OPTION_PATH, FIELD(path), "A path.", 0, 0},
	{"password", OPTION_SECRET, FIELD(password), "A password.", 0, 0},
	{"memprofile", OPTION_IGNORED, 0, "A profile.", 0, 0},
	{"strict", OPTION_IGNORED_BOOL, 0, "Strictness.", 0, 0},
	{0},
};

static const struct config DEFAULTS = {.number = 8,
				       .count = 3,
				       .port = 6379,
				       .ratio = 0.5,
				       .timeout = 30 * NSEC_PER_SEC,
				       .name = "x",
				       .password = "hush"};

/* One parsed command line with what was printed. */
struct run {
	struct config config;
	struct option_set set;
	struct options options;
	struct error err;
	int result;
	char *out, *note;
	size_t out_len, note_len;
};

static void run_with(struct run *r, const char *alias, const char *const *args, size_t nargs)
{
	char *argv[16] = {(char *)"program"};
	FILE *out, *note;

	*r = (struct run){.config = DEFAULTS};
	r->set = (struct option_set){TABLE, &r->config};
	r->options = (struct options){.program = "program", .sets = &r->set, .nsets = 1, .alias_version_off = alias};
	assert_true(nargs + 1 < ARRAY_LEN(argv));
	for (size_t i = 0; i < nargs; i++)
		argv[i + 1] = (char *)args[i];
	out = open_memstream(&r->out, &r->out_len);
	note = open_memstream(&r->note, &r->note_len);
	r->result = options_parse(&r->options, (int)nargs + 1, argv, out, note, &r->err);
	fclose(out);
	fclose(note);
}

static void run_release(struct run *r)
{
	options_release(&r->options);
	free(r->out);
	free(r->note);
}

#define RUN(r, ...) \
	do { \
		const char *const args_[] = {__VA_ARGS__}; \
		run_with(r, NULL, args_, ARRAY_LEN(args_)); \
	} while (0)

static void dashes_and_equals_are_the_same(void **state)
{
	static const char *const LINES[][2] = {{"-n", "5"}, {"--n", "5"}, {"-n=5", NULL}, {"--n=5", NULL}};
	struct run r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(LINES); i++) {
		run_with(&r, NULL, LINES[i], LINES[i][1] ? 2 : 1);
		assert_int_equal(r.result, OPTIONS_RUN);
		assert_int_equal(r.config.number, 5);
		run_release(&r);
	}
}

static void boolean_takes_no_following_word(void **state)
{
	static const char *const YES[] = {"-flag",      "-flag=1",    "-flag=t",    "-flag=T",
					  "-flag=true", "-flag=TRUE", "--flag=True"};
	static const char *const NO[] = {"-flag=0", "-flag=f", "-flag=F", "-flag=false", "-flag=FALSE", "-flag=False"};
	struct run r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(YES); i++) {
		RUN(&r, YES[i], "-other");
		assert_int_equal(r.result, OPTIONS_RUN);
		assert_true(r.config.flag && r.config.other);
		run_release(&r);
	}
	for (size_t i = 0; i < ARRAY_LEN(NO); i++) {
		RUN(&r, "-flag", NO[i]);
		assert_int_equal(r.result, OPTIONS_RUN);
		assert_false(r.config.flag);
		run_release(&r);
	}
	RUN(&r, "-flag", "false");
	assert_int_equal(r.result, ERR_USAGE);
	assert_non_null(strstr(r.err.text, "\"false\""));
	run_release(&r);
}

static void numbers_are_read_as_in_go(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		int64_t value;
	} CASES[] = {
		{"0", true, 0},
		{"-0", true, 0},
		{"+7", true, 7},
		{"0x1F", true, 31},
		{"0X1f", true, 31},
		{"-0x10", true, -16},
		{"0o17", true, 15},
		{"017", true, 15},
		{"0b101", true, 5},
		{"1_000_000", true, 1000000},
		{"0x_1F", true, 31},
		{"0_7", true, 7},
		{"9223372036854775807", true, INT64_MAX},
		{"-9223372036854775808", true, INT64_MIN},
		{"9223372036854775808", false, 0},
		{"-9223372036854775809", false, 0},
		{"18446744073709551616", false, 0},
		{"", false, 0},
		{"-", false, 0},
		{"08", false, 0},
		{"0x", false, 0},
		{"0x_", false, 0},
		{"0b2", false, 0},
		{"_1", false, 0},
		{"1_", false, 0},
		{"1__0", false, 0},
		{"--1", false, 0},
		{"1.0", false, 0},
		{"1e3", false, 0},
		{" 1", false, 0},
		{"1 ", false, 0},
		{"1k", false, 0},
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		RUN(&r, "-n", CASES[i].text);
		if (r.result != (CASES[i].ok ? OPTIONS_RUN : ERR_USAGE))
			fail_msg("\"%s\" gave %d", CASES[i].text, r.result);
		if (CASES[i].ok)
			assert_int_equal(r.config.number, CASES[i].value);
		else
			assert_non_null(strstr(r.err.text, "-n"));
		run_release(&r);
	}
}

static void unsigned_numbers_have_no_sign(void **state)
{
	struct run r;

	(void)state;
	RUN(&r, "-count", "18446744073709551615");
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_true(r.config.count == UINT64_MAX);
	run_release(&r);
	RUN(&r, "-count", "-1");
	assert_int_equal(r.result, ERR_USAGE);
	run_release(&r);
	RUN(&r, "-count", "+1");
	assert_int_equal(r.result, ERR_USAGE);
	run_release(&r);
}

static void fractions_are_read_as_in_go(void **state)
{
	static const struct {
		const char *text;
		bool ok;
		double value;
	} CASES[] = {
		{"1", true, 1},
		{".5", true, 0.5},
		{"5.", true, 5},
		{"+1e3", true, 1000},
		{"1E-3", true, 1e-3},
		{"0x1p4", true, 16},
		{"0x1.8p1", true, 3},
		{"1_000.5", true, 1000.5},
		{"010", true, 10},
		{"0x_1p0", true, 1},
		{"1e400", false, 0},
		{"inf", false, 0},
		{"nan", false, 0},
		{"0x1", false, 0},
		{"1e", false, 0},
		{".", false, 0},
		{"", false, 0},
		{"1_", false, 0},
		{"1_.5", false, 0},
		{"._5", false, 0},
		{" 1", false, 0},
		{"1f", false, 0},
		{"0x.p1", false, 0},
		{"1e_3", false, 0},
		{"-1", false, 0} /* out of the range */,
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		RUN(&r, "-ratio", CASES[i].text);
		if (r.result != (CASES[i].ok ? OPTIONS_RUN : ERR_USAGE))
			fail_msg("\"%s\" gave %d", CASES[i].text, r.result);
		if (CASES[i].ok)
			assert_true(r.config.ratio == CASES[i].value);
		run_release(&r);
	}
}

static void value_may_begin_with_a_dash(void **state)
{
	struct run r;

	(void)state;
	RUN(&r, "-n", "-5", "-name", "-n");
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_int_equal(r.config.number, -5);
	assert_string_equal(r.config.name, "-n");
	run_release(&r);
	RUN(&r, "-name=a=b", "-path=");
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_string_equal(r.config.name, "a=b");
	assert_string_equal(r.config.path, "");
	run_release(&r);
}

static void last_of_two_counts(void **state)
{
	struct run r;

	(void)state;
	RUN(&r, "-n=1", "-n=2", "--");
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_int_equal(r.config.number, 2);
	run_release(&r);
}

static void bad_line_names_what_is_wrong_and_changes_nothing(void **state)
{
	static const struct {
		const char *first, *second, *says;
	} CASES[] = {
		{"-n=1", "word", "\"word\""},
		{"-n=1", "-", "\"-\""},
		{"-n=1", "---n", "\"---n\""},
		{"-n=1", "-=1", "\"-=1\""},
		{"-n=1", "--=1", "\"--=1\""},
		{"-n=1", "-name", "-name needs a value"},
		{"-n=1", "-nosuch", "unknown option -nosuch"},
		{"-n=1", "-nosuch=3", "unknown option -nosuch "},
		{"-n=1", "-tiemout=1s", "did you mean -timeout?"},
		{"-n=1", "-port=0", "from 1 to 65535"},
		{"-n=1", "-port=65536", "from 1 to 65535"},
		{"-n=1", "-ratio=-0.1", "at least 0"},
		{"-n=1", "-timeout=0.5ms", "from 1ms to 1m0s"},
		{"-n=1", "-timeout=5", "duration"},
		{"-n=1", "-flag=yes", "invalid value \"yes\" for -flag"},
		{"-n=1", "-strict=yes", "-strict"},
		{"-n=9", "-n=1x", "invalid value \"1x\" for -n"},
	};
	struct run r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		RUN(&r, CASES[i].first, CASES[i].second);
		assert_int_equal(r.result, ERR_USAGE);
		if (!strstr(r.err.text, CASES[i].says))
			fail_msg("%s: %s", CASES[i].second, r.err.text);
		assert_null(strchr(r.err.text, '\n'));
		assert_true(r.config.number == DEFAULTS.number && !r.config.flag && r.config.port == DEFAULTS.port);
		assert_true(r.config.timeout == DEFAULTS.timeout && r.config.name == DEFAULTS.name);
		assert_int_equal(r.out_len, 0);
		run_release(&r);
	}
	RUN(&r, "--", "word");
	assert_int_equal(r.result, ERR_USAGE);
	run_release(&r);
}

static void home_is_expanded_in_paths_only(void **state)
{
	struct run r;

	(void)state;
	setenv("HOME", "/home/somebody", 1);
	RUN(&r, "-path=~/a/b", "-name=~/a", "-path", "~/c");
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_string_equal(r.config.path, "/home/somebody/c");
	assert_string_equal(r.config.name, "~/a");
	run_release(&r);
	RUN(&r, "-path=~a/~/b");
	assert_string_equal(r.config.path, "~a/~/b");
	run_release(&r);
	unsetenv("HOME");
	RUN(&r, "-path=~/a");
	assert_int_equal(r.result, ERR_USAGE);
	run_release(&r);
}

static void help_lists_every_option_with_its_default(void **state)
{
	static const char *const WORDS[] = {"-h", "--help", "-help", "--h", "-help=now"};
	struct run r;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(WORDS); i++) {
		RUN(&r, "-n=5", WORDS[i], "-nosuch");
		assert_int_equal(r.result, OPTIONS_HELP);
		for (const struct option *o = TABLE; o->name; o++) {
			char line[64];

			snprintf(line, sizeof(line), "\n  -%s", o->name);
			assert_non_null(strstr(r.out, line));
		}
		assert_non_null(strstr(r.out, "default 8"));
		assert_non_null(strstr(r.out, "default 6379, from 1 to 65535"));
		assert_non_null(strstr(r.out, "default 30s"));
		assert_non_null(strstr(r.out, "  -timeout wait\n        A wait."));
		assert_non_null(strstr(r.out, "default \"x\""));
		assert_null(strstr(r.out, "hush"));
		assert_int_equal(r.config.number, DEFAULTS.number);
		run_release(&r);
	}
}

static void error_before_help_wins(void **state)
{
	struct run r;

	(void)state;
	RUN(&r, "-nosuch", "-help");
	assert_int_equal(r.result, ERR_USAGE);
	run_release(&r);
}

static void version_is_printed_unless_v_is_taken(void **state)
{
	static const char *const V[] = {"-v"}, *const VERSION[] = {"--version"}, *const V_FALSE[] = {"-v=false"};
	struct run r;

	(void)state;
	run_with(&r, NULL, V, 1);
	assert_int_equal(r.result, OPTIONS_VERSION);
	assert_non_null(strstr(r.out, "program 0."));
	run_release(&r);
	run_with(&r, "flag", V, 1);
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_true(r.config.flag);
	run_release(&r);
	run_with(&r, "flag", V_FALSE, 1);
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_false(r.config.flag);
	run_release(&r);
	run_with(&r, "flag", VERSION, 1);
	assert_int_equal(r.result, OPTIONS_VERSION);
	run_release(&r);
}

static void ignored_options_are_noted(void **state)
{
	struct run r;

	(void)state;
	RUN(&r, "-memprofile", "out.prof", "-strict", "-n=4");
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_int_equal(r.config.number, 4);
	assert_non_null(strstr(r.note, "-memprofile"));
	assert_non_null(strstr(r.note, "-strict"));
	run_release(&r);
}

static void tables_make_one_command_line(void **state)
{
	struct other_config {
		int64_t depth;
	} other = {1};
	static const struct option OTHER[] = {{"depth", OPTION_INT, offsetof(struct other_config, depth), "", 0, 0},
					      {0}};
	struct config config = DEFAULTS;
	struct option_set sets[] = {{TABLE, &config}, {OTHER, &other}};
	struct options o = {.program = "program", .sets = sets, .nsets = 2};
	char *argv[] = {(char *)"program", (char *)"-depth=7", (char *)"-n=6"};
	struct error err;

	(void)state;
	assert_int_equal(options_parse(&o, 3, argv, stdout, stderr, &err), OPTIONS_RUN);
	assert_int_equal(other.depth, 7);
	assert_int_equal(config.number, 6);
	options_release(&o);
}

static void check_next(struct options *o, char *word, char *next, int words, const char *name, const char *value)
{
	char *argv[] = {(char *)"program", word, next, NULL};
	const struct option *opt = NULL;
	const char *found = "untouched";
	int n = options_next(o, next ? 3 : 2, argv, 1, &opt, &found);

	assert_int_equal(n, words);
	if (n == 0) {
		assert_null(opt);
		return;
	}
	assert_string_equal(opt->name, name);
	if (value)
		assert_string_equal(found, value);
	else
		assert_null(found);
}

static void a_command_line_is_walked_as_it_is_parsed(void **state)
{
	struct config config = DEFAULTS;
	struct option_set set = {TABLE, &config};
	struct options o = {.program = "program", .sets = &set, .nsets = 1, .alias_version_off = "flag"};
	char n[] = "-n", long_n[] = "--n=5", flag[] = "-flag", v[] = "-v", five[] = "5", unknown[] = "-nothing";

	(void)state;
	check_next(&o, n, five, 2, "n", "5");
	check_next(&o, n, n, 2, "n", "-n"); /* a value, whatever it looks like */
	check_next(&o, n, NULL, 0, NULL, NULL);
	check_next(&o, long_n, five, 1, "n", "5");
	check_next(&o, flag, five, 1, "flag", NULL);
	check_next(&o, v, five, 1, "flag", NULL);
	check_next(&o, unknown, five, 0, NULL, NULL);
	check_next(&o, five, five, 0, NULL, NULL);
	assert_int_equal(options_next(&o, 1, (char *[]){n, NULL}, 1, NULL, NULL), 0);
}

/* argv[0] is the program. */
static struct run words_of(const char *words, char **argv, int argc)
{
	struct run r = {.config = DEFAULTS};

	r.set = (struct option_set){TABLE, &r.config};
	r.options = (struct options){.program = "program", .sets = &r.set, .nsets = 1, .words = words};
	r.result = options_parse(&r.options, argc, argv, stdout, NULL, &r.err);
	options_release(&r.options);
	return r;
}

#define WORDS_OF(words, ...) \
	words_of(words, (char *[]){(char *)"program", __VA_ARGS__}, \
		 (int)ARRAY_LEN(((char *[]){(char *)"program", __VA_ARGS__})))

static void words_follow_the_options_where_a_program_takes_them(void **state)
{
	char n[] = "-n=5", flag[] = "-flag", dashes[] = "--", a[] = "a", dash[] = "-";
	struct run r;

	(void)state;
	r = WORDS_OF("FILE...", n, a, flag, dashes, a);
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_int_equal(r.options.first_word, 2);
	assert_true(r.config.number == 5 && !r.config.flag);
	r = WORDS_OF("FILE...", n, dashes, flag, dashes, a);
	assert_int_equal(r.result, OPTIONS_RUN);
	assert_int_equal(r.options.first_word, 3);
	assert_false(r.config.flag);
	r = WORDS_OF("FILE...", flag, dash, n);
	assert_int_equal(r.options.first_word, 2);
	r = WORDS_OF("FILE...", flag, n);
	assert_int_equal(r.options.first_word, 3);
	r = WORDS_OF("FILE...", flag, dashes);
	assert_int_equal(r.options.first_word, 3);
	r = WORDS_OF(NULL, n, a);
	assert_int_equal(r.result, ERR_USAGE);
	r = WORDS_OF("FILE...", (char *)"-unknown", a);
	assert_int_equal(r.result, ERR_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dashes_and_equals_are_the_same),
		cmocka_unit_test(boolean_takes_no_following_word),
		cmocka_unit_test(numbers_are_read_as_in_go),
		cmocka_unit_test(unsigned_numbers_have_no_sign),
		cmocka_unit_test(fractions_are_read_as_in_go),
		cmocka_unit_test(value_may_begin_with_a_dash),
		cmocka_unit_test(last_of_two_counts),
		cmocka_unit_test(bad_line_names_what_is_wrong_and_changes_nothing),
		cmocka_unit_test(home_is_expanded_in_paths_only),
		cmocka_unit_test(help_lists_every_option_with_its_default),
		cmocka_unit_test(error_before_help_wins),
		cmocka_unit_test(version_is_printed_unless_v_is_taken),
		cmocka_unit_test(ignored_options_are_noted),
		cmocka_unit_test(tables_make_one_command_line),
		cmocka_unit_test(a_command_line_is_walked_as_it_is_parsed),
		cmocka_unit_test(words_follow_the_options_where_a_program_takes_them),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
