/*
 * http_models.h - generated models as GraphDefs.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_HTTP_MODELS_H
#define TESTS_SERVERS_MODEL_SERVER_HTTP_MODELS_H

#include <stddef.h>

enum fixture_model { MODEL_REFERENCE, MODEL_NO_REFERENCE_1, MODEL_NO_REFERENCE_2, MODEL_VISION, FIXTURE_MODELS };

/* *ret is malloc'd. */
void http_model_generate(enum fixture_model m, unsigned char **ret, size_t *ret_len);

#endif
