/*
 * grpc_fixture.h - the gRPC server on the models of http_fixture.h, and a client with the golden inputs.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_GRPC_FIXTURE_H
#define TESTS_SERVERS_MODEL_SERVER_GRPC_FIXTURE_H

#include "servers/model_server/grpc_server.h"
#include "tests/servers/model_server/grpc_client.h"
#include "tests/servers/model_server/grpc_messages.h"
#include "tests/servers/model_server/http_fixture.h"

#define MESSAGE_MAX ((size_t)8 << 20)

/* gRPC's status codes. */
enum {
	OK = 0,
	INVALID_ARGUMENT = 3,
	DEADLINE_EXCEEDED = 4,
	NOT_FOUND = 5,
	RESOURCE_EXHAUSTED = 8,
	FAILED_PRECONDITION = 9,
	UNIMPLEMENTED = 12,
	INTERNAL = 13
};

struct grpc_fixture {
	struct http_fixture models;
	struct grpc_service *service;
	unsigned short port;
	struct grpc_client *client;
	struct grpc_reply reply; /* of the last question */
	float transaction[4 * TRANSACTION], reference[REFERENCE];
};

/* more_models: as http_fixture_start has them. */
void grpc_fixture_start(struct grpc_fixture *f, const char *more_models, unsigned threads);
void grpc_fixture_stop(struct grpc_fixture *f);

/* A request of the fraud net without reference data, rows up to 4. */
struct message fraud_message(struct grpc_fixture *f, const char *model, int64_t rows);
void ask_predict(struct grpc_fixture *f, const struct message *m);
void ask_infer(struct grpc_fixture *f, const struct message *m);
/* Fails the test, showing the reply, unless it has this status and the text in its details. */
void expect_status(const struct grpc_fixture *f, int status, const char *text);
/* The reply is OK and has exactly this output. */
void expect_prediction(const struct grpc_fixture *f, const char *output, const struct tensor *want);
void expect_inference(const struct grpc_fixture *f, const char *output, const struct tensor *want);

#endif
