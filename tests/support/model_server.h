/*
 * model_server.h - bin/aibench_model_server for one test: on free ports of 127.0.0.1, stopped with the test.
 */
#ifndef TESTS_SUPPORT_MODEL_SERVER_H
#define TESTS_SUPPORT_MODEL_SERVER_H

#include "tests/support/process.h"

#define MODEL_SERVER_PORTS_MAX 4

struct model_server {
	struct process process;
	unsigned short grpc[MODEL_SERVER_PORTS_MAX], http[MODEL_SERVER_PORTS_MAX]; /* as they were printed */
	unsigned ngrpc, nhttp;
	char grpc_host[32], http_host[32]; /* "127.0.0.1:PORT" of the first of each */
};

/* argv: the whole command line, NULL-terminated. Returns once it listens on so many ports of each kind; aborts the test,
 * showing what it said, when it does not within 60 s. */
void model_server_start(struct model_server *s, const char *const *argv, unsigned want_grpc, unsigned want_http);
/* Sends the signal and waits; the exit status, as struct process_result has it. No-op (0) when none runs. */
int model_server_stop(struct model_server *s, int with);

#endif
