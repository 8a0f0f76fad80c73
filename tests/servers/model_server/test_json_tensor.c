/*
 * test_json_tensor.c - nested lists become tensors of the right shape and bits, and tensors nested lists again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/rng.h"
#include "servers/model_server/json_tensor.h"

/* Reads text as one tensor; with `rows` its elements one by one. */
static int read_tensor(const char *text, enum dtype dtype, bool rows, struct tensor **ret, struct error *err)
{
	size_t len = strlen(text);
	char *copy = strdup(text);
	struct json_tensor t = {0};
	struct json_reader r;
	int result;

	assert_non_null(copy);
	assert_int_equal(json_tensor_start(&t, dtype), 0);
	json_open(&r, copy, len, err);
	if (rows) {
		json_enter(&r, JSON_KIND_ARRAY);
		while (json_next_element(&r))
			json_tensor_read_row(&t, &r);
	} else {
		json_tensor_read(&t, &r);
	}
	result = json_close(&r);
	if (result == 0)
		result = json_tensor_finish(&t, ret, NULL, 0, err);
	json_tensor_release(&t);
	free(copy);
	return result;
}

static void check_shape(const struct tensor *t, const char *want)
{
	char text[128] = "";
	size_t n = 0;

	for (unsigned i = 0; i < t->rank; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%lld", i ? "," : "", (long long)t->dims[i]);
	assert_string_equal(text, want);
}

static void nesting_gives_the_shape(void **state)
{
	static const struct {
		const char *text, *shape;
	} rows[] = {
		{"3", ""},
		{"[]", "0"},
		{"[1, 2, 3]", "3"},
		{"[[1],[2]]", "2,1"},
		{"[[],[]]", "2,0"},
		{"[[[]]]", "1,1,0"},
		{"[[[1,2],[3,4],[5,6]]]", "1,3,2"},
		{"[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (int by_rows = 0; by_rows < (rows[i].text[0] == '[' && rows[i].text[1] != ']' ? 2 : 1); by_rows++) {
			struct tensor *t;
			struct error err = {0};

			if (read_tensor(rows[i].text, DTYPE_INT32, by_rows, &t, &err) < 0)
				fail_msg("%s: %s", rows[i].text, err.text);
			check_shape(t, rows[i].shape);
			tensor_unref(t);
		}
	}
}

static void uneven_lists_are_refused(void **state)
{
	static const char *const texts[] = {
		"[[1,2],[3]]",
		"[[1],2]",
		"[1,[2]]",
		"[[[1]],[2]]",
		"[[],[1]]",
		"[[[]],[]]",
		"[[],1]",
		"[[1,2],[3,4],[]]",
		"[[[1,2]],[[3,4],[5,6]]]",
		"[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]",
		"[1,null]",
		"[1,\"2\"]",
		"{\"a\":1}",
		"[{\"b64\":\"AA==\"}]",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct tensor *t = NULL;
		struct error err = {0};

		for (int rows = 0; rows < 2; rows++) {
			if (read_tensor(texts[i], DTYPE_FLOAT, rows, &t, &err) == 0)
				fail_msg("%s was read", texts[i]);
			assert_null(t);
			assert_true(err.text[0] != '\0');
		}
	}
}

static void values_are_held_to_the_element_type(void **state)
{
	static const struct {
		enum dtype dtype;
		const char *good, *bad;
	} rows[] = {
		{DTYPE_INT8, "[-128,127]", "[128]"},
		{DTYPE_INT16, "[-32768,32767]", "[-32769]"},
		{DTYPE_INT32, "[-2147483648,2147483647]", "[2147483648]"},
		{DTYPE_INT64, "[-9223372036854775808,9223372036854775807]", "[9223372036854775808]"},
		{DTYPE_UINT8, "[0,255]", "[256]"},
		{DTYPE_UINT16, "[0,65535]", "[-1]"},
		{DTYPE_BOOL, "[true,false]", "[2]"},
		{DTYPE_FLOAT, "[0.1,-3.4028235e38]", "[1e39]"},
		{DTYPE_DOUBLE, "[0.1,1e+308]", "[1e309]"},
		{DTYPE_INT32, "[1]", "[1.5]"},
		{DTYPE_BOOL, "[true]", "[\"true\"]"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tensor *t = NULL;
		struct error err = {0};
		struct buf text = {0};

		if (read_tensor(rows[i].good, rows[i].dtype, false, &t, &err) < 0)
			fail_msg("%s: %s", rows[i].good, err.text);
		json_write_tensor(&text, t);
		assert_string_equal(text.data, rows[i].good);
		buf_release(&text);
		tensor_unref(t);
		if (read_tensor(rows[i].bad, rows[i].dtype, false, &t, &err) == 0)
			fail_msg("%s was read as %s", rows[i].bad, dtype_name(rows[i].dtype));
	}
}

static void tensors_are_written_as_nested_lists(void **state)
{
	static const char TEXT[] = "[[[1.0,2.5],[-0.0,NaN]],[[Infinity,-Infinity],[1.0e-10,0.1]]]";
	struct buf text = {0};
	struct tensor *t;

	(void)state;
	assert_int_equal(read_tensor(TEXT, DTYPE_FLOAT, false, &t, NULL), 0);
	json_write_tensor(&text, t);
	assert_string_equal(text.data, TEXT);
	buf_clear(&text);
	json_write_flat(&text, t);
	assert_string_equal(text.data, "[1.0,2.5,-0.0,NaN,Infinity,-Infinity,1.0e-10,0.1]");
	buf_clear(&text);
	json_write_row(&text, t, 1);
	assert_string_equal(text.data, "[[Infinity,-Infinity],[1.0e-10,0.1]]");
	tensor_unref(t);
	buf_release(&text);
}

static void any_float_survives_the_way_out_and_in(void **state)
{
	const int64_t dims[] = {100, 250};
	struct tensor *t, *back;
	struct buf text = {0};
	struct rng rng;

	(void)state;
	rng_init(&rng, 7);
	assert_int_equal(tensor_new(&t, DTYPE_FLOAT, dims, 2, false, NULL), 0);
	for (size_t i = 0; i < t->count; i++) {
		uint32_t bits = (uint32_t)rng_next(&rng);

		if ((bits >> 23 & 0xff) == 0xff)
			bits ^= 1u << 30;
		memcpy((char *)t->data + 4 * i, &bits, sizeof(bits));
	}
	json_write_tensor(&text, t);
	assert_int_equal(read_tensor(text.data, DTYPE_FLOAT, false, &back, NULL), 0);
	assert_int_equal(back->size, t->size);
	assert_memory_equal(back->data, t->data, t->size);
	check_shape(back, "100,250");
	tensor_unref(back);
	tensor_unref(t);
	buf_release(&text);
}

static void a_given_shape_takes_flat_and_nested_lists_of_its_size(void **state)
{
	static const char *const texts[] = {"[1,2,3,4,5,6]", "[[1,2,3],[4,5,6]]", "[[1,2],[3,4],[5,6]]"};
	const int64_t dims[] = {2, 3}, wrong[] = {2, 4}, negative[] = {-2, -3};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		char *copy = strdup(texts[i]);
		struct json_tensor j = {0};
		struct json_reader r;
		struct tensor *t = NULL;
		struct error err;

		assert_non_null(copy);
		assert_int_equal(json_tensor_start(&j, DTYPE_INT16), 0);
		json_open(&r, copy, strlen(copy), &err);
		json_tensor_read(&j, &r);
		assert_int_equal(json_close(&r), 0);
		assert_int_equal(json_tensor_finish(&j, &t, wrong, 2, &err), ERR_FORMAT);
		assert_string_equal(err.text, "6 elements where the shape has 8");
		assert_int_equal(json_tensor_finish(&j, &t, negative, 2, &err), ERR_RANGE);
		assert_null(t);
		assert_int_equal(json_tensor_finish(&j, &t, dims, 2, &err), 0);
		check_shape(t, "2,3");
		tensor_unref(t);
		json_tensor_release(&j);
		free(copy);
	}
}

static void strings_are_no_elements(void **state)
{
	struct json_tensor t = {0};

	(void)state;
	assert_int_equal(json_tensor_start(&t, DTYPE_STRING), ERR_UNSUPPORTED);
}

static void any_text_is_written_as_a_string(void **state)
{
	struct buf text = {0};

	(void)state;
	json_write_string(&text, "a\"\n\xff", 4);
	assert_string_equal(text.data, "\"a\\\"\\n\\ufffd\"");
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_gives_the_shape),
		cmocka_unit_test(uneven_lists_are_refused),
		cmocka_unit_test(values_are_held_to_the_element_type),
		cmocka_unit_test(tensors_are_written_as_nested_lists),
		cmocka_unit_test(any_float_survives_the_way_out_and_in),
		cmocka_unit_test(a_given_shape_takes_flat_and_nested_lists_of_its_size),
		cmocka_unit_test(strings_are_no_elements),
		cmocka_unit_test(any_text_is_written_as_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
