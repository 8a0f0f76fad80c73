/*
 * call_server.h - an HTTP/1.1 or gRPC server inside the test that sends every body back, or is at fault where told. A
 * thread a connection, TLS if asked.
 */
#ifndef TESTS_DRIVERS_CALL_SERVER_H
#define TESTS_DRIVERS_CALL_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "common/buf.h"
#include "drivers/call.h"

enum call_fault {
	CALL_FAULT_NONE,
	CALL_FAULT_RESET,        /* RST in place of an answer */
	CALL_FAULT_CLOSE,        /* FIN in place of an answer */
	CALL_FAULT_HALF,         /* half an answer, then FIN */
	CALL_FAULT_GARBAGE,      /* bytes that are no such protocol, then FIN */
	CALL_FAULT_SILENCE,      /* nothing, from now on */
	CALL_FAULT_ERROR,        /* 404 or NOT_FOUND (in trailers only) with "the server's own words: 50% über" */
	CALL_FAULT_LAST,         /* the answer, and Connection: close or GOAWAY */
	CALL_FAULT_IDLE_CLOSE,   /* the answer, then FIN without a word of it */
	CALL_FAULT_RESET_STREAM, /* gRPC: RST_STREAM(REFUSED_STREAM) */
	CALL_FAULT_GO_AWAY,      /* gRPC: GOAWAY that takes no stream, then FIN */
	CALL_FAULT_PAGE,         /* gRPC: HTTP 503 with a page */
	CALL_FAULT_COMPRESSED,   /* gRPC: a message with the compressed flag */
	CALL_FAULT_NO_STATUS,    /* gRPC: no trailers */
	CALL_FAULT_NO_MESSAGE,   /* gRPC: status 0 and nothing else */
	CALL_FAULT_TWO,          /* two answers */
	CALL_FAULT_CHUNKED,      /* HTTP, no fault: the answer in chunks, after 100 Continue */
};

#define CALL_SERVER_CLIENTS 64

struct call_server;

/* What a server of more than echoes answers. */
struct call_answer {
	int status;       /* HTTP's, or gRPC's with words in body */
	char headers[96]; /* HTTP: further ones, each with its \r\n */
	struct buf body;
};

/* path: of the request, with what it is called with; the thread of the connection calls it. */
typedef void call_handler(struct call_server *s, const char *path, const char *body, size_t size,
			  struct call_answer *ret);

struct call_client {
	struct call_server *server;
	int fd;
	SSL *ssl;
	pthread_t thread;
	struct buf in; /* HTTP: bytes of the next request */
	char path[256];
};

struct call_server {
	/* Set before the start: */
	enum call_protocol protocol;
	const char *certificate, *key; /* PEM files; NULL: plain */
	bool no_alpn;                  /* gRPC over TLS, and the server chooses no protocol */
	const char *unix_socket;       /* path; NULL: a free port of 127.0.0.1 */
	call_handler *handler;         /* NULL: bodies are sent back */
	void *arg;                     /* the handler's */
	/* Set at any time: */
	atomic_int fault;
	atomic_int faults_left; /* how many requests it happens to; negative: all */
	/* To be read at any time: */
	atomic_uint connections, requests, closed;
	uint16_t port;
	/* private */
	SSL_CTX *ctx;
	int listener;
	pthread_t thread;
	struct call_client clients[CALL_SERVER_CLIENTS];
};

void call_server_start(struct call_server *s);
void call_server_stop(struct call_server *s);

/* What the protocols' threads use. */
enum call_fault call_server_next_fault(struct call_server *s);
bool call_client_write(struct call_client *c, const void *data, size_t len);
long call_client_read(struct call_client *c, void *data, size_t len); /* <= 0: over */
void call_client_reset(struct call_client *c);                        /* its close will be a RST */
void call_server_http(struct call_client *c);
void call_server_grpc(struct call_client *c);

#endif
