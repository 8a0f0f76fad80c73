/*
 * fake_model_server.h - a model server inside the test that speaks the protocols of TensorFlow Serving, Triton, TorchServe and
 * plain REST, and answers every inference with the same two probabilities.
 */
#ifndef TESTS_DRIVERS_FAKE_MODEL_SERVER_H
#define TESTS_DRIVERS_FAKE_MODEL_SERVER_H

#include "drivers/driver.h"
#include "tests/drivers/call_server.h"

enum model_fault {
	MODEL_RIGHT,
	MODEL_MALFORMED, /* replies that are cut short */
	MODEL_EMPTY,     /* replies of no bytes */
	MODEL_REFUSES,   /* the protocol's error, with MODEL_WORDS */
};

#define MODEL_WORDS "transaction is of the wrong shape"
#define MODEL_P0 0.25F
#define MODEL_P1 0.75F

/* A driver with the protocol that it is to speak. */
struct model_client {
	const char *name;
	const struct driver_ops *ops;
	enum call_protocol protocol;
	const char *given; /* of -protocol; of rest the URI; NULL: the driver has no choice */
};

extern const struct model_client model_clients[];
extern const unsigned nmodel_clients;

struct fake_model_server {
	struct call_server base;
	char host[32];     /* "127.0.0.1:PORT" */
	_Atomic int fault; /* enum model_fault, of inferences */
	const char *model; /* the only one there is; NULL: financialNet and financialNet_NoReference */
	atomic_uint inferences;
	pthread_mutex_t lock;
	struct buf last; /* the body of the last inference, guarded by the lock */
	char last_path[256];
};

void fake_model_server_start(struct fake_model_server *s, enum call_protocol protocol);
void fake_model_server_stop(struct fake_model_server *s);

/* Room for any driver's options. */
struct model_options {
	_Alignas(16) char bytes[256];
};

/* The client's driver's options: that server, that Redis (may be NULL), metrics at metrics (may be NULL). */
void model_options(struct model_options *ret, const struct model_client *c, const char *host, const char *redis,
		   const char *metrics);

#endif
