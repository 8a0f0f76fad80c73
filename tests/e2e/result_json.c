#include "tests/e2e/result_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

json_t *read_json(const char *path)
{
	json_error_t e;
	json_t *j = json_load_file(path, 0, &e);

	if (!j)
		fail_msg("%s: line %d: %s", path, e.line, e.text);
	return j;
}

json_t *value_at(const json_t *j, const char *path)
{
	char copy[256], *rest = copy, *name;
	json_t *value = NULL;

	assert_true((size_t)snprintf(copy, sizeof(copy), "%s", path) < sizeof(copy));
	while ((name = strsep(&rest, "/"))) {
		value = json_object_get(value ? value : j, name);
		if (!value)
			fail_msg("no %s of %s in the JSON file", name, path);
	}
	return value;
}

long long integer_at(const json_t *j, const char *path)
{
	const json_t *value = value_at(j, path);

	if (!json_is_integer(value))
		fail_msg("%s is no integer", path);
	return json_integer_value(value);
}

double number_at(const json_t *j, const char *path)
{
	const json_t *value = value_at(j, path);

	if (!json_is_number(value))
		fail_msg("%s is no number", path);
	return json_number_value(value);
}

const char *text_at(const json_t *j, const char *path)
{
	const json_t *value = value_at(j, path);

	if (!json_is_string(value))
		fail_msg("%s is no text", path);
	return json_string_value(value);
}
