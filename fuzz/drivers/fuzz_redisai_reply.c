/*
 * fuzz_redisai_reply.c - whatever a server sends, from its bytes to an answer, an error or a redirection.
 *
 * The first byte says in which form the request was sent and where the rest is cut into two reads.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/redisai_decode.h"

#define STEPS 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte of an answer: the sanitizer finds those that are not there. */
static void touch(const struct answer *a)
{
	const volatile unsigned char *p = a->data;

	for (size_t i = 0; i < a->size; i++)
		(void)p[i];
}

static void judge(bool dag, unsigned index, const struct resp_node *nodes, size_t n)
{
	struct redisai_redirect redirect;
	struct answer answer = {0};
	struct error err = {""};
	int r = redisai_decode(dag, STEPS, index, nodes, n, &answer, &err);

	if (r == 0)
		touch(&answer);
	else if (err.text[0] == '\0' && r == ERR_PROTOCOL)
		abort(); /* a failure of ours without a word */
	if (redisai_redirect(&redirect, &nodes[0]) && strlen(redirect.host) >= sizeof(redirect.host))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct resp_node *nodes;
	struct resp_reader *reader;
	unsigned index = 0;
	size_t n, cut;
	bool dag;

	if (size < 1 || resp_reader_new(&reader) < 0)
		return 0;
	dag = data[0] & 1;
	cut = (size_t)(data[0] >> 1) % size;
	data++;
	size--;
	for (unsigned half = 0; half < 2; half++) {
		const uint8_t *p = half ? data + cut : data;

		if (resp_reader_feed(reader, p, half ? size - cut : cut) < 0)
			break;
		while (resp_reader_next(reader, &nodes, &n, NULL) == 1) {
			judge(dag, index, nodes, n);
			index = (index + 1) % STEPS;
		}
	}
	resp_reader_free(reader);
	return 0;
}
