/*
 * fuzz_json_tensor.c - any text as a tensor: what is read is written and read again to the same bits.
 *
 * The first byte picks the element type.
 */
#include <stdlib.h>
#include <string.h>

#include "servers/model_server/json_tensor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_text(struct tensor **ret, enum dtype dtype, const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	struct json_tensor t = {0};
	struct json_reader r;
	struct error err;
	int result;

	if (!copy || json_tensor_start(&t, dtype) < 0)
		abort();
	memcpy(copy, text, len);
	copy[len] = '\0';
	json_open(&r, copy, len, &err);
	json_tensor_read(&t, &r);
	result = json_close(&r);
	if (result == 0)
		result = json_tensor_finish(&t, ret, NULL, 0, &err);
	json_tensor_release(&t);
	free(copy);
	return result;
}

static void skip_text(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	struct json_reader r;
	struct error err;

	if (!copy)
		abort();
	memcpy(copy, text, len);
	copy[len] = '\0';
	json_open(&r, copy, len, &err);
	json_skip(&r);
	if (json_close(&r) < 0 && !err.text[0])
		abort();
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tensor *t, *again;
	struct buf text = {0};
	enum dtype dtype;

	if (size == 0)
		return 0;
	dtype = (enum dtype)(data[0] % DTYPE_STRING);
	skip_text((const char *)data + 1, size - 1);
	if (read_text(&t, dtype, (const char *)data + 1, size - 1) < 0)
		return 0;
	json_write_tensor(&text, t);
	/* A NaN may lose its payload; all else comes back. */
	if (read_text(&again, dtype, text.data, text.len) < 0 || again->rank != t->rank || again->size != t->size ||
	    (memcmp(again->data, t->data, t->size) != 0 && !strstr(text.data, "NaN")))
		abort();
	tensor_unref(again);
	tensor_unref(t);
	buf_release(&text);
	return 0;
}
