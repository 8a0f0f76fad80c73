/*
 * result_json.h - a result file as the tests look at it. Each function fails the test where there is not what it is asked for.
 */
#ifndef TESTS_E2E_RESULT_JSON_H
#define TESTS_E2E_RESULT_JSON_H

#include <jansson.h>

/* The caller has a reference. */
json_t *read_json(const char *path);

/* "a/b/c": the member c of the member b of a; borrowed. */
json_t *value_at(const json_t *j, const char *path);
long long integer_at(const json_t *j, const char *path);
double number_at(const json_t *j, const char *path);
const char *text_at(const json_t *j, const char *path);

#endif
