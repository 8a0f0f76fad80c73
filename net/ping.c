/*
 * ping.c - one request at a time, and what counts as its answer.
 */
#include "net/ping.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "net/http1.h"
#include "net/rpc.h"

#define ECHO_SIZE 64
#define ANSWER_MAX ((size_t)1 << 20)
#define READ_SIZE 16384
#define REDIS_PING "*1\r\n$4\r\nPING\r\n"

struct pinger {
	const struct ping_target *target;
	struct conn *conn;
	struct buf request; /* of all but gRPC */
	struct http1_parser *http;
	struct rpc_config rpc_config;
	struct rpc_session *rpc;
	struct rpc_call *call;
	size_t owed;   /* echo: bytes that have not come back yet */
	bool answered; /* the request under way */
	bool last;     /* the server will answer no more on this connection */
};

const char *ping_name(enum ping_kind kind)
{
	static const char *const names[] = {
		[PING_REDIS] = "Redis PING",
		[PING_HTTP] = "HTTP GET /",
		[PING_GRPC] = "gRPC call of no method",
		[PING_ECHO] = "TCP echo",
	};

	return names[kind];
}

/* ---- what each kind sends ---- */

static void call_done(void *arg, struct rpc_call *c)
{
	struct pinger *p = arg;
	struct rpc_result r;

	rpc_call_result(c, &r);
	p->answered = r.status >= 0;
	p->last = r.status < 0;
}

static const char *authority(const struct endpoint *e)
{
	return endpoint_port(e) ? endpoint_name(e) : endpoint_host(e);
}

static int prepare_http(struct pinger *p, struct error *err)
{
	const struct http1_request q = {.method = "GET", .host = authority(p->target->endpoint), .path = "/"};
	int r = http1_head_make(&p->request, &q, err);

	if (r < 0)
		return r;
	if (buf_reserve(&p->request, HTTP1_HEAD_ROOM) < 0 || http1_parser_new(&p->http, NULL, ANSWER_MAX) < 0)
		return error_set(err, ERR_NOMEM, "out of memory");
	p->request.len = http1_head_finish(p->request.data, p->request.len, 0);
	return 0;
}

static int prepare_grpc(struct pinger *p, struct error *err)
{
	int r;

	p->rpc_config = (struct rpc_config){
		.scheme = p->target->tls ? "https" : "http",
		.authority = authority(p->target->endpoint),
		.path = "/aibench.Baseline/Ping",
		.message_max = ANSWER_MAX,
		.done = call_done,
		.arg = p,
	};
	r = rpc_session_new(&p->rpc, &p->rpc_config, err);
	if (r < 0)
		return r;
	if (rpc_call_new(&p->call, 0, 1) < 0 || rpc_session_start(p->rpc) < 0)
		return error_set(err, ERR_NOMEM, "out of memory");
	return 0;
}

static int prepare(struct pinger *p, struct error *err)
{
	static const char zeros[ECHO_SIZE];
	int r = 0;

	switch (p->target->kind) {
	case PING_REDIS:
		r = buf_append(&p->request, REDIS_PING, strlen(REDIS_PING));
		break;
	case PING_ECHO:
		r = buf_append(&p->request, zeros, sizeof(zeros));
		break;
	case PING_HTTP:
		return prepare_http(p, err);
	case PING_GRPC:
		return prepare_grpc(p, err);
	}
	return r < 0 ? error_set(err, ERR_NOMEM, "out of memory") : 0;
}

/* Writes what a session has to say; the connection is not closed on failure, its owner does that. */
static int pump_grpc(struct pinger *p, nsec_t deadline, struct error *err)
{
	for (;;) {
		struct rpc_output *out;
		int r = rpc_session_output(p->rpc, &out, err);

		if (r < 0 || out->n == 0)
			return r;
		for (; out->n > 0; out->iov++, out->n--) {
			r = conn_write_all(p->conn, out->iov->iov_base, out->iov->iov_len, deadline, err);
			if (r < 0)
				return r;
		}
	}
}

static int send_request(struct pinger *p, nsec_t deadline, struct error *err)
{
	int r;

	p->answered = false;
	p->owed = ECHO_SIZE;
	if (!p->rpc)
		return conn_write_all(p->conn, p->request.data, p->request.len, deadline, err);
	r = rpc_session_submit(p->rpc, p->call, NULL, 0, 0);
	if (r < 0)
		return error_set(err, (enum error_code)r, "%s", error_message(r));
	return pump_grpc(p, deadline, err);
}

/* ---- and what answers it ---- */

static int take_redis(struct pinger *p, const char *bytes, size_t len, struct error *err)
{
	if (!p->answered && p->owed == ECHO_SIZE && bytes[0] != '+' && bytes[0] != '-')
		return error_set(err, ERR_PROTOCOL, "%s: that is no answer to PING: is it a Redis server?",
				 endpoint_name(p->target->endpoint));
	p->owed = 0; /* the first byte of the line was seen */
	p->answered = memchr(bytes, '\n', len) != NULL;
	return 0;
}

static int take_http(struct pinger *p, const char *bytes, size_t len, struct error *err)
{
	size_t used = 0;
	int r = http1_parser_feed(p->http, bytes, len, &used, err);

	if (r <= 0)
		return r;
	p->answered = true;
	p->last = !http1_parser_reply(p->http)->keep_alive;
	http1_parser_reset(p->http);
	return 0;
}

static int take(struct pinger *p, const char *bytes, size_t len, nsec_t deadline, struct error *err)
{
	int r;

	switch (p->target->kind) {
	case PING_REDIS:
		return take_redis(p, bytes, len, err);
	case PING_HTTP:
		return take_http(p, bytes, len, err);
	case PING_ECHO:
		p->owed -= len < p->owed ? len : p->owed;
		p->answered = p->owed == 0;
		return 0;
	case PING_GRPC:
		break;
	}
	r = rpc_session_receive(p->rpc, bytes, len, err);
	p->last = p->last || rpc_session_going_away(p->rpc);
	return r < 0 ? r : pump_grpc(p, deadline, err);
}

/* A body without a length ends with the connection. */
static int take_end(struct pinger *p, int code, struct error *err)
{
	p->last = true;
	if (code == ERR_CLOSED && p->http && http1_parser_end(p->http, err) == 1) {
		p->answered = true;
		return 0;
	}
	return code;
}

static int round_trip(struct pinger *p, nsec_t timeout, nsec_t *ret, struct error *err)
{
	char bytes[READ_SIZE];
	nsec_t sent = clock_now(), deadline = sent + timeout;
	int r = send_request(p, deadline, err);

	while (r == 0 && !p->answered) {
		ssize_t n = conn_read(p->conn, bytes, sizeof(bytes), err);

		if (n > 0)
			r = take(p, bytes, (size_t)n, deadline, err);
		else if (n == ERR_AGAIN)
			r = conn_wait(p->conn, conn_wants(p->conn), deadline, err);
		else
			r = take_end(p, (int)n, err);
		if (r == 0 && n > 0 && !p->answered && clock_now() > deadline)
			r = error_set(err, ERR_TIMEOUT, "%s: the answer does not end",
				      endpoint_name(p->target->endpoint));
		if (r == 0 && p->last && !p->answered)
			r = error_set(err, ERR_CLOSED, "%s: the server ends the connection",
				      endpoint_name(p->target->endpoint));
	}
	*ret = clock_now() - sent;
	return r;
}

static void pinger_release(struct pinger *p)
{
	rpc_session_free(p->rpc);
	rpc_call_free(p->call);
	http1_parser_free(p->http);
	buf_release(&p->request);
	conn_free(p->conn);
}

int ping_measure(const struct ping_target *t, const struct ping_limits *l, nsec_t *ret_times, struct error *err)
{
	struct pinger p = {.target = t};
	nsec_t first, end;
	unsigned n = 0;
	int r = prepare(&p, err);

	if (r == 0 && conn_new(&p.conn, t->endpoint, t->tls) < 0)
		r = error_set(err, ERR_NOMEM, "out of memory");
	if (r < 0)
		goto out;
	conn_set_interrupt(p.conn, l->interrupt);
	r = conn_open_wait(p.conn, clock_now() + l->timeout, err);
	if (r == 0)
		r = round_trip(&p, l->timeout, &first, err);
	end = clock_now() + l->time;
	while (r == 0 && !p.last && n < l->round_trips && (n == 0 || clock_now() < end)) {
		r = round_trip(&p, l->timeout, &ret_times[n], err);
		n += r == 0;
	}
	if (n > 0)
		r = (int)n;
	else if (r == 0)
		r = error_set(err, ERR_CLOSED, "%s: the server closes the connection after each answer",
			      endpoint_name(t->endpoint));
out:
	pinger_release(&p);
	return r;
}
