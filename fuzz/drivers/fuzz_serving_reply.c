/*
 * fuzz_serving_reply.c - whatever a model server sends, to an answer, counters or an error.
 *
 * The first byte says which decoder reads the rest.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/json_answer.h"
#include "drivers/metrics.h"
#include "drivers/tensorflow_serving_codec.h"
#include "drivers/triton_codec.h"

#define VALUES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte of an answer: the sanitizer finds those that are not there. */
static void touch(const struct answer *a)
{
	const volatile unsigned char *p = a->data;

	if (a->size > VALUES * sizeof(float))
		abort();
	for (size_t i = 0; i < a->size; i++)
		(void)p[i];
}

static void take_stat(void *arg, const char *server, const char *key, const char *value)
{
	size_t *sum = arg;

	*sum += strlen(server) + strlen(key) + strlen(value);
}

static int decode(unsigned which, char *body, size_t size, struct answer *ret, struct error *err)
{
	const struct tensorflow_serving_form tensorflow = {.batch = 1, .output = which & 16 ? "out" : NULL};
	const struct triton_form triton = {.batch = 1, .output = which & 16 ? "out" : NULL};
	static float values[VALUES];
	size_t sum = 0;
	bool ready;

	switch (which & 15) {
	case 0:
		return tensorflow_serving_decode(&tensorflow, body, size, values, VALUES, ret, err);
	case 1:
		return triton_decode(&triton, body, size, values, VALUES, ret, err);
	case 2: /* the second byte is the size of the JSON */
		return size ? triton_decode_http(&triton, body + 1, size - 1, (uint8_t)body[0], values, VALUES, ret,
						 err)
			    : ERR_FORMAT;
	case 3:
		return triton_decode_http(&triton, body, size, -1, values, VALUES, ret, err);
	case 4:
		return json_answer(body, size, triton.output, values, VALUES, ret, err);
	case 5:
		(void)!tensorflow_serving_status(body, size, which & 16 ? 1 : 0, err);
		return ERR_FORMAT;
	case 6:
		(void)!tensorflow_serving_status_json(body, size, which & 16 ? 1 : 0, err);
		return ERR_FORMAT;
	case 7:
		(void)!triton_ready(body, size, &ready);
		(void)!triton_statistics(body, size, "", take_stat, &sum);
		return ERR_FORMAT;
	case 8:
		(void)!triton_statistics_http(body, size, "", take_stat, &sum);
		return ERR_FORMAT;
	case 9:
		metrics_report(body, size, "", take_stat, &sum);
		return ERR_FORMAT;
	default:
		(void)json_words(err->text, 16, body, size, "error");
		return ERR_FORMAT;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct answer answer = {0};
	struct error err = {""};
	char *body;
	int r;

	if (size < 1)
		return 0;
	body = malloc(size); /* as transports give it: a NUL behind it */
	if (!body)
		return 0;
	memcpy(body, data + 1, size - 1);
	body[size - 1] = '\0';
	r = decode(data[0], body, size - 1, &answer, &err);
	if (r == 0)
		touch(&answer);
	else if (r == ERR_PROTOCOL && err.text[0] == '\0')
		abort(); /* a failure of ours without a word */
	free(body);
	return 0;
}
