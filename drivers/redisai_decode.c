/*
 * redisai_decode.c - judges RedisAI's replies; see the header.
 */
#include "drivers/redisai_decode.h"

#include <string.h>

#include "common/text.h"
#include "net/redis_advice.h"

#define HASH_SLOTS 16384

static int server_error(const struct resp_node *node, struct error *err)
{
	error_set(err, ERR_SERVER, "%.*s", (int)(node->len < REDIS_REPLY_SHOWN ? node->len : REDIS_REPLY_SHOWN),
		  node->data);
	redis_advice_append(err, node->data, node->len);
	return ERR_SERVER;
}

static bool is_ok(const struct resp_node *node)
{
	return node->type == RESP_STATUS && node->len == 2 && memcmp(node->data, "OK", 2) == 0;
}

/* A step but the last: OK, or else what it said. */
static int judge_ok(const struct resp_node *node, struct error *err)
{
	if (is_ok(node))
		return 0;
	if (node->type == RESP_ERROR)
		return server_error(node, err);
	/* RedisAI says these as status replies: of what a failed DAG did not run, and of a model that was too slow. */
	if (node->type == RESP_STATUS)
		return error_set(err, ERR_SERVER, "the server answered %.*s instead of OK",
				 (int)(node->len < 64 ? node->len : 64), node->data);
	return error_set(err, ERR_PROTOCOL, "the server's reply is not the OK of this command");
}

static int judge_tensor(const struct resp_node *node, struct answer *ret, struct error *err)
{
	if (node->type == RESP_STRING) {
		*ret = (struct answer){.type = ELEMENT_FLOAT32, .data = node->data, .size = node->len};
		return 0;
	}
	if (node->type == RESP_ERROR || (node->type == RESP_STATUS && !is_ok(node)))
		return judge_ok(node, err);
	return error_set(err, ERR_PROTOCOL, "the server's reply is not the tensor's bytes");
}

static int judge_dag(unsigned steps, const struct resp_node *nodes, size_t n, struct answer *ret, struct error *err)
{
	int r = 0;

	if (nodes[0].type == RESP_ERROR || nodes[0].type == RESP_STATUS)
		return is_ok(&nodes[0]) ? error_set(err, ERR_PROTOCOL, "the server's reply is not that of a DAG")
					: judge_ok(&nodes[0], err);
	/* The first error is the cause; the replies around it only say that nothing was done. */
	for (size_t i = 1; i < n; i++) {
		if (nodes[i].type == RESP_ERROR)
			return server_error(&nodes[i], err);
	}
	if (nodes[0].type != RESP_ARRAY || nodes[0].integer != (int64_t)steps || n != (size_t)steps + 1)
		return error_set(err, ERR_PROTOCOL, "the server's reply is not that of a DAG of %u commands", steps);
	for (unsigned i = 1; r == 0 && i < steps; i++)
		r = judge_ok(&nodes[i], err);
	return r == 0 ? judge_tensor(&nodes[steps], ret, err) : r;
}

int redisai_decode(bool dag, unsigned steps, unsigned index, const struct resp_node *nodes, size_t n,
		   struct answer *ret, struct error *err)
{
	if (n == 0)
		return error_set(err, ERR_PROTOCOL, "an empty reply");
	if (dag)
		return judge_dag(steps, nodes, n, ret, err);
	return index + 1 < steps ? judge_ok(&nodes[0], err) : judge_tensor(&nodes[0], ret, err);
}

/* Reads a decimal number that ends before `end`; NULL: there is none, or it is over max. */
static const char *read_number(unsigned *ret, const char *p, const char *end, unsigned max)
{
	unsigned value = 0;

	if (p == end || !is_digit(*p))
		return NULL;
	for (; p < end && is_digit(*p); p++) {
		value = value * 10 + (unsigned)(*p - '0');
		if (value > max)
			return NULL;
	}
	*ret = value;
	return p;
}

bool redisai_redirect(struct redisai_redirect *ret, const struct resp_node *node)
{
	struct redisai_redirect r = {0};
	const char *p = node->data, *end, *colon;
	unsigned port;
	size_t len;

	if (node->type != RESP_ERROR)
		return false;
	end = p + node->len;
	r.ask = node->len > 4 && memcmp(p, "ASK ", 4) == 0;
	if (!r.ask && !(node->len > 6 && memcmp(p, "MOVED ", 6) == 0))
		return false;
	p = read_number(&r.hash_slot, p + (r.ask ? 4 : 6), end, HASH_SLOTS - 1);
	if (!p || p == end || *p++ != ' ')
		return false;
	/* IPv6 addresses have colons of their own: the last one counts. */
	colon = memrchr(p, ':', (size_t)(end - p));
	if (!colon || read_number(&port, colon + 1, end, UINT16_MAX) != end)
		return false;
	len = (size_t)(colon - p);
	if (len >= sizeof(r.host) || memchr(p, '\0', len))
		return false;
	memcpy(r.host, p, len);
	r.port = (uint16_t)port;
	*ret = r;
	return true;
}
