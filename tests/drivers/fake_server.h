/*
 * fake_server.h - a RedisAI server inside the test, on a thread of its own: right by default, at fault where told.
 */
#ifndef TESTS_DRIVERS_FAKE_SERVER_H
#define TESTS_DRIVERS_FAKE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* What happens to commands that are part of an inference. */
enum fake_fault {
	FAULT_NONE,
	FAULT_RESET,        /* RST in place of an answer */
	FAULT_CLOSE,        /* FIN in place of an answer */
	FAULT_HALF,         /* half an answer, then FIN */
	FAULT_GARBAGE,      /* bytes that are no RESP */
	FAULT_SILENCE,      /* nothing, from now on */
	FAULT_ERROR,        /* an error reply */
	FAULT_ERROR_IN_DAG, /* an error within the DAG's array */
	FAULT_TIMEDOUT,     /* RedisAI's TIMEDOUT */
	FAULT_OTHER_REPLY,  /* RESP, but no answer to the command */
	FAULT_TWICE,        /* the answer and one more */
};

#define FAKE_ARGS_MAX 64

struct fake_command {
	unsigned nargs;
	char args[FAKE_ARGS_MAX][64]; /* cut where longer */
};

struct fake_server;

/* Looks at a command first: true if it appended the reply itself. */
typedef bool fake_handler(struct fake_server *s, const struct fake_command *c, struct buf *reply);

struct fake_server {
	/* Set before the start: */
	fake_handler *handler;
	void *arg;
	const char *password; /* wanted; NULL: none */
	unsigned model_inputs;
	size_t piece; /* bytes written at a time; 0: all at once */
	/* Set at any time: */
	atomic_int fault;
	atomic_int faults_left; /* how many inferences it happens to; negative: all */
	atomic_bool refuse;     /* closes new connections at once */
	/* To be read at any time: */
	atomic_uint connections, dagruns, modelruns, sets;
	uint16_t port;
	char port_text[8];
	/* private */
	int listener, stop_fd;
	pthread_t thread;
};

void fake_server_start(struct fake_server *s);
void fake_server_stop(struct fake_server *s);

#endif
