/*
 * client.h - one client of the soak: a thread of one kind, with a seed. It ends when it is told to, or at its first
 * wrong or missing answer.
 */
#ifndef TESTS_SERVERS_MODEL_SERVER_SOAK_CLIENT_H
#define TESTS_SERVERS_MODEL_SERVER_SOAK_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

#include "common/clock.h"
#include "common/error.h"
#include "common/rng.h"
#include "tests/servers/model_server/soak/questions.h"

enum soak_kind {
	SOAK_HTTP,  /* a connection that is kept; several requests at once now and then */
	SOAK_SLOW,  /* HTTP in small pieces with pauses */
	SOAK_GRPC,  /* many calls at once; some are given up, some have no time */
	SOAK_ABORT, /* HTTP and gRPC that breaks off anywhere, or turns to garbage */
	SOAK_KINDS
};

struct soak_client {
	pthread_t thread;
	enum soak_kind kind;
	unsigned short http_port, grpc_port;
	const struct questions *questions;
	const atomic_bool *stop;
	struct rng rng;
	uint64_t answers, aborted; /* aborted: connections that were broken off, calls that were given up */
	nsec_t slowest;            /* answer, and what was asked at once with it */
	bool failed;
	struct error why;
};

const char *soak_kind_name(enum soak_kind k);
/* A thread's main; arg: the struct, zeroed but for what comes before answers. */
void *soak_client_run(void *arg);

#endif
