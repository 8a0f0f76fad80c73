/*
 * http_server.h - all the protocols that models are asked in over HTTP/1.1, on any number of ports.
 *
 * Each port serves TensorFlow Serving's REST interface, Triton's (the Open Inference Protocol with its binary tensor
 * data), TorchServe's predictions and model descriptions, the plain REST endpoints and Prometheus' /metrics.
 * I/O is libmicrohttpd's: threads on an epoll each. A model known to be quick runs in such a thread, another on its
 * queue while the thread serves other connections.
 */
#ifndef SERVERS_MODEL_SERVER_HTTP_SERVER_H
#define SERVERS_MODEL_SERVER_HTTP_SERVER_H

#include <stddef.h>

#include "common/clock.h"
#include "common/error.h"
#include "servers/model_server/repository.h"

#define HTTP_BODY_MAX_DEFAULT ((size_t)64 << 20)
#define HTTP_TIMEOUT_DEFAULT (60 * NSEC_PER_SEC)

/* The models that the plain REST endpoints mean; NULL: AIBench's names for them. */
struct http_rest_models {
	const char *reference;    /* parts transaction and reference; "financialNet" */
	const char *no_reference; /* transaction alone; "financialNet_NoReference" */
	const char *vision;       /* image; "mobilenet_v1_100_224_cpu" */
};

struct http_server_config {
	const char *listen;          /* a host name or address; NULL: 127.0.0.1 */
	const unsigned short *ports; /* 0: a free one */
	size_t nports;
	unsigned threads; /* of each port; 0: 1 */
	size_t body_max;  /* bytes of a request's body; 0: HTTP_BODY_MAX_DEFAULT */
	/* A connection that brings no whole request for so long is closed, and one that takes no byte of its answer;
	 * 0: HTTP_TIMEOUT_DEFAULT. */
	nsec_t timeout;
	struct repository *repository; /* outlives the server */
	struct http_rest_models rest;
};

struct http_server;

/* ret_ports: of nports, the ports listened on; may be NULL. Errors: ERR_IO (address in use, …), ERR_NOMEM. */
int http_server_start(struct http_server **ret, const struct http_server_config *cfg, unsigned short *ret_ports,
		      struct error *err) MUST_CHECK;
/* The end begins: no new connections, and each answer is the last of its connection. Returns at once. NULL is a no-op. */
void http_server_quiesce(struct http_server *s);
/* The same, then answers the requests that have come in whole, waits for the clients of the others until then (monotonic),
 * closes and frees. NULL is a no-op. */
void http_server_stop(struct http_server *s, nsec_t until);

#endif
