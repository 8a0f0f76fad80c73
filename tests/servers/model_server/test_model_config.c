/*
 * test_model_config.c - Triton's config.pbtxt: what is read, what is skipped, what is refused with its line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "servers/model_server/dtypes.h"
#include "servers/model_server/model_config.h"
#include "tests/support/process.h"

static const char whole[] =
	"# a comment\n"
	"name: \"fraud\" platform: 'tensorflow_graphdef'; backend: \"tensor\" \"flow\"\n"
	"max_batch_size: 8,\n"
	"input [ { name: \"transaction\" data_type: TYPE_FP32 dims: [ 30 ] },\n"
	"        { name: \"reference\", data_type: TYPE_FP32, dims: 16 dims: -1 reshape { shape: [ ] } } ]\n"
	"output: < name: \"out\\\"put\" data_type: TYPE_INT64 dims [ 2 ] >\n"
	"output { name: \"second\" }\n"
	"instance_group [ { count: 2 kind: KIND_CPU gpus: [ 0, 1 ] } ]\n"
	"parameters { key: \"a\" value: { string_value: \"{[\" } }\n"
	"dynamic_batching { preferred_batch_size: [ 4, 8 ] max_queue_delay_microseconds: 250 }\n";

static struct model_config config; /* large */

static void fields_that_matter_are_read(void **state)
{
	(void)state;
	assert_int_equal(model_config_parse(&config, whole, strlen(whole), NULL), 0);
	assert_string_equal(config.name, "fraud");
	assert_string_equal(config.platform, "tensorflow_graphdef");
	assert_string_equal(config.backend, "tensorflow");
	assert_int_equal(config.max_batch_size, 8);
	assert_int_equal(config.ninputs, 2);
	assert_string_equal(config.inputs[0].name, "transaction");
	assert_true(config.inputs[0].typed);
	assert_int_equal(config.inputs[0].dtype, DTYPE_FLOAT);
	assert_int_equal(config.inputs[0].rank, 1);
	assert_int_equal(config.inputs[0].dims[0], 30);
	assert_int_equal(config.inputs[1].rank, 2);
	assert_int_equal(config.inputs[1].dims[1], -1);
	assert_int_equal(config.noutputs, 2);
	assert_string_equal(config.outputs[0].name, "out\"put");
	assert_int_equal(config.outputs[0].dtype, DTYPE_INT64);
	assert_false(config.outputs[1].typed);
	assert_true(config.dynamic_batching);
	assert_int_equal(config.max_queue_delay_us, 250);
	assert_int_equal(config.preferred_min, 4);
	assert_int_equal(config.preferred_max, 8);
}

static void strings_are_called_so(void **state)
{
	static const char text[] = "input { name: \"words\" data_type: TYPE_STRING dims: 1 }";

	(void)state;
	assert_int_equal(model_config_parse(&config, text, strlen(text), NULL), 0);
	assert_int_equal(config.inputs[0].dtype, DTYPE_STRING);
	assert_string_equal(dtype_triton_config_name(DTYPE_STRING), "TYPE_STRING");
}

static void an_empty_file_is_a_config(void **state)
{
	(void)state;
	assert_int_equal(model_config_parse(&config, "", 0, NULL), 0);
	assert_int_equal(config.ninputs, 0);
	assert_false(config.dynamic_batching);
}

/* Cut anywhere it is a shorter configuration or an error: memory behind the cut is never read (AddressSanitizer). */
static void cut_files_are_read_to_their_end_only(void **state)
{
	(void)state;
	for (size_t len = 0; len < strlen(whole); len++) {
		char *copy = malloc(len + 1);
		int r;

		assert_non_null(copy);
		memcpy(copy, whole, len);
		copy = realloc(copy, len ? len : 1);
		r = model_config_parse(&config, copy, len, NULL);
		assert_true(r == 0 || r == ERR_FORMAT || r == ERR_UNSUPPORTED);
		free(copy);
	}
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *want;
		int code;
	} cases[] = {
		{"name: \"a\"\nname \"b\"", "line 2: a : or { must follow", ERR_FORMAT},
		{"name: b", "line 1: a string must be here", ERR_FORMAT},
		{"name: \"b", "line 1: this string does not end", ERR_FORMAT},
		{"\n\n}", "line 3: this closes nothing", ERR_FORMAT},
		{"input [ { name: \"a\" }", "this list does not end", ERR_FORMAT},
		{"input { name: \"a\"", "this message does not end", ERR_FORMAT},
		{"input { name: \"a\" >", "this message does not end", ERR_FORMAT},
		{"max_batch_size: -1", "must not be negative", ERR_RANGE},
		{"max_batch_size: 99999999999999999999", "too large", ERR_RANGE},
		{"max_batch_size: many", "a number must be here", ERR_FORMAT},
		{"input { dims: [ -2 ] }", "a dimension is -1 or a size", ERR_RANGE},
		{"input { dims: [1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1] }", "too many dimensions", ERR_RANGE},
		{"input { data_type: TYPE_FP16 }", "data_type are not supported", ERR_UNSUPPORTED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct error err = {""};

		assert_int_equal(model_config_parse(&config, cases[i].text, strlen(cases[i].text), &err),
				 cases[i].code);
		if (!strstr(err.text, cases[i].want))
			fail_msg("'%s' in place of '%s'", err.text, cases[i].want);
	}
}

static void nesting_has_an_end(void **state)
{
	char text[4096];
	size_t at = 0;

	(void)state;
	for (int i = 0; i < 1000; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "a{");
	assert_int_equal(model_config_parse(&config, text, at, NULL), ERR_RANGE);
}

static void tritons_examples_are_read(void **state)
{
	char path[512], *text;
	size_t len;

	(void)state;
	if (!test_data(path, sizeof(path), "models/triton/simple/config.pbtxt"))
		skip();
	assert_int_equal(file_read(&text, &len, path, 1 << 20, NULL), 0);
	assert_int_equal(model_config_parse(&config, text, len, NULL), 0);
	assert_string_equal(config.name, "simple");
	assert_int_equal(config.max_batch_size, 8);
	assert_int_equal(config.ninputs, 2);
	assert_int_equal(config.outputs[1].dims[0], 16);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_that_matter_are_read), cmocka_unit_test(strings_are_called_so),
		cmocka_unit_test(an_empty_file_is_a_config),   cmocka_unit_test(cut_files_are_read_to_their_end_only),
		cmocka_unit_test(errors_name_the_line),        cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(tritons_examples_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
