/*
 * gRPC replies: whatever a server sends on a connection with two calls under way ends each of them once, and leaves
 * output that only points to memory that is there. In pieces and at once it gives the same results, as long as nothing
 * is written in between: what we write (RST_STREAM, GOAWAY) changes what the rest means.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/rpc.h"

#define CALLS 2
#define MESSAGE_MAX_FUZZED ((size_t)100000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	struct rpc_session *session;
	struct rpc_call *calls[CALLS];
	unsigned ended[CALLS];
	uint64_t hash;
	unsigned sum; /* of what was written */
};

static void require(int condition)
{
	if (!condition)
		abort();
}

static uint64_t mix(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * UINT64_C(0x9e3779b97f4a7c15) + (hash >> 29);
}

static void call_done(void *arg, struct rpc_call *c)
{
	struct peer *p = arg;
	unsigned number = rpc_call_number(c);
	struct rpc_result r;

	require(++p->ended[number] == 1 && !rpc_call_under_way(c));
	rpc_call_result(c, &r);
	require(r.size <= MESSAGE_MAX_FUZZED && r.message[r.size] == '\0' && (r.code != 0) == (r.code < 0));
	p->hash = mix(mix(mix(p->hash, number), (uint64_t)(uint32_t)r.code), (uint64_t)(uint32_t)r.status);
	for (size_t i = 0; i < r.size; i++)
		p->hash = mix(p->hash, (unsigned char)r.message[i]);
	p->hash = mix(p->hash, strlen(r.text));
}

/* Takes all that is to be written; false: the connection is over. */
static int drain(struct peer *p)
{
	struct rpc_output *out;
	struct error err;

	while (rpc_session_output(p->session, &out, &err) == 0) {
		if (out->n == 0)
			return 1;
		for (; out->n > 0; out->iov++, out->n--) {
			for (size_t i = 0; i < out->iov->iov_len; i++)
				p->sum += ((const unsigned char *)out->iov->iov_base)[i];
		}
	}
	return 0;
}

static uint64_t read_all(const char *data, size_t size, size_t piece, int write_between)
{
	static char body[40000];
	const struct iovec views[2] = {{body, 300}, {body, sizeof(body)}};
	struct peer p = {0};
	const struct rpc_config cfg = {.scheme = "http",
				       .authority = "localhost",
				       .path = "/p.S/M",
				       .message_max = MESSAGE_MAX_FUZZED,
				       .done = call_done,
				       .arg = &p};
	struct error err;
	int up = 1;

	require(rpc_session_new(&p.session, &cfg, NULL) == 0);
	for (unsigned i = 0; i < CALLS; i++) {
		require(rpc_call_new(&p.calls[i], i, 2) == 0);
		require(rpc_session_submit(p.session, p.calls[i], views, i ? 2 : 1, i ? 300 + sizeof(body) : 300) == 0);
	}
	up = drain(&p);
	for (size_t at = 0; at < size && up; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		up = rpc_session_receive(p.session, data + at, n, &err) == 0 && (!write_between || drain(&p));
	}
	if (up)
		drain(&p);
	rpc_session_end(p.session, ERR_CLOSED, "the end");
	for (unsigned i = 0; i < CALLS; i++) {
		require(p.ended[i] == 1);
		rpc_call_free(p.calls[i]);
	}
	rpc_session_free(p.session);
	return p.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;
	uint64_t whole = read_all(bytes, size, size ? size : 1, 0);

	require(read_all(bytes, size, 1, 0) == whole);
	require(read_all(bytes, size, 9, 0) == whole);
	read_all(bytes, size, 1, 1);
	read_all(bytes, size, 40, 1);
	return 0;
}
