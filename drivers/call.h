/*
 * call.h - one request and its answer over HTTP/1.1 or gRPC, whoever carries it.
 *
 * A transport holds the connections of one driver instance (one worker thread). Four of them share this interface: the
 * lean ones write views straight to our own non-blocking connections and parse with a library (http-parser, nghttp2);
 * the reference ones are libcurl and the gRPC C core. They take the same options and give the same results. A slot has
 * one call under way at the most. Nothing is known here of what a body means.
 */
#ifndef DRIVERS_CALL_H
#define DRIVERS_CALL_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "common/clock.h"
#include "common/error.h"
#include "net/conn.h"
#include "net/header.h"

enum call_protocol { CALL_HTTP, CALL_GRPC };

/* gRPC's default is 4 MiB; a batch of 50 images is 30 MB. */
#define CALL_MESSAGE_MAX ((size_t)64 << 20)

/* What all calls of a transport have in common; borrowed while the transport lives. */
struct call_config {
	enum call_protocol protocol;
	unsigned slots;
	unsigned streams; /* slots that share one connection, gRPC only; 0 or 1: each has its own */
	/* Connections take turns: slot s talks to servers[(first_slot / streams + s / streams) % nservers]. */
	unsigned nservers;
	struct endpoint *const *servers; /* resolved */
	unsigned first_slot;
	const struct conn_options *conn; /* time-out, interrupt, TLS options (the reference transports read them) */
	const struct tls_config *tls;    /* of the lean ones, with the protocol's ALPN; NULL: plain */
	const char *path;                /* "/v2/predict", "/inference.GRPCInferenceService/ModelInfer" */
	const char *content_type;        /* HTTP: of every body; gRPC: NULL */
	const struct call_header *headers;
	size_t nheaders;
	int views;                 /* that a call may have; room for them is made at open */
	const char *wanted_header; /* HTTP: a reply header whose number is handed back, or NULL */
	size_t body_max;           /* of a reply; 0: CALL_MESSAGE_MAX */
	uint64_t seed;             /* of the redial delays */
};

/* One call. The views (not the array of them) stay as they are until it is finished; gRPC: the message without its
 * length prefix, which the transport writes. */
struct call {
	unsigned slot;
	const struct iovec *body;
	int nbody;
	size_t size; /* of the views together */
	nsec_t sent; /* its time-out counts from here */
};

struct call_finished {
	unsigned slot;
	int code;         /* 0, ERR_TIMEOUT, ERR_CLOSED, ERR_PROTOCOL, ERR_SERVER (the server answered an error), … */
	int status;       /* HTTP status or gRPC status code; -1: none came */
	const char *text; /* code < 0: why, with the server's own words; valid until the slot's next send */
	char *body; /* reply or message with a NUL behind it, to be read and altered until the slot's next send; errors have
		       one too */
	size_t size;
	int64_t header; /* of wanted_header; -1: it was not there */
	nsec_t received;
};

struct call_transport_ops;

/* Every transport's struct starts with this one. */
struct call_transport {
	const struct call_transport_ops *ops;
	uint64_t reconnects; /* connections that were lost, or closed by the server, and came back */
};

struct call_transport_ops {
	const char *name; /* "lean", "curl", "grpc-core" */
	/* Connects every slot (the first failure ends it with its message), with the interrupt of conn watched. */
	int (*open)(struct call_transport **ret, const struct call_config *cfg, struct error *err);
	/* Never blocks. ERR_RANGE: more views than were said; ERR_AGAIN: the slot's connection is being made again, try later. */
	int (*send)(struct call_transport *t, const struct call *c);
	/* As a driver's poll. deadline 0 only looks. */
	int (*poll)(struct call_transport *t, nsec_t deadline, struct call_finished *done, int max, struct error *err);
	/* A descriptor that is readable when poll has something to do before its own deadlines; deadlines are given by
	 * next_deadline. For a driver that waits on more than this transport. */
	int (*fd)(const struct call_transport *t);
	nsec_t (*next_deadline)(const struct call_transport *t);
	void (*close)(struct call_transport *t);
};

extern const struct call_transport_ops call_http_lean, call_http_curl, call_grpc_lean, call_grpc_core;

/* "lean" (or NULL, ""), "curl" or "grpc-core"; ERR_USAGE for a name that there is not for the protocol. */
int call_transport_find(const struct call_transport_ops **ret, enum call_protocol p, const char *name,
			struct error *err) MUST_CHECK;

#endif
