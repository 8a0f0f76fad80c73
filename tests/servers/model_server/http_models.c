/*
 * http_models.c - the fixture's models as files. Apart from the fixture, as datagen/ and engine/ have a tag in common.
 */
#include "tests/servers/model_server/http_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "datagen/model.h"

void http_model_generate(enum fixture_model m, unsigned char **ret, size_t *ret_len)
{
	const struct mobilenet_config config = {.width = 0.25, .resolution = 224, .batch = -1, .seed = 1};
	struct mobilenet *mobilenet;
	struct fraud_net *net;
	struct error err;

	if (m == MODEL_VISION) {
		assert_int_equal(mobilenet_new(&mobilenet, &config, &err), 0);
		assert_int_equal(mobilenet_write_tensorflow(ret, ret_len, mobilenet, &err), 0);
		mobilenet_free(mobilenet);
		return;
	}
	net = malloc(sizeof(*net));
	assert_non_null(net);
	fraud_net_init(net, m == MODEL_REFERENCE, m == MODEL_NO_REFERENCE_2 ? 2 : 1);
	assert_int_equal(model_format_tensorflow.write_fraud(ret, ret_len, net, &err), 0);
	free(net);
}
