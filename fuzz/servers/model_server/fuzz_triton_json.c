/*
 * fuzz_triton_json.c - any text as an inference request of the Open Inference Protocol: names, shapes and values stay
 * within it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "servers/model_server/http_triton_json.h"
#include "servers/model_server/json_tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_within(const struct json_string *s, const char *text, size_t len)
{
	if (s->text < text || s->text + s->len > text + len)
		abort();
}

static void read_values(struct triton_input *in)
{
	struct json_tensor j = {0};
	struct tensor *t = NULL;
	struct error err;

	if (json_tensor_start(&j, in->dtype) < 0)
		abort();
	if (json_tensor_read(&j, &in->data) == 0 && json_tensor_finish(&j, &t, in->dims, in->rank, &err) == 0)
		tensor_unref(t);
	json_tensor_release(&j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct triton_json json;
	char *text = malloc(size + 1);
	struct error err;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = '\0';
	if (triton_json_read(&json, text, size, &err) == 0) {
		if (json.id.text)
			check_within(&json.id, text, size);
		for (size_t i = 0; i < json.outputs.n; i++)
			check_within(&json.outputs.list[i].name, text, size);
		for (size_t i = 0; i < json.inputs.n; i++) {
			check_within(&json.inputs.list[i].name, text, size);
			if (!json.inputs.list[i].binary)
				read_values(&json.inputs.list[i]);
		}
	}
	free(text);
	return 0;
}
