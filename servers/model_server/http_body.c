/*
 * http_body.c - the growing, aligned memory of a request's body.
 */
#include "servers/model_server/http_body.h"

#include <stdlib.h>
#include <string.h>

#include "common/arith.h"

/* What a client says is to come is believed up to here before the bytes are there. */
#define TRUSTED_MAX ((size_t)1 << 20)
#define FIRST_CAP ((size_t)4096)

static int grow(struct http_body *b, size_t need)
{
	size_t shift = (HTTP_BODY_ALIGNMENT - b->aligned_offset % HTTP_BODY_ALIGNMENT) % HTTP_BODY_ALIGNMENT;
	size_t cap = b->cap ? b->cap : FIRST_CAP / 2, total;
	char *memory;

	if (!size_mul(&cap, cap, 2) || cap < need)
		cap = need;
	if (b->cap == 0 && b->expected > cap)
		cap = b->expected < TRUSTED_MAX ? b->expected : TRUSTED_MAX;
	if (b->expected >= need && cap > b->expected)
		cap = b->expected;
	if (!size_add(&total, cap, shift + 1 + HTTP_BODY_ALIGNMENT))
		return ERR_NOMEM;
	total -= total % HTTP_BODY_ALIGNMENT;
	memory = aligned_alloc(HTTP_BODY_ALIGNMENT, total);
	if (!memory)
		return ERR_NOMEM;
	if (b->len)
		memcpy(memory + shift, b->data, b->len);
	free(b->memory);
	b->memory = memory;
	b->data = memory + shift;
	b->cap = cap;
	return 0;
}

int http_body_add(struct http_body *b, const char *data, size_t len)
{
	size_t need;

	if (!size_add(&need, b->len, len))
		return ERR_RANGE;
	if (!b->memory || need > b->cap) {
		int r = grow(b, need);

		if (r < 0)
			return r;
	}
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len = need;
	b->data[need] = '\0';
	return 0;
}

int http_body_end(struct http_body *b)
{
	return http_body_add(b, NULL, 0);
}

void http_body_release(struct http_body *b)
{
	free(b->memory);
	*b = (struct http_body){0};
}
