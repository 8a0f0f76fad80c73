/*
 * sender.c - one connection's batches, what is on its way, and what came back.
 */
#include "loaders/sender.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/arith.h"
#include "loaders/replies.h"
#include "net/redis_advice.h"
#include "workloads/fraud.h"

#define READ_SIZE ((size_t)16 << 10)
#define IOVECS_PER_CALL 1024 /* IOV_MAX of Linux */

/* The batch under way is iov[next_iov, niov): for every command its text and the row's bytes, in the end CR LF. */
struct sender {
	struct conn *conn;
	const struct sender_source *source;
	const char *server;
	unsigned shard, pipeline;
	bool starved;
	nsec_t moved; /* when bytes last went out or came in */

	struct iovec *iov;
	unsigned niov, next_iov;
	char *texts;          /* LOAD_COMMAND_MAX + 2 bytes a command of the batch */
	uint64_t *batch_rows; /* to be given back once the batch is written */
	unsigned nbatch_rows;
	struct load_row row;   /* being turned into commands */
	unsigned next_command; /* of row; ncommands: row is used up */

	uint64_t *ids; /* ring of the rows whose commands wait for replies, oldest at `oldest` */
	unsigned oldest, in_flight;
	unsigned oldest_command; /* which of its row's commands the oldest one is */
	struct replies replies;
	char in[READ_SIZE];
};

int sender_new(struct sender **ret, const struct sender_place *place, unsigned pipeline,
	       const struct sender_source *source)
{
	struct sender *s = calloc(1, sizeof(*s));

	if (!s)
		return ERR_NOMEM;
	s->source = source;
	s->server = place->server;
	s->shard = place->shard;
	s->pipeline = pipeline;
	s->next_command = source->ncommands;
	s->iov = calloc(2 * (size_t)pipeline + 1, sizeof(*s->iov));
	s->texts = calloc(pipeline, LOAD_COMMAND_MAX + 2);
	s->batch_rows = calloc(pipeline, sizeof(*s->batch_rows));
	s->ids = calloc(pipeline, sizeof(*s->ids));
	if (!s->iov || !s->texts || !s->batch_rows || !s->ids) {
		sender_free(s);
		return ERR_NOMEM;
	}
	s->conn = place->conn;
	*ret = s;
	return 0;
}

void sender_free(struct sender *s)
{
	if (!s)
		return;
	conn_free(s->conn);
	free(s->iov);
	free(s->texts);
	free(s->batch_rows);
	free(s->ids);
	free(s);
}

int sender_fd(const struct sender *s)
{
	return conn_fd(s->conn);
}

const char *sender_server(const struct sender *s)
{
	return s->server;
}

bool sender_is_starved(const struct sender *s)
{
	return s->starved;
}

bool sender_is_idle(const struct sender *s)
{
	return s->in_flight == 0 && s->niov == 0 && s->next_command == s->source->ncommands;
}

nsec_t sender_waits_since(const struct sender *s)
{
	return s->in_flight > 0 ? s->moved : NSEC_NEVER;
}

/* Only read from, whatever iovec says. */
static void add_iov(struct sender *s, const void *bytes, size_t len)
{
	s->iov[s->niov++] = (struct iovec){.iov_base = (void *)bytes, .iov_len = len};
}

/* Adds the next command of s->row, which has one left, to the batch. */
static void add_command(struct sender *s, unsigned place)
{
	const struct sender_source *source = s->source;
	uint64_t id = fraud_row_id(s->row.bytes);
	char *text = s->texts + (size_t)place * (LOAD_COMMAND_MAX + 2);
	size_t len = 0;

	if (place > 0) {
		text[len++] = '\r';
		text[len++] = '\n';
	}
	len += load_command_write(text + len, &source->commands[s->next_command], id);
	add_iov(s, text, len);
	add_iov(s, s->row.bytes + source->value_offset, source->value_size);
	s->ids[(s->oldest + s->in_flight++) % s->pipeline] = id;
	if (++s->next_command == source->ncommands)
		s->batch_rows[s->nbatch_rows++] = s->row.k;
}

/* Fills the room of the pipeline with a batch. 0 also where there are no rows. */
static int build_batch(struct sender *s, struct error *err)
{
	unsigned room = s->pipeline - s->in_flight, n = 0;

	s->starved = false;
	if (room == 0 || room < s->pipeline / 2)
		return 0;
	for (; n < room; n++) {
		if (s->next_command == s->source->ncommands) {
			int rc = s->source->take(s->source->arg, s->shard, &s->row, err);

			if (rc == ERR_AGAIN)
				s->starved = true;
			if (rc == ERR_AGAIN || rc == ERR_NOT_FOUND)
				break;
			if (rc < 0)
				return rc;
			s->next_command = 0;
		}
		add_command(s, n);
	}
	if (n > 0)
		add_iov(s, "\r\n", 2);
	return 0;
}

/* Drops n written bytes from the front of the batch. */
static void advance(struct sender *s, size_t n)
{
	while (s->next_iov < s->niov && n >= s->iov[s->next_iov].iov_len)
		n -= s->iov[s->next_iov++].iov_len;
	if (n > 0) {
		struct iovec *v = &s->iov[s->next_iov];

		v->iov_base = (char *)v->iov_base + n;
		v->iov_len -= n;
	}
}

static void finish_batch(struct sender *s)
{
	for (unsigned i = 0; i < s->nbatch_rows; i++)
		s->source->give(s->source->arg, s->batch_rows[i]);
	s->nbatch_rows = 0;
	s->niov = s->next_iov = 0;
}

/* 1: the batch is out, or there is none. 0: the kernel takes no more now. */
static int write_batch(struct sender *s, nsec_t now, struct error *err)
{
	while (s->next_iov < s->niov) {
		unsigned left = s->niov - s->next_iov;
		ssize_t n = conn_writev(s->conn, s->iov + s->next_iov,
					(int)(left < IOVECS_PER_CALL ? left : IOVECS_PER_CALL), err);

		if (n == ERR_AGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		s->moved = now;
		advance(s, (size_t)n);
	}
	finish_batch(s);
	return 1;
}

/* What the server answered instead of OK to the oldest command. */
static int refused(const struct sender *s, struct error *err)
{
	const struct load_command *c = &s->source->commands[s->oldest_command];
	const char *text = s->replies.line;

	if (strncmp(text, "ERR unknown command", 19) == 0)
		return error_set(err, ERR_SERVER,
				 "%s: this Redis does not know %s: start it with --loadmodule bin/redisai.so (or load "
				 "plain strings only: -set-tensor=false)",
				 s->server, c->name);
	if (strncmp(text, "MOVED ", 6) == 0 || strncmp(text, "ASK ", 4) == 0)
		return error_set(err, ERR_SERVER,
				 "%s: the cluster moved keys while they were loaded (%s): run the load again",
				 s->server, text);
	error_set(err, ERR_SERVER, "%s: %s %.*s%" PRIu64 "}: the server answered: %s", s->server, c->name,
		  (int)c->key_len, c->key, s->ids[s->oldest], text);
	redis_advice_append(err, text, strlen(text));
	return ERR_SERVER;
}

static void take_off(struct sender *s, uint64_t n)
{
	s->oldest = (unsigned)((s->oldest + n) % s->pipeline);
	s->oldest_command = (unsigned)((s->oldest_command + n) % s->source->ncommands);
	s->in_flight -= (unsigned)n;
}

static int read_replies(struct sender *s, nsec_t now, uint64_t *count, struct error *err)
{
	for (;;) {
		ssize_t n = conn_read(s->conn, s->in, sizeof(s->in), err);
		uint64_t oks = 0;
		int rc;

		if (n == ERR_AGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		s->moved = now;
		rc = replies_feed(&s->replies, s->in, (size_t)n, &oks);
		if (rc == ERR_PROTOCOL || oks > s->in_flight || (rc < 0 && oks == s->in_flight))
			return error_set(err, ERR_PROTOCOL, "%s: no Redis reply: \"%.60s\": are host and port right?",
					 s->server, s->replies.line);
		take_off(s, oks);
		*count += oks;
		if (rc < 0)
			return refused(s, err);
	}
}

/* The connection broke while writing; if the server said why before it closed, that is the better message. */
static int broken(struct sender *s, nsec_t now, uint64_t *count, int code, struct error *err)
{
	struct error why = {""};

	if (read_replies(s, now, count, &why) != ERR_SERVER)
		return code;
	*err = why;
	return ERR_SERVER;
}

int sender_pump(struct sender *s, nsec_t now, uint64_t *count, struct error *err)
{
	int rc = read_replies(s, now, count, err);

	while (rc >= 0) {
		if (s->niov == 0) {
			rc = build_batch(s, err);
			if (rc < 0 || s->niov == 0)
				return rc;
			s->moved = now;
		}
		rc = write_batch(s, now, err);
		if (rc == 0)
			return 0;
		if (rc < 0)
			return broken(s, now, count, rc, err);
	}
	return rc;
}
