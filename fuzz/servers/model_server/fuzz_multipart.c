/*
 * fuzz_multipart.c - any bytes as a form: the first line is the Content-Type, the rest the body.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "servers/model_server/http_multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line_end = memchr(data, '\n', size);
	size_t type_len = line_end ? (size_t)(line_end - data) : size;
	size_t len = line_end ? size - type_len - 1 : 0;
	char *type = strndup((const char *)data, type_len), *body = malloc(len + !len);
	struct multipart m;
	struct error err;

	if (!type || !body)
		abort();
	memcpy(body, data + size - len, len);
	if (multipart_parse(&m, type, body, len, &err) == 0) {
		for (size_t i = 0; i < m.nparts; i++) {
			const struct multipart_part *p = &m.parts[i];

			if (p->data < body || p->data + p->len > body + len || p->name < body ||
			    p->name + p->name_len > body + len)
				abort();
		}
	}
	free(body);
	free(type);
	return 0;
}
