/*
 * redis_client.c - a blocking Redis client: connect, AUTH, commands, pipelines.
 */
#include "net/redis_client.h"

#include <ctype.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/redis_advice.h"

#define READ_SIZE ((size_t)65536)
#define WORDS_MAX 64
#define FIRST_BYTES 48

struct redis_client {
	struct conn *conn;
	const struct endpoint *endpoint;
	bool tls;
	int64_t timeout;
	struct resp_reader *reader;
	struct buf out;
	bool broken;             /* replies no longer match commands */
	char first[FIRST_BYTES]; /* what the server said first, to tell what it is if it is no Redis */
	size_t nfirst;
	char in[READ_SIZE];
};

const char *redis_client_name(const struct redis_client *c)
{
	return endpoint_name(c->endpoint);
}

const struct endpoint *redis_client_endpoint(const struct redis_client *c)
{
	return c->endpoint;
}

struct buf *redis_client_out(struct redis_client *c)
{
	return &c->out;
}

void redis_client_close(struct redis_client *c)
{
	if (!c)
		return;
	conn_free(c->conn);
	resp_reader_free(c->reader);
	buf_release(&c->out);
	free(c);
}

static int broken(struct redis_client *c, int code)
{
	c->broken = true;
	conn_close(c->conn);
	return code;
}

/* The server's bytes are no RESP: says what it seems to be. */
static int no_redis(struct redis_client *c, const struct error *why, struct error *err)
{
	const char *name = redis_client_name(c);
	char shown[FIRST_BYTES + 1];
	size_t n = 0;

	if (c->nfirst >= 5 && !memcmp(c->first, "HTTP/", 5))
		return error_set(err, ERR_PROTOCOL, "%s: this is an HTTP server and no Redis: are host and port right?",
				 name);
	if (c->nfirst >= 2 && (c->first[0] == 0x15 || c->first[0] == 0x16) && c->first[1] == 0x03)
		return error_set(err, ERR_PROTOCOL, "%s: the server speaks TLS: pass -tls", name);
	for (; n < c->nfirst && c->first[n] != '\r' && c->first[n] != '\n'; n++)
		shown[n] = isprint((unsigned char)c->first[n]) ? c->first[n] : '.';
	shown[n] = '\0';
	if (c->nfirst > 0 && (!c->first[0] || !strchr("+-:$*", c->first[0])))
		return error_set(err, ERR_PROTOCOL, "%s: no Redis server: it says \"%s\": are host and port right?",
				 name, shown);
	return error_set(err, ERR_PROTOCOL, "%s: %s", name, why->text);
}

/* Reads what is there. Returns 0, ERR_AGAIN, or the error that broke the connection. */
static int read_some(struct redis_client *c, struct error *err)
{
	ssize_t n = conn_read(c->conn, c->in, sizeof(c->in), err);
	int r;

	if (n == ERR_AGAIN)
		return ERR_AGAIN;
	if (n < 0)
		return broken(c, (int)n);
	if (c->nfirst < FIRST_BYTES) {
		size_t room = FIRST_BYTES - c->nfirst, part = (size_t)n < room ? (size_t)n : room;

		memcpy(c->first + c->nfirst, c->in, part);
		c->nfirst += part;
	}
	r = resp_reader_feed(c->reader, c->in, (size_t)n);
	if (r < 0)
		return broken(
			c, error_set(err, r, "%s: a reply is too large: %s", redis_client_name(c), error_message(r)));
	return 0;
}

int redis_client_send(struct redis_client *c, struct error *err)
{
	nsec_t deadline = clock_now() + c->timeout;
	size_t done = 0;

	if (c->out.failed) {
		buf_clear(&c->out);
		error_set(err, ERR_NOMEM, "%s: out of memory for a command", redis_client_name(c));
		return ERR_NOMEM;
	}
	if (c->broken) {
		error_set(err, ERR_CLOSED, "%s: the connection was given up", redis_client_name(c));
		return ERR_CLOSED;
	}
	while (done < c->out.len) {
		struct iovec iov = {.iov_base = c->out.data + done, .iov_len = c->out.len - done};
		ssize_t n = conn_writev(c->conn, &iov, 1, err);
		int r;

		if (n >= 0) {
			done += (size_t)n;
			continue;
		}
		if (n != ERR_AGAIN)
			return broken(c, (int)n);
		/* A server that cannot get rid of its replies may stop reading: take them in meanwhile. */
		r = conn_wait(c->conn, (short)(conn_wants(c->conn) | POLLIN), deadline, err);
		if (r < 0)
			return broken(c, r);
		r = read_some(c, err);
		if (r < 0 && r != ERR_AGAIN)
			return r;
		if (r == 0)
			deadline = clock_now() + c->timeout;
	}
	buf_clear(&c->out);
	return 0;
}

int redis_client_receive(struct redis_client *c, const struct resp_node **ret, size_t *ret_n, struct error *err)
{
	nsec_t deadline = clock_now() + c->timeout;
	struct error why;

	if (c->broken) {
		error_set(err, ERR_CLOSED, "%s: the connection was given up", redis_client_name(c));
		return ERR_CLOSED;
	}
	for (;;) {
		int r = resp_reader_next(c->reader, ret, ret_n, &why);

		if (r > 0)
			return 0;
		if (r == ERR_PROTOCOL)
			return broken(c, no_redis(c, &why, err));
		if (r < 0)
			return broken(c, error_set(err, r, "%s: %s", redis_client_name(c), why.text));
		r = read_some(c, err);
		if (r == ERR_AGAIN) {
			r = conn_wait(c->conn, conn_wants(c->conn), deadline, err);
			if (r < 0)
				return broken(c, r);
		} else if (r < 0) {
			return r;
		}
	}
}

int redis_client_command(struct redis_client *c, size_t nargs, const char *const *args, const size_t *lens,
			 const struct resp_node **ret, size_t *ret_n, struct error *err)
{
	int r;

	resp_append_command(&c->out, nargs, args, lens); /* its failure stays with the buffer until it is sent */
	r = redis_client_send(c, err);
	return r < 0 ? r : redis_client_receive(c, ret, ret_n, err);
}

int redis_client_refused(const struct redis_client *c, const struct resp_node *reply, struct error *err)
{
	const struct redis_advice *advice = redis_advice_find(reply->data, reply->len);
	const char *name = redis_client_name(c);
	int len = (int)(reply->len < REDIS_REPLY_SHOWN ? reply->len : REDIS_REPLY_SHOWN);

	if (advice && advice->alone)
		return error_set(err, ERR_SERVER, "%s: %s", name, advice->text);
	error_set(err, ERR_SERVER, "%s: the server answered: %.*s", name, len, reply->data);
	redis_advice_append(err, reply->data, reply->len);
	return ERR_SERVER;
}

int redis_client_commandf(struct redis_client *c, const struct resp_node **ret, size_t *ret_n, struct error *err,
			  const char *fmt, ...)
{
	struct buf line = {0};
	const char *words[WORDS_MAX];
	size_t lens[WORDS_MAX], nwords = 0;
	va_list args;
	int r;

	va_start(args, fmt);
	r = buf_vprintf(&line, fmt, args);
	va_end(args);
	if (r < 0) {
		r = error_set(err, ERR_NOMEM, "%s: out of memory for a command", redis_client_name(c));
		goto out;
	}
	for (const char *p = line.data + strspn(line.data, " "); *p; p += strspn(p, " ")) {
		if (nwords == WORDS_MAX) {
			r = error_set(err, ERR_INVALID, "%s: a command of more than %d words", redis_client_name(c),
				      WORDS_MAX);
			goto out;
		}
		words[nwords] = p;
		lens[nwords] = strcspn(p, " ");
		p += lens[nwords++];
	}
	r = redis_client_command(c, nwords, words, lens, ret, ret_n, err);
	if (r == 0 && (*ret)->type == RESP_ERROR)
		r = redis_client_refused(c, *ret, err);
out:
	buf_release(&line);
	return r;
}

static int authenticate(struct redis_client *c, const struct conn_options *o, struct error *err)
{
	bool has_user = o->user && *o->user;
	const char *args[3] = {"AUTH", has_user ? o->user : o->password, o->password};
	const struct resp_node *reply;
	size_t n;
	int r;

	if (!o->password)
		return has_user ? error_set(err, ERR_USAGE, "-user needs -password (or REDISCLI_AUTH)") : 0;
	r = redis_client_command(c, has_user ? 3 : 2, args, NULL, &reply, &n, err);
	if (r == 0 && reply->type == RESP_ERROR)
		r = redis_client_refused(c, reply, err);
	return r;
}

/* Asks for a sign of life, so that what is no Redis, or refuses us, is told at once. */
static int greet(struct redis_client *c, struct error *err)
{
	const char *args[1] = {"PING"};
	const struct resp_node *reply;
	size_t n;
	int r = redis_client_command(c, 1, args, NULL, &reply, &n, err);

	if (r < 0)
		return r;
	/* A user without the permission to PING is welcome. */
	if (reply->type == RESP_ERROR && !(reply->len >= 6 && !memcmp(reply->data, "NOPERM", 6)))
		return redis_client_refused(c, reply, err);
	return 0;
}

int redis_client_open(struct redis_client **ret, const struct endpoint *e, const struct tls_config *tls,
		      const struct conn_options *o, struct error *err)
{
	struct redis_client *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return error_set(err, ERR_NOMEM, "%s: out of memory", endpoint_name(e));
	c->endpoint = e;
	c->tls = tls != NULL;
	c->timeout = o->timeout;
	r = conn_new(&c->conn, e, tls);
	if (r == 0)
		r = resp_reader_new(&c->reader);
	if (r < 0) {
		error_set(err, ERR_NOMEM, "%s: out of memory", endpoint_name(e));
		goto fail;
	}
	conn_set_interrupt(c->conn, o->interrupt);
	r = conn_open_wait(c->conn, clock_now() + c->timeout, err);
	if (r < 0)
		goto fail;
	r = authenticate(c, o, err);
	if (r == 0)
		r = greet(c, err);
	if (r == ERR_CLOSED && c->nfirst == 0 && !c->tls)
		error_set(err, r, "%s: the server closed the connection without an answer: does it want -tls?",
			  redis_client_name(c));
	if (r < 0)
		goto fail;
	*ret = c;
	return 0;
fail:
	redis_client_close(c);
	return r;
}
