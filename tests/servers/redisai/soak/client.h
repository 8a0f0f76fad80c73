/*
 * client.h - one client of the soak: a thread with a connection, a seed, and a list of what it may ask.
 *
 * Whatever it asks has an answer that is known, or one of a closed list of errors that other clients may cause: models
 * and tensors come and go under it, and its connection is cut now and then.
 */
#ifndef TESTS_SERVERS_REDISAI_SOAK_CLIENT_H
#define TESTS_SERVERS_REDISAI_SOAK_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/error.h"
#include "common/rng.h"
#include "net/redis_client.h"

#define SOAK_MODELS 4 /* m0 to m3: products of two tensors; n0 to n2: images */
#define SOAK_ASKS 32  /* kinds of questions, at the most */

/* How often each kind was asked and answered, by the place in soak_ask_name. */
struct soak_counts {
	uint64_t asked[SOAK_ASKS], errors[SOAK_ASKS];
	uint64_t lost; /* answers that did not come because the connection was cut */
};

struct soak_client {
	pthread_t thread;
	unsigned number;
	const struct endpoint *endpoint;
	const struct conn_options *conn;
	const atomic_bool *stop;
	struct redis_client *redis;
	struct rng rng;
	struct buf answer;
	struct soak_counts counts;
	bool failed; /* why says what was asked and answered; the client has ended */
	struct error why;
};

/* NULL past the last one. */
const char *soak_ask_name(size_t i);
/* A command that stores m<i> with parameters by chance; also what takes the old one from those that wait for its batch. */
void soak_store_line(struct rng *r, unsigned i, char *ret, size_t size);
/* Asks until *stop, or the first failure. arg: the struct, zeroed but for what comes before redis. */
void *soak_client_run(void *arg);

#endif
