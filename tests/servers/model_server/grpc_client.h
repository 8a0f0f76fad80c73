/*
 * grpc_client.h - unary calls on the gRPC C core.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_GRPC_CLIENT_H
#define TESTS_SERVERS_MODEL_SERVER_GRPC_CLIENT_H

#include <stddef.h>

#define TRITON "/inference.GRPCInferenceService/"
#define PREDICTION "/tensorflow.serving.PredictionService/"

struct grpc_client;
struct grpc_pending;

struct grpc_reply {
	int status;        /* 0: OK */
	char details[512]; /* of another status */
	unsigned char *data;
	size_t len;
};

/* A connection of its own to 127.0.0.1. */
struct grpc_client *grpc_client_new(unsigned short port);
void grpc_client_free(struct grpc_client *c);

/* milliseconds 0: no deadline but the test's. */
struct grpc_pending *grpc_begin(struct grpc_client *c, const char *method, const void *data, size_t len,
				unsigned milliseconds);
void grpc_cancel(struct grpc_pending *p);
/* Waits and gives the call up. ret->data is freed by grpc_reply_release. */
void grpc_finish(struct grpc_pending *p, struct grpc_reply *ret);
/* Both in one. */
void grpc_ask(struct grpc_client *c, const char *method, const void *data, size_t len, struct grpc_reply *ret);
void grpc_reply_release(struct grpc_reply *r);

#endif
