/*
 * fake_redis.h - a server inside the test that keeps every byte it is sent and misbehaves when told to.
 */
#ifndef TESTS_LOADERS_FAKE_REDIS_H
#define TESTS_LOADERS_FAKE_REDIS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_CONNECTIONS_MAX 16

struct fake_redis {
	/* What the `after`-th store (from 1; 0: none) is answered instead of OK; "" means nothing at all. */
	uint64_t after;
	const char *answer;
	bool close_then; /* …and the connection is closed */
	bool reset_then; /* …by a reset */

	unsigned short port;
	int listen_fd, stop_pipe[2];
	pthread_t thread;
	/* After fake_redis_stop: the bytes of each connection in the order they came, and how many stores. */
	struct fake_connection {
		int fd;
		char *bytes;
		size_t len;
		struct resp_reader *reader;
	} connections[FAKE_CONNECTIONS_MAX];
	unsigned nconnections;
	uint64_t stores;
};

/* Fill the first fields, zero the rest. */
void fake_redis_start(struct fake_redis *f);
void fake_redis_stop(struct fake_redis *f);
void fake_redis_release(struct fake_redis *f);

#endif
