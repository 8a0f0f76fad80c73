/*
 * resp.c - the Redis protocol without a socket.
 *
 * hiredis' reader parses; the reply functions below append a node for each element and copy its bytes into `text`,
 * because the reader may move or drop what it has parsed before the reply is whole. Texts lie there in document order
 * without gaps, so the nodes get their pointers in one walk at the end, when nothing moves any more.
 */
#include "net/resp.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "common/decimal.h"

#define FIRST_NODES 16
/* A line is a type and a number, a status or an error; one that goes on for longer is no Redis protocol. */
#define LINE_MAX_LEN ((size_t)65536)
/* Redis' own limit for one string is 512 MiB; what is fed and not read yet is bounded by twice that. */
#define UNREAD_MAX ((size_t)1 << 30)

struct resp_reader {
	redisReader *hiredis;
	struct resp_node *nodes;
	size_t nnodes, cap;
	struct buf text;
	bool whole;         /* nodes and text belong to a reply that was handed out */
	const char *reason; /* of a malformed reply that a reply function found; the reader then reports no memory */
	redisReplyObjectFunctions functions;
};

static struct resp_node *add_node(struct resp_reader *r, enum resp_type type)
{
	struct resp_node *node;

	if (r->nnodes == r->cap) {
		size_t cap = r->cap ? r->cap * 2 : FIRST_NODES, bytes;

		if (!size_mul(&bytes, cap, sizeof(*r->nodes)))
			return NULL;
		node = realloc(r->nodes, bytes);
		if (!node)
			return NULL;
		r->nodes = node;
		r->cap = cap;
	}
	node = &r->nodes[r->nnodes++];
	*node = (struct resp_node){.type = type, .depth = (unsigned)r->hiredis->ridx};
	return node;
}

static void *on_string(const redisReadTask *task, char *bytes, size_t len)
{
	struct resp_reader *r = task->privdata;
	enum resp_type type = task->type == REDIS_REPLY_STRING   ? RESP_STRING
			      : task->type == REDIS_REPLY_STATUS ? RESP_STATUS
								 : RESP_ERROR;
	struct resp_node *node;

	/* hiredis takes any two bytes for the end of a string. */
	if (bytes[len] != '\r' || bytes[len + 1] != '\n') {
		r->reason = "a string does not end where its length says";
		return NULL;
	}
	node = add_node(r, type);
	if (!node || buf_append(&r->text, bytes, len) < 0)
		return NULL;
	node->len = len;
	return r;
}

static void *on_array(const redisReadTask *task, int elements)
{
	struct resp_reader *r = task->privdata;
	struct resp_node *node = add_node(r, RESP_ARRAY);

	if (!node)
		return NULL;
	node->integer = elements;
	return r;
}

static void *on_integer(const redisReadTask *task, long long value)
{
	struct resp_reader *r = task->privdata;
	struct resp_node *node = add_node(r, RESP_INTEGER);

	if (!node)
		return NULL;
	node->integer = value;
	return r;
}

static void *on_nil(const redisReadTask *task)
{
	struct resp_reader *r = task->privdata;

	return add_node(r, RESP_NIL) ? r : NULL;
}

static redisReader *new_hiredis(struct resp_reader *r)
{
	redisReader *hiredis = redisReaderCreateWithFunctions(&r->functions);

	if (hiredis) {
		hiredis->maxbuf = 0; /* keep the buffer when it is empty */
		hiredis->privdata = r;
	}
	return hiredis;
}

int resp_reader_new(struct resp_reader **ret)
{
	struct resp_reader *r = calloc(1, sizeof(*r));

	if (!r)
		return ERR_NOMEM;
	r->functions = (redisReplyObjectFunctions){
		.createString = on_string,
		.createArray = on_array,
		.createInteger = on_integer,
		.createNil = on_nil,
	};
	r->hiredis = new_hiredis(r);
	if (!r->hiredis || buf_reserve(&r->text, 0) < 0) {
		resp_reader_free(r);
		return ERR_NOMEM;
	}
	*ret = r;
	return 0;
}

void resp_reader_free(struct resp_reader *r)
{
	if (!r)
		return;
	if (r->hiredis)
		redisReaderFree(r->hiredis);
	free(r->nodes);
	buf_release(&r->text);
	free(r);
}

static void forget_reply(struct resp_reader *r)
{
	r->nnodes = 0;
	r->text.len = 0;
	r->text.failed = false;
	r->whole = false;
}

void resp_reader_reset(struct resp_reader *r)
{
	if (r->hiredis)
		redisReaderFree(r->hiredis);
	r->hiredis = new_hiredis(r); /* without memory: feeding fails */
	r->reason = NULL;
	forget_reply(r);
}

int resp_reader_feed(struct resp_reader *r, const void *bytes, size_t len)
{
	redisReader *h = r->hiredis;

	if (!h)
		return ERR_NOMEM;
	if (h->err)
		return h->err == REDIS_ERR_OOM && !r->reason ? ERR_NOMEM : ERR_PROTOCOL;
	if (len > UNREAD_MAX || h->len - h->pos > UNREAD_MAX - len)
		return ERR_RANGE;
	return redisReaderFeed(h, bytes, len) == REDIS_OK ? 0 : ERR_NOMEM;
}

static int failed(struct resp_reader *r, struct error *err)
{
	redisReader *h = r->hiredis;

	if (r->reason)
		return error_set(err, ERR_PROTOCOL, "malformed reply: %s", r->reason);
	if (!h || h->err == REDIS_ERR_OOM)
		return error_set(err, ERR_NOMEM, "out of memory for a reply");
	return error_set(err, ERR_PROTOCOL, "malformed reply: %s", h->errstr);
}

/* Without this, a peer that never ends a line makes the reader search it again with every feed. */
static bool line_too_long(const redisReader *h)
{
	return h->len - h->pos > LINE_MAX_LEN && !memchr(h->buf + h->pos, '\n', LINE_MAX_LEN);
}

int resp_reader_next(struct resp_reader *r, const struct resp_node **ret, size_t *ret_n, struct error *err)
{
	void *reply = NULL;
	const char *at;

	if (r->whole)
		forget_reply(r);
	if (!r->hiredis || r->reason || redisReaderGetReply(r->hiredis, &reply) != REDIS_OK)
		return failed(r, err);
	if (!reply) {
		if (!line_too_long(r->hiredis))
			return 0;
		r->reason = "a line without an end";
		return failed(r, err);
	}
	r->whole = true;
	at = r->text.data;
	for (size_t i = 0; i < r->nnodes; i++) {
		struct resp_node *node = &r->nodes[i];

		if (node->type <= RESP_ERROR) {
			node->data = at;
			at += node->len;
		}
	}
	*ret = r->nodes;
	*ret_n = r->nnodes;
	return 1;
}

static int append_count(struct buf *b, char sign, size_t n)
{
	char line[DECIMAL_MAX + 3];
	size_t len;

	line[0] = sign;
	len = 1 + decimal_write(line + 1, n);
	line[len++] = '\r';
	line[len++] = '\n';
	return buf_append(b, line, len);
}

int resp_append_header(struct buf *b, size_t nargs)
{
	return append_count(b, '*', nargs);
}

int resp_append_arg(struct buf *b, const void *data, size_t len)
{
	int r = append_count(b, '$', len);

	if (r == 0)
		r = buf_append(b, data, len);
	return r < 0 ? r : buf_append(b, "\r\n", 2);
}

int resp_append_command(struct buf *b, size_t nargs, const char *const *args, const size_t *lens)
{
	int r = resp_append_header(b, nargs);

	for (size_t i = 0; r == 0 && i < nargs; i++)
		r = resp_append_arg(b, args[i], lens ? lens[i] : strlen(args[i]));
	return r;
}
