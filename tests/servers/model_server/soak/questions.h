/*
 * questions.h - what the soak asks the model server, over HTTP and gRPC, and what it must answer.
 *
 * An inference's answer is the same to the byte whenever it is asked: the model is reloaded all the time, but from the
 * same bytes. It is learnt from the first asking, while all is quiet. What tells of the server's state is only checked
 * for its status.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_SOAK_QUESTIONS_H
#define TESTS_SERVERS_MODEL_SERVER_SOAK_QUESTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"
#include "tests/servers/model_server/grpc_client.h"
#include "tests/servers/model_server/http_client.h"

#define SOAK_MODEL "fraud"   /* quick: runs in the I/O thread */
#define SOAK_JOINED "joined" /* the same net, its requests joined to batches in the queue */

#define HTTP_QUESTIONS 12
#define RPC_QUESTIONS 8

struct http_question {
	const char *name;
	unsigned status;
	bool known; /* the body is always the same */
	struct buf text, answer;
};

struct rpc_question {
	const char *name, *method;
	int status;
	bool known;
	unsigned char *message;
	size_t len;
	struct buf answer;
};

struct questions {
	struct http_question http[HTTP_QUESTIONS];
	struct rpc_question rpc[RPC_QUESTIONS];
	size_t nhttp, nrpc;
};

/* Asks each once; fails the test where one is not answered with its status. */
void questions_learn(struct questions *q, unsigned short http_port, unsigned short grpc_port);
void questions_release(struct questions *q);

bool http_question_answered(const struct http_question *q, const struct http_reply *r);
bool rpc_question_answered(const struct rpc_question *q, const struct grpc_reply *r);

#endif
