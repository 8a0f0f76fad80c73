/*
 * test_http_multipart.c - form parts are found as they were sent, and malformed bodies refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "servers/model_server/http_multipart.h"

#define TYPE "multipart/form-data; boundary=XX"
#define HEAD "Content-Disposition: form-data; name="

/* From memory that ends where the body does. */
static int parse(struct multipart *ret, const char *type, const char *body, size_t len, struct error *err,
		 char **ret_copy)
{
	*ret_copy = malloc(len + !len);
	assert_non_null(*ret_copy);
	memcpy(*ret_copy, body, len);
	return multipart_parse(ret, type, *ret_copy, len, err);
}

static const char BODY[] =
	"--XX\r\n" HEAD "\"transaction\"; filename=\"t\"\r\nContent-Type: application/octet-stream\r\n\r\n"
	"bytes\0with\r\n--X in it\r\n--XX \t\r\ncontent-disposition:form-data;name=reference\r\n\r\n\r\n--XX--\r\n";

static void parts_are_found_by_name(void **state)
{
	static const char DATA[] = "bytes\0with\r\n--X in it";
	const struct multipart_part *part;
	struct multipart m;
	struct error err;
	char *copy;

	(void)state;
	if (parse(&m, TYPE, BODY, sizeof(BODY) - 1, &err, &copy) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(m.nparts, 2);
	part = multipart_find(&m, "transaction");
	assert_non_null(part);
	assert_int_equal(part->len, sizeof(DATA) - 1);
	assert_memory_equal(part->data, DATA, part->len);
	part = multipart_find(&m, "reference");
	assert_non_null(part);
	assert_int_equal(part->len, 0);
	assert_null(multipart_find(&m, "refer"));
	assert_null(multipart_find(&m, "image"));
	free(copy);
}

static void body_cut_at_any_byte_is_refused(void **state)
{
	struct multipart m;
	struct error err;

	(void)state;
	for (size_t len = 0; len < sizeof(BODY) - 1 - 2; len++) {
		char *copy;

		assert_int_equal(parse(&m, TYPE, BODY, len, &err, &copy), ERR_FORMAT);
		free(copy);
	}
}

static void boundary_is_read_as_clients_write_it(void **state)
{
	static const char *const types[] = {
		"multipart/form-data; boundary=XX",
		"Multipart/Form-Data;boundary=\"XX\"",
		"multipart/form-data; charset=utf-8; BOUNDARY=XX; x=y",
		"multipart/form-data;a=\";boundary=YY\"; boundary=XX",
	};
	struct multipart m;
	struct error err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (multipart_parse(&m, types[i], BODY, sizeof(BODY) - 1, &err) < 0)
			fail_msg("%s: %s", types[i], err.text);
		assert_int_equal(m.nparts, 2);
	}
}

static void malformed_bodies_are_refused(void **state)
{
	static const struct {
		const char *type, *body;
		int want;
		const char *error;
	} rows[] = {
		{NULL, "", ERR_UNSUPPORTED, "Content-Type is not multipart/form-data"},
		{"application/json", "{}", ERR_UNSUPPORTED, "Content-Type is not multipart/form-data"},
		{"multipart/form-data", "", ERR_FORMAT, "Content-Type names no boundary"},
		{"multipart/form-data; boundary=", "", ERR_FORMAT, "Content-Type names no boundary"},
		{"multipart/form-data; boundary=\"XX", "", ERR_FORMAT, "Content-Type names no boundary"},
		{"multipart/form-data; "
		 "boundary=12345678901234567890123456789012345678901234567890123456789012345678901",
		 "", ERR_FORMAT, "boundary of more than 70 characters"},
		{TYPE, "", ERR_FORMAT, "multipart body ends without its boundary"},
		{TYPE, "--XX\r\n\r\n\r\n--XX--", ERR_FORMAT, "multipart part without Content-Disposition"},
		{TYPE, "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--", ERR_FORMAT,
		 "multipart part without a name"},
		{TYPE, "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XX--", ERR_FORMAT,
		 "multipart part without a name"},
		{TYPE, "--XXa\r\n" HEAD "a\r\n\r\nx\r\n--XX--", ERR_FORMAT, "multipart boundary not alone in its line"},
		{TYPE, "--XX\r\n" HEAD "a\r\n\r\nx\r\n--XX\r\n" HEAD "\"a\"\r\n\r\nx\r\n--XX--", ERR_FORMAT,
		 "two multipart parts are named \"a\""},
		{TYPE, "--XX\r\n" HEAD "a\r\n", ERR_FORMAT, "multipart body ends within a part's headers"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct multipart m;
		struct error err = {0};
		int r = multipart_parse(&m, rows[i].type, rows[i].body, strlen(rows[i].body), &err);

		assert_string_equal(err.text, rows[i].error);
		assert_int_equal(r, rows[i].want);
	}
}

static void number_of_parts_is_limited(void **state)
{
	char body[64 * (MULTIPART_PARTS_MAX + 2)];
	struct multipart m;
	struct error err;

	(void)state;
	for (int parts = MULTIPART_PARTS_MAX; parts <= MULTIPART_PARTS_MAX + 1; parts++) {
		int n = 0;

		for (int i = 0; i < parts; i++)
			n += snprintf(body + n, sizeof(body) - (size_t)n, "--XX\r\n" HEAD "p%d\r\n\r\n\r\n", i);
		n += snprintf(body + n, sizeof(body) - (size_t)n, "--XX--");
		assert_int_equal(multipart_parse(&m, TYPE, body, (size_t)n, &err),
				 parts > MULTIPART_PARTS_MAX ? ERR_RANGE : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_are_found_by_name),
		cmocka_unit_test(body_cut_at_any_byte_is_refused),
		cmocka_unit_test(boundary_is_read_as_clients_write_it),
		cmocka_unit_test(malformed_bodies_are_refused),
		cmocka_unit_test(number_of_parts_is_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
