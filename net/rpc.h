/*
 * rpc.h - gRPC over HTTP/2 as a client speaks it, without a socket: unary calls of one method, many a connection.
 *
 * nghttp2 does HTTP/2; the framing of messages, the status and the error cases are here (PROTOCOL-HTTP2.md of gRPC). A
 * session is one connection: bytes that came are given to rpc_session_receive, and rpc_session_output hands out what is
 * to be written: a list of views, in which messages are the caller's own memory.
 */
#ifndef NET_RPC_H
#define NET_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/error.h"
#include "net/header.h"

enum rpc_status {
	RPC_OK,
	RPC_CANCELLED,
	RPC_UNKNOWN,
	RPC_INVALID_ARGUMENT,
	RPC_DEADLINE_EXCEEDED,
	RPC_NOT_FOUND,
	RPC_ALREADY_EXISTS,
	RPC_PERMISSION_DENIED,
	RPC_RESOURCE_EXHAUSTED,
	RPC_FAILED_PRECONDITION,
	RPC_ABORTED,
	RPC_OUT_OF_RANGE,
	RPC_UNIMPLEMENTED,
	RPC_INTERNAL,
	RPC_UNAVAILABLE,
	RPC_DATA_LOSS,
	RPC_UNAUTHENTICATED,
};

/* "NOT_FOUND"; "status 99" is not a name: "UNKNOWN" for others. */
const char *rpc_status_name(int status);

/* One call's state, made once and used for one call after the other. */
struct rpc_call;

struct rpc_result {
	int code;      /* 0, ERR_SERVER (status says what), ERR_PROTOCOL, ERR_RANGE, ERR_CLOSED, ERR_NOMEM */
	int status;    /* gRPC's; -1: none came */
	char *message; /* with a NUL behind it, the reader's to alter */
	size_t size;
	const char *text; /* code < 0: the server's own words, decoded, or ours; may hold any bytes but NUL */
};

/* number: the caller's own; views: that a message may be given in. */
int rpc_call_new(struct rpc_call **ret, unsigned number, int views) MUST_CHECK;
void rpc_call_free(struct rpc_call *c); /* not under way */
unsigned rpc_call_number(const struct rpc_call *c);
bool rpc_call_under_way(const struct rpc_call *c);
/* Valid from the end of the call until its next submit. */
void rpc_call_result(const struct rpc_call *c, struct rpc_result *ret);

struct rpc_config {
	const char *scheme, *authority, *path; /* "http", "127.0.0.1:8500", "/package.Service/Method" */
	const struct call_header *headers;
	size_t nheaders;
	size_t message_max;                          /* of a reply */
	void (*done)(void *arg, struct rpc_call *c); /* a call ended; not to be submitted again from within */
	void *arg;
};

struct rpc_session;

/* cfg and all it points to are borrowed. ERR_USAGE for a header that cannot be sent. */
int rpc_session_new(struct rpc_session **ret, const struct rpc_config *cfg, struct error *err) MUST_CHECK;
void rpc_session_free(struct rpc_session *s);
/* A new connection: forgets the one before, whose calls are ended with ERR_CLOSED and why (done is called). */
int rpc_session_start(struct rpc_session *s) MUST_CHECK;
void rpc_session_end(struct rpc_session *s, int code, const char *why);

/* Starts a call; its views (not their array) stay as they are until it is done. ERR_CLOSED: no more calls on this
 * connection; ERR_RANGE: more than 4 GiB or than the call has views for; ERR_NOMEM. */
int rpc_session_submit(struct rpc_session *s, struct rpc_call *c, const struct iovec *body, int nbody,
		       size_t size) MUST_CHECK;
/* Gives a call up: the stream is reset; done is called with the code and text. */
void rpc_session_cancel(struct rpc_session *s, struct rpc_call *c, int code, const char *why);
/* Asks for a sign of life. */
int rpc_session_ping(struct rpc_session *s);

/* Takes bytes of the server. A negative code ends the connection: err says why. */
int rpc_session_receive(struct rpc_session *s, const char *bytes, size_t len, struct error *err) MUST_CHECK;
/* What is to be written: the writer moves iov and n on in place, and asks for more when n is 0. */
struct rpc_output {
	struct iovec *iov;
	int n;
};
/* The rest of the last output, or the next; n is 0 when there is nothing. A negative code: the connection is over, as it
 * broke the protocol; err says how. */
int rpc_session_output(struct rpc_session *s, struct rpc_output **ret, struct error *err) MUST_CHECK;

bool rpc_session_greeted(const struct rpc_session *s);    /* the server's SETTINGS came: it speaks HTTP/2 */
bool rpc_session_going_away(const struct rpc_session *s); /* it sent GOAWAY: no new calls */
unsigned rpc_session_calls(const struct rpc_session *s);  /* under way */

#endif
