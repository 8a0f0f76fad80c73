/*
 * model_server.h - bin/aibench_model_server for one test: free ports of 127.0.0.1, stopped with the test.
 */
#ifndef TESTS_SUPPORT_MODEL_SERVER_H
#define TESTS_SUPPORT_MODEL_SERVER_H

#include "tests/support/process.h"

#define MODEL_SERVER_PORTS_MAX 4

struct model_server {
	struct process process; /* pid 0: not running */
	unsigned short grpc[MODEL_SERVER_PORTS_MAX], http[MODEL_SERVER_PORTS_MAX];
	unsigned ngrpc, nhttp;
	char grpc_host[32], http_host[32]; /* the first of each, as "127.0.0.1:port" */
};

/*
 * words: the program's options, NULL-terminated; ports among them are its own business. Without -grpc-port and
 * -http-port it gets a free one of each. Returns once it listens on every port; aborts the test, showing what it
 * printed, when it does not within a minute.
 */
void model_server_start(struct model_server *s, const char *const *words);
/* Sends the signal (0: it has one already), waits, and expects exit status 0. */
void model_server_stop(struct model_server *s, int signal);
/* How many descriptors it has open at this moment. */
unsigned model_server_descriptors(const struct model_server *s);
/* SIGKILL, where it runs: connections break and nothing is finished. */
void model_server_kill(struct model_server *s);

#endif
