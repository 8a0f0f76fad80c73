/*
 * command.c - SET and AI.TENSORSET of a row's reference data.
 */
#include "loaders/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/arith.h"
#include "common/buf.h"
#include "common/decimal.h"
#include "net/resp.h"

static int finish(struct load_command *c, const struct buf *head, const char *prefix, const struct buf *tail)
{
	size_t prefix_len = strlen(prefix);

	if (head->failed || tail->failed)
		return ERR_NOMEM;
	if (head->len > sizeof(c->head) || prefix_len + 1 > sizeof(c->key) || tail->len > sizeof(c->tail))
		return ERR_RANGE;
	memcpy(c->head, head->data, head->len);
	memcpy(c->key, prefix, prefix_len);
	c->key[prefix_len] = '{';
	memcpy(c->tail, tail->data, tail->len);
	c->head_len = head->len;
	c->key_len = prefix_len + 1;
	c->tail_len = tail->len;
	return 0;
}

int load_command_blob(struct load_command *ret, const struct workload_spec *spec)
{
	struct load_command c = {.name = "SET"};
	struct buf head = {0}, tail = {0};
	int rc;

	if (!spec->reference_blob_prefix)
		return ERR_UNSUPPORTED;
	resp_append_header(&head, 3);
	resp_append_arg(&head, c.name, strlen(c.name));
	buf_printf(&head, "$");
	buf_printf(&tail, "}\r\n$%zu\r\n", spec->reference_size);
	rc = finish(&c, &head, spec->reference_blob_prefix, &tail);
	if (rc == 0)
		*ret = c;
	buf_release(&head);
	buf_release(&tail);
	return rc;
}

/* The shape is that of one float32 row: 1 × values. */
int load_command_tensor(struct load_command *ret, const struct workload_spec *spec)
{
	struct load_command c = {.name = "AI.TENSORSET"};
	struct buf head = {0}, tail = {0};
	char values[24];
	int rc;

	if (!spec->reference_tensor_prefix)
		return ERR_UNSUPPORTED;
	resp_append_header(&head, 7);
	resp_append_arg(&head, c.name, strlen(c.name));
	buf_printf(&head, "$");
	buf_printf(&tail, "}\r\n");
	snprintf(values, sizeof(values), "%zu", spec->reference_size / sizeof(float));
	for (size_t i = 0; i < 4; i++) {
		const char *word = (const char *const[]){"FLOAT", "1", values, "BLOB"}[i];

		resp_append_arg(&tail, word, strlen(word));
	}
	buf_printf(&tail, "$%zu\r\n", spec->reference_size);
	rc = finish(&c, &head, spec->reference_tensor_prefix, &tail);
	if (rc == 0)
		*ret = c;
	buf_release(&head);
	buf_release(&tail);
	return rc;
}

static char *append(char *p, const char *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

size_t load_command_write(char *dst, const struct load_command *c, uint64_t id)
{
	char digits[DECIMAL_MAX], *p;
	size_t ndigits = decimal_write(digits, id);

	p = append(dst, c->head, c->head_len);
	p += decimal_write(p, c->key_len + ndigits + 1);
	p = append(p, "\r\n", 2);
	p = append(p, c->key, c->key_len);
	p = append(p, digits, ndigits);
	p = append(p, c->tail, c->tail_len);
	return (size_t)(p - dst);
}

_Static_assert(LOAD_COMMAND_MAX >= sizeof(((struct load_command *)0)->head) + sizeof(((struct load_command *)0)->key) +
					   sizeof(((struct load_command *)0)->tail) + 2 + DECIMAL_MAX - 8,
	       "a command fits");
