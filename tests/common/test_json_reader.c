/*
 * test_json_reader.c - JSON texts are read as they are, and what is none is refused where it stops being one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/json_reader.h"

/* A reader over a copy that ends where its memory does, so that a sanitizer sees a byte too many. */
struct text {
	struct json_reader r;
	struct error err;
	char *copy;
};

static void open_text(struct text *t, const char *text, size_t len)
{
	*t = (struct text){.copy = malloc(len + 1)};
	assert_non_null(t->copy);
	memcpy(t->copy, text, len);
	t->copy[len] = '\0';
	json_open(&t->r, t->copy, len, &t->err);
}

static int skip_all(const char *text, size_t len, struct error *ret_err)
{
	struct text t;
	int r;

	open_text(&t, text, len);
	json_skip(&t.r);
	r = json_close(&t.r);
	if (ret_err)
		*ret_err = t.err;
	free(t.copy);
	return r;
}

static const char *const VALID[] = {
	"0",
	"-0",
	"-0.5e+10",
	"1E5",
	"12345678901234567890",
	"1e-400",
	" [ ] ",
	"{}",
	"[[[[]]]]",
	"{\"a\":{\"b\":[1,2,{\"c\":null}]},\"d\":true,\"e\":false}",
	"\"\"",
	"\"caf\xc3\xa9 \\u00e9 \\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t\"",
	"\t[\r\n1 , 2 ]\n",
	"[null,true,false]",
};

static const char *const INVALID[] = {
	"",
	" ",
	"[",
	"]",
	"[1",
	"[1,",
	"[1,]",
	"[,1]",
	"[1 2]",
	"{",
	"{\"a\"",
	"{\"a\":",
	"{\"a\":1",
	"{\"a\":1,",
	"{\"a\":1,}",
	"{a:1}",
	"{\"a\" 1}",
	"[1}",
	"{\"a\":1]",
	"01",
	"+1",
	".5",
	"1.",
	"1.e5",
	"1e",
	"1e+",
	"-",
	"--1",
	"0x10",
	"1_000",
	"tru",
	"truex",
	"nul",
	"nan",
	"1 2",
	"[] []",
	"\"",
	"\"\\\"",
	"\"\\x\"",
	"\"\\u12\"",
	"\"\\u12g4\"",
	"\"\\ud83d\"",
	"\"\\ud83d\\u0041\"",
	"\"\\ude00\"",
	"\"\n\"",
	"\"\xc3\"",
	"\"\xff\"",
	"'a'",
	"[1]x",
	"/* */ 1",
	"\xef\xbb\xbf[1]",
};

static void valid_texts_are_read_and_others_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(VALID); i++) {
		struct error err = {0};

		if (skip_all(VALID[i], strlen(VALID[i]), &err) < 0)
			fail_msg("%s was refused: %s", VALID[i], err.text);
	}
	for (size_t i = 0; i < ARRAY_LEN(INVALID); i++) {
		if (skip_all(INVALID[i], strlen(INVALID[i]), NULL) == 0)
			fail_msg("%s was read", INVALID[i]);
	}
}

/* Cut at every byte, the text is refused; another reader agrees with each judgement (numbers apart may be whole). */
static void text_cut_at_any_byte_is_judged_as_by_jansson(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(VALID); i++) {
		for (size_t len = 0; len <= strlen(VALID[i]); len++) {
			json_t *other = json_loadb(VALID[i], len,
						   JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
			int r = skip_all(VALID[i], len, NULL);

			if ((other != NULL) != (r == 0))
				fail_msg("%.*s: %s here, %s there", (int)len, VALID[i], r == 0 ? "read" : "refused",
					 other ? "read" : "refused");
			json_decref(other);
		}
	}
}

static void error_names_the_byte(void **state)
{
	struct error err;

	(void)state;
	assert_int_equal(skip_all("[1, 2,, 3]", 10, &err), ERR_FORMAT);
	assert_string_equal(err.text, "JSON, byte 7: a value expected");
	assert_int_equal(skip_all("[1, 2", 5, &err), ERR_FORMAT);
	assert_string_equal(err.text, "JSON, byte 6: the text ends within a value");
}

static void strings_are_decoded_in_place(void **state)
{
	static const char TEXT[] = "[\"a\\u0041\\n\", \"\\ud83d\\ude00\", \"x\\u0000y\", \"\"]";
	static const struct json_string want[] = {{"aA\n", 3}, {"\xf0\x9f\x98\x80", 4}, {"x\0y", 3}, {"", 0}};
	struct json_string got;
	struct text t;
	size_t n = 0;

	(void)state;
	open_text(&t, TEXT, strlen(TEXT));
	assert_int_equal(json_enter(&t.r, JSON_KIND_ARRAY), 0);
	for (; json_next_element(&t.r); n++) {
		assert_int_equal(json_read_string(&t.r, &got), 0);
		assert_int_equal(got.len, want[n].len);
		assert_memory_equal(got.text, want[n].text, got.len);
	}
	assert_int_equal(json_close(&t.r), 0);
	assert_int_equal(n, 4);
	free(t.copy);
}

/* A later member says how to read an earlier one. */
static void a_copy_reads_again_what_was_skipped(void **state)
{
	static const char TEXT[] = "{\"data\": [7, \"\\u0041\"], \"kind\": 1}";
	struct json_reader mark = {0};
	struct json_string name, text;
	struct text t;
	int64_t number;

	(void)state;
	open_text(&t, TEXT, strlen(TEXT));
	json_enter(&t.r, JSON_KIND_OBJECT);
	while (json_next_member(&t.r, &name)) {
		if (json_string_is(&name, "data"))
			mark = t.r;
		json_skip(&t.r);
	}
	assert_int_equal(json_close(&t.r), 0);
	json_enter(&mark, JSON_KIND_ARRAY);
	assert_true(json_next_element(&mark));
	assert_int_equal(json_read_int(&mark, &number), 0);
	assert_int_equal(number, 7);
	assert_true(json_next_element(&mark));
	assert_int_equal(json_read_string(&mark, &text), 0);
	assert_true(json_string_is(&text, "A"));
	assert_false(json_next_element(&mark));
	assert_int_equal(mark.result, 0);
	free(t.copy);
}

static void numbers_are_read_as_their_type(void **state)
{
	static const char TEXT[] = "[1.5, -0, 1e-3, 3, NaN, -Infinity, -9223372036854775808, 18446744073709551615]";
	struct text t;
	double wide;
	float single;
	int64_t integer;
	uint64_t natural;

	(void)state;
	open_text(&t, TEXT, strlen(TEXT));
	json_enter(&t.r, JSON_KIND_ARRAY);
	assert_true(json_next_element(&t.r) && json_read_float(&t.r, &single) == 0 && single == 1.5f);
	assert_true(json_next_element(&t.r) && json_read_double(&t.r, &wide) == 0 && wide == 0 && signbit(wide));
	assert_true(json_next_element(&t.r) && json_read_double(&t.r, &wide) == 0 && wide == 1e-3);
	assert_true(json_next_element(&t.r) && json_read_float(&t.r, &single) == 0 && single == 3.0f);
	assert_true(json_next_element(&t.r) && json_read_float(&t.r, &single) == 0 && isnan(single));
	assert_true(json_next_element(&t.r) && json_read_double(&t.r, &wide) == 0 && wide == -INFINITY);
	assert_true(json_next_element(&t.r) && json_read_int(&t.r, &integer) == 0 && integer == INT64_MIN);
	assert_true(json_next_element(&t.r) && json_read_uint(&t.r, &natural) == 0 && natural == UINT64_MAX);
	assert_false(json_next_element(&t.r));
	assert_int_equal(json_close(&t.r), 0);
	free(t.copy);
}

static void numbers_beyond_their_type_are_refused(void **state)
{
	static const struct {
		const char *text;
		int want;
		char type;
	} rows[] = {
		{"1e39", ERR_RANGE, 'f'},
		{"1e309", ERR_RANGE, 'd'},
		{"9223372036854775808", ERR_RANGE, 'i'},
		{"-9223372036854775809", ERR_RANGE, 'i'},
		{"18446744073709551616", ERR_RANGE, 'u'},
		{"-1", ERR_RANGE, 'u'},
		{"1.0", ERR_FORMAT, 'i'},
		{"1e2", ERR_FORMAT, 'i'},
		{"\"1\"", ERR_FORMAT, 'f'},
		{"true", ERR_FORMAT, 'i'},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t;
		double wide;
		float single;
		int64_t integer;
		uint64_t natural;
		int r;

		open_text(&t, rows[i].text, strlen(rows[i].text));
		r = rows[i].type == 'f'   ? json_read_float(&t.r, &single)
		    : rows[i].type == 'd' ? json_read_double(&t.r, &wide)
		    : rows[i].type == 'i' ? json_read_int(&t.r, &integer)
					  : json_read_uint(&t.r, &natural);
		if (r != rows[i].want)
			fail_msg("%s gave %d: %s", rows[i].text, r, t.err.text);
		free(t.copy);
	}
}

static void nesting_is_limited(void **state)
{
	char text[2 * JSON_DEPTH_MAX + 3];

	(void)state;
	memset(text, '[', JSON_DEPTH_MAX);
	memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_int_equal(skip_all(text, (size_t)2 * JSON_DEPTH_MAX, NULL), 0);
	memset(text, '[', JSON_DEPTH_MAX + 1);
	memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_int_equal(skip_all(text, (size_t)2 * JSON_DEPTH_MAX + 2, NULL), ERR_RANGE);
}

static void nothing_is_read_after_a_failure(void **state)
{
	struct json_string name;
	struct text t;
	int64_t number;

	(void)state;
	open_text(&t, "{\"a\": x, \"b\": 1}", 16);
	json_enter(&t.r, JSON_KIND_OBJECT);
	assert_true(json_next_member(&t.r, &name));
	assert_int_equal(json_read_int(&t.r, &number), ERR_FORMAT);
	assert_int_equal(json_skip(&t.r), ERR_FORMAT);
	assert_false(json_next_member(&t.r, &name));
	assert_int_equal(json_kind(&t.r), JSON_KIND_BAD);
	assert_int_equal(json_fail(&t.r, ERR_NOMEM, "later"), ERR_FORMAT);
	assert_int_equal(json_close(&t.r), ERR_FORMAT);
	assert_string_equal(t.err.text, "JSON, byte 7: a number expected");
	free(t.copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(valid_texts_are_read_and_others_refused),
		cmocka_unit_test(text_cut_at_any_byte_is_judged_as_by_jansson),
		cmocka_unit_test(error_names_the_byte),
		cmocka_unit_test(strings_are_decoded_in_place),
		cmocka_unit_test(a_copy_reads_again_what_was_skipped),
		cmocka_unit_test(numbers_are_read_as_their_type),
		cmocka_unit_test(numbers_beyond_their_type_are_refused),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(nothing_is_read_after_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
