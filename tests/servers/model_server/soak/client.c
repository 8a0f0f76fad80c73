/*
 * client.c - the four kinds of clients.
 */
#include "tests/servers/model_server/soak/client.h"

#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/arith.h"
#include "tests/servers/model_server/http2_bytes.h"

#define AT_ONCE 8    /* requests of a client under way */
#define HURRIED_MS 1 /* a deadline that is missed now and then */
#define SLOW_PAUSE_US 500
#define ABORT_PAUSE_US 30000 /* each leaves a port in TIME_WAIT */
#define SLOW_PIECE 24        /* bytes */

/* gRPC's statuses of calls that were given up or had no time. */
#define CANCELLED 1
#define DEADLINE_EXCEEDED 4

const char *soak_kind_name(enum soak_kind k)
{
	static const char *const names[SOAK_KINDS] = {"HTTP", "HTTP, slow", "gRPC", "aborted"};

	return names[k];
}

static bool chance(struct soak_client *c, uint64_t one_in)
{
	return rng_below(&c->rng, one_in) == 0;
}

static void fail_client(struct soak_client *c, const char *question, unsigned status, const char *words)
{
	c->failed = true;
	error_set(&c->why, ERR_SERVER, "%s: %s: answered %u %.200s", soak_kind_name(c->kind), question, status, words);
}

static const struct http_question *any_http(struct soak_client *c)
{
	return &c->questions->http[rng_below(&c->rng, c->questions->nhttp)];
}

static const struct rpc_question *any_rpc(struct soak_client *c)
{
	return &c->questions->rpc[rng_below(&c->rng, c->questions->nrpc)];
}

static void note_time(struct soak_client *c, nsec_t asked)
{
	nsec_t took = clock_now() - asked;

	if (took > c->slowest)
		c->slowest = took;
}

/* ---- HTTP ---- */

static void take_http(struct soak_client *c, int fd, const struct http_question *q)
{
	struct http_reply reply = {0};
	bool whole = http_try_receive(fd, &reply);

	if (!whole)
		fail_client(c, q->name, 0, reply.problem[0] ? reply.problem : "closed without an answer");
	else if (!http_question_answered(q, &reply))
		fail_client(c, q->name, reply.status, reply.body.data ? reply.body.data : "");
	else
		c->answers++;
	http_reply_release(&reply);
}

static void ask_http(struct soak_client *c, int fd)
{
	const struct http_question *asked[AT_ONCE];
	size_t n = 1 + rng_below(&c->rng, chance(c, 4) ? AT_ONCE : 1);
	nsec_t start = clock_now();

	for (size_t i = 0; i < n && !c->failed; i++) {
		asked[i] = any_http(c);
		if (!http_send(fd, asked[i]->text.data, asked[i]->text.len))
			fail_client(c, asked[i]->name, 0, "the connection was closed");
	}
	for (size_t i = 0; i < n && !c->failed; i++)
		take_http(c, fd, asked[i]);
	note_time(c, start);
}

static void ask_slowly(struct soak_client *c, int fd)
{
	const struct timespec pause = {.tv_nsec = SLOW_PAUSE_US * 1000};
	const struct http_question *q = any_http(c);
	nsec_t start = clock_now();

	for (size_t at = 0; at < q->text.len && !c->failed;) {
		size_t n = 1 + rng_below(&c->rng, SLOW_PIECE);

		if (n > q->text.len - at)
			n = q->text.len - at;
		if (!http_send(fd, q->text.data + at, n))
			fail_client(c, q->name, 0, "the connection was closed");
		at += n;
		nanosleep(&pause, NULL);
	}
	if (!c->failed)
		take_http(c, fd, q);
	note_time(c, start);
}

static void run_http(struct soak_client *c, void (*ask)(struct soak_client *c, int fd))
{
	while (!atomic_load(c->stop) && !c->failed) {
		int fd = http_connect(c->http_port);

		do
			ask(c, fd);
		while (!c->failed && !atomic_load(c->stop) && !chance(c, 50));
		close(fd);
	}
}

/* ---- gRPC ---- */

struct asked {
	const struct rpc_question *question;
	struct grpc_pending *pending;
	bool cancelled, hurried;
};

static void finish_rpc(struct soak_client *c, struct asked *a)
{
	struct grpc_reply reply;
	bool excused;

	grpc_finish(a->pending, &reply);
	excused = (a->cancelled && reply.status == CANCELLED) || (a->hurried && reply.status == DEADLINE_EXCEEDED);
	if (excused)
		c->aborted++;
	else if (rpc_question_answered(a->question, &reply))
		c->answers++;
	else if (!c->failed)
		fail_client(c, a->question->name, (unsigned)reply.status, reply.details);
	grpc_reply_release(&reply);
}

static void ask_grpc(struct soak_client *c, struct grpc_client *grpc)
{
	struct asked asked[AT_ONCE];
	size_t n = 1 + rng_below(&c->rng, AT_ONCE);
	nsec_t start = clock_now();

	for (size_t i = 0; i < n; i++) {
		struct asked *a = &asked[i];

		*a = (struct asked){.question = any_rpc(c), .hurried = chance(c, 16), .cancelled = chance(c, 16)};
		a->pending = grpc_begin(grpc, a->question->method, a->question->message, a->question->len,
					a->hurried ? HURRIED_MS : 0);
		if (a->cancelled)
			grpc_cancel(a->pending);
	}
	for (size_t i = 0; i < n; i++)
		finish_rpc(c, &asked[i]);
	note_time(c, start);
}

static void run_grpc(struct soak_client *c)
{
	while (!atomic_load(c->stop) && !c->failed) {
		struct grpc_client *grpc = grpc_client_new(c->grpc_port);

		do
			ask_grpc(c, grpc);
		while (!c->failed && !atomic_load(c->stop) && !chance(c, 50));
		grpc_client_free(grpc);
	}
}

/* ---- those that break off ---- */

/* Some calls at once, as a client writes them. */
static void put_calls(struct soak_client *c, struct buf *b)
{
	uint32_t n = 1 + (uint32_t)rng_below(&c->rng, AT_ONCE);

	http2_put_preface(b);
	for (uint32_t i = 0; i < n; i++) {
		const struct rpc_question *q = any_rpc(c);

		http2_put_call(b, 2 * i + 1, q->method);
		http2_put_message(b, 2 * i + 1, q->message ? q->message : (const void *)"", q->len, !chance(c, 8));
		if (chance(c, 4))
			http2_put_frame(b, HTTP2_RST_STREAM, 0, 2 * i + 1, "\0\0\0\x08", 4);
	}
}

static void break_off(struct soak_client *c)
{
	const struct timespec pause = {.tv_nsec = ABORT_PAUSE_US * 1000};
	const struct linger reset = {.l_onoff = 1};
	bool grpc = chance(c, 2);
	/* Now and then the other protocol's bytes. */
	int fd = http_connect(grpc != chance(c, 16) ? c->grpc_port : c->http_port);
	struct buf bytes = {0};
	size_t len;

	if (grpc)
		put_calls(c, &bytes);
	else
		for (uint64_t i = rng_below(&c->rng, 3) + 1; i > 0; i--) {
			const struct http_question *q = any_http(c);

			buf_append(&bytes, q->text.data, q->text.len);
		}
	if (chance(c, 4) && bytes.len)
		bytes.data[rng_below(&c->rng, bytes.len)] ^= (char)(1 << rng_below(&c->rng, 8));
	len = chance(c, 2) ? bytes.len : rng_below(&c->rng, bytes.len + 1);
	(void)http_send(fd, bytes.data, len);
	if (chance(c, 4))
		shutdown(fd, SHUT_WR);
	if (chance(c, 2)) {
		char some[512];

		(void)recv(fd, some, sizeof(some), MSG_DONTWAIT);
	}
	if (chance(c, 2))
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(fd);
	buf_release(&bytes);
	c->aborted++;
	nanosleep(&pause, NULL);
}

void *soak_client_run(void *arg)
{
	struct soak_client *c = arg;

	switch (c->kind) {
	case SOAK_HTTP:
		run_http(c, ask_http);
		break;
	case SOAK_SLOW:
		run_http(c, ask_slowly);
		break;
	case SOAK_GRPC:
		run_grpc(c);
		break;
	default:
		while (!atomic_load(c->stop))
			break_off(c);
	}
	return NULL;
}
